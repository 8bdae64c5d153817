#include "taskbarge/job/retry_policy.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace taskbarge::job {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const steady_time start{};

TEST(Backoff, CeilingDoublesUpToTheCap) {
    const backoff_terms terms{500ms, 60s};
    EXPECT_EQ(backoff_ceiling(terms, 1), 500ms);
    EXPECT_EQ(backoff_ceiling(terms, 2), 1s);
    EXPECT_EQ(backoff_ceiling(terms, 7), 32s);
    EXPECT_EQ(backoff_ceiling(terms, 8), 60s);
    EXPECT_EQ(backoff_ceiling(terms, 4'000'000'000u), 60s);
}

TEST(Backoff, NoBaseMeansNoWait) {
    EXPECT_EQ(backoff_ceiling({0ms, 60s}, 20), 0ms);
    random_source random(1);
    EXPECT_EQ(backoff_delay({0ms, 60s}, 20, random), 0ms);
}

TEST(Backoff, FullJitterSpreadsOverTheWholeRange) {
    random_source random(7);
    const backoff_terms terms{500ms, 60s};
    milliseconds sum{0};
    int lower_half = 0;
    constexpr int draws = 4000;
    for (int i = 0; i < draws; ++i) {
        const auto delay = backoff_delay(terms, 5, random);
        ASSERT_GE(delay, 0ms);
        ASSERT_LE(delay, 8s);
        sum += delay;
        if (delay < 4s) ++lower_half;
    }
    EXPECT_NEAR(static_cast<double>(sum.count()) / draws, 4000, 150);
    EXPECT_NEAR(lower_half, draws / 2, 150);
}

TEST(Backoff, TheSameSeedGivesTheSameDelays) {
    random_source one(42);
    random_source other(42);
    for (std::uint32_t attempt = 1; attempt < 20; ++attempt) {
        EXPECT_EQ(backoff_delay({}, attempt, one), backoff_delay({}, attempt, other));
    }
}

TEST(Allowance, AShareIsOfTheMinimumRequestsAndAtLeastFifty) {
    EXPECT_EQ(allowance({10.0, std::nullopt}, 10'000), 1000u);
    EXPECT_EQ(allowance({10.0, std::nullopt}, 1001), 101u);
    EXPECT_EQ(allowance({10.0, std::nullopt}, 20), 50u);
    EXPECT_EQ(allowance({0.0, std::nullopt}, 1'000'000), 50u);
}

TEST(Allowance, ACountIsTakenAsItIs) {
    EXPECT_EQ(allowance({10.0, 7u}, 10'000), 7u);
    EXPECT_EQ(allowance({10.0, 0u}, 10'000), 0u);
}

TEST(RetryBudget, IsSpentOnceOverAllRuns) {
    retry_budget budget(3, 1);
    EXPECT_TRUE(budget.spend());
    EXPECT_TRUE(budget.spend());
    EXPECT_FALSE(budget.spend());
    EXPECT_EQ(budget.spent(), 3u);
    EXPECT_EQ(budget.left(), 0u);
}

TEST(RetryBudget, ARepeatThatWasNeverSentIsRefunded) {
    retry_budget budget(1);
    ASSERT_TRUE(budget.spend());
    budget.refund();
    EXPECT_TRUE(budget.spend());
}

TEST(RetryBudget, AnEarlierRunMayHaveHadALargerOne) {
    const retry_budget budget(50, 80);
    EXPECT_EQ(budget.left(), 0u);
}

class Breaker : public testing::Test {
 protected:
    void fail(int times, milliseconds at) {
        for (int i = 0; i < times; ++i)
            breaker_.failed(start + at, random_);
    }
    random_source random_{3};
    circuit_breaker breaker_;
};

TEST_F(Breaker, StaysClosedOnScatteredFailures) {
    for (int i = 0; i < 100; ++i) {
        fail(4, 0ms);
        breaker_.succeeded();
    }
    EXPECT_EQ(breaker_.current(start), circuit_breaker::state::closed);
    EXPECT_TRUE(breaker_.allow(start));
}

TEST_F(Breaker, OpensAfterFiveFailuresInARow) {
    fail(5, 0ms);
    EXPECT_EQ(breaker_.current(start), circuit_breaker::state::open);
    EXPECT_FALSE(breaker_.allow(start));
    ASSERT_TRUE(breaker_.wait_until());
    EXPECT_GE(*breaker_.wait_until(), start + 1s);
    EXPECT_LE(*breaker_.wait_until(), start + 2s);
}

TEST_F(Breaker, LetsOneProbeThroughWhenTheWaitIsOver) {
    fail(5, 0ms);
    EXPECT_TRUE(breaker_.allow(start + 2s));
    EXPECT_FALSE(breaker_.allow(start + 2s));
    EXPECT_FALSE(breaker_.wait_until());
    EXPECT_EQ(breaker_.current(start + 2s), circuit_breaker::state::half_open);
}

TEST_F(Breaker, ASuccessfulProbeClosesIt) {
    fail(5, 0ms);
    ASSERT_TRUE(breaker_.allow(start + 2s));
    breaker_.succeeded();
    EXPECT_TRUE(breaker_.allow(start + 2s));
    EXPECT_TRUE(breaker_.allow(start + 2s));
    EXPECT_EQ(breaker_.failures_in_a_row(), 0u);
}

TEST_F(Breaker, AFailedProbeOpensItForLonger) {
    fail(5, 0ms);
    auto at = start;
    milliseconds shortest{1000};
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(breaker_.wait_until());
        const auto wait = *breaker_.wait_until() - at;
        EXPECT_GE(wait, std::min<milliseconds>(shortest, 150s));
        EXPECT_LE(wait, 5min);
        at = *breaker_.wait_until();
        ASSERT_TRUE(breaker_.allow(at));
        breaker_.failed(at, random_);
        shortest *= 2;
    }
}

TEST_F(Breaker, StragglersDoNotLengthenTheWait) {
    fail(5, 0ms);
    const auto until = breaker_.wait_until();
    fail(7, 500ms);
    EXPECT_EQ(breaker_.wait_until(), until);
}

TEST_F(Breaker, AnAnswerToAnOlderRequestClosesItToo) {
    fail(5, 0ms);
    breaker_.succeeded();
    EXPECT_EQ(breaker_.current(start), circuit_breaker::state::closed);
}

TEST_F(Breaker, AnAbandonedProbeMakesRoomForAnother) {
    fail(5, 0ms);
    ASSERT_TRUE(breaker_.allow(start + 2s));
    breaker_.abandoned();
    EXPECT_TRUE(breaker_.allow(start + 2s));
}

TEST_F(Breaker, AfterItClosedFiveMoreFailuresOpenItForAShortWaitAgain) {
    fail(5, 0ms);
    ASSERT_TRUE(breaker_.allow(start + 2s));
    breaker_.failed(start + 2s, random_);
    breaker_.succeeded();
    fail(4, 1min);
    EXPECT_TRUE(breaker_.allow(start + 1min));
    fail(1, 1min);
    ASSERT_TRUE(breaker_.wait_until());
    EXPECT_LE(*breaker_.wait_until(), start + 1min + 2s);
}

TEST(SendWidth, IsHalvedByEverySecondFailureInARow) {
    send_width width(8);
    width.failed();
    EXPECT_EQ(width.width(), 8u);
    width.failed();
    EXPECT_EQ(width.width(), 4u);
    for (int i = 0; i < 20; ++i)
        width.failed();
    EXPECT_EQ(width.width(), 1u);
}

TEST(SendWidth, ScatteredFailuresDoNotNarrowIt) {
    send_width width(8);
    for (int i = 0; i < 50; ++i) {
        width.failed();
        width.succeeded();
    }
    EXPECT_EQ(width.width(), 8u);
}

TEST(SendWidth, GrowsBackOneByOneWithEachRoundOfSuccesses) {
    send_width width(4);
    for (int i = 0; i < 4; ++i)
        width.failed();
    ASSERT_EQ(width.width(), 1u);
    width.succeeded();
    EXPECT_EQ(width.width(), 2u);
    width.succeeded();
    EXPECT_EQ(width.width(), 2u);
    width.succeeded();
    EXPECT_EQ(width.width(), 3u);
    for (int i = 0; i < 100; ++i)
        width.succeeded();
    EXPECT_EQ(width.width(), 4u);
}

TEST(SendWidth, GrowsBeyondTheUsualByQuickAnswersAndBackWithSlowOnes) {
    send_width width(20);
    EXPECT_EQ(width.width(), send_width::usual);
    for (int i = 0; i < 1000; ++i)
        width.succeeded();
    EXPECT_EQ(width.width(), send_width::usual);
    for (int i = 0; i < 1000; ++i)
        width.succeeded(send_width::pace::quick);
    EXPECT_EQ(width.width(), 20u);
    for (int i = 0; i < 5; ++i)
        width.succeeded();
    EXPECT_EQ(width.width(), 15u);
    for (int i = 0; i < 100; ++i)
        width.succeeded();
    EXPECT_EQ(width.width(), send_width::usual);
}

TEST(SendWidth, IsAtLeastOne) {
    EXPECT_EQ(send_width(0).width(), 1u);
}

// A job in simulated time: chunks go out as the pieces above allow, to a server that is away for a while.
class outage_simulation {
 public:
    struct terms {
        std::uint64_t chunks = 2000;
        std::uint32_t connections = 8;
        milliseconds pace = 1s;         // of a request that is answered
        milliseconds failing_after{0};  // of one that is not: at once (refused), or after a timeout
        milliseconds away_from = 1min;
        milliseconds away_until = 61min;
        std::uint64_t seed = 1;
    };
    struct outcome {
        milliseconds finished{0};
        std::uint64_t requests = 0;
        std::uint64_t requests_while_away = 0;
        std::uint64_t repeats = 0;
        bool out_of_budget = false;
    };

    explicit outage_simulation(const terms& t)
        : t_(t), random_(t.seed), budget_(allowance({10.0, std::nullopt}, t.chunks)), width_(t.connections) {
        for (std::uint64_t i = 0; i < t.chunks; ++i)
            ready_.push_back({0});
    }

    outcome run() {
        pump();
        for (int i = 0; i < 1'000'000 && !events_.empty() && done_ < t_.chunks; ++i) {
            auto next = events_.extract(events_.begin());
            now_ = next.key();
            next.mapped()();
        }
        out_.repeats = budget_.spent();
        return out_;
    }

 private:
    struct chunk {
        std::uint32_t failures;
    };

    bool away() const { return now_ >= t_.away_from && now_ < t_.away_until; }
    steady_time clock() const { return start + now_; }
    void at(milliseconds t, std::function<void()> what) { events_.emplace(std::max(t, now_), std::move(what)); }

    void pump() {
        while (!ready_.empty() && under_way_ < width_.width()) {
            if (!breaker_.allow(clock())) return wake_for_probe();
            const auto next = ready_.front();
            ready_.pop_front();
            if (next.failures > 0 && !budget_.spend()) {
                out_.out_of_budget = true;
                return;
            }
            send(next);
        }
    }

    void wake_for_probe() {
        if (const auto until = breaker_.wait_until()) {
            at(std::chrono::ceil<milliseconds>(*until - start), [this] { pump(); });
        }
    }

    void send(chunk c) {
        ++under_way_;
        ++out_.requests;
        const bool fails = away();
        if (fails) ++out_.requests_while_away;
        at(now_ + (fails ? t_.failing_after : t_.pace), [this, c, fails] { settle(c, fails); });
    }

    void settle(chunk c, bool failed) {
        --under_way_;
        if (failed) {
            breaker_.failed(clock(), random_);
            width_.failed();
            ++c.failures;
            const auto delay = backoff_delay({}, c.failures, random_);
            at(now_ + delay, [this, c] {
                ready_.push_back(c);
                pump();
            });
        } else {
            breaker_.succeeded();
            width_.succeeded();
            ++done_;
            out_.finished = now_;
        }
        pump();
    }

    terms t_;
    random_source random_;
    retry_budget budget_;
    circuit_breaker breaker_;
    send_width width_;
    std::deque<chunk> ready_;
    std::multimap<milliseconds, std::function<void()>> events_;
    milliseconds now_{0};
    std::uint32_t under_way_ = 0;
    std::uint64_t done_ = 0;
    outcome out_;
};

TEST(Outage, OfAnHourCostsAFewProbesAndTheJobFinishesAfterIt) {
    for (const auto failing_after : {0ms, 100ms, 60'000ms}) {
        for (const std::uint64_t chunks : {600u, 2000u, 20'000u}) {
            for (std::uint64_t seed = 1; seed <= 20; ++seed) {
                outage_simulation::terms t;
                t.chunks = chunks;
                t.failing_after = failing_after;
                t.seed = seed;
                SCOPED_TRACE(testing::Message()
                             << chunks << " chunks, failing after " << failing_after.count() << " ms, seed " << seed);
                const auto out = outage_simulation(t).run();
                EXPECT_FALSE(out.out_of_budget);
                EXPECT_LE(out.repeats, allowance({10.0, std::nullopt}, chunks));
                EXPECT_LE(out.requests_while_away, 50u);
                EXPECT_EQ(out.requests, chunks + out.repeats);
                // Back to work within a probe's longest wait, then narrow for a moment.
                const auto undisturbed = t.pace * static_cast<std::int64_t>(chunks) / t.connections;
                EXPECT_GE(out.finished, undisturbed + 1h);
                EXPECT_LE(out.finished, undisturbed + 1h + 5min + 2 * failing_after + 1min);
            }
        }
    }
}

TEST(Outage, WithoutEndSpendsNoMoreThanTheBudget) {
    outage_simulation::terms t;
    t.chunks = 600;
    t.away_until = 24h * 30;
    const auto out = outage_simulation(t).run();
    EXPECT_TRUE(out.out_of_budget);
    EXPECT_EQ(out.repeats, 60u);
}

}  // namespace
}  // namespace taskbarge::job
