// Reading JSON whose shape is documented but not to be trusted.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskbarge::client {

// Parses and checks the whole text. The element is valid until this thread's next parse_json(). A string that has room
// for simdjson::SIMDJSON_PADDING bytes more is read in place. A large text of a great many small values is refused
// (CAPACITY): what is made of it would take many times its size.
simdjson::simdjson_result<simdjson::dom::element> parse_json(const std::string& text);
simdjson::simdjson_result<simdjson::dom::element> parse_json(std::string_view text);

// Held by whoever reads an answer: the memory that a giant text took is given back at the end, not kept until the next
// answer. That of ordinary ones is kept.
class json_use {
 public:
    json_use() = default;
    json_use(const json_use&) = delete;
    json_use& operator=(const json_use&) = delete;
    ~json_use();
};

// The member as a text; empty when it is absent or of another type.
std::string_view text_member(const simdjson::dom::object& object, std::string_view key);
// A whole number, also one written as a text or as a floating-point number without a fraction.
std::optional<std::uint64_t> whole_number(const simdjson::dom::element& value);
std::optional<std::uint64_t> number_member(const simdjson::dom::object& object, std::string_view key);

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_digits(std::string_view text);

}  // namespace taskbarge::client
