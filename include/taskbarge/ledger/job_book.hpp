// The jobs of a ledger: what they are, how they stand, whose they are right now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/row.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

// What makes two imports the same job.
struct job_identity {
    std::string base_url;
    std::string team;
    std::string input_sha256;  // of all input bytes
    std::uint64_t input_bytes = 0;
    std::string settings_text;  // core::identity_text(), plus what else counts, such as "first=100"
    std::string relative_day;   // the base day of relative dates, "2026-11-23"; empty when none were used
    friend bool operator==(const job_identity&, const job_identity&) = default;
};

// What is kept of an input file besides its name.
struct file_note {
    core::row_number first_row = 1;  // the ordinal of its first record: tells the file of any row
    std::string format;              // "csv", "jsonl+gzip", ...
    std::string header;              // CSV: the header record, as the reader reports it
};

struct job_record {
    job_id id = 0;
    job_identity identity;
    core::job_state state = core::job_state::planning;
    bool held = false;  // a process works on it right now
    std::vector<std::string> files;
    std::vector<file_note> file_notes;  // parallel to files
    instant created_at{};
    std::optional<instant> finished_at;
    std::optional<instant> resume_at;     // parked: not before
    std::string stop_code, stop_message;  // why it stopped last; empty: it did not
    std::uint32_t chunk_size = 0;
    std::uint64_t groups = 0;
    std::uint64_t minimum_requests = 0;
    std::optional<instant> pruned_at;  // its rows and attempts were dropped, its sums were kept
    bool keys_forgotten = false;       // and so were its identity and its de-duplication keys
    // A person asked that it waits.
    bool paused() const {
        return state != core::job_state::completed && stop_code == core::to_string(core::errc::paused);
    }
};

// Enough of an unfinished job to decide whether it may go on.
struct unfinished_job {
    job_id id = 0;
    std::string base_url, team;
    bool held = false, paused = false;
    std::optional<instant> resume_at;
};

// A completed job that was completed before.
struct reopened_job {
    job_id id = 0;
    std::optional<instant> finished_at;
};

struct job_totals {
    core::row_counts rows;
    core::request_counts requests;
};

// Rows of a job that are duplicates of another job's rows which are still to be sent.
struct waiting_for_job {
    job_id job = 0;  // the other one
    std::uint64_t rows = 0;
};

// Holds the lock of one job, among all processes; gives it back when destroyed. It dies with the process.
class job_lock {
 public:
    virtual ~job_lock() = default;
};

// Jobs whose plan was committed. A planning is no job yet: lists leave it out, calls that name it see it.
class job_book : public virtual transactions {
 public:
    virtual result<job_record> job(job_id id) = 0;  // errc::no_such_job
    // Those of that base URL and team with as many input bytes: candidates for being the same. With the input's hash
    // those of that alone: thousands may have one size.
    virtual result<std::vector<job_record>> find_jobs(const std::string& base_url, const std::string& team,
                                                      std::uint64_t input_bytes,
                                                      const std::string& input_sha256 = {}) = 0;
    // The one that was planned for that input, whatever its identity. Nothing for an empty origin.
    virtual result<std::optional<job_record>> job_of_origin(const std::string& origin) = 0;
    virtual result<std::vector<unfinished_job>> unfinished_jobs() = 0;  // oldest first
    // Completed ones that were completed before and gone on with since (retry, verify): what was told of that end is
    // old. Pruned ones are left out.
    virtual result<std::vector<reopened_job>> reopened_jobs() = 0;

    // errc::job_held at once when another has it. Whoever plans, sends, verifies or prunes holds it throughout.
    virtual result<std::unique_ptr<job_lock>> lock_job(job_id id) = 0;

    // Ends a run, or takes a job up again. A completed job's sums are written down with it; in any other state they are
    // counted whenever they are asked for.
    virtual result<void> set_job_state(job_id id, core::job_state state, std::optional<instant> resume_at,
                                       const std::string& stop_code, const std::string& stop_message, instant now) = 0;

    // --- what jobs have to do with each other: their duplicates, and what a person wants sent again
    // The other jobs whose pending rows this one's duplicates are of, oldest first.
    virtual result<std::vector<waiting_for_job>> waiting_for(job_id job) = 0;
    // Rows that are duplicates of another job's row which has failed since become planned rows of this job, or
    // duplicates of a third job's row that has their task by now. Returns their number. One transaction: of a completed
    // job the caller sets the state in the same one, since rows are pending afterwards.
    virtual result<std::uint64_t> free_duplicates(job_id job, core::task_fields same_by = {}) = 0;
    // The job's refused chunks become planned again, with no attempts counted; rows whose task another job has created,
    // pending or unknown by now become duplicates of that job's row instead, as in commit_plan(). A chunk of which only
    // some rows can go again is split. Does what free_duplicates() does as well. One transaction.
    virtual result<void> reopen_failed(job_id job, core::task_fields same_by = {}) = 0;
};

}  // namespace taskbarge::ledger
