#include "taskbarge/core/secret.hpp"

#include <openssl/crypto.h>

#include <charconv>
#include <string_view>

namespace taskbarge::core {

namespace {

// Whether the digits, all of them, are the number of the character.
bool are_number_of(std::string_view digits, int base, char c) {
    unsigned number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, ec] = std::from_chars(digits.data(), end, number, base);
    return ec == std::errc{} && stop == end && number == static_cast<unsigned char>(c);
}

// A JSON text within another has its backslashes twice; more than this are no spelling of anything.
constexpr std::size_t most_backslashes = 8;
constexpr std::size_t most_digits = 8;

std::size_t json_spelling(std::string_view text, char c) {
    const auto escaped = text.substr(0, most_backslashes + 1).find_first_not_of('\\');
    if (escaped == std::string_view::npos) return 0;
    if (text[escaped] == c) return escaped + 1;
    constexpr std::size_t digits = 4;
    const auto number = text.substr(escaped + 1, digits);
    const bool same = text[escaped] == 'u' && number.size() == digits && are_number_of(number, 16, c);
    return same ? escaped + 1 + digits : 0;
}

std::size_t html_spelling(std::string_view text, char c) {
    if (!text.starts_with("&#")) return 0;
    const auto end = text.substr(0, most_digits + 3).find(';');
    if (end == std::string_view::npos) return 0;
    const bool hex = text[2] == 'x' || text[2] == 'X';
    const std::size_t begin = hex ? 3 : 2;
    return end > begin && are_number_of(text.substr(begin, end - begin), hex ? 16 : 10, c) ? end + 1 : 0;
}

// How many bytes at the beginning of `text` spell the character; 0: they do not.
std::size_t spelling_of(std::string_view text, char c) {
    if (text.empty()) return 0;
    if (text.front() == c) return 1;
    if (text.front() == '\\') return json_spelling(text, c);
    if (text.front() == '%') return text.size() > 2 && are_number_of(text.substr(1, 2), 16, c) ? 3 : 0;
    if (text.front() == '&') return html_spelling(text, c);
    return 0;
}

// How many bytes at the beginning of `text` spell the key; 0: they do not.
std::size_t key_at(std::string_view text, std::string_view key) {
    std::size_t used = 0;
    for (const char c : key) {
        const auto size = spelling_of(text.substr(used), c);
        if (size == 0) return 0;
        used += size;
    }
    return used;
}

}  // namespace

void secret::wipe() noexcept {
    OPENSSL_cleanse(text_.data(), text_.capacity());  // not optimised away, as memset might be
    text_.clear();
}

bool secret::is_in(std::string_view text) const {
    if (text_.empty()) return false;
    // No spelling is shorter than the key.
    for (std::size_t at = 0; at + text_.size() <= text.size(); ++at)
        if (may_begin(text[at]) && key_at(text.substr(at), text_) > 0) return true;
    return false;
}

void secret::erase_from(std::string& text) const {
    if (text_.empty()) return;
    const std::string_view in = text;
    std::string out;
    std::size_t copied = 0;
    for (std::size_t at = 0; at + text_.size() <= in.size();) {
        const auto size = may_begin(in[at]) ? key_at(in.substr(at), text_) : 0;
        if (size == 0) {
            ++at;
            continue;
        }
        out.append(in.substr(copied, at - copied)).append("***");
        at += size;
        copied = at;
    }
    if (copied == 0) return;
    out += in.substr(copied);
    OPENSSL_cleanse(text.data(), text.size());
    text = std::move(out);
}

}  // namespace taskbarge::core
