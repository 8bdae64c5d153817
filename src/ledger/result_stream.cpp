#include "ledger/result_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ledger/checksums.hpp"
#include "ledger/chunk_results.hpp"
#include "ledger/chunk_rows.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using core::row_number;
using core::row_state;

namespace {

constexpr std::string_view chunks_in_order = "SELECT id, first_row FROM chunks WHERE job = ? ORDER BY first_row, id";

constexpr std::string_view rows_in_order =
    "SELECT row, line, contact_id, chunk_state, task_id, code, message, attempts, request_id, possible_duplicate, "
    "finished_at FROM chunk_rows WHERE job = ? AND row >= ? ORDER BY row";

}  // namespace

result_stream::result_stream(sqlite::database& db, job_id job, row_state of_sending, std::uint64_t memory)
    : db_(db),
      job_(job),
      of_sending_(of_sending),
      memory_(memory),
      order_(db.prepare(chunks_in_order)),
      load_(chunk_results::reader(db)) {
    order_.bind(job);
}

result_stream::~result_stream() = default;

result<bool> result_stream::next(row_result& out) {
    return sorted_ ? next_sorted(out) : next_merged(out);
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
    chunk_results* const chunk = heap_.front().chunk;
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
    if (spare_.empty()) spare_.push_back(all_.emplace_back(std::make_unique<chunk_results>()).get());
    chunk_results* const chunk = spare_.back();
    if (auto r = chunk->load(db_, load_, coming_->first, of_sending_); !r) return r;
    if (chunk->advance()) {
        spare_.pop_back();
        used_ += sizeof(place) + chunk->memory();
        push({chunk->row(), chunk});
    }
    return peek();
}

void result_stream::push(place p) {
    heap_.push_back(p);
    std::push_heap(heap_.begin(), heap_.end(), [](const place& a, const place& b) { return a.row > b.row; });
}

void result_stream::leave(chunk_results* chunk) {
    used_ -= sizeof(place) + chunk->memory();
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
    explain_left_in_flight(out.state, out.code, out.message);
    out.attempts = static_cast<std::uint32_t>(sorted_->integer(7));
    out.request_id = sorted_->text(8);
    out.possible_duplicate = sorted_->integer(9) != 0;
    const bool settled = out.state == row_state::created || out.state == row_state::failed;
    out.finished_at = settled ? sorted_->optional_time(10) : std::nullopt;
    return true;
}

}  // namespace taskbarge::ledger
