// One import from file to settled ledger: what the commands of the program do.
//
// Every function here blocks until its work is done, parked or stopped, runs its own threads inside, and may be called
// from any one thread. None of them prints: progress goes to the observer, the end comes back as a value.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/job/stop_control.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

enum class phase { reading, finding, connecting, sending, looking_up, waiting, stopping };

// A snapshot for the live line.
struct progress {
    job::phase phase = job::phase::reading;
    core::job_id job = 0;
    std::uint64_t bytes_read = 0, bytes_total = 0;        // while reading; total 0: not known
    std::uint64_t contacts_read = 0, contacts_total = 0;  // while finding contacts; total 0: not known
    core::row_counts rows;
    core::request_counts requests;
    std::uint32_t in_flight = 0;
    std::string waiting_for;                     // "the hour window of tasks/bulk_create"; empty: nothing
    std::optional<core::instant> waiting_until;  // while stopping: when requests in flight are waited for no longer
    std::optional<core::instant> expected_end;   // of the sending, under the known windows
};

// Called on the run's own threads, one call at a time but for on_commit(), which comes from the ledger's; must return
// soon.
class observer {
 public:
    virtual ~observer() = default;
    virtual void on_progress(const progress& p) = 0;
    // A line that an operator should see: "parked until ...", "an answer named a contact that was not asked for".
    virtual void on_notice(const std::string& line) = 0;
    // For metrics: an answer to a create request (status 0: none came) and the time it took; a commit of the ledger.
    virtual void on_answer(int /*status*/, std::chrono::milliseconds /*took*/) {}
    virtual void on_commit(std::chrono::microseconds /*took*/) {}
};

// What a run needs from outside. References outlive the run.
struct environment {
    const core::settings& settings;
    const core::secret& key;
    const core::clock& clock;
    stop_control& stop;
    observer& watch;
    std::uint64_t seed = 0;  // for jitter
    // For who makes many calls, one after the other: the ledger of these settings, opened already and left open.
    // Nothing: each call opens it for itself.
    ledger::ledger* book = nullptr;
    // Whether reports name the other jobs that are not finished, for which each of them is looked at.
    bool names_others = true;
    // Whether a run first goes on with earlier jobs whose pending rows this one's duplicates are of. Not for who runs
    // all unfinished jobs anyway.
    bool brings_originals_on = true;
};

// What became of rows that name their contact by something else than Apollo's id, and of ids that were checked.
struct contact_tally {
    std::uint64_t found = 0;
    std::array<std::uint64_t, core::key_kind_count> found_by{};  // by core::key_kind
    std::uint64_t none = 0, ambiguous = 0, disagree = 0;         // rejected
    std::uint64_t unknown = 0;                                   // Apollo has to be asked
    std::uint64_t not_created = 0;                               // Apollo has none and would not create it: rejected
    std::uint64_t to_create = 0;                                 // Apollo has none: it is to be created
    std::uint64_t all() const { return found + none + ambiguous + disagree + unknown + not_created + to_create; }
};
// "4850 rows found (4800 by email, 50 by salesforce_id), 100 not in Apollo, 50 ambiguous"
inline std::string text_of(const contact_tally& t) {
    std::string by;
    for (const auto kind : core::all_key_kinds)
        if (const auto n = t.found_by[static_cast<std::size_t>(kind)]; n > 0)
            by += (by.empty() ? "" : ", ") + std::to_string(n) + " by " + std::string(core::to_string(kind));
    auto out = std::to_string(t.found) + (t.found == 1 ? " row found" : " rows found");
    if (!by.empty()) out += " (" + by + ")";
    const auto add = [&](std::uint64_t n, const char* what) {
        if (n > 0) out += ", " + std::to_string(n) + what;
    };
    add(t.none, " not in Apollo");
    add(t.ambiguous, " ambiguous");
    add(t.disagree, " with keys of different contacts");
    add(t.not_created, " that Apollo did not create");
    add(t.unknown, " not known yet");
    add(t.to_create, " to be created in Apollo");
    return out;
}

// How a run ended. With `why` set the run stopped before its end and the exit code follows from why->code; without it
// the job is finished and the code follows from the counts.
struct report {
    std::optional<core::job_id> job;  // nothing: no job was made
    std::string state;                // completed | parked | failed | planned; of another process's: running
    core::row_counts rows;
    core::request_counts requests;
    std::uint64_t requests_this_run = 0;
    std::chrono::milliseconds elapsed{0};
    std::optional<core::instant> resume_at;
    std::optional<core::instant> created_at, finished_at;  // the job's, as far as the ledger could tell
    std::vector<core::job_id> unfinished_jobs;             // others, of this ledger
    std::optional<core::failure> why;
    bool already_finished = false;           // reported again, nothing done
    std::optional<core::instant> pruned_at;  // its rows are gone, its sums are left
    // What was found in the input, where it was read; else name, format and header as the ledger has them.
    std::vector<reader::file_report> files;
    contact_tally contacts{};  // where the input was read
    // Why rows were not created, commonest first, where that was asked for.
    std::vector<ledger::reason_count> reasons{};
};

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
struct group_line {
    core::task_details details;
    std::uint64_t rows = 0;
    std::uint64_t requests = 0;
};
struct reject_line {
    std::string code;
    std::uint64_t rows = 0;
    core::rejected_row example;
};
struct sample_line {
    core::row_number number = 0;
    std::string contact_id;
    core::task_details details;
};
struct plan_report {
    report base;  // state "planned"
    std::vector<group_line> largest_groups;
    std::vector<reject_line> rejects;  // commonest first
    std::vector<reader::unknown_word> unknown_words;
    std::vector<sample_line> first_rows;
    // How many groups have so many rows.
    struct group_size {
        std::uint64_t from = 0, to = 0;
        std::uint64_t groups = 0, rows = 0, requests = 0;
    };
    std::vector<group_size> group_sizes;  // smallest first
    // A field whose values keep rows from sharing requests, and what that costs. With very many groups reckoned from
    // the first of them.
    struct splitter {
        std::string field;
        std::uint64_t distinct = 0;
        std::uint64_t requests_without = 0;         // minimum if the field were the same everywhere
        std::uint64_t rows_differing = 0;           // from the commonest value among rows that else are the same
        std::optional<core::instant> expected_end;  // with requests_without, under the windows as known
    };
    // Contacts for whom an earlier job has, or is to make, a task that differs in its due date alone.
    struct repeat {
        core::job_id job = 0;
        std::uint64_t contacts = 0, of = 0;  // of so many that were looked at, the first ones
        core::instant due_at{};              // there
    };
    std::optional<repeat> repeats;
    // What finding the contacts would take of which nothing is known here.
    struct finding {
        std::string how;             // one line
        std::uint64_t requests = 0;  // at least
        std::optional<core::instant> expected_end;
    };
    std::optional<finding> contacts_to_find;
    std::vector<splitter> splitters;  // most expensive first
    // Were 1 % of the contacts refused: so many more requests would find them, and all would end then.
    std::uint64_t search_requests = 0;
    std::optional<core::instant> expected_end_with_search;
    std::optional<core::rate_book> book;  // limits as known
    std::optional<core::instant> expected_end;
};
// `take` is given each rejected record, in order, with what is known of its file; its failure ends the plan.
using take_reject = std::function<core::result<void>(const core::rejected_row&, const ledger::file_note&)>;
plan_report plan_files(const environment& env, const import_options& options, const take_reject& take = {});

// What is to be kept of a file beyond the reading.
inline ledger::file_note note_of(const reader::file_report& file) {
    return {file.first_row, file.format, file.header};
}

// "467 of 500 contacts have such a task from job 5 already, due 2026-11-30; ..."
inline std::string text_of(const plan_report::repeat& r) {
    return std::to_string(r.contacts) + " of " + std::to_string(r.of) + " contacts have such a task from job " +
           std::to_string(r.job) + " already, due " + core::to_rfc3339_seconds(r.due_at).substr(0, 10) +
           "; to leave such contacts out, set import.dedupe_by without due_at";
}

// "contacts.csv:18, column Due": where a rejected record stands.
inline std::string place_of(const core::rejected_row& row, const std::vector<reader::file_report>& files) {
    auto place = row.at.file < files.size() ? files[row.at.file].name + ":" : std::string("line ");
    place += std::to_string(row.at.line);
    return row.column.empty() ? place : place + ", column " + row.column;
}

}  // namespace taskbarge::job
