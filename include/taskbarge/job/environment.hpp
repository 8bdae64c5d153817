// What a run needs from outside, and what it says while it goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "taskbarge/async/real_waits.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/job/stop_control.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

enum class phase { reading, finding, connecting, sending, looking_up, waiting, stopping };

// A snapshot for the live line.
struct progress {
    job::phase phase = job::phase::reading;
    core::job_id job = 0;
    std::uint64_t bytes_read = 0, bytes_total = 0;        // while reading; total 0: not known
    std::uint64_t contacts_read = 0, contacts_total = 0;  // while finding contacts; total 0: not known
    core::row_counts rows;
    core::request_counts requests;
    std::uint32_t in_flight = 0;
    std::string waiting_for;                     // "the hour window of tasks/bulk_create"; empty: nothing
    std::optional<core::instant> waiting_until;  // while stopping: when requests in flight are waited for no longer
    std::optional<core::instant> expected_end;   // of the sending, under the known windows
};

// Called on the run's own threads, one call at a time but for on_commit(), which comes from the ledger's; must return
// soon.
class observer {
 public:
    virtual ~observer() = default;
    virtual void on_progress(const progress& p) = 0;
    // A line that an operator should see: "parked until ...", "an answer named a contact that was not asked for".
    virtual void on_notice(const std::string& line) = 0;
    // For metrics: an answer to a create request (status 0: none came) and the time it took; a commit of the ledger.
    virtual void on_answer(int /*status*/, std::chrono::milliseconds /*took*/) {}
    virtual void on_commit(std::chrono::microseconds /*took*/) {}
};

// What a run needs from outside. References outlive the run.
struct environment {
    const core::settings& settings;
    const core::secret& key;
    const core::clock& clock;
    stop_control& stop;
    observer& watch;
    std::uint64_t seed = 0;  // for jitter
    // For who makes many calls, one after the other: the ledger of these settings, opened already and left open.
    // Nothing: each call opens it for itself.
    ledger::ledger* book = nullptr;
    // Whether reports name the other jobs that are not finished, for which each of them is looked at.
    bool names_others = true;
    // Whether a run first goes on with earlier jobs whose pending rows this one's duplicates are of. Not for who runs
    // all unfinished jobs anyway.
    bool brings_originals_on = true;
    // Where the run's waits get their time from: goes with `clock`.
    async::waits& waits = async::real_waits();
};

}  // namespace taskbarge::job
