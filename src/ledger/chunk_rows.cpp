#include "ledger/chunk_rows.hpp"

#include <fmt/format.h>

#include <string>

#include "ledger/checksums.hpp"
#include "ledger/chunk_columns.hpp"

namespace taskbarge::ledger {

core::failure damaged_chunk(const sqlite::database& db, core::chunk_id chunk) {
    return damaged(db, fmt::format("chunk {}", chunk));
}

// As SQLite would choose it: the checksum covers it.
core::result<core::chunk_id> next_chunk_id(sqlite::database& db) {
    return db.integer("SELECT coalesce(max(id), 0) + 1 FROM chunks");
}

core::result<core::chunk_id> insert_chunk(sqlite::database& db, const new_chunk& chunk, const core::chunk_rows& rows) {
    auto id = next_chunk_id(db);
    if (!id) return id.error();
    static const std::string chunk_sql = sealed_insert(sealed::chunks);
    const row_span span(rows);
    auto done =
        db.prepare(chunk_sql)
            .bind(*id, chunk.job, chunk.group, chunk.part, chunk.parent, core::to_string(chunk.state), span.first,
                  span.last, span.spread, rows.size(), 0, chunk.attempts, 0, 0, chunk.requested_before,
                  chunk.possible_duplicate, std::nullopt, chunk.settled_at, chunk.request_id, chunk.code, chunk.message,
                  chunk.mark.suspects, chunk.mark.refused_with, chunk.partner)
            .run();
    if (!done) return done.error();
    static const std::string contacts_sql = sealed_insert(sealed::packed_contacts);
    auto kept = db.prepare(contacts_sql)
                    .bind(*id, stored_ids(rows.contact_ids), stored_rows(rows), stored_lines(rows), chunk.job,
                          chunk.group, rows.size())
                    .run();
    if (!kept) return kept.error();
    return id;
}

core::result<core::chunk_rows> read_contacts(sqlite::database& db, core::chunk_id chunk) {
    static const std::string sql = fmt::format(
        "SELECT k.contact_ids, k.rows, k.lines, {} FROM chunks c CROSS JOIN packed_contacts k ON k.chunk = c.id "
        "WHERE c.id = ?",
        intact(sealed::packed_contacts, "k"));
    auto query = db.prepare(sql);
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    if (!*found || query.integer(3) == 0) return damaged_chunk(db, chunk);
    return read_rows(query, 0, 1, 2);
}

core::result<core::id_list> read_tasks(sqlite::database& db, core::chunk_id chunk) {
    static const std::string sql =
        fmt::format("SELECT t.task_ids, {} FROM packed_tasks t WHERE t.chunk = ?", intact(sealed::packed_tasks, "t"));
    auto query = db.prepare(sql);
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    if (!*found) return core::id_list();
    if (query.integer(1) == 0) return damaged_chunk(db, chunk);
    return read_ids(query, 0);
}

core::result<task_origin> read_task_origin(sqlite::database& db, core::chunk_id chunk) {
    auto query = db.prepare("SELECT since, answered_at FROM packed_tasks WHERE chunk = ?");
    auto found = query.bind(chunk).next();
    if (!found) return found.error();
    return *found ? task_origin{query.number(0), query.optional_time(1)} : task_origin{};
}

core::result<void> write_tasks(sqlite::database& db, core::chunk_id chunk, std::span<const std::string_view> task_ids,
                               const task_origin& origin) {
    // The span of the ids tells most chunks apart when one id is looked for: Apollo's ids begin with the time.
    std::string_view first, last;
    for (const std::string_view task : task_ids) {
        if (task.empty()) continue;
        if (first.empty() || task < first) first = task;
        if (task > last) last = task;
    }
    static const std::string sql = sealed_insert(sealed::packed_tasks, "INSERT OR REPLACE");
    return db.prepare(sql).bind(chunk, stored_ids(task_ids), first, last, origin.since, origin.answered_at).run();
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
