// What `jobs` and `status` tell a person.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/output_summary.hpp"
#include "cli/style.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::cli {

struct job_line {
    ledger::job_record record;
    ledger::job_totals totals;
};

// Whether the job is in one of these states; any is where none is named.
bool is_wanted(const ledger::job_record& job, const std::vector<job_word>& states);

// A table, a line a job, oldest first. Where it is wider than the terminal, columns that say least are left out.
std::string jobs_table(const std::vector<job_line>& jobs, core::instant now, const style& look = {});

inline constexpr std::size_t most_reasons_in_status = 10;

struct job_status {
    job_line job;
    std::vector<ledger::reason_count> reasons;                   // one more than is shown, where there are so many
    std::vector<std::pair<std::string, core::rate_book>> books;  // route and what is known of its windows
    std::optional<core::instant> expected_end;
    std::vector<ledger::attempt_record> attempts;  // only if asked for
    std::vector<next_step> steps{};
};

std::string status_text(const job_status& s, core::instant now, const style& look = {});

// "job 7: running, rows 2,000 = ...", with its line end: differs when something has changed.
std::string change_line(const job_status& s);

}  // namespace taskbarge::cli
