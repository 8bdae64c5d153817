// The sending half of an import: brings a planned job as far as it goes. A loop around run_policy's decide(), one
// awaited step a case; everything here lives on one event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "job/chunk_flow.hpp"
#include "job/evidence.hpp"
#include "job/isolation.hpp"
#include "job/look_up.hpp"
#include "job/refusal_watch.hpp"
#include "job/run_policy.hpp"
#include "job/session.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::job {

// What a run is for.
enum class run_purpose : std::uint8_t {
    import,  // send, look up, finish
    retry,   // the same, and look up again what was held
    verify,  // look up only, also what was held; sends nothing
    cancel   // look up what is in doubt, send nothing; rows shown to be absent are cancelled
};

struct run_end {
    std::optional<core::failure> why;        // nothing: the job is finished
    std::optional<core::instant> resume_at;  // parked: not before
};

class import_run {
 public:
    import_run(session& s, const ledger::job_record& job, const ledger::job_totals& totals, run_purpose purpose);

    // Runs to the job's end, a park, a stop or a failure. Waits for what is in flight first, unless the stop is forced.
    boost::asio::awaitable<run_end> run();

    std::uint64_t requests_this_run() const { return requests_; }
    const core::row_counts& counts() const { return progress_.rows; }

 private:
    struct ready_chunk {
        ledger::chunk_record chunk;
        steady_time not_before{};
    };

    // What recording an answer has shown: what it means if it is another request's, and the rate windows after it.
    struct recorded_outcome {
        std::optional<verdict> doubted;
        core::rate_book book;
        std::vector<ledger::chunk_record> children;
    };

    std::optional<steady_time> grace_ends(steady_time now);

    // Start
    boost::asio::awaitable<core::result<void>> recover();
    boost::asio::awaitable<core::result<void>> load_doubts();
    boost::asio::awaitable<void> learn_limits();
    boost::asio::awaitable<core::result<std::optional<std::uint64_t>>> own_usage();
    void compare_usage(std::optional<std::uint64_t> own);
    boost::asio::awaitable<void> keep_ready();
    boost::asio::awaitable<void> load_more();
    boost::asio::awaitable<void> loading_ended();
    std::size_t clean_ready() const;
    bool searches_full() const;
    void take_in(ledger::chunk_record chunk);
    void take_children(std::vector<ledger::chunk_record> children);
    void make_ready(ledger::chunk_record chunk, steady_time not_before);

    // One request
    boost::asio::awaitable<void> send_one(ready_chunk next);
    boost::asio::awaitable<core::result<std::optional<core::attempt_id>>> take_place(const ledger::chunk_record& chunk,
                                                                                     placed& place);
    boost::asio::awaitable<void> settle(ledger::chunk_record chunk, core::attempt_id attempt, const placed& place,
                                        client::creation made);
    core::result<std::optional<std::string>> why_not_ours(ledger::ledger& l, const client::exchange& x,
                                                          const core::indexed_ids& tasks);
    boost::asio::awaitable<core::result<void>> recall_refusals();
    boost::asio::awaitable<core::result<std::optional<std::string>>> isolate(const ledger::chunk_record& chunk,
                                                                             verdict& v, const client::exchange& x,
                                                                             bool too_many);
    void weigh_gateway(verdict& v) const;
    boost::asio::awaitable<void> change_unsent(ledger::chunk_record chunk, ledger::chunk_update update);
    boost::asio::awaitable<void> keep_limit();
    void follow_up(ledger::chunk_record chunk, const verdict& v);
    void note_health(consequence what, const client::exchange& x);
    void note_unreached(const client::exchange& x);
    std::string last_words() const;

    // Doubt
    boost::asio::awaitable<void> take_in_doubts();
    boost::asio::awaitable<core::result<void>> add_doubt(ledger::chunk_record chunk);
    boost::asio::awaitable<void> look_up_pass();
    boost::asio::awaitable<bool> weigh_doubt(doubt& d, const span_view& view);  // true: settled
    bool only_doubts_left() const;
    std::optional<core::chunk_id> next_pioneer() const;
    boost::asio::awaitable<bool> settle_doubt(doubt& d, const std::vector<row_finding>& findings);
    core::result<std::optional<std::string>> claimed_before(ledger::ledger& l, const core::indexed_ids& tasks) const;
    void note_pass(const reading_end& end);
    settlement_rules rules() const;

    // Deciding
    bool sends() const { return purpose_ == run_purpose::import || purpose_ == run_purpose::retry; }
    bool looks_at_held() const { return purpose_ == run_purpose::retry || purpose_ == run_purpose::verify; }
    bool may_send(const ready_chunk& r) const;
    steady_time ready_at(const ready_chunk& r, std::optional<steady_time> search_opens) const;
    std::deque<ready_chunk>::iterator next_ready(steady_time now);
    std::optional<steady_time> searches_open() const;
    void took_place();
    void left_place();
    void expect_commits();
    void send_next();
    run_view view() const;
    bool outage_over_limit() const;
    run_end end_of(const next_move& move) const;
    std::string describe_wait(waits_for why) const;
    std::string told_by_server() const;
    void publish(const next_move& move);
    void count(core::chunk_state before, std::size_t rows, const ledger::chunk_update& update);
    void break_off(core::failure why);
    core::instant wall(steady_time t) const;
    steady_time steady(core::instant t) const;

    session& session_;
    const environment& env_;
    const ledger::job_record job_;
    const run_purpose purpose_;
    async::task_group sends_;
    wake_bell& bell_;
    std::mt19937_64 random_;
    circuit_breaker breaker_;
    send_width width_;
    retry_budget budget_;
    isolation isolation_;
    search_day day_;
    refusal_watch refusals_;

    std::deque<ready_chunk> ready_;
    bool loading_ = false;
    bool all_loaded_ = false;
    core::chunk_id last_loaded_ = 0;
    core::chunk_id last_doubt_ = 0;
    ledger::event_number events_before_ = 0;  // that the ledger had counted when this run began
    bool pioneer_sent_ = false;               // see next_pioneer()
    std::vector<doubt> doubts_;
    std::vector<ledger::chunk_record> newly_doubtful_;
    std::unordered_set<std::uint64_t> distrusted_;  // connections; the ledger's thread alone uses it
    bool left_in_ledger_ = false;                   // searches, for later
    std::unordered_set<core::chunk_id> children_;   // of splits, that were taken in
    std::optional<steady_time> search_opens_;
    std::uint32_t search_failures_ = 0;
    std::uint32_t in_flight_ = 0;  // from the intent until the outcome is durable
    std::uint32_t settling_ = 0;   // of these, those that were answered
    std::uint64_t requests_ = 0;
    bool anything_created_ = false;
    bool any_answer_ = false;
    std::uint32_t unreached_in_a_row_ = 0;
    std::optional<steady_time> trouble_since_;
    client::exchange last_trouble_;
    std::optional<std::chrono::milliseconds> told_wait_;  // retry-after of the last 429, where one is believed
    std::optional<core::failure> broken_;
    progress progress_;
    std::optional<steady_time> stop_seen_;
    steady_time last_published_{};
};

}  // namespace taskbarge::job
