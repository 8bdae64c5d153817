#include "service/api/answers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::service {

using core::errc;
using http::problem;
using http::response;

std::optional<core::job_id> parse_job(std::string_view text) {
    const auto id = parse_number<core::job_id>(text);
    return id && *id > 0 ? id : std::nullopt;
}

std::optional<bool> parse_truth(const std::optional<std::string>& text) {
    if (!text || *text == "false" || *text == "0") return false;
    if (text->empty() || *text == "true" || *text == "1") return true;
    return std::nullopt;
}

std::optional<std::vector<core::row_state>> parse_row_states(std::string_view words) {
    std::vector<core::row_state> out;
    for (std::size_t from = 0; !words.empty() && from <= words.size();) {
        const auto comma = std::min(words.find(',', from), words.size());
        const auto state = core::parse_row_state(words.substr(from, comma - from));
        if (!state) return std::nullopt;
        out.push_back(*state);
        from = comma + 1;
    }
    return out;
}

core::result<std::size_t> limit_of(const http::request_head& head) {
    constexpr std::size_t most = 1000, usual = 100;
    const auto text = head.parameter("limit");
    if (!text) return usual;
    const auto n = parse_number<std::size_t>(*text);
    if (!n || *n == 0 || *n > most)
        return core::failure{errc::usage, fmt::format("must be a number from 1 to {}", most)};
    return *n;
}

response json_answer(std::string body, int status) {
    response a;
    a.status = status;
    a.body = std::move(body);
    return a;
}

response no_such_job(std::string_view text) {
    return problem(404, "unknown-job", "There is no such job",
                   fmt::format("The ledger has no job {}; GET /v1/jobs lists those that there are.", text));
}

response no_such_import() {
    return problem(404, "unknown-import", "There is no such import",
                   "GET /v1/imports lists those in processing; ?place=done and ?place=failed the others.");
}

response bad_parameter(std::string_view name, std::string_view rule) {
    return problem(400, "bad-parameter", "A parameter cannot be used", fmt::format("{} {}", name, rule));
}

response in_a_minute(response refusal) {
    refusal.headers.emplace_back("Retry-After", "60");
    return refusal;
}

response problem_of(const core::failure& why) {
    switch (why.code) {
        case errc::no_such_job:
            return problem(404, "unknown-job", "There is no such job", why.text);
        case errc::usage:
        case errc::input:
        case errc::settings:
            return problem(400, "bad-input", "The input cannot be used", why.text);
        case errc::job_held:
            return problem(409, "job-busy", "The job is being worked on", why.text);
        case errc::ledger_full:
            return problem(507, "disk-full", "There is no room", why.text);
        case errc::no_key:
        case errc::unauthorized:
        case errc::forbidden:
            return problem(502, "apollo-refuses", "Apollo refuses the key", why.text);
        case errc::unreachable:
            return problem(502, "apollo-unreachable", "Apollo cannot be reached", why.text);
        case errc::internal:
            return problem(500, "internal", "A bug in taskbarge", why.text);
        default:
            return problem(503, "not-now", "This cannot be done now", why.text);
    }
}

route_windows known_windows(std::span<const std::string_view> routes, ledger::ledger& book, const core::settings& s,
                            core::instant now) {
    route_windows out;
    for (const auto route : routes) {
        auto known = book.load_book({s.apollo.base_url, s.apollo.team, std::string(route)});
        if (!known) continue;
        client::tidy(*known, s.limits, now);
        out.emplace_back(route, *known);
    }
    return out;
}

std::string windows_json(const route_windows& windows, const core::limit_settings& limits) {
    std::string list = "[";
    for (const auto& [route, known] : windows) {
        for (const auto kind : core::all_window_kinds) {
            const auto& w = known[kind];
            if (!w.limit) continue;
            if (list.size() > 1) list += ',';
            core::json_object one(list);
            one.text("route", route);
            one.text("window", core::to_string(kind));
            one.number("limit", *w.limit);
            one.number("used", w.used);
            one.number("left", *w.limit > w.used && !w.shut ? *w.limit - w.used : 0);
            one.number("reserve", *w.limit - client::usable_limit(known, limits, kind).value_or(*w.limit));
            one.time_or_null("opened_at", w.opened_at);
            one.time_or_null("ends_at", w.ends_at);
            one.truth("shut", w.shut);
            one.close();
        }
    }
    return list + ']';
}

}  // namespace taskbarge::service
