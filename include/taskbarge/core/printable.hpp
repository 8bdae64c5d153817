// Texts from outside, made fit for a line that a person reads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace taskbarge::core {

// The text on one line without control characters (they become spaces), so that nothing that came from a file or a
// server can steer the terminal. Cut after `most` bytes, with "..." as its end.
std::string printable(std::string_view text, std::size_t most = 400);

}  // namespace taskbarge::core
