#include "client/json_values.hpp"

#include <charconv>

namespace taskbarge::client {

namespace dom = simdjson::dom;

simdjson::simdjson_result<dom::element> parse_json(std::string_view text) {
    // A parser's buffers are several times the text: kept from answer to answer, but not those of a giant.
    constexpr std::size_t kept_up_to = 4U << 20U;
    thread_local std::optional<dom::parser> parser;
    if (!parser || parser->capacity() > kept_up_to) parser.emplace();
    return parser->parse(text.data(), text.size());
}

std::string_view text_member(const dom::object& object, std::string_view key) {
    std::string_view value;
    if (object.at_key(key).get_string().get(value) != simdjson::SUCCESS) return {};
    return value;
}

void text_members(const dom::object& object, std::initializer_list<wanted_text> wanted) {
    std::uint32_t found = 0;
    const std::uint32_t all = (1U << wanted.size()) - 1;
    for (const auto [key, value] : object) {
        std::uint32_t bit = 1;
        for (const auto& w : wanted) {
            // Of two members with one key the first counts, as with text_member().
            if ((found & bit) == 0 && key == w.key) {
                found |= bit;
                std::string_view text;
                if (value.get_string().get(text) == simdjson::SUCCESS) *w.value = text;
            }
            bit <<= 1;
        }
        if (found == all) return;
    }
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    std::uint64_t n = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, n);
    if (ec != std::errc{} || stop != end) return std::nullopt;
    return n;
}

std::optional<std::uint64_t> whole_number(const dom::element& value) {
    if (std::uint64_t n = 0; value.get_uint64().get(n) == simdjson::SUCCESS) return n;
    if (std::string_view text; value.get_string().get(text) == simdjson::SUCCESS) return parse_digits(text);
    constexpr double exact_up_to = 9007199254740992.0;
    if (double d = 0; value.get_double().get(d) == simdjson::SUCCESS && d >= 0 && d <= exact_up_to) {
        const auto n = static_cast<std::uint64_t>(d);
        if (static_cast<double>(n) == d) return n;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_member(const dom::object& object, std::string_view key) {
    dom::element value;
    if (object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
    return whole_number(value);
}

}  // namespace taskbarge::client
