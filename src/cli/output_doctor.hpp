// What `doctor` tells.
#pragma once

#include <string>

#include "cli/exit_code.hpp"
#include "taskbarge/job/doctor.hpp"

namespace taskbarge::cli {

// A line a finding, what an import would do, and the rate windows where they are known.
std::string doctor_text(const job::doctor_report& d, core::instant now);

// One object on one line, with its line end.
std::string doctor_json(const job::doctor_report& d, const std::string& ledger_path, exit_code code);

}  // namespace taskbarge::cli
