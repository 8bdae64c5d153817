// How a chunk's ids, row numbers and lines are stored. docs/ledger.md describes it for those who query the file.
//
// Ids are a BLOB of 12 bytes each where every one is 24 hex digits, as Apollo's are, or missing (zeros); else a JSON
// array. Row numbers are a JSON array of the first and what the others are beyond it. Lines are a JSON array of how far
// each is beyond its row's number, with a single element where that is the same for all, as in a file without line
// breaks in its cells. That is a third of what plain JSON arrays take, and what is not written need not be synced.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/json_array.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/id_list.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::ledger {

namespace detail {

// Adds the id to `blob`; false where it is not one to be packed.
inline bool append_packed(std::string& blob, std::string_view id) {
    core::packed_id packed{};
    if (!id.empty() && (!core::pack_object_id(id, packed) || packed == core::packed_id{})) return false;
    blob.append(reinterpret_cast<const char*>(packed.data()), packed.size());
    return true;
}

}  // namespace detail

// Any range of texts; an id that is missing is empty.
template <class Ids>
sqlite::text_or_blob stored_ids(const Ids& ids) {
    sqlite::text_or_blob out;
    out.is_blob = true;
    out.bytes.reserve(std::size(ids) * sizeof(core::packed_id));
    for (const std::string_view id : ids) {
        if (!detail::append_packed(out.bytes, id)) return {to_json(core::id_list(ids.begin(), ids.end())), false};
    }
    return out;
}

std::string stored_rows(const core::chunk_rows& of);
std::string stored_lines(const core::chunk_rows& of);

// Between which rows those of a chunk lie, and roughly where: who looks for the chunks around a row can pass over those
// that span it and have nothing there, as most do where many small groups are spread over the whole input.
struct row_span {
    core::row_number first = 0, last = 0;
    std::uint64_t spread = 0;  // of 64 equal parts of the span, those that hold a row: the first is the lowest bit

    row_span() = default;
    explicit row_span(const core::chunk_rows& of);
    bool valid() const { return 0 < first && first <= last; }
    // The lowest number after that one that a row of the chunk may have; nothing: it has none.
    std::optional<core::row_number> next_after(core::row_number row) const;

 private:
    core::row_number part_of(core::row_number row) const { return (row - first) * 64 / (last - first + 1); }
};

// From a chunk's columns first_row, last_row and spread, the first of which is named.
row_span span_of(const sqlite::statement& row, int first_column);

// Reads stored ids from front to back. What was not stored by stored_ids() ends early.
class id_cursor {
 public:
    // The column's bytes must outlive the cursor.
    id_cursor(std::string_view stored, bool is_blob);
    // False at the end. The view holds until the next call.
    bool next(std::string_view& out);

 private:
    bool is_blob_;
    std::string_view packed_;
    array_cursor json_;
    std::array<char, core::object_id_size> text_{};
};

// Reads stored row numbers and lines from front to back.
class row_cursor {
 public:
    row_cursor(std::string_view rows, std::string_view lines) : rows_(rows), lines_(lines) {}
    bool next(core::row_number& row, std::uint64_t& line);

 private:
    array_cursor rows_, lines_;
    std::int64_t first_ = -1, beyond_ = 0;
};

// The same from columns of the row that the statement stands at. No ids where the column is NULL.
core::id_list read_ids(const sqlite::statement& row, int column);
core::chunk_rows read_rows(const sqlite::statement& row, int ids_column, int rows_column, int lines_column);

}  // namespace taskbarge::ledger
