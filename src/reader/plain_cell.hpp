// What spreadsheets and databases write around a value, or in place of none.
#pragma once

#include <string_view>

#include "reader/fields.hpp"

namespace taskbarge::reader {

// Whether a cell stands for none: nothing to see in it, or a database's word for it (\N, NULL).
bool holds_nothing(std::string_view cell);

// The value of a cell that is no note: without ="..." around it or the apostrophe before it, with which spreadsheets
// keep a value from being read as a number; empty where the cell stands for none. A view into `cell`.
std::string_view plain_cell(std::string_view cell);

// A cell that becomes part of a note, without the blanks at its ends.
std::string_view note_part_of(std::string_view cell);

// As plain_cell() for a record's texts. Of a note only \N, which no person writes, stands for none. False when nothing
// was changed.
bool make_plain(field_texts& texts);

}  // namespace taskbarge::reader
