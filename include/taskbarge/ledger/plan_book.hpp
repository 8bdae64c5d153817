// The ledger as planning fills it: groups, chunks, duplicates and rejects of one input, and the commit that makes a job
// of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/job_book.hpp"

namespace taskbarge::ledger {

struct plan_totals {
    std::uint64_t rows = 0;  // records read, rejects included
    std::uint64_t rejected = 0;
};

// What a planning writes, in transactions of some thousand rows. Nobody sends any of it before commit_plan().
class plan_rows : public virtual transactions {
 public:
    virtual result<void> add_group(job_id job, core::group_number number, const core::task_view& details) = 0;
    virtual result<void> add_chunk(job_id job, const core::planned_chunk& chunk) = 0;
    virtual result<void> add_duplicate(job_id job, const core::duplicate_row& row) = 0;
    virtual result<void> add_reject(job_id job, const core::rejected_row& row) = 0;
    // What a row named its contact by, "email:ada@example.com", where that was not Apollo's id; for `results`.
    virtual result<void> add_row_key(job_id job, core::row_number row, std::string_view key) = 0;
};

// A planning from its begin to its commit. Killed in between, nothing was sent and the next begin_plan() removes it.
class plan_book : public plan_rows {
 public:
    // Makes a job in state planning and takes its lock, before anybody can see it. Plannings whose process is dead are
    // discarded first.
    virtual result<std::pair<job_id, std::unique_ptr<job_lock>>> begin_plan(const std::vector<std::string>& files,
                                                                            std::uint32_t chunk_size,
                                                                            const std::string& base_url,
                                                                            const std::string& team, instant now) = 0;
    // What is kept of each input file, in the order of the files given to begin_plan().
    virtual result<void> set_files(job_id job, const std::vector<file_note>& files) = 0;
    // Ends the planning in one transaction. With `same_by`, rows whose task, or one that is equal in these fields, an
    // earlier committed job of the same base URL and team has created, pending or unknown become duplicates of that
    // job's row, and the groups concerned are cut again. Checks that the rows add up to totals.rows (else
    // errc::internal). Returns the totals. Within the same transaction: where a committed job has this very identity or
    // this origin already, nothing is committed and the failure is errc::job_held (two processes planned the same input
    // at once; the caller takes the other's job). `origin` is what a service calls the input, unlike any other's for
    // ever; empty: it has no name.
    virtual result<job_totals> commit_plan(job_id job, const job_identity& identity, const plan_totals& totals,
                                           std::optional<core::task_fields> same_by, const std::string& origin) = 0;
    // Removes a job that was never committed, with all that belongs to it.
    virtual result<void> discard_plan(job_id job) = 0;
};

}  // namespace taskbarge::ledger
