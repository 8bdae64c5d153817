// Letters, digits and UTF-8, whatever the locale.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace taskbarge::core {

// Of ASCII letters; what else there is stays.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Without the characters of `blanks` around it.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Whether the byte is within a UTF-8 character, not its first one.
constexpr bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}
// At most that many bytes of its beginning: cut before a character, not within one.
constexpr std::string_view cut_before_character(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && continues_character(text[most]))
        --most;
    return text.substr(0, most);
}

// Two lower-case digits a byte.
inline std::string hex(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const unsigned char byte : bytes) {
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace taskbarge::core
