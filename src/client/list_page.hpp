// What answers that list things have in common.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::client {

core::failure not_readable(std::string_view what, std::string_view why);

// The JSON object of a 200 answer, valid until the thread's next parse_json().
core::result<simdjson::dom::object> body_of(const exchange& x, std::string_view what);

std::optional<core::instant> time_member(const simdjson::dom::object& object, std::string_view key);

// Which page was asked for, and how long it may be.
struct asked_page {
    std::uint64_t number = 0, size = 0;
};
// Why a page is not the one that was asked for; nothing: it may be.
std::optional<std::string> other_page(const simdjson::dom::object& pagination, asked_page asked);
// The array `key` of a page, no longer than was asked for and with no id twice. Looks before anything is made of it.
core::result<simdjson::dom::array> entries_of(const simdjson::dom::object& object, std::string_view what,
                                              std::string_view key, asked_page asked);

template <class F>
void for_each_object(const simdjson::dom::array& array, F use) {
    for (const simdjson::dom::element entry : array) {
        simdjson::dom::object one;
        if (!entry.get_object().get(one)) use(one);
    }
}

}  // namespace taskbarge::client
