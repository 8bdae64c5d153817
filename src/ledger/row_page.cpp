#include "ledger/row_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <queue>
#include <string_view>

#include "ledger/checksums.hpp"
#include "ledger/chunk_results.hpp"
#include "ledger/chunk_rows.hpp"
#include "ledger/json_array.hpp"
#include "ledger/side_rows.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using core::result;
using core::row_number;
using core::row_state;

namespace {

// Chunks that are looked at between two questions whether to go on.
constexpr std::size_t at_once = 4096;

// The code lies far behind in a chunk's row: it is read where it matters.
constexpr std::string_view chunk_columns =
    "c.id, c.first_row, c.last_row, c.spread, c.state, c.row_count, c.created_count, iif(?4, c.code, '')";

// Every chunk with a row from ?2 up to ?3. Those that failed or are in doubt are few, and have an index.
std::string all_chunks(std::string_view index = "chunks_of_job") {
    return fmt::format(
        "SELECT {} FROM chunks c INDEXED BY {} WHERE c.job = ?1 AND c.last_row >= ?2 AND c.first_row <= ?3",
        chunk_columns, index);
}
std::string chunks_to_look_at() {
    return fmt::format("{} AND c.state NOT IN ('planned', 'created') AND c.state <> 'split'",
                       all_chunks("chunks_to_look_at"));
}
std::string chunks_with_contacts() {
    return fmt::format(
        "SELECT {}, k.contact_ids FROM chunks c LEFT JOIN packed_contacts k ON k.chunk = c.id "
        "WHERE c.job = ?1 AND c.last_row >= ?2 AND c.first_row <= ?3",
        chunk_columns);
}

std::string duplicates_behind() {
    return fmt::format(
        "SELECT row, line, contact_id, of_job, of_row, {} FROM duplicates d WHERE job = ?1 AND row > ?2 AND "
        "(?3 OR contact_id IN (SELECT value FROM json_each(?4)) OR row IN (SELECT value FROM json_each(?5))) "
        "ORDER BY row LIMIT ?6",
        intact(sealed::duplicates, "d"));
}

// A record that was rejected because its contact is not known has its key nowhere but in its own text.
std::string rejects_behind() {
    return fmt::format(
        "SELECT row, line, contact_id, \"column\", code, message, raw, {}, "
        "?4 OR contact_id IN (SELECT value FROM json_each(?5)) OR row IN (SELECT value FROM json_each(?6)) "
        "FROM rejects r WHERE job = ?1 AND row > ?2 AND (?3 = '' OR code = ?3) AND "
        "(?4 OR contact_id IN (SELECT value FROM json_each(?5)) OR row IN (SELECT value FROM json_each(?6)) OR "
        "(?7 <> '' AND code GLOB 'contact_*' AND instr(lower(CAST(raw AS TEXT)), ?7) > 0)) ORDER "
        "BY row",
        intact(sealed::rejects, "r"));
}

bool goes_on(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("@._+-%").find(c) != std::string_view::npos;
}

// Whether a record holds the text, without being part of a longer word.
bool holds_word(std::string_view record, std::string_view text) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
    for (auto at = record.begin();;) {
        at = std::search(at, record.end(), text.begin(), text.end(), same);
        if (at == record.end()) return false;
        const auto end = at + static_cast<std::ptrdiff_t>(text.size());
        if ((at == record.begin() || !goes_on(at[-1])) && (end == record.end() || !goes_on(*end))) return true;
        ++at;
    }
}

bool by_row(const row_result& a, const row_result& b) {
    return a.row < b.row;
}

}  // namespace

row_page::row_page(const place& from, const row_query& query, const std::function<bool()>& go_on)
    : from_(from), query_(query), go_on_(go_on) {
    states_.fill(query.states.empty());
    for (const auto state : query.states)
        states_[static_cast<std::size_t>(state)] = true;
}

result<std::vector<row_result>> row_page::read() {
    std::vector<row_result> out;
    if (query_.most == 0) return out;
    if (auto r = load_keys(); !r) return r.error();
    if (auto r = add_chunk_rows(out); !r) return r.error();
    if (auto r = add_duplicates(out); !r) return r.error();
    if (auto r = add_rejects(out); !r) return r.error();
    std::sort(out.begin(), out.end(), by_row);
    if (out.size() > query_.most) out.resize(query_.most);
    if (auto r = check_whole(out); !r) return r.error();
    file_finder files;
    if (auto r = files.load(from_.db, from_.job); !r) return r.error();
    for (auto& row : out)
        row.file = files.file_of(row.row);
    if (auto r = add_keys(out); !r) return r.error();
    return out;
}

// Whether every row fits.
bool row_page::is_whole() const {
    return query_.states.empty() && query_.code.empty() && !query_.contact;
}

result<void> row_page::load_keys() {
    if (!query_.contact) return {};
    const auto& contact = *query_.contact;
    core::id_list ids;
    for (const auto& id : contact.ids) {
        ids.push_back(id);
        core::packed_id packed{};
        if (core::pack_object_id(id, packed)) packed_.push_back(packed);
    }
    ids_ = to_json(ids);
    if (!contact.key.empty()) {
        auto query = from_.db.prepare("SELECT row FROM row_keys WHERE job = ? AND row > ? AND key = ? ORDER BY row");
        query.bind(from_.job, query_.after, contact.key);
        if (auto r = query.each([&] { keyed_rows_.push_back(query.number(0)); }); !r) return r;
    }
    std::vector<std::int64_t> rows(keyed_rows_.begin(), keyed_rows_.end());
    rows_ = to_json(rows);
    return {};
}

// From chunk_columns.
row_page::part row_page::part_of(const sqlite::statement& chunk) const {
    const auto state = core::parse_chunk_state(chunk.text(4));
    if (!state) return part::all;  // reading it tells that it is damaged
    const auto rows = chunk.number(5), created = chunk.number(6);
    const bool created_fit = created > 0 && wants(row_state::created) && query_.code.empty();
    bool open_fit = *state != chunk_state::split && created < rows;
    if (open_fit) {
        const auto is = core::state_of_open_row(*state, from_.of_sending);
        std::string code = chunk.string(7), message;
        explain_left_in_flight(is, code, message);
        open_fit = wants(is) && (query_.code.empty() || query_.code == code);
    }
    if (created_fit && (open_fit || created >= rows)) return part::all;
    if (open_fit) return created == 0 ? part::all : part::open;
    return created_fit ? part::created : part::none;
}

bool row_page::has_contact(std::string_view stored_ids, bool is_blob) const {
    if (!is_blob) {
        id_cursor ids(stored_ids, false);
        for (std::string_view id; ids.next(id);)
            if (is_named(0, id)) return true;
        return false;
    }
    constexpr auto size = sizeof(core::packed_id);
    for (const auto& id : packed_)
        for (std::size_t at = 0; at + size <= stored_ids.size(); at += size)
            if (std::memcmp(stored_ids.data() + at, id.data(), size) == 0) return true;
    return false;
}

bool row_page::is_named(row_number row, std::string_view contact) const {
    const auto& ids = query_.contact->ids;
    return std::find(ids.begin(), ids.end(), contact) != ids.end() ||
           std::binary_search(keyed_rows_.begin(), keyed_rows_.end(), row);
}

result<std::vector<row_page::candidate>> row_page::candidates() {
    static const std::string all = all_chunks(), to_look_at = chunks_to_look_at(), contacts = chunks_with_contacts();
    std::vector<candidate> out;
    const bool few = !wants(row_state::created) && !wants(row_state::pending);
    auto query = from_.db.prepare(query_.contact ? contacts : few ? to_look_at : all);
    // Each row is in one place: a page of all rows ends with the row that has its number.
    const auto last = is_whole() ? query_.after + query_.most : std::numeric_limits<std::int64_t>::max();
    query.bind(from_.job, query_.after + 1, last, !query_.code.empty());
    std::size_t looked_at = 0;
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        if (++looked_at % at_once == 0 && !go_on_()) {
            cut_ = true;
            break;
        }
        const auto span = span_of(query, 1);
        if (!span.valid()) return damaged_chunk(from_.db, query.integer(0));
        auto next = span.next_after(query_.after);
        if (!next) continue;
        const auto fits = part_of(query);
        if (fits == part::none) continue;
        if (query_.contact) {
            if (query.is_null(8)) return damaged_chunk(from_.db, query.integer(0));
            const auto keyed = std::lower_bound(keyed_rows_.begin(), keyed_rows_.end(), *next);
            const bool may_be_keyed = keyed != keyed_rows_.end() && *keyed <= span.last;
            if (!has_contact(query.bytes(8), query.is_blob(8)) && !may_be_keyed) continue;
        }
        out.push_back({*next, query.integer(0), fits});
    }
    if (!more) return more.error();
    return out;
}

// The rows of chunks that fit, as many as a page has.
result<std::vector<row_page::found_row>> row_page::first_rows(std::vector<candidate> all) {
    // Of equals by chunk: those lie side by side in the file.
    const auto later = [](const candidate& a, const candidate& b) {
        return std::pair(a.next, a.chunk) > std::pair(b.next, b.chunk);
    };
    std::make_heap(all.begin(), all.end(), later);
    std::priority_queue<found_row> found;
    auto rows_alone = from_.db.prepare("SELECT rows FROM packed_contacts WHERE chunk = ?");
    auto with_ids = from_.db.prepare(
        "SELECT k.rows, k.contact_ids, t.task_ids FROM packed_contacts k LEFT JOIN packed_tasks t ON t.chunk = k.chunk "
        "WHERE k.chunk = ?");
    for (; !all.empty(); all.pop_back()) {
        std::pop_heap(all.begin(), all.end(), later);
        const auto& one = all.back();
        if (found.size() == query_.most && one.next > found.top().first) break;
        auto& query = one.fits == part::all && !query_.contact ? rows_alone : with_ids;
        auto there = query.bind(one.chunk).next();
        if (!there) return there.error();
        if (!*there) return damaged_chunk(from_.db, one.chunk);
        row_cursor rows(query.text(0), {});
        const bool ids_too = &query == &with_ids;
        id_cursor contacts(ids_too ? query.bytes(1) : std::string_view(), ids_too && query.is_blob(1));
        id_cursor tasks(ids_too ? query.bytes(2) : std::string_view(), ids_too && query.is_blob(2));
        row_number row = 0;
        for (std::uint64_t line = 0; rows.next(row, line);) {
            std::string_view contact, task;
            if (ids_too) {
                contacts.next(contact);
                if (!tasks.next(task)) task = {};
            }
            if (row <= query_.after) continue;
            if (one.fits != part::all && task.empty() != (one.fits == part::open)) continue;
            if (query_.contact && !is_named(row, contact)) continue;
            if (found.size() == query_.most && found.top().first < row) continue;
            found.emplace(row, one.chunk);
            if (found.size() > query_.most) found.pop();
        }
        query.reset();
    }
    std::vector<found_row> out;
    for (; !found.empty(); found.pop())
        out.push_back(found.top());
    return out;
}

result<void> row_page::add_chunk_rows(std::vector<row_result>& to) {
    if (!wants(row_state::created) && !wants(row_state::failed) && !wants(row_state::unknown) &&
        !wants(row_state::pending))
        return {};
    auto chunks = candidates();
    if (!chunks) return chunks.error();
    auto rows = first_rows(std::move(*chunks));
    if (!rows) return rows.error();
    // Each chunk is loaded once.
    const auto by_chunk = [](const found_row& a, const found_row& b) {
        return std::pair(a.second, a.first) < std::pair(b.second, b.first);
    };
    std::sort(rows->begin(), rows->end(), by_chunk);
    chunk_results chunk;
    auto reader = chunk_results::reader(from_.db);
    for (auto at = rows->begin(); at != rows->end();) {
        const auto id = at->second;
        if (auto r = chunk.load(from_.db, reader, id, from_.of_sending); !r) return r;
        while (at != rows->end() && at->second == id && chunk.advance()) {
            if (chunk.row() != at->first) continue;
            chunk.fill(to.emplace_back());
            ++at;
        }
        if (at != rows->end() && at->second == id) return damaged_chunk(from_.db, id);
    }
    return {};
}

result<void> row_page::add_duplicates(std::vector<row_result>& to) {
    const bool by_code = !query_.code.empty();
    if (!wants(row_state::duplicate) || (by_code && !query_.code.starts_with("original_"))) return {};
    static const std::string sql = duplicates_behind();
    std::size_t found = 0;
    // What a duplicate has come to is in no column: those of a code are looked for batch by batch.
    auto most = query_.most;
    for (auto after = query_.after; found < query_.most; most = std::min<std::size_t>(2 * most, 1u << 16)) {
        std::vector<row_result> batch;
        auto query = from_.db.prepare(sql);
        query.bind(from_.job, after, !query_.contact, ids_, rows_, most);
        auto more = query.next();
        for (; more && *more; more = query.next()) {
            if (query.integer(5) == 0) return damaged(from_.db, fmt::format("row {}", query.integer(0)));
            fill_duplicate(query, batch.emplace_back());
        }
        if (!more) return more.error();
        const bool last = batch.size() < most;
        if (!batch.empty()) after = batch.back().row;
        if (auto r = explain_open(batch); !r) return r;
        if (by_code) std::erase_if(batch, [&](const row_result& row) { return row.code != query_.code; });
        found += batch.size();
        std::move(batch.begin(), batch.end(), std::back_inserter(to));
        if (last) break;
        if (!go_on_()) {
            cut_ = true;
            break;
        }
    }
    return {};
}

// Where the row that they are of has no task yet.
result<void> row_page::explain_open(std::vector<row_result>& duplicates) {
    std::vector<pointing_row> of_others;
    for (const auto& row : duplicates)
        if (row.duplicate_of->first != from_.job)
            of_others.push_back({row.row, {row.duplicate_of->first, row.duplicate_of->second}});
    auto open = open_among(from_.db, from_.job, std::move(of_others), from_.held);
    if (!open) return open.error();
    auto at = duplicates.begin();
    for (const auto& one : *open) {
        at = std::find_if(at, duplicates.end(), [&](const row_result& row) { return row.row == one.row; });
        at->code = code_of(one);
        at->message = message_of(one);
    }
    return {};
}

result<void> row_page::add_rejects(std::vector<row_result>& to) {
    if (!wants(row_state::rejected)) return {};
    static const std::string sql = rejects_behind();
    const std::string_view text = query_.contact ? std::string_view(query_.contact->text) : std::string_view();
    auto query = from_.db.prepare(sql);
    query.bind(from_.job, query_.after, query_.code, !query_.contact, ids_, rows_, text);
    std::size_t found = 0;
    auto more = query.next();
    for (; more && *more && found < query_.most; more = query.next()) {
        if (query.integer(7) == 0) return damaged(from_.db, fmt::format("row {}", query.integer(0)));
        if (query.integer(8) == 0 && !holds_word(query.bytes(6), text)) continue;
        fill_reject(query, to.emplace_back());
        ++found;
    }
    if (!more) return more.error();
    return {};
}

result<void> row_page::add_keys(std::vector<row_result>& to) {
    auto query = from_.db.prepare("SELECT key FROM row_keys WHERE job = ? AND row = ?");
    for (auto& row : to) {
        auto found = query.bind(from_.job, row.row).next();
        if (!found) return found.error();
        if (*found) row.contact_key = query.text(0);
        query.reset();
    }
    return {};
}

// A row that an index has lost, or shows twice, is in no checksum.
result<void> row_page::check_whole(const std::vector<row_result>& rows) {
    if (!is_whole() || cut_) return {};
    auto query = from_.db.prepare("SELECT rows FROM jobs WHERE id = ? AND state <> 'planning'");
    auto found = query.bind(from_.job).next();
    if (!found) return found.error();
    if (!*found) return {};
    const auto last = std::min<row_number>(query.number(0), query_.after + query_.most);
    auto expected = query_.after;
    for (const auto& row : rows)
        if (row.row != ++expected) return damaged(from_.db, fmt::format("row {}", std::min(row.row, expected)));
    if (expected < last) return damaged(from_.db, fmt::format("row {} is not found", expected + 1));
    return {};
}

}  // namespace taskbarge::ledger
