// The one place that chooses exit codes. docs/commands.md lists them.
#pragma once

#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/job/report.hpp"

namespace taskbarge::report {

enum class exit_code : int {
    done = 0,          // every row's contact has its task: created, or a duplicate of a row that is
    done_partly = 2,   // finished, but some rows rejected, failed or held unknown, or duplicates of such
    usage = 64,        // the command line makes no sense
    input = 65,        // the input cannot be used
    unreachable = 69,  // no answer at all from Apollo
    bug = 70,
    parked = 75,    // run it again
    no_right = 77,  // no key, 401, or 403 on the route that the job needs
    settings = 78   // settings wrong, ledger not to be opened
};

exit_code exit_code_of(core::errc code);

// Of a run that ended. Rows that do not add up are a bug, whatever else is said.
exit_code exit_code_of(const job::report& r);

// The worst of two, for commands that work on several jobs: what needs a person goes before what only needs time.
exit_code worse(exit_code a, exit_code b);

// Completed, parked or failed: for --json, of a command that ended before it had a job.
job::report_state state_of(exit_code code);

}  // namespace taskbarge::report
