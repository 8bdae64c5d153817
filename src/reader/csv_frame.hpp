// Where one CSV record ends, and its cells when no quote is in the way.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "reader/byte_scan.hpp"
#include "reader/framing.hpp"

namespace taskbarge::reader {

enum class frame_kind {
    simple,      // one line without quotes: cells() holds its cells
    quoted,      // quotes in order, perhaps over several lines
    unfinished,  // the bytes end first and more may come
    faulty       // quotes that cannot be understood: see `problem`
};

struct csv_frame {
    frame_kind kind = frame_kind::unfinished;
    const char* end = nullptr;      // of the record, before its line end
    const char* next = nullptr;     // where the next record begins
    bool has_nul = false;           // simple frames only
    bool non_ascii = false;         // simple frames only
    std::string_view problem = {};  // what is wrong with the quotes
};

// Finds records by RFC 4180: within a quoted cell delimiters and line ends are text and a quote is written twice.
// Blanks around a quoted cell are allowed. In a cell that does not begin with a quote, quotes are text as long as they
// come in pairs (a delimiter between them is text, too) on one line.
class csv_framer {
 public:
    // Keeps at most `cells_kept` cells of a simple record; the others are only counted.
    csv_framer(char delimiter, std::size_t cells_kept)
        : scanner_(delimiter), delimiter_(delimiter), cells_(cells_kept) {}

    // The record at `begin` < `end`, behind which scan_padding bytes are readable. With complete input the end of the
    // bytes ends the record, and an open quote is a fault.
    csv_frame frame(const char* begin, const char* end, input_rest rest);

    // Of the last simple frame.
    std::span<const std::string_view> cells() const { return {cells_.data(), std::min(count_, cells_.size())}; }
    std::size_t cell_count() const { return count_; }

 private:
    void add_cell(const char* begin, const char* end) {
        if (count_ < cells_.size()) cells_[count_] = {begin, static_cast<std::size_t>(end - begin)};
        ++count_;
    }
    csv_frame frame_quoted(const char* begin, const char* end, input_rest rest) const;

    byte_scanner scanner_;
    char delimiter_;
    std::vector<std::string_view> cells_;
    std::size_t count_ = 0;
};

// Splits a record that was framed as simple or quoted and unescapes its cells in place. `text` is NUL-terminated, holds
// no other NUL and is changed; `cells` is refilled with views into it. False when the quotes are not in order after
// all.
bool split_record(char* text, char delimiter, std::vector<std::string_view>& cells);

// The delimiters that a file may use.
inline constexpr std::string_view delimiters = ",\t;|";

}  // namespace taskbarge::reader
