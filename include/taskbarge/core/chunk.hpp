// Groups and chunks: what one bulk request is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taskbarge/core/id_list.hpp"
#include "taskbarge/core/row.hpp"

namespace taskbarge::core {

// The ordinal of a group within its job, from 1, in the order in which the groups first appear in the input.
using group_number = std::uint32_t;

// One row's place in a chunk. Parallel arrays of these make up a chunk.
struct chunk_rows {
    id_list contact_ids;
    std::vector<row_number> rows;      // ascending
    std::vector<std::uint64_t> lines;  // where each record begins in its file
    std::size_t size() const { return rows.size(); }
};

// One bulk request to be, as the grouper cuts it: consecutive rows of one group. `part` counts a group's chunks from 0,
// so (group, part) names the same rows whenever the same input is grouped under the same settings.
struct planned_chunk {
    group_number group = 0;
    std::uint32_t part = 0;
    chunk_rows contacts;
};

// A row that asks for a task which another row already asks for.
struct duplicate_row {
    row_number number = 0;
    source_position at;
    std::string contact_id;
    group_number group = 0;   // its own task details
    std::int64_t of_job = 0;  // 0: this job
    row_number of_row = 0;
};

}  // namespace taskbarge::core
