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

#include "job/chunk_flow.hpp"
#include "job/evidence.hpp"

namespace taskbarge::job::model {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock::time_point;

struct world_options {
    std::uint64_t seed = 1;
    settlement_rules::undecidable_rows policy = settlement_rules::undecidable_rows::hold;
    milliseconds settle_time = std::chrono::seconds(100);
    // What Apollo takes at most: to apply a request, to go on applying one behind an answer that was already given, to
    // show a new task in its search. Together shorter than settle_time, or nothing can be promised.
    milliseconds most_service = std::chrono::seconds(10);
    milliseconds most_late = std::chrono::seconds(50);
    milliseconds most_lag = std::chrono::seconds(30);
    bool cancels = false;                             // somebody cancels the job half-way
    bool others_interfere = false;                    // people make tasks for the same contacts; Apollo tidies notes
    doubt_reason search_is_bad = doubt_reason::none;  // no scan ever proves absence
};

struct world_stats {
    std::uint64_t steps = 0, kills = 0, kills_in_flight = 0, requests = 0, doubtful_answers = 0, adopted = 0,
                  resent = 0, doubles = 0, held = 0;
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
        steady answered_at{};
        client::exchange exchange;
        client::create_answer answer;
    };

    // chance
    bool chance(int percent);
    std::size_t any(std::size_t below);
    milliseconds up_to(milliseconds most);

    // the ledger
    ledger::chunk_record& chunk(core::chunk_id id) { return chunks_.at(static_cast<std::size_t>(id - 1)); }
    void plan();
    void apply(const ledger::chunk_update& update);
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
    void look_up();
    bool weigh_one(doubt& d, const span_view& view, const std::vector<const doubt*>& neighbours);
    void kill();
    void cancel();
    std::optional<steady> next_scan() const;

    core::instant wall() const;
    std::string judge_row(std::size_t r, const ledger::chunk_record& at, std::size_t index) const;

    const world_options options_;
    std::mt19937_64 random_;
    steady now_{std::chrono::hours(1)};
    bool calm_ = false;
    bool cancelled_ = false;
    std::vector<core::task_details> groups_;
    std::vector<row> rows_;
    std::vector<ledger::chunk_record> chunks_;
    std::map<core::chunk_id, core::instant> first_attempt_;
    std::vector<made_task> tasks_;
    std::vector<request> in_flight_;
    std::vector<doubt> doubts_;
    bool anything_created_ = false;
    std::uint64_t ids_ = 0;
    std::string broken_;
    world_stats stats_;
};

}  // namespace taskbarge::job::model
