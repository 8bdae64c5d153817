// What became of a job's rows: sums, reasons, and every single one.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/open_duplicates.hpp"
#include "ledger/result_stream.hpp"
#include "ledger/side_rows.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using core::row_number;
using core::row_state;
using sqlite::access;

namespace {

// For the chunks that overlap one row; the rest of the results' memory is small and fixed.
constexpr std::uint64_t results_memory = 64ull << 20;

constexpr auto no_row = std::numeric_limits<row_number>::max();

// Reading a job from its first row to its last touches each page once: the large page cache would only fill up.
class small_cache {
 public:
    explicit small_cache(sqlite::database& db) : db_(db) {
        const auto usual = db_.integer("PRAGMA cache_size");
        if (!usual) return;
        usual_ = *usual;
        (void)db_.execute("PRAGMA cache_size = -2048");
    }
    ~small_cache() {
        if (usual_ != 0) (void)db_.execute("PRAGMA cache_size = " + std::to_string(usual_));
    }
    small_cache(const small_cache&) = delete;
    small_cache& operator=(const small_cache&) = delete;

 private:
    sqlite::database& db_;
    std::int64_t usual_ = 0;
};

// The rows of a job that are in no chunk, or a file's name: one table read in order of row beside the chunks.
class side_rows {
 public:
    // The statement's last column tells whether the row is intact.
    side_rows(sqlite::database& db, sqlite::statement query, int last_column, job_id job)
        : db_(db), query_(std::move(query)), last_column_(last_column) {
        query_.bind(job);
    }

    result<void> advance() {
        auto more = query_.next();
        if (!more) return more.error();
        row_ = *more ? query_.number(0) : no_row;
        if (*more && query_.integer(last_column_) == 0) return damaged(db_, fmt::format("row {}", row_));
        return {};
    }
    row_number row() const { return row_; }
    const sqlite::statement& query() const { return query_; }

 private:
    sqlite::database& db_;
    sqlite::statement query_;
    int last_column_;
    row_number row_ = no_row;
};

std::string duplicates_in_order() {
    return fmt::format("SELECT row, line, contact_id, of_job, of_row, {} FROM duplicates d WHERE job = ? ORDER BY row",
                       intact(sealed::duplicates, "d"));
}

std::string rejects_in_order() {
    return fmt::format(
        "SELECT row, line, contact_id, \"column\", code, message, raw, {} FROM rejects r WHERE job = ? "
        "ORDER BY row",
        intact(sealed::rejects, "r"));
}

// Chunks, duplicates and rejects in one order. A row stands in exactly one of them.
class all_rows {
 public:
    // `open`: the duplicates without a task, in order.
    all_rows(sqlite::database& db, job_id job, row_state of_sending, std::vector<open_duplicate> open)
        : db_(db),
          open_(std::move(open)),
          chunks_(db, job, of_sending, results_memory),
          duplicates_(db, db.prepare(duplicates_sql), 5, job),
          rejects_(db, db.prepare(rejects_sql), 7, job),
          keys_(db.prepare("SELECT row, key FROM row_keys WHERE job = ? ORDER BY row")) {
        keys_.bind(job);
    }

    // `expected`: how many rows there must be, where that is known.
    result<void> each(file_finder& files, std::optional<std::uint64_t> expected,
                      const std::function<bool(const row_result&)>& visit) {
        if (auto r = advance_chunks(); !r) return r;
        if (auto r = duplicates_.advance(); !r) return r;
        if (auto r = rejects_.advance(); !r) return r;
        if (auto r = advance_keys(); !r) return r;
        // A row that an index has lost, or shows twice, is in no checksum.
        for (row_number last = 0, count = 0;; ++count) {
            const auto first = std::min({chunk_row_, duplicates_.row(), rejects_.row()});
            if (first == no_row) return expected && *expected != count ? lost(*expected, count) : result<void>();
            if (first <= last) return damaged(db_, fmt::format("row {} is there twice", first));
            last = first;
            auto& out = first == chunk_row_ ? sent_ : other_;
            if (first == duplicates_.row()) {
                fill_duplicate(duplicates_.query(), out);
                explain_open(out);
            }
            if (first == rejects_.row()) fill_reject(rejects_.query(), out);
            out.file = files.file_of(first);
            if (auto r = find_key(out); !r) return r;
            if (!visit(out)) return {};
            if (auto r = advance_past(first); !r) return r;
        }
    }

 private:
    core::failure lost(std::uint64_t expected, std::uint64_t count) const {
        return damaged(db_, fmt::format("{} rows, of which {} are found", expected, count));
    }
    void explain_open(row_result& out) {
        while (next_open_ < open_.size() && open_[next_open_].row < out.row)
            ++next_open_;
        if (next_open_ == open_.size() || open_[next_open_].row != out.row) return;
        out.code = code_of(open_[next_open_]);
        out.message = message_of(open_[next_open_]);
    }
    result<void> advance_keys() {
        auto more = keys_.next();
        if (!more) return more.error();
        key_row_ = *more ? keys_.number(0) : no_row;
        return {};
    }
    result<void> find_key(row_result& out) {
        while (key_row_ < out.row)
            if (auto r = advance_keys(); !r) return r;
        out.contact_key = key_row_ == out.row ? keys_.text(1) : std::string_view();
        return {};
    }
    result<void> advance_chunks() {
        auto more = chunks_.next(sent_);
        if (!more) return more.error();
        chunk_row_ = *more ? sent_.row : no_row;
        return {};
    }
    result<void> advance_past(row_number row) {
        if (row == chunk_row_) return advance_chunks();
        if (row == duplicates_.row()) return duplicates_.advance();
        return rejects_.advance();
    }

    inline static const std::string duplicates_sql = duplicates_in_order(), rejects_sql = rejects_in_order();

    sqlite::database& db_;
    std::vector<open_duplicate> open_;
    std::size_t next_open_ = 0;
    result_stream chunks_;
    side_rows duplicates_, rejects_;
    sqlite::statement keys_;
    row_number chunk_row_ = no_row, key_row_ = no_row;
    row_result sent_, other_;
};

// Whether the row of a job j tells its sums: it was pruned, or it is completed and they account for all its rows
// without an unknown one or a duplicate without a task. Only a verify changes rows of a completed job, and unknown ones
// only; a retry makes it unfinished.
constexpr std::string_view sums_stand =
    "(j.pruned_at IS NOT NULL OR (j.state = 'completed' AND "
    "j.kept_created + j.kept_failed + j.rejected + j.duplicates = j.rows AND "
    "j.kept_duplicate_pending + j.kept_duplicate_unknown + j.kept_duplicate_failed = 0))";

struct job_sums {
    job_totals totals;
    bool planning = false;
    bool pruned = false;
    bool stand = false;
};

result<job_sums> read_job_sums(sqlite::database& db, job_id id) {
    static const std::string sql = fmt::format(
        "SELECT rows, rejected, duplicates, groups, minimum_requests, state = 'planning', pruned_at IS NOT NULL, {}, "
        "kept_created, kept_failed, kept_unknown, kept_requests, kept_retries, kept_rate_limited, "
        "kept_duplicate_pending, kept_duplicate_unknown, kept_duplicate_failed FROM jobs j WHERE id = ?",
        sums_stand);
    auto query = db.prepare(sql);
    auto found = query.bind(id).next();
    if (!found) return found.error();
    if (!*found) return no_such_job(id);
    job_sums out;
    out.totals.rows.rows = query.number(0);
    out.totals.rows.rejected = query.number(1);
    out.totals.rows.duplicate = query.number(2);
    out.totals.requests.groups = query.number(3);
    out.totals.requests.minimum_requests = query.number(4);
    out.planning = query.integer(5) != 0;
    out.pruned = query.integer(6) != 0;
    out.stand = query.integer(7) != 0;
    if (out.stand) {
        out.totals.rows.created = query.number(8);
        out.totals.rows.failed = query.number(9);
        out.totals.rows.unknown = query.number(10);
        out.totals.requests.requests = query.number(11);
        out.totals.requests.retries = query.number(12);
        out.totals.requests.rate_limited = query.number(13);
        out.totals.rows.duplicate_pending = query.number(14);
        out.totals.rows.duplicate_unknown = query.number(15);
        out.totals.rows.duplicate_failed = query.number(16);
    }
    return out;
}

// A planning keeps no sums until its commit: they are counted.
result<void> count_planning(sqlite::database& db, job_id id, job_totals& out) {
    auto query = db.prepare(
        "SELECT (SELECT count(*) FROM rejects WHERE job = ?1), (SELECT count(*) FROM duplicates WHERE job = ?1), "
        "(SELECT count(*) FROM groups WHERE job = ?1), (SELECT count(*) FROM chunks WHERE job = ?1)");
    auto found = query.bind(id).next();
    if (!found) return found.error();
    out.rows.rejected = query.number(0);
    out.rows.duplicate = query.number(1);
    out.requests.groups = query.number(2);
    out.requests.minimum_requests = query.number(3);
    return {};
}

// Adds the rows of a chunk that have no task yet, to where its state counts them.
void add_open_rows(chunk_state state, std::uint64_t open_rows, row_state of_sending, core::row_counts& out) {
    if (state == chunk_state::split) return;  // they are counted in the children
    core::count_of(out, core::state_of_open_row(state, of_sending)) += open_rows;
}

// One by one, as grouping by state would sort all of them first.
result<void> sum_chunks(sqlite::database& db, job_id id, row_state of_sending, job_totals& out) {
    auto query = db.prepare(
        "SELECT state, row_count, created_count, requests, throttled, requested_before FROM chunks WHERE job = ?");
    query.bind(id);
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        const auto state = core::parse_chunk_state(query.text(0));
        if (!state) return damaged(db, fmt::format("a chunk of job {}", id));
        const auto created = query.number(2), requests = query.number(3);
        add_open_rows(*state, query.number(1) - created, of_sending, out.rows);
        out.rows.created += created;
        out.requests.requests += requests;
        out.requests.rate_limited += query.number(4);
        const bool first_was_sent = requests > 0 && query.integer(5) == 0;
        out.requests.retries += requests - (first_was_sent ? 1 : 0);
    }
    if (!more) return more.error();
    return {};
}

row_state of_sending(bool held) {
    return held ? row_state::pending : row_state::unknown;
}

// All jobs whose own row tells their sums, without grouping: SQLite would sort them.
result<state_sums> sum_standing_jobs(sqlite::database& db) {
    static const std::string sql = fmt::format(
        "SELECT count(*), sum(rows), sum(rejected), sum(duplicates), sum(kept_created), sum(kept_failed), "
        "sum(kept_unknown) FROM jobs j WHERE {}",
        sums_stand);
    auto query = db.prepare(sql);
    auto found = query.next();
    if (!found) return found.error();
    state_sums out;
    out.state = core::job_state::completed;
    out.jobs = query.number(0);
    out.rows.rows = query.number(1);
    out.rows.rejected = query.number(2);
    out.rows.duplicate = query.number(3);
    out.rows.created = query.number(4);
    out.rows.failed = query.number(5);
    out.rows.unknown = query.number(6);
    return out;
}

state_sums& sums_of(std::vector<state_sums>& all, core::job_state state, bool paused) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const state_sums& one) { return one.state == state && one.paused == paused; });
    return found != all.end() ? *found : all.emplace_back(state_sums{state, paused, 0, {}});
}

struct chunk_reason {
    reason_count count;
    chunk_id example = 0;
};

result<std::vector<chunk_reason>> chunk_reasons(sqlite::database& db, job_id id, row_state sending) {
    std::vector<chunk_reason> out;
    // min() picks the chunk whose id is shown beside it.
    auto query = db.prepare(
        "SELECT state, code, sum(row_count - created_count), min(first_row), id, message FROM chunks "
        "WHERE job = ? AND state NOT IN ('planned', 'created') AND state IN ('refused', 'doubtful', 'sending') AND "
        "created_count < row_count "
        "GROUP BY state, code");
    query.bind(id);
    auto done = query.each([&] {
        const auto state =
            core::state_of_open_row(core::parse_chunk_state(query.text(0)).value_or(chunk_state::doubtful), sending);
        if (state == row_state::pending) return;
        auto& reason = out.emplace_back(chunk_reason{{state, query.string(1), query.number(2), 0, query.string(5)},
                                                     query.integer(4)})
                           .count;
        explain_left_in_flight(reason.state, reason.code, reason.example_message);
    });
    if (!done) return done.error();
    return out;
}

result<void> add_reject_reasons(sqlite::database& db, job_id id, std::vector<chunk_reason>& to) {
    auto query = db.prepare("SELECT code, count(*), min(row), message FROM rejects WHERE job = ? GROUP BY code");
    query.bind(id);
    return query.each([&] {
        to.push_back({{row_state::rejected, query.string(0), query.number(1), query.number(2), query.string(3)}, 0});
    });
}

void add_open_reasons(const std::vector<open_duplicate>& open, std::vector<chunk_reason>& to) {
    for (const auto state : {row_state::pending, row_state::unknown, row_state::failed}) {
        const auto is_it = [state](const open_duplicate& one) { return one.state == state; };
        const auto first = std::find_if(open.begin(), open.end(), is_it);
        if (first == open.end()) continue;
        const auto rows = static_cast<std::uint64_t>(std::count_if(first, open.end(), is_it));
        to.push_back({{row_state::duplicate, std::string(code_of(*first)), rows, first->row, message_of(*first)}, 0});
    }
}

// The first row of the chunk that has no task.
result<row_number> first_open_row(sqlite::database& db, chunk_id chunk) {
    auto contacts = read_contacts(db, chunk);
    if (!contacts) return contacts.error();
    auto tasks = read_tasks(db, chunk);
    if (!tasks) return tasks.error();
    for (std::size_t i = 0; i < contacts->size(); ++i) {
        if (i >= tasks->size() || (*tasks)[i].empty()) return contacts->rows[i];
    }
    return row_number{0};
}

}  // namespace

result<job_totals> sqlite_ledger::totals(job_id id) {
    return db_->atomically(access::read, [&]() -> result<job_totals> {
        auto sums = read_job_sums(*db_, id);
        if (!sums) return sums.error();
        if (sums->stand) return sums->totals;
        auto held = locks_.held(id);
        if (!held) return held.error();
        auto& out = sums->totals;
        if (sums->planning) {
            if (auto r = count_planning(*db_, id, out); !r) return r.error();
        }
        if (auto r = sum_chunks(*db_, id, of_sending(*held), out); !r) return r.error();
        if (sums->planning) out.rows.rows = out.rows.accounted();
        auto open = open_duplicates_of(id, out.rows.duplicate);
        if (!open) return open.error();
        count_open_duplicates(*open, out.rows);
        return out;
    });
}

result<std::vector<open_duplicate>> sqlite_ledger::open_duplicates_of(job_id job, std::uint64_t duplicates) {
    if (duplicates == 0) return std::vector<open_duplicate>();
    return open_duplicates(*db_, job, [this](job_id other) { return locks_.held(other); });
}

// Holds for completed jobs from then on, see sums_stand; before, they are not asked.
result<void> sqlite_ledger::keep_sums(job_id job, const job_totals& sums) {
    return db_
        ->prepare(
            "UPDATE jobs SET kept_created = ?, kept_failed = ?, kept_unknown = ?, kept_requests = ?, "
            "kept_retries = ?, kept_rate_limited = ?, kept_duplicate_pending = ?, kept_duplicate_unknown = ?, "
            "kept_duplicate_failed = ? WHERE id = ? AND pruned_at IS NULL")
        .bind(sums.rows.created, sums.rows.failed, sums.rows.unknown, sums.requests.requests, sums.requests.retries,
              sums.requests.rate_limited, sums.rows.duplicate_pending, sums.rows.duplicate_unknown,
              sums.rows.duplicate_failed, job)
        .run();
}

result<job_ends> sqlite_ledger::ends_of_jobs() {
    auto query = db_->prepare(
        "SELECT min(CASE WHEN state <> 'completed' THEN created_at END), "
        "max(CASE WHEN state = 'completed' THEN finished_at END) FROM jobs WHERE state <> 'planning'");
    auto found = query.next();
    if (!found) return found.error();
    return job_ends{query.optional_time(0), query.optional_time(1)};
}

result<std::vector<state_sums>> sqlite_ledger::sums_by_state() {
    static const std::string sql = fmt::format(
        "SELECT id, state, state <> 'completed' AND stop_code = ?, rows, rejected, duplicates, "
        "kept_duplicate_pending, kept_duplicate_unknown, kept_duplicate_failed FROM jobs j "
        "WHERE state <> 'planning' AND NOT {}",
        sums_stand);
    return db_->atomically(access::read, [&]() -> result<std::vector<state_sums>> {
        std::vector<state_sums> out;
        auto standing = sum_standing_jobs(*db_);
        if (!standing) return standing.error();
        if (standing->jobs > 0) out.push_back(*standing);
        auto query = db_->prepare(sql);
        query.bind(core::to_string(core::errc::paused));
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            const job_id job = query.integer(0);
            job_totals totals;
            totals.rows.rows = query.number(3);
            totals.rows.rejected = query.number(4);
            totals.rows.duplicate = query.number(5);
            // As they were when the job stopped last: they are not worth a look at each of them at each scrape.
            totals.rows.duplicate_pending = query.number(6);
            totals.rows.duplicate_unknown = query.number(7);
            totals.rows.duplicate_failed = query.number(8);
            auto held = locks_.held(job);
            if (!held) return held.error();
            if (auto r = sum_chunks(*db_, job, of_sending(*held), totals); !r) return r.error();
            const auto state = core::parse_job_state(query.text(1));
            if (!state) return damaged(*db_, fmt::format("job {}", job));
            auto& sums = sums_of(out, *state, query.integer(2) != 0);
            ++sums.jobs;
            sums.rows += totals.rows;
        }
        if (!more) return more.error();
        return out;
    });
}

result<std::vector<reason_count>> sqlite_ledger::reasons(job_id id, std::size_t most) {
    return db_->atomically(access::read, [&]() -> result<std::vector<reason_count>> {
        auto sums = read_job_sums(*db_, id);
        if (!sums) return sums.error();
        if (sums->pruned) return std::vector<reason_count>();
        auto held = locks_.held(id);
        if (!held) return held.error();
        auto found = chunk_reasons(*db_, id, of_sending(*held));
        if (!found) return found.error();
        if (auto r = add_reject_reasons(*db_, id, *found); !r) return r.error();
        auto open = open_duplicates_of(id, sums->totals.rows.duplicate);
        if (!open) return open.error();
        add_open_reasons(*open, *found);
        std::stable_sort(found->begin(), found->end(),
                         [](const chunk_reason& a, const chunk_reason& b) { return a.count.rows > b.count.rows; });
        if (found->size() > most) found->resize(most);
        std::vector<reason_count> out;
        for (auto& reason : *found) {
            if (reason.example != 0) {
                auto row = first_open_row(*db_, reason.example);
                if (!row) return row.error();
                reason.count.example_row = *row;
            }
            out.push_back(std::move(reason.count));
        }
        return out;
    });
}

result<void> sqlite_ledger::each_result(job_id job, const std::function<bool(const row_result&)>& each) {
    const small_cache cache(*db_);
    return db_->atomically(access::read, [&]() -> result<void> {
        if (auto there = check_rows_there(job); !there) return there;
        auto held = locks_.held(job);
        if (!held) return held.error();
        file_finder files;
        if (auto r = files.load(*db_, job); !r) return r;
        auto sums = read_job_sums(*db_, job);
        if (!sums) return sums.error();
        const auto expected = sums->planning ? std::nullopt : std::optional(sums->totals.rows.rows);
        // A planning has not counted them yet.
        auto open = open_duplicates_of(job, sums->planning ? 1 : sums->totals.rows.duplicate);
        if (!open) return open.error();
        return all_rows(*db_, job, of_sending(*held), std::move(*open)).each(files, expected, each);
    });
}

result<void> sqlite_ledger::each_reject(job_id job, const std::function<bool(const core::rejected_row&)>& each) {
    const small_cache cache(*db_);
    return db_->atomically(access::read, [&]() -> result<void> {
        if (auto there = check_rows_there(job); !there) return there;
        file_finder files;
        if (auto r = files.load(*db_, job); !r) return r;
        static const std::string sql = rejects_in_order();
        auto query = db_->prepare(sql);
        query.bind(job);
        core::rejected_row out;
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            if (query.integer(7) == 0) return damaged(*db_, fmt::format("row {}", query.integer(0)));
            out.number = query.number(0);
            out.at = {files.file_of(out.number), query.number(1)};
            out.contact_id = query.text(2);
            out.column = query.text(3);
            out.code = query.text(4);
            out.message = query.text(5);
            out.raw = query.bytes(6);
            if (!each(out)) return {};
        }
        if (!more) return more.error();
        return {};
    });
}

}  // namespace taskbarge::ledger
