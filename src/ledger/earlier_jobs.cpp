#include "ledger/earlier_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/earlier_contacts.hpp"
#include "ledger/kept_keys.hpp"

namespace taskbarge::ledger {

using core::chunk_id;
using core::job_id;
using core::result;
using core::row_number;

namespace {

// "a.user_id = b.user_id AND ...", of those fields; always true for none.
std::string equal_fields(core::task_fields fields, std::string_view a, std::string_view b) {
    std::string out = "1";
    for (const auto field : core::all_task_fields)
        if (fields.has(field)) out += fmt::format(" AND {0}.{2} = {1}.{2}", a, b, to_string(field));
    return out;
}

// The groups of the job that earlier jobs of the same target have too, with those groups, or with the keys that were
// kept of them; oldest job first. For a group that nobody else has this is a probe of two indexes.
// A group or a job that is damaged counts as a match, so that it is noticed rather than passed over.
std::string matching_groups() {
    const auto group = intact(sealed::groups, "e"), job = intact(sealed::jobs, "j");
    return fmt::format(
        "SELECT g.number, e.job, e.number, 0, {0} AND {1} FROM groups g "
        "CROSS JOIN groups e ON e.details_hash = g.details_hash AND e.job <> g.job "
        "CROSS JOIN jobs mine ON mine.id = g.job LEFT JOIN jobs j ON j.id = e.job WHERE g.job = ?1 "
        "AND j.state IS NOT 'planning' AND (({0} AND {1}) IS NOT 1 OR ({2} "
        "AND j.pruned_at IS NULL AND j.base_url = mine.base_url AND j.team = mine.team)) "
        "UNION ALL "
        "SELECT g.number, k.job, k.id, 1, {1} FROM groups g CROSS JOIN kept_keys k ON k.details_hash = g.details_hash "
        "CROSS JOIN jobs mine ON mine.id = g.job LEFT JOIN jobs j ON j.id = k.job WHERE g.job = ?1 "
        "AND ({1} IS NOT 1 OR (j.pruned_at IS NOT NULL AND j.base_url = mine.base_url AND j.team = mine.team)) "
        "ORDER BY 1, 2, 3",
        group, job, equal_fields({}, "e", "g"));
}

// The same where not all fields count. No index helps: SQLite makes one of all groups for the time of the query. Groups
// of the job that are equal in these fields are asked about once, by the first of them. load_kept() compares the notes.
std::string matching_keys(core::task_fields fields) {
    const auto kept = fields.without(core::task_field::note);
    return fmt::format(
        "SELECT g.number, e.job, e.number, 0, {0} FROM groups g CROSS JOIN groups e ON {1} "
        "CROSS JOIN jobs mine ON mine.id = g.job LEFT JOIN jobs j ON j.id = e.job WHERE g.job = ?1 AND e.job <> g.job "
        "AND g.number IN (SELECT first FROM temp.group_keys) AND j.state IS NOT 'planning' "
        "AND ({0} IS NOT 1 OR (j.pruned_at IS NULL AND j.base_url = mine.base_url AND j.team = mine.team)) "
        "UNION ALL "
        "SELECT g.number, k.job, k.id, 1, {0} FROM groups g CROSS JOIN kept_keys k ON {2} "
        "CROSS JOIN jobs mine ON mine.id = g.job LEFT JOIN jobs j ON j.id = k.job WHERE g.job = ?1 "
        "AND g.number IN (SELECT first FROM temp.group_keys) "
        "AND ({0} IS NOT 1 OR (j.pruned_at IS NOT NULL AND j.base_url = mine.base_url AND j.team = mine.team)) "
        "ORDER BY 1, 2, 3",
        intact(sealed::jobs, "j"), equal_fields(fields, "e", "g"), equal_fields(kept, "k", "g"));
}

// Which groups of a job are equal in the fields that count: known by the first of them.
class group_keys {
 public:
    group_keys(sqlite::database& db, job_id job, core::task_fields fields) : db_(db), job_(job), fields_(fields) {}

    // Looks at all groups of the ledger, as a damaged one would match nothing and be passed over.
    result<void> load() {
        if (fields_.all()) return {};
        auto query = db_.prepare(
            fmt::format("SELECT number, job FROM groups g WHERE {} IS NOT 1 LIMIT 1", intact(sealed::groups, "g")));
        auto found = query.next();
        if (!found) return found.error();
        if (*found) return damaged(db_, fmt::format("group {} of job {}", query.integer(0), query.integer(1)));
        query.reset();
        auto made = db_.execute(
            "CREATE TEMP TABLE IF NOT EXISTS group_keys (number INTEGER PRIMARY KEY, first); "
            "DELETE FROM temp.group_keys;");
        if (!made) return made;
        std::string names;
        for (const auto field : core::all_task_fields)
            if (fields_.has(field)) names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(field));
        return db_
            .prepare(
                fmt::format("INSERT INTO temp.group_keys SELECT number, min(number) OVER (PARTITION BY {}) FROM groups "
                            "WHERE job = ?",
                            names.empty() ? "1" : names))
            .bind(job_)
            .run();
    }
    std::string matches() const { return fields_.all() ? matching_groups() : matching_keys(fields_); }

    result<std::vector<core::group_number>> groups_of(core::group_number first) const {
        std::vector<core::group_number> out;
        if (fields_.all()) return std::vector{first};
        auto query = db_.prepare("SELECT number FROM temp.group_keys WHERE first = ? ORDER BY number");
        query.bind(first);
        auto read = query.each([&] { out.push_back(static_cast<core::group_number>(query.integer(0))); });
        if (!read) return read.error();
        return out;
    }
    result<core::group_number> first_of(core::group_number group) const {
        if (fields_.all()) return group;
        auto query = db_.prepare("SELECT first FROM temp.group_keys WHERE number = ?");
        auto found = query.bind(group).next();
        if (!found) return found.error();
        if (!*found) return damaged(db_, fmt::format("group {} of job {}", group, job_));
        return static_cast<core::group_number>(query.integer(0));
    }
    core::task_fields fields() const { return fields_; }

 private:
    sqlite::database& db_;
    job_id job_;
    core::task_fields fields_;
};

result<core::task_details> details_of_group(sqlite::database& db, job_id job, core::group_number number) {
    static const std::string sql = fmt::format(
        "SELECT user_id, type, priority, status, due_at, note, {} FROM groups g WHERE job = ? AND number = ?",
        intact(sealed::groups, "g"));
    auto query = db.prepare(sql);
    auto found = query.bind(job, number).next();
    if (!found) return found.error();
    if (!*found || query.integer(6) == 0) return damaged(db, fmt::format("group {} of job {}", number, job));
    return read_details(query, 0);
}

// Calls `visit` for every group of the job that other jobs have too, with the contacts for whom they have its task.
template <class Visit>
result<void> each_shared_group(sqlite::database& db, job_id job, const group_keys& keys, Visit&& visit) {
    earlier_contacts earlier;
    core::group_number group = 0;  // whose earlier contacts are being gathered; 0: none yet
    const auto finish_group = [&]() -> result<void> {
        earlier.seal();
        if (!earlier.empty()) {
            auto all = keys.groups_of(group);
            if (!all) return all.error();
            for (const auto one : *all)
                if (auto r = visit(one, earlier); !r) return r;
        }
        earlier.clear();
        return {};
    };
    const auto load = [&](job_id theirs, std::int64_t which, bool kept) -> result<void> {
        if (!kept) return earlier.load(db, theirs, static_cast<core::group_number>(which));
        auto details = details_of_group(db, job, group);
        if (!details) return details.error();
        return load_kept(db, which, theirs, details->view(), keys.fields(), earlier);
    };
    auto matches = db.prepare(keys.matches());
    matches.bind(job);
    auto more = matches.next();
    for (; more && *more; more = matches.next()) {
        if (matches.integer(4) == 0) {
            return damaged(db, fmt::format("job {}, or its group or keys {}", matches.integer(1), matches.integer(2)));
        }
        const auto number = static_cast<core::group_number>(matches.integer(0));
        if (number != group) {
            if (auto r = finish_group(); !r) return r;
            group = number;
        }
        if (auto r = load(matches.integer(1), matches.integer(2), matches.integer(3) != 0); !r) return r;
    }
    if (!more) return more.error();
    return finish_group();
}

// Duplicates are found group by group, and kept by row: sorting them once beats writing all over the table.
result<void> start_duplicates(sqlite::database& db) {
    return db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS new_duplicates (row, line, contact_id, group_number, of_job, "
        "of_row); "
        "DELETE FROM temp.new_duplicates;");
}

result<void> note_duplicate(sqlite::database& db, core::group_number group, const core::chunk_rows& of,
                            std::size_t index, earlier_row first) {
    return db.prepare("INSERT INTO temp.new_duplicates VALUES (?,?,?,?,?,?)")
        .bind(of.rows[index], of.lines[index], of.contact_ids[index], group, first.job, first.row)
        .run();
}

// Moves the duplicates found to their table, and has the rows of this input that were duplicates of them point to the
// other job's row too: a duplicate is always of a row that has the task.
result<void> keep_duplicates(sqlite::database& db, job_id job) {
    static const std::string move = fmt::format(
        "INSERT INTO duplicates (job, row, line, contact_id, group_number, of_job, of_row, checksum) "
        "SELECT ?1, row, line, contact_id, group_number, of_job, of_row, {} FROM temp.new_duplicates ORDER BY row",
        row_check_of({"?1", "row", "line", "contact_id", "group_number", "of_job", "of_row"}));
    auto moved = db.prepare(move).bind(job).run();
    if (!moved || db.changes() == 0) return moved;
    static const std::string count = sealed_update(sealed::jobs, {{"duplicates", "duplicates + ?1"}}, "WHERE id = ?2");
    if (auto r = db.prepare(count).bind(db.changes(), job).run(); !r) return r;
    if (db.changes() == 0) return damaged(db, fmt::format("job {}", job));
    static const std::string point =
        sealed_update(sealed::duplicates, {{"of_job", "first.of_job"}, {"of_row", "first.of_row"}},
                      "FROM duplicates first WHERE duplicates.job = ?1 AND duplicates.of_job = ?1 AND first.job = ?1 "
                      "AND first.row = duplicates.of_row");
    if (auto r = db.prepare(point).bind(job).run(); !r) return r;
    return db.execute("DELETE FROM temp.new_duplicates;");
}

// Collected before they are worked on: the table must not change under a query.
result<std::vector<chunk_id>> chunk_ids(sqlite::statement query) {
    std::vector<chunk_id> out;
    if (auto r = query.each([&] { out.push_back(query.integer(0)); }); !r) return r.error();
    return out;
}

void append(core::chunk_rows& to, const core::chunk_rows& from, std::size_t index) {
    to.contact_ids.push_back(from.contact_ids[index]);
    to.rows.push_back(from.rows[index]);
    to.lines.push_back(from.lines[index]);
}

// Cuts one group's chunks anew without the rows that earlier jobs have. Chunks before the first such row stay.
class group_cutter {
 public:
    group_cutter(sqlite::database& db, job_id job, core::group_number group, std::uint32_t chunk_size)
        : db_(db), job_(job), group_(group), chunk_size_(chunk_size) {}

    result<void> run(const earlier_contacts& earlier) {
        auto query = db_.prepare("SELECT id FROM chunks WHERE job = ? AND group_number = ? ORDER BY part");
        query.bind(job_, group_);
        auto ids = chunk_ids(std::move(query));
        if (!ids) return ids.error();
        for (const auto id : *ids) {
            if (auto r = take(id, earlier); !r) return r;
        }
        return left_.rows.empty() ? result<void>() : flush();
    }

 private:
    result<void> take(chunk_id id, const earlier_contacts& earlier) {
        auto rows = read_contacts(db_, id);
        if (!rows) return rows.error();
        std::vector<std::optional<earlier_row>> found;
        bool any = false;
        for (const auto contact : rows->contact_ids) {
            found.push_back(earlier.find(contact));
            any |= found.back().has_value();
        }
        if (!cutting_ && !any) {
            ++part_;
            return {};
        }
        cutting_ = true;
        if (auto r = remove(id); !r) return r;
        for (std::size_t i = 0; i < rows->size(); ++i) {
            if (auto r = found[i] ? note_duplicate(db_, group_, *rows, i, *found[i]) : keep(*rows, i); !r) return r;
        }
        return {};
    }

    result<void> remove(chunk_id id) {
        if (auto r = db_.prepare("DELETE FROM packed_contacts WHERE chunk = ?").bind(id).run(); !r) return r;
        return db_.prepare("DELETE FROM chunks WHERE id = ?").bind(id).run();
    }

    result<void> keep(const core::chunk_rows& from, std::size_t index) {
        append(left_, from, index);
        return left_.size() < chunk_size_ ? result<void>() : flush();
    }

    result<void> flush() {
        new_chunk chunk;
        chunk.job = job_;
        chunk.group = group_;
        chunk.part = part_++;
        auto done = insert_chunk(db_, chunk, left_);
        left_ = {};
        return done ? result<void>() : done.error();
    }

    sqlite::database& db_;
    job_id job_;
    core::group_number group_;
    std::uint32_t chunk_size_;
    std::uint32_t part_ = 0;
    bool cutting_ = false;
    core::chunk_rows left_;
};

// Takes one refused chunk back into the plan. Where some of its rows have a task, or others have one for them by now,
// it is split: those with a task stay, what others have becomes duplicates, and what is left moves to a child.
class chunk_reopener {
 public:
    chunk_reopener(sqlite::database& db, job_id job, chunk_id id) : db_(db), job_(job), id_(id) {}

    // `group`: the chunk's, for the others' contacts.
    result<void> run(core::group_number group, const earlier_contacts& others) {
        auto rows = read_contacts(db_, id_);
        if (!rows) return rows.error();
        auto tasks = read_tasks(db_, id_);
        if (!tasks) return tasks.error();
        core::chunk_rows left;
        for (std::size_t i = 0; i < rows->size(); ++i) {
            if (i < tasks->size() && !(*tasks)[i].empty()) continue;
            if (const auto first = others.find(rows->contact_ids[i])) {
                if (auto r = note_duplicate(db_, group, *rows, i, *first); !r) return r;
            } else {
                append(left, *rows, i);
            }
        }
        if (left.size() == rows->size()) return {};
        return left.rows.empty() ? split() : move_to_child(left);
    }

 private:
    // A chunk without rows of its own, but for those with a task.
    result<void> split() {
        static const std::string sql = sealed_update(sealed::chunks,
                                                     {{"state", "'split'"},
                                                      {"not_before", "NULL"},
                                                      {"code", "''"},
                                                      {"message", "''"},
                                                      {"settled_at", "iif(created_count > 0, settled_at, NULL)"}},
                                                     "WHERE id = ?1");
        if (auto r = db_.prepare(sql).bind(id_).run(); !r) return r;
        return db_.changes() == 1 ? result<void>() : damaged_chunk(db_, id_);
    }

    result<void> move_to_child(const core::chunk_rows& rows) {
        auto query = db_.prepare(
            "SELECT group_number, part, requests > 0 OR requested_before, possible_duplicate FROM chunks WHERE id = ?");
        auto found = query.bind(id_).next();
        if (!found) return found.error();
        new_chunk child;
        child.job = job_;
        child.parent = id_;
        child.group = static_cast<core::group_number>(query.integer(0));
        child.part = static_cast<std::uint32_t>(query.integer(1));
        child.requested_before = query.integer(2) != 0;
        child.possible_duplicate = query.integer(3) != 0;
        if (auto r = insert_chunk(db_, child, rows); !r) return r.error();
        return split();
    }

    sqlite::database& db_;
    job_id job_;
    chunk_id id_;
};

result<void> reopen_each(sqlite::database& db, job_id job, sqlite::statement refused, core::group_number group,
                         const earlier_contacts& others) {
    auto ids = chunk_ids(std::move(refused));
    if (!ids) return ids.error();
    for (const auto id : *ids) {
        if (auto r = chunk_reopener(db, job, id).run(group, others); !r) return r;
    }
    return {};
}

// Rows that are taken back into the plan, by their groups.
using rows_by_group = std::map<core::group_number, core::chunk_rows>;

// Takes the rows out of the table of duplicates.
result<rows_by_group> remove_duplicates(sqlite::database& db, job_id job, std::span<const open_duplicate> rows) {
    static const std::string sql =
        fmt::format("DELETE FROM duplicates WHERE job = ? AND row = ? RETURNING line, contact_id, group_number, {}",
                    intact(sealed::duplicates, "duplicates"));
    rows_by_group out;
    auto remove = db.prepare(sql);
    for (const auto& one : rows) {
        auto found = remove.bind(job, one.row).next();
        if (!found) return found.error();
        if (!*found || remove.integer(3) == 0)
            return damaged(db, fmt::format("duplicate row {} of job {}", one.row, job));
        auto& group = out[static_cast<core::group_number>(remove.integer(2))];
        group.rows.push_back(one.row);
        group.lines.push_back(remove.number(0));
        group.contact_ids.push_back(remove.text(1));
        remove.reset();
    }
    static const std::string count = sealed_update(sealed::jobs, {{"duplicates", "duplicates - ?1"}}, "WHERE id = ?2");
    if (auto r = db.prepare(count).bind(rows.size(), job).run(); !r) return r.error();
    if (db.changes() == 0) return damaged(db, fmt::format("job {}", job));
    return out;
}

// Leaves out what third jobs have by now.
result<void> drop_what_others_have(sqlite::database& db, job_id job, const group_keys& keys, rows_by_group& groups) {
    return each_shared_group(db, job, keys,
                             [&](core::group_number number, const earlier_contacts& others) -> result<void> {
                                 const auto group = groups.find(number);
                                 if (group == groups.end()) return {};
                                 core::chunk_rows left;
                                 for (std::size_t i = 0; i < group->second.size(); ++i) {
                                     const auto first = others.find(group->second.contact_ids[i]);
                                     if (!first)
                                         append(left, group->second, i);
                                     else if (auto r = note_duplicate(db, number, group->second, i, *first); !r)
                                         return r;
                                 }
                                 group->second = std::move(left);
                                 return {};
                             });
}

// Of several rows that ask for the same task the first gets it, and the others are its duplicates: all of them were
// those of the other job's row.
result<rows_by_group> first_of_each(sqlite::database& db, job_id job, const group_keys& keys,
                                    const rows_by_group& groups) {
    struct place {
        row_number row;
        core::group_number group, key;
        std::size_t index;
    };
    std::vector<place> all;
    for (const auto& [group, rows] : groups) {
        auto key = keys.first_of(group);
        if (!key) return key.error();
        for (std::size_t i = 0; i < rows.size(); ++i)
            all.push_back({rows.rows[i], group, *key, i});
    }
    std::sort(all.begin(), all.end(), [](const place& a, const place& b) { return a.row < b.row; });
    std::map<std::pair<core::group_number, std::string_view>, row_number> seen;
    rows_by_group out;
    for (const auto& one : all) {
        const auto& rows = groups.at(one.group);
        const auto [at, fresh] = seen.try_emplace({one.key, rows.contact_ids[one.index]}, one.row);
        if (fresh)
            append(out[one.group], rows, one.index);
        else if (auto r = note_duplicate(db, one.group, rows, one.index, {job, at->second}); !r)
            return r.error();
    }
    return out;
}

result<void> add_to_plan(sqlite::database& db, job_id job, core::group_number group, std::uint32_t chunk_size,
                         const core::chunk_rows& rows) {
    auto query = db.prepare("SELECT coalesce(max(part) + 1, 0) FROM chunks WHERE job = ? AND group_number = ?");
    auto found = query.bind(job, group).next();
    if (!found) return found.error();
    new_chunk chunk;
    chunk.job = job;
    chunk.group = group;
    chunk.part = static_cast<std::uint32_t>(query.integer(0));
    const auto first_part = chunk.part;
    query.reset();
    for (std::size_t from = 0; from < rows.size(); from += chunk_size, ++chunk.part) {
        core::chunk_rows some;
        for (auto i = from; i < std::min<std::size_t>(rows.size(), from + chunk_size); ++i)
            append(some, rows, i);
        if (auto r = insert_chunk(db, chunk, some); !r) return r.error();
    }
    static const std::string more =
        sealed_update(sealed::jobs, {{"minimum_requests", "minimum_requests + ?1"}}, "WHERE id = ?2");
    return db.prepare(more).bind(chunk.part - first_part, job).run();
}

}  // namespace

result<void> take_back(sqlite::database& db, job_id job, std::uint32_t chunk_size, core::task_fields same_by,
                       std::span<const open_duplicate> rows) {
    if (rows.empty()) return {};
    if (auto r = start_duplicates(db); !r) return r;
    group_keys keys(db, job, same_by);
    if (auto r = keys.load(); !r) return r;
    auto groups = remove_duplicates(db, job, rows);
    if (!groups) return groups.error();
    if (auto r = drop_what_others_have(db, job, keys, *groups); !r) return r;
    auto left = first_of_each(db, job, keys, *groups);
    if (!left) return left.error();
    for (const auto& [number, of_group] : *left)
        if (auto r = add_to_plan(db, job, number, chunk_size, of_group); !r) return r;
    return keep_duplicates(db, job);
}

std::int64_t details_hash(const details_digest& digest) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i)
        out = out << 8 | digest[i];
    return static_cast<std::int64_t>(out);
}

std::int64_t details_hash(const core::task_view& details) {
    return details_hash(digest_of(details));
}

result<void> drop_rows_of_earlier_jobs(sqlite::database& db, job_id job, std::uint32_t chunk_size,
                                       core::task_fields same_by) {
    if (auto r = start_duplicates(db); !r) return r;
    group_keys keys(db, job, same_by);
    if (auto r = keys.load(); !r) return r;
    auto cut = each_shared_group(db, job, keys, [&](core::group_number group, const earlier_contacts& earlier) {
        return group_cutter(db, job, group, chunk_size).run(earlier);
    });
    if (!cut) return cut;
    return keep_duplicates(db, job);
}

result<void> reopen_refused_chunks(sqlite::database& db, job_id job, core::task_fields same_by) {
    if (auto r = start_duplicates(db); !r) return r;
    group_keys keys(db, job, same_by);
    if (auto r = keys.load(); !r) return r;
    auto shared = each_shared_group(db, job, keys, [&](core::group_number group, const earlier_contacts& others) {
        auto refused =
            db.prepare("SELECT id FROM chunks WHERE job = ? AND group_number = ? AND state = 'refused' ORDER BY id");
        refused.bind(job, group);
        return reopen_each(db, job, std::move(refused), group, others);
    });
    if (!shared) return shared;
    auto partial = db.prepare(
        "SELECT id FROM chunks WHERE job = ? AND state NOT IN ('planned', 'created') AND state = 'refused' "
        "AND created_count > 0 ORDER BY id");
    partial.bind(job);
    if (auto r = reopen_each(db, job, std::move(partial), 0, {}); !r) return r;
    // What is still refused goes again as it is.
    static const std::string whole =
        sealed_update(sealed::chunks,
                      {{"state", "'planned'"},
                       {"attempts", "0"},
                       {"not_before", "NULL"},
                       {"settled_at", "NULL"},
                       {"code", "''"},
                       {"message", "''"},
                       {"suspects", "0"},
                       {"refused_with", "0"},
                       {"partner", "0"}},
                      "WHERE job = ?1 AND state NOT IN ('planned', 'created') AND state = 'refused'");
    if (auto r = db.prepare(whole).bind(job).run(); !r) return r;
    // Whoever asks for a retry gives a new budget for finding what is refused.
    static const std::string fresh =
        sealed_update(sealed::chunks, {{"code", "''"}},
                      "WHERE job = ?1 AND state NOT IN ('planned', 'created') AND state = 'split' "
                      "AND code = 'isolating'");
    if (auto r = db.prepare(fresh).bind(job).run(); !r) return r;
    return keep_duplicates(db, job);
}

namespace {

class loaded_contacts final : public contact_lookup {
 public:
    bool contains(std::string_view contact) const override { return all.find(contact).has_value(); }
    earlier_contacts all;
};

}  // namespace

result<std::optional<similar_group>> find_newest_like(sqlite::database& db, const std::string& base_url,
                                                      const std::string& team, const core::task_view& details,
                                                      core::task_fields fields, job_id own) {
    constexpr int jobs_looked_at = 10, most_groups = 2000;
    constexpr std::size_t most_contacts = 500'000;
    const auto same = fields.without(core::task_field::due_at);
    auto query = db.prepare(
        "SELECT e.job, e.number, e.user_id, e.type, e.priority, e.status, e.due_at, e.note FROM "
        "(SELECT id FROM jobs WHERE base_url = ? AND team = ? AND id <> ? AND state <> 'planning' AND pruned_at IS "
        "NULL "
        "AND groups <= ? ORDER BY id DESC LIMIT ?) j CROSS JOIN groups e ON e.job = j.id "
        "ORDER BY e.job DESC, e.number");
    query.bind(base_url, team, own, most_groups, jobs_looked_at);
    similar_group out;
    auto contacts = std::make_shared<loaded_contacts>();
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        if (out.job != 0 && query.integer(0) != out.job) break;
        if (contacts->all.size() > most_contacts) break;
        const auto theirs = read_details(query, 2);
        if (core::only(theirs.view(), same) != core::only(details, same)) continue;
        if (out.job == 0) {
            out.job = query.integer(0);
            out.due_at = theirs.due_at;
        }
        auto loaded = contacts->all.load(db, out.job, static_cast<core::group_number>(query.integer(1)));
        if (!loaded) return loaded.error();
    }
    if (!more) return more.error();
    if (out.job == 0) return std::optional<similar_group>();
    contacts->all.seal();
    out.contacts = std::move(contacts);
    return std::optional(std::move(out));
}

}  // namespace taskbarge::ledger
