// Going on with a ledger that may be an older copy of itself.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/checksums.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

constexpr std::string_view message =
    "the ledger may not know that this was sent: it is looked up in Apollo before anything is sent";

// The planned chunks of the job become doubtful. Those that were in doubt may have been sent again since; what an
// answer left out is not sent again in any case.
result<void> doubt_planned(sqlite::database& db, job_id job) {
    static const std::string sql = sealed_update(
        sealed::chunks, {{"state", "'doubtful'"}, {"not_before", "NULL"}, {"code", "?1"}, {"message", "?2"}},
        "WHERE job = ?3 AND state IN ('planned', 'doubtful') AND code <> 'missing_in_answer'");
    return db.prepare(sql).bind(ledger_accepted, message, job).run();
}

}  // namespace

result<bool> sqlite_ledger::suspect() {
    auto asked = db_->integer("SELECT suspect FROM ledger");
    if (!asked) return asked.error();
    return *asked != 0;
}

result<void> sqlite_ledger::doubt_plan(job_id job) {
    auto asked = suspect();
    if (!asked) return asked.error();
    return *asked ? doubt_planned(*db_, job) : result<void>();
}

result<accepted_ledger> sqlite_ledger::accept() {
    std::optional<witness_line> known;
    if (guard_) {
        // One that cannot be read is replaced: that is what the person who accepts was told of.
        if (auto read = guard_->beside.read()) known = *read;
    }
    event_number events = 0;
    auto done = db_->atomically(access::write, [&]() -> result<accepted_ledger> {
        auto held = locks_.any_held();
        if (!held) return held.error();
        if (*held) {
            return core::failure{core::errc::job_held,
                                 "a process works on a job of this ledger: stop it first, then accept"};
        }
        accepted_ledger out;
        auto query = db_->prepare(
            "SELECT j.id, count(*), sum(c.row_count - c.created_count) FROM jobs j "
            "JOIN chunks c ON c.job = j.id AND c.state IN ('planned', 'doubtful') "
            "WHERE j.state NOT IN ('planning', 'completed') GROUP BY j.id");
        std::vector<job_id> jobs;
        auto read = query.each([&] {
            jobs.push_back(query.integer(0));
            out.chunks += query.number(1);
            out.rows += query.number(2);
        });
        if (!read) return read.error();
        out.jobs = jobs.size();
        for (const auto job : jobs)
            if (auto r = doubt_planned(*db_, job); !r) return r.error();
        auto before = db_->integer("SELECT events FROM ledger");
        if (!before) return before.error();
        events = std::max(static_cast<event_number>(*before), known ? known->events : 0) + 1;
        if (auto r = db_->prepare("UPDATE ledger SET events = ?, suspect = 1").bind(events).run(); !r) return r.error();
        return out;
    });
    if (done && guard_)
        if (auto kept = guard_->beside.replace({guard_->id, events}); !kept) return kept.error();
    return done;
}

result<void> sqlite_ledger::trust() {
    return db_->atomically(access::write, [&] { return db_->prepare("UPDATE ledger SET suspect = 0").run(); });
}

}  // namespace taskbarge::ledger
