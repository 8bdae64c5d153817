#include "client/list_page.hpp"

#include <fmt/format.h>

#include <boost/unordered/unordered_flat_set.hpp>

#include "client/json_values.hpp"
#include "client/server_message.hpp"
#include "client/text.hpp"

namespace taskbarge::client {

namespace dom = simdjson::dom;

core::failure not_readable(std::string_view what, std::string_view why) {
    return {core::errc::waiting, one_line(fmt::format("{}: {}", what, why))};
}

core::result<dom::object> body_of(const exchange& x, std::string_view what) {
    if (x.reach != reach::answered) return not_readable(what, x.error_text);
    if (const auto from = respondent_of(x); from != respondent::apollo) return not_apollo(x, what);
    if (x.status != 200) {
        const std::string text = fmt::format("{}: status {}: {}", what, x.status, message_or(x, "no reason given"));
        const auto code = x.status == 401   ? core::errc::unauthorized
                          : x.status == 403 ? core::errc::forbidden
                                            : core::errc::waiting;
        return core::failure{code, one_line(text)};
    }
    dom::object object;
    if (const auto error = parse_json(x.body).get_object().get(object))
        return not_readable(what, simdjson::error_message(error));
    return object;
}

std::optional<core::instant> time_member(const dom::object& object, std::string_view key) {
    return core::parse_rfc3339(text_member(object, key));
}

std::optional<std::string> other_page(const dom::object& pagination, asked_page asked) {
    const auto number = number_member(pagination, "page");
    if (number && *number != asked.number)
        return fmt::format("the answer is page {}, {} was asked for", *number, asked.number);
    const auto size = number_member(pagination, "per_page");
    if (size && *size != asked.size)
        return fmt::format("the answer has {} a page, {} were asked for", *size, asked.size);
    return std::nullopt;
}

core::result<dom::array> entries_of(const dom::object& object, std::string_view what, std::string_view key,
                                    asked_page asked) {
    dom::array array;
    if (object.at_key(key).get_array().get(array))
        return not_readable(what, fmt::format("an answer without a list of {}", key));
    if (array.size() > asked.size)
        return not_readable(what,
                            fmt::format("the answer has {} {}, {} were asked for", array.size(), key, asked.size));
    boost::unordered_flat_set<std::string_view> ids;
    for (const dom::element entry : array) {
        dom::object one;
        if (entry.get_object().get(one)) continue;
        const auto id = text_member(one, "id");
        if (!id.empty() && !ids.insert(id).second)
            return not_readable(what, fmt::format("the answer has the id {} twice", id));
    }
    return array;
}

}  // namespace taskbarge::client
