// One import from file to settled ledger: what the commands of the program do.
//
// Every function here blocks until its work is done, parked or stopped, runs its own threads inside, and may be called
// from any one thread. None of them prints: progress goes to the observer, the end comes back as a value. Failures are
// in report::why; exceptions are for bugs, and for memory, threads and descriptors that are missing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/plan_report.hpp"
#include "taskbarge/job/report.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

struct import_options {
    std::vector<std::string> files;
    std::uint64_t first_rows = 0;  // 0: all
    bool again = false;
    // For inputs that a service took in and may have to read again after a restart:
    std::vector<std::string> names{};      // as the files are called in results and messages; empty: as in `files`
    std::optional<core::instant> as_of{};  // relative dates count from its day; nothing: from now
    std::string occasion{};                // a job of its own, but the same one whenever it is asked for by this name
    std::string origin{};                  // the input's name for ever: once it has a job, no settings make it another
    // Asked when all is read and nothing committed: a failure ends the call, and no job is made.
    std::function<core::result<void>()> still_whole{};
};

// import: plans, or finds the job that the same input made before, and brings it as far as it goes.
report import_files(const environment& env, const import_options& options);

// The first half of an import: finds or plans the job and leaves it, state `parked`, to resume_job(). Sends nothing,
// but asks Apollo for its users where e-mails name the owners. `keep` is called with the job, and when the ledger made
// it, while nobody else can work on it: what it keeps of the job is kept before the first request; its failure ends the
// call.
using keep_job = std::function<core::result<void>(core::job_id, core::instant made)>;
report prepare_files(const environment& env, const import_options& options, const keep_job& keep);

// Marks a job that was paused, or stopped for a reason that a person has mended, as ready to go on; runs nothing.
report release_job(const environment& env, core::job_id id);
// pause: leaves a job that nobody works on alone until resume_job() is called for it. A finished job stays finished.
report pause_job(const environment& env, core::job_id id);

// A stored time to go on that is further off than this cannot be right, and does not count: no window is longer than a
// day.
inline constexpr auto longest_park = std::chrono::hours(25);

// resume JOB, which goes on with a paused job as well, unless that is to be left alone; retry JOB first moves failed
// rows (and with `resend_unknown` undecidable ones) back to pending.
enum class paused_job { go_on, leave };
report resume_job(const environment& env, core::job_id id, paused_job paused = paused_job::go_on);
enum class unknown_rows { keep, resend };
report retry_job(const environment& env, core::job_id id, unknown_rows unknown);
report verify_job(const environment& env, core::job_id id);
report cancel_job(const environment& env, core::job_id id);
// The job as it stands, without touching it.
report report_job(const environment& env, core::job_id id);
// The same for one of many whose records were read; does not name the other unfinished jobs.
report report_listed(const environment& env, ledger::ledger& book, const ledger::job_record& job);

// plan: what an import would do. Sends nothing but reads the limits if a key is there; keeps nothing.
// `take` is given each rejected record, in order, with what is known of its file; its failure ends the plan.
using take_reject = std::function<core::result<void>(const core::rejected_row&, const ledger::file_note&)>;
plan_report plan_files(const environment& env, const import_options& options, const take_reject& take = {});

}  // namespace taskbarge::job
