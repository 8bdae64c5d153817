#include "reader/invisible.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/text.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::reader {
namespace {

struct code_range {
    char32_t first, last;
};

// Unicode's Default_Ignorable_Code_Point.
constexpr code_range ignorable[] = {
    {0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},   {0x17B4, 0x17B5},  {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
// Unicode's Zs, Zl and Zp, with the tab.
constexpr code_range blanks[] = {{'\t', '\t'},     {' ', ' '},       {0xA0, 0xA0},
                                 {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029},
                                 {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
// Full-width forms and mathematical letters: made to look like others.
constexpr code_range forms[] = {{0xFF01, 0xFF5E}, {0x1D400, 0x1D7FF}};
// Letters of other alphabets (Greek, Cyrillic and so on) and dashes that look like a hyphen.
constexpr code_range look_alikes[] = {{0x370, 0x1DBF}, {0x2010, 0x2015}, {0x2212, 0x2212}};

template <std::size_t Size>
bool within(const code_range (&ranges)[Size], char32_t c) {
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [c](const code_range& r) { return r.first <= c && c <= r.last; });
}

bool is_letter_or_digit(char32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Up to the next blank.
std::string_view first_word(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size()) {
        const character c = first_character(text.substr(size));
        if (c.size > 0 && is_any_blank(c.code)) break;
        size += std::max<std::size_t>(c.size, 1);
    }
    return text.substr(0, size);
}

}  // namespace

character first_character(std::string_view text) {
    if (text.empty()) return {};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) return {byte(0), 1};
    const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
    if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < size) return {};
    char32_t code = byte(0) & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (!core::continues_character(text[i])) return {};
        code = code << 6 | (byte(i) & 0x3Fu);
    }
    return {code, size};
}

character last_character(std::string_view text) {
    constexpr std::size_t longest = 4;
    for (std::size_t size = 1; size <= std::min(longest, text.size()); ++size) {
        const std::string_view last = text.substr(text.size() - size);
        if (core::continues_character(last.front())) continue;
        const character c = first_character(last);
        return c.size == size ? c : character{};
    }
    return {};
}

bool is_any_blank(char32_t c) {
    return within(blanks, c);
}

bool is_invisible(char32_t c) {
    return within(ignorable, c);
}

bool shows_nothing(std::string_view text) {
    while (!text.empty()) {
        const character c = first_character(text);
        if (c.size == 0 || !(is_any_blank(c.code) || is_invisible(c.code) || c.code == '\n' || c.code == '\r'))
            return false;
        text.remove_prefix(c.size);
    }
    return true;
}

std::string plain_name(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const character c = first_character(text);
        const std::size_t size = std::max<std::size_t>(c.size, 1);
        if (c.size > 0 && is_any_blank(c.code))
            out += ' ';
        else if (c.size == 0 || !is_invisible(c.code))
            out += text.substr(0, size);
        text.remove_prefix(size);
    }
    return std::string(trimmed(out));
}

std::string made_visible(std::string_view text) {
    const auto plain = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
    std::string out;
    std::string_view word;
    bool ours = false;  // the word has a letter or digit of ASCII
    while (!text.empty()) {
        if (word.empty() || text.data() == word.data() + word.size()) {
            word = first_word(text);
            ours = std::any_of(word.begin(), word.end(),
                               [](char c) { return is_letter_or_digit(static_cast<unsigned char>(c)); });
        }
        const character c = first_character(text);
        const std::size_t size = std::max<std::size_t>(c.size, 1);
        const bool odd_blank = is_any_blank(c.code) && c.code != ' ' && c.code != '\t';
        const bool named = c.code >= 0x80 && (odd_blank || is_invisible(c.code) || c.code <= 0x9F ||
                                              within(forms, c.code) || (ours && within(look_alikes, c.code)));
        if (named)
            out += fmt::format("<U+{:04X}>", static_cast<std::uint32_t>(c.code));
        else
            out += text.substr(0, size);
        text.remove_prefix(size);
    }
    return out;
}

}  // namespace taskbarge::reader
