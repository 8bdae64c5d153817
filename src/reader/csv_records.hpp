// Delimited text with a header as records.
#pragma once

#include <memory>

#include "reader/record_reader.hpp"

namespace taskbarge::reader {

// Reads the header, finds out the delimiter unless import.delimiter sets it, and fills in the report. The window begins
// behind a byte order mark. Fails with errc::input when the header cannot be used, errc::settings when the delimiter
// set is none that a file may have.
core::result<std::unique_ptr<record_reader>> open_csv(byte_window window, const file_context& context);

}  // namespace taskbarge::reader
