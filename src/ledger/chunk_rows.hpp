// A chunk's rows as the tables hold them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ledger/sqlite.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/id_list.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/send_book.hpp"
#include "taskbarge/ledger/task_book.hpp"

namespace taskbarge::ledger {

// The row of table chunks that is to be; counters start at 0.
struct new_chunk {
    core::job_id job = 0;
    core::group_number group = 0;
    std::uint32_t part = 0;
    core::chunk_id parent = 0;
    core::chunk_state state = core::chunk_state::planned;
    std::uint32_t attempts = 0;
    bool requested_before = false;  // an ancestor of the chunk was sent: its requests are retries
    bool possible_duplicate = false;
    std::optional<core::instant> settled_at;
    std::string_view request_id, code, message;
    search_mark mark = {};
    core::chunk_id partner = 0;
};

// The id that the next chunk to be written gets, in a writing transaction.
core::result<core::chunk_id> next_chunk_id(sqlite::database& db);

// Writes the chunk with its contacts. Gives its id.
core::result<core::chunk_id> insert_chunk(sqlite::database& db, const new_chunk& chunk, const core::chunk_rows& rows);

// errc::ledger, naming the chunk.
core::failure damaged_chunk(const sqlite::database& db, core::chunk_id chunk);

core::result<core::chunk_rows> read_contacts(sqlite::database& db, core::chunk_id chunk);

// How a chunk's tasks became known: see recorded_task.
struct task_origin {
    event_number since = 0;
    std::optional<core::instant> answered_at;
};

// Keeps the task ids, parallel to the contacts, "" where there is none; at least one is given.
core::result<void> write_tasks(sqlite::database& db, core::chunk_id chunk, std::span<const std::string_view> task_ids,
                               const task_origin& origin);
core::result<task_origin> read_task_origin(sqlite::database& db, core::chunk_id chunk);

// Parallel to the contacts; empty where the chunk has no task at all.
core::result<core::id_list> read_tasks(sqlite::database& db, core::chunk_id chunk);

// The columns user_id, type, priority, status, due_at and note of a group, from column `at` on.
core::task_details read_details(const sqlite::statement& row, int at);

}  // namespace taskbarge::ledger
