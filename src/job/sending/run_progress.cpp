#include "job/sending/run_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::job {

using core::chunk_state;
using core::errc;
using core::failure;
using namespace std::chrono_literals;

namespace {

// How often the live line is fed.
constexpr auto show_interval = 200ms;

phase phase_of(const next_move& move, bool stopping, bool waits, std::uint32_t in_flight) {
    if (stopping) return phase::stopping;
    if (move.what == next_move::kind::look_up) return phase::looking_up;
    return waits && in_flight == 0 ? phase::waiting : phase::sending;
}

}  // namespace

run_progress::run_progress(const environment& env, const ledger::job_record& job, const route_windows& windows,
                           const ledger::job_totals& totals)
    : env_(env), job_(job), windows_(windows) {
    progress_.job = job.id;
    reset(totals);
}

void run_progress::reset(const ledger::job_totals& totals) {
    progress_.rows = totals.rows;
    progress_.requests = totals.requests;
}

void run_progress::count(chunk_state before, std::size_t rows, const ledger::chunk_update& update) {
    const auto of_state = [this](chunk_state s) -> std::uint64_t& {
        return core::count_of(progress_.rows, core::row_state_of(s));
    };
    of_state(before) -= rows;
    progress_.rows.created += update.created.size();
    if (update.state != chunk_state::split) {
        of_state(update.state) += rows - update.created.size();
        return;
    }
    for (const auto& child : update.children)
        of_state(child.state) += child.indexes.size();
}

void run_progress::count_request(const ledger::chunk_record& chunk, consequence what) {
    ++requests_;
    ++progress_.requests.requests;
    if (chunk.attempts > 0 || what == consequence::throttled) ++progress_.requests.retries;
    if (what == consequence::throttled) ++progress_.requests.rate_limited;
}

void run_progress::show_connecting() {
    progress_.phase = phase::connecting;
    env_.watch.on_progress(progress_);
}

void run_progress::show(const next_move& move, std::uint32_t in_flight, std::optional<core::instant> grace_ends,
                        const moment& now) {
    if (now.steady - last_shown_ < show_interval) return;
    last_shown_ = now.steady;
    auto p = progress_;
    p.in_flight = in_flight;
    const bool waits = move.what == next_move::kind::wait && move.why != waits_for::answers;
    p.phase = phase_of(move, env_.stop.level() != stop_level::none, waits, in_flight);
    if (waits) {
        p.waiting_for = describe_wait(move.why);
        p.waiting_until = now.to_wall(move.until);
    }
    if (p.phase == phase::stopping) p.waiting_until = grace_ends;
    const auto sendable = p.rows.created + p.rows.pending + p.rows.unknown + p.rows.failed;
    if (p.rows.pending > 0 && sendable > 0) {
        const auto left = (p.rows.pending * job_.minimum_requests + sendable - 1) / sendable;
        p.expected_end = client::forecast_end(windows_.seen(), env_.settings.limits, left, now.wall).end;
    }
    env_.watch.on_progress(p);
}

failure run_progress::parked(const next_move& move, std::optional<std::chrono::milliseconds> told_wait,
                             const moment& now) const {
    return {errc::waiting, fmt::format("waiting for {} until {}, longer than send.max_wait = {}{}",
                                       describe_wait(move.why), core::to_rfc3339_seconds(now.to_wall(move.until)),
                                       core::format_duration(env_.settings.send.max_wait),
                                       move.why == waits_for::window ? told_by_server(told_wait) : std::string())};
}

std::string run_progress::describe_wait(waits_for why) const {
    switch (why) {
        case waits_for::window:
            return fmt::format("the {} window of tasks/bulk_create", core::to_string(windows_.peek().binding));
        case waits_for::search_window:
            return "tasks/search, to look rows in doubt up";
        case waits_for::settling:
            return "rows in doubt to settle";
        case waits_for::backoff:
            return "the next try";
        case waits_for::search_share:
            return "the next day's share of requests for finding what Apollo refuses";
        case waits_for::health:
            return "Apollo to recover";
        case waits_for::answers:
            return "answers";
        case waits_for::nothing:
            break;
    }
    return {};
}

// What the server said that has a window shut: a wrong number of its would else look like a long wait of ours.
std::string run_progress::told_by_server(std::optional<std::chrono::milliseconds> told_wait) const {
    for (const auto kind : core::all_window_kinds) {
        const auto& w = windows_.seen()[kind];
        if (!w.unlimited && w.limit == std::uint64_t{0})
            return fmt::format("; odd: Apollo says that the limit of a {} is 0", core::to_string(kind));
    }
    if (!windows_.seen()[windows_.peek().binding].shut || !told_wait) return {};
    const auto told = std::chrono::floor<std::chrono::seconds>(*told_wait).count();
    const auto longest = std::ranges::max(env_.settings.limits.lengths);
    return fmt::format("; Apollo's 429 asks to wait {} s{}", told,
                       *told_wait > longest ? ", which is odd: no window lasts that long" : "");
}

}  // namespace taskbarge::job
