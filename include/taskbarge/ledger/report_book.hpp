// The ledger as people and metrics see it: lists of jobs, their sums, why rows have no task, and every row's result.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "taskbarge/core/row.hpp"
#include "taskbarge/ledger/job_book.hpp"
#include "taskbarge/ledger/send_book.hpp"

namespace taskbarge::ledger {

// Which jobs are listed: those in one of the states, with a number below `before` (0: any), the newest `most` of them.
struct job_page {
    std::vector<core::job_state> states;
    job_id before = 0;
    std::size_t most = 0;
    std::optional<bool> held{};  // only those that a process works on, or only the others; nothing: both
};

// All jobs of one state together.
struct state_sums {
    core::job_state state = core::job_state::parked;
    bool paused = false;
    std::uint64_t jobs = 0;
    core::row_counts rows;
};

// Between what times the jobs lie that somebody watches for.
struct job_ends {
    std::optional<instant> oldest_unfinished;  // when it was made
    std::optional<instant> last_finished;      // when a job came to its end last
};

// Rows that have the same to say, most rows first.
struct reason_count {
    core::row_state state = core::row_state::failed;
    std::string code;
    std::uint64_t rows = 0;
    core::row_number example_row = 0;
    std::string example_message;
};

// One line of `results`.
struct row_result {
    core::row_number row = 0;
    std::uint32_t file = 0;  // index into job_record::files
    std::uint64_t line = 0;
    std::string contact_id;
    std::string contact_key;  // by which it was found, "email:ada@example.com"; empty: the file has Apollo's id
    core::row_state state = core::row_state::pending;
    std::string task_id, code, column, message;
    std::uint32_t attempts = 0;
    std::string request_id;
    bool possible_duplicate = false;
    // The row that asked for the same task first. Where that one is another job's and has no task yet, `code` and
    // `message` say so.
    std::optional<std::pair<job_id, core::row_number>> duplicate_of;
    std::optional<instant> finished_at;
};

// Why the rows of a pruned job are not available: errc::no_such_job.
core::failure rows_pruned(job_id job, instant pruned_at);

// Reads only; each call sees one moment, whatever others write meanwhile.
class report_book : public virtual transactions {
 public:
    virtual result<std::vector<job_record>> jobs() = 0;                             // oldest first, plannings left out
    virtual result<std::vector<job_record>> newest_jobs(const job_page& page) = 0;  // newest first
    virtual result<std::vector<state_sums>> sums_by_state() = 0;                    // states without a job are left out
    virtual result<job_ends> ends_of_jobs() = 0;

    // The sums of all rows and requests of the job, as they stand: every record is in exactly one of them.
    virtual result<job_totals> totals(job_id id) = 0;
    // Why rows have no task, at most `most` reasons. Of a pruned job there are none.
    virtual result<std::vector<reason_count>> reasons(job_id id, std::size_t most) = 0;
    // The last `most` attempts of the job, oldest first.
    virtual result<std::vector<attempt_record>> attempts(job_id job, std::size_t most) = 0;

    // Calls `each` for every record of the job in order of row, as they stood when the call began, in memory that does
    // not grow with the job. `each` returns false to stop, and must not write to this ledger. Of a pruned job both give
    // rows_pruned().
    virtual result<void> each_result(job_id job, const std::function<bool(const row_result&)>& each) = 0;
    virtual result<void> each_reject(job_id job, const std::function<bool(const core::rejected_row&)>& each) = 0;
};

}  // namespace taskbarge::ledger
