// The header of a delimited file: its names, and the delimiter they give away.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reader/record_reader.hpp"

namespace taskbarge::reader {

struct csv_header {
    char delimiter = ',';
    std::vector<std::string> names;  // trimmed; without the unnamed columns at the end
    std::string text;                // without its line end; the delimiter is the only one outside quotes
    std::size_t columns = 0;         // as the header has them, with the unnamed ones at the end
    std::uint64_t lines = 0;         // how many lines were used up to the first record
    header_map map;
};

// Which field's column names the contacts, before others that may; nothing: none does.
std::optional<field> leading_column(const header_map& map);

// Whether a record is a header once more, as where files were joined: the same as far as it is used, or another one,
// behind which the cells mean something else.
enum class header_again : std::uint8_t { none, same, other };
header_again header_in(std::span<const std::string_view> cells, const csv_header& header, const name_rules& rules);

// Moves the window behind the header.
core::result<csv_header> read_csv_header(byte_window& window, const file_context& context);

}  // namespace taskbarge::reader
