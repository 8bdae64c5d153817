// A world in which the decisions of the job module are tried out: an Apollo that is late, lies by omission and loses
// answers, a ledger, and a process that is killed now and then. No I/O and no time of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "job/sending/chunk_flow.hpp"

namespace taskbarge::job::model {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock::time_point;

// What the decisions rest on. Each can be taken away, to see that the model notices.
enum class rule : std::uint8_t {
    none,
    control_is_younger,        // absence needs a task that was recorded after the request in doubt
    scans_are_apart,           // and two scans, a settle time apart
    exact_is_never_absent,     // an exact match that no row claims is not passed over for its stamp
    known_task_is_no_proof,    // an answer with another row's task is doubtful
    connection_is_distrusted,  // and so is what comes on its connection afterwards
    accepted_is_looked_up      // after a restore nothing is sent unseen
};

struct world_options {
    std::uint64_t seed = 1;
    settlement_rules::undecidable_rows policy = settlement_rules::undecidable_rows::hold;
    milliseconds settle_time = std::chrono::seconds(100);
    // What Apollo takes at most: to apply a request, to go on applying one behind an answer that was already given, to
    // show a new task in its search. Together shorter than settle_time, or nothing can be promised.
    milliseconds most_service = std::chrono::seconds(10);
    milliseconds most_late = std::chrono::seconds(50);
    milliseconds most_lag = std::chrono::seconds(30);
    // The index is behind by this for all tasks alike, however long that is.
    milliseconds index_behind{0};
    // How fast the job goes on: the share of events that are requests, and the longest pause between two events.
    int requests_percent = 35;
    milliseconds most_pause = std::chrono::seconds(25);
    // The wall clock is set now and then, tasks are stamped by a clock of their own, and so is each answer, or not at
    // all.
    bool clocks_lie = false;
    // Answers that belong to an earlier request on the same connection.
    bool answers_come_twice = false;
    // The ledger is replaced by an older copy now and then, and accepted.
    bool ledger_is_restored = false;
    rule without = rule::none;
    bool cancels = false;                             // somebody cancels the job half-way
    bool others_interfere = false;                    // people make tasks for the same contacts; Apollo tidies notes
    doubt_reason search_is_bad = doubt_reason::none;  // no scan ever proves absence
};

struct world_stats {
    std::uint64_t steps = 0, kills = 0, kills_in_flight = 0, requests = 0, doubtful_answers = 0, adopted = 0,
                  resent = 0, doubles = 0, held = 0, held_unproven = 0, distrusted = 0, restores = 0, clock_jumps = 0;
    world_stats& operator+=(const world_stats& o);
};

class world {
 public:
    explicit world(const world_options& options);

    // One random event: a request leaves, an answer comes, a scan, time passes, the process is killed.
    void step();
    // Nothing goes wrong any more: goes on until nothing is left to do.
    void finish();
    // The promise that does not hold now, in words; empty: all hold.
    std::string broken_promise() const;
    const world_stats& stats() const { return stats_; }

 private:
    struct row {
        std::string contact;
        std::size_t group = 0;
    };
    struct made_task {
        std::string id;
        std::optional<std::size_t> for_row;  // nothing: somebody else's
        steady applied_at{}, visible_from{};
        client::seen_task seen;
    };
    struct request {
        core::chunk_id chunk = 0;
        steady sent_at{}, answered_at{};
        std::size_t connection = 0;
        client::exchange exchange;
        client::create_answer answer;
    };
    // As the ledger keeps it.
    struct attempt {
        ledger::event_number begun = 0, ended = 0;
        core::instant started_at{};
        std::optional<core::instant> server_date;
    };
    struct recorded {
        ledger::event_number since = 0;
        std::optional<core::instant> answered_at;
    };
    // All that a file has, and that a copy of it brings back.
    struct ledger_state {
        std::vector<ledger::chunk_record> chunks;
        std::map<core::chunk_id, std::vector<attempt>> attempts;
        std::map<std::string, recorded, std::less<>> tasks;
        ledger::event_number events = 0;
    };

    // chance
    bool chance(int percent);
    std::size_t any(std::size_t below);
    milliseconds up_to(milliseconds most);

    // the ledger
    ledger::chunk_record& chunk(core::chunk_id id) { return ledger_.chunks.at(static_cast<std::size_t>(id - 1)); }
    void plan();
    void apply(const ledger::chunk_update& update, core::instant now);
    void close(core::chunk_id id, std::optional<core::instant> server_date);
    void restore();
    std::vector<core::chunk_id> in_state(core::chunk_state s) const;
    void check(bool holds, const char* what);

    // Apollo
    std::string make_task(std::size_t row, steady applied_at);
    void somebody_makes_a_task();
    client::create_answer imagine_answer(const ledger::chunk_record& c, steady service_end);
    std::optional<client::create_answer> imagine_failure();
    client::create_answer imagine_partial(const ledger::chunk_record& c, steady service_end);
    client::create_answer imagine_doubtful(const ledger::chunk_record& c, steady service_end);
    span_view scan(core::instant due) const;

    // the process
    void send(core::chunk_id id);
    void take_answer(std::size_t which);
    void take_in(core::chunk_id id);
    client::create_answer judged(const request& r);
    std::optional<core::instant> server_time() const;
    std::optional<core::instant> date_of_an_answer();
    void hear_clock(std::optional<core::instant> shown);
    core::instant stamp(steady when) const;
    void pass_time(milliseconds by);
    void look_up();
    bool weigh_one(doubt& d, span_view view, const std::vector<const doubt*>& neighbours);
    void kill();
    void begin_again();
    void cancel();
    std::optional<steady> next_scan() const;

    core::instant wall() const { return wall_at(now_); }
    core::instant wall_at(steady when) const;
    std::string judge_row(std::size_t r, const ledger::chunk_record& at, std::size_t index) const;

    const world_options options_;
    std::mt19937_64 random_;
    steady now_{std::chrono::hours(1)};
    bool calm_ = false;
    bool cancelled_ = false;
    std::vector<core::task_details> groups_;
    std::vector<row> rows_;
    ledger_state ledger_;
    std::optional<ledger_state> copy_;
    std::vector<made_task> tasks_;
    std::vector<request> in_flight_;
    // A connection: its last answer, one that it has left over, and whether one of its answers was doubted.
    struct wire {
        std::optional<client::create_answer> last, left_over;
        bool distrusted = false;
    };
    std::vector<wire> wires_;
    milliseconds clock_error_{0};    // ours, of the wall
    milliseconds backend_error_{0};  // of the clock that stamps tasks
    std::optional<milliseconds> least_server_time_;
    std::vector<doubt> doubts_;
    bool anything_created_ = false;
    std::uint64_t ids_ = 0;
    std::string broken_;
    world_stats stats_;
};

}  // namespace taskbarge::job::model
