// A run's end in few words, for whoever hears of it only when something is wrong: cron's mail, a chat, a monitor.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::report {

// For how long the job has been unfinished, when that is longer than `stale_after` (zero: never); else nothing.
std::optional<std::chrono::milliseconds> stale_for(const job::report& r, std::chrono::milliseconds stale_after,
                                                   core::instant now);

// Nothing that anybody need know: all is well, or a job waits for its turn and is not stale.
bool is_no_news(const job::report& r, bool stale);

// Up to three lines with their ends: what happened, how many rows, the command that shows more. `options` are those
// that the command must repeat, each with a blank before it.
std::string brief_text(const job::report& r, std::optional<std::chrono::milliseconds> stale, std::string_view options);

}  // namespace taskbarge::report
