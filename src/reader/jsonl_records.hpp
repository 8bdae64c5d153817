// JSON lines as records.
#pragma once

#include <memory>

#include "reader/record_reader.hpp"

namespace taskbarge::reader {

// The window begins behind a byte order mark.
std::unique_ptr<record_reader> open_jsonl(byte_window window, const file_context& context);

}  // namespace taskbarge::reader
