// Where rows go that were read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// Called for what comes out of the reader, in batches.
class row_sink {
 public:
    virtual ~row_sink() = default;
    // About how many rows there will be: a guess, and a better one from time to time.
    virtual void expect(std::uint64_t rows) = 0;
    virtual core::result<void> on_rows(std::span<const core::row> rows) = 0;
    virtual core::result<void> on_reject(const core::rejected_row& row, const ledger::file_note& file) = 0;
    // By what rows that were given before named their contacts.
    virtual core::result<void> on_keys(std::span<const std::pair<core::row_number, std::string>>) { return {}; }
};

}  // namespace taskbarge::job
