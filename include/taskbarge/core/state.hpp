// The states of rows, chunks and jobs, and their sums.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskbarge::core {

using job_id = std::int64_t;
using chunk_id = std::int64_t;
using attempt_id = std::int64_t;

// What is known of one input record. Every record is in exactly one of these at every moment.
enum class row_state : std::uint8_t {
    created,    // Apollo named the task
    duplicate,  // another row asks for the same task
    rejected,   // never sent: the record is bad
    failed,     // not created, and will not be without a person
    unknown,    // may have been created; not sent again while that is so
    pending     // will be sent
};
std::string_view to_string(row_state v);
std::optional<row_state> parse_row_state(std::string_view text);

// The life of a chunk: planned -> sending -> created | refused | doubtful | split; doubtful -> created | planned |
// split. A row that has a task id is created whatever its chunk's state; of the others the chunk's state tells.
enum class chunk_state : std::uint8_t {
    planned,   // not sent, or shown to be without effect: rows pending
    sending,   // intent recorded, outcome not: rows pending while a process holds the job, else unknown
    created,   // every row has its task id
    refused,   // Apollo said no, or a person must look: rows failed
    doubtful,  // may have been created: rows unknown
    split      // rows without a task id have moved to child chunks
};
std::string_view to_string(chunk_state v);
std::optional<chunk_state> parse_chunk_state(std::string_view text);
// What a row without a task is, by the state of its chunk. `while_sending` says what those of a chunk in sending are:
// pending while a process works on the job, else unknown.
row_state state_of_open_row(chunk_state of, row_state while_sending);
// What the rows of a chunk are that have no other say, for the process that works on their job.
row_state row_state_of(chunk_state of);

enum class job_state : std::uint8_t {
    planning,   // the input is being read: nothing was sent, and a dead planning is planned anew
    parked,     // unfinished; `running` while a process holds it
    completed,  // nothing left to do
    failed      // a person is needed before it can go on
};
std::string_view to_string(job_state v);
std::optional<job_state> parse_job_state(std::string_view text);

// The sums of a job. accounted() must equal rows at every moment (promise 1).
struct row_counts {
    std::uint64_t rows = 0;  // records read
    std::uint64_t created = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t rejected = 0;
    std::uint64_t failed = 0;
    std::uint64_t unknown = 0;
    std::uint64_t pending = 0;
    // Of the duplicates, those of another job's row that has no task: it is pending, unknown or failed.
    std::uint64_t duplicate_pending = 0, duplicate_unknown = 0, duplicate_failed = 0;
    std::uint64_t accounted() const { return created + duplicate + rejected + failed + unknown + pending; }
    std::uint64_t open_duplicates() const { return duplicate_pending + duplicate_unknown + duplicate_failed; }
    friend bool operator==(const row_counts&, const row_counts&) = default;
    row_counts& operator+=(const row_counts& more);
};
// The one of the sums that counts rows in that state.
std::uint64_t& count_of(row_counts& sums, row_state of);

// What a job has cost and would have cost at least. Requests are bulk_create requests whose first byte was written.
struct request_counts {
    std::uint64_t groups = 0;
    std::uint64_t minimum_requests = 0;  // sum over groups of ceil(rows / chunk size)
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;       // those beyond a chunk's first
    std::uint64_t rate_limited = 0;  // answered 429
    friend bool operator==(const request_counts&, const request_counts&) = default;
    request_counts& operator+=(const request_counts& more);
};

}  // namespace taskbarge::core
