#include "reader/text.hpp"

#include <algorithm>
#include <cstring>

#include "reader/invisible.hpp"

namespace taskbarge::reader {
namespace {

// Of a blank or an invisible character.
std::size_t size_to_trim(char at_the_end, character (&look)(std::string_view), std::string_view text) {
    if (at_the_end == ' ' || at_the_end == '\t') return 1;
    if (static_cast<unsigned char>(at_the_end) < 0x80) return 0;
    const character c = look(text);
    return c.size > 0 && (is_any_blank(c.code) || is_invisible(c.code)) ? c.size : 0;
}

std::size_t leading_blank(std::string_view text) {
    return text.empty() ? 0 : size_to_trim(text.front(), first_character, text);
}

std::size_t trailing_blank(std::string_view text) {
    return text.empty() ? 0 : size_to_trim(text.back(), last_character, text);
}

}  // namespace

char* text_arena::take(std::size_t size) {
    if (size > room_) {
        const std::size_t fresh = std::max(size, chunk_size);
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(fresh));
        free_ = chunks_.back().get();
        room_ = fresh;
    }
    char* const p = free_;
    free_ += size;
    room_ -= size;
    bytes_ += size;
    return p;
}

std::string_view text_arena::keep(std::string_view text) {
    if (text.empty()) return {};
    char* const p = take(text.size());
    std::memcpy(p, text.data(), text.size());
    return {p, text.size()};
}

void text_arena::clear() {
    bytes_ = 0;
    free_ = nullptr;
    room_ = 0;
    if (chunks_.empty()) return;
    chunks_.resize(1);
    free_ = chunks_.front().get();
    room_ = chunk_size;  // the first chunk has at least this size
}

std::string_view trimmed(std::string_view text) {
    while (const std::size_t n = leading_blank(text))
        text.remove_prefix(n);
    while (const std::size_t n = trailing_blank(text))
        text.remove_suffix(n);
    return text;
}

std::string shown(std::string_view text) {
    constexpr std::size_t longest = 60;
    const bool cut = text.size() > longest;
    text = core::cut_before_character(text, longest);
    std::string out = "\"";
    for (const char c : made_visible(text))
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '.' : c;
    return out + (cut ? "…\"" : "\"");
}

std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + "'";
}

std::string listed(std::span<const std::string> items, std::string_view last_joint) {
    std::string out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += i + 1 == items.size() ? last_joint : std::string_view(", ");
        out += items[i];
    }
    return out;
}

bool says_why_rejected(std::string_view error) {
    const auto code = error.substr(0, error.find(": "));
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return code.size() < error.size() && !code.empty() && code.find('_') != std::string_view::npos &&
           std::all_of(code.begin(), code.end(), fits);
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !core::continues_character(c); }));
}

}  // namespace taskbarge::reader
