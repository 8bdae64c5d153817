// The object of --json: the contract for scripts, listed in docs/commands.md.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/job/contacts.hpp"
#include "taskbarge/job/plan_report.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::report {

// What is known of Apollo's contacts, as one JSON object.
std::string contacts_json(const job::contacts_status& status);

// The keys that every report has.
void add_report(core::json_object& o, const job::report& r, const std::string& ledger_path, exit_code code);

// So many reasons are told.
inline constexpr std::size_t most_reasons = 10;
// Why rows were not created, a list.
std::string reasons_json(const std::vector<ledger::reason_count>& reasons);

// Where each field of ours was found in a file, a list.
std::string fields_json(const std::vector<reader::mapped_column>& fields);

// One object on one line, with its line end. All keys are there at every exit.
std::string report_json(const job::report& r, const std::string& ledger_path, exit_code code);

// The same with what only a plan knows.
std::string plan_json(const job::plan_report& p, const std::string& ledger_path, exit_code code);

// Of several jobs: the keys hold the sums, `job` is null, and `jobs` holds an object a job.
std::string reports_json(const std::vector<job::report>& reports, const std::string& ledger_path, exit_code code);

// The sums of several reports; the first failure that explains `code`.
job::report sum_of(const std::vector<job::report>& reports, exit_code code);

}  // namespace taskbarge::report
