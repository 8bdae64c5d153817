// Files that hold a table in another form, or none at all: archives, other compression, databases, web pages.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

// What a file is that begins like that, and the command or step that helps; empty for text. `head` are the first bytes
// behind gzip or zstd. Of the file name and format need to be known.
std::string foreign_file_message(std::string_view head, const file_report& file);

}  // namespace taskbarge::reader
