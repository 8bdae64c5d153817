#include "taskbarge/job/retry_policy.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace taskbarge::job {

using std::chrono::milliseconds;

namespace {

// Below this a share is too small to get a small job through one hiccup.
constexpr std::uint64_t least_allowance = 50;

milliseconds anything_between(milliseconds least, milliseconds most, random_source& random) {
    return milliseconds(std::uniform_int_distribution<milliseconds::rep>(least.count(), most.count())(random));
}

}  // namespace

milliseconds backoff_ceiling(const backoff_terms& terms, std::uint32_t attempt) {
    auto ceiling = std::max(terms.base, milliseconds(0));
    for (std::uint32_t n = 1; n < attempt && ceiling < terms.cap && ceiling.count() > 0; ++n)
        ceiling *= 2;
    return std::min(ceiling, std::max(terms.cap, milliseconds(0)));
}

milliseconds backoff_delay(const backoff_terms& terms, std::uint32_t attempt, random_source& random) {
    return anything_between(milliseconds(0), backoff_ceiling(terms, attempt), random);
}

std::uint64_t allowance(const core::share_or_count& setting, std::uint64_t minimum_requests) {
    if (setting.count) return *setting.count;
    // The small term undoes what binary fractions add: 10% of 1000 is 100, not 101.
    const auto share = std::ceil(static_cast<double>(minimum_requests) * setting.percent / 100.0 - 1e-9);
    return std::max(least_allowance, static_cast<std::uint64_t>(std::max(0.0, share)));
}

bool retry_budget::spend() {
    if (spent_ >= total_) return false;
    ++spent_;
    return true;
}

void retry_budget::refund() {
    if (spent_ > 0) --spent_;
}

bool circuit_breaker::would_allow(steady_time now) const {
    const auto is = current(now);
    return is == state::closed || (is == state::half_open && !probing_);
}

bool circuit_breaker::allow(steady_time now) {
    if (!would_allow(now)) return false;
    probing_ = current(now) == state::half_open;
    return true;
}

void circuit_breaker::succeeded() {
    failures_ = 0;
    openings_ = 0;
    open_to_.reset();
    probing_ = false;
}

void circuit_breaker::failed(steady_time now, random_source& random) {
    ++failures_;
    if (probing_) {
        // A straggler's failure while the probe is under way is taken for the probe's: the wait is only longer for it.
        probing_ = false;
        open(now, random);
    } else if (openings_ == 0 && failures_ >= terms_.failures_to_open) {
        open(now, random);
    }
}

void circuit_breaker::abandoned() {
    probing_ = false;
}

void circuit_breaker::open(steady_time now, random_source& random) {
    ++openings_;
    const auto ceiling = backoff_ceiling(terms_.wait, openings_);
    open_to_ = now + anything_between(ceiling / 2, ceiling, random);
}

circuit_breaker::state circuit_breaker::current(steady_time now) const {
    if (!open_to_) return state::closed;
    return now < *open_to_ ? state::open : state::half_open;
}

std::optional<steady_time> circuit_breaker::wait_until() const {
    if (probing_) return std::nullopt;
    return open_to_;
}

send_width::send_width(std::uint32_t most) : most_(std::max<std::uint32_t>(1, most)), width_(std::min(most_, usual)) {}

void send_width::succeeded(pace answered) {
    failures_ = 0;
    if (width_ > usual && answered == pace::usual) {
        successes_ = 0;
        --width_;
    }
    const auto most = answered == pace::quick ? most_ : std::min(most_, usual);
    if (width_ >= most || ++successes_ < width_) return;
    successes_ = 0;
    ++width_;
}

void send_width::failed() {
    successes_ = 0;
    if (++failures_ < 2) return;
    failures_ = 0;
    width_ = std::max<std::uint32_t>(1, width_ / 2);
}

}  // namespace taskbarge::job
