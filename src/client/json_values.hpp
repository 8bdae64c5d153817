// Reading JSON whose shape is documented but not to be trusted.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace taskbarge::client {

// Parses and checks the whole text. The element is valid until this thread's next parse_json().
simdjson::simdjson_result<simdjson::dom::element> parse_json(std::string_view text);

// The member as a text; empty when it is absent or of another type.
std::string_view text_member(const simdjson::dom::object& object, std::string_view key);
// Several at once, in one pass that ends with the last of them.
struct wanted_text {
    std::string_view key;
    std::string_view* value;  // left alone when the member is absent or of another type
};
void text_members(const simdjson::dom::object& object, std::initializer_list<wanted_text> wanted);

// A whole number, also one written as a text or as a floating-point number without a fraction.
std::optional<std::uint64_t> whole_number(const simdjson::dom::element& value);
std::optional<std::uint64_t> number_member(const simdjson::dom::object& object, std::string_view key);

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_digits(std::string_view text);

}  // namespace taskbarge::client
