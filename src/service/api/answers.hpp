// What the routes have in common: reading parameters, and the answers that several of them give.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "service/http/message.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

// The whole text as a number.
template <class T>
std::optional<T> parse_number(std::string_view text) {
    T n{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}
std::optional<core::job_id> parse_job(std::string_view text);
// A parameter that is true or false; one that is absent is false, one without a value true.
std::optional<bool> parse_truth(const std::optional<std::string>& text);
// The states of a list such as "failed,unknown"; none of an empty one. Nothing: a word is no state.
std::optional<std::vector<core::row_state>> parse_row_states(std::string_view words);
inline constexpr std::string_view row_states_rule =
    "must name states: created, duplicate, rejected, failed, unknown, pending";
// "limit" of a listing; the failure's text is the rule.
core::result<std::size_t> limit_of(const http::request_head& head);

http::response json_answer(std::string body, int status = 200);
http::response no_such_job(std::string_view text);
http::response no_such_import();
http::response bad_parameter(std::string_view name, std::string_view rule);
// For what is full now and will not be in a minute.
http::response in_a_minute(http::response refusal);
// A failure as an HTTP problem.
http::response problem_of(const core::failure& why);

// Apollo's routes whose windows tasks and contacts wait for.
inline constexpr std::array<std::string_view, 2> task_windows{"tasks/bulk_create", "tasks/search"};
inline constexpr std::array<std::string_view, 3> contact_windows{"contacts/search", "contacts/show",
                                                                 "contacts/bulk_create"};
inline constexpr std::array<std::string_view, 7> all_windows{"tasks/bulk_create",
                                                             "tasks/search",
                                                             "contacts/search",
                                                             "contacts/show",
                                                             "contacts/bulk_create",
                                                             "users/search",
                                                             "usage_stats/api_usage_stats"};
// The rate windows by route, as far as they are known; those that have ended are empty again.
using route_windows = std::vector<std::pair<std::string, core::rate_book>>;
route_windows known_windows(std::span<const std::string_view> routes, ledger::ledger& book, const core::settings& s,
                            core::instant now);
std::string windows_json(const route_windows& windows, const core::limit_settings& limits);

}  // namespace taskbarge::service
