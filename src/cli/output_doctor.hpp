// What `doctor` tells.
#pragma once

#include <string>

#include "cli/style.hpp"
#include "taskbarge/job/doctor.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

using report::exit_code;

// A line a finding, what an import would do, and the rate windows where they are known.
std::string doctor_text(const job::doctor_report& d, core::instant now, const style& look = {});

// A line a finding, and whether the ledger can be used.
std::string ledger_check_text(const job::doctor_report& d, const style& look = {});

// One object on one line, with its line end.
std::string doctor_json(const job::doctor_report& d, const std::string& ledger_path, exit_code code);

}  // namespace taskbarge::cli
