// The sending half of an import: brings a planned job as far as it goes. A loop around run_policy's decide(), one
// awaited step a case; everything here lives on one event loop. What the steps are about is kept by its parts:
//
//   ready_queue    which chunks may be sent, and which goes next
//   doubt_book     which are in doubt, and what a look-up says of them
//   run_health     whether Apollo can be reached
//   run_progress   what is counted and shown
//   chunk_records  what is written into the ledger, on the ledger's thread
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "job/online/session.hpp"
#include "job/sending/chunk_records.hpp"
#include "job/sending/doubt_book.hpp"
#include "job/sending/ready_queue.hpp"
#include "job/sending/run_health.hpp"
#include "job/sending/run_policy.hpp"
#include "job/sending/run_progress.hpp"
#include "job/sending/run_purpose.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::job {

struct run_end {
    std::optional<core::failure> why;        // nothing: the job is finished
    std::optional<core::instant> resume_at;  // parked: not before
};

class import_run {
 public:
    import_run(session& s, const ledger::job_record& job, const ledger::job_totals& totals, run_purpose purpose);

    // Runs to the job's end, a park, a stop or a failure. Waits for what is in flight first, unless the stop is forced.
    boost::asio::awaitable<run_end> run();

    std::uint64_t requests_this_run() const { return progress_.requests(); }
    const core::row_counts& counts() const { return progress_.rows(); }

 private:
    // Start: each ends the run by break_off() where it fails.
    boost::asio::awaitable<void> begin();
    boost::asio::awaitable<void> recover();
    boost::asio::awaitable<void> load_doubts();
    boost::asio::awaitable<void> learn_limits();
    boost::asio::awaitable<core::result<std::optional<std::uint64_t>>> own_usage();
    void compare_usage(std::optional<std::uint64_t> own);

    // Steps
    boost::asio::awaitable<void> keep_ready();
    boost::asio::awaitable<void> load_more();
    boost::asio::awaitable<void> loading_ended();
    void send_next();
    boost::asio::awaitable<void> send_one(ready_queue::ready_chunk next);
    boost::asio::awaitable<void> change_unsent(ledger::chunk_record chunk, ledger::chunk_update update);
    boost::asio::awaitable<void> settle(ledger::chunk_record chunk, core::attempt_id attempt, const placed& place,
                                        client::creation made);
    boost::asio::awaitable<core::result<verdict>> judge_answer(const ledger::chunk_record& chunk,
                                                               core::attempt_id attempt, const client::creation& made,
                                                               core::instant now);
    boost::asio::awaitable<void> keep_limit();
    boost::asio::awaitable<void> begin_doubts();
    boost::asio::awaitable<void> look_up_pass();
    boost::asio::awaitable<void> settle_doubt(doubt_book::settlement decided);

    // Deciding
    bool only_doubts_left() const { return in_flight_ == 0 && ready_.nothing_to_send(); }
    run_view view() const;
    run_end end_of(const next_move& move) const;
    std::optional<steady_time> grace_ends(steady_time now);
    void took_place();
    void left_place();
    void expect_commits();
    void break_off(const std::optional<core::failure>& why);
    moment now() const { return moment::of(env_.clock); }
    const core::rate_window& day() const { return windows_.seen()[core::window_kind::day]; }

    session& session_;
    const environment& env_;
    const ledger::job_record job_;
    const run_purpose purpose_;
    route_windows& windows_;  // of bulk_create
    async::task_group sends_;
    async::wake_bell& bell_;
    ready_queue ready_;
    doubt_book doubts_;
    run_health health_;
    run_progress progress_;
    chunk_records records_;        // used on the ledger's thread alone
    std::uint32_t in_flight_ = 0;  // from the intent until the outcome is durable
    std::uint32_t settling_ = 0;   // of these, those that were answered
    std::optional<core::failure> broken_;
    std::optional<steady_time> stop_seen_;
};

}  // namespace taskbarge::job
