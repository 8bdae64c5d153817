#include "ledger/side_rows.hpp"

#include <fmt/format.h>

#include "ledger/checksums.hpp"

namespace taskbarge::ledger {

using core::row_number;
using core::row_state;

namespace {

void clear(row_result& out) {
    out.task_id.clear();
    out.code.clear();
    out.column.clear();
    out.message.clear();
    out.attempts = 0;
    out.request_id.clear();
    out.possible_duplicate = false;
    out.duplicate_of.reset();
    out.finished_at.reset();
}

}  // namespace

std::string_view code_of(const open_duplicate& open) {
    return open.state == row_state::pending   ? "original_pending"
           : open.state == row_state::unknown ? "original_unknown"
                                              : "original_failed";
}
std::string message_of(const open_duplicate& open) {
    return fmt::format("no task yet: row {} of job {}, which asks for the same one, is {}", open.of.row, open.of.job,
                       core::to_string(open.state));
}

void fill_duplicate(const sqlite::statement& from, row_result& out) {
    clear(out);
    out.row = from.number(0);
    out.line = from.number(1);
    out.contact_id = from.text(2);
    out.state = row_state::duplicate;
    out.duplicate_of.emplace(from.integer(3), from.number(4));
}

void fill_reject(const sqlite::statement& from, row_result& out) {
    clear(out);
    out.row = from.number(0);
    out.line = from.number(1);
    out.contact_id = from.text(2);
    out.state = row_state::rejected;
    out.column = from.text(3);
    out.code = from.text(4);
    out.message = from.text(5);
}

core::result<void> file_finder::load(sqlite::database& db, job_id job) {
    static const std::string sql =
        fmt::format("SELECT first_row, {} FROM files f WHERE job = ? ORDER BY ordinal", intact(sealed::files, "f"));
    auto query = db.prepare(sql);
    query.bind(job);
    auto more = query.next();
    for (; more && *more; more = query.next()) {
        if (query.integer(1) == 0) return damaged(db, fmt::format("files of job {}", job));
        first_rows_.push_back(query.number(0));
    }
    if (!more) return more.error();
    return {};
}

std::uint32_t file_finder::file_of(row_number row) {
    while (at_ + 1 < first_rows_.size() && first_rows_[at_ + 1] <= row)
        ++at_;
    return static_cast<std::uint32_t>(at_);
}

}  // namespace taskbarge::ledger
