#include "ledger/open_duplicates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <tuple>

#include "ledger/checksums.hpp"
#include "ledger/chunk_columns.hpp"
#include "ledger/chunk_rows.hpp"

namespace taskbarge::ledger {

using core::job_id;
using core::result;
using core::row_number;
using core::row_state;

namespace {

// A row that became a duplicate of a row that became a duplicate, and so on: each step takes a retry of another job.
constexpr int most_steps = 100;

bool by_target(const pointing_row& a, const pointing_row& b) {
    return std::tie(a.of, a.row) < std::tie(b.of, b.row);
}

result<std::vector<pointing_row>> duplicates_of_others(sqlite::database& db, job_id job) {
    static const std::string sql =
        fmt::format("SELECT row, of_job, of_row, {} FROM duplicates d WHERE job = ? AND of_job <> job",
                    intact(sealed::duplicates, "d"));
    auto query = db.prepare(sql);
    query.bind(job);
    std::vector<pointing_row> out;
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        if (query.integer(3) == 0) return damaged(db, fmt::format("duplicate row {} of job {}", query.integer(0), job));
        out.push_back({query.number(0), {query.integer(1), query.number(2)}});
    }
    if (!more) return more.error();
    return out;
}

// What is known of a job without looking at its chunks.
struct job_look {
    bool all_created = false;  // each of its rows that is to have a task, or pruned
    bool has_duplicates = false;
};
result<job_look> look_at(sqlite::database& db, job_id job) {
    auto query = db.prepare(
        "SELECT pruned_at IS NOT NULL OR (state = 'completed' AND kept_created + rejected + duplicates = rows), "
        "duplicates > 0 FROM jobs WHERE id = ?");
    auto found = query.bind(job).next();
    if (!found) return found.error();
    if (!*found) return damaged(db, fmt::format("job {}, of whose rows others are duplicates", job));
    return job_look{query.integer(0) != 0, query.integer(1) != 0};
}

// Calls `visit(row, state)` for the rows of a job that have no task, in chunks that `may_matter` by where their rows
// are.
template <class May, class Visit>
result<void> each_open_row(sqlite::database& db, job_id job, row_state while_sending, May&& may_matter, Visit&& visit) {
    static const std::string sql = fmt::format(
        "SELECT id, state, created_count, {}, first_row, last_row, spread FROM chunks c WHERE job = ? AND state <> "
        "'split' AND created_count < "
        "row_count",
        intact(sealed::chunks, "c"));
    auto query = db.prepare(sql);
    query.bind(job);
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        const auto id = query.integer(0);
        const auto state = core::parse_chunk_state(query.text(1));
        if (query.integer(3) == 0 || !state) return damaged_chunk(db, id);
        if (!may_matter(span_of(query, 4))) continue;
        auto contacts = read_contacts(db, id);
        if (!contacts) return contacts.error();
        auto tasks = read_tasks(db, id);
        if (!tasks) return tasks.error();
        if (tasks->empty() && query.integer(2) > 0) return damaged_chunk(db, id);
        const auto open = core::state_of_open_row(*state, while_sending);
        for (std::size_t i = 0; i < contacts->size(); ++i)
            if (i >= tasks->size() || (*tasks)[i].empty()) visit(contacts->rows[i], open);
    }
    if (!more) return more.error();
    return {};
}

// The row that a row which is a duplicate itself asks for; nothing when it is none.
result<std::optional<earlier_row>> next_target(sqlite::database& db, const earlier_row& at) {
    static const std::string sql = fmt::format("SELECT of_job, of_row, {} FROM duplicates d WHERE job = ? AND row = ?",
                                               intact(sealed::duplicates, "d"));
    auto query = db.prepare(sql);
    auto found = query.bind(at.job, at.row).next();
    if (!found) return found.error();
    if (!*found) return std::optional<earlier_row>();
    if (query.integer(2) == 0) return damaged(db, fmt::format("duplicate row {} of job {}", at.row, at.job));
    return std::optional(earlier_row{query.integer(0), query.number(1)});
}

// Sorts out the duplicates of rows of one job: into `open` what has no task, into `on` what must be followed.
result<void> settle(sqlite::database& db, std::span<const pointing_row> of_one_job, const held_job_test& held,
                    std::vector<open_duplicate>& open, std::vector<pointing_row>& on) {
    const auto job = of_one_job.front().of.job;
    auto look = look_at(db, job);
    if (!look) return look.error();
    std::vector<bool> found(of_one_job.size());
    if (!look->all_created) {
        auto works = held(job);
        if (!works) return works.error();
        const auto while_sending = *works ? row_state::pending : row_state::unknown;
        const auto from = [&](row_number row) {
            return std::lower_bound(of_one_job.begin(), of_one_job.end(), pointing_row{0, {job, row}}, by_target);
        };
        const auto may_hold_one = [&](const row_span& span) {
            const auto next = from(span.first);
            return next != of_one_job.end() && next->of.row <= span.last;
        };
        auto read = each_open_row(db, job, while_sending, may_hold_one, [&](row_number row, row_state state) {
            auto at = from(row);
            for (; at != of_one_job.end() && at->of.row == row; ++at) {
                open.push_back({at->row, at->of, state});
                found[static_cast<std::size_t>(at - of_one_job.begin())] = true;
            }
        });
        if (!read) return read;
    }
    if (!look->has_duplicates) return {};
    for (std::size_t i = 0; i < of_one_job.size(); ++i) {
        if (found[i]) continue;
        auto next = next_target(db, of_one_job[i].of);
        if (!next) return next.error();
        if (*next) on.push_back({of_one_job[i].row, **next});
    }
    return {};
}

}  // namespace

result<std::vector<open_duplicate>> open_duplicates(sqlite::database& db, job_id job, const held_job_test& held) {
    auto all = duplicates_of_others(db, job);
    return all ? open_among(db, job, std::move(*all), held) : all.error();
}

result<std::vector<open_duplicate>> open_among(sqlite::database& db, job_id job, std::vector<pointing_row> duplicates,
                                               const held_job_test& held) {
    std::vector<open_duplicate> out;
    for (int step = 0; !duplicates.empty(); ++step) {
        if (step == most_steps) return damaged(db, fmt::format("duplicates of job {}: they are of each other", job));
        std::sort(duplicates.begin(), duplicates.end(), by_target);
        std::vector<pointing_row> on;
        for (auto from = duplicates.begin(); from != duplicates.end();) {
            const auto to =
                std::find_if(from, duplicates.end(), [&](const pointing_row& p) { return p.of.job != from->of.job; });
            if (auto r = settle(db, {from, to}, held, out, on); !r) return r.error();
            from = to;
        }
        duplicates = std::move(on);
    }
    std::sort(out.begin(), out.end(), [](const open_duplicate& a, const open_duplicate& b) { return a.row < b.row; });
    return out;
}

result<bool> asked_for_in_vain(sqlite::database& db, job_id job, const held_job_test& held) {
    std::vector<row_number> open;
    auto duplicates = open_duplicates(db, job, held);
    if (!duplicates) return duplicates.error();
    for (const auto& one : *duplicates)
        open.push_back(one.row);
    auto read = each_open_row(
        db, job, row_state::unknown, [](const row_span&) { return true; },
        [&](row_number row, row_state) { open.push_back(row); });
    if (!read) return read.error();
    if (open.empty()) return false;
    std::sort(open.begin(), open.end());
    auto query = db.prepare("SELECT of_row FROM duplicates WHERE of_job = ?1 AND job <> ?1");
    query.bind(job);
    auto more = query.next();
    for (; more && *more; more = query.next())
        if (std::binary_search(open.begin(), open.end(), query.number(0))) return true;
    return more;
}

void count_open_duplicates(const std::vector<open_duplicate>& open, core::row_counts& to) {
    for (const auto& one : open)
        ++(one.state == row_state::pending   ? to.duplicate_pending
           : one.state == row_state::unknown ? to.duplicate_unknown
                                             : to.duplicate_failed);
}

}  // namespace taskbarge::ledger
