#include "client/text.hpp"

#include <simdjson.h>

#include <algorithm>

namespace taskbarge::client {

namespace {

bool is_blank(unsigned char c) {
    return c <= 0x20 || c == 0x7f;
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
    const std::size_t seen =
        out.size() > message_limit ? core::cut_before_character(out, message_limit).size() : out.size();
    if (!simdjson::validate_utf8(out.data(), seen))
        std::replace_if(
            out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    if (out.size() > message_limit) {
        out.resize(core::cut_before_character(out, message_limit - ellipsis.size()).size());
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

bool fits_a_header(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace taskbarge::client
