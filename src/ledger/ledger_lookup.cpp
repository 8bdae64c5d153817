// What a look-up asks of the ledger: which tasks it already knows, and one that must show up.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

// Whether any of the sorted ids lies between the two.
bool any_between(const std::vector<std::string>& sorted, std::string_view first, std::string_view last) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), first);
    return at != sorted.end() && *at <= last;
}

// The chunks whose tasks' ids may be among the sorted ones: from the index alone, and from its end for the newest ids.
result<std::vector<chunk_id>> chunks_around(sqlite::database& db, const std::vector<std::string>& sorted) {
    std::vector<chunk_id> out;
    auto query =
        db.prepare("SELECT chunk, first_task, last_task FROM packed_tasks WHERE last_task >= ? AND first_task <= ?");
    query.bind(sorted.front(), sorted.back());
    auto read = query.each([&] {
        if (any_between(sorted, query.text(1), query.text(2))) out.push_back(query.integer(0));
    });
    if (!read) return read.error();
    return out;
}

// The first task of the chunk, if the chunk is one of that target and status.
result<std::optional<known_task>> task_of_chunk(sqlite::database& db, chunk_id chunk, const std::string& base_url,
                                                const std::string& team, core::task_status status) {
    using sample = std::optional<known_task>;
    static const std::string sql = fmt::format(
        "SELECT g.user_id, g.type, g.priority, g.status, g.due_at, g.note, {} FROM chunks c "
        "CROSS JOIN jobs j ON j.id = c.job CROSS JOIN groups g ON g.job = c.job AND g.number = c.group_number "
        "WHERE c.id = ? AND j.base_url = ? AND j.team = ? AND g.status = ?",
        intact(sealed::groups, "g"));
    auto query = db.prepare(sql);
    auto found = query.bind(chunk, base_url, team, core::to_string(status)).next();
    if (!found) return found.error();
    if (!*found) return sample{};
    if (query.integer(6) == 0) return damaged_chunk(db, chunk);
    auto tasks = read_tasks(db, chunk);
    if (!tasks) return tasks.error();
    auto contacts = read_contacts(db, chunk);
    if (!contacts) return contacts.error();
    const auto at = static_cast<std::size_t>(
        std::find_if(tasks->begin(), tasks->end(), [](std::string_view id) { return !id.empty(); }) - tasks->begin());
    if (at >= std::min(tasks->size(), contacts->size())) return sample{};
    return sample(
        known_task{std::string((*tasks)[at]), std::string(contacts->contact_ids[at]), read_details(query, 0)});
}

}  // namespace

result<std::vector<recorded_task>> sqlite_ledger::recorded_tasks(const std::string& base_url, const std::string& team,
                                                                 const std::vector<std::string>& task_ids) {
    std::vector<recorded_task> out;
    if (task_ids.empty()) return out;
    auto wanted = task_ids;
    std::sort(wanted.begin(), wanted.end());
    return db_->atomically(access::read, [&]() -> result<std::vector<recorded_task>> {
        auto chunks = chunks_around(*db_, wanted);
        if (!chunks) return chunks.error();
        static const std::string sql = fmt::format(
            "SELECT g.user_id, g.type, g.priority, g.status, g.due_at, g.note, t.since, t.answered_at, j.base_url = ?2 "
            "AND j.team = ?3, {} AND {} AND {} AND {} "
            "FROM packed_tasks t LEFT JOIN chunks c ON c.id = t.chunk LEFT JOIN jobs j ON j.id = c.job "
            "LEFT JOIN groups g ON g.job = c.job AND g.number = c.group_number WHERE t.chunk = ?1",
            intact(sealed::packed_tasks, "t"), intact(sealed::chunks, "c"), intact(sealed::jobs, "j"),
            intact(sealed::groups, "g"));
        auto query = db_->prepare(sql);
        for (const auto chunk : *chunks) {
            auto found = query.bind(chunk, base_url, team).next();
            if (!found) return found.error();
            const auto status = *found ? core::parse_task_status(query.text(3)) : std::nullopt;
            if (!status || query.integer(9) == 0) return damaged_chunk(*db_, chunk);
            const bool theirs = query.integer(8) != 0;
            recorded_task known{{}, read_details(query, 0), query.number(6), query.optional_time(7)};
            query.reset();
            if (!theirs) continue;
            auto tasks = read_tasks(*db_, chunk);
            if (!tasks) return tasks.error();
            for (const auto task : *tasks) {
                if (!std::binary_search(wanted.begin(), wanted.end(), task)) continue;
                known.task_id = task;
                out.push_back(known);
            }
        }
        return out;
    });
}

result<std::optional<known_task>> sqlite_ledger::control_after(const std::string& base_url, const std::string& team,
                                                               core::task_status status, event_number after) {
    using sample = std::optional<known_task>;
    return db_->atomically(access::read, [&]() -> result<sample> {
        // Sorted from the index alone: what else a chunk must be is asked of one after the other, until one is it.
        auto query = db_->prepare(
            "SELECT chunk FROM packed_tasks INDEXED BY packed_tasks_by_task WHERE since > ? "
            "ORDER BY since, chunk");
        query.bind(after);
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            auto task = task_of_chunk(*db_, query.integer(0), base_url, team, status);
            if (!task || *task) return task;
        }
        if (!more) return more.error();
        return sample{};
    });
}

result<std::optional<known_task>> sqlite_ledger::sample_created(const std::string& base_url, const std::string& team,
                                                                core::task_status status,
                                                                std::optional<instant> due_at) {
    using sample = std::optional<known_task>;
    return db_->atomically(access::read, [&]() -> result<sample> {
        // Ids begin with the time, so the greatest is the newest. A task of the due date goes before any other.
        static const std::string sql = fmt::format(
            "SELECT t.chunk, t.last_task, g.user_id, g.type, g.priority, g.status, g.due_at, g.note, {} AND {} "
            "FROM packed_tasks t CROSS JOIN chunks c ON c.id = t.chunk "
            "CROSS JOIN groups g ON g.job = c.job AND g.number = c.group_number CROSS JOIN jobs j ON j.id = c.job "
            "WHERE j.base_url = ?1 AND j.team = ?2 AND g.status = ?3 AND (?4 IS NULL OR g.due_at = ?4) "
            "ORDER BY t.last_task DESC LIMIT 1",
            intact(sealed::packed_tasks, "t"), intact(sealed::groups, "g"));
        auto query = db_->prepare(sql);
        auto found = query.bind(base_url, team, core::to_string(status), due_at).next();
        if (found && !*found && due_at) {
            query.reset();
            found = query.bind(base_url, team, core::to_string(status), std::nullopt).next();
        }
        if (!found) return found.error();
        if (!*found) return sample{};
        if (query.integer(8) == 0) return damaged_chunk(*db_, query.integer(0));
        auto tasks = read_tasks(*db_, query.integer(0));
        if (!tasks) return tasks.error();
        auto contacts = read_contacts(*db_, query.integer(0));
        if (!contacts) return contacts.error();
        known_task out{query.string(1), {}, read_details(query, 2)};
        const auto at = std::find(tasks->begin(), tasks->end(), out.task_id) - tasks->begin();
        if (static_cast<std::size_t>(at) < contacts->size()) {
            out.contact_id = contacts->contact_ids[static_cast<std::size_t>(at)];
        }
        return sample(std::move(out));
    });
}

}  // namespace taskbarge::ledger
