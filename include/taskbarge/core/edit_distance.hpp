// How alike two words are, for "did you mean".
#pragma once

#include <cstddef>
#include <string_view>

namespace taskbarge::core {

// How many bytes must be put in, taken out or replaced to make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace taskbarge::core
