// What a person reads at the end of a run.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"
#include "cli/style.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/report_book.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

using report::exit_code;

// "rows 2,000 = created 1,950 + duplicate 20 + ...": the sum that promise 1 is about.
std::string sum_line(const core::row_counts& rows, const style& look = {});

// "of the duplicates, 4 rows have no task yet: ..."; empty when each of them has.
std::string open_duplicates_line(const core::row_counts& rows);

// "requests 21 (at least 20, for 5 groups), 1 repeated, 0 rate-limited".
std::string requests_line(const core::request_counts& requests);

// The first `most` reasons, which come commonest first, each with an example, and whether there are more; empty when
// there is none. A message that was shown is not repeated.
std::string reasons_text(const std::vector<ledger::reason_count>& reasons, std::size_t most, const style& look = {});

// A command that the person can type next, and what it is for.
struct next_step {
    std::string command;
    std::string purpose;
};

// The options that a next command needs to find the same settings and ledger: "" or " --config x --ledger y".
std::string repeated_options(const options& o);

// The command that writes the rows for which an import of the same files was refused.
std::string rejects_command(const options& o, const job::report& r);

// What can be done about a job that stands like this, most useful first.
std::vector<next_step> next_steps(const job::report& r, const std::string& options);

// The whole summary of one job, several lines. Without a job only what there is to say.
std::string job_summary(const job::report& r, exit_code code, const std::vector<ledger::reason_count>& reasons,
                        const std::string& options, core::instant now, const style& look = {});

// The next steps, two lines each.
std::string steps_text(const std::vector<next_step>& steps);

// So many reasons a summary tells.
inline constexpr std::size_t most_reasons_in_summary = 5;

// One line for standard error: why the run ended before its end, and how to go on. No line end.
std::string stop_line(const job::report& r, const std::string& options);

}  // namespace taskbarge::cli
