// Texts in other encodings than UTF-8: recognised, with the command that converts them.
#pragma once

#include <string>
#include <string_view>

namespace taskbarge::reader {

inline constexpr std::string_view utf8_bom = "\xEF\xBB\xBF";

// What to tell when the first bytes of a file are UTF-16 or UTF-32 (with or without a byte order mark); empty when they
// are not. `name` is the file's, for the command.
std::string wide_encoding_message(std::string_view head, const std::string& name);

// What to tell when `text` is not valid UTF-8: most likely one of the 8-bit encodings of Western Europe.
std::string not_utf8_message(std::string_view text, const std::string& name);

}  // namespace taskbarge::reader
