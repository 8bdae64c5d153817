// What is done about failures: how long to wait, how often at all, whether anything may go, and how much at once.
//
// Plain arithmetic: time and chance are passed in, nothing waits. Each object belongs to one thread. A failure here is
// a request that brought no answer of Apollo's own (not sent, lost, timed out, 408, 5xx); every other answer, a refusal
// included, shows that Apollo is there and counts as a success. 429s are neither: they belong to the rate windows.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "taskbarge/core/settings.hpp"

namespace taskbarge::job {

using random_source = std::mt19937_64;
using steady_time = std::chrono::steady_clock::time_point;

// Doubles from `base` with every step until `cap`.
struct backoff_terms {
    std::chrono::milliseconds base = std::chrono::milliseconds(500);
    std::chrono::milliseconds cap = std::chrono::seconds(60);
};

// The longest wait after the `attempt`-th failure (from 1) in a row: min(cap, base * 2^(attempt - 1)).
std::chrono::milliseconds backoff_ceiling(const backoff_terms& terms, std::uint32_t attempt);

// Full jitter: anything from zero to the ceiling, all equally likely, so that those who failed together do not come
// back together.
std::chrono::milliseconds backoff_delay(const backoff_terms& terms, std::uint32_t attempt, random_source& random);

// What a setting such as send.retry_budget allows: the count it names, or its share of `minimum_requests`, rounded up,
// but at least 50.
std::uint64_t allowance(const core::share_or_count& setting, std::uint64_t minimum_requests);

// The repeats that a whole job may make, over all its runs: an outage must not spend the day's requests. A repeat is a
// request for a chunk of which an earlier one failed or ended in doubt; first requests and those after a 429 cost
// nothing.
class retry_budget {
 public:
    // `spent`: by earlier runs of the job.
    explicit retry_budget(std::uint64_t total, std::uint64_t spent = 0) : total_(total), spent_(spent) {}
    // Takes one; false, and nothing taken, when there is none left.
    bool spend();
    // Gives one back whose request was never sent.
    void refund();
    std::uint64_t left() const { return spent_ < total_ ? total_ - spent_ : 0; }
    std::uint64_t spent() const { return spent_; }
    std::uint64_t total() const { return total_; }

 private:
    std::uint64_t total_;
    std::uint64_t spent_;
};

// Stops new requests after repeated failures, lets single probes through at growing intervals, and closes again with
// the first success.
//
//   closed ── `failures_to_open` failures in a row ──► open ── the wait is over ──► half open: one probe
//      ▲                                                ▲                               │        │
//      └──────────────────── success ───────────────────┼───────────────────────────────┘        │
//                                                       └──────── failure: a longer wait ────────┘
struct breaker_terms {
    std::uint32_t failures_to_open = 5;
    // The wait before each probe lies between half of its ceiling and all of it. An outage of an hour is some twenty
    // probes.
    backoff_terms wait{std::chrono::seconds(2), std::chrono::minutes(5)};
};

class circuit_breaker {
 public:
    enum class state { closed, open, half_open };

    explicit circuit_breaker(const breaker_terms& terms = {}) : terms_(terms) {}

    // Whether allow() would say yes.
    bool would_allow(steady_time now) const;
    // Whether a request may go now. While half open only the first call says yes: its request is the probe, whose end
    // is to be told by succeeded(), failed() or abandoned().
    bool allow(steady_time now);
    // A request was answered. Also one that was sent before the breaker opened: it shows the same.
    void succeeded();
    // A request failed. Failures of requests that were sent before the breaker opened change nothing while it is open.
    void failed(steady_time now, random_source& random);
    // The probe was not sent after all, or ended in a 429 or a stop: another may go.
    void abandoned();

    state current(steady_time now) const;
    // When the next probe may go; nothing while closed, or while a probe is under way.
    std::optional<steady_time> wait_until() const;
    std::uint32_t failures_in_a_row() const { return failures_; }

 private:
    void open(steady_time now, random_source& random);

    breaker_terms terms_;
    std::uint32_t failures_ = 0;
    std::uint32_t openings_ = 0;          // since the last success; 0: closed
    std::optional<steady_time> open_to_;  // when the probe may go
    bool probing_ = false;
};

// How many requests may be under way at once: halved by every second failure in a row, one more again for every round
// of successes (as many as may be under way), between 1 and `most`.
//
// A few fill any rate window that Apollo has. More than `usual` are worth having only where no window is near: one half
// is on the wire while the other is committed. So it grows beyond that by quick answers alone, and back with every slow
// one. What is quick says the caller, who knows the windows.
class send_width {
 public:
    static constexpr std::uint32_t usual = 8;
    enum class pace : std::uint8_t { usual, quick };

    explicit send_width(std::uint32_t most);
    std::uint32_t width() const { return width_; }
    void succeeded(pace answered = pace::usual);
    void failed();

 private:
    std::uint32_t most_;
    std::uint32_t width_;
    std::uint32_t successes_ = 0;
    std::uint32_t failures_ = 0;
};

}  // namespace taskbarge::job
