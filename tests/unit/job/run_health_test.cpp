#include "job/sending/run_health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using core::errc;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class RunHealth : public ::testing::Test {
 protected:
    RunHealth() {
        settings.apollo.base_url = "https://apollo.example/api/v1";
        settings.send.max_wait = 15min;
    }

    static client::exchange answered(int status, std::string body = R"({"error":"no"})") {
        client::exchange x;
        x.reach = client::reach::answered;
        x.status = status;
        x.body = std::move(body);
        x.content_type = "application/json";
        return x;
    }
    static client::exchange unreached(bool hopeless) {
        client::exchange x;
        x.reach = client::reach::not_sent;
        x.error_text = "cannot connect";
        x.tls_or_name_problem = hopeless;
        return x;
    }
    void pass(std::chrono::milliseconds time) { now = {now.wall + time, now.steady + time}; }

    core::settings settings;
    core::rate_book windows;  // of which nothing is known
    moment now{at_second(1'000'000), steady_time(1000s)};
};

TEST_F(RunHealth, OneRequestAtATimeUntilSomethingWasCreated) {
    run_health health(settings, false, 1);
    EXPECT_EQ(health.room(), 1u);
    EXPECT_FALSE(health.note_answer(consequence::refusal, answered(422), windows, now));
    EXPECT_EQ(health.room(), 1u) << "a refusal creates nothing";
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    EXPECT_GT(health.room(), 1u);
}

TEST_F(RunHealth, TheWidthGrowsByQuickAnswersWhereTheWindowsAllow) {
    settings.send.connections = 32;
    auto quick = answered(200), slow = answered(200);
    quick.took = 2ms;
    slow.took = 3s;
    const auto width_after = [&](const client::exchange& x, const core::rate_book& known) {
        run_health health(settings, false, 1);
        for (int i = 0; i < 2000; ++i)
            EXPECT_FALSE(health.note_answer(consequence::progress, x, known, now));
        return health.room();
    };
    core::rate_book unlimited, narrow;
    for (auto& w : unlimited.windows)
        w.unlimited = true;
    narrow = unlimited;
    narrow[core::window_kind::minute].unlimited = false;
    narrow[core::window_kind::minute].limit = 200;
    EXPECT_EQ(width_after(quick, unlimited), 32u);
    EXPECT_EQ(width_after(slow, unlimited), send_width::usual);
    EXPECT_EQ(width_after(quick, narrow), send_width::usual) << "a few fill it";
    EXPECT_EQ(width_after(quick, windows), send_width::usual) << "nothing is known of the windows";
    settings.send.connections = 4;
    EXPECT_EQ(width_after(quick, unlimited), 4u);
}

TEST_F(RunHealth, ANameThatDoesNotResolveEndsTheRunSoon) {
    run_health health(settings, false, 1);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(health.outage_over_limit(now.steady));
        EXPECT_FALSE(health.note_answer(consequence::trouble, unreached(true), windows, now));
        pass(1s);
    }
    EXPECT_TRUE(health.outage_over_limit(now.steady));
    EXPECT_EQ(health.outage(now.steady)->code, errc::unreachable);
}

TEST_F(RunHealth, AnOutageInTheMiddleLastsAsLongAsAnyWaitMay) {
    run_health health(settings, false, 1);
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(health.note_answer(consequence::trouble, answered(503), windows, now));
    pass(settings.send.max_wait);
    EXPECT_FALSE(health.outage_over_limit(now.steady));
    pass(1ms);
    EXPECT_TRUE(health.outage_over_limit(now.steady));
    EXPECT_EQ(health.outage(now.steady)->code, errc::waiting);
    EXPECT_THAT(health.outage(now.steady)->text, HasSubstr("status 503"));
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    EXPECT_FALSE(health.outage_over_limit(now.steady)) << "it is over";
}

TEST_F(RunHealth, APageThatStaysEndsTheRunUnlessOthersGetThrough) {
    auto page = answered(403, "<html>blocked</html>");
    page.content_type = "text/html";
    run_health fresh(settings, false, 1);
    EXPECT_TRUE(fresh.note_answer(consequence::gateway, page, windows, now));
    run_health working(settings, false, 1);
    EXPECT_FALSE(working.note_answer(consequence::progress, answered(200), windows, now));
    EXPECT_FALSE(working.note_answer(consequence::gateway, page, windows, now));
}

TEST_F(RunHealth, AGatewaysNoIsAnAttemptOnlyWhileOthersGetThrough) {
    settings.send.max_attempts = 3;
    run_health health(settings, false, 1);
    verdict v;
    v.report.finished_at = now.wall;
    v.update.attempts = 2;
    health.weigh_gateway(v);
    EXPECT_EQ(v.update.attempts, 2u);
    EXPECT_TRUE(v.update.not_before);
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    health.weigh_gateway(v);
    EXPECT_EQ(v.update.state, core::chunk_state::refused);
    EXPECT_EQ(v.update.code, "attempts_used_up");
}

TEST_F(RunHealth, FailuresStopRequestsAndOneProbeGoesAtATime) {
    run_health health(settings, true, 1);
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(health.may_send(now.steady));
        EXPECT_FALSE(health.note_answer(consequence::trouble, answered(500), windows, now));
    }
    EXPECT_FALSE(health.may_send(now.steady));
    ASSERT_TRUE(health.sending_opens(now.steady));
    pass(std::chrono::ceil<std::chrono::milliseconds>(*health.sending_opens(now.steady) - now.steady));
    ASSERT_TRUE(health.may_send(now.steady));
    health.begin_request(now.steady);
    EXPECT_FALSE(health.may_send(now.steady)) << "the probe is under way";
    health.request_given_up();
    EXPECT_TRUE(health.may_send(now.steady));
}

TEST_F(RunHealth, ASearchThatFailsIsAskedAgainLaterEachTimeAndForgottenWhenItAnswers) {
    settings.send.backoff_base = 1s;
    settings.send.backoff_cap = 1h;
    run_health health(settings, true, 1);
    reading_end trouble;
    trouble.ended = true;
    trouble.trouble = core::failure{errc::waiting, "no usable answer"};
    auto least = 500ms;
    for (int i = 0; i < 5; ++i, least *= 2) {
        EXPECT_FALSE(health.note_search(trouble, now));
        ASSERT_TRUE(health.look_up_opens());
        EXPECT_GE(*health.look_up_opens(), now.steady + least);
        EXPECT_LE(*health.look_up_opens(), now.steady + 2 * least);
    }
    EXPECT_FALSE(health.note_search({}, now));
    EXPECT_FALSE(health.look_up_opens());
}

TEST_F(RunHealth, AWrongKeyAndAMissingRightEndTheRunInTheirOwnWords) {
    run_health health(settings, true, 1);
    verdict v;
    v.what = consequence::key_wrong;
    EXPECT_EQ(health.why_to_end(v)->code, errc::unauthorized);
    v.what = consequence::no_right;
    v.report.message = "not for this key";
    EXPECT_EQ(health.why_to_end(v)->code, errc::forbidden);
    EXPECT_THAT(health.why_to_end(v)->text, HasSubstr("not for this key"));
    v.what = consequence::no_route;
    EXPECT_EQ(health.why_to_end(v)->code, errc::settings);
    v.what = consequence::progress;
    EXPECT_FALSE(health.why_to_end(v));
    reading_end refused;
    refused.ended = true;
    refused.failed = core::failure{errc::unauthorized, "401"};
    EXPECT_EQ(health.note_search(refused, now)->text, key_refused().text);
}

TEST_F(RunHealth, RefusalsThatAreAllAlikeEndTheRunBeforeAnythingWasCreated) {
    settings.send.refused_alike = 2;
    run_health health(settings, false, 1);
    verdict refused;
    refused.what = consequence::refusal;
    for (core::group_number group = 1; group <= 2; ++group)
        for (std::uint64_t contact = 1; contact <= 2; ++contact) {
            auto alone = chunk_of(group * 10 + contact, 1);
            alone.group = group;
            health.note_refusal(alone, "you shall not pass");
        }
    ASSERT_TRUE(health.why_to_end(refused));
    EXPECT_EQ(health.why_to_end(refused)->code, errc::all_refused);
    EXPECT_FALSE(health.note_answer(consequence::progress, answered(200), windows, now));
    EXPECT_FALSE(health.why_to_end(refused));
}

}  // namespace
}  // namespace taskbarge::job
