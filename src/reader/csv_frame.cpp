#include "reader/csv_frame.hpp"

#include <algorithm>
#include <cstring>

// The library's own reader thread is not used.
#define CSV_IO_NO_THREAD
#include <libfccp/csv.h>

namespace taskbarge::reader {
namespace {

bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Walks over the cells of one record that holds quotes.
class quoted_walk {
 public:
    quoted_walk(const char* begin, const char* end, char delimiter, input_rest rest)
        : at_(begin), end_(end), delimiter_(delimiter), rest_(rest) {}

    csv_frame run() {
        for (;;) {
            csv_frame stopped = pass_cell();
            if (stopped.kind != frame_kind::quoted) return stopped;
            if (at_ == end_) return finished({end_, end_});
            if (is_line_end(*at_)) return finished(line_end_at(at_, end_, rest_));
            ++at_;  // the delimiter
        }
    }

 private:
    // Moves to the delimiter or line end behind the cell. Any other kind than `quoted` ends the walk.
    csv_frame pass_cell() {
        const char* const start = skip_blanks(at_);
        return start < end_ && *start == '"' ? pass_quoted(start) : pass_unquoted();
    }

    csv_frame pass_quoted(const char* opening) {
        const char* p = opening + 1;
        for (;;) {
            p = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end_ - p)));
            if (!p) return short_of_bytes("a quote is opened and never closed");
            ++p;
            if (p == end_ || *p != '"') break;
            ++p;
        }
        at_ = skip_blanks(p);
        if (at_ < end_ && *at_ != delimiter_ && !is_line_end(*at_))
            return faulty("there is text behind a closing quote");
        return passed();
    }

    csv_frame pass_unquoted() {
        bool within_pair = false;
        for (; at_ < end_; ++at_) {
            if (is_line_end(*at_)) break;
            if (*at_ == '"') within_pair = !within_pair;
            if (*at_ == delimiter_ && !within_pair) break;
        }
        if (!within_pair) return passed();
        const bool line_ended = at_ < end_;
        return line_ended ? faulty("a cell has a quote without its pair")
                          : short_of_bytes("a cell has a quote without its pair");
    }

    const char* skip_blanks(const char* p) const {
        while (p < end_ && is_blank(*p) && *p != delimiter_)
            ++p;
        return p;
    }

    // The end of the bytes is the end of the record only when nothing can follow.
    csv_frame passed() const {
        const bool open_end = at_ == end_ && rest_ == input_rest::more_may_come;
        return {.kind = open_end ? frame_kind::unfinished : frame_kind::quoted};
    }
    csv_frame short_of_bytes(std::string_view problem) const {
        return rest_ == input_rest::more_may_come ? csv_frame{} : faulty(problem);
    }
    static csv_frame faulty(std::string_view problem) { return {.kind = frame_kind::faulty, .problem = problem}; }
    static csv_frame finished(line_end e) {
        if (!e) return {};
        return {.kind = frame_kind::quoted, .end = e.end, .next = e.next};
    }

    const char* at_;
    const char* end_;
    char delimiter_;
    input_rest rest_;
};

template <char Delimiter>
void split_with(char* text, std::vector<std::string_view>& cells) {
    using policy = io::double_quote_escape<Delimiter, '"'>;
    for (char* begin = text;;) {
        char* const cell_end = begin + (policy::find_next_column_end(begin) - begin);
        const bool last = *cell_end == '\0';
        char* from = begin;
        while (from < cell_end && is_blank(*from))
            ++from;
        char* to = cell_end;
        if (*from == '"') {
            io::trim_chars<' ', '\t'>::trim(from, to);
            policy::unescape(from, to);
        } else {
            from = begin;
        }
        cells.emplace_back(from, static_cast<std::size_t>(to - from));
        if (last) return;
        begin = cell_end + 1;
    }
}

}  // namespace

csv_frame csv_framer::frame(const char* begin, const char* end, input_rest rest) {
    count_ = 0;
    const char* cell = begin;
    std::uint64_t nul = 0, high = 0;
    for (const char* p = begin; p < end; p += 64) {
        const auto left = static_cast<std::size_t>(end - p);
        const std::uint64_t valid = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
        const byte_masks m = scanner_.look(p);
        const std::uint64_t stop = (m.line_end | m.quote) & valid;
        const std::uint64_t before = below_lowest(stop) & valid;
        for (std::uint64_t d = m.delimiter & before; d != 0; d &= d - 1) {
            const char* const at = p + std::countr_zero(d);
            add_cell(cell, at);
            cell = at + 1;
        }
        nul |= m.nul & before;
        high |= m.high & before;
        if (stop == 0) continue;
        const char* const at = p + std::countr_zero(stop);
        if (*at == '"') return frame_quoted(begin, end, rest);
        const line_end e = line_end_at(at, end, rest);
        if (!e) return {};
        add_cell(cell, e.end);
        return {frame_kind::simple, e.end, e.next, nul != 0, high != 0, {}};
    }
    if (rest == input_rest::more_may_come) return {};
    add_cell(cell, end);
    return {frame_kind::simple, end, end, nul != 0, high != 0, {}};
}

csv_frame csv_framer::frame_quoted(const char* begin, const char* end, input_rest rest) const {
    return quoted_walk(begin, end, delimiter_, rest).run();
}

bool split_record(char* text, char delimiter, std::vector<std::string_view>& cells) {
    cells.clear();
    // The library throws on an open quote; framing has ruled that out for what comes here.
    try {
        switch (delimiter) {
            case '\t':
                split_with<'\t'>(text, cells);
                break;
            case ';':
                split_with<';'>(text, cells);
                break;
            case '|':
                split_with<'|'>(text, cells);
                break;
            default:
                split_with<','>(text, cells);
                break;
        }
    } catch (const io::error::base&) {
        return false;
    }
    return true;
}

}  // namespace taskbarge::reader
