// The promises of the design, tried on long random sequences of events. Every run is decided by its seed.
#include "unit/job/promises_model.hpp"

#include <gtest/gtest.h>

namespace taskbarge::job::model {
namespace {

using namespace std::chrono_literals;
using policy = settlement_rules::undecidable_rows;

constexpr std::uint64_t worlds = 150, steps_each = 150;

// Runs many worlds of one kind to their ends; every promise is checked after every step.
world_stats try_out(world_options options) {
    world_stats all;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        options.seed = seed;
        world w(options);
        for (std::uint64_t i = 0; i < steps_each && w.broken_promise().empty(); ++i)
            w.step();
        w.finish();
        all += w.stats();
        if (const auto broken = w.broken_promise(); !broken.empty()) {
            ADD_FAILURE() << "seed " << seed << ", step " << w.stats().steps << ": " << broken;
            break;
        }
    }
    return all;
}

// A model in which nothing goes wrong proves nothing.
void expect_rough(const world_stats& s) {
    EXPECT_GE(s.steps, worlds * steps_each);
    EXPECT_GT(s.kills, worlds);
    EXPECT_GT(s.kills_in_flight, worlds / 3);
    EXPECT_GT(s.doubtful_answers, worlds);
    EXPECT_GT(s.adopted, worlds);
}

TEST(Promises, WithHoldNoRowIsLostAndNoContactHasTwoTasks) {
    const auto s = try_out({});
    expect_rough(s);
    EXPECT_EQ(s.held, s.held_unproven) << "where the search shows everything, only the last requests stay undecided";
    EXPECT_LT(s.held, worlds) << "of some twelve requests a world";
    EXPECT_EQ(s.resent, 0u);
}

TEST(Promises, WithResendEveryDoubleIsMarked) {
    world_options o;
    o.policy = policy::resend;
    o.others_interfere = true;
    const auto s = try_out(o);
    expect_rough(s);
    EXPECT_GT(s.resent, 0u);
}

TEST(Promises, WithHoldTheyHoldThoughOthersMakeTasksForTheSameContacts) {
    world_options o;
    o.others_interfere = true;
    const auto s = try_out(o);
    expect_rough(s);
    EXPECT_GT(s.held, 0u);
}

TEST(Promises, WithHoldTheyHoldWithoutAUsableSearch) {
    world_options o;
    o.search_is_bad = doubt_reason::not_visible;
    const auto s = try_out(o);
    EXPECT_GT(s.kills, worlds);
    EXPECT_GT(s.held, 0u);
}

TEST(Promises, WithResendTheyHoldWithoutAUsableSearch) {
    world_options o;
    o.policy = policy::resend;
    o.search_is_bad = doubt_reason::forbidden;
    const auto s = try_out(o);
    EXPECT_GT(s.kills, worlds);
    EXPECT_GT(s.resent, 0u);
}

TEST(Promises, HoldForACancelledJob) {
    world_options o;
    o.cancels = true;
    expect_rough(try_out(o));
}

// However late the index is: the task that shows must be younger than the request in doubt.
world_options with_a_late_index() {
    world_options o;
    o.index_behind = o.settle_time * 3;
    o.requests_percent = 8;
    o.most_pause = o.settle_time;
    return o;
}
TEST(Promises, HoldHoweverLateTheIndexIs) {
    const auto s = try_out(with_a_late_index());
    EXPECT_GT(s.kills, worlds);
    EXPECT_GT(s.doubtful_answers, worlds);
    EXPECT_GT(s.adopted, 0u);
    EXPECT_GT(s.resent + s.held, 0u);
}

world_options with_lying_clocks() {
    world_options o;
    o.clocks_lie = true;
    o.others_interfere = true;
    return o;
}
TEST(Promises, HoldWhateverTheClocksSay) {
    const auto s = try_out(with_lying_clocks());
    expect_rough(s);
    EXPECT_GT(s.clock_jumps, worlds);
}

world_options with_answers_that_come_twice() {
    world_options o;
    o.answers_come_twice = true;
    return o;
}
TEST(Promises, HoldWhereAnswersBelongToOtherRequests) {
    const auto s = try_out(with_answers_that_come_twice());
    expect_rough(s);
    EXPECT_GT(s.distrusted, worlds / 6);
}

world_options with_a_restored_ledger() {
    world_options o;
    o.ledger_is_restored = true;
    return o;
}
TEST(Promises, HoldForALedgerThatIsRestoredAndAccepted) {
    const auto s = try_out(with_a_restored_ledger());
    expect_rough(s);
    EXPECT_GT(s.restores, worlds / 3);
}

// The model must be able to find what it looks for.
bool finds_a_broken_promise(world_options options) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        options.seed = seed;
        world w(options);
        for (std::uint64_t i = 0; i < steps_each && w.broken_promise().empty(); ++i)
            w.step();
        w.finish();
        if (!w.broken_promise().empty()) return true;
    }
    return false;
}

TEST(Promises, CannotHoldWhereApolloIsSlowerThanTheSettleTime) {
    world_options o;
    o.settle_time = 5s;
    EXPECT_TRUE(finds_a_broken_promise(o));
}

// And each rule must be needed: taken away, it is missed.
struct removal {
    const char* name;
    rule without;
    world_options (*in)();
};
class WithoutARule : public ::testing::TestWithParam<removal> {};

TEST_P(WithoutARule, APromiseBreaks) {
    auto o = GetParam().in();
    o.without = GetParam().without;
    EXPECT_TRUE(finds_a_broken_promise(o));
}
INSTANTIATE_TEST_SUITE_P(
    Promises, WithoutARule,
    ::testing::Values(removal{"ControlIsYounger", rule::control_is_younger, with_a_late_index},
                      removal{"ScansAreApart", rule::scans_are_apart, with_a_late_index},
                      removal{"ExactIsNeverAbsent", rule::exact_is_never_absent, with_lying_clocks},
                      removal{"KnownTaskIsNoProof", rule::known_task_is_no_proof, with_answers_that_come_twice},
                      removal{"ConnectionIsDistrusted", rule::connection_is_distrusted, with_answers_that_come_twice},
                      removal{"AcceptedIsLookedUp", rule::accepted_is_looked_up, with_a_restored_ledger}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace taskbarge::job::model
