// What `jobs` and `status` tell a person.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::cli {

struct job_line {
    ledger::job_record record;
    ledger::job_totals totals;
};

// A table, a line a job, oldest first.
std::string jobs_table(const std::vector<job_line>& jobs);

struct job_status {
    job_line job;
    std::vector<ledger::reason_count> reasons;
    std::vector<std::pair<std::string, core::rate_book>> books;  // route and what is known of its windows
    std::optional<core::instant> expected_end;
    std::vector<ledger::attempt_record> attempts;  // only if asked for
};

std::string status_text(const job_status& s, core::instant now);

}  // namespace taskbarge::cli
