#include "ledger/chunk_results.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "ledger/checksums.hpp"
#include "ledger/chunk_rows.hpp"

namespace taskbarge::ledger {

using core::chunk_state;
using core::row_state;

std::string whole_chunk() {
    return fmt::format("({} AND {} AND iif(t.chunk IS NULL, c.created_count = 0, {}))", intact(sealed::chunks, "c"),
                       intact(sealed::packed_contacts, "k"), intact(sealed::packed_tasks, "t"));
}

sqlite::statement chunk_results::reader(sqlite::database& db) {
    static const std::string sql = fmt::format(
        "SELECT c.state, c.attempts, c.possible_duplicate, c.settled_at, c.request_id, c.code, c.message, "
        "k.contact_ids, k.rows, k.lines, t.task_ids, {} {} WHERE c.id = ?",
        whole_chunk(), chunk_and_parts);
    return db.prepare(sql);
}

core::result<void> chunk_results::load(sqlite::database& db, sqlite::statement& reader, core::chunk_id id,
                                       row_state of_sending) {
    auto found = reader.bind(id).next();
    if (!found) return found.error();
    const auto state = *found ? core::parse_chunk_state(reader.text(0)) : std::nullopt;
    if (!state || reader.integer(11) == 0) return damaged_chunk(db, id);
    created_only_ = *state == chunk_state::split;
    state_ = core::state_of_open_row(*state, of_sending);
    attempts_ = static_cast<std::uint32_t>(reader.integer(1));
    possible_duplicate_ = reader.integer(2) != 0;
    settled_at_ = reader.optional_time(3);
    request_id_ = reader.text(4);
    code_ = reader.text(5);
    message_ = reader.text(6);
    explain_left_in_flight(state_, code_, message_);
    texts_.clear();
    std::size_t ends[4];
    bool is_blob[4];
    for (int i = 0; i < 4; ++i) {
        is_blob[i] = reader.is_blob(7 + i);
        texts_ += reader.bytes(7 + i);
        ends[i] = texts_.size();
    }
    const std::string_view all(texts_);
    ids_.emplace(all.substr(0, ends[0]), is_blob[0]);
    rows_.emplace(all.substr(ends[0], ends[1] - ends[0]), all.substr(ends[1], ends[2] - ends[1]));
    tasks_.emplace(all.substr(ends[2]), is_blob[3]);
    reader.reset();
    return {};
}

std::uint64_t chunk_results::memory() const {
    return sizeof *this + texts_.capacity() + request_id_.capacity() + code_.capacity() + message_.capacity();
}

bool chunk_results::advance() {
    while (rows_->next(row_, line_) && ids_->next(id_)) {
        if (!tasks_->next(task_)) task_ = {};
        if (!created_only_ || !task_.empty()) return true;
    }
    return false;
}

void chunk_results::fill(row_result& out) const {
    const bool created = !task_.empty();
    out.row = row_;
    out.line = line_;
    out.contact_id = id_;
    out.state = created ? row_state::created : state_;
    out.task_id = task_;
    out.code = created ? std::string_view() : std::string_view(code_);
    out.message = created ? std::string_view() : std::string_view(message_);
    out.attempts = attempts_;
    out.request_id = request_id_;
    out.possible_duplicate = possible_duplicate_;
    const bool settled = created || state_ == row_state::failed;
    out.finished_at = settled ? settled_at_ : std::nullopt;
}

}  // namespace taskbarge::ledger
