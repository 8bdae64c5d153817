// What a run does next: one plain function of what is known, without time or I/O of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

enum class waits_for : std::uint8_t {
    nothing,
    answers,
    window,
    backoff,
    search_share,
    settling,
    search_window,
    health
};

// How much of a day's requests goes into finding what was refused. On a day that has sent clean chunks, all that they
// leave over; on a later one half of the limit, since others have plans for that day.
class search_day {
 public:
    // What earlier runs of the job have asked for in the window.
    void recall(const core::rate_window& day, const ledger::requests_made& asked);
    void count(bool search);
    // Another window counts anew.
    void move_to(const core::rate_window& day);
    // When the share is used up: the end of the window. Nothing: it is not.
    std::optional<core::instant> search_opens(const core::rate_window& day, std::chrono::milliseconds length,
                                              core::instant now) const;

 private:
    std::optional<core::instant> opened_at_;
    ledger::requests_made asked_;
};

// Everything that decides the next step.
struct run_view {
    steady_time now{};
    bool stop_asked = false;                     // finish what is in flight, begin nothing
    bool broken = false;                         // the ledger or the key: the same
    std::uint32_t in_flight = 0;                 // requests whose outcome is not yet durable
    std::uint32_t settling = 0;                  // of these, answered already: their connections are free
    std::uint32_t room = 1;                      // how many may wait for an answer
    std::size_t ready = 0;                       // chunks that may be sent, now or later
    steady_time ready_at{};                      // when the earliest of them may
    waits_for ready_waits = waits_for::backoff;  // for what, until then
    bool better_alone = false;                   // what could go now had better wait for the answers under way
    bool last_ready = false;                     // it is the only one, and no other is left in the ledger
    std::optional<steady_time> window_opens;     // nothing: a place is free
    bool window_after_answer = false;            // an answer under way decides, not the time
    std::optional<steady_time> breaker_opens;    // nothing: Apollo is taken to be healthy
    std::size_t doubts = 0;                      // chunks that wait for a look-up
    steady_time scan_due{};                      // when the earliest of them may be looked up
    std::optional<steady_time> look_up_opens;    // the search's window, or Apollo's health; nothing: open
    std::chrono::milliseconds settle_time{};
    std::chrono::milliseconds max_wait{};
    bool outage_over_limit = false;    // nothing succeeded for longer than max_wait, or never in this run
    bool resend_budget_spent = false;  // what is left to send has been tried, and the job's retries are used up
};

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
