// Texts that come from outside, made fit to be shown and kept.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::client {

// How much of a server's words is kept: enough for any sensible error text, little enough for one row of a report.
inline constexpr std::size_t message_limit = 300;

// One line of valid UTF-8, at most `message_limit` bytes: runs of blanks and control characters become one space, a
// text that is not UTF-8 loses its non-ASCII bytes, a long one ends in "...".
std::string one_line(std::string_view text);
// The same of a text that the peer chose, without the key: taken out before the cut, which could leave a part of it.
std::string one_line_without(const core::secret& key, std::string_view text);

// Makes room for `size` bytes and no more; std::string::reserve() takes up to twice what it had.
void reserve_exactly(std::string& text, std::size_t size);

using core::equal_ignoring_case;
using core::lower_case;
using core::trimmed;

// Visible ASCII, and blanks inside: nothing that could end a header line.
bool fits_a_header(std::string_view value);

}  // namespace taskbarge::client
