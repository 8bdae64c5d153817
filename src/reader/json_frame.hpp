// Where one line of JSON ends, and where its quotes stand.
#pragma once

#include <string_view>
#include <vector>

#include "reader/byte_scan.hpp"
#include "reader/framing.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {

struct json_frame {
    const char* end = nullptr;   // of the line, before its line end; null: not found
    const char* next = nullptr;  // where the next line begins
    bool escapes = false;        // there is a backslash
    bool plain = false;          // no control character, no odd escape (see plain_escape): next_quote() may be asked
    bool non_ascii = false;      // not yet known to be UTF-8
};

// The size of the escape at the beginning of `text`, which is a backslash: 2, or 6 for \uXXXX. 0 when it is none that
// stands for one character by itself, or for NUL: those are the parser's.
std::size_t plain_escape(std::string_view text);
// A JSON string's text, of plain escapes only, as what it stands for; it goes to the arena.
std::string_view unescaped(std::string_view text, text_arena& arena);

class json_framer {
 public:
    // The line at `begin` < `end`, behind which scan_padding bytes are readable; it ends as in find_line_end().
    json_frame frame(const char* begin, const char* end, input_rest rest);

    // Of the last line, when it was plain: the first quote at `from` or behind that begins or ends a string, else the
    // line's end.
    const char* next_quote(const char* from) const {
        const auto at = static_cast<std::size_t>(from - begin_);
        const std::uint64_t* const word = quotes_.data() + at / 64;
        const std::size_t bit = at % 64;
        // The next 64 bytes, from two words.
        const std::uint64_t near = word[0] >> bit | word[1] << 1 << (63 - bit);
        return near != 0 ? from + std::countr_zero(near) : far_quote(at / 64 + 1);
    }

 private:
    static constexpr std::size_t most_words = 1024;  // longer lines are not called plain
    const char* far_quote(std::size_t word) const;
    bool take_out_escaped_quotes();

    byte_scanner scanner_{'\\'};
    // A bit for each byte of the line, and two words of zeros behind it.
    std::vector<std::uint64_t> quotes_ = std::vector<std::uint64_t>(most_words + 2);
    std::size_t words_ = 0;
    const char* begin_ = nullptr;
    const char* end_ = nullptr;
};

}  // namespace taskbarge::reader
