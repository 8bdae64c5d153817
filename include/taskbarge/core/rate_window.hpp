// What is known of Apollo's rate windows, as it is kept in the ledger. The arithmetic is in client/rate_windows.hpp.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"

namespace taskbarge::core {

// Apollo counts every route of a team in three windows at once.
enum class window_kind : std::uint8_t { minute, hour, day };
inline constexpr std::array all_window_kinds{window_kind::minute, window_kind::hour, window_kind::day};
std::string_view to_string(window_kind v);

// One window as last known. Windows are fixed: they open with the first request and end `length` later.
struct rate_window {
    std::optional<std::uint64_t> limit;  // nothing: not known yet, or (with `unlimited`) there is none
    bool unlimited = false;
    std::uint64_t used = 0;   // requests in the current window as far as is certain, ours in flight included
    std::uint64_t heard = 0;  // the highest usage that an answer of the current window has shown
    std::uint64_t early = 0;  // the highest usage shown by an answer that the next window may have counted already
    std::optional<instant> heard_at;    // when that answer came
    std::optional<instant> opened_at;   // every request of ours since then counts in this window; nothing: none is open
    std::optional<instant> not_before;  // the window cannot have been opened earlier (none open: the next one cannot)
    std::optional<instant> ends_at;     // when it ends at the latest; nothing: no answer of this window yet
    bool end_known = false;             // we opened it, or a 429 named its end: ends_at is more than a bound
    bool shut = false;                  // a 429 said so: nothing may go before ends_at, whatever `used` says
    friend bool operator==(const rate_window&, const rate_window&) = default;
};

// The three windows of one route of one team, and what they have in common.
struct rate_book {
    std::array<rate_window, 3> windows;     // by window_kind
    std::uint64_t in_flight = 0;            // places taken since flight_mark whose answers are not known
    std::uint64_t in_flight_before = 0;     // the same, taken before flight_mark; forgotten after a few minutes
    std::optional<instant> flight_mark;     // moves on every few minutes, so that what a killed process left fades
    std::optional<instant> others_seen_at;  // when somebody else's requests were last seen in the counts
    std::uint64_t refusals = 0;             // 429s in a row, as long as none was followed by another answer
    rate_window& operator[](window_kind k) { return windows[static_cast<std::size_t>(k)]; }
    const rate_window& operator[](window_kind k) const { return windows[static_cast<std::size_t>(k)]; }
    friend bool operator==(const rate_book&, const rate_book&) = default;
};

}  // namespace taskbarge::core
