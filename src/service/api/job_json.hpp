// A job as the control API shows it.
#pragma once

#include <optional>
#include <string>

#include "service/work/board.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

// The keys that a job has wherever it is shown. `run`: it is being worked on by this process. `expected_end`: where
// nothing better is known of it.
void add_job(core::json_object& o, const job::report& r, const ledger::job_record& job, const std::string& ledger_path,
             const std::optional<board::going>& run, const std::optional<core::instant>& expected_end = {});

}  // namespace taskbarge::service
