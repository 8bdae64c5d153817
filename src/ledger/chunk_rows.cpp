#include "ledger/chunk_rows.hpp"

#include "ledger/chunk_columns.hpp"

namespace taskbarge::ledger {

core::result<void> insert_chunk(sqlite::connection& db, const new_chunk& chunk, const core::chunk_rows& rows) {
    auto done = db.prepare(
                      "INSERT INTO chunks (job, group_number, part, parent, state, first_row, row_count, attempts, "
                      "requested_before, possible_duplicate, settled_at, request_id, code, message) "
                      "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
                    .bind(chunk.job, chunk.group, chunk.part, chunk.parent, core::to_string(chunk.state),
                          rows.rows.front(), rows.size(), chunk.attempts, chunk.requested_before,
                          chunk.possible_duplicate, chunk.settled_at, chunk.request_id, chunk.code, chunk.message)
                    .run();
    if (!done) return done;
    return db.prepare("INSERT INTO packed_contacts (chunk, contact_ids, rows, lines) VALUES (?,?,?,?)")
        .bind(db.last_id(), stored_ids(rows.contact_ids), stored_rows(rows), stored_lines(rows))
        .run();
}

core::result<core::chunk_rows> read_contacts(sqlite::connection& db, core::chunk_id chunk) {
    core::chunk_rows out;
    auto query = db.prepare("SELECT contact_ids, rows, lines FROM packed_contacts WHERE chunk = ?");
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    if (*found) out = read_rows(query, 0, 1, 2);
    return out;
}

core::result<core::id_list> read_tasks(sqlite::connection& db, core::chunk_id chunk) {
    auto query = db.prepare("SELECT task_ids FROM packed_tasks WHERE chunk = ?");
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    return *found ? read_ids(query, 0) : core::id_list();
}

core::result<task_origin> read_task_origin(sqlite::connection& db, core::chunk_id chunk) {
    auto query = db.prepare("SELECT since, answered_at FROM packed_tasks WHERE chunk = ?");
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    return *found ? task_origin{query.number(0), query.optional_time(1)} : task_origin{};
}

core::result<void> write_tasks(sqlite::connection& db, core::chunk_id chunk, std::span<const std::string_view> task_ids,
                               const task_origin& origin) {
    // The span of the ids tells most chunks apart when one id is looked for: Apollo's ids begin with the time.
    std::string_view first, last;
    for (const std::string_view task : task_ids) {
        if (task.empty()) continue;
        if (first.empty() || task < first) first = task;
        if (task > last) last = task;
    }
    return db
        .prepare(
            "INSERT OR REPLACE INTO packed_tasks (chunk, task_ids, first_task, last_task, since, answered_at) "
            "VALUES (?,?,?,?,?,?)")
        .bind(chunk, stored_ids(task_ids), first, last, origin.since, origin.answered_at)
        .run();
}

core::task_details read_details(const sqlite::statement& row, int at) {
    core::task_details out;
    out.user_id = row.string(at);
    out.type = core::parse_task_type(row.text(at + 1)).value_or(core::task_type::call);
    out.priority = core::parse_task_priority(row.text(at + 2)).value_or(core::task_priority::medium);
    out.status = core::parse_task_status(row.text(at + 3)).value_or(core::task_status::scheduled);
    out.due_at = row.time(at + 4);
    out.note = row.string(at + 5);
    return out;
}

}  // namespace taskbarge::ledger
