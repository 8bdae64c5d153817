// Sending: chunks, the attempts to send them, and what became of those.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "ledger/checksums.hpp"
#include "ledger/chunk_columns.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/earlier_jobs.hpp"
#include "ledger/sqlite_ledger.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using sqlite::access;

namespace {

constexpr std::array<std::string_view, 6> result_words{"open",      "succeeded", "refused",
                                                       "throttled", "not_sent",  "doubtful"};

std::string_view word_of(attempt_result what) {
    return result_words.at(static_cast<std::size_t>(what));
}

attempt_result result_of(std::string_view word) {
    const auto at = std::find(result_words.begin(), result_words.end(), word);
    return at == result_words.end() ? attempt_result::doubtful : static_cast<attempt_result>(at - result_words.begin());
}

// What belongs to a chunk is joined from outside: a part that is missing is damage, and no chunk left out. A rest that
// was sent by itself is no partner that waits any more.
std::string select_chunks(std::string_view index, std::string_view where) {
    return fmt::format(
        "SELECT c.id, c.parent, c.group_number, c.state, c.attempts, c.possible_duplicate, c.not_before, c.code, "
        "c.message, g.user_id, g.type, g.priority, g.status, g.due_at, g.note, k.contact_ids, k.rows, k.lines, "
        "t.task_ids, {} AND {} AND {} AND iif(t.chunk IS NULL, c.created_count = 0, {}), c.suspects, c.refused_with, "
        "c.partner, iif(c.partner = 0, NULL, (SELECT iif(p.state = 'planned' AND iif(p.id > c.id, p.requests, "
        "c.requests) "
        "> 0, 'sending', p.state) FROM chunks p WHERE p.id = c.partner)) FROM chunks c {} "
        "LEFT JOIN groups g ON g.job = c.job AND g.number = c.group_number "
        "LEFT JOIN packed_contacts k ON k.chunk = c.id LEFT JOIN packed_tasks t ON t.chunk = c.id WHERE {}",
        intact(sealed::chunks, "c"), intact(sealed::groups, "g"), intact(sealed::packed_contacts, "k"),
        intact(sealed::packed_tasks, "t"), index, where);
}

result<chunk_record> read_chunk(const sqlite::database& db, const sqlite::statement& row) {
    chunk_record out;
    out.id = row.integer(0);
    const auto state = core::parse_chunk_state(row.text(3));
    if (!state || row.integer(19) == 0) return damaged_chunk(db, out.id);
    out.parent = row.integer(1);
    out.group = static_cast<core::group_number>(row.integer(2));
    out.state = *state;
    out.attempts = static_cast<std::uint32_t>(row.integer(4));
    out.possible_duplicate = row.integer(5) != 0;
    out.not_before = row.optional_time(6);
    out.code = row.string(7);
    out.message = row.string(8);
    out.details = read_details(row, 9);
    out.contacts = read_rows(row, 15, 16, 17);
    out.task_ids = read_ids(row, 18);
    out.mark = {static_cast<std::uint32_t>(row.integer(20)), static_cast<std::uint32_t>(row.integer(21))};
    out.partner = row.integer(22);
    if (out.partner != 0) out.partner_state = core::parse_chunk_state(row.text(23));
    return out;
}

std::string select_attempts(std::string_view where) {
    return fmt::format(
        "SELECT id, chunk, started_at, result, finished_at, server_date, status, request_id, code, message, "
        "bytes_sent, bytes_received, evidence, begun, ended, "
        "(SELECT row_count FROM chunks c WHERE c.id = a.chunk) FROM attempts a WHERE {}",
        where);
}

attempt_record read_attempt(const sqlite::statement& row) {
    attempt_record out;
    out.id = row.integer(0);
    out.chunk = row.integer(1);
    out.started_at = row.time(2);
    out.report.attempt = out.id;
    out.report.what = result_of(row.text(3));
    out.report.finished_at = row.optional_time(4).value_or(instant{});
    out.report.server_date = row.optional_time(5);
    out.report.status = static_cast<int>(row.integer(6));
    out.report.request_id = row.string(7);
    out.report.code = row.string(8);
    out.report.message = row.string(9);
    out.report.bytes_sent = row.number(10);
    out.report.bytes_received = row.number(11);
    out.report.evidence = row.string(12);
    out.begun = row.number(13);
    out.ended = row.number(14);
    out.rows = row.number(15);
    return out;
}

result<std::vector<attempt_record>> read_attempts(sqlite::statement query) {
    std::vector<attempt_record> out;
    if (auto r = query.each([&] { out.push_back(read_attempt(query)); }); !r) return r.error();
    return out;
}

// Carries out one chunk_update: first all checks, then all writes.
class chunk_change {
 public:
    chunk_change(sqlite::database& db, const chunk_update& update) : db_(db), update_(update) {}

    result<std::vector<chunk_id>> run() {
        if (auto r = load(); !r) return r.error();
        if (auto r = adopt(); !r) return r.error();
        if (auto r = check_state(); !r) return r.error();
        if (auto r = take_joined(); !r) return r.error();
        std::vector<chunk_id> children;
        for (const auto& child : update_.children) {
            auto id = insert(child);
            if (!id) return id.error();
            children.push_back(*id);
        }
        if (created_ > created_before_) {
            if (auto r = keep_tasks(); !r) return r.error();
        }
        if (auto r = write(); !r) return r.error();
        return children;
    }

 private:
    result<void> write() {
        static const std::string sql = sealed_update(sealed::chunks,
                                                     {{"state", "?1"},
                                                      {"created_count", "?2"},
                                                      {"attempts", "?3"},
                                                      {"possible_duplicate", "?4"},
                                                      {"not_before", "?5"},
                                                      {"settled_at", "?6"},
                                                      {"code", "?7"},
                                                      {"message", "?8"},
                                                      {"suspects", "?9"},
                                                      {"refused_with", "?10"}},
                                                     "WHERE id = ?11");
        const auto mark = update_.mark.value_or(mark_before_);
        auto done = db_.prepare(sql)
                        .bind(core::to_string(update_.state), created_, update_.attempts, update_.possible_duplicate,
                              update_.not_before, update_.settled_at, update_.code, update_.message, mark.suspects,
                              mark.refused_with, update_.chunk)
                        .run();
        if (!done) return done;
        return db_.changes() == 1 ? result<void>() : damaged_chunk(db_, update_.chunk);
    }

    result<void> load() {
        auto query = db_.prepare(
            "SELECT job, group_number, part, state, row_count, created_count, requests > 0 OR requested_before, "
            "request_id, suspects, refused_with FROM chunks WHERE id = ?");
        auto found = query.bind(update_.chunk).next();
        if (!found) return found.error();
        if (!*found) return wrong("does not exist");
        if (query.text(3) == core::to_string(chunk_state::split)) return wrong("is split and cannot change any more");
        family_.job = query.integer(0);
        family_.group = static_cast<core::group_number>(query.integer(1));
        family_.part = static_cast<std::uint32_t>(query.integer(2));
        family_.parent = update_.chunk;
        family_.requested_before = query.integer(6) != 0;
        request_id_ = query.string(7);
        mark_before_ = {static_cast<std::uint32_t>(query.integer(8)), static_cast<std::uint32_t>(query.integer(9))};
        rows_ = static_cast<std::size_t>(query.integer(4));
        created_before_ = static_cast<std::size_t>(query.integer(5));
        if (created_before_ > 0) {
            auto tasks = read_tasks(db_, update_.chunk);
            if (!tasks) return tasks.error();
            if (tasks->empty()) return damaged_chunk(db_, update_.chunk);
            tasks_before_ = std::move(*tasks);
            tasks_.assign(tasks_before_.begin(), tasks_before_.end());
        }
        tasks_.resize(rows_);
        return {};
    }

    // Rows that already have a task keep it: naming another for them would hide one of the two.
    result<void> adopt() {
        for (const auto [index, task] : update_.created) {
            if (index >= rows_ || task.empty()) return wrong("was given a task for no row, or a row without a task");
            if (!tasks_[index].empty() && tasks_[index] != task) return wrong("was given a second task for one row");
            tasks_[index] = task;
        }
        created_ = static_cast<std::size_t>(
            std::count_if(tasks_.begin(), tasks_.end(), [](std::string_view task) { return !task.empty(); }));
        return {};
    }

    result<void> check_state() {
        if (update_.state == chunk_state::created && created_ != rows_) return wrong("has rows without a task");
        if (update_.state != chunk_state::split) {
            if (update_.joined != 0) return wrong("takes in rows without being split");
            return update_.children.empty() ? result<void>() : wrong("has children without being split");
        }
        if (update_.pairs && update_.children.size() < 2) return wrong("has no two children to be a pair");
        // Every row without a task moves into exactly one child: otherwise it would be counted twice, or never.
        std::vector<bool> placed(rows_);
        std::size_t moved = 0;
        for (const auto& child : update_.children) {
            if (child.indexes.empty() || !std::is_sorted(child.indexes.begin(), child.indexes.end())) {
                return wrong("has an empty or unordered child");
            }
            for (const auto index : child.indexes) {
                if (index >= rows_ || placed[index] || !tasks_[index].empty()) return wrong("is split wrongly");
                placed[index] = true;
            }
            moved += child.indexes.size();
        }
        return moved + created_ == rows_ ? result<void>() : wrong("is split with rows left over");
    }

    // The rest of a part that is split again: nothing of it was ever sent but together with the part.
    result<void> take_joined() {
        if (update_.joined == 0) return {};
        if (update_.children.empty()) return wrong("takes in rows without a child for them");
        auto query = db_.prepare(
            "SELECT state = 'planned' AND created_count = 0 AND requests = 0 AND partner = ?2 AND job = ?3 AND "
            "group_number = ?4, possible_duplicate FROM chunks WHERE id = ?1");
        auto found = query.bind(update_.joined, update_.chunk, family_.job, family_.group).next();
        if (!found) return found.error();
        if (!*found || query.integer(0) == 0) return wrong("takes in rows of a chunk that is not its rest");
        joined_doubled_ = query.integer(1) != 0;
        auto rows = read_contacts(db_, update_.joined);
        if (!rows) return rows.error();
        joined_ = std::move(*rows);
        static const std::string sql = sealed_update(
            sealed::chunks, {{"state", "'split'"}, {"not_before", "NULL"}, {"code", "'joined'"}}, "WHERE id = ?1");
        if (auto r = db_.prepare(sql).bind(update_.joined).run(); !r) return r;
        return db_.changes() == 1 ? result<void>() : damaged_chunk(db_, update_.joined);
    }

    result<chunk_id> insert(const child_chunk& child) {
        if (contacts_.rows.empty()) {
            auto contacts = read_contacts(db_, update_.chunk);
            if (!contacts) return contacts.error();
            contacts_ = std::move(*contacts);
        }
        core::chunk_rows rows;
        for (const auto index : child.indexes) {
            rows.contact_ids.push_back(contacts_.contact_ids[index]);
            rows.rows.push_back(contacts_.rows[index]);
            rows.lines.push_back(contacts_.lines[index]);
        }
        auto chunk = family_;
        const bool last = &child == &update_.children.back();
        if (last) {
            if (!joined_.rows.empty() && joined_.rows.front() <= rows.rows.back())
                return wrong("takes in rows that do not come behind its own");
            for (std::size_t i = 0; i < joined_.size(); ++i) {
                rows.contact_ids.push_back(joined_.contact_ids[i]);
                rows.rows.push_back(joined_.rows[i]);
                rows.lines.push_back(joined_.lines[i]);
            }
        }
        if (update_.pairs && (last || &child + 1 == &update_.children.back())) {
            auto id = next_chunk_id(db_);
            if (!id) return id.error();
            chunk.partner = last ? *id - 1 : *id + 1;
        }
        chunk.state = child.state;
        chunk.attempts = child.attempts;
        chunk.possible_duplicate = child.possible_duplicate || (last && joined_doubled_);
        chunk.mark = child.mark;
        chunk.request_id = request_id_;
        chunk.code = child.code;
        chunk.message = child.message;
        if (child.state == chunk_state::refused) chunk.settled_at = update_.settled_at;
        return insert_chunk(db_, chunk, rows);
    }

    // Of tasks that became known one after the other the earliest event counts: none is older than that.
    result<void> keep_tasks() {
        const bool answered = !update_.found_since;
        auto since = answered ? last_intent() : result<event_number>(*update_.found_since);
        if (!since) return since.error();
        task_origin origin{*since, answered ? update_.settled_at : std::nullopt};
        if (created_before_ > 0) {
            auto before = read_task_origin(db_, update_.chunk);
            if (!before) return before.error();
            origin.since = std::min(origin.since, before->since);
            if (origin.answered_at != before->answered_at) origin.answered_at.reset();
        }
        return write_tasks(db_, update_.chunk, tasks_, origin);
    }

    // Of the request whose answer named the tasks.
    result<event_number> last_intent() {
        auto query = db_.prepare("SELECT max(begun) FROM attempts WHERE job = ? AND chunk = ?");
        auto found = query.bind(family_.job, update_.chunk).next();
        if (!found) return found.error();
        return query.number(0);
    }

    core::failure wrong(const char* what) const { return bug(fmt::format("chunk {} {}", update_.chunk, what)); }

    sqlite::database& db_;
    const chunk_update& update_;
    new_chunk family_;  // what children have in common
    std::string request_id_;
    std::size_t rows_ = 0;
    std::size_t created_ = 0, created_before_ = 0;
    core::id_list tasks_before_;
    std::vector<std::string_view> tasks_;  // by row; into tasks_before_ and the update
    core::chunk_rows contacts_;
    search_mark mark_before_;
    core::chunk_rows joined_;
    bool joined_doubled_ = false;
};

}  // namespace

result<std::vector<chunk_record>> sqlite_ledger::chunks(job_id job, chunk_state state, chunk_id after,
                                                        std::size_t most) {
    std::vector<chunk_record> out;
    // Chunks that are planned, or created, are most of a job: they are found by walking along it.
    static const std::string most_of_job =
        select_chunks("INDEXED BY chunks_of_job", "c.job = ? AND c.state = ? AND c.id > ? ORDER BY c.id LIMIT ?");
    static const std::string some_of_job =
        select_chunks("INDEXED BY chunks_to_look_at",
                      "c.job = ? AND c.state = ? AND c.state NOT IN ('planned', 'created') AND c.id > ? "
                      "ORDER BY c.id LIMIT ?");
    const bool most_are = state == chunk_state::planned || state == chunk_state::created;
    auto query = db_->prepare(most_are ? most_of_job : some_of_job);
    query.bind(job, core::to_string(state), after, most);
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        auto one = read_chunk(*db_, query);
        if (!one) return one.error();
        out.push_back(std::move(*one));
    }
    if (!more) return more.error();
    return out;
}

result<chunk_record> sqlite_ledger::chunk(chunk_id id) {
    static const std::string sql = select_chunks("", "c.id = ?");
    auto query = db_->prepare(sql);
    auto found = query.bind(id).next();
    if (!found) return found.error();
    if (!*found) return bug(fmt::format("there is no chunk {}", id));
    return read_chunk(*db_, query);
}

core::failure sqlite_ledger::why_not_sent(chunk_id id) {
    auto read = chunk(id);
    return read ? bug(fmt::format("chunk {} is not planned and cannot be sent", id)) : read.error();
}

result<attempt_id> sqlite_ledger::record_intent(const attempt_intent& intent) {
    return counted([&]() -> result<attempt_id> {
        // Until a report says otherwise the request counts as sent: after a kill nobody can say that it was not.
        static const std::string sql =
            sealed_update(sealed::chunks, {{"state", "'sending'"}, {"requests", "requests + 1"}},
                          "WHERE id = ?1 AND state = 'planned'");
        if (auto moved = db_->prepare(sql).bind(intent.chunk).run(); !moved) return moved.error();
        if (db_->changes() != 1) return why_not_sent(intent.chunk);
        const auto event = next_event();
        if (!event) return event.error();
        auto made = db_->prepare(
                           "INSERT INTO attempts (job, chunk, started_at, server_date, begun) "
                           "VALUES ((SELECT job FROM chunks WHERE id = ?1), ?1, ?2, ?3, ?4)")
                        .bind(intent.chunk, intent.started_at, intent.server_date, *event)
                        .run();
        if (!made) return made.error();
        intent_ = true;
        return db_->last_id();
    });
}

result<void> sqlite_ledger::record_report(const attempt_report& report, bool request_written) {
    return counted([&]() -> result<void> {
        auto query = db_->prepare("SELECT chunk, written, result = 'throttled' FROM attempts WHERE id = ?");
        auto found = query.bind(report.attempt).next();
        if (!found) return found.error();
        if (!*found) return bug(fmt::format("there is no attempt {}", report.attempt));
        const auto chunk = query.integer(0);
        const auto requests = int{request_written} - query.integer(1);
        const auto throttled = int{report.what == attempt_result::throttled} - query.integer(2);
        query.reset();
        const auto event = next_event();
        if (!event) return event.error();
        auto kept = db_->prepare(
                           "UPDATE attempts SET finished_at = ?, server_date = coalesce(?, server_date), result = ?, "
                           "written = ?, status = ?, "
                           "request_id = ?, code = ?, message = ?, bytes_sent = ?, bytes_received = ?, evidence = ?, "
                           "ended = ? WHERE id = ?")
                        .bind(report.finished_at, report.server_date, word_of(report.what), request_written,
                              report.status, report.request_id, report.code, report.message, report.bytes_sent,
                              report.bytes_received, report.evidence, *event, report.attempt)
                        .run();
        if (!kept) return kept;
        static const std::string sql = sealed_update(sealed::chunks,
                                                     {{"requests", "requests + ?1"},
                                                      {"throttled", "throttled + ?2"},
                                                      {"request_id", "coalesce(nullif(?3, ''), request_id)"}},
                                                     "WHERE id = ?4");
        if (auto r = db_->prepare(sql).bind(requests, throttled, report.request_id, chunk).run(); !r) return r;
        return db_->changes() == 1 ? result<void>() : damaged_chunk(*db_, chunk);
    });
}

result<std::vector<chunk_id>> sqlite_ledger::update_chunk(const chunk_update& update) {
    return counted([&]() -> result<std::vector<chunk_id>> { return chunk_change(*db_, update).run(); });
}

result<bool> sqlite_ledger::group_has_created(job_id job, core::group_number group) {
    auto query = db_->prepare("SELECT 1 FROM chunks WHERE job = ? AND group_number = ? AND created_count > 0 LIMIT 1");
    return query.bind(job, group).next();
}

result<learnt_refusals> sqlite_ledger::learnt(job_id job) {
    return db_->atomically(access::read, [&]() -> result<learnt_refusals> {
        learnt_refusals out;
        auto sums = db_->prepare(
            "SELECT coalesce(sum(created_count), 0), coalesce(max(iif(state = 'created', row_count, 0)), 0), "
            "coalesce(sum(state = 'planned' AND suspects > 0), 0), "
            "coalesce(sum(iif(state = 'planned', suspects, 0)), 0) FROM chunks WHERE job = ?");
        auto found = sums.bind(job).next();
        if (!found) return found.error();
        out.created_rows = sums.number(0);
        out.most_created = static_cast<std::uint32_t>(sums.integer(1));
        out.open_sets = sums.number(2);
        out.open_contacts = sums.number(3);
        // Most jobs have met no refusal: that is seen in the index alone.
        auto any = db_->prepare(
            "SELECT 1 FROM chunks WHERE job = ? AND state NOT IN ('planned', 'created') "
            "AND state IN ('split', 'refused') LIMIT 1");
        found = any.bind(job).next();
        if (!found) return found.error();
        if (!*found) return out;
        auto spent = db_->prepare(
            "SELECT coalesce(sum(c.requests), 0) FROM chunks c JOIN chunks p ON p.id = c.parent "
            "WHERE c.job = ? AND p.state = 'split' AND p.code = 'isolating'");
        found = spent.bind(job).next();
        if (!found) return found.error();
        out.requests = spent.number(0);
        static const std::string sql = fmt::format(
            "SELECT k.contact_ids, c.group_number, g.user_id, c.message, EXISTS (SELECT 1 FROM chunks o WHERE o.job = "
            "c.job AND o.group_number = c.group_number AND o.created_count > 0), c.id, {} AND {} AND {} FROM chunks c "
            "LEFT JOIN packed_contacts k ON k.chunk = c.id "
            "LEFT JOIN groups g ON g.job = c.job AND g.number = c.group_number "
            "WHERE c.job = ? AND c.state NOT IN ('planned', 'created') AND c.state = 'refused' AND c.row_count = 1 AND "
            "c.code GLOB 'refused_*' "
            "ORDER BY c.settled_at, c.id",
            intact(sealed::chunks, "c"), intact(sealed::groups, "g"), intact(sealed::packed_contacts, "k"));
        auto alone = db_->prepare(sql);
        alone.bind(job);
        auto more = alone.next();
        for (; more && *more; more = alone.next()) {
            const auto ids = read_ids(alone, 0);
            if (alone.integer(6) == 0 || ids.empty()) return damaged_chunk(*db_, alone.integer(5));
            out.refused_alone.push_back({std::string(ids.front()), static_cast<core::group_number>(alone.integer(1)),
                                         alone.string(2), alone.string(3), alone.integer(4) != 0});
        }
        if (!more) return more.error();
        return out;
    });
}

result<requests_made> sqlite_ledger::requests_since(job_id job, instant since) {
    auto query = db_->prepare(
        "SELECT coalesce(sum(p.code IS 'isolating'), 0), count(*) FROM attempts a "
        "LEFT JOIN chunks c ON c.id = a.chunk LEFT JOIN chunks p ON p.id = c.parent AND p.state = 'split' "
        "WHERE a.job = ? AND a.started_at >= ? AND a.written <> 0");
    auto found = query.bind(job, since).next();
    if (!found) return found.error();
    const auto search = query.number(0);
    return requests_made{search, query.number(1) - search};
}

result<void> sqlite_ledger::reopen_failed(job_id job, core::task_fields same_by) {
    return db_->atomically(access::write, [&]() -> result<void> {
        if (auto forgotten = keep_sums(job, {}); !forgotten) return forgotten;
        if (auto reopened = reopen_refused_chunks(*db_, job, same_by); !reopened) return reopened;
        if (auto freed = free_failed(job, same_by); !freed) return freed.error();
        return doubt_plan(job);
    });
}

result<std::vector<waiting_for_job>> sqlite_ledger::waiting_for(job_id job) {
    return db_->atomically(access::read, [&]() -> result<std::vector<waiting_for_job>> {
        auto open = open_duplicates_of(job, 1);
        if (!open) return open.error();
        std::map<job_id, std::uint64_t> rows;
        for (const auto& one : *open)
            if (one.state == core::row_state::pending) ++rows[one.of.job];
        std::vector<waiting_for_job> out;
        for (const auto& [other, count] : rows)
            out.push_back({other, count});
        return out;
    });
}

// The duplicates of rows that have failed since.
result<std::uint64_t> sqlite_ledger::free_failed(job_id job, core::task_fields same_by) {
    auto open = open_duplicates_of(job, 1);
    if (!open) return open.error();
    std::erase_if(*open, [](const open_duplicate& one) { return one.state != core::row_state::failed; });
    if (open->empty()) return std::uint64_t{0};
    auto query = db_->prepare("SELECT chunk_size FROM jobs WHERE id = ?");
    auto found = query.bind(job).next();
    if (!found) return found.error();
    const auto chunk_size = static_cast<std::uint32_t>(query.integer(0));
    query.reset();
    if (auto r = take_back(*db_, job, chunk_size, same_by, *open); !r) return r.error();
    return static_cast<std::uint64_t>(open->size());
}

result<std::uint64_t> sqlite_ledger::free_duplicates(job_id job, core::task_fields same_by) {
    return db_->atomically(access::write, [&]() -> result<std::uint64_t> {
        auto freed = free_failed(job, same_by);
        if (!freed || *freed == 0) return freed;
        if (auto r = doubt_plan(job); !r) return r.error();
        return freed;
    });
}

result<std::vector<attempt_record>> sqlite_ledger::attempts(job_id job, std::size_t most, attempt_id before) {
    // Their ids come from the index of the job's attempts alone; by the unary plus the order is no reason to read those
    // of all jobs.
    static const std::string sql = select_attempts(
        "id IN (SELECT id FROM attempts WHERE job = ?1 AND (?2 = 0 OR id < ?2) ORDER BY +id DESC "
        "LIMIT ?3) ORDER BY id DESC");
    auto query = db_->prepare(sql);
    query.bind(job, before, most);
    auto out = read_attempts(std::move(query));
    if (out) std::reverse(out->begin(), out->end());
    return out;
}

result<std::vector<attempt_record>> sqlite_ledger::attempts_of_chunk(chunk_id chunk) {
    static const std::string sql =
        select_attempts("job = (SELECT job FROM chunks WHERE id = ?1) AND chunk = ?1 ORDER BY id");
    auto query = db_->prepare(sql);
    query.bind(chunk);
    return read_attempts(std::move(query));
}

}  // namespace taskbarge::ledger
