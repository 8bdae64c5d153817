// From an input to a job, and from a finished job to its results beside the input. Three threads: one reads and plans,
// one looks at what waits for a person, one puts away.
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
#include <string>
#include <thread>
#include <vector>

#include "service/current_configuration.hpp"
#include "service/inbox/arrivals.hpp"
#include "service/inbox/item_store.hpp"
#include "service/work/board.hpp"
#include "service/work/kept_ledger.hpp"
#include "service/work/renewal.hpp"
#include "service/work/result_files.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::service {

// How long an input waits until it is read again: longer with each failure, but until a time that it waits for, such as
// the end of a rate window, however often. Plain.
std::chrono::milliseconds reading_pause(std::uint32_t& failures, std::optional<core::instant> not_before,
                                        core::instant now);

// Where an item can be, from when it is offered, submitted or adopted. What it stands in is the state that the control
// API shows:
//
//                 queue_ ("queued", or "waiting" until not_before)
//    submit() ──►  │  ▲◄── start(), set_settings() ── planned_ ("planned") ──► discard()
//                  │  │                                  ▲
//                  │  │            waits for a person: preview() ("reading")
//                  │  ├── a failure that may pass; the input is still being written
//    read_loop()   ▼  │
//                 take_in() ──► plan() ("reading")
//                  │  │            │    │ no job can be made
//                  │  │ has a job  │    └──────────────────────────► failed/
//                  ▼  ▼            ▼
//                 accept() ──► accepted_ ("accepted", claimed)
//                                  │ job_finished(), look()
//    put_away_loop()               ▼
//                 put_away_item() ──► done/, or failed/ where the input went on to be written
//                  │  another process looks at it: back to accepted_
//                  └─ a failure that may pass: back to queue_, by which it is accepted again
//
// An entry is in one place at a time, and its folder stays in processing/ until the last step: a kill anywhere leaves
// it to be adopted.
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
    // Looks for jobs that others finished, for items that dead processes left, for planned ones that a person removed,
    // and for jobs that were finished again since their results were put away: those are written anew.
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
    // What a person does with one that is planned and waits to be let go. Nothing: it is not, or not any more.
    using planned_item = std::optional<core::result<inbox::item>>;
    // Nothing stands between it and its requests any more. Durable when it returns. `plan`: the one that the person has
    // seen; errc::usage: it is another one by now. Empty: whichever it is.
    planned_item start(const std::string& id, const std::string& plan);
    // Gives it settings of its own instead of those that it has, and plans it again. errc::settings: they cannot be
    // used, and all is as it was.
    planned_item set_settings(const std::string& id, std::string_view toml);
    planned_item discard(const std::string& id);
    // The settings are new: what waits for a person is planned again.
    void reloaded();
    std::size_t planned() const;
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
        std::string plan;  // the preview's id, of one that waits for a person
        bool waits_for_a_person() const { return held.item().waits_for_a_person(); }
    };
    // An item with a job, which waits for its end: claimed, and held again to be put away.
    struct waiting_item {
        inbox::held_item held;
        ledger::job_identity identity;  // of its job
        std::optional<inbox::file_state> read;
    };

    void read_loop(bool previews);
    void put_away_loop();
    void take_in(entry e);
    void preview(entry e);
    void plan(entry e);
    std::optional<entry> take_planned(const std::string& id);
    std::optional<entry> take_held(const std::string& id);
    bool keep_planned(entry e);
    void drop(const std::string& id);
    std::vector<std::pair<std::string, std::string>> planned_folders() const;
    void queue(entry e);
    void accept(entry e, const ledger::job_record& job);
    void later(entry e, const core::failure& why, std::optional<core::instant> not_before = {});
    void wait_for_writer(entry e, std::string_view why);
    // `format`: the input's, where it was read.
    void give_up(entry e, const core::failure& why, const core::settings& settings, const std::string& format = {});
    void tell_failed(const inbox::item& item, const core::failure& why);
    void put_away_job(core::job_id job);
    void put_away_item(core::job_id job, waiting_item waiting);
    core::result<std::string> changed_since_read(const waiting_item& waiting, core::job_id job) const;
    core::result<std::optional<ledger::job_record>> planned_before(const inbox::item& item);
    core::result<ledger::job_record> job_of(core::job_id job);
    core::result<reader::input_digest> digest_of_input(const inbox::item& item) const;
    void renew();
    void wake();
    void forget(const std::string& id);
    void set_state(const std::string& id, std::string state, std::string error);

    parts parts_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::deque<entry> queue_;
    std::deque<core::job_id> finished_;
    std::map<std::string, entry> planned_;  // by item id
    std::multimap<core::job_id, waiting_item> accepted_;
    std::map<std::string, std::pair<std::string, std::string>> states_;  // by item id
    std::size_t held_ = 0;
    std::map<std::string, std::string> untaken_;  // the folder watch's own: which files could not be taken, and why
    std::string adopt_trouble_;                   // look()'s own
    job::stop_control stop_;
    result_files files_;
    renewal renewal_;
    kept_ledger reading_book_, preview_book_, finished_book_;  // each its thread's own
    std::thread reading_, previewing_, putting_away_;
};

}  // namespace taskbarge::service
