// What `plan` tells a person.
#pragma once

#include <string>

#include "cli/style.hpp"
#include "taskbarge/job/plan_report.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

using report::exit_code;

std::string plan_summary(const job::plan_report& plan, core::instant now, const style& look = {});

// The limits and use of one route's windows, one line each; `indent` before every line.
std::string windows_text(const core::rate_book& book, core::instant now, const std::string& indent,
                         const style& look = {});

}  // namespace taskbarge::cli
