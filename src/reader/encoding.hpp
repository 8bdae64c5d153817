// Texts in other encodings than UTF-8: recognised, with the command that converts them.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

inline constexpr std::string_view utf8_bom = "\xEF\xBB\xBF";

// What to tell when the first bytes of a file are UTF-16 or UTF-32 (with or without a byte order mark); empty when they
// are not. Of the file only name and format need to be known.
std::string wide_encoding_message(std::string_view head, const file_report& file);

// What to tell when `text` is not valid UTF-8: most likely one of the 8-bit encodings of Western Europe.
std::string not_utf8_message(std::string_view text, const file_report& file);

// How to get a file's text, unpacked if need be, through `filter` into another file whose name gets `suffix`: "convert
// it with: COMMAND". `second` is another filter behind it.
std::string conversion(std::string_view filter, const file_report& file, std::string_view suffix,
                       std::string_view second = {});

// The same where the text only has to be unpacked: "xz -dc 'list.csv.xz' | taskbarge … -".
std::string unpacking(std::string_view command, const file_report& file);

}  // namespace taskbarge::reader
