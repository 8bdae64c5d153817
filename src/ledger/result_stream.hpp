// The rows of a job's chunks in the order of the input.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/chunk_results.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::ledger {

// Merges the chunks of a job: each is loaded when the merge reaches its first row and dropped after its last, so that
// memory holds the chunks that overlap one row. Where these pass `memory` bytes (hundreds of thousands of groups
// spread over the whole input), SQLite sorts the remaining rows in its temporary file instead: slower, but bounded.
// Lives within one transaction.
class result_stream {
 public:
    result_stream(sqlite::database& db, job_id job, core::row_state of_sending, std::uint64_t memory);
    ~result_stream();

    // Fills what chunks know of the next row: all but `file`. False after the last.
    result<bool> next(row_result& out);

 private:
    struct place {
        core::row_number row;
        chunk_results* chunk;
    };

    result<bool> next_merged(row_result& out);
    result<bool> next_sorted(row_result& out);
    result<void> peek();
    result<void> enter();
    void push(place p);
    void leave(chunk_results* chunk);
    result<void> check_all();
    void start_sorting(core::row_number from);

    sqlite::database& db_;
    job_id job_;
    core::row_state of_sending_;
    std::uint64_t memory_, used_ = 0;
    sqlite::statement order_;  // (id, first row) of all chunks by first row
    sqlite::statement load_;
    std::optional<std::pair<chunk_id, core::row_number>> coming_;  // the first chunk that is not active yet
    bool started_ = false;
    std::vector<place> heap_;  // the next row of every active chunk, lowest on top
    std::vector<std::unique_ptr<chunk_results>> all_;
    std::vector<chunk_results*> spare_;  // those of all_ that are not in the heap
    std::optional<sqlite::statement> sorted_;
};

}  // namespace taskbarge::ledger
