// Reads any bytes as input and stops the process when a record is not accounted for exactly once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace taskbarge::fuzz {

// The first byte chooses block, batch and limit sizes, the others are the file.
void read_and_account(std::string_view format, const std::uint8_t* data, std::size_t size);
// JSON lines whose kind is known are read without the parser; a tab at a line's end says nothing, but makes it parsed.
// Both ways must give the same records. The first byte is skipped.
void read_with_and_without_tabs(const std::uint8_t* data, std::size_t size);

}  // namespace taskbarge::fuzz
