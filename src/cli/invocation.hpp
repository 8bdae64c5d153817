// What every command begins and ends with.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/api_key.hpp"
#include "cli/options.hpp"
#include "cli/style.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/report/exit_code.hpp"

namespace taskbarge::cli {

using report::exit_code;
using report::exit_code_of;

// What the program was given besides its arguments. References outlive every command.
struct program {
    core::secret key;       // from APOLLO_API_KEY; empty: not given
    service_tokens tokens;  // from the environment, for the service
    std::map<std::string, std::string> environment;
    const core::clock& clock;
    job::stop_control& stop;
    std::uint64_t seed = 0;
};

enum class key_need {
    required,  // errc::no_key without one
    if_there   // used when there is a usable one
};

// What a command was called with, once its settings are read.
struct invocation {
    core::settings settings;
    std::map<std::string, std::string> origins;  // of what is not a default, as in core::loaded_settings
    std::string file;                            // the settings file in use; empty: none
    core::secret key;
};

// Where the settings of this command line come from.
core::settings_sources sources_of(const options& o, const program& p);

// The settings of this command line; the proxy of the environment where they name none, and no settle time that would
// be too short.
core::result<core::loaded_settings> load(const options& o, const program& p);

// Loads the settings; warnings go to standard error.
core::result<invocation> begin(const options& o, const program& p);

// Adds the key; warnings go to standard error. Fails with errc::no_key.
core::result<void> take_key(invocation& s, const program& p, key_need need);

// How texts on standard output are shown.
style stdout_style(const core::settings& settings);

// Why rows of a job were not created, commonest first, as far as the ledger tells; none where all were.
std::vector<ledger::reason_count> reasons_of(const core::settings& settings, const job::report& r, std::size_t most);
std::vector<ledger::reason_count> reasons_of(ledger::report_book& book, const job::report& r, std::size_t most);

// "taskbarge: LINE" on standard error.
void complain(const std::string& line);

// The ledger of the settings, when its file exists already; null when it does not. Never makes one.
// Commands that only look take one that is older than what was sent with it, too.
core::result<std::unique_ptr<ledger::ledger>> existing_ledger(
    const core::settings& settings, ledger::witness_check how = ledger::witness_check::required);

// The same for a command that names a job: a ledger that is not there has none, which is errc::no_such_job.
core::result<std::unique_ptr<ledger::ledger>> ledger_of(core::job_id job, const core::settings& settings,
                                                        ledger::witness_check how = ledger::witness_check::required);

// Says on standard error why the run stopped, if it did.
void explain(const options& o, const job::report& r);

// The same of the runs of jobs, and whether one is stale. With --quiet instead, and only of what somebody should know,
// three lines at most: what, how many rows, and the command that shows them. `settings` is null when they could not be
// loaded.
void explain(const options& o, const program& p, const core::settings* settings,
             const std::vector<job::report>& reports);

// The report of a command that failed before there was one.
job::report failed_report(const core::failure& why);

// The end of a command that has a report: prints summary or JSON and why it stopped, and gives the exit code.
// `settings` is null when they could not be loaded.
exit_code end(const options& o, const program& p, const core::settings* settings, const job::report& r);

// The same for a report that was explained.
exit_code conclude(const options& o, const program& p, const core::settings* settings, const job::report& r);

// The end of a command that failed before there was a report.
exit_code end(const options& o, const program& p, const core::settings* settings, const core::failure& why);

// Prints data of the command on standard output. If that fails, says so and makes a good exit code a bad one.
exit_code deliver(std::string_view text, exit_code code);

}  // namespace taskbarge::cli
