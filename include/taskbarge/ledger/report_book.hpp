// The ledger as people and metrics see it: lists of jobs, their sums, why rows have no task, and every row's result.
#pragma once

#include <chrono>
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
    friend bool operator==(const row_result&, const row_result&) = default;
};

// What is looked for where rows are about one contact: a row fits that has any of these.
struct contact_names {
    std::vector<std::string> ids;  // as rows have them: canonical_id()
    std::string key;               // as row_result::contact_key has it; empty: none
    // What a record may hold, without capitals: finds those that were rejected because their contact is not known.
    // Empty: none.
    std::string text;
};

// A page of a job's rows: those behind `after` that fit, in order, at most `most`.
struct row_query {
    core::row_number after = 0;
    std::size_t most = 0;
    std::vector<core::row_state> states{};  // none: all
    std::string code{};                     // of a row that has no task; empty: any
    std::optional<contact_names> contact{};
};

// What was found in all jobs.
struct found_rows {
    struct one {
        job_id job = 0;
        row_result row;
    };
    std::vector<one> rows;  // newest job first, in order of row
    bool more = false;      // there are, or may be, others
};

// Requests that create tasks, from `from` up to `to`, in steps of equal length (the last may be cut).
struct history_query {
    instant from{}, to{};
    std::chrono::milliseconds step{};
    std::optional<job_id> job{};  // nothing: of all
};
struct history_point {
    instant at{};                    // when the step begins
    std::uint64_t requests = 0;      // whose first byte was written, by when they began
    std::uint64_t created = 0;       // rows that got their task from them, or by a look-up after them
    std::uint64_t rate_limited = 0;  // answered 429
    std::uint64_t failed = 0;        // refused, or without an answer that says what became of them
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
    // The last `most` attempts of the job before that one (0: of all), oldest first.
    virtual result<std::vector<attempt_record>> attempts(job_id job, std::size_t most, attempt_id before) = 0;
    // What was sent and what came of it, step by step. Pruned jobs have no attempts any more. Attempts lie in the order
    // of their ids: where the clock was set back by more than an hour, some before that may be missed.
    virtual result<std::vector<history_point>> history(const history_query& query) = 0;

    // Calls `each` for every record of the job in order of row, as they stood when the call began, in memory that does
    // not grow with the job. `each` returns false to stop, and must not write to this ledger. Of a pruned job both give
    // rows_pruned().
    virtual result<void> each_result(job_id job, const std::function<bool(const row_result&)>& each) = 0;
    virtual result<void> each_reject(job_id job, const std::function<bool(const core::rejected_row&)>& each) = 0;

    // What each_result() would show, from anywhere, without reading what comes before. Of a pruned job rows_pruned().
    virtual result<std::vector<row_result>> rows(job_id job, const row_query& query) = 0;
    // Rows of all jobs that are not pruned; `go_on` is asked now and then, as there may be many: false ends the search.
    virtual result<found_rows> find_rows(const contact_names& contact, std::size_t most,
                                         const std::function<bool()>& go_on) = 0;
    // The rows that have that task: one, or none.
    virtual result<found_rows> rows_with_task(const std::string& task_id) = 0;
};

}  // namespace taskbarge::ledger
