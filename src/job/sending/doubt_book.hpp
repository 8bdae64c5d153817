// The chunks of a run that are in doubt: what is known of each, when it is looked up, and when it is settled. Plain
// state, no I/O; time is passed in.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "job/sending/chunk_flow.hpp"
#include "job/sending/moment.hpp"
#include "job/sending/run_policy.hpp"
#include "job/sending/run_purpose.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class doubt_book {
 public:
    // `finished`: the job is completed, and only verified. The settings must outlive it.
    doubt_book(const core::settings& settings, run_purpose purpose, bool finished)
        : settings_(settings), purpose_(purpose), finished_(finished) {}

    // Of all doubts, what was recorded before event `start` is not of this run.
    void begin_at(ledger::event_number start) { start_ = start; }
    ledger::event_number start() const { return start_; }

    // A chunk in doubt waits in `new_ones` until its attempts were read (see doubt_of), then it is a doubt. What is
    // held, and not to be looked at by this run, is passed over.
    void add(std::vector<ledger::chunk_record> chunks);
    std::optional<ledger::chunk_record> take_new();
    void begin(doubt d, steady_time now);

    bool empty() const { return doubts_.empty(); }
    // Those that are due, and their neighbours of the same due date: their span is read anyway.
    std::vector<doubt> due(steady_time now) const;
    // When nothing else is left to do, the long pauses between scans that proved nothing are not kept.
    void hasten_all();

    // What is to be recorded of a chunk that a scan has decided.
    struct settlement {
        ledger::chunk_record chunk;
        ledger::chunk_update update;
    };
    // What the scan of its due date's span means for that chunk. `only_doubts`: nothing else is left to do.
    // `others_succeed`: this job has created something. Nothing: not decided yet.
    std::optional<settlement> weigh(core::chunk_id chunk, const span_view& view, bool only_doubts, bool others_succeed,
                                    const moment& now);
    // The settlement is in the ledger.
    void settled(core::chunk_id chunk);
    // It is not: another process has claimed one of the tasks since the scan. It is looked up again.
    void claimed_by_others(core::chunk_id chunk, steady_time now);

    // What decide() wants to know of it.
    void describe(run_view& v) const;

 private:
    std::vector<doubt>::iterator find(core::chunk_id chunk);
    std::optional<core::chunk_id> next_pioneer() const;
    settlement_rules rules(bool others_succeed) const;

    const core::settings& settings_;
    const run_purpose purpose_;
    const bool finished_;
    ledger::event_number start_ = 0;
    bool pioneer_sent_ = false;  // see next_pioneer()
    std::vector<doubt> doubts_;
    std::deque<ledger::chunk_record> new_ones_;
};

// The doubt of a chunk, with the attempts of it and of those that it was split from: its tasks may stem from any of
// them. `start`: see begin_at().
core::result<doubt> doubt_of(ledger::ledger& l, const ledger::chunk_record& chunk, ledger::event_number start);

}  // namespace taskbarge::job
