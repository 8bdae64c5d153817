#include "taskbarge/client/rate_windows.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace taskbarge::client {
namespace {

using namespace std::chrono_literals;
using core::instant;
using core::window_kind;
using std::chrono::milliseconds;

const instant start = instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 8h);

// The headers of an answer: usage per window, under the limits given.
rate_headers counts(std::uint64_t minute, std::uint64_t hour, std::uint64_t day,
                    std::array<std::uint64_t, 3> limits = {200, 400, 2000}) {
    rate_headers out;
    const std::array used{minute, hour, day};
    for (std::size_t i = 0; i < 3; ++i) {
        out.windows[i].present = true;
        out.windows[i].limit = limits[i];
        out.windows[i].used = used[i];
        out.windows[i].left = limits[i] - std::min(limits[i], used[i]);
    }
    return out;
}

class RateWindows : public testing::Test {
 protected:
    // Limits known, nothing open, nobody else about.
    void know_limits(std::array<std::uint64_t, 3> known = {200, 400, 2000}) {
        for (std::size_t i = 0; i < 3; ++i)
            book_.windows[i].limit = known[i];
    }

    window_decision take(milliseconds at) { return take_place(book_, limits_, start + at); }
    bool may_go(milliseconds at) const {
        auto copy = book_;
        return take_place(copy, limits_, start + at).granted;
    }
    // As many as are granted, at most `most`.
    std::uint64_t take_all(milliseconds at, std::uint64_t most = 10'000) {
        std::uint64_t taken = 0;
        while (taken < most && take(at).granted)
            ++taken;
        return taken;
    }
    void answer(milliseconds taken_at, milliseconds at, const rate_headers& rates) {
        observe(book_, limits_, rates, start + taken_at, start + at);
    }
    void refuse(milliseconds taken_at, milliseconds at, std::string_view message, std::optional<milliseconds> after,
                const rate_headers& rates = {}) {
        observe_throttled(book_, limits_, rates, message, after, start + taken_at, start + at);
    }
    // `n` requests at one moment, answered in order after `latency`, with nobody else about.
    void spend(milliseconds at, std::uint64_t n, std::uint64_t used_before = 0, milliseconds latency = 100ms) {
        ASSERT_EQ(take_all(at, n), n);
        for (std::uint64_t i = 1; i <= n; ++i) {
            const auto used = used_before + i;
            answer(at, at + latency, counts(used, used, used));
        }
    }

    core::rate_window& window(window_kind kind) { return book_[kind]; }

    core::rate_book book_;
    core::limit_settings limits_;
};

TEST_F(RateWindows, UntilALimitIsKnownOneRequestGoesAtATime) {
    EXPECT_TRUE(take(0ms).granted);
    const auto second = take(1ms);
    EXPECT_FALSE(second.granted);
    EXPECT_TRUE(second.after_answer);
    EXPECT_LE(second.wait_until, start + 1ms + 1s);

    answer(0ms, 200ms, counts(1, 1, 1));
    EXPECT_EQ(take_all(200ms), 199u);
}

TEST_F(RateWindows, AnAnswerWithoutRateHeadersEndsTheCautionOfTheFirstRequest) {
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 200ms, {});
    EXPECT_EQ(take_all(200ms, 500), 500u);
}

TEST_F(RateWindows, AWindowThatWeOpenedEndsItsLengthAfterItsFirstAnswer) {
    know_limits();
    spend(0ms, 200, 0, 300ms);
    const auto denied = take(1s);
    EXPECT_FALSE(denied.granted);
    EXPECT_EQ(denied.binding, window_kind::minute);
    EXPECT_TRUE(denied.end_known);
    EXPECT_GE(denied.wait_until, start + 300ms + 1min);
    EXPECT_LE(denied.wait_until, start + 300ms + 1min + 60ms);
    EXPECT_FALSE(may_go(300ms + 1min));
    EXPECT_TRUE(may_go(denied.wait_until - start));
}

TEST_F(RateWindows, TheLongestWaitBinds) {
    know_limits({200, 400, 600});
    spend(0s, 200);
    spend(61s, 200, 200);
    const auto denied = take(70s);
    EXPECT_FALSE(denied.granted);
    EXPECT_EQ(denied.binding, window_kind::hour);
    EXPECT_NEAR(static_cast<double>((denied.wait_until - start).count()), 3'600'100, 4'000);
}

TEST_F(RateWindows, RequestsInFlightTakeTheirPlaces) {
    know_limits({10, 400, 2000});
    EXPECT_EQ(take_all(0ms), 10u);
    const auto denied = take(1ms);
    EXPECT_FALSE(denied.granted);
    EXPECT_TRUE(denied.after_answer);
    answer(0ms, 100ms, counts(3, 3, 3, {10, 400, 2000}));
    EXPECT_FALSE(take(100ms).granted);
}

TEST_F(RateWindows, AnswersThatOvertakeEachOtherChangeNothing) {
    know_limits();
    ASSERT_EQ(take_all(0ms, 8), 8u);
    for (const auto used : {8u, 1u, 3u, 2u, 7u, 5u, 4u, 6u})
        answer(0ms, 100ms, counts(used, used, used));
    EXPECT_EQ(window(window_kind::minute).used, 8u);
    EXPECT_EQ(book_.in_flight, 0u);
    EXPECT_FALSE(book_.others_seen_at);
    EXPECT_EQ(take_all(200ms), 192u);
}

TEST_F(RateWindows, WhatOthersHaveUsedIsAdopted) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(150, 150, 150));
    EXPECT_TRUE(book_.others_seen_at);
    EXPECT_EQ(window(window_kind::minute).used, 150u);
    EXPECT_FALSE(window(window_kind::minute).end_known);
}

TEST_F(RateWindows, RequestsThatMayNotBeCountedYetAreAddedToWhatOthersUsed) {
    know_limits();
    ASSERT_EQ(take_all(0ms, 4), 4u);
    // Ours arrived last: the server counts 196, and three more are on their way.
    answer(0ms, 100ms, counts(197, 197, 197));
    const auto denied = take(100ms);
    EXPECT_FALSE(denied.granted);
    EXPECT_TRUE(denied.after_answer);
}

TEST_F(RateWindows, WithOthersAboutTheFirstRequestOfAWindowGoesAlone) {
    know_limits();
    book_.others_seen_at = start - 1h;
    EXPECT_EQ(take_all(0ms), 1u);
    answer(0ms, 100ms, counts(1, 1, 1));
    EXPECT_GT(take_all(100ms), 8u);
}

TEST_F(RateWindows, WithOthersAboutTheLastQuarterOfAWindowGoesOneByOne) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(151, 151, 151));
    EXPECT_EQ(take_all(100ms), 1u);
    EXPECT_TRUE(take(100ms).after_answer);
}

TEST_F(RateWindows, OthersAreForgottenAfterTwoDays) {
    know_limits();
    book_.others_seen_at = start - 49h;
    EXPECT_EQ(take_all(0ms), 200u);
}

TEST_F(RateWindows, AFallenCountShowsThatAWindowEndedEarlierThanFeared) {
    know_limits();
    spend(0ms, 5, 0, 2s);  // counted at once, answered late: the window may end two seconds before we think so
    ASSERT_TRUE(take(60s).granted);
    answer(60s, 60s + 500ms, counts(6, 6, 6));
    ASSERT_TRUE(take(61s).granted);
    answer(61s, 61s + 100ms, counts(1, 7, 7));
    EXPECT_EQ(window(window_kind::minute).used, 1u);
    EXPECT_GE(*window(window_kind::minute).ends_at, start + 61s + 100ms + 1min);
    EXPECT_FALSE(book_.others_seen_at);
}

TEST_F(RateWindows, ALowerCountLongBeforeTheEndIsNotBelieved) {
    know_limits();
    spend(0ms, 50);
    ASSERT_TRUE(take(10s).granted);
    answer(10s, 10s + 100ms, counts(2, 51, 51));
    EXPECT_GE(window(window_kind::minute).used, 50u);
}

TEST_F(RateWindows, ARequestSentBeforeTheEndAndCountedAfterItTakesAPlaceInTheNextWindow) {
    know_limits({10, 400, 2000});
    const std::array<std::uint64_t, 3> known{10, 400, 2000};
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(1, 1, 1, known));
    ASSERT_EQ(take_all(59s, 3), 3u);  // slow on their way: the server counts them in its next window
    EXPECT_EQ(take_all(61s), 7u);
    for (const auto used : {1u, 2u, 3u})
        answer(59s, 61s + 10ms, counts(used, used + 1, used + 1, known));
    EXPECT_FALSE(take(61s + 20ms).granted);
}

TEST_F(RateWindows, AnEarlyAnswerOfTheNextWindowIsRemembered) {
    know_limits({10, 400, 2000});
    const std::array<std::uint64_t, 3> known{10, 400, 2000};
    ASSERT_EQ(take_all(0ms, 9), 9u);
    for (std::uint64_t i = 1; i <= 8; ++i)
        answer(0ms, 500ms, counts(i, i, i, known));
    // The ninth dawdles: it opens the server's next window just before ours ends.
    answer(0ms, 60s + 400ms, counts(1, 9, 9, known));
    EXPECT_EQ(take_all(60s + 600ms), 9u);
}

TEST_F(RateWindows, AnExhaustedWindowOfUnknownEndIsTriedOnceAfterATenthOfItsLength) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(20, 400, 400));
    const auto denied = take(1s);
    EXPECT_FALSE(denied.granted);
    EXPECT_FALSE(denied.end_known);
    EXPECT_EQ(denied.binding, window_kind::hour);
    EXPECT_NEAR(static_cast<double>((denied.wait_until - start).count()), 360'000, 1'000);

    EXPECT_EQ(take_all(denied.wait_until - start), 1u);
    EXPECT_TRUE(take(denied.wait_until - start).after_answer);
}

TEST_F(RateWindows, ATryThatIsRefusedShowsTheEnd) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(20, 400, 400));
    const auto tried_at = take(1s).wait_until - start;
    ASSERT_TRUE(take(tried_at).granted);
    refuse(tried_at, tried_at + 100ms, "allowed for api/v1/tasks/bulk_create is 400 times per hour.", 1200s);
    const auto denied = take(tried_at + 200ms);
    EXPECT_FALSE(denied.granted);
    EXPECT_TRUE(denied.end_known);
    EXPECT_GE(denied.wait_until, start + tried_at + 100ms + 1200s);
    EXPECT_LE(denied.wait_until, start + tried_at + 100ms + 1201s);
}

TEST_F(RateWindows, ALostTryIsNotRepeatedAtOnce) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(20, 400, 400));
    const auto tried_at = take(1s).wait_until - start;
    ASSERT_TRUE(take(tried_at).granted);
    observe_lost(book_, start + tried_at);
    const auto denied = take(tried_at + 1s);
    EXPECT_FALSE(denied.granted);
    EXPECT_GT(denied.wait_until, start + tried_at + 4min);
}

TEST_F(RateWindows, AWindowExhaustedUpToTheReserveIsNotTried) {
    know_limits();
    limits_.reserve_percent = 50;
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(20, 250, 250));
    const auto denied = take(1s);
    EXPECT_FALSE(denied.granted);
    EXPECT_GE(denied.wait_until, start + 1h);
}

TEST_F(RateWindows, ARefusalShutsTheWindowThatItNames) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    refuse(0ms, 100ms, "The maximum number of api calls allowed is 2000 times per day.", 5h);
    const auto denied = take(1min);
    EXPECT_FALSE(denied.granted);
    EXPECT_EQ(denied.binding, window_kind::day);
    EXPECT_GE(denied.wait_until, start + 100ms + 5h);
    EXPECT_TRUE(may_go(5h + 2s));
}

TEST_F(RateWindows, AWholeSecondOfRetryAfterIsTakenForRoundedDown) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    refuse(0ms, 100ms, "200 times per minute", 10s);
    EXPECT_FALSE(may_go(11s));
    EXPECT_TRUE(may_go(11s + 100ms));
}

TEST_F(RateWindows, OurOwnKnowledgeOfTheEndRefinesRetryAfter) {
    know_limits();
    spend(0ms, 200, 0, 300ms);
    book_.windows[0].used = book_.windows[0].heard = 199;  // as if one had not been counted
    ASSERT_TRUE(take(20s).granted);
    refuse(20s, 20s + 100ms, "200 times per minute", 40s);
    EXPECT_TRUE(may_go(60s + 360ms));
}

TEST_F(RateWindows, SeveralRefusalsOfOneWindowAreOne) {
    know_limits();
    ASSERT_EQ(take_all(0ms, 3), 3u);
    refuse(0ms, 100ms, "200 times per minute", 30s);
    const auto once = book_.windows[0].ends_at;
    refuse(0ms, 150ms, "200 times per minute", 30s);
    refuse(0ms, 160ms, "200 times per minute", std::nullopt);
    EXPECT_EQ(book_.windows[0].ends_at, once);
    EXPECT_EQ(book_.refusals, 1u);
}

TEST_F(RateWindows, RetryAfterLongerThanTheNamedWindowShutsALongerOne) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    refuse(0ms, 100ms, "200 times per minute", 30min);
    const auto denied = take(2min);
    EXPECT_FALSE(denied.granted);
    EXPECT_EQ(denied.binding, window_kind::hour);
    EXPECT_GE(denied.wait_until, start + 30min);
}

TEST_F(RateWindows, RetryAfterIsObeyedEvenWhereWindowsAreShort) {
    know_limits();
    limits_.lengths = {2s, 6s, 12s};
    ASSERT_TRUE(take(0ms).granted);
    refuse(0ms, 100ms, "", 60s);
    EXPECT_FALSE(may_go(59s));
    EXPECT_TRUE(may_go(62s));
}

TEST_F(RateWindows, ARefusalWithoutNameShutsTheFullestWindow) {
    know_limits();
    spend(0ms, 150);
    ASSERT_TRUE(take(2s).granted);
    refuse(2s, 2s + 100ms, "Too many requests", 50s);
    EXPECT_TRUE(window(window_kind::minute).shut);
    EXPECT_FALSE(window(window_kind::hour).shut);
}

TEST_F(RateWindows, ARefusalWithNothingInItIsReadFromItsCounts) {
    know_limits();
    spend(0ms, 50);
    ASSERT_TRUE(take(2s).granted);
    refuse(2s, 2s + 100ms, "", std::nullopt, counts(50, 400, 450));
    EXPECT_TRUE(window(window_kind::hour).shut);
    const auto denied = take(3s);
    EXPECT_EQ(denied.binding, window_kind::hour);
    EXPECT_GE(denied.wait_until, start + 59min);
}

TEST_F(RateWindows, RefusalsThatSayNothingAreWaitedOutLongerAndLonger) {
    know_limits();
    milliseconds at = 0ms;
    milliseconds expected = 1s;
    for (int i = 0; i < 15; ++i) {
        ASSERT_TRUE(take(at).granted);
        refuse(at, at + 100ms, "", i % 2 == 0 ? std::nullopt : std::optional(0ms));
        const auto denied = take(at + 100ms);
        ASSERT_FALSE(denied.granted);
        EXPECT_EQ(denied.wait_until - (start + at + 100ms), expected);
        expected = std::min<milliseconds>(2 * expected, 1h);
        at = denied.wait_until - start;
    }
    ASSERT_TRUE(take(at).granted);
    answer(at, at + 100ms, counts(1, 1, 1));
    EXPECT_EQ(book_.refusals, 0u);
}

TEST_F(RateWindows, RefusedRequestsThatWereNotCountedGiveTheirPlacesBackWithTheNextAnswer) {
    know_limits();
    spend(0ms, 10);
    ASSERT_TRUE(take(1s).granted);
    refuse(1s, 1s + 100ms, "200 times per minute", 5s, counts(10, 10, 10));
    ASSERT_TRUE(take(10s).granted);
    refuse(10s, 10s + 100ms, "200 times per minute", 5s, counts(10, 10, 10));
    EXPECT_EQ(window(window_kind::hour).used, 12u);
    ASSERT_TRUE(take(20s).granted);
    answer(20s, 20s + 100ms, counts(1, 11, 11));
    EXPECT_EQ(window(window_kind::hour).used, 11u);
    EXPECT_EQ(window(window_kind::day).used, 11u);
}

TEST_F(RateWindows, ACountThatLeavesOutTheRequestItselfDoesNotLeadToOneTooMany) {
    know_limits({5, 400, 2000});
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto at = std::chrono::seconds(i);
        ASSERT_TRUE(take(at).granted);
        auto rates = counts(i, i, i, {5, 400, 2000});
        for (auto& w : rates.windows)
            w.left.reset();
        answer(at, at + 100ms, rates);
    }
    EXPECT_FALSE(take(10s).granted);
}

TEST_F(RateWindows, APlaceGivenBackIsFreeAgain) {
    know_limits({1, 400, 2000});
    ASSERT_TRUE(take(0ms).granted);
    give_back(book_, start);
    EXPECT_FALSE(window(window_kind::minute).opened_at);
    EXPECT_TRUE(take(1ms).granted);
}

TEST_F(RateWindows, ALostRequestKeepsItsPlace) {
    know_limits({2, 400, 2000});
    ASSERT_TRUE(take(0ms).granted);
    answer(0ms, 100ms, counts(1, 1, 1, {2, 400, 2000}));
    ASSERT_TRUE(take(1s).granted);
    observe_lost(book_, start + 1s);
    EXPECT_FALSE(take(30s).granted);
    EXPECT_TRUE(may_go(61s));
}

TEST_F(RateWindows, ALostRequestMayHaveOpenedAWindowUntilTheMomentItWasGivenUp) {
    know_limits({1, 400, 2000});
    ASSERT_TRUE(take(0ms).granted);
    EXPECT_FALSE(may_go(60s));
    observe_lost(book_, start);
    EXPECT_FALSE(may_go(60s + 100ms));
    ASSERT_FALSE(take(60s + 100ms).granted);
    EXPECT_FALSE(may_go(119s));
    EXPECT_TRUE(may_go(121s));
}

TEST_F(RateWindows, WhatAKilledProcessLeftInFlightFadesWithinMinutes) {
    ASSERT_TRUE(take(0ms).granted);  // limits unknown, and its answer will never come
    EXPECT_FALSE(may_go(1min));
    EXPECT_FALSE(take(3min + 1s).granted);
    EXPECT_TRUE(may_go(6min + 2s));
}

TEST_F(RateWindows, SettingsOnlyLowerALimit) {
    know_limits();
    limits_.caps = {500, 30, std::nullopt};
    EXPECT_EQ(usable_limit(book_, limits_, window_kind::minute), 200u);
    EXPECT_EQ(usable_limit(book_, limits_, window_kind::hour), 30u);
    EXPECT_EQ(take_all(0ms), 30u);
}

TEST_F(RateWindows, TheReserveIsLeftInEachWindow) {
    know_limits();
    limits_.reserve_percent = 10;
    EXPECT_EQ(usable_limit(book_, limits_, window_kind::minute), 180u);
    EXPECT_EQ(usable_limit(book_, limits_, window_kind::day), 1800u);
    limits_.reserve_percent = 99.9;
    EXPECT_EQ(usable_limit(book_, limits_, window_kind::minute), 1u);
}

TEST_F(RateWindows, UnlimitedWindowsDoNotBind) {
    ASSERT_TRUE(take(0ms).granted);
    auto rates = counts(1, 1, 1);
    for (auto& w : rates.windows) {
        w.unlimited = true;
        w.limit = w.used = w.left = std::nullopt;
    }
    answer(0ms, 100ms, rates);
    EXPECT_EQ(take_all(100ms, 5000), 5000u);
}

TEST_F(RateWindows, ACapOnAnUnlimitedWindowIsKeptByOurOwnCount) {
    for (auto& w : book_.windows)
        w.unlimited = true;
    limits_.caps[0] = 20;
    EXPECT_EQ(take_all(0ms), 20u);
    rate_headers rates;
    for (auto& w : rates.windows)
        w.present = w.unlimited = true;
    for (int i = 0; i < 20; ++i)
        answer(0ms, 100ms, rates);
    EXPECT_FALSE(take(59s).granted);
    EXPECT_EQ(take_all(61s), 20u);
}

TEST_F(RateWindows, UsageIsReckonedFromWhatIsLeftWhereItIsNotGiven) {
    ASSERT_TRUE(take(0ms).granted);
    auto rates = counts(7, 8, 9);
    for (auto& w : rates.windows)
        w.used.reset();
    answer(0ms, 100ms, rates);
    EXPECT_EQ(window(window_kind::minute).heard, 7u);
    EXPECT_EQ(window(window_kind::day).heard, 9u);
}

TEST_F(RateWindows, UsageStatsTeachLimitsAndWhatOthersHaveUsed) {
    observe_usage(book_, limits_, counts(0, 30, 90), start, start + 100ms);
    EXPECT_EQ(window(window_kind::minute).limit, 200u);
    EXPECT_FALSE(window(window_kind::minute).opened_at);
    EXPECT_EQ(window(window_kind::hour).used, 30u);
    EXPECT_TRUE(book_.others_seen_at);
    EXPECT_FALSE(window(window_kind::hour).end_known);
}

TEST_F(RateWindows, UsageStatsOfAnIdleTeamLetAllConnectionsStartAtOnce) {
    observe_usage(book_, limits_, counts(0, 0, 0), start, start + 100ms);
    EXPECT_EQ(take_all(200ms), 200u);
}

TEST_F(RateWindows, UsageStatsThatAgreeWithOurBookChangeNothing) {
    know_limits();
    spend(0ms, 20);
    const auto before = book_;
    observe_usage(book_, limits_, counts(20, 20, 20), start + 10s, start + 10s + 100ms);
    EXPECT_EQ(book_[window_kind::hour].ends_at, before[window_kind::hour].ends_at);
    EXPECT_EQ(book_[window_kind::hour].used, 20u);
    EXPECT_FALSE(book_.others_seen_at);
}

TEST_F(RateWindows, EndedWindowsAreDropped) {
    know_limits();
    spend(0ms, 200);
    tidy(book_, limits_, start + 2min);
    EXPECT_FALSE(window(window_kind::minute).opened_at);
    EXPECT_EQ(window(window_kind::minute).used, 0u);
    EXPECT_EQ(window(window_kind::hour).used, 200u);
    tidy(book_, limits_, start + 25h);
    EXPECT_EQ(window(window_kind::day).used, 0u);
    EXPECT_EQ(window(window_kind::day).limit, 2000u);
}

TEST_F(RateWindows, TimesFromAnotherTimeAreDroppedAndTheNextRequestGoesAlone) {
    know_limits();
    spend(0ms, 200);
    EXPECT_EQ(take_all(-10h), 1u);  // the clock was put back
    EXPECT_EQ(window(window_kind::day).used, 1u);
}

TEST_F(RateWindows, AStepOfTheClockOfASecondIsPutUpWith) {
    know_limits();
    spend(0ms, 200);
    EXPECT_FALSE(may_go(-1s));
}

TEST_F(RateWindows, AShutWindowOfADayAgoIsOpen) {
    know_limits();
    ASSERT_TRUE(take(0ms).granted);
    refuse(0ms, 100ms, "2000 times per day", 10h);
    EXPECT_TRUE(may_go(24h));
    EXPECT_FALSE(may_go(9h));
}

TEST_F(RateWindows, ABookSharedByTwoProcessesIsFilledOnce) {
    know_limits({10, 400, 2000});
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (int i = 0; i < 10; ++i) {
        auto loaded = book_;  // each process loads, takes, saves
        auto& taken = i % 2 == 0 ? first : second;
        if (take_place(loaded, limits_, start + milliseconds(i)).granted) ++taken;
        book_ = loaded;
    }
    EXPECT_EQ(first + second, 10u);
    EXPECT_FALSE(may_go(20ms));
}

TEST_F(RateWindows, AForecastWithoutLimitsIsNow) {
    const auto f = forecast_end(book_, limits_, 1000, start);
    EXPECT_EQ(f.end, start);
    EXPECT_FALSE(f.binding);
}

TEST_F(RateWindows, AForecastNestsTheWindows) {
    know_limits();
    EXPECT_EQ(forecast_end(book_, limits_, 200, start).end, start);
    EXPECT_EQ(forecast_end(book_, limits_, 201, start).end, start + 1min);
    EXPECT_EQ(forecast_end(book_, limits_, 401, start).end, start + 1h);
    const auto f = forecast_end(book_, limits_, 5000, start);
    // Two days of 2,000, then 1,000: two full hours and 200 in the third.
    EXPECT_EQ(f.end, start + 48h + 2h);
    EXPECT_EQ(f.binding, window_kind::day);
    EXPECT_EQ(f.windows, (std::array<std::uint64_t, 3>{25, 13, 3}));
}

TEST_F(RateWindows, AForecastBeginsWithWhatIsUsedAlready) {
    know_limits();
    spend(0ms, 150);
    EXPECT_EQ(forecast_end(book_, limits_, 50, start + 1s).end, start + 1s);
    const auto end = forecast_end(book_, limits_, 51, start + 1s).end;
    EXPECT_GE(end, start + 1min);
    EXPECT_LE(end, start + 61s);
    refuse(2s, 2s, "2000 times per day", 5h);
    EXPECT_GE(forecast_end(book_, limits_, 1, start + 3s).end, start + 5h);
}

TEST_F(RateWindows, AForecastOfMillionsEnds) {
    know_limits({50, 200, 600});
    EXPECT_EQ(forecast_end(book_, limits_, 1'200'000, start).end, start + 1999 * 24h + 2h + 3min);
    // Past what is worked out step by step: the same pace goes on.
    const auto end = forecast_end(book_, limits_, 12'000'000, start).end;
    EXPECT_GE(end, start + 19'900 * 24h);
    EXPECT_LE(end, start + 20'100 * 24h);
}

}  // namespace
}  // namespace taskbarge::client
