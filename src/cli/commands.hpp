// The commands. Each does all of its work, prints, and gives its exit code; exceptions are bugs.
#pragma once

#include "cli/invocation.hpp"

namespace taskbarge::cli {

exit_code init_command(const options& o, const program& p);
exit_code import_command(const options& o, const program& p);
exit_code plan_command(const options& o, const program& p);
exit_code resume_command(const options& o, const program& p);
// retry, verify, cancel
exit_code job_command(const options& o, const program& p);
exit_code jobs_command(const options& o, const program& p);
exit_code status_command(const options& o, const program& p);
exit_code results_command(const options& o, const program& p);
exit_code prune_command(const options& o, const program& p);
// contacts load, refresh, status, find
exit_code contacts_command(const options& o, const program& p);
exit_code doctor_command(const options& o, const program& p);
exit_code ledger_check_command(const options& o, const program& p);
// ledger accept, ledger trust
exit_code ledger_command(const options& o, const program& p);
// config check, config show
exit_code config_command(const options& o, const program& p);
exit_code serve_command(const options& o, const program& p);
exit_code sandbox_command(const options& o);

}  // namespace taskbarge::cli
