// What a run shows of itself: its counts, what it waits for, and in which words. Lives on the event loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "job/online/route_windows.hpp"
#include "job/sending/chunk_flow.hpp"
#include "job/sending/moment.hpp"
#include "job/sending/run_policy.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class run_progress {
 public:
    // `windows` are those of bulk_create. All outlive it.
    run_progress(const environment& env, const ledger::job_record& job, const route_windows& windows,
                 const ledger::job_totals& totals);

    const core::row_counts& rows() const { return progress_.rows; }
    // Requests that left in this run.
    std::uint64_t requests() const { return requests_; }

    // What the ledger says, once it was changed by other means than count().
    void reset(const ledger::job_totals& totals);
    // A chunk's rows go to other states.
    void count(core::chunk_state before, std::size_t rows, const ledger::chunk_update& update);
    // A request that left, and what it meant.
    void count_request(const ledger::chunk_record& chunk, consequence what);

    // To the observer: that Apollo is asked for the first time, which may take long; and, not too often, what goes on.
    void show_connecting();
    // `grace_ends`: when requests in flight are waited for no longer, while the run stops.
    void show(const next_move& move, std::uint32_t in_flight, std::optional<core::instant> grace_ends,
              const moment& now);

    // "waiting for the hour window of tasks/bulk_create until ..., longer than send.max_wait = ..."
    core::failure parked(const next_move& move, std::optional<std::chrono::milliseconds> told_wait,
                         const moment& now) const;

 private:
    std::string describe_wait(waits_for why) const;
    std::string told_by_server(std::optional<std::chrono::milliseconds> told_wait) const;

    const environment& env_;
    const ledger::job_record& job_;
    const route_windows& windows_;
    progress progress_;
    std::uint64_t requests_ = 0;
    steady_time last_shown_{};
};

}  // namespace taskbarge::job
