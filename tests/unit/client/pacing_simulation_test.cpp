// Pacing in simulated time against a model of Apollo's windows: docs/rate-limits.md states what is checked here.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/pacing_simulation.hpp"

namespace taskbarge::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint64_t, 3> free_plan{50, 200, 600};
constexpr std::array<std::uint64_t, 3> basic_plan{200, 400, 2000};
constexpr std::array<std::uint64_t, 3> organization_plan{200, 600, 6000};
constexpr std::array<std::uint64_t, 3> minute_only{60, 0, 0};
constexpr std::array<std::uint64_t, 3> day_only{0, 0, 100};
constexpr std::array<std::uint64_t, 3> narrow{10, 1000, 0};
constexpr std::array all_limits{free_plan, basic_plan, organization_plan, minute_only, day_only, narrow};

std::string described(const scenario& s) {
    std::string out;
    for (const auto limit : s.limits)
        out += (out.empty() ? "limits " : "/") + std::to_string(limit);
    out += ", " + std::to_string(s.processes) + " x " + std::to_string(s.requests) + " requests, " +
           std::to_string(s.connections) + " connections, " + std::to_string(s.latency_least.count()) + " to " +
           std::to_string(s.latency_most.count()) + " ms, seed " + std::to_string(s.seed);
    for (const auto& o : s.others) {
        out += ", others " + std::to_string(o.burst) + " every " + std::to_string(o.every.count()) + " ms";
    }
    return out;
}

double ratio(milliseconds a, milliseconds b) {
    return static_cast<double>(a.count()) / static_cast<double>(b.count());
}

void expect_alone_and_optimal(const scenario& s) {
    SCOPED_TRACE(described(s));
    const auto out = simulate(s);
    const auto best = optimum(s);
    EXPECT_TRUE(out.done);
    EXPECT_EQ(out.refused, 0u);
    EXPECT_GE(out.finished, best);
    EXPECT_LE(ratio(out.finished, best), 1.01);
}

TEST(Pacing, AloneARunFinishesWithinOnePercentOfTheOptimumAndSeesNoRefusal) {
    for (const auto& limits : all_limits) {
        for (const std::uint64_t requests : {1u, 37u, 200u, 201u, 1000u, 5000u}) {
            for (const auto latency : {20ms, 200ms, 500ms}) {
                for (const std::uint32_t connections : {1u, 8u, 32u}) {
                    scenario s;
                    s.limits = limits;
                    s.requests = requests;
                    s.latency_least = s.latency_most = latency;
                    s.connections = connections;
                    s.usage_asked = true;
                    expect_alone_and_optimal(s);
                }
            }
        }
    }
}

TEST(Pacing, WithoutUsageStatsAFirstRunCostsOneRoundTripMore) {
    for (const auto& limits : all_limits) {
        scenario s;
        s.limits = limits;
        s.requests = 150;
        SCOPED_TRACE(described(s));
        const auto out = simulate(s);
        EXPECT_EQ(out.refused, 0u);
        EXPECT_LE(out.finished, optimum(s) * 101 / 100 + s.latency_most);
    }
}

TEST(Pacing, SlowConnectionsThatNeverFillAWindowLoseNothing) {
    // 4 connections of 2 s send 120 a minute where 125 or 119 are allowed: windows end in the midst of sending.
    for (const std::uint64_t limit : {119u, 121u, 125u, 200u}) {
        scenario s;
        s.limits = {limit, 0, 0};
        s.requests = 3000;
        s.connections = 4;
        s.latency_least = s.latency_most = 2s;
        s.usage_asked = true;
        SCOPED_TRACE(described(s));
        const auto out = simulate(s);
        EXPECT_EQ(out.refused, 0u);
        // Where the window binds each one costs its length and the two seconds of its first answer.
        const auto binding = limit < 120 ? optimum(s) * 62 / 60 : optimum(s);
        EXPECT_LE(ratio(out.finished, binding), 1.02);
    }
}

TEST(Pacing, SeveralProcessesOnOneBookTogetherSeeNoRefusal) {
    for (const auto& limits : all_limits) {
        for (const std::uint32_t processes : {2u, 3u}) {
            scenario s;
            s.limits = limits;
            s.requests = 700;
            s.processes = processes;
            s.usage_asked = true;
            SCOPED_TRACE(described(s));
            const auto out = simulate(s);
            EXPECT_TRUE(out.done);
            EXPECT_EQ(out.accepted, s.requests * processes);
            EXPECT_EQ(out.refused, 0u);
        }
    }
}

// Random windows, limits, connections and latencies; answers overtake each other.
scenario random_scenario(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto any = [&](std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random);
    };
    scenario s;
    s.seed = seed;
    const milliseconds minute(any(0, 1) == 0 ? 60'000 : any(1'000, 20'000));
    const auto hour = minute * any(2, 60);
    s.settings.lengths = {minute, hour, hour * any(2, 24)};
    for (std::size_t i = 0; i < 3; ++i) {
        s.limits[i] = any(0, 4) == 0 ? 0 : static_cast<std::uint64_t>(any(1, std::array{100, 300, 1000}[i]));
    }
    s.connections = static_cast<std::uint32_t>(any(1, 40));
    s.processes = static_cast<std::uint32_t>(any(1, 3));
    s.requests = static_cast<std::uint64_t>(any(1, 600));
    s.latency_least = milliseconds(any(2, 100));
    s.latency_most = s.latency_least + milliseconds(any(0, std::min<std::int64_t>(3000, minute.count() / 4)));
    s.usage_asked = any(0, 1) == 0;
    return s;
}

TEST(Pacing, AloneNoRequestIsRefusedWhateverTheLatenciesAndLimits) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        const auto s = random_scenario(seed);
        SCOPED_TRACE(described(s));
        const auto out = simulate(s);
        EXPECT_TRUE(out.done);
        EXPECT_EQ(out.refused, 0u);
    }
}

TEST(Pacing, LostAnswersDoNotLeadIntoAShutWindow) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        auto s = random_scenario(seed);
        s.settings.lengths = core::limit_settings().lengths;
        s.requests = std::min<std::uint64_t>(s.requests, 300);
        s.lost = 0.03;
        SCOPED_TRACE(described(s));
        const auto out = simulate(s);
        EXPECT_TRUE(out.done);
        EXPECT_EQ(out.refused, 0u);
    }
}

std::vector<other_traffic> kinds_of_others() {
    return {{700ms, 1}, {5s, 1}, {5s, 4}, {20s, 10, true}, {1min, 1, true}, {1min, 10}, {10min, 30}};
}

TEST(Pacing, WithOthersOnTheBudgetAtMostOneRequestOfAWindowIsRefused) {
    for (const auto& limits : {free_plan, basic_plan, organization_plan}) {
        for (const std::uint32_t connections : {1u, 8u, 32u}) {
            for (const auto& others : kinds_of_others()) {
                scenario s;
                s.limits = limits;
                s.requests = 1200;
                s.connections = connections;
                s.others = {others};
                s.begin = 20min;
                s.usage_asked = true;
                SCOPED_TRACE(described(s));
                const auto out = simulate(s);
                EXPECT_TRUE(out.done);
                EXPECT_LE(out.most_refused_in_a_window, 1u);
            }
        }
    }
}

TEST(Pacing, RefusalsThatNameNeitherWindowNorTimeAreStillOneAWindow) {
    for (const auto style : {retry_after_style::missing, retry_after_style::rounded_down}) {
        scenario s;
        s.limits = basic_plan;
        s.requests = 1200;
        s.others = {{5s, 1}};
        s.begin = 20min;
        s.usage_asked = true;
        s.messages = false;
        s.retry_after = style;
        SCOPED_TRACE(described(s));
        const auto out = simulate(s);
        EXPECT_TRUE(out.done);
        EXPECT_LE(out.most_refused_in_a_window, 1u);
    }
}

TEST(Pacing, WhatOthersLeaveIsUsed) {
    // Others take a request a minute: 60 of an hour's 400, so a run of 3,000 gets on by at least 335 an hour.
    scenario s;
    s.limits = {200, 400, 0};
    s.requests = 3000;
    s.others = {{1min, 1, true}};
    s.begin = 20min;
    s.usage_asked = true;
    const auto out = simulate(s);
    EXPECT_TRUE(out.done);
    EXPECT_LE(out.finished, 9h);
    EXPECT_LE(ratio(out.finished, clairvoyant(s)), 1.01);
}

TEST(Pacing, AWeekOfParkedRunsStartedFromCronUsesEachDayToTheFull) {
    // Two jobs of 7,000 requests at 2,000 a day: parked for most of the day, looked after every hour.
    scenario s;
    s.limits = basic_plan;
    s.requests = 7000;
    s.processes = 2;
    s.usage_asked = true;
    s.max_wait = 65min;
    const auto out = simulate(s);
    EXPECT_TRUE(out.done);
    EXPECT_EQ(out.refused, 0u);
    // Six days' ends are met up to an hour late, and the seventh day needs four hours and a minute.
    EXPECT_LE(out.finished, 6 * 25h + 4h + 5min);
}

TEST(Pacing, ParkedRunsWithOthersOnTheBudgetKeepGoing) {
    scenario s;
    s.limits = basic_plan;
    s.requests = 8000;
    s.others.push_back({4min, 1});
    s.others.push_back({3h, 20});
    s.begin = 2h;
    s.usage_asked = true;
    s.max_wait = 65min;
    const auto out = simulate(s);
    EXPECT_TRUE(out.done);
    EXPECT_LE(out.most_refused_in_a_window, 1u);
    EXPECT_LE(out.finished, 7 * 24h);
}

TEST(Pacing, AReserveIsNeverTouchedWhenAlone) {
    scenario s;
    s.limits = basic_plan;
    s.requests = 800;
    s.settings.reserve_percent = 25;
    std::uint64_t most = 0;
    pacing_simulation simulation(s);
    simulation.watch = [&](instant, const model_windows& server, const outcome&) {
        most = std::max(most, server.used(1));
    };
    EXPECT_TRUE(simulation.run().done);
    EXPECT_EQ(most, 300u);
}

}  // namespace
}  // namespace taskbarge::testing
