// Dropping what completed jobs need no more. What de-duplication needs of them is kept, and their sums.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "taskbarge/ledger/job_book.hpp"

namespace taskbarge::ledger {

// Which jobs are pruned. Only completed ones ever are.
struct prune_rules {
    instant finished_before{};
    bool forget_keys = false;   // identity and de-duplication keys go too, also of jobs that were pruned before
    bool with_unknown = false;  // also jobs with rows that are unknown
};

// Why a job that is old enough stays as it is.
enum class prune_bar : std::uint8_t {
    none,
    held,          // a process works on it
    unknown_rows,  // some of its rows may have been created: they are listed nowhere else
    look_up,       // another job has rows in doubt with the same details: its tasks tell whose is whose
    asked_for      // another job's rows are duplicates of rows of it that have no task: they would pass for created
};

struct prune_candidate {
    job_id job = 0;
    instant finished_at{};
    job_totals totals;
    bool pruned_before = false;  // what is left is to be dropped: a prune was cut short, or kept the keys
    prune_bar why_not = prune_bar::none;
};

// The file: what is in it, and how much of it is free for what comes next.
struct ledger_size {
    std::uint64_t bytes = 0;
    std::uint64_t free_bytes = 0;
};

// Long calls work in small transactions of their own, between which `go_on` is asked; false: errc::interrupted, and
// what was done so far is whole.
class prune_book : public virtual transactions {
 public:
    // The jobs that finished before that time and have something to be dropped, oldest first; also those that stay.
    virtual result<std::vector<prune_candidate>> prune_candidates(const prune_rules& rules) = 0;
    // Drops rows, texts and attempts of a completed job, with its lock held (else errc::job_held). First the keys are
    // kept and the sums written down; from then on the job is pruned, and a call that was cut short is gone on with by
    // the next.
    virtual result<void> prune_job(job_id job, bool forget_keys, instant now, const std::function<bool()>& go_on) = 0;
    // Gives free pages back to the file system. A ledger whose file cannot shrink by parts is written anew, once:
    // others wait meanwhile, and the disk needs room for a second one (else errc::ledger_full).
    virtual result<void> shrink(const std::function<bool()>& go_on) = 0;
    virtual result<ledger_size> size() = 0;
};

}  // namespace taskbarge::ledger
