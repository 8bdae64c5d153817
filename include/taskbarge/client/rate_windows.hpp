// When may the next request go? Plain arithmetic on a core::rate_book: takes the time, does no I/O.
// The rules and their proof: docs/rate-limits.md.
//
// The life of a place: take_place() before the request leaves, then exactly one of give_back(), observe(),
// observe_lost() and observe_throttled(). `taken_at` is the `now` of take_place(), or any moment from then until the
// request's first byte was written. A book may be shared by many requests and processes as long as each call is one
// load, change and save of it. `now` is the wall clock when the answer came or the place is wanted; answers may be told
// in any order.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::client {

// A place in all windows, or until when to wait and for which.
struct window_decision {
    bool granted = false;
    core::instant wait_until{};
    core::window_kind binding = core::window_kind::minute;
    bool end_known = true;  // false: wait_until is a guess, to be tried again then
    // The answers under way decide, not the time: ask again after the next one of them; wait_until is only when to look
    // whether another process has had one, well within a second.
    bool after_answer = false;
};

// Takes a place for one request in each window of the book if all have one, else only tidies. While no limit is known
// and no answer was seen, one request at a time is let through: its answer teaches the limits.
window_decision take_place(core::rate_book& book, const core::limit_settings& limits, core::instant now);

// Gives the place of a request back that was never sent.
void give_back(core::rate_book& book, core::instant taken_at);

// Corrects the book by an answer other than a 429, with or without rate headers, that was received at `now`.
void observe(core::rate_book& book, const core::limit_settings& limits, const rate_headers& rates,
             core::instant taken_at, core::instant now);

// The request may have been counted but will not be answered: a timeout, a lost connection; also every attempt that a
// killed process left open, when its job is taken up again.
void observe_lost(core::rate_book& book, core::instant taken_at);

// Corrects the book by a 429: the window that its message names, or the likeliest one, is shut for retry_after.
// Without a usable retry_after (missing, zero) it is shut until its end if it is known to be exhausted, else for a time
// that doubles with every refusal in a row.
void observe_throttled(core::rate_book& book, const core::limit_settings& limits, const rate_headers& rates,
                       std::string_view message, std::optional<std::chrono::milliseconds> retry_after,
                       core::instant taken_at, core::instant now);

// Corrects the book by a count that was asked for apart (usage_stats), by a request that left at `asked_at`.
void observe_usage(core::rate_book& book, const core::limit_settings& limits, const rate_headers& rates,
                   core::instant asked_at, core::instant now);

// Drops what cannot be right after a clock jump or a long time: windows that ended, times further off than a length.
// The functions above do so themselves; for a book that is to be shown.
void tidy(core::rate_book& book, const core::limit_settings& limits, core::instant now);

// What may be used of a window: its limit less the reserve, at most the cap of the settings. Nothing: no bound.
std::optional<std::uint64_t> usable_limit(const core::rate_book& book, const core::limit_settings& limits,
                                          core::window_kind kind);

// When `requests` more requests would be done at the earliest if each took no time, and how many windows of each kind
// they would touch. Unknown limits count as none.
struct forecast {
    core::instant end{};
    std::optional<core::window_kind> binding;  // the longest window that has to be waited for; nothing: none
    std::array<std::uint64_t, 3> windows{};    // by window_kind; 0 where there is no limit
};
forecast forecast_end(core::rate_book book, const core::limit_settings& limits, std::uint64_t requests,
                      core::instant now);

}  // namespace taskbarge::client
