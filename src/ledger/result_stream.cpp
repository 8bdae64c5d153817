#include "ledger/result_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using core::row_number;
using core::row_state;

namespace {

constexpr std::string_view chunks_in_order = "SELECT id, first_row FROM chunks WHERE job = ? ORDER BY first_row, id";

// Whether a chunk c with its contacts and tasks is as it was written.
std::string whole_chunk() {
    return fmt::format("({} AND {} AND iif(t.chunk IS NULL, c.created_count = 0, {}))", intact(sealed::chunks, "c"),
                       intact(sealed::packed_contacts, "k"), intact(sealed::packed_tasks, "t"));
}

constexpr std::string_view chunk_and_parts =
    "FROM chunks c LEFT JOIN packed_contacts k ON k.chunk = c.id LEFT JOIN packed_tasks t ON t.chunk = c.id";

const std::string& one_chunk() {
    static const std::string sql = fmt::format(
        "SELECT c.state, c.attempts, c.possible_duplicate, c.settled_at, c.request_id, c.code, c.message, "
        "k.contact_ids, k.rows, k.lines, t.task_ids, {} {} WHERE c.id = ?",
        whole_chunk(), chunk_and_parts);
    return sql;
}

constexpr std::string_view rows_in_order =
    "SELECT row, line, contact_id, chunk_state, task_id, code, message, attempts, request_id, possible_duplicate, "
    "finished_at FROM chunk_rows WHERE job = ? AND row >= ? ORDER BY row";

}  // namespace

// One chunk with a cursor on its next row. Reused: its texts keep their memory.
class result_stream::active_chunk {
 public:
    void load(const sqlite::statement& row, chunk_state state, row_state of_sending) {
        created_only_ = state == chunk_state::split;
        state_ = core::state_of_open_row(state, of_sending);
        attempts_ = static_cast<std::uint32_t>(row.integer(1));
        possible_duplicate_ = row.integer(2) != 0;
        settled_at_ = row.optional_time(3);
        request_id_ = row.text(4);
        code_ = row.text(5);
        message_ = row.text(6);
        texts_.clear();
        std::size_t ends[4];
        bool is_blob[4];
        for (int i = 0; i < 4; ++i) {
            is_blob[i] = row.is_blob(7 + i);
            texts_ += row.bytes(7 + i);
            ends[i] = texts_.size();
        }
        const std::string_view all(texts_);
        ids_.emplace(all.substr(0, ends[0]), is_blob[0]);
        rows_.emplace(all.substr(ends[0], ends[1] - ends[0]), all.substr(ends[1], ends[2] - ends[1]));
        tasks_.emplace(all.substr(ends[2]), is_blob[3]);
    }

    std::uint64_t memory() const {
        return sizeof *this + sizeof(place) + texts_.capacity() + request_id_.capacity() + code_.capacity() +
               message_.capacity();
    }

    // Goes to the next row that lives in this chunk; false after the last.
    bool advance() {
        while (rows_->next(row_, line_) && ids_->next(id_)) {
            if (!tasks_->next(task_)) task_ = {};
            if (!created_only_ || !task_.empty()) return true;
        }
        return false;
    }

    row_number row() const { return row_; }

    void fill(row_result& out) const {
        const bool created = !task_.empty();
        out.row = row_;
        out.line = line_;
        out.contact_id = id_;
        out.state = created ? row_state::created : state_;
        out.task_id = task_;
        if (created) {
            out.code.clear();
            out.message.clear();
        } else {
            out.code = code_;
            out.message = message_;
        }
        out.attempts = attempts_;
        out.request_id = request_id_;
        out.possible_duplicate = possible_duplicate_;
        const bool settled = created || state_ == row_state::failed;
        out.finished_at = settled ? settled_at_ : std::nullopt;
    }

 private:
    row_state state_ = row_state::pending;  // of rows without a task
    bool created_only_ = false;             // the other rows live on in child chunks
    std::uint32_t attempts_ = 0;
    bool possible_duplicate_ = false;
    std::optional<instant> settled_at_;
    std::string request_id_, code_, message_;
    std::string texts_;  // the four columns, one after the other
    std::optional<id_cursor> ids_, tasks_;
    std::optional<row_cursor> rows_;
    row_number row_ = 0;
    std::uint64_t line_ = 0;
    std::string_view id_, task_;
};

result_stream::result_stream(sqlite::database& db, job_id job, row_state of_sending, std::uint64_t memory)
    : db_(db),
      job_(job),
      of_sending_(of_sending),
      memory_(memory),
      order_(db.prepare(chunks_in_order)),
      load_(db.prepare(one_chunk())) {
    order_.bind(job);
}

result_stream::~result_stream() = default;

result<bool> result_stream::next(row_result& out) {
    auto more = sorted_ ? next_sorted(out) : next_merged(out);
    if (more && *more) explain_left_in_flight(out.state, out.code, out.message);
    return more;
}

result<bool> result_stream::next_merged(row_result& out) {
    if (!started_) {
        started_ = true;
        if (auto r = peek(); !r) return r.error();
    }
    while (coming_ && (heap_.empty() || coming_->second <= heap_.front().row)) {
        const auto first = coming_->second;
        if (used_ > memory_) {
            if (auto r = check_all(); !r) return r.error();
            start_sorting(heap_.empty() ? first : std::min(first, heap_.front().row));
            return next_sorted(out);
        }
        if (auto r = enter(); !r) return r.error();
    }
    if (heap_.empty()) return false;
    active_chunk* const chunk = heap_.front().chunk;
    chunk->fill(out);
    const auto later = [](const place& a, const place& b) { return a.row > b.row; };
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    if (chunk->advance())
        push({chunk->row(), chunk});
    else
        leave(chunk);
    return true;
}

// Looks which chunk comes next.
result<void> result_stream::peek() {
    auto more = order_.next();
    if (!more) return more.error();
    coming_.reset();
    if (*more) coming_.emplace(order_.integer(0), order_.number(1));
    return {};
}

// Makes the coming chunk an active one.
result<void> result_stream::enter() {
    auto found = load_.bind(coming_->first).next();
    if (!found) return found.error();
    const auto state = *found ? core::parse_chunk_state(load_.text(0)) : std::nullopt;
    if (!state || load_.integer(11) == 0) return damaged_chunk(db_, coming_->first);
    if (spare_.empty()) spare_.push_back(all_.emplace_back(std::make_unique<active_chunk>()).get());
    active_chunk* const chunk = spare_.back();
    chunk->load(load_, *state, of_sending_);
    if (chunk->advance()) {
        spare_.pop_back();
        used_ += chunk->memory();
        push({chunk->row(), chunk});
    }
    load_.reset();
    return peek();
}

void result_stream::push(place p) {
    heap_.push_back(p);
    std::push_heap(heap_.begin(), heap_.end(), [](const place& a, const place& b) { return a.row > b.row; });
}

void result_stream::leave(active_chunk* chunk) {
    used_ -= chunk->memory();
    spare_.push_back(chunk);
}

// The view that sorts cannot check what it shows: it is for everybody who opens the file.
result<void> result_stream::check_all() {
    static const std::string sql =
        fmt::format("SELECT c.id {} WHERE c.job = ? AND {} IS NOT 1 LIMIT 1", chunk_and_parts, whole_chunk());
    auto query = db_.prepare(sql);
    auto found = query.bind(job_).next();
    if (!found) return found.error();
    return *found ? damaged_chunk(db_, query.integer(0)) : result<void>();
}

void result_stream::start_sorting(row_number from) {
    heap_.clear();
    spare_.clear();
    all_.clear();
    order_.reset();
    sorted_.emplace(db_.prepare(rows_in_order));
    sorted_->bind(job_, from);
}

result<bool> result_stream::next_sorted(row_result& out) {
    auto more = sorted_->next();
    if (!more || !*more) return more;
    const auto chunk = core::parse_chunk_state(sorted_->text(3)).value_or(chunk_state::doubtful);
    out.row = sorted_->number(0);
    out.line = sorted_->number(1);
    out.contact_id = sorted_->text(2);
    out.task_id = sorted_->text(4);
    out.state = out.task_id.empty() ? core::state_of_open_row(chunk, of_sending_) : row_state::created;
    out.code = sorted_->text(5);
    out.message = sorted_->text(6);
    out.attempts = static_cast<std::uint32_t>(sorted_->integer(7));
    out.request_id = sorted_->text(8);
    out.possible_duplicate = sorted_->integer(9) != 0;
    const bool settled = out.state == row_state::created || out.state == row_state::failed;
    out.finished_at = settled ? sorted_->optional_time(10) : std::nullopt;
    return true;
}

}  // namespace taskbarge::ledger
