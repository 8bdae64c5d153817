#include "client/text.hpp"

#include <simdjson.h>

#include <algorithm>

namespace taskbarge::client {

namespace {

bool is_blank(unsigned char c) {
    return c <= 0x20 || c == 0x7f;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The longest prefix of at most `limit` bytes that does not end inside a UTF-8 sequence.
std::size_t whole_characters(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text.size();
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U)
        --limit;
    return limit;
}

}  // namespace

std::string one_line(std::string_view text) {
    constexpr std::string_view ellipsis = "...";
    std::string out;
    bool gap = false;
    for (const char c : text) {
        if (out.size() > message_limit) break;
        if (is_blank(static_cast<unsigned char>(c))) {
            gap = !out.empty();
            continue;
        }
        if (gap) out += ' ';
        gap = false;
        out += c;
    }
    // Checked before cutting: the loop may have stopped inside a character.
    const std::size_t seen = out.size() > message_limit ? whole_characters(out, message_limit) : out.size();
    if (!simdjson::validate_utf8(out.data(), seen))
        std::replace_if(
            out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    if (out.size() > message_limit) {
        out.resize(whole_characters(out, message_limit - ellipsis.size()));
        out += ellipsis;
    }
    return out;
}

std::string one_line_without(const core::secret& key, std::string_view text) {
    std::string clean(text);
    key.erase_from(clean);
    return one_line(clean);
}

void reserve_exactly(std::string& text, std::size_t size) {
    if (size <= text.capacity()) return;
    std::string larger;
    larger.reserve(size);
    larger += text;
    text.swap(larger);
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool fits_a_header(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace taskbarge::client
