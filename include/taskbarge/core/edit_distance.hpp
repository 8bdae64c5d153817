// How alike two words are, for "did you mean".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace taskbarge::core {

// How many bytes must be put in, taken out or replaced to make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the fewest edits, whatever the letters' case, the first of equals; empty without candidates.
std::string nearest(std::string_view text, std::span<const std::string> candidates);

}  // namespace taskbarge::core
