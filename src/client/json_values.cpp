#include "client/json_values.hpp"

#include <algorithm>
#include <charconv>
#include <new>

namespace taskbarge::client {

namespace dom = simdjson::dom;

namespace {

// A parser's buffers are several times the text: kept from answer to answer, but not those of a giant.
constexpr std::size_t kept_up_to = 4U << 20U;
// Room for all that a hundred long tasks can hold. Each value takes up to 24 bytes besides its text.
constexpr std::ptrdiff_t most_values = 2'000'000;

std::optional<dom::parser>& this_threads_parser() {
    thread_local std::optional<dom::parser> parser;
    return parser;
}

simdjson::simdjson_result<dom::element> parse(const char* text, std::size_t size, bool copy) {
    const auto begins_value = [](char c) { return c == ',' || c == '[' || c == '{'; };
    if (size > kept_up_to && std::count_if(text, text + size, begins_value) > most_values) return simdjson::CAPACITY;
    auto& parser = this_threads_parser();
    if (!parser || parser->capacity() > kept_up_to) parser.emplace();
    auto parsed = parser->parse(text, size, copy);
    if (parsed.error() == simdjson::MEMALLOC) throw std::bad_alloc();  // nothing is wrong with the answer
    return parsed;
}

}  // namespace

simdjson::simdjson_result<dom::element> parse_json(const std::string& text) {
    return parse(text.data(), text.size(), text.capacity() - text.size() < simdjson::SIMDJSON_PADDING);
}

simdjson::simdjson_result<dom::element> parse_json(std::string_view text) {
    return parse(text.data(), text.size(), true);
}

json_use::~json_use() {
    auto& parser = this_threads_parser();
    if (parser && parser->capacity() > kept_up_to) parser.reset();
}

std::string_view text_member(const dom::object& object, std::string_view key) {
    std::string_view value;
    if (object.at_key(key).get_string().get(value) != simdjson::SUCCESS) return {};
    return value;
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
