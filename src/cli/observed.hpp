// A call of the job module with progress on standard error.
#pragma once

#include <unistd.h>

#include <functional>

#include "cli/invocation.hpp"
#include "cli/observer.hpp"
#include "cli/signals.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/report.hpp"

namespace taskbarge::cli {

// Runs `work` in the environment of a command, with progress on standard error.
template <class Report>
Report observed(const options& o, const program& p, const invocation& s,
                const std::function<Report(const job::environment&)>& work) {
    terminal_observer watch({progress_style_for_stderr(o.quiet), write_stderr, [] { return columns_of(STDERR_FILENO); },
                             p.clock, style_of(STDERR_FILENO, s.settings.dates.timezone)});
    const job::environment environment{s.settings, s.key, p.clock, p.stop, watch, p.seed};
    auto report = work(environment);
    watch.finish();
    return report;
}

}  // namespace taskbarge::cli
