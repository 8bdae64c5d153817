// The ledger in one SQLite file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/job_locks.hpp"
#include "ledger/ledger_file.hpp"
#include "ledger/open_duplicates.hpp"
#include "ledger/row_page.hpp"
#include "ledger/sqlite.hpp"
#include "ledger/sqlite_contact_store.hpp"
#include "ledger/witness.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::ledger {

// Methods are in files by theme: sqlite_ledger.cpp (jobs, events, windows), ledger_planning.cpp,
// ledger_sending.cpp, ledger_lookup.cpp, ledger_results.cpp, ledger_rows.cpp, ledger_pruning.cpp,
// ledger_accepting.cpp and ledger_check.cpp; opening.cpp makes it.
class sqlite_ledger final : public ledger {
 public:
    // What a ledger in files has beside its database.
    struct guard {
        std::string path;
        std::string id;
        ledger_file files;
        witness beside;
        witness_check how;
    };

    // `hash_key`: the file with the key of the contacts' hashes.
    sqlite_ledger(std::unique_ptr<sqlite::database> db, job_locks locks, std::string hash_key,
                  std::optional<guard> files = {})
        : db_(std::move(db)),
          locks_(std::move(locks)),
          guard_(std::move(files)),
          contacts_(*db_, std::move(hash_key), !guard_) {}

    result<void> begin() override;
    result<void> commit() override;
    void rollback() noexcept override;
    bool others_wait() const override { return db_->others_wait(); }

    result<std::pair<job_id, std::unique_ptr<job_lock>>> begin_plan(const std::vector<std::string>& files,
                                                                    std::uint32_t chunk_size,
                                                                    const std::string& base_url,
                                                                    const std::string& team, instant now) override;
    result<void> add_group(job_id job, core::group_number number, const core::task_view& details) override;
    result<void> add_chunk(job_id job, const core::planned_chunk& chunk) override;
    result<void> add_duplicate(job_id job, const core::duplicate_row& row) override;
    result<void> add_reject(job_id job, const core::rejected_row& row) override;
    result<void> add_row_key(job_id job, core::row_number row, std::string_view key) override;
    result<void> set_files(job_id job, const std::vector<file_note>& files) override;
    result<job_totals> commit_plan(job_id job, const job_identity& identity, const plan_totals& totals,
                                   std::optional<core::task_fields> same_by, const std::string& origin) override;
    result<std::optional<similar_group>> newest_like(const std::string& base_url, const std::string& team,
                                                     const core::task_view& details, core::task_fields fields,
                                                     job_id own) override;
    result<void> discard_plan(job_id job) override;

    result<std::vector<job_record>> find_jobs(const std::string& base_url, const std::string& team,
                                              std::uint64_t input_bytes, const std::string& input_sha256) override;
    result<std::optional<job_record>> job_of_origin(const std::string& origin) override;
    result<std::vector<job_record>> jobs() override;
    result<std::vector<job_record>> newest_jobs(const job_page& page) override;
    result<std::vector<unfinished_job>> unfinished_jobs() override;
    result<std::vector<state_sums>> sums_by_state() override;
    result<std::vector<reopened_job>> reopened_jobs() override;
    result<job_ends> ends_of_jobs() override;
    result<job_record> job(job_id id) override;
    result<std::unique_ptr<job_lock>> lock_job(job_id id) override;
    result<job_totals> totals(job_id id) override;
    result<std::vector<reason_count>> reasons(job_id id, std::size_t most) override;
    result<void> set_job_state(job_id id, core::job_state state, std::optional<instant> resume_at,
                               const std::string& stop_code, const std::string& stop_message, instant now) override;

    result<std::vector<chunk_record>> chunks(job_id job, core::chunk_state state, chunk_id after,
                                             std::size_t most) override;
    result<chunk_record> chunk(chunk_id id) override;
    result<attempt_id> record_intent(const attempt_intent& intent) override;
    result<void> record_report(const attempt_report& report, bool request_written) override;
    result<std::vector<chunk_id>> update_chunk(const chunk_update& update) override;
    result<bool> group_has_created(job_id job, core::group_number group) override;
    result<learnt_refusals> learnt(job_id job) override;
    result<requests_made> requests_since(job_id job, instant since) override;
    result<void> reopen_failed(job_id job, core::task_fields same_by) override;
    result<std::vector<waiting_for_job>> waiting_for(job_id job) override;
    result<std::uint64_t> free_duplicates(job_id job, core::task_fields same_by) override;
    result<std::vector<attempt_record>> attempts(job_id job, std::size_t most, attempt_id before) override;
    result<std::vector<history_point>> history(const history_query& query) override;
    result<std::vector<attempt_record>> attempts_of_chunk(chunk_id chunk) override;

    result<std::vector<recorded_task>> recorded_tasks(const std::string& base_url, const std::string& team,
                                                      const std::vector<std::string>& task_ids) override;
    result<std::optional<known_task>> control_after(const std::string& base_url, const std::string& team,
                                                    core::task_status status, event_number after) override;
    result<std::optional<known_task>> sample_created(const std::string& base_url, const std::string& team,
                                                     core::task_status status, std::optional<instant> due_at) override;

    result<event_number> events() override;

    result<accepted_ledger> accept() override;
    result<void> trust() override;
    result<bool> suspect() override;
    result<ledger_condition> inspect(const std::function<bool()>& go_on) override;

    result<core::rate_book> load_book(const book_key& key) override;
    result<void> save_book(const book_key& key, const core::rate_book& book) override;
    result<std::optional<contact_limit>> load_contact_limit(const std::string& base_url,
                                                            const std::string& team) override;
    result<void> save_contact_limit(const std::string& base_url, const std::string& team,
                                    const std::optional<contact_limit>& limit) override;

    contact_store& contacts() override { return contacts_; }

    result<std::vector<prune_candidate>> prune_candidates(const prune_rules& rules) override;
    result<void> prune_job(job_id job, bool forget_keys, instant now, const std::function<bool()>& go_on) override;
    result<void> shrink(const std::function<bool()>& go_on) override;
    result<ledger_size> size() override;

    result<void> each_result(job_id job, const std::function<bool(const row_result&)>& each) override;
    result<void> each_reject(job_id job, const std::function<bool(const core::rejected_row&)>& each) override;
    result<std::vector<row_result>> rows(job_id job, const row_query& query) override;
    result<found_rows> find_rows(const contact_names& contact, std::size_t most,
                                 const std::function<bool()>& go_on) override;
    result<found_rows> rows_with_task(const std::string& task_id) override;

 private:
    // Runs `body` in the transaction that begin() opened, else in one of its own: for what counts events.
    template <class Body>
    auto counted(Body&& body) -> decltype(body()) {
        if (begun_) return body();
        if (auto opened = begin(); !opened) return opened.error();
        auto out = body();
        if (!out) {
            rollback();
            return out;
        }
        if (auto done = commit(); !done) return done.error();
        return out;
    }
    result<event_number> next_event();
    core::failure why_not_sent(chunk_id chunk);
    result<void> write_count();
    result<void> check_files() const;
    result<void> doubt_plan(job_id job);

    result<void> check_job(job_id id);
    result<std::vector<job_record>> read_jobs(sqlite::statement query);
    result<void> discard_dead_plannings();
    result<bool> discard_some(job_id job);
    result<prune_candidate> judge_candidate(const job_record& job, const prune_rules& rules);
    result<void> mark_pruned(job_id job, instant now);
    result<void> keep_sums(job_id job, const job_totals& sums);
    result<void> check_rows_there(job_id job);
    result<row_page::place> place_of(job_id job);
    result<std::vector<open_duplicate>> open_duplicates_of(job_id job, std::uint64_t duplicates);
    result<std::uint64_t> free_failed(job_id job, core::task_fields same_by);
    result<void> check_new(job_id job, const job_identity& identity, const std::string& origin);
    result<void> check_sum(job_id job, const job_totals& sums, const plan_totals& expected);

    // A rate book as it stands in the transaction that begin() opened.
    struct open_book {
        book_key key;
        core::rate_book book;
        bool changed = false;
    };
    open_book* find_open_book(const book_key& key);
    result<core::rate_book> read_book(const book_key& key);
    result<void> write_book(const book_key& key, const core::rate_book& book);

    std::unique_ptr<sqlite::database> db_;
    bool begun_ = false;                   // by begin()
    std::optional<core::failure> doomed_;  // nothing is written any more
    bool intent_ = false;                  // recorded in that transaction
    // Each request takes a place and each answer corrects it: a shared transaction reads a book once and writes it
    // once.
    std::vector<open_book> open_books_;
    // The count of events in that transaction: read once and written once, too.
    struct open_count {
        event_number events = 0;
        bool changed = false;
    };
    std::optional<open_count> open_count_;
    job_locks locks_;
    std::optional<guard> guard_;
    sqlite_contact_store contacts_;
};

core::failure no_such_job(job_id id);

// Deletes a batch of what belongs to a job, but for the job itself and its files; false: nothing was left. To be called
// within a transaction.
result<bool> drop_some_rows(sqlite::database& db, job_id job);
core::failure bug(const std::string& text);

}  // namespace taskbarge::ledger
