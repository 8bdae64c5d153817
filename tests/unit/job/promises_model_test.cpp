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
    EXPECT_EQ(s.held, 0u) << "where the search shows everything, everything is decided";
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

// The model must be able to find what it looks for.
TEST(Promises, CannotHoldWhereApolloIsSlowerThanTheSettleTime) {
    bool found = false;
    for (std::uint64_t seed = 1; seed <= worlds && !found; ++seed) {
        world_options o;
        o.seed = seed;
        o.settle_time = 5s;
        world w(o);
        for (std::uint64_t i = 0; i < steps_each && w.broken_promise().empty(); ++i)
            w.step();
        found = !w.broken_promise().empty();
    }
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace taskbarge::job::model
