// Looking through the whole ledger for what is not as it was written.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/checksums.hpp"
#include "ledger/chunk_columns.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

// Findings that are named; the others are counted.
constexpr std::size_t most_named = 20;

class inspection {
 public:
    inspection(sqlite::database& db, const std::function<bool()>& go_on) : db_(db), go_on_(go_on) {}

    result<ledger_condition> run() {
        if (auto r = ask_sqlite(); !r) return r.error();
        for (const auto& one : sealed_rows()) {
            if (auto r = compare(one); !r) return r.error();
        }
        if (auto r = compare_parts(); !r) return r.error();
        for (const auto& one : orphans()) {
            if (auto r = list(one.sql, one.what, one.of); !r) return r.error();
        }
        if (auto r = add_up(); !r) return r.error();
        return std::move(out_);
    }

 private:
    struct table_rows {
        std::string sql;        // key, whether it is intact
        std::string_view what;  // "chunk {}"
    };
    struct orphan_rows {
        std::string_view sql;  // up to two numbers that name the row
        std::string_view what, of;
    };

    static const std::vector<table_rows>& sealed_rows() {
        const auto rows = [](sealed which, std::string_view key, std::string_view from, std::string_view alias) {
            return fmt::format("SELECT {}, {} IS 1 FROM {}", key, intact(which, alias), from);
        };
        static const std::vector<table_rows> all{
            {rows(sealed::jobs, "id, 0", "jobs j", "j"), "job {}"},
            {rows(sealed::files, "ordinal + 1, job", "files f", "f"), "file {} of job {}"},
            {rows(sealed::groups, "number, job", "groups g", "g"), "group {} of job {}"},
            {rows(sealed::chunks, "id, job", "chunks c", "c"), "chunk {} of job {}"},
            {rows(sealed::packed_contacts, "k.chunk, coalesce(c.job, 0)",
                  "packed_contacts k LEFT JOIN chunks c ON c.id = k.chunk", "k"),
             "contacts of chunk {} of job {}"},
            {rows(sealed::packed_tasks, "t.chunk, coalesce(c.job, 0)",
                  "packed_tasks t LEFT JOIN chunks c ON c.id = t.chunk", "t"),
             "tasks of chunk {} of job {}"},
            {rows(sealed::duplicates, "row, job", "duplicates d", "d"), "duplicate row {} of job {}"},
            {rows(sealed::rejects, "row, job", "rejects r", "r"), "rejected row {} of job {}"},
            {rows(sealed::kept_keys, "id, job", "kept_keys k", "k"), "kept keys {} of job {}"},
        };
        return all;
    }

    static std::vector<orphan_rows> orphans() {
        return {
            {"SELECT t.chunk, 0 FROM packed_tasks t LEFT JOIN chunks c ON c.id = t.chunk WHERE c.id IS NULL",
             "tasks of chunk {}", "the chunk is missing"},
            {"SELECT c.id, c.job FROM chunks c LEFT JOIN jobs j ON j.id = c.job WHERE j.id IS NULL",
             "chunk {} of job {}", "the job is missing"},
            {"SELECT c.id, c.job FROM chunks c LEFT JOIN groups g ON g.job = c.job AND g.number = c.group_number "
             "LEFT JOIN jobs j ON j.id = c.job WHERE g.job IS NULL AND j.pruned_at IS NULL",
             "chunk {} of job {}", "its group is missing"},
            {"SELECT g.number, g.job FROM groups g LEFT JOIN jobs j ON j.id = g.job WHERE j.id IS NULL",
             "group {} of job {}", "the job is missing"},
            {"SELECT d.row, d.job FROM duplicates d LEFT JOIN jobs j ON j.id = d.job WHERE j.id IS NULL",
             "duplicate row {} of job {}", "the job is missing"},
            {"SELECT r.row, r.job FROM rejects r LEFT JOIN jobs j ON j.id = r.job WHERE j.id IS NULL",
             "rejected row {} of job {}", "the job is missing"},
            {"SELECT f.ordinal + 1, f.job FROM files f LEFT JOIN jobs j ON j.id = f.job WHERE j.id IS NULL",
             "file {} of job {}", "the job is missing"},
            {"SELECT a.id, a.job FROM attempts a LEFT JOIN chunks c ON c.id = a.chunk LEFT JOIN jobs j ON j.id = a.job "
             "WHERE j.id IS NULL OR (c.job IS NOT a.job AND j.pruned_at IS NULL)",
             "request {} of job {}", "its chunk is missing"},
            {"SELECT count(*), 0 FROM ledger HAVING count(*) <> 1", "name of the ledger", "it has {} lines"},
        };
    }

    void find(std::string what, std::string_view text) {
        ++out_.damages;
        if (out_.named.size() < most_named) out_.named.push_back({std::move(what), std::string(text)});
    }

    // Not often: it may be a look at a signal.
    result<void> step() {
        if (++out_.rows % 1024 != 0 || go_on_()) return {};
        return core::failure{core::errc::interrupted, "interrupted: the ledger was not looked through"};
    }

    // A file whose pages do not hang together ends many a query with an error of its own: that is a finding, too.
    result<void> read(std::string_view sql, const std::string& what,
                      const std::function<void(const sqlite::statement&)>& visit) {
        auto query = db_.prepare(sql);
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            if (auto r = step(); !r) return r;
            visit(query);
        }
        if (!more) find(what, more.error().text);
        return {};
    }

    result<void> ask_sqlite() {
        return read("PRAGMA integrity_check(20)", "file", [this](const sqlite::statement& row) {
            if (row.text(0) != "ok") find("file", row.text(0));
        });
    }

    result<void> compare(const table_rows& of) {
        return read(of.sql, "table", [&](const sqlite::statement& row) {
            if (row.integer(2) == 0)
                find(fmt::format(fmt::runtime(of.what), row.integer(0), row.integer(1)), "is not as it was written");
        });
    }

    result<void> list(std::string_view sql, std::string_view what, std::string_view text) {
        return read(sql, "table", [&](const sqlite::statement& row) {
            find(fmt::format(fmt::runtime(what), row.integer(0), row.integer(1)),
                 fmt::format(fmt::runtime(text), row.integer(0)));
        });
    }

    // A chunk's contacts, rows and tasks are as many as it says.
    result<void> compare_parts() {
        const auto sql =
            "SELECT c.id, c.job, c.state, c.row_count, c.created_count, k.contact_ids, k.rows, k.lines, t.task_ids, "
            "k.chunk IS NULL, t.chunk IS NULL FROM chunks c LEFT JOIN packed_contacts k ON k.chunk = c.id "
            "LEFT JOIN packed_tasks t ON t.chunk = c.id";
        return read(sql, "table", [this](const sqlite::statement& row) {
            const auto what = [&] { return fmt::format("chunk {} of job {}", row.integer(0), row.integer(1)); };
            if (!core::parse_chunk_state(row.text(2))) find(what(), "has no state that there is");
            if (row.integer(9) != 0) return find(what(), "has lost its contacts");
            const auto contacts = read_rows(row, 5, 6, 7);
            if (contacts.size() != row.number(3) || contacts.contact_ids.size() != row.number(3))
                find(what(), "has more or fewer rows than it says");
            const auto tasks = row.integer(10) != 0 ? core::id_list() : read_ids(row, 8);
            std::uint64_t created = 0;
            for (const auto task : tasks)
                created += task.empty() ? 0 : 1;
            if (created != row.number(4)) find(what(), "has more or fewer tasks than it says");
        });
    }

    result<void> add_up() {
        const auto sql =
            "SELECT id, rows, rejected, duplicates, pruned_at IS NOT NULL, kept_created + kept_failed + kept_unknown, "
            "(SELECT coalesce(sum(iif(state = 'split', created_count, row_count)), 0) FROM chunks WHERE job = j.id), "
            "(SELECT count(*) FROM rejects WHERE job = j.id), (SELECT count(*) FROM duplicates WHERE job = j.id) "
            "FROM jobs j WHERE state <> 'planning'";
        return read(sql, "table", [this](const sqlite::statement& row) {
            const bool pruned = row.integer(4) != 0;
            const auto in_chunks = row.number(pruned ? 5 : 6);
            const bool sums = row.number(1) == in_chunks + row.number(2) + row.number(3);
            const bool others = pruned || (row.number(2) == row.number(7) && row.number(3) == row.number(8));
            if (!sums || !others) find(fmt::format("job {}", row.integer(0)), "its rows do not add up");
        });
    }

    sqlite::database& db_;
    const std::function<bool()>& go_on_;
    ledger_condition out_;
};

}  // namespace

result<ledger_condition> sqlite_ledger::inspect(const std::function<bool()>& go_on) {
    return db_->atomically(access::read, [&] { return inspection(*db_, go_on).run(); });
}

}  // namespace taskbarge::ledger
