// Planning: a job's groups, chunks, duplicates and rejects, until its commit makes them one job.
#include <fmt/format.h>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/earlier_jobs.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

// Rows of a table per transaction of a discard: other processes write in between.
constexpr int drop_batch = 2000;

// A batch of what belongs to a job ?1, but for the job itself. The chunks go last of the three tables that hold them,
// as only they know whose they are.
constexpr std::string_view drops[] = {
    "DELETE FROM packed_contacts WHERE chunk IN (SELECT id FROM chunks WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM packed_tasks WHERE chunk IN (SELECT id FROM chunks WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM groups WHERE id IN (SELECT id FROM groups WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM duplicates WHERE job = ?1 AND row IN (SELECT row FROM duplicates WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM row_keys WHERE job = ?1 AND row IN (SELECT row FROM row_keys WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM rejects WHERE job = ?1 AND row IN (SELECT row FROM rejects WHERE job = ?1 LIMIT ?2)",
    "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE job = ?1 LIMIT ?2)",
};

}  // namespace

result<bool> drop_some_rows(sqlite::database& db, job_id job) {
    std::int64_t gone = 0;
    for (const auto sql : drops) {
        if (auto r = db.prepare(sql).bind(job, drop_batch).run(); !r) return r.error();
        gone += db.changes();
    }
    return gone > 0;
}

result<std::pair<job_id, std::unique_ptr<job_lock>>> sqlite_ledger::begin_plan(const std::vector<std::string>& files,
                                                                               std::uint32_t chunk_size,
                                                                               const std::string& base_url,
                                                                               const std::string& team, instant now) {
    using started = std::pair<job_id, std::unique_ptr<job_lock>>;
    if (auto r = discard_dead_plannings(); !r) return r.error();
    return db_->atomically(access::write, [&]() -> result<started> {
        // As SQLite would choose it, never twice: the checksum covers it.
        auto last = db_->integer("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'");
        if (!last) return last.error();
        const job_id id = *last + 1;
        static const std::string job_sql = fmt::format(
            "INSERT INTO jobs (id, base_url, team, state, created_at, chunk_size, checksum) VALUES "
            "(?1,?2,?3,?4,?5,?6,{})",
            row_check_of({"?1", "?2", "?3", "''", "0", "''", "''", "?6", "0", "0", "0", "0", "0", "0", "''"}));
        auto made = db_->prepare(job_sql)
                        .bind(id, base_url, team, core::to_string(core::job_state::planning), now, chunk_size)
                        .run();
        if (!made) return made.error();
        static const std::string file_sql = sealed_insert(sealed::files);
        auto insert = db_->prepare(file_sql);
        for (std::size_t i = 0; i < files.size(); ++i) {
            if (auto r = insert.bind(id, i, files[i], 1, "", "").run(); !r) return r.error();
        }
        // Taken before the row can be seen, so that nobody takes this planning for a dead one.
        auto lock = locks_.lock(id);
        if (!lock) return lock.error();
        return started(id, std::move(*lock));
    });
}

result<void> sqlite_ledger::discard_dead_plannings() {
    std::vector<job_id> plannings;
    auto query = db_->prepare("SELECT id FROM jobs WHERE state = 'planning'");
    if (auto r = query.each([&] { plannings.push_back(query.integer(0)); }); !r) return r;
    for (const auto id : plannings) {
        auto lock = locks_.lock(id);
        if (!lock && lock.error().code == core::errc::job_held) continue;
        if (!lock) return lock.error();
        if (auto r = discard_plan(id); !r) return r;
    }
    return {};
}

result<void> sqlite_ledger::discard_plan(job_id id) {
    auto query = db_->prepare("SELECT state = 'planning' FROM jobs WHERE id = ?");
    auto found = query.bind(id).next();
    if (!found) return found.error();
    if (!*found) return {};
    if (query.integer(0) == 0) return bug(fmt::format("job {} is committed and cannot be discarded", id));
    query.reset();
    auto more = discard_some(id);
    while (more && *more)
        more = discard_some(id);
    if (!more) return more.error();
    return {};
}

// One batch; false when nothing is left, the job included.
result<bool> sqlite_ledger::discard_some(job_id id) {
    return db_->atomically(access::write, [&]() -> result<bool> {
        auto more = drop_some_rows(*db_, id);
        if (!more || *more) return more;
        if (auto r = db_->prepare("DELETE FROM files WHERE job = ?").bind(id).run(); !r) return r.error();
        if (auto r = db_->prepare("DELETE FROM jobs WHERE id = ?").bind(id).run(); !r) return r.error();
        return false;
    });
}

result<void> sqlite_ledger::add_group(job_id job, core::group_number number, const core::task_view& details) {
    return db_->atomically(access::write, [&] {
        static const std::string sql = sealed_insert(sealed::groups);
        return db_->prepare(sql)
            .bind(job, number, details.user_id, to_string(details.type), to_string(details.priority),
                  to_string(details.status), details.due_at, details.note, details_hash(details))
            .run();
    });
}

result<void> sqlite_ledger::add_chunk(job_id job, const core::planned_chunk& chunk) {
    const auto size = chunk.contacts.size();
    if (size == 0 || chunk.contacts.contact_ids.size() != size || chunk.contacts.lines.size() != size) {
        return bug("a chunk without rows, or with arrays of different length");
    }
    new_chunk row;
    row.job = job;
    row.group = chunk.group;
    row.part = chunk.part;
    return db_->atomically(access::write, [&]() -> result<void> {
        auto made = insert_chunk(*db_, row, chunk.contacts);
        return made ? result<void>() : made.error();
    });
}

result<void> sqlite_ledger::add_duplicate(job_id job, const core::duplicate_row& row) {
    return db_->atomically(access::write, [&] {
        static const std::string sql = sealed_insert(sealed::duplicates);
        return db_->prepare(sql)
            .bind(job, row.number, row.at.line, row.contact_id, row.group, row.of_job == 0 ? job : row.of_job,
                  row.of_row)
            .run();
    });
}

result<void> sqlite_ledger::add_reject(job_id job, const core::rejected_row& row) {
    return db_->atomically(access::write, [&] {
        static const std::string sql = sealed_insert(sealed::rejects);
        return db_->prepare(sql)
            .bind(job, row.number, row.at.line, row.contact_id, row.column, row.code, row.message,
                  sqlite::blob{row.raw})
            .run();
    });
}

result<void> sqlite_ledger::add_row_key(job_id job, core::row_number row, std::string_view key) {
    return db_->atomically(access::write, [&] {
        return db_->prepare("INSERT INTO row_keys (job, row, key) VALUES (?, ?, ?)").bind(job, row, key).run();
    });
}

result<void> sqlite_ledger::set_files(job_id job, const std::vector<file_note>& files) {
    return db_->atomically(access::write, [&]() -> result<void> {
        static const std::string sql =
            sealed_update(sealed::files, {{"first_row", "?1"}, {"format", "?2"}, {"header", "?3"}},
                          "WHERE job = ?4 AND ordinal = ?5");
        auto update = db_->prepare(sql);
        for (std::size_t i = 0; i < files.size(); ++i) {
            if (auto r = update.bind(files[i].first_row, files[i].format, files[i].header, job, i).run(); !r) return r;
        }
        return {};
    });
}

result<job_totals> sqlite_ledger::commit_plan(job_id job, const job_identity& identity, const plan_totals& totals,
                                              std::optional<core::task_fields> same_by, const std::string& origin) {
    return db_->atomically(access::write, [&]() -> result<job_totals> {
        auto query = db_->prepare("SELECT state = 'planning', chunk_size FROM jobs WHERE id = ?");
        auto found = query.bind(job).next();
        if (!found) return found.error();
        if (!*found) return no_such_job(job);
        if (query.integer(0) == 0) return bug(fmt::format("job {} is already committed", job));
        const auto chunk_size = static_cast<std::uint32_t>(query.integer(1));
        query.reset();
        if (auto r = check_new(job, identity, origin); !r) return r.error();
        if (same_by) {
            if (auto r = drop_rows_of_earlier_jobs(*db_, job, chunk_size, *same_by); !r) return r.error();
        }
        if (auto r = doubt_plan(job); !r) return r.error();
        static const std::string sql =
            sealed_update(sealed::jobs,
                          {{"state", "'parked'"},
                           {"base_url", "?2"},
                           {"team", "?3"},
                           {"input_sha256", "?4"},
                           {"input_bytes", "?5"},
                           {"settings_text", "?6"},
                           {"relative_day", "?7"},
                           {"rows", "?8"},
                           {"origin", "?9"},
                           {"rejected", "(SELECT count(*) FROM rejects WHERE job = ?1)"},
                           {"duplicates", "(SELECT count(*) FROM duplicates WHERE job = ?1)"},
                           {"groups", "(SELECT count(*) FROM groups WHERE job = ?1)"},
                           {"minimum_requests", "(SELECT count(*) FROM chunks WHERE job = ?1)"}},
                          "WHERE id = ?1");
        auto done = db_->prepare(sql)
                        .bind(job, identity.base_url, identity.team, identity.input_sha256, identity.input_bytes,
                              identity.settings_text, identity.relative_day, totals.rows, origin)
                        .run();
        if (!done) return done.error();
        if (db_->changes() == 0) return damaged(*db_, fmt::format("job {}", job));
        auto sums = this->totals(job);
        if (!sums) return sums.error();
        if (auto r = check_sum(job, *sums, totals); !r) return r.error();
        return sums;
    });
}

result<std::optional<similar_group>> sqlite_ledger::newest_like(const std::string& base_url, const std::string& team,
                                                                const core::task_view& details,
                                                                core::task_fields fields, job_id own) {
    return db_->atomically(access::read, [&] { return find_newest_like(*db_, base_url, team, details, fields, own); });
}

// Within the transaction that commits: of two processes that planned the same input at once, one makes the job.
result<void> sqlite_ledger::check_new(job_id job, const job_identity& identity, const std::string& origin) {
    const auto made = [job](job_id other) {
        return core::failure{
            core::errc::job_held,
            fmt::format("job {} was made of the same input while job {} was being planned", other, job)};
    };
    const auto its_own = job_of_origin(origin);
    if (!its_own) return its_own.error();
    if (*its_own) return made((*its_own)->id);
    auto others = find_jobs(identity.base_url, identity.team, identity.input_bytes, identity.input_sha256);
    if (!others) return others.error();
    for (const auto& other : *others) {
        if (other.identity == identity) return made(other.id);
    }
    return {};
}

// The first half of promise 1: what was read is what the ledger will answer for.
result<void> sqlite_ledger::check_sum(job_id job, const job_totals& sums, const plan_totals& expected) {
    if (sums.rows.accounted() == expected.rows && sums.rows.rejected == expected.rejected) return {};
    return bug(fmt::format("job {}: {} records read and {} rejected, but {} planned and {} rejected", job,
                           expected.rows, expected.rejected, sums.rows.accounted(), sums.rows.rejected));
}

}  // namespace taskbarge::ledger
