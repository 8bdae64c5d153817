// Single rows and attempts of any time, for those who look rather than read.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "ledger/chunk_results.hpp"
#include "ledger/row_page.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using core::row_state;
using sqlite::access;

namespace {

// By how much the clock may have been set back between two attempts.
constexpr auto clock_slack = std::chrono::hours(1);

}  // namespace

result<row_page::place> sqlite_ledger::place_of(job_id job) {
    auto held = locks_.held(job);
    if (!held) return held.error();
    return row_page::place{*db_, job, *held ? row_state::pending : row_state::unknown,
                           [this](job_id other) { return locks_.held(other); }};
}

result<std::vector<row_result>> sqlite_ledger::rows(job_id job, const row_query& query) {
    return db_->atomically(access::read, [&]() -> result<std::vector<row_result>> {
        if (auto there = check_rows_there(job); !there) return there.error();
        const auto from = place_of(job);
        if (!from) return from.error();
        const std::function<bool()> always = [] { return true; };
        return row_page(*from, query, always).read();
    });
}

result<found_rows> sqlite_ledger::find_rows(const contact_names& contact, std::size_t most,
                                            const std::function<bool()>& go_on) {
    return db_->atomically(access::read, [&]() -> result<found_rows> {
        std::vector<job_id> jobs;
        auto query =
            db_->prepare("SELECT id FROM jobs WHERE state <> 'planning' AND pruned_at IS NULL ORDER BY id DESC");
        if (auto r = query.each([&] { jobs.push_back(query.integer(0)); }); !r) return r.error();
        found_rows out;
        row_query wanted;
        wanted.contact = contact;
        for (const auto job : jobs) {
            if (!go_on()) {
                out.more = true;
                break;
            }
            const auto from = place_of(job);
            if (!from) return from.error();
            wanted.most = most - out.rows.size() + 1;  // one more tells whether there are others
            row_page page(*from, wanted, go_on);
            auto rows = page.read();
            if (!rows) return rows.error();
            for (auto& row : *rows)
                out.rows.push_back({job, std::move(row)});
            out.more = page.cut() || out.rows.size() > most;
            if (out.more) break;
        }
        if (out.rows.size() > most) out.rows.resize(most);
        return out;
    });
}

result<found_rows> sqlite_ledger::rows_with_task(const std::string& task_id) {
    return db_->atomically(access::read, [&]() -> result<found_rows> {
        std::vector<std::pair<chunk_id, job_id>> chunks;
        auto query = db_->prepare(
            "SELECT t.chunk, c.job FROM packed_tasks t JOIN chunks c ON c.id = t.chunk JOIN jobs j ON j.id = c.job "
            "WHERE t.last_task >= ?1 AND t.first_task <= ?1 AND j.pruned_at IS NULL ORDER BY c.job DESC, t.chunk");
        query.bind(task_id);
        if (auto r = query.each([&] { chunks.emplace_back(query.integer(0), query.integer(1)); }); !r) return r.error();
        found_rows out;
        chunk_results chunk;
        auto reader = chunk_results::reader(*db_);
        for (const auto& [id, job] : chunks) {
            const auto from = place_of(job);
            if (!from) return from.error();
            if (auto r = chunk.load(*db_, reader, id, from->of_sending); !r) return r.error();
            while (chunk.advance()) {
                if (chunk.task_id() != task_id) continue;
                // Read as a page, which knows its file and key.
                row_query one;
                one.after = chunk.row() - 1;
                one.most = 1;
                const std::function<bool()> always = [] { return true; };
                auto rows = row_page(*from, one, always).read();
                if (!rows) return rows.error();
                for (auto& row : *rows)
                    out.rows.push_back({job, std::move(row)});
            }
        }
        return out;
    });
}

result<std::vector<history_point>> sqlite_ledger::history(const history_query& wanted) {
    if (wanted.step.count() <= 0 || wanted.to <= wanted.from) return bug("a history without length");
    std::vector<history_point> out;
    for (auto at = wanted.from; at < wanted.to; at += wanted.step)
        out.push_back({at, 0, 0, 0, 0});
    const auto point_of = [&](instant at) -> history_point* {
        if (at < wanted.from || at >= wanted.to) return nullptr;
        return &out[static_cast<std::size_t>((at - wanted.from) / wanted.step)];
    };
    return db_->atomically(access::read, [&]() -> result<std::vector<history_point>> {
        // A chunk's tasks count once, with its last attempt.
        auto query = db_->prepare(
            "SELECT a.started_at, coalesce(a.finished_at, a.started_at), a.written, a.result, "
            "iif(a.result IN ('throttled', 'not_sent') OR coalesce(a.finished_at, a.started_at) NOT BETWEEN ?2 AND ?3, "
            "0, coalesce((SELECT created_count FROM chunks c WHERE c.id = "
            "a.chunk AND (a.result = 'succeeded' OR NOT EXISTS (SELECT 1 FROM attempts b WHERE b.job = a.job AND "
            "b.chunk = a.chunk AND b.id > a.id))), 0)) "
            "FROM attempts a WHERE ?1 = 0 OR a.job = ?1 ORDER BY a.id DESC");
        query.bind(wanted.job.value_or(0), wanted.from, wanted.to);
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            const auto began = query.time(0), ended = query.time(1);
            if (ended < wanted.from - clock_slack) break;
            if (auto* const point = point_of(began)) point->requests += query.integer(2) != 0 ? 1 : 0;
            auto* const point = point_of(ended);
            if (!point) continue;
            const auto what = query.text(3);
            point->rate_limited += what == "throttled" ? 1 : 0;
            point->failed += what == "refused" || what == "doubtful" ? 1 : 0;
            point->created += query.number(4);
        }
        if (!more) return more.error();
        return out;
    });
}

}  // namespace taskbarge::ledger
