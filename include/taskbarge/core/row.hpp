// Input records: a checked row, or a rejected one and why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "taskbarge/core/task.hpp"

namespace taskbarge::core {

// The record's ordinal within the job, from 1, over all files in the order given. Rejected records count too.
using row_number = std::uint64_t;

// Where a record stood: the index of its file in the job's list, and the line, from 1, in which it begins.
struct source_position {
    std::uint32_t file = 0;
    std::uint64_t line = 0;
    friend bool operator==(const source_position&, const source_position&) = default;
};

// One record that can be sent. Its texts belong to the batch that it came in.
struct row {
    row_number number = 0;
    source_position at;
    std::string_view contact_id;  // canonical_id() spelling; empty: still to be found by what else names the contact
    task_view details;
};

// One record that will never be sent, and what a person needs to mend it.
struct rejected_row {
    row_number number = 0;
    source_position at;
    std::string contact_id;  // as far as it is known
    std::string column;      // the name in the file of the column at fault; empty when the whole record is
    std::string code;        // stable, listed in docs/codes.md
    std::string message;     // one line: what is wrong and what would be right
    std::string raw;         // the record's original bytes without its line end; a prefix when it passes the size limit
};

}  // namespace taskbarge::core
