#include "job/sending/run_policy.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace taskbarge::job {

void PrintTo(next_move::kind k, std::ostream* out) {
    constexpr const char* names[] = {"send", "look_up", "wait", "finish", "park", "stop"};
    *out << names[static_cast<int>(k)];
}

namespace {

using namespace std::chrono_literals;
using kind = next_move::kind;

const steady_time now{10h};

// Nothing to do, all windows open, Apollo healthy.
run_view idle() {
    run_view v;
    v.now = now;
    v.room = 8;
    v.ready_at = steady_time::max();
    v.scan_due = steady_time::max();
    v.settle_time = 2min;
    v.max_wait = 65min;
    return v;
}

run_view with_ready(run_view v = idle()) {
    v.ready = 5;
    v.ready_at = now;
    return v;
}

run_view with_doubt(steady_time due, run_view v = idle()) {
    v.doubts = 1;
    v.scan_due = due;
    return v;
}

TEST(RunPolicy, WithNothingLeftTheRunIsFinished) {
    EXPECT_EQ(decide(idle()).what, kind::finish);
}

TEST(RunPolicy, AReadyChunkIsSentWhileThereIsRoom) {
    auto v = with_ready();
    EXPECT_EQ(decide(v).what, kind::send);
    v.in_flight = 7;
    EXPECT_EQ(decide(v).what, kind::send);
    v.in_flight = 8;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_EQ(decide(v).why, waits_for::answers);
}

TEST(RunPolicy, ARequestThatOnlyWaitsForTheLedgerGivesItsPlaceToTheNext) {
    auto v = with_ready();
    v.in_flight = 8;
    v.settling = 1;
    EXPECT_EQ(decide(v).what, kind::send);
    v.in_flight = 9;
    EXPECT_EQ(decide(v).what, kind::wait);
    v = idle();
    v.in_flight = v.settling = 1;
    EXPECT_EQ(decide(v).what, kind::wait) << "the run ends only when its last outcome is durable";
}

TEST(RunPolicy, TheLastChunkIsSentWhenNothingElseIsUnderWay) {
    auto v = with_ready();
    v.ready = 1;
    v.last_ready = true;
    v.in_flight = 2;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_EQ(decide(v).why, waits_for::answers);
    v.in_flight = 0;
    EXPECT_EQ(decide(v).what, kind::send);
    EXPECT_EQ(decide(with_doubt(now, v)).what, kind::send) << "what is in doubt needs it as a control";
}

TEST(RunPolicy, TheRunEndsOnlyWhenTheLastAnswerIsIn) {
    auto v = idle();
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_GT(decide(v).until, now);
}

// ------------------------------------------------------------------------------------------- waits before a send

TEST(RunPolicy, BackoffWindowAndHealthAreWaitedForWhicheverIsLast) {
    auto v = with_ready();
    v.ready_at = now + 3s;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_EQ(decide(v).until, now + 3s);
    EXPECT_EQ(decide(v).why, waits_for::backoff);
    v.window_opens = now + 40s;
    EXPECT_EQ(decide(v).until, now + 40s);
    EXPECT_EQ(decide(v).why, waits_for::window);
    v.breaker_opens = now + 2min;
    EXPECT_EQ(decide(v).until, now + 2min);
    EXPECT_EQ(decide(v).why, waits_for::health);
}

TEST(RunPolicy, AWaitLongerThanTheLimitParksUntilThen) {
    auto v = with_ready();
    v.window_opens = now + v.max_wait;
    EXPECT_EQ(decide(v).what, kind::wait);
    v.window_opens = now + v.max_wait + 1ms;
    const auto move = decide(v);
    EXPECT_EQ(move.what, kind::park);
    EXPECT_EQ(move.until, *v.window_opens);
    EXPECT_EQ(move.why, waits_for::window);
}

TEST(RunPolicy, NobodyParksWithRequestsInFlight) {
    auto v = with_ready();
    v.window_opens = now + 20h;
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_LT(decide(v).until, now + 1min);
}

TEST(RunPolicy, WhileAnAnswerDecidesAboutTheWindowNothingElseIsSent) {
    auto v = with_ready();
    v.window_after_answer = true;
    EXPECT_EQ(decide(v).what, kind::send) << "nothing is under way that could decide";
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_GT(decide(v).until, now);
}

TEST(RunPolicy, AnOutageOverTheLimitParksInsteadOfWaitingOn) {
    auto v = with_ready();
    v.breaker_opens = now + 30s;
    v.outage_over_limit = true;
    EXPECT_EQ(decide(v).what, kind::park);
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait) << "what is in flight is waited for first";
    v.in_flight = 0;
    v.breaker_opens.reset();
    EXPECT_EQ(decide(v).what, kind::send) << "the next probe may go: it decides";
}

TEST(RunPolicy, WhenTheRetriesAreUsedUpTheRestWaitsForAnotherRun) {
    auto v = with_ready();
    v.resend_budget_spent = true;
    EXPECT_EQ(decide(v).what, kind::park);
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait);
}

// ------------------------------------------------------------------------------------------- look-ups

TEST(RunPolicy, ADueScanGoesWhenThereIsNothingToSend) {
    EXPECT_EQ(decide(with_doubt(now)).what, kind::look_up);
    const auto later = decide(with_doubt(now + 90s));
    EXPECT_EQ(later.what, kind::wait);
    EXPECT_EQ(later.until, now + 90s);
    EXPECT_EQ(later.why, waits_for::settling);
}

TEST(RunPolicy, AScanWaitsForAGapBetweenSends) {
    auto v = with_ready(with_doubt(now));
    EXPECT_EQ(decide(v).what, kind::send);
    v.window_opens = now + 20s;
    EXPECT_EQ(decide(v).what, kind::look_up) << "the window is shut: a gap";
}

TEST(RunPolicy, AScanWaitsNoLongerThanTheSettleTimeForAGap) {
    auto v = with_ready(with_doubt(now - 2min));
    EXPECT_EQ(decide(v).what, kind::look_up);
    v.scan_due = now - 2min + 1ms;
    EXPECT_EQ(decide(v).what, kind::send);
}

TEST(RunPolicy, AnOverdueScanStopsNewSendsUntilTheLastAnswerIsIn) {
    auto v = with_ready(with_doubt(now - 2min));
    v.in_flight = 3;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_EQ(decide(v).why, waits_for::answers);
    v.in_flight = 0;
    EXPECT_EQ(decide(v).what, kind::look_up);
}

TEST(RunPolicy, AScanIsNotTriedBeforeTheSearchIsOpen) {
    auto v = with_doubt(now - 1min);
    v.look_up_opens = now + 50s;
    const auto move = decide(v);
    EXPECT_EQ(move.what, kind::wait);
    EXPECT_EQ(move.until, now + 50s);
    EXPECT_EQ(move.why, waits_for::search_window);
}

TEST(RunPolicy, ASearchThatOpensTooLateParksTheJob) {
    auto v = with_doubt(now);
    v.look_up_opens = now + 5h;
    EXPECT_EQ(decide(v).what, kind::park);
    EXPECT_EQ(decide(v).until, now + 5h);
    EXPECT_EQ(decide(with_ready(v)).what, kind::send) << "but not while there is something to send";
}

TEST(RunPolicy, OfSendAndScanTheEarlierEndsTheWait) {
    auto v = with_ready(with_doubt(now + 2min));
    v.ready_at = now + 1min;
    EXPECT_EQ(decide(v).until, now + 1min);
    v.ready_at = now + 3min;
    EXPECT_EQ(decide(v).until, now + 2min);
    EXPECT_EQ(decide(v).why, waits_for::settling);
}

TEST(RunPolicy, WhatIsKeptBackByTheRetriesIsNoReasonNotToScan) {
    auto v = with_ready(with_doubt(now));
    v.resend_budget_spent = true;
    EXPECT_EQ(decide(v).what, kind::look_up);
}

// ------------------------------------------------------------------------------------------- stopping

class WhenToldToEnd : public ::testing::TestWithParam<bool> {
 protected:
    static run_view ended(run_view v) {
        (GetParam() ? v.stop_asked : v.broken) = true;
        return v;
    }
};

TEST_P(WhenToldToEnd, NothingNewIsBegun) {
    EXPECT_EQ(decide(ended(with_ready())).what, kind::stop);
    EXPECT_EQ(decide(ended(with_doubt(now))).what, kind::stop);
    EXPECT_EQ(decide(ended(idle())).what, kind::stop);
}

TEST_P(WhenToldToEnd, AnswersUnderWayAreWaitedFor) {
    auto v = ended(with_ready(with_doubt(now - 1h)));
    v.in_flight = 2;
    EXPECT_EQ(decide(v).what, kind::wait);
    EXPECT_EQ(decide(v).why, waits_for::answers);
    EXPECT_GT(decide(v).until, now);
}
INSTANTIATE_TEST_SUITE_P(StoppedOrBroken, WhenToldToEnd, ::testing::Bool(),
                         [](const auto& told) { return told.param ? "Stopped" : "Broken"; });

TEST(RunPolicy, WhatIsLikelyToBeRefusedWaitsForAnswersButNotForNothing) {
    auto v = with_ready();
    v.better_alone = true;
    EXPECT_EQ(decide(v).what, kind::send);
    v.in_flight = 1;
    EXPECT_EQ(decide(v).what, kind::wait);
}

TEST(RunPolicy, SearchesThatHadTheirShareOfTheDayAreParkedForThat) {
    auto v = with_ready();
    v.ready_at = now + 5h;
    v.ready_waits = waits_for::search_share;
    EXPECT_EQ(decide(v).what, kind::park);
    EXPECT_EQ(decide(v).why, waits_for::search_share);
}

TEST(SearchDay, TakesWhatCleanChunksLeaveOverAndHalfOfALaterDay) {
    const core::instant morning{std::chrono::hours(1000)};
    core::rate_window day;
    day.limit = 6;
    day.opened_at = morning;
    day.ends_at = morning + 24h;
    search_day budget;
    const auto opens = [&] { return budget.search_opens(day, 24h, morning + 1h); };
    budget.recall(day, {100, 1});
    EXPECT_FALSE(opens()) << "the window itself is the bound on a day with clean chunks";
    budget.recall(day, {2, 0});
    EXPECT_FALSE(opens());
    budget.count(true);
    EXPECT_EQ(opens(), morning + 24h);
    EXPECT_FALSE(budget.search_opens(day, 24h, morning + 24h)) << "it is over";
    day.ends_at.reset();
    EXPECT_EQ(opens(), morning + 24h);
    day.opened_at = morning + 24h;
    EXPECT_FALSE(budget.search_opens(day, 24h, morning + 25h)) << "another day";
    budget.move_to(day);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(budget.search_opens(day, 24h, morning + 25h));
        budget.count(true);
    }
    EXPECT_TRUE(budget.search_opens(day, 24h, morning + 25h));
    day.unlimited = true;
    EXPECT_FALSE(budget.search_opens(day, 24h, morning + 25h));
}

}  // namespace
}  // namespace taskbarge::job
