// Points in time: UTC, whole milliseconds, the resolution in which Apollo answers due dates.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace taskbarge::core {

using instant = std::chrono::sys_time<std::chrono::milliseconds>;

// "2025-02-15T10:00:00.000Z": RFC 3339 in UTC, always with milliseconds. For years 0000 to 9999.
std::string to_rfc3339(instant t);

// "2025-02-15T10:00:00Z": RFC 3339 in UTC, whole seconds (rounded down). For people and reports.
std::string to_rfc3339_seconds(instant t);

// Reads an RFC 3339 date-time with Z or an offset; also accepts a space or lower-case t/z as section 5.6 allows, and
// any number of fraction digits (what is finer than a millisecond is cut off). A leap second (60) counts as the first
// instant of the next minute. Nothing when the text is not one, or names a day that does not exist.
std::optional<instant> parse_rfc3339(std::string_view text);

// The two clocks of the program, passed in so that tests decide the time. Thread-safe.
class clock {
 public:
    virtual ~clock() = default;
    // The wall clock: may jump. Only for what is stored or shown.
    virtual instant now() const = 0;
    // The monotonic clock: for every wait within a process.
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

// The machine's own clocks. Lives for the whole program.
const clock& system_clock();

}  // namespace taskbarge::core
