// De-duplication of a planned job against the committed jobs of the same team.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ledger/kept_keys.hpp"
#include "ledger/open_duplicates.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/task_book.hpp"

namespace taskbarge::ledger {

// A hash of all fields that never changes: it is stored. Equal hashes say nothing; fields are always compared.
std::int64_t details_hash(const core::task_view& details);
// The same of a digest that is at hand: its first 8 bytes.
std::int64_t details_hash(const details_digest& digest);

// `same_by`: a task is the same as another one of the contact where these fields are equal. Where they are not all,
// what follows looks at all groups of the ledger.

// Turns the rows of `job` whose task an earlier job has created, pending or unknown into duplicates of the first such
// row, and cuts what is left of the groups concerned into full chunks again. Costs an index probe a group where no
// earlier job used the details (also of pruned jobs, by the keys that they left); else memory for the contacts of one
// group, 24 bytes each. To be called within a transaction.
core::result<void> drop_rows_of_earlier_jobs(sqlite::database& db, core::job_id job, std::uint32_t chunk_size,
                                             core::task_fields same_by);

// Makes the refused chunks of `job` planned again with no attempts counted. Rows whose task another job has created,
// pending or unknown by now become duplicates of that job's row instead: they were not, when they failed. To be called
// within a transaction.
core::result<void> reopen_refused_chunks(sqlite::database& db, core::job_id job, core::task_fields same_by);

// Takes rows of `job` that are duplicates of rows without a task into its own plan, in new chunks. Where a third job
// has their task by now, pending or unknown included, they become duplicates of that one. To be called within a
// transaction.
core::result<void> take_back(sqlite::database& db, core::job_id job, std::uint32_t chunk_size,
                             core::task_fields same_by, std::span<const open_duplicate> rows);

// See ledger::newest_like(). To be called within a transaction.
core::result<std::optional<similar_group>> find_newest_like(sqlite::database& db, const std::string& base_url,
                                                            const std::string& team, const core::task_view& details,
                                                            core::task_fields fields, core::job_id own);

}  // namespace taskbarge::ledger
