// What results take from other tables than those of chunks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/open_duplicates.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::ledger {

// What a duplicate says whose contact has no task yet.
std::string_view code_of(const open_duplicate& open);
std::string message_of(const open_duplicate& open);

// From columns row, line, contact_id, of_job and of_row.
void fill_duplicate(const sqlite::statement& from, row_result& out);
// From columns row, line, contact_id, "column", code and message.
void fill_reject(const sqlite::statement& from, row_result& out);

// Tells the file of ever higher rows.
class file_finder {
 public:
    core::result<void> load(sqlite::database& db, job_id job);
    std::uint32_t file_of(core::row_number row);

 private:
    std::vector<core::row_number> first_rows_;
    std::size_t at_ = 0;
};

}  // namespace taskbarge::ledger
