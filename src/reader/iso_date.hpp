// Dates and times as ISO 8601 writes them, with or without a time and a zone.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace taskbarge::reader {

// A date, and what else the text says.
struct written_date {
    std::chrono::local_days day{};
    std::optional<std::chrono::milliseconds> time;  // since midnight, below 24 h
    std::optional<std::chrono::minutes> offset;     // east of UTC
};

// "2025-02-15", "2025-02-15T10:00", "2025-02-15 10:00:00.123", each time also with "Z", "UTC", "+01:00", "+0100" or
// "+01".
// Nothing for any other text or a day that does not exist.
std::optional<written_date> parse_iso_date(std::string_view text);

// "09:00" or "09:00:30".
std::optional<std::chrono::milliseconds> parse_time_of_day(std::string_view text);

}  // namespace taskbarge::reader
