#include "reader/json_frame.hpp"

#include <algorithm>
#include <cstring>

namespace taskbarge::reader {
namespace {

struct short_escape {
    char written;
    char meant;
};
constexpr short_escape short_escapes[] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'n', '\n'},
                                          {'t', '\t'}, {'r', '\r'},  {'b', '\b'}, {'f', '\f'}};

const short_escape* short_escape_of(char written) {
    const auto* const found = std::find_if(std::begin(short_escapes), std::end(short_escapes),
                                           [&](const short_escape& e) { return e.written == written; });
    return found == std::end(short_escapes) ? nullptr : found;
}

// Of four hex digits; anything past 0xFFFF when they are none.
std::uint32_t code_point_of(std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits) {
        std::uint32_t digit = 0;
        if (c >= '0' && c <= '9')
            digit = static_cast<std::uint32_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = static_cast<std::uint32_t>(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = static_cast<std::uint32_t>(c - 'A') + 10;
        else
            return ~std::uint32_t{0};
        value = value << 4 | digit;
    }
    return value;
}

// Below 0x10000, in UTF-8.
char* put_utf8(char* to, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { *to++ = static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | c >> 6);
        put(0x80 | (c & 0x3F));
    } else {
        put(0xE0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    }
    return to;
}

}  // namespace

std::size_t plain_escape(std::string_view text) {
    if (text.size() < 2) return 0;
    if (text[1] != 'u') return short_escape_of(text[1]) ? 2 : 0;
    if (text.size() < 6) return 0;
    const std::uint32_t c = code_point_of(text.substr(2, 4));
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    return c == 0 || c > 0xFFFF || surrogate ? 0 : 6;
}

std::string_view unescaped(std::string_view text, text_arena& arena) {
    char* const out = arena.take(text.size());  // no escape is shorter than what it stands for
    char* to = out;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\\') {
            *to++ = text[i++];
        } else if (text[i + 1] == 'u') {
            to = put_utf8(to, code_point_of(text.substr(i + 2, 4)));
            i += 6;
        } else {
            *to++ = short_escape_of(text[i + 1])->meant;
            i += 2;
        }
    }
    return {out, static_cast<std::size_t>(to - out)};
}

json_frame json_framer::frame(const char* begin, const char* end, input_rest rest) {
    std::uint64_t backslash = 0, control = 0, high = 0;
    std::size_t words = 0;
    const auto found = [&](line_end e) -> json_frame {
        if (!e) return {};
        words_ = std::min(words, most_words);
        quotes_[words_] = quotes_[words_ + 1] = 0;
        begin_ = begin;
        end_ = e.end;
        const bool plain = words <= most_words && control == 0 && (backslash == 0 || take_out_escaped_quotes());
        return {e.end, e.next, backslash != 0, plain, high != 0};
    };
    for (const char* p = begin; p < end; p += 64) {
        const auto left = static_cast<std::size_t>(end - p);
        const std::uint64_t valid = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
        const byte_masks m = scanner_.look(p);
        const std::uint64_t stop = m.line_end & valid;
        const std::uint64_t before = below_lowest(stop) & valid;
        if (words < most_words) quotes_[words] = m.quote & before;
        ++words;
        backslash |= m.delimiter & before;
        control |= m.control & before;
        high |= m.high & before;
        if (stop != 0) return found(line_end_at(p + std::countr_zero(stop), end, rest));
    }
    return rest == input_rest::complete ? found({end, end}) : json_frame{};
}

// From left to right, as escapes are read. Backslashes outside strings are no concern: no JSON has them.
bool json_framer::take_out_escaped_quotes() {
    const auto find = [&](const char* from) {
        return static_cast<const char*>(std::memchr(from, '\\', static_cast<std::size_t>(end_ - from)));
    };
    for (const char* p = find(begin_); p != nullptr;) {
        const std::size_t size = plain_escape({p, static_cast<std::size_t>(end_ - p)});
        if (size == 0) return false;
        const auto at = static_cast<std::size_t>(p + 1 - begin_);
        if (p[1] == '"') quotes_[at / 64] &= ~(std::uint64_t{1} << at % 64);
        p = find(p + size);
    }
    return true;
}

const char* json_framer::far_quote(std::size_t word) const {
    for (; word < words_; ++word)
        if (quotes_[word] != 0) return begin_ + 64 * word + std::countr_zero(quotes_[word]);
    return end_;
}

}  // namespace taskbarge::reader
