#include "job/sending/run_policy.hpp"

#include <algorithm>

namespace taskbarge::job {

namespace {

using kind = next_move::kind;

// While answers are under way the run is woken by them; this is only the bound.
constexpr std::chrono::seconds answer_bound{5};

struct step {
    steady_time at{};
    waits_for why = waits_for::nothing;
};

step later(step a, step b) {
    return a.at >= b.at ? a : b;
}

// When the next chunk could leave as far as time decides.
std::optional<step> next_send(const run_view& v) {
    if (v.ready == 0 || v.resend_budget_spent) return std::nullopt;
    step at{v.ready_at, v.ready_waits};
    if (v.window_opens) at = later(at, {*v.window_opens, waits_for::window});
    if (v.breaker_opens) at = later(at, {*v.breaker_opens, waits_for::health});
    return at;
}

std::optional<step> next_scan(const run_view& v) {
    if (v.doubts == 0) return std::nullopt;
    step at{v.scan_due, waits_for::settling};
    if (v.look_up_opens) at = later(at, {*v.look_up_opens, waits_for::search_window});
    return at;
}

// A scan wants the creates to rest, so it waits for a gap between them, but not for ever.
bool scan_now(const run_view& v, const std::optional<step>& send, const std::optional<step>& scan) {
    if (!scan || scan->at > v.now) return false;
    const bool gap = !send || send->at > v.now;
    return gap || scan->at + v.settle_time <= v.now;
}

}  // namespace

void search_day::recall(const core::rate_window& day, const ledger::requests_made& asked) {
    opened_at_ = day.opened_at;
    asked_ = asked;
}

void search_day::count(bool search) {
    ++(search ? asked_.search : asked_.others);
}

void search_day::move_to(const core::rate_window& day) {
    if (!day.opened_at || day.opened_at == opened_at_) return;
    if (opened_at_) asked_ = {};
    opened_at_ = day.opened_at;
}

std::optional<core::instant> search_day::search_opens(const core::rate_window& day, std::chrono::milliseconds length,
                                                      core::instant now) const {
    if (day.unlimited || !day.limit || !day.opened_at || day.opened_at != opened_at_) return std::nullopt;
    if (asked_.others > 0 || asked_.search < std::max<std::uint64_t>(*day.limit / 2, 1)) return std::nullopt;
    const auto ends = day.ends_at.value_or(*day.opened_at + length);
    return ends > now ? std::optional(ends) : std::nullopt;
}

next_move decide(const run_view& v) {
    if (v.stop_asked || v.broken) {
        if (v.in_flight > 0) return {kind::wait, v.now + answer_bound, waits_for::answers};
        return {kind::stop, v.now, waits_for::nothing};
    }
    const auto send = next_send(v);
    const auto scan = next_scan(v);
    if (scan_now(v, send, scan)) {
        if (v.in_flight > 0) return {kind::wait, v.now + answer_bound, waits_for::answers};
        return {kind::look_up, v.now, waits_for::nothing};
    }
    // The last chunk goes alone: should one of the others end in doubt, it is the later task by which a look-up can
    // tell that theirs are absent. It costs the time of one answer, and no request.
    const bool holds_back = v.last_ready || v.better_alone || v.window_after_answer;
    const bool room = v.in_flight - v.settling < v.room && !(holds_back && v.in_flight > 0);
    if (send && send->at <= v.now && room) return {kind::send, v.now, waits_for::nothing};
    if (v.in_flight > 0) {
        auto until = v.now + answer_bound;
        if (send && room) until = std::min(until, std::max(send->at, v.now));
        return {kind::wait, until, send && send->at > v.now ? send->why : waits_for::answers};
    }
    if (!send && !scan) {
        if (v.ready > 0) return {kind::park, v.now, waits_for::health};  // only the retry budget keeps it back
        return {kind::finish, v.now, waits_for::nothing};
    }
    const step next = !send ? *scan : !scan ? *send : scan->at < send->at ? *scan : *send;
    if (v.outage_over_limit || next.at > v.now + v.max_wait) return {kind::park, next.at, next.why};
    return {kind::wait, next.at, next.why};
}

}  // namespace taskbarge::job
