// From an input to a job, and from a finished job to its results beside the input. Two threads: one reads and plans,
// one puts away.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "service/configuration.hpp"
#include "service/inbox/arrivals.hpp"
#include "service/inbox/item_store.hpp"
#include "service/work/board.hpp"
#include "service/work/kept_ledger.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::service {

// How long an input waits until it is read again: longer with each failure, but until a time that it waits for, such as
// the end of a rate window, however often. Plain.
std::chrono::milliseconds reading_pause(std::uint32_t& failures, std::optional<core::instant> not_before,
                                        core::instant now);

class intake {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        inbox::item_store& store;
        board& runs;
        std::size_t most_items = 4096;  // in hand at once; each that is not planned yet holds a descriptor
        // Told when a job may have become ready to go.
        std::function<void()> job_ready;
        // Told of an input that was left when its job was finished already: a dead process may not have told of that.
        std::function<void(core::job_id)> found_finished;
        // Told of an input that made no job.
        std::function<void(const inbox::item& item, const core::failure& why)> failed;
    };
    explicit intake(parts p);
    ~intake();  // closes

    // Adopts what a dead process left, and begins.
    core::result<void> start();
    // A file in the inbox is whole: takes it. False: not now.
    bool offer(const std::string& name);
    // An item that was taken in by another way. False: too many are held; the item stays in its folder and is adopted
    // later.
    bool submit(inbox::held_item held);
    bool full() const;
    // Whether another dropped file may be taken: not many wait to be read. Dropped files can wait where they are.
    bool has_room() const;
    // The job is finished: its inputs are put away.
    void job_finished(core::job_id job);
    // Looks for jobs that others finished, for items that dead processes left, and for jobs that were finished again
    // since their results were put away: those are written anew.
    void look();
    // No new input; what is being read is left off and read again after the next start. Does not wait; close() does.
    void stop();
    void close();

    // Waiting to be read, and with a job that is not finished.
    std::pair<std::size_t, std::size_t> sizes() const;
    // Where an item that is held here stands, and the last trouble with it: queued (not read yet), reading, waiting (it
    // is read again later: a full disk, owners that cannot be asked for), accepted (it has a job). Nothing for items
    // that are put away or held by others.
    std::optional<std::pair<std::string, std::string>> state_of(const std::string& id) const;
    // The inputs of a job that are still in processing.
    std::vector<std::string> imports_of(core::job_id job) const;

 private:
    using time = std::chrono::steady_clock::time_point;
    struct entry {
        inbox::held_item held;
        time not_before{};
        std::uint32_t failures = 0;
        bool waits_for_time = false;  // such as a rate window, and the log was told
        std::string error;
        // The input as it was when it was read, or when it was found to be still written; nothing: it was not looked
        // at by this process.
        std::optional<inbox::file_state> read, unsettled;
    };
    // An item with a job, which waits for its end: claimed, and held again to be put away.
    struct waiting_item {
        inbox::held_item held;
        ledger::job_identity identity;  // of its job
        std::optional<inbox::file_state> read;
    };

    void read_loop();
    void put_away_loop();
    void take_in(entry e);
    void plan(entry e);
    void accept(entry e, const ledger::job_record& job);
    void later(entry e, const core::failure& why, std::optional<core::instant> not_before = {});
    void wait_for_writer(entry e, std::string_view why);
    // `format`: the input's, where it was read.
    void give_up(entry e, const core::failure& why, const core::settings& settings, const std::string& format = {});
    void tell_failed(const inbox::item& item, const core::failure& why);
    void put_away_job(core::job_id job);
    void put_away_item(core::job_id job, waiting_item waiting);
    core::result<std::string> changed_since_read(const waiting_item& waiting, core::job_id job) const;
    static bool is_noted(const inbox::item& item, const ledger::job_record& job);
    core::result<std::optional<ledger::job_record>> planned_before(const inbox::item& item);
    core::result<ledger::job_record> job_of(core::job_id job);
    core::result<void> write_results(ledger::ledger& book, const inbox::held_item& held,
                                     const ledger::job_identity& identity, core::job_id job,
                                     const std::optional<core::failure>& failed);
    core::result<void> write_rows(const inbox::held_item& held, ledger::ledger& book, const ledger::job_record& job,
                                  bool any_rejects);
    void look_for_old_results(ledger::ledger& book);
    void renew(const std::set<core::job_id>& jobs);
    core::result<void> renew_item(ledger::ledger& book, const std::string& id);
    core::result<reader::input_digest> digest_of_input(const inbox::item& item) const;
    core::result<bool> is_job_of(ledger::ledger& book, const inbox::item& item, const ledger::job_record& job) const;
    void write_why(const inbox::held_item& held, const core::failure& why, const core::settings& settings,
                   const std::string& format);
    job::environment environment_of(const configuration& c, const core::settings& s, job::observer& watch,
                                    ledger::ledger* book);
    void forget(const std::string& id);
    void set_state(const std::string& id, std::string state, std::string error);

    parts parts_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::deque<entry> queue_;
    std::deque<core::job_id> finished_;
    std::multimap<core::job_id, waiting_item> accepted_;
    std::map<std::string, std::pair<std::string, std::string>> states_;  // by item id
    std::map<core::job_id, core::instant> renewed_;  // the ends of reopened jobs that the results in done/ tell
    std::set<core::job_id> to_renew_;
    time renew_not_before_{};
    std::uint32_t renew_failures_ = 0;
    std::size_t held_ = 0;
    std::map<std::string, std::string> untaken_;  // the folder watch's own: which files could not be taken, and why
    std::string adopt_trouble_;                   // look()'s own
    job::stop_control stop_;
    kept_ledger reading_book_, finished_book_;  // each its thread's own
    std::thread reading_, putting_away_;
};

}  // namespace taskbarge::service
