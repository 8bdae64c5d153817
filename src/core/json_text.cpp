#include "taskbarge/core/json_text.hpp"

#include <fmt/format.h>

#include <iterator>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace taskbarge::core {

namespace {

bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

// How many characters at the front need no look of their own; ids are nothing else.
std::size_t plain_run(std::string_view text) {
    std::size_t run = 0;
#if defined(__SSE2__)
    constexpr std::size_t step = sizeof(__m128i);
    for (; run + step <= text.size(); run += step) {
        const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + run));
        // Bytes from 0x80 on are negative here, so below the space as well.
        const __m128i below = _mm_cmpgt_epi8(_mm_set1_epi8(0x20), c);
        const __m128i odd =
            _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')),
                         _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(c, _mm_set1_epi8(0x7F))));
        if (_mm_movemask_epi8(_mm_or_si128(below, odd)) != 0) break;
    }
#endif
    while (run < text.size() && is_plain(static_cast<unsigned char>(text[run])))
        ++run;
    return run;
}

void append_escaped(std::string& out, unsigned char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
}

// Bytes of the well-formed UTF-8 character at the front of `text` (which begins with a byte from 0x80 on); 0: none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    const std::size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length == 0 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    // Overlong forms, surrogates and what lies past U+10FFFF.
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF0 && byte(1) < 0x90) ||
        (lead == 0xF4 && byte(1) > 0x8F))
        return 0;
    return length;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto run = plain_run(text);
        out.append(text.data(), run);
        text.remove_prefix(run);
        if (text.empty()) break;
        const auto c = static_cast<unsigned char>(text.front());
        std::size_t used = 1;
        if (c < 0x80) {
            append_escaped(out, c);
        } else if (const auto length = utf8_length(text)) {
            out.append(text.data(), length);
            used = length;
        } else {
            out += "\xEF\xBF\xBD";
        }
        text.remove_prefix(used);
    }
    out += '"';
}

void json_object::start(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, key);
    out_ += ':';
}

void json_object::text(std::string_view key, std::string_view value) {
    start(key);
    append_json_string(out_, value);
}

void json_object::text_or_null(std::string_view key, std::string_view value) {
    if (value.empty()) return null(key);
    text(key, value);
}

void json_object::number(std::string_view key, std::uint64_t value) {
    start(key);
    const fmt::format_int digits(value);
    out_.append(digits.data(), digits.size());
}

void json_object::job_or_null(std::string_view key, const std::optional<job_id>& value) {
    if (!value) return null(key);
    number(key, static_cast<std::uint64_t>(*value));
}

void json_object::time_or_null(std::string_view key, const std::optional<instant>& value) {
    if (!value) return null(key);
    text(key, to_rfc3339(*value));
}

void json_object::seconds(std::string_view key, std::int64_t milliseconds) {
    start(key);
    fmt::format_to(std::back_inserter(out_), "{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

void json_object::truth(std::string_view key, bool value) {
    start(key);
    out_ += value ? "true" : "false";
}

void json_object::null(std::string_view key) {
    start(key);
    out_ += "null";
}

void json_object::raw(std::string_view key, std::string_view json) {
    start(key);
    out_ += json;
}

void add_counts(json_object& o, const row_counts& counts) {
    o.number("rows", counts.rows);
    o.number("created", counts.created);
    o.number("duplicate", counts.duplicate);
    o.number("duplicate_pending", counts.duplicate_pending);
    o.number("duplicate_unknown", counts.duplicate_unknown);
    o.number("duplicate_failed", counts.duplicate_failed);
    o.number("rejected", counts.rejected);
    o.number("failed", counts.failed);
    o.number("unknown", counts.unknown);
    o.number("pending", counts.pending);
}

}  // namespace taskbarge::core
