// Numbers, times and texts as people read them in a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::cli {

// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t n);

// "1 row", "2 rows".
std::string counted(std::uint64_t n, std::string_view one, std::string_view many);

// "3.2 s", "4m 05s", "2h 10m", "1d 3h": two units at most.
std::string spoken(std::chrono::milliseconds d);

// "45 s", "4m", "2h", "1d": one unit, for where room is short.
std::string spoken_briefly(std::chrono::milliseconds d);

// "14:05:00 UTC" on the same day as `now`, else "2026-11-23 14:05:00 UTC".
std::string clock_time(core::instant t, core::instant now);

// "897.1 MB".
std::string spoken_bytes(std::uint64_t bytes);

using core::printable;

// The text with line breaks between words, so that it ends before `columns`; it begins in column `from`, and so does
// each further line. A word that is longer stays whole.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t from = 0);

// An argument as it can be typed into a shell: quoted only where needed.
std::string shell_word(std::string_view text);

}  // namespace taskbarge::cli
