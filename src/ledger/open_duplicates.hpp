// Duplicates whose contact has no task yet: another job's row was to get it, and has none.
#pragma once

#include <functional>
#include <vector>

#include "ledger/earlier_contacts.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::ledger {

struct open_duplicate {
    core::row_number row = 0;
    earlier_row of;                                    // the row that is asked for in the end
    core::row_state state = core::row_state::pending;  // of that row: pending, unknown or failed
};

// Whether a process works on a job right now.
using held_job_test = std::function<core::result<bool>(core::job_id)>;

// Those of a job, in order of their rows. A row that has become a duplicate itself is followed to the one that it asks
// for. Rows of pruned jobs count as created: a prune keeps those whose tasks are missing, unless it is told otherwise.
// Costs a look at each duplicate, and at the chunks without all tasks of the jobs that they are of. To be called within
// a transaction.
core::result<std::vector<open_duplicate>> open_duplicates(sqlite::database& db, core::job_id job,
                                                          const held_job_test& held);

// A duplicate and the row that it is of.
struct pointing_row {
    core::row_number row = 0;
    earlier_row of;
};
// Those of them that are open, in order of their rows: a look at these alone, where a page shows no others.
core::result<std::vector<open_duplicate>> open_among(sqlite::database& db, core::job_id job,
                                                     std::vector<pointing_row> duplicates, const held_job_test& held);

// Whether another job's rows are duplicates of rows of this one that have no task, its own duplicates among them.
core::result<bool> asked_for_in_vain(sqlite::database& db, core::job_id job, const held_job_test& held);

// Adds them up, beside the duplicates that they are among.
void count_open_duplicates(const std::vector<open_duplicate>& open, core::row_counts& to);

}  // namespace taskbarge::ledger
