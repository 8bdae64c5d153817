// What a run does next: one plain function of what is known, without time or I/O of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::job {

// Everything that decides the next step.
struct run_view {
    steady_time now{};
    bool stop_asked = false;                   // finish what is in flight, begin nothing
    bool broken = false;                       // the ledger or the key: the same
    std::uint32_t in_flight = 0;               // requests whose outcome is not yet durable
    std::uint32_t settling = 0;                // of these, answered already: their connections are free
    std::uint32_t room = 1;                    // how many may wait for an answer
    std::size_t ready = 0;                     // chunks that may be sent, now or later
    steady_time ready_at{};                    // when the earliest of them may
    bool last_ready = false;                   // it is the only one, and no other is left in the ledger
    std::optional<steady_time> window_opens;   // nothing: a place is free
    bool window_after_answer = false;          // an answer under way decides, not the time
    std::optional<steady_time> breaker_opens;  // nothing: Apollo is taken to be healthy
    std::size_t doubts = 0;                    // chunks that wait for a look-up
    steady_time scan_due{};                    // when the earliest of them may be looked up
    std::optional<steady_time> look_up_opens;  // the search's window, or Apollo's health; nothing: open
    std::chrono::milliseconds settle_time{};
    std::chrono::milliseconds max_wait{};
    bool outage_over_limit = false;    // nothing succeeded for longer than max_wait, or never in this run
    bool resend_budget_spent = false;  // what is left to send has been tried, and the job's retries are used up
};

enum class waits_for : std::uint8_t { nothing, answers, window, backoff, settling, search_window, health };

struct next_move {
    enum class kind : std::uint8_t {
        send,     // one chunk
        look_up,  // a pass over the doubtful chunks
        wait,     // until `until`, or until something happens
        finish,   // nothing left to do
        park,     // the next step is too far off: `until` says when it would be
        stop      // as asked, or broken
    };
    kind what = kind::wait;
    steady_time until{};
    waits_for why = waits_for::nothing;
};

next_move decide(const run_view& v);

}  // namespace taskbarge::job
