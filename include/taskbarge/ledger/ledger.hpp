// The ledger: the hand-over between reading and sending, and the only truth about what became of every row.
//
// The interface hides the store (SQLite today). All calls block; one ledger object belongs to one thread at a time.
// Writing calls outside begin()/commit() are transactions of their own; inside, the first failure of the store dooms
// the whole transaction: what follows fails the same way until commit(), which fails too, or rollback(). Afterwards the
// object is usable again. Failures are errc::ledger, errc::ledger_full (no room: nothing of the transaction is kept),
// errc::waiting (others were writing for minutes), errc::job_held, errc::no_such_job, and errc::internal for a call
// that would break a promise, such as losing a row. A transaction that records an intent, and set_job_state(), fail
// with errc::ledger when the paths do not name the files any more that were opened. So does every call that reads a row
// that is not as it was written (its checksum is wrong): nothing of it is used.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/contact_store.hpp"

namespace taskbarge::ledger {

using core::attempt_id;
using core::chunk_id;
using core::instant;
using core::job_id;
using core::result;

// The ledger counts what happens to requests: every intent and every outcome takes the next number, in the transaction
// that records it. So it orders events, whatever becomes of clocks. 0: before all of them.
using event_number = std::uint64_t;

// The code of chunks in doubt that the ledger knows no request of: it may be an older copy of itself, and somebody said
// to go on with it. They have no attempts.
inline constexpr std::string_view ledger_accepted = "ledger_accepted";

// What makes two imports the same job.
struct job_identity {
    std::string base_url;
    std::string team;
    std::string input_sha256;  // of all input bytes
    std::uint64_t input_bytes = 0;
    std::string settings_text;  // core::identity_text(), plus what else counts, such as "first=100"
    std::string relative_day;   // the base day of relative dates, "2026-11-23"; empty when none were used
    friend bool operator==(const job_identity&, const job_identity&) = default;
};

// What is kept of an input file besides its name.
struct file_note {
    core::row_number first_row = 1;  // the ordinal of its first record: tells the file of any row
    std::string format;              // "csv", "jsonl+gzip", ...
    std::string header;              // CSV: the header record, as the reader reports it
};

struct job_record {
    job_id id = 0;
    job_identity identity;
    core::job_state state = core::job_state::planning;
    bool held = false;  // a process works on it right now
    std::vector<std::string> files;
    std::vector<file_note> file_notes;  // parallel to files
    instant created_at{};
    std::optional<instant> finished_at;
    std::optional<instant> resume_at;     // parked: not before
    std::string stop_code, stop_message;  // why it stopped last; empty: it did not
    std::uint32_t chunk_size = 0;
    std::uint64_t groups = 0;
    std::uint64_t minimum_requests = 0;
    std::optional<instant> pruned_at;  // its rows and attempts were dropped, its sums were kept
    bool keys_forgotten = false;       // and so were its identity and its de-duplication keys
    // A person asked that it waits.
    bool paused() const {
        return state != core::job_state::completed && stop_code == core::to_string(core::errc::paused);
    }
};

// Enough of an unfinished job to decide whether it may go on.
struct unfinished_job {
    job_id id = 0;
    std::string base_url, team;
    bool held = false, paused = false;
    std::optional<instant> resume_at;
};

// A completed job that was completed before.
struct reopened_job {
    job_id id = 0;
    std::optional<instant> finished_at;
};

// Which jobs are listed: those in one of the states, with a number below `before` (0: any), the newest `most` of them.
struct job_page {
    std::vector<core::job_state> states;
    job_id before = 0;
    std::size_t most = 0;
    std::optional<bool> held{};  // only those that a process works on, or only the others; nothing: both
};

struct job_totals {
    core::row_counts rows;
    core::request_counts requests;
};

// All jobs of one state together.
struct state_sums {
    core::job_state state = core::job_state::parked;
    bool paused = false;
    std::uint64_t jobs = 0;
    core::row_counts rows;
};

// What is known of a chunk's contacts while it is searched for those that Apollo refuses.
struct search_mark {
    std::uint32_t suspects = 0;      // of its first contacts, so many hold at least one that is refused; 0: not known
    std::uint32_t refused_with = 0;  // so many contacts were in the refused request that says so
    friend bool operator==(const search_mark&, const search_mark&) = default;
};

// Between what times the jobs lie that somebody watches for.
struct job_ends {
    std::optional<instant> oldest_unfinished;  // when it was made
    std::optional<instant> last_finished;      // when a job came to its end last
};

// Everything that a send needs of a chunk.
struct chunk_record {
    chunk_id id = 0;
    chunk_id parent = 0;  // 0: cut by the grouper
    core::group_number group = 0;
    core::chunk_state state = core::chunk_state::planned;
    std::uint32_t attempts = 0;         // requests of this chunk whose answer counted as an attempt (429s do not)
    bool possible_duplicate = false;    // sent again although an earlier request may have worked
    std::optional<instant> not_before;  // backoff survives a restart
    std::string code, message;          // of the last outcome that was not a success
    core::task_details details;
    core::chunk_rows contacts;
    core::id_list task_ids;  // parallel to contacts; "" where none; empty list: none at all
    // What is said of the rest of a search holds only where the part that was cut from it was created.
    search_mark mark;
    chunk_id partner = 0;  // of a part that is tested, the rest, which is the next chunk; of a rest, its part; 0: none
    std::optional<core::chunk_state> partner_state;  // when it was read; planned: the rest still waits for the part
};

// One request that is about to leave.
struct attempt_intent {
    chunk_id chunk = 0;
    instant started_at{};
    std::optional<instant> server_date;  // Apollo's clock then, as far as it is known: an answer may never come
};

enum class attempt_result : std::uint8_t {
    open,       // intent recorded, nothing known: after a kill
    succeeded,  // 200 with tasks
    refused,    // 4xx that says nothing was created
    throttled,  // 429
    not_sent,   // failed before the first byte was written
    doubtful    // may have been applied
};

// What became of an attempt.
struct attempt_report {
    attempt_id attempt = 0;
    attempt_result what = attempt_result::doubtful;
    instant finished_at{};
    std::optional<instant> server_date;  // Date header of the answer; without one the intent's stays
    int status = 0;                      // HTTP; 0: no answer
    std::string request_id;
    std::string code, message;  // stable code and text; empty on success
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::string evidence;  // bounded excerpt of request and answer of failed or doubtful attempts, no key
};

// What becomes of a chunk after an attempt or a look-up. Rows in `created` get their task id, and keep it for good.
// With state `split` every row without a task id is in exactly one child; a split chunk cannot be updated any more.
// Rows come together again, too: with `joined`, a planned chunk of the same group that has no task, the last child
// takes its rows as well, behind its own, and that chunk is split in the same transaction. Only a rest may be joined
// with what is left of its part: the requests that either was in are then those of the part and of the chunks that it
// was split from.
struct child_chunk {
    std::vector<std::uint32_t> indexes;  // into the parent's rows, ascending
    core::chunk_state state = core::chunk_state::planned;
    std::string code, message;
    bool possible_duplicate = false;
    std::uint32_t attempts = 0;
    search_mark mark = {};
};
struct chunk_update {
    chunk_id chunk = 0;
    core::chunk_state state = core::chunk_state::planned;
    core::indexed_ids created;          // row index, task id
    std::vector<child_chunk> children;  // only with state split
    std::string code, message;
    std::uint32_t attempts = 0;  // new value
    bool possible_duplicate = false;
    std::optional<instant> not_before;
    std::optional<instant> settled_at;  // when the rows reached a final state; for `finished_at` in results
    // Of the tasks in `created`. Nothing: an answer named them, that of the chunk's last attempt. Else a look-up found
    // them, and this is the first intent that may have made them.
    std::optional<event_number> found_since;
    std::optional<search_mark> mark;  // nothing: as it is
    chunk_id joined = 0;
    bool pairs = false;  // with state split: the last two children are a part and its rest
};

struct attempt_record {
    attempt_id id = 0;
    chunk_id chunk = 0;
    instant started_at{};
    attempt_report report;
    event_number begun = 0;  // its intent
    event_number ended = 0;  // its outcome; 0: still open
};

// One line of `results`.
struct row_result {
    core::row_number row = 0;
    std::uint32_t file = 0;  // index into job_record::files
    std::uint64_t line = 0;
    std::string contact_id;
    std::string contact_key;  // by which it was found, "email:ada@example.com"; empty: the file has Apollo's id
    core::row_state state = core::row_state::pending;
    std::string task_id, code, column, message;
    std::uint32_t attempts = 0;
    std::string request_id;
    bool possible_duplicate = false;
    // The row that asked for the same task first. Where that one is another job's and has no task yet, `code` and
    // `message` say so.
    std::optional<std::pair<job_id, core::row_number>> duplicate_of;
    std::optional<instant> finished_at;
};

struct known_task {
    std::string task_id, contact_id;
    core::task_details details;
};

// A task that the ledger has for a row.
struct recorded_task {
    std::string task_id;
    core::task_details details;          // those of its row
    event_number since = 0;              // the intent that made it, or the first that may have: it did not exist before
    std::optional<instant> answered_at;  // when an answer named it; nothing: a look-up found it
};

struct reason_count {
    core::row_state state = core::row_state::failed;
    std::string code;
    std::uint64_t rows = 0;
    core::row_number example_row = 0;
    std::string example_message;
};

// What the refusals of a job have taught, for a run that goes on with it.
struct learnt_refusals {
    std::uint64_t requests = 0;  // spent on finding what was refused, since the last retry of failed rows
    std::uint64_t created_rows = 0;
    std::uint32_t most_created = 0;   // the most contacts of a request that was created whole
    std::uint64_t open_sets = 0;      // that hold contacts which are refused
    std::uint64_t open_contacts = 0;  // in them
    struct contact {
        std::string id;
        core::group_number group = 0;
        std::string user_id;  // of the group
        std::string message;  // Apollo's
        bool proven = false;  // something was created with the group's details
    };
    std::vector<contact> refused_alone;  // in the order of their refusals
};

// Rows of a job that are duplicates of another job's rows which are still to be sent.
struct waiting_for_job {
    job_id job = 0;  // the other one
    std::uint64_t rows = 0;
};

class contact_lookup {
 public:
    virtual ~contact_lookup() = default;
    virtual bool contains(std::string_view contact) const = 0;
};

// A group of a job, with the contacts that have its task, or may have or get it.
struct similar_group {
    job_id job = 0;
    instant due_at{};
    std::shared_ptr<const contact_lookup> contacts;
};

// How many contacts a request may have, as it was shown for a team: requests with `passes` contacts were created, one
// with `refused` was not, though all its parts were.
struct contact_limit {
    std::uint32_t passes = 0;
    std::uint32_t refused = 0;
    instant shown_at{};
    friend bool operator==(const contact_limit&, const contact_limit&) = default;
};

// What a job has asked of Apollo since some time.
struct requests_made {
    std::uint64_t search = 0;  // to find what is refused
    std::uint64_t others = 0;
};

struct plan_totals {
    std::uint64_t rows = 0;  // records read, rejects included
    std::uint64_t rejected = 0;
};

// Which jobs are pruned. Only completed ones ever are.
struct prune_rules {
    instant finished_before{};
    bool forget_keys = false;   // identity and de-duplication keys go too, also of jobs that were pruned before
    bool with_unknown = false;  // also jobs with rows that are unknown
};

// Why a job that is old enough stays as it is.
enum class prune_bar : std::uint8_t {
    none,
    held,          // a process works on it
    unknown_rows,  // some of its rows may have been created: they are listed nowhere else
    look_up,       // another job has rows in doubt with the same details: its tasks tell whose is whose
    asked_for      // another job's rows are duplicates of rows of it that have no task: they would pass for created
};

struct prune_candidate {
    job_id job = 0;
    instant finished_at{};
    job_totals totals;
    bool pruned_before = false;  // what is left is to be dropped: a prune was cut short, or kept the keys
    prune_bar why_not = prune_bar::none;
};

// Why the rows of a pruned job are not to be had: errc::no_such_job.
core::failure rows_pruned(job_id job, instant pruned_at);

// The file: what is in it, and how much of it is free for what comes next.
struct ledger_size {
    std::uint64_t bytes = 0;
    std::uint64_t free_bytes = 0;
};

// What going on with a ledger that may be an older copy has changed.
struct accepted_ledger {
    std::uint64_t jobs = 0;    // unfinished ones with rows that were not sent, as far as the ledger knew
    std::uint64_t chunks = 0;  // of them, now in doubt
    std::uint64_t rows = 0;
};

// What is not as it was written, after looking through all of the ledger.
struct ledger_condition {
    std::uint64_t rows = 0;     // of all tables that were looked at
    std::uint64_t damages = 0;  // 0: it is whole
    struct damage {
        std::string what;  // "chunk 12 of job 3"
        std::string text;
    };
    std::vector<damage> named;  // the first of them
};

// A window book's name: routes are "tasks/bulk_create", "tasks/search", ...
struct book_key {
    std::string base_url, team, route;
};

// Holds the operating-system lock of one job; gives it back when destroyed. The lock dies with the process.
class job_lock {
 public:
    virtual ~job_lock() = default;
};

class ledger {
 public:
    virtual ~ledger() = default;

    // --- transactions: everything between is kept together, durably, or not at all
    virtual result<void> begin() = 0;   // takes the write lock at once
    virtual result<void> commit() = 0;  // durable when it returns
    virtual void rollback() noexcept = 0;
    // Whether another writer of this process waits for this transaction to end: one that can be parted should be.
    virtual bool others_wait() const = 0;

    // --- planning
    // Makes a job in state planning and takes its lock. Plannings whose process is dead are discarded first.
    virtual result<std::pair<job_id, std::unique_ptr<job_lock>>> begin_plan(const std::vector<std::string>& files,
                                                                            std::uint32_t chunk_size,
                                                                            const std::string& base_url,
                                                                            const std::string& team, instant now) = 0;
    virtual result<void> add_group(job_id job, core::group_number number, const core::task_view& details) = 0;
    virtual result<void> add_chunk(job_id job, const core::planned_chunk& chunk) = 0;
    virtual result<void> add_duplicate(job_id job, const core::duplicate_row& row) = 0;
    virtual result<void> add_reject(job_id job, const core::rejected_row& row) = 0;
    // What a row named its contact by, "email:ada@example.com", where that was not Apollo's id; for `results`.
    virtual result<void> add_row_key(job_id job, core::row_number row, std::string_view key) = 0;
    // What is kept of each input file, in the order of the files given to begin_plan().
    virtual result<void> set_files(job_id job, const std::vector<file_note>& files) = 0;
    // Ends the planning in one transaction. With `same_by`, rows whose task, or one that is equal in these fields, an
    // earlier committed job of the same base URL and team has created, pending or unknown become duplicates of that
    // job's row, and the groups concerned are cut again. Checks that the rows add up to totals.rows (else
    // errc::internal). Returns the totals. Within the same transaction: where a committed job has this very identity or
    // this origin already, nothing is committed and the failure is errc::job_held (two processes planned the same input
    // at once; the caller takes the other's job). `origin` is what a service calls the input, unlike any other's for
    // ever; empty: it has no name.
    virtual result<job_totals> commit_plan(job_id job, const job_identity& identity, const plan_totals& totals,
                                           std::optional<core::task_fields> same_by, const std::string& origin) = 0;
    // The newest other job of that target with groups that are equal to these details in the fields, whatever
    // their due dates, as far as its rows are there. For a hint: only the last jobs, and those without thousands of
    // groups, are looked at, only so many contacts are loaded, and damaged groups are passed over.
    virtual result<std::optional<similar_group>> newest_like(const std::string& base_url, const std::string& team,
                                                             const core::task_view& details, core::task_fields fields,
                                                             job_id own) = 0;
    // Removes a job that was never committed, with all that belongs to it.
    virtual result<void> discard_plan(job_id job) = 0;

    // --- jobs
    // Committed jobs of that base URL and team with as many input bytes: candidates for being the same. With the
    // input's hash those of that alone: thousands may have one size.
    virtual result<std::vector<job_record>> find_jobs(const std::string& base_url, const std::string& team,
                                                      std::uint64_t input_bytes,
                                                      const std::string& input_sha256 = {}) = 0;
    // The committed job that was planned for that input, whatever its identity. Nothing for an empty origin.
    virtual result<std::optional<job_record>> job_of_origin(const std::string& origin) = 0;
    virtual result<std::vector<job_record>> jobs() = 0;                             // oldest first, plannings left out
    virtual result<std::vector<job_record>> newest_jobs(const job_page& page) = 0;  // newest first
    virtual result<std::vector<unfinished_job>> unfinished_jobs() = 0;              // oldest first
    virtual result<std::vector<state_sums>> sums_by_state() = 0;                    // states without a job are left out
    virtual result<job_ends> ends_of_jobs() = 0;
    // Completed ones that were completed before and gone on with since (retry, verify): what was told of that end is
    // old. Pruned ones are left out.
    virtual result<std::vector<reopened_job>> reopened_jobs() = 0;
    virtual result<job_record> job(job_id id) = 0;                      // errc::no_such_job
    virtual result<std::unique_ptr<job_lock>> lock_job(job_id id) = 0;  // errc::job_held at once when another has it
    virtual result<job_totals> totals(job_id id) = 0;
    virtual result<std::vector<reason_count>> reasons(job_id id, std::size_t most) = 0;
    virtual result<void> set_job_state(job_id id, core::job_state state, std::optional<instant> resume_at,
                                       const std::string& stop_code, const std::string& stop_message, instant now) = 0;

    // --- sending
    // Chunks in that state with id > after, by id, at most `most`, with their contacts.
    virtual result<std::vector<chunk_record>> chunks(job_id job, core::chunk_state state, chunk_id after,
                                                     std::size_t most) = 0;
    virtual result<chunk_record> chunk(chunk_id id) = 0;
    // The chunk goes to sending, and its attempt is open. Takes the next event number, as record_report() does. Fails
    // with errc::internal unless the chunk is planned.
    virtual result<attempt_id> record_intent(const attempt_intent& intent) = 0;
    // The first byte of the attempt was written: it counts as a request. (Recorded together with the report; an attempt
    // still open after a kill counts too.)
    virtual result<void> record_report(const attempt_report& report, bool request_written) = 0;
    // Gives the ids of the children, in their order.
    virtual result<std::vector<chunk_id>> update_chunk(const chunk_update& update) = 0;
    // Whether any row of that group was ever created in this job: then its details are good.
    virtual result<bool> group_has_created(job_id job, core::group_number group) = 0;
    virtual result<learnt_refusals> learnt(job_id job) = 0;
    virtual result<requests_made> requests_since(job_id job, instant since) = 0;
    // The job's refused chunks become planned again, with no attempts counted; rows whose task another job has created,
    // pending or unknown by now become duplicates of that job's row instead, as in commit_plan(). A chunk of which only
    // some rows can go again is split. Does what free_duplicates() does as well. One transaction.
    virtual result<void> reopen_failed(job_id job, core::task_fields same_by = {}) = 0;
    // The other jobs whose pending rows this one's duplicates are of, oldest first.
    virtual result<std::vector<waiting_for_job>> waiting_for(job_id job) = 0;
    // Rows that are duplicates of another job's row which has failed since become planned rows of this job, or
    // duplicates of a third job's row that has their task by now. Returns their number. One transaction: of a completed
    // job the caller sets the state in the same one, since rows are pending afterwards.
    virtual result<std::uint64_t> free_duplicates(job_id job, core::task_fields same_by = {}) = 0;
    // The last `most` attempts of the job, oldest first.
    virtual result<std::vector<attempt_record>> attempts(job_id job, std::size_t most) = 0;
    virtual result<std::vector<attempt_record>> attempts_of_chunk(chunk_id chunk) = 0;

    // --- look-up
    // Those of the task ids that the ledger has recorded for any row of that base URL and team. Costs next to nothing
    // for ids that are newer than all that it knows: every answer is asked about.
    virtual result<std::vector<recorded_task>> recorded_tasks(const std::string& base_url, const std::string& team,
                                                              const std::vector<std::string>& task_ids) = 0;
    // The oldest task with that status whose `since` is greater than `after`: if it shows in Apollo's list, the list
    // has come as far as that event.
    virtual result<std::optional<known_task>> control_after(const std::string& base_url, const std::string& team,
                                                            core::task_status status, event_number after) = 0;
    // A task that is known to be created: the newest one with that status; where tasks of the due date exist, one of
    // them.
    virtual result<std::optional<known_task>> sample_created(const std::string& base_url, const std::string& team,
                                                             core::task_status status,
                                                             std::optional<instant> due_at) = 0;

    // How many events were counted so far: the number of the last one.
    virtual result<event_number> events() = 0;

    // --- a ledger that may be an older copy of itself
    // Every planned chunk of an unfinished job comes in doubt, with code ledger_accepted: it may have been sent. So do
    // the chunks of all inputs that are planned from now on and of those that are taken up again, until trust(), since
    // a job of theirs may be lost. The ledger is the newest from then on. errc::job_held while a process works on any
    // job.
    virtual result<accepted_ledger> accept() = 0;
    // Nothing that is missing here was sent before: what is planned from now on can be sent without a look-up.
    virtual result<void> trust() = 0;
    // Whether it was accepted and is not trusted yet.
    virtual result<bool> suspect() = 0;

    // Compares every row with its checksum, and looks for rows that are missing and jobs that do not add up. Reads all
    // of the file. `go_on` is asked now and then; false: errc::interrupted.
    virtual result<ledger_condition> inspect(const std::function<bool()>& go_on) = 0;

    // --- rate windows
    virtual result<core::rate_book> load_book(const book_key& key) = 0;
    virtual result<void> save_book(const book_key& key, const core::rate_book& book) = 0;

    // Nothing: no limit is known.
    virtual result<std::optional<contact_limit>> load_contact_limit(const std::string& base_url,
                                                                    const std::string& team) = 0;
    virtual result<void> save_contact_limit(const std::string& base_url, const std::string& team,
                                            const std::optional<contact_limit>& limit) = 0;

    // What is known of teams' contacts. Lives as long as the ledger.
    virtual contact_store& contacts() = 0;

    // --- pruning
    // The jobs that finished before that time and have something to be dropped, oldest first; also those that stay.
    virtual result<std::vector<prune_candidate>> prune_candidates(const prune_rules& rules) = 0;
    // Drops rows, texts and attempts of a completed job, in small transactions, with its lock held (else
    // errc::job_held). First the keys are kept and the sums written down; from then on the job is pruned, and a call
    // that was cut short is gone on with by the next. `go_on` is asked between transactions; false: errc::interrupted.
    virtual result<void> prune_job(job_id job, bool forget_keys, instant now, const std::function<bool()>& go_on) = 0;
    // Gives free pages back to the file system, in small transactions. A ledger whose file cannot shrink by parts is
    // written anew, once: others wait meanwhile, and the disk needs room for a second one (else errc::ledger_full).
    virtual result<void> shrink(const std::function<bool()>& go_on) = 0;
    virtual result<ledger_size> size() = 0;

    // --- results. Of a pruned job there are none: errc::no_such_job, with a text that says so.
    // Calls `each` for every record of the job in order of row, as they stood when the call began, in memory that does
    // not grow with the job. `each` returns false to stop, and must not write to this ledger.
    virtual result<void> each_result(job_id job, const std::function<bool(const row_result&)>& each) = 0;
    virtual result<void> each_reject(job_id job, const std::function<bool(const core::rejected_row&)>& each) = 0;
};

// What opening does with the lock file's word of how far the ledger had come.
enum class witness_check : std::uint8_t {
    required,  // a ledger behind it, another one, or none is errc::ledger: it would be sent again what was sent
    ignored,   // for looking only: such a ledger opens too, also for who may only read it; nothing is made, and no
               // intent can be recorded
    accepting  // for accept(): what there is will do, and where there is nothing a ledger is made
};

// Opens or makes the ledger file (mode 0600, its folder 0700 when made); symbolic links are followed first. Fails with
// errc::ledger, naming path and remedy: not writable, not a ledger, another schema, an older copy, a file with a second
// name (hard link), a file system without working locks. ":memory:" gives a ledger for tests.
result<std::unique_ptr<ledger>> open_ledger(const std::string& path, witness_check how = witness_check::required);

// Whether this user may write the ledger's files, those of it that are there, and its folder. Without all of that it
// can be opened for looking only.
bool may_write(const std::string& path);

// Whether there is a ledger file; makes none. errc::ledger when there is none, or an empty one, though the lock file
// knows that something was sent with it.
result<bool> has_ledger(const std::string& path);

}  // namespace taskbarge::ledger
