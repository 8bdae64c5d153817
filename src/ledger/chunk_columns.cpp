#include "ledger/chunk_columns.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace taskbarge::ledger {

std::string stored_rows(const core::chunk_rows& of) {
    std::vector<std::int64_t> out;
    out.reserve(of.rows.size());
    for (const auto row : of.rows)
        out.push_back(static_cast<std::int64_t>(out.empty() ? row : row - of.rows.front()));
    return to_json(out);
}

std::string stored_lines(const core::chunk_rows& of) {
    std::vector<std::int64_t> out;
    out.reserve(of.rows.size());
    for (std::size_t i = 0; i < of.rows.size(); ++i)
        out.push_back(static_cast<std::int64_t>(of.lines[i] - of.rows[i]));
    if (std::adjacent_find(out.begin(), out.end(), std::not_equal_to<>()) == out.end()) out.resize(1);
    return to_json(out);
}

row_span::row_span(const core::chunk_rows& of) : first(of.rows.front()), last(of.rows.back()) {
    for (const auto row : of.rows)
        spread |= std::uint64_t{1} << part_of(row);
}

std::optional<core::row_number> row_span::next_after(core::row_number row) const {
    const auto from = std::max(row + 1, first);
    if (from > last) return std::nullopt;
    const auto part = part_of(from);
    const auto rest = spread >> part;
    if (rest == 0) return std::nullopt;
    if ((rest & 1) != 0) return from;
    const auto next = part + static_cast<core::row_number>(std::countr_zero(rest));
    return first + (next * (last - first + 1) + 63) / 64;
}

row_span span_of(const sqlite::statement& row, int first_column) {
    row_span out;
    out.first = row.number(first_column);
    out.last = row.number(first_column + 1);
    out.spread = row.number(first_column + 2);
    return out;
}

id_cursor::id_cursor(std::string_view stored, bool is_blob)
    : is_blob_(is_blob), packed_(is_blob ? stored : std::string_view()), json_(is_blob ? std::string_view() : stored) {}

bool id_cursor::next(std::string_view& out) {
    if (!is_blob_) return json_.next(out);
    core::packed_id id;
    if (packed_.size() < id.size()) return false;
    std::memcpy(id.data(), packed_.data(), id.size());
    packed_.remove_prefix(id.size());
    if (id == core::packed_id{}) {
        out = {};
        return true;
    }
    core::unpack_object_id(id, text_.data());
    out = {text_.data(), text_.size()};
    return true;
}

bool row_cursor::next(core::row_number& row, std::uint64_t& line) {
    std::int64_t number = 0;
    if (!rows_.next(number)) return false;
    if (first_ < 0)
        first_ = number;
    else
        number += first_;
    lines_.next(beyond_);  // after the only one it stays
    row = static_cast<core::row_number>(number);
    line = static_cast<std::uint64_t>(number + beyond_);
    return true;
}

core::id_list read_ids(const sqlite::statement& row, int column) {
    const bool is_blob = row.is_blob(column);
    const auto stored = row.bytes(column);
    core::id_list out;
    if (is_blob) out.reserve(stored.size() / sizeof(core::packed_id), core::object_id_size);
    id_cursor cursor(stored, is_blob);
    for (std::string_view id; cursor.next(id);)
        out.push_back(id);
    return out;
}

core::chunk_rows read_rows(const sqlite::statement& row, int ids_column, int rows_column, int lines_column) {
    core::chunk_rows out;
    out.contact_ids = read_ids(row, ids_column);
    out.rows.reserve(out.contact_ids.size());
    out.lines.reserve(out.contact_ids.size());
    row_cursor cursor(row.text(rows_column), row.text(lines_column));
    core::row_number number = 0;
    for (std::uint64_t line = 0; cursor.next(number, line);) {
        out.rows.push_back(number);
        out.lines.push_back(line);
    }
    return out;
}

}  // namespace taskbarge::ledger
