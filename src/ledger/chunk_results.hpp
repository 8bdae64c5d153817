// What became of the rows of one chunk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/chunk_columns.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::ledger {

// SQL: chunks c with their contacts k and tasks t, and whether such a row is as it was written.
inline constexpr std::string_view chunk_and_parts =
    "FROM chunks c LEFT JOIN packed_contacts k ON k.chunk = c.id LEFT JOIN packed_tasks t ON t.chunk = c.id";
std::string whole_chunk();

// A chunk that a process left in flight when it ended has no reason of its own yet: the next run writes this one.
inline void explain_left_in_flight(core::row_state state, std::string& code, std::string& message) {
    if (state != core::row_state::unknown || !code.empty()) return;
    code = "interrupted";
    message = "the process ended while the request was under way; the next run looks it up";
}

// One chunk with a cursor on its next row. Reused: its texts keep their memory.
class chunk_results {
 public:
    // The statement by which load() reads.
    static sqlite::statement reader(sqlite::database& db);

    // Reads a chunk and stands before its first row. errc::ledger where it is missing or damaged.
    core::result<void> load(sqlite::database& db, sqlite::statement& reader, core::chunk_id id,
                            core::row_state of_sending);

    // Goes to the next row that lives in this chunk; false after the last.
    bool advance();
    core::row_number row() const { return row_; }
    std::string_view task_id() const { return task_; }
    // What the chunk knows of that row: all but file and contact_key.
    void fill(row_result& out) const;

    std::uint64_t memory() const;

 private:
    core::row_state state_ = core::row_state::pending;  // of rows without a task
    bool created_only_ = false;                         // the other rows live on in child chunks
    std::uint32_t attempts_ = 0;
    bool possible_duplicate_ = false;
    std::optional<instant> settled_at_;
    std::string request_id_, code_, message_;
    std::string texts_;  // the four columns, one after the other
    std::optional<id_cursor> ids_, tasks_;
    std::optional<row_cursor> rows_;
    core::row_number row_ = 0;
    std::uint64_t line_ = 0;
    std::string_view id_, task_;
};

}  // namespace taskbarge::ledger
