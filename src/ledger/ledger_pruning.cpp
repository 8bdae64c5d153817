// Pruning: finished jobs lose their rows, texts and attempts; their sums stay, and unless told otherwise their keys.
#include <fmt/format.h>

#include "ledger/checksums.hpp"
#include "ledger/kept_keys.hpp"
#include "ledger/sqlite_ledger.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

// Pages given back, and entries of kept_keys deleted, in one transaction: others write in between.
constexpr int pages_at_once = 1000;
constexpr int keys_at_once = 500;
constexpr int checkpoint_patience_ms = 2000;

core::failure cut_short() {
    return {core::errc::interrupted, "interrupted: what is pruned so far is whole, and the next prune goes on"};
}

// Whether a prune that was cut short left anything of the job.
result<bool> has_rows(sqlite::database& db, job_id job) {
    auto query = db.prepare(
        "SELECT EXISTS (SELECT 1 FROM chunks WHERE job = ?1) OR EXISTS (SELECT 1 FROM groups WHERE job = ?1) OR "
        "EXISTS (SELECT 1 FROM duplicates WHERE job = ?1) OR EXISTS (SELECT 1 FROM rejects WHERE job = ?1) OR "
        "EXISTS (SELECT 1 FROM attempts WHERE job = ?1)");
    auto found = query.bind(job).next();
    if (!found) return found.error();
    return query.integer(0) != 0;
}

// A look-up tells whose a task is by the tasks that the ledger knows: those of the same details are needed for as long
// as another job has such rows in doubt.
result<bool> needed_by_look_up(sqlite::database& db, job_id job) {
    auto query = db.prepare(
        "SELECT 1 FROM groups g JOIN groups d ON d.details_hash = g.details_hash AND d.job <> g.job "
        "JOIN chunks c ON c.job = d.job AND c.group_number = d.number AND c.state IN ('doubtful', 'sending') "
        "WHERE g.job = ? LIMIT 1");
    return query.bind(job).next();
}

result<bool> drop_some_keys(sqlite::database& db, job_id job) {
    auto gone = db.prepare("DELETE FROM kept_keys WHERE id IN (SELECT id FROM kept_keys WHERE job = ? LIMIT ?)")
                    .bind(job, keys_at_once)
                    .run();
    if (!gone) return gone.error();
    return db.changes() > 0;
}

result<void> forget_identity(sqlite::database& db, job_id job) {
    static const std::string sql = sealed_update(sealed::jobs,
                                                 {{"keys_forgotten", "1"},
                                                  {"input_sha256", "''"},
                                                  {"input_bytes", "0"},
                                                  {"settings_text", "''"},
                                                  {"relative_day", "''"}},
                                                 "WHERE id = ?1");
    return db.prepare(sql).bind(job).run();
}

// Calls `step` in transactions of their own, for as long as it says that there is more.
template <class Step>
result<void> in_steps(sqlite::database& db, const std::function<bool()>& go_on, Step&& step) {
    while (true) {
        if (!go_on()) return cut_short();
        core::fault_point("prune_step");
        auto more = db.atomically(access::write, [&]() -> result<bool> { return step(); });
        if (!more) return more.error();
        if (!*more) return {};
    }
}

// Deleted texts are overwritten, not only forgotten, while this lives.
class wiping {
 public:
    explicit wiping(sqlite::database& db) : db_(db), on_(db.execute("PRAGMA secure_delete = ON")) {}
    ~wiping() { (void)db_.execute("PRAGMA secure_delete = OFF"); }
    wiping(const wiping&) = delete;
    wiping& operator=(const wiping&) = delete;
    const result<void>& on() const { return on_; }

 private:
    sqlite::database& db_;
    result<void> on_;
};

}  // namespace

core::failure rows_pruned(job_id id, instant at) {
    return {core::errc::no_such_job,
            fmt::format("job {} was pruned on {}: its rows are gone, only its sums are left (taskbarge status {})", id,
                        core::to_rfc3339_seconds(at), id)};
}

result<void> sqlite_ledger::check_rows_there(job_id id) {
    auto query = db_->prepare("SELECT pruned_at FROM jobs WHERE id = ?");
    auto found = query.bind(id).next();
    if (!found) return found.error();
    if (!*found) return no_such_job(id);
    if (const auto at = query.optional_time(0)) return rows_pruned(id, *at);
    return {};
}

result<prune_candidate> sqlite_ledger::judge_candidate(const job_record& job, const prune_rules& rules) {
    prune_candidate out;
    out.job = job.id;
    out.finished_at = job.finished_at.value_or(instant{});
    out.pruned_before = job.pruned_at.has_value();
    auto sums = totals(job.id);
    if (!sums) return sums.error();
    out.totals = *sums;
    if (job.held) {
        out.why_not = prune_bar::held;
    } else if (!out.pruned_before) {
        auto needed = needed_by_look_up(*db_, job.id);
        if (!needed) return needed.error();
        if (*needed)
            out.why_not = prune_bar::look_up;
        else if (sums->rows.unknown > 0 && !rules.with_unknown)
            out.why_not = prune_bar::unknown_rows;
        else if (sums->rows.unknown + sums->rows.failed + sums->rows.open_duplicates() > 0) {
            auto asked_for = asked_for_in_vain(*db_, job.id, [this](job_id other) { return locks_.held(other); });
            if (!asked_for) return asked_for.error();
            if (*asked_for) out.why_not = prune_bar::asked_for;
        }
    }
    return out;
}

result<std::vector<prune_candidate>> sqlite_ledger::prune_candidates(const prune_rules& rules) {
    std::vector<prune_candidate> out;
    auto all = jobs();
    if (!all) return all.error();
    for (const auto& job : *all) {
        if (job.state != core::job_state::completed || !job.finished_at) continue;
        if (*job.finished_at >= rules.finished_before) continue;
        if (job.pruned_at && !(rules.forget_keys && !job.keys_forgotten)) {
            auto left = has_rows(*db_, job.id);
            if (!left) return left.error();
            if (!*left) continue;
        }
        auto judged = judge_candidate(job, rules);
        if (!judged) return judged.error();
        out.push_back(*judged);
    }
    return out;
}

// From this transaction on the job is pruned: its sums are these numbers, its keys those that were kept.
result<void> sqlite_ledger::mark_pruned(job_id job, instant now) {
    auto sums = totals(job);
    if (!sums) return sums.error();
    const auto& rows = sums->rows;
    if (rows.accounted() != rows.rows || rows.pending > 0) {
        return bug(fmt::format("job {} is completed, but its rows do not add up or are pending", job));
    }
    if (auto kept = keep_sums(job, *sums); !kept) return kept;
    if (auto r = db_->prepare("UPDATE jobs SET pruned_at = ? WHERE id = ?").bind(now, job).run(); !r) return r;
    static const std::string sql = sealed_update(sealed::files, {{"header", "''"}}, "WHERE job = ?1");
    return db_->prepare(sql).bind(job).run();
}

result<void> sqlite_ledger::prune_job(job_id id, bool forget_keys, instant now, const std::function<bool()>& go_on) {
    auto lock = lock_job(id);
    if (!lock) return lock.error();
    auto record = job(id);
    if (!record) return record.error();
    if (record->state != core::job_state::completed) {
        return bug(fmt::format("job {} is not finished and cannot be pruned", id));
    }
    const wiping wipe(*db_);
    if (!wipe.on()) return wipe.on();
    if (!record->pruned_at) {
        // Keys that a prune before this one kept without getting any further.
        if (auto r = in_steps(*db_, go_on, [&] { return drop_some_keys(*db_, id); }); !r) return r;
        if (!forget_keys) {
            key_keeper keys(*db_, id);
            if (auto r = in_steps(*db_, go_on, [&] { return keys.step(); }); !r) return r;
        }
        auto kept = db_->atomically(access::write, [&]() -> result<void> {
            if (auto r = mark_pruned(id, now); !r) return r;
            return forget_keys ? forget_identity(*db_, id) : result<void>();
        });
        if (!kept) return kept;
        core::fault_point("prune_marked");
    } else if (forget_keys && !record->keys_forgotten) {
        if (auto r = in_steps(*db_, go_on, [&] { return drop_some_keys(*db_, id); }); !r) return r;
        auto forgotten = db_->atomically(access::write, [&] { return forget_identity(*db_, id); });
        if (!forgotten) return forgotten;
    }
    return in_steps(*db_, go_on, [&] { return drop_some_rows(*db_, id); });
}

result<void> sqlite_ledger::shrink(const std::function<bool()>& go_on) {
    auto by_parts = db_->integer("PRAGMA auto_vacuum");
    if (!by_parts) return by_parts.error();
    if (*by_parts == 0) {
        // Made before files could shrink by parts. From then on this one can.
        if (auto r = db_->execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM"); !r) return r;
    }
    const auto give_back = [&]() -> result<bool> {
        if (auto r = db_->execute(fmt::format("PRAGMA incremental_vacuum({})", pages_at_once)); !r) return r.error();
        auto left = db_->integer("PRAGMA freelist_count");
        if (!left) return left.error();
        return *left > 0;
    };
    if (auto r = in_steps(*db_, go_on, give_back); !r) return r;
    // The file itself shrinks when the log is moved into it. Whoever reads just now puts that off to a later time.
    auto patience = db_->integer("PRAGMA busy_timeout");
    if (!patience) return patience.error();
    return db_->execute(
        fmt::format("PRAGMA busy_timeout = {}; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = {}",
                    checkpoint_patience_ms, *patience));
}

result<ledger_size> sqlite_ledger::size() {
    return db_->atomically(access::read, [&]() -> result<ledger_size> {
        auto page = db_->integer("PRAGMA page_size");
        if (!page) return page.error();
        auto pages = db_->integer("PRAGMA page_count");
        if (!pages) return pages.error();
        auto unused = db_->integer("PRAGMA freelist_count");
        if (!unused) return unused.error();
        return ledger_size{static_cast<std::uint64_t>(*pages * *page), static_cast<std::uint64_t>(*unused * *page)};
    });
}

}  // namespace taskbarge::ledger
