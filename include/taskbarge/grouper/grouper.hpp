// Rows in, full chunks out: the fewest bulk requests that the rows allow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::grouper {

// Where the grouper's findings go, in this order: a group before its first chunk. A failure stops the grouper and comes
// back from add() or finish().
class chunk_sink {
 public:
    virtual ~chunk_sink() = default;
    // A new group was seen. The view holds only during the call.
    virtual core::result<void> on_group(core::group_number number, const core::task_view& details) = 0;
    // A chunk is complete (at finish(): also a group's shorter last one). May be moved from.
    virtual core::result<void> on_chunk(core::planned_chunk&& chunk) = 0;
    // The row asks for the same task as an earlier row of this input.
    virtual core::result<void> on_duplicate(const core::duplicate_row& row) = 0;
};

struct grouper_options {
    std::uint32_t chunk_size = 100;
    std::uint64_t memory = 64ull << 20;  // bytes for open groups; past it they are spilled to a file
    std::string spill_folder;            // for the spill file (unlinked at once); empty: TMPDIR, else /tmp
    core::task_fields same_by{};         // two rows of one contact ask for the same task where these are equal
};

struct grouper_stats {
    std::uint64_t groups = 0;
    std::uint64_t chunks = 0;  // the minimum of requests: sum over groups of ceil(rows / chunk_size)
    std::uint64_t rows = 0;    // grouped, duplicates not counted
    std::uint64_t duplicates = 0;
    std::uint64_t spilled_rows = 0;
};

// Groups rows by equal details and cuts each group into chunks of `chunk_size` in input order; a contact that occurred
// before with the same details, or those of them that `same_by` names, is a duplicate, found exactly. Same rows, same
// chunk_size: same chunks, whatever the memory; only their order may differ, as a group whose rows were spilled gives
// the rest of its chunks at finish().
//
// Memory: the budget plus at most 32 bytes a row; up to 52 while far more rows are expected than came. Open rows and
// details beyond the budget go to temporary files. What cannot go there may pass it: about 35 bytes for each of
// millions of groups, and contact ids that are not 24 hex digits, which are kept as texts. Not thread-safe.
//
// Failures: those of the sink; errc::io where a temporary file cannot be written; errc::input past 2^32 - 1 records.
class grouper {
 public:
    grouper(grouper_options options, chunk_sink& sink);
    ~grouper();
    grouper(const grouper&) = delete;
    grouper& operator=(const grouper&) = delete;

    // About how many rows the whole input has, as far as that can be guessed; may be told again and again. Saves work,
    // changes nothing else.
    void expect(std::uint64_t rows);
    // Rows come in ascending number order. Many at once are quicker: the memory that each needs is fetched while others
    // are worked on.
    core::result<void> add(std::span<const core::row> rows);
    core::result<void> add(const core::row& row) { return add({&row, 1}); }
    // Gives out what is left. Nothing may be added afterwards.
    core::result<void> finish();
    const grouper_stats& stats() const;
    // The details of a group that was given out, before finish() and after it: for a sink that shows few of many. They
    // may have to be read back from the temporary file.
    core::result<core::task_details> details(core::group_number group) const;

 private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::grouper
