#include "ledger/sqlite_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ledger/checksums.hpp"

namespace taskbarge::ledger {

using sqlite::access;

namespace {

std::string job_columns(std::string_view where) {
    static const std::string is_intact = intact(sealed::jobs, "j");
    return fmt::format(
        "SELECT id, base_url, team, input_sha256, input_bytes, settings_text, relative_day, state, created_at, "
        "finished_at, resume_at, stop_code, stop_message, chunk_size, groups, minimum_requests, pruned_at, "
        "keys_forgotten, {} FROM jobs j {}",
        is_intact, where);
}

result<job_record> read_job(const sqlite::database& db, const sqlite::statement& row) {
    job_record out;
    out.id = row.integer(0);
    const auto state = core::parse_job_state(row.text(7));
    if (!state || row.integer(18) == 0) return damaged(db, fmt::format("job {}", out.id));
    out.identity = {row.string(1), row.string(2), row.string(3), row.number(4), row.string(5), row.string(6)};
    out.state = *state;
    out.created_at = row.time(8);
    out.finished_at = row.optional_time(9);
    out.resume_at = row.optional_time(10);
    out.stop_code = row.string(11);
    out.stop_message = row.string(12);
    out.chunk_size = static_cast<std::uint32_t>(row.integer(13));
    out.groups = row.number(14);
    out.minimum_requests = row.number(15);
    out.pruned_at = row.optional_time(16);
    out.keys_forgotten = row.integer(17) != 0;
    return out;
}

result<void> read_window(sqlite::database& db, const book_key& key, core::window_kind kind, core::rate_window& out) {
    auto query = db.prepare(
        "SELECT request_limit, unlimited, used, heard, early, heard_at, opened_at, not_before, ends_at, end_known, "
        "shut FROM windows WHERE base_url = ? AND team = ? AND route = ? AND kind = ?");
    auto found = query.bind(key.base_url, key.team, key.route, core::to_string(kind)).next();
    if (!found) return found.error();
    if (!*found) return {};
    if (!query.is_null(0)) out.limit = query.number(0);
    out.unlimited = query.integer(1) != 0;
    out.used = query.number(2);
    out.heard = query.number(3);
    out.early = query.number(4);
    out.heard_at = query.optional_time(5);
    out.opened_at = query.optional_time(6);
    out.not_before = query.optional_time(7);
    out.ends_at = query.optional_time(8);
    out.end_known = query.integer(9) != 0;
    out.shut = query.integer(10) != 0;
    return {};
}

result<void> write_window(sqlite::database& db, const book_key& key, core::window_kind kind,
                          const core::rate_window& window) {
    return db.prepare("INSERT OR REPLACE INTO windows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .bind(key.base_url, key.team, key.route, core::to_string(kind), window.limit, window.unlimited, window.used,
              window.heard, window.early, window.heard_at, window.opened_at, window.not_before, window.ends_at,
              window.end_known, window.shut)
        .run();
}

}  // namespace

core::failure no_such_job(job_id id) {
    return {core::errc::no_such_job, fmt::format("the ledger has no job {}", id)};
}

core::failure bug(const std::string& text) {
    return {core::errc::internal, "ledger: " + text};
}

result<void> sqlite_ledger::check_job(job_id id) {
    auto query = db_->prepare("SELECT 1 FROM jobs WHERE id = ?");
    auto found = query.bind(id).next();
    if (!found) return found.error();
    if (!*found) return no_such_job(id);
    return {};
}

result<std::vector<job_record>> sqlite_ledger::read_jobs(sqlite::statement query) {
    return db_->atomically(access::read, [&]() -> result<std::vector<job_record>> {
        std::vector<job_record> out;
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            auto one = read_job(*db_, query);
            if (!one) return one.error();
            out.push_back(std::move(*one));
        }
        if (!more) return more.error();
        static const std::string files_sql =
            fmt::format("SELECT name, first_row, format, header, {} FROM files f WHERE job = ? ORDER BY ordinal",
                        intact(sealed::files, "f"));
        auto files = db_->prepare(files_sql);
        for (auto& record : out) {
            files.bind(record.id);
            bool whole = true;
            auto read = files.each([&] {
                record.files.push_back(files.string(0));
                record.file_notes.push_back({files.number(1), files.string(2), files.string(3)});
                whole = whole && files.integer(4) != 0;
            });
            if (!read) return read.error();
            if (!whole) return damaged(*db_, fmt::format("files of job {}", record.id));
            auto held = locks_.held(record.id);
            if (!held) return held.error();
            record.held = *held;
        }
        return out;
    });
}

result<std::vector<job_record>> sqlite_ledger::find_jobs(const std::string& base_url, const std::string& team,
                                                         std::uint64_t input_bytes, const std::string& input_sha256) {
    static const std::string sql = job_columns(
        "WHERE base_url = ?1 AND team = ?2 AND input_bytes = ?3 AND (?4 = '' OR input_sha256 = ?4) AND state <> "
        "'planning' ORDER BY id");
    auto query = db_->prepare(sql);
    query.bind(base_url, team, input_bytes, input_sha256);
    return read_jobs(std::move(query));
}

result<std::optional<job_record>> sqlite_ledger::job_of_origin(const std::string& origin) {
    // As the index says it, or it is not used.
    static const std::string sql = job_columns("WHERE origin = ? AND origin <> ''");
    auto query = db_->prepare(sql);
    query.bind(origin);
    auto found = read_jobs(std::move(query));
    if (!found) return found.error();
    if (found->empty()) return std::optional<job_record>();
    return std::optional(std::move(found->front()));
}

result<std::vector<job_record>> sqlite_ledger::jobs() {
    static const std::string sql = job_columns("WHERE state <> 'planning' ORDER BY id");
    return read_jobs(db_->prepare(sql));
}

result<std::vector<job_record>> sqlite_ledger::newest_jobs(const job_page& page) {
    static const std::string sql = job_columns("WHERE id < ? AND state IN (?, ?, ?) ORDER BY id DESC LIMIT ?");
    const auto wanted = [&](core::job_state state) {
        const bool listed = std::find(page.states.begin(), page.states.end(), state) != page.states.end();
        return listed ? core::to_string(state) : std::string_view();
    };
    std::vector<job_record> out;
    auto before = page.before > 0 ? page.before : std::numeric_limits<job_id>::max();
    while (out.size() < page.most) {
        auto query = db_->prepare(sql);
        query.bind(before, wanted(core::job_state::completed), wanted(core::job_state::parked),
                   wanted(core::job_state::failed), page.most);
        auto some = read_jobs(std::move(query));
        if (!some) return some.error();
        for (auto& job : *some) {
            before = job.id;
            if (page.held.value_or(job.held) == job.held && out.size() < page.most) out.push_back(std::move(job));
        }
        if (some->size() < page.most) break;
    }
    return out;
}

// Nothing but the row is read: a service asks for this whenever a run has ended.
result<std::vector<unfinished_job>> sqlite_ledger::unfinished_jobs() {
    return db_->atomically(access::read, [&]() -> result<std::vector<unfinished_job>> {
        std::vector<unfinished_job> out;
        auto query = db_->prepare(
            "SELECT id, base_url, team, stop_code = ?, resume_at FROM jobs WHERE state NOT IN ('planning', "
            "'completed') ORDER BY id");
        query.bind(core::to_string(core::errc::paused));
        auto read = query.each([&] {
            out.push_back({query.integer(0), query.string(1), query.string(2), false, query.integer(3) != 0,
                           query.optional_time(4)});
        });
        if (!read) return read.error();
        for (auto& job : out) {
            auto held = locks_.held(job.id);
            if (!held) return held.error();
            job.held = *held;
        }
        return out;
    });
}

// Asked for at each look around: no more than is needed of each.
result<std::vector<reopened_job>> sqlite_ledger::reopened_jobs() {
    std::vector<reopened_job> out;
    auto query = db_->prepare(
        "SELECT id, finished_at FROM jobs WHERE reopened <> 0 AND state = 'completed' AND pruned_at IS NULL ORDER BY "
        "id");
    auto read = query.each([&] { out.push_back({query.integer(0), query.optional_time(1)}); });
    if (!read) return read.error();
    return out;
}

result<job_record> sqlite_ledger::job(job_id id) {
    static const std::string sql = job_columns("WHERE id = ?");
    auto query = db_->prepare(sql);
    query.bind(id);
    auto found = read_jobs(std::move(query));
    if (!found) return found.error();
    if (found->empty()) return no_such_job(id);
    return std::move(found->front());
}

result<std::unique_ptr<job_lock>> sqlite_ledger::lock_job(job_id id) {
    if (auto known = check_job(id); !known) return known.error();
    return locks_.lock(id);
}

result<void> sqlite_ledger::set_job_state(job_id id, core::job_state state, std::optional<instant> resume_at,
                                          const std::string& stop_code, const std::string& stop_message, instant now) {
    const auto finished = state == core::job_state::completed ? std::optional(now) : std::nullopt;
    // Of an unfinished job they serve those who want no more than a view of all jobs. Before others are kept from
    // writing: whoever sets the state holds the job, and a row that is created stays so.
    auto sums = totals(id);
    if (!sums) return sums.error();
    return db_->atomically(access::write, [&]() -> result<void> {
        if (auto same = check_files(); !same) return same;
        auto done =
            db_->prepare(
                   "UPDATE jobs SET reopened = reopened OR finished_at IS NOT NULL, state = ?, finished_at = ?, "
                   "resume_at = ?, stop_code = ?, stop_message = ? WHERE id = ?")
                .bind(core::to_string(state), finished, resume_at, stop_code, stop_message, id)
                .run();
        if (!done) return done;
        if (db_->changes() == 0) return no_such_job(id);
        return keep_sums(id, *sums);
    });
}

result<void> sqlite_ledger::begin() {
    if (doomed_) return *doomed_;
    auto opened = db_->begin(access::write);
    begun_ = opened.has_value();
    intent_ = false;
    return opened;
}

result<void> sqlite_ledger::commit() {
    for (const auto& open : open_books_) {
        if (!open.changed) continue;
        if (auto kept = write_book(open.key, open.book); !kept) {
            rollback();
            return kept;
        }
    }
    auto ready = write_count();
    if (ready && intent_) ready = check_files();
    if (!ready) {
        rollback();
        return ready;
    }
    const bool tell = intent_ && guard_;
    const auto events = open_count_ ? open_count_->events : 0;
    open_books_.clear();
    open_count_.reset();
    begun_ = false;
    auto done = db_->commit();
    // Before the caller goes on, thus before the first byte of the request; after the commit, since a witness that is
    // ahead of the ledger would accuse it wrongly after a kill.
    if (!done || !tell) return done;
    auto told = guard_->beside.raise({guard_->id, events});
    // What was committed stands, and must not be tried again as if it did not.
    if (!told) doomed_ = told.error();
    return told;
}

result<void> sqlite_ledger::write_count() {
    if (!open_count_ || !open_count_->changed) return {};
    return db_->prepare("UPDATE ledger SET events = ?").bind(open_count_->events).run();
}

result<void> sqlite_ledger::check_files() const {
    if (!guard_) return {};
    if (guard_->how != witness_check::required) return bug("it was opened for looking, and cannot send");
    if (auto same = guard_->files.check(); !same) return same;
    // While this transaction is open nobody else counts, and the witness is never ahead of what is counted.
    const auto known = guard_->beside.read();
    if (!known) return known.error();
    if (!*known || !open_count_ || !open_count_->changed || (*known)->ledger != guard_->id) return {};
    if ((*known)->events < open_count_->events) return {};
    return core::failure{
        core::errc::ledger,
        fmt::format("ledger {}: an older copy was put in its place while this run was going on; start it "
                    "again to choose",
                    guard_->path)};
}

void sqlite_ledger::rollback() noexcept {
    open_books_.clear();
    open_count_.reset();
    begun_ = false;
    db_->rollback();
}

result<event_number> sqlite_ledger::events() {
    if (open_count_) return open_count_->events;
    auto counted = db_->integer("SELECT events FROM ledger");
    if (!counted) return counted.error();
    const auto out = static_cast<event_number>(*counted);
    if (begun_) open_count_ = {out, false};
    return out;
}

result<event_number> sqlite_ledger::next_event() {
    auto before = events();
    if (!before) return before;
    open_count_ = {*before + 1, true};
    return *before + 1;
}

sqlite_ledger::open_book* sqlite_ledger::find_open_book(const book_key& key) {
    const auto found = std::find_if(open_books_.begin(), open_books_.end(), [&](const open_book& open) {
        return open.key.route == key.route && open.key.team == key.team && open.key.base_url == key.base_url;
    });
    return found == open_books_.end() ? nullptr : &*found;
}

result<core::rate_book> sqlite_ledger::load_book(const book_key& key) {
    if (!begun_) return read_book(key);
    if (const auto* open = find_open_book(key)) return open->book;
    auto book = read_book(key);
    if (book) open_books_.push_back({key, *book, false});
    return book;
}

result<void> sqlite_ledger::save_book(const book_key& key, const core::rate_book& book) {
    if (!begun_) return write_book(key, book);
    if (auto* open = find_open_book(key)) {
        open->book = book;
        open->changed = true;
    } else {
        open_books_.push_back({key, book, true});
    }
    return {};
}

result<core::rate_book> sqlite_ledger::read_book(const book_key& key) {
    return db_->atomically(access::read, [&]() -> result<core::rate_book> {
        core::rate_book out;
        auto query = db_->prepare(
            "SELECT in_flight, in_flight_before, flight_mark, others_seen_at, refusals FROM books "
            "WHERE base_url = ? AND team = ? AND route = ?");
        auto found = query.bind(key.base_url, key.team, key.route).next();
        if (!found) return found.error();
        if (!*found) return out;
        out.in_flight = query.number(0);
        out.in_flight_before = query.number(1);
        out.flight_mark = query.optional_time(2);
        out.others_seen_at = query.optional_time(3);
        out.refusals = query.number(4);
        for (const auto kind : core::all_window_kinds) {
            if (auto r = read_window(*db_, key, kind, out[kind]); !r) return r.error();
        }
        return out;
    });
}

result<void> sqlite_ledger::write_book(const book_key& key, const core::rate_book& book) {
    return db_->atomically(access::write, [&]() -> result<void> {
        auto kept = db_->prepare("INSERT OR REPLACE INTO books VALUES (?,?,?,?,?,?,?,?)")
                        .bind(key.base_url, key.team, key.route, book.in_flight, book.in_flight_before,
                              book.flight_mark, book.others_seen_at, book.refusals)
                        .run();
        if (!kept) return kept;
        for (const auto kind : core::all_window_kinds) {
            if (auto r = write_window(*db_, key, kind, book[kind]); !r) return r;
        }
        return {};
    });
}

result<std::optional<contact_limit>> sqlite_ledger::load_contact_limit(const std::string& base_url,
                                                                       const std::string& team) {
    using known = std::optional<contact_limit>;
    auto query = db_->prepare("SELECT passes, refused, shown_at FROM contact_limits WHERE base_url = ? AND team = ?");
    auto found = query.bind(base_url, team).next();
    if (!found) return found.error();
    if (!*found) return known{};
    return known(contact_limit{static_cast<std::uint32_t>(query.integer(0)),
                               static_cast<std::uint32_t>(query.integer(1)), query.time(2)});
}

result<void> sqlite_ledger::save_contact_limit(const std::string& base_url, const std::string& team,
                                               const std::optional<contact_limit>& limit) {
    if (!limit)
        return db_->prepare("DELETE FROM contact_limits WHERE base_url = ? AND team = ?").bind(base_url, team).run();
    return db_->prepare("INSERT OR REPLACE INTO contact_limits VALUES (?, ?, ?, ?, ?)")
        .bind(base_url, team, limit->passes, limit->refused, limit->shown_at)
        .run();
}

}  // namespace taskbarge::ledger
