// Each fault does to the client what it says, and to the tasks too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/case_names.hpp"
#include "unit/sandbox/support.hpp"

using namespace std::chrono_literals;
using namespace sandbox_tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

namespace {

const std::vector<std::string> ids = contact_ids(1, 5);

TEST(FaultMoments, BeforeMakesNothingAfterAllAndLaterAllInTime) {
    running_sandbox apollo({}, {"500@1", "500:after@2", "500:later:30s@3"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create(ids).status, 500);
    EXPECT_EQ(apollo->stats().tasks, 0u);
    EXPECT_EQ(c.create(ids).status, 500);
    EXPECT_EQ(apollo->stats().tasks, 5u);
    EXPECT_EQ(c.create(ids).status, 500);
    EXPECT_EQ(apollo->stats().tasks, 5u);
    apollo.clock.advance(29s);
    EXPECT_EQ(apollo->stats().tasks, 5u);
    apollo.clock.advance(1s);
    EXPECT_EQ(apollo->stats().tasks, 10u);
    EXPECT_EQ(c.create(ids).status, 200);
}

TEST(FaultMoments, WhatWasPutOffIsMadeAtTheStop) {
    running_sandbox apollo({}, {"504:later:1h"});
    auto c = apollo.connect();
    c.create(ids);
    EXPECT_EQ(apollo->stats().tasks, 0u);
    apollo->stop();
    EXPECT_EQ(apollo->stats().tasks, 5u);
}

TEST(FaultMoments, AnInvalidRequestMakesNothingWhateverTheFault) {
    running_sandbox apollo({}, {"500:after"});
    auto c = apollo.connect();
    EXPECT_EQ(c.post("/api/v1/tasks/bulk_create", "{}").status, 500);
    EXPECT_EQ(apollo->stats().tasks, 0u);
}

TEST(FaultStatus, ProxiesAnswerPagesWithoutRateHeaders) {
    running_sandbox apollo({}, {"500@1", "502@2", "503@3", "504@4", "408@5", "400@6", "401@7", "403@8"});
    auto c = apollo.connect();
    const reply by_apollo = c.create(ids);
    EXPECT_THAT(by_apollo.header("content-type"), StartsWith("application/json"));
    EXPECT_NE(by_apollo.header("x-minute-usage"), "");
    for (const int status : {502, 503, 504, 408}) {
        const reply r = c.create(ids);
        EXPECT_EQ(r.status, status);
        EXPECT_EQ(r.header("content-type"), "text/html");
        EXPECT_THAT(r.body, HasSubstr("<html>"));
        EXPECT_EQ(r.headers.count("x-minute-usage"), 0u);
        EXPECT_EQ(r.headers.count("x-request-id"), 0u);
    }
    EXPECT_EQ(c.create(ids).status, 400);
    EXPECT_THAT(c.create(ids).body, StartsWith("Invalid API key."));
    EXPECT_THAT(c.create(ids).body, HasSubstr("API_INACCESSIBLE"));
}

TEST(Fault429, ComesInEveryForm) {
    running_sandbox apollo({}, {"429=7@1", "429=0@2", "429=missing@3", "429=date+5@4", "429:day=9@5"});
    auto c = apollo.connect();
    const reply seconds = c.create(ids);
    EXPECT_EQ(seconds.status, 429);
    EXPECT_EQ(seconds.header("retry-after"), "7");
    EXPECT_THAT(seconds.body, HasSubstr("is 200 times per minute"));
    EXPECT_EQ(c.create(ids).header("retry-after"), "0");
    const reply missing = c.create(ids);
    EXPECT_EQ(missing.status, 429);
    EXPECT_EQ(missing.headers.count("retry-after"), 0u);
    EXPECT_EQ(c.create(ids).header("retry-after"), "Mon, 21 Sep 2026 14:13:25 GMT");
    EXPECT_THAT(c.create(ids).body, HasSubstr("is 2000 times per day"));
    EXPECT_EQ(apollo->stats().tasks, 0u);
    EXPECT_EQ(apollo->stats().throttled, 5u);
}

TEST(FaultTransport, AStalledRequestIsNeverAnswered) {
    running_sandbox apollo({}, {"stall@1", "stall:after@2"});
    auto other = apollo.connect();
    for (const std::uint64_t tasks : {0u, 5u}) {
        auto c = apollo.connect();
        c.get("/sandbox/stats");
        c.create_without_waiting(ids);
        // By the time that another connection is set up and served, so is the request that came before.
        const reply stats = other.get("/sandbox/stats");
        EXPECT_EQ(number_at(stats.body, "/tasks"), static_cast<std::int64_t>(tasks));
        EXPECT_EQ(c.waiting(), 0u);
        other.hang_up();
    }
    EXPECT_EQ(apollo->stats().routes.at("bulk_create").by_status.at(0), 2u);
}

struct transport_case {
    const char* fault;
    std::uint64_t tasks;  // made of five
    bool head_comes;      // the status line at least
};

class FaultyTransport : public testing::TestWithParam<transport_case> {};

TEST_P(FaultyTransport, GivesNoWholeAnswerAndMakesWhatItSays) {
    running_sandbox apollo({}, {GetParam().fault});
    auto c = apollo.connect();
    const reply r = c.create(ids);
    EXPECT_FALSE(r.whole());
    EXPECT_NE(r.error, boost::asio::error::timed_out);
    EXPECT_EQ(r.status, GetParam().head_comes ? 200 : 0);
    EXPECT_EQ(apollo->stats().tasks, GetParam().tasks);
    EXPECT_EQ(apollo->stats().faults.at(0).second, 1u);
    EXPECT_EQ(c.create(ids).status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    AtEachStage, FaultyTransport,
    testing::Values(transport_case{"reset:accept@1", 0, false}, transport_case{"reset:handshake@1", 0, false},
                    transport_case{"reset:request@1", 0, false}, transport_case{"reset@1", 0, false},
                    transport_case{"reset:after@1", 5, false}, transport_case{"reset:mid_answer@1", 5, true},
                    transport_case{"close:accept@1", 0, false}, transport_case{"close:handshake@1", 0, false},
                    transport_case{"close:request@1", 0, false}, transport_case{"close@1", 0, false},
                    transport_case{"close:after@1", 5, false}, transport_case{"close:mid_answer@1", 5, true},
                    transport_case{"cut@1", 5, true}, transport_case{"length=+50@1", 5, true},
                    transport_case{"garbage@1", 0, false}, transport_case{"garbage:after@1", 5, false}),
    [](const auto& one) { return taskbarge::test::case_name(one.param.fault); });

TEST(FaultTransport, ATooShortLengthCutsTheAnswerAndSpoilsTheConnection) {
    running_sandbox apollo({}, {"length=-50@1"});
    auto c = apollo.connect();
    const reply r = c.create(ids);
    EXPECT_EQ(r.status, 200);
    EXPECT_FALSE(r.body.ends_with("}"));
    EXPECT_FALSE(c.create(ids).whole());
}

TEST(FaultTransport, ADribbledAnswerArrivesWhole) {
    running_sandbox apollo({}, {"dribble=64ms"});
    auto c = apollo.connect();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_THAT(strings_in_tasks(c.create(ids).body, "id"), SizeIs(5));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 60ms);
}

TEST(FaultTransport, ADelayedAnswerComesInTheEnd) {
    running_sandbox apollo({}, {"delay:before=30ms@1", "delay=30ms@2"});
    auto c = apollo.connect();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(c.create(ids).status, 200);
    EXPECT_EQ(c.create(ids).status, 200);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 60ms);
    EXPECT_EQ(apollo->stats().tasks, 10u);
}

TEST(FaultTransport, ConnectionsEndAfterSoManyRequests) {
    running_sandbox apollo({}, {"close_after=2"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"a"}).status, 200);
    EXPECT_EQ(c.create({"b"}).status, 200);
    EXPECT_FALSE(c.create({"c"}).whole());
    EXPECT_EQ(c.create({"d"}).status, 200);
    EXPECT_EQ(c.connections(), 2u);
    EXPECT_EQ(apollo->stats().tasks, 3u);
}

TEST(FaultAnswers, HtmlAndSuccessFalseComeWith200) {
    running_sandbox apollo({}, {"html@1", "html:after@2", "success_false@3", "success_false:after@4"});
    auto c = apollo.connect();
    for (const std::uint64_t tasks : {0u, 5u}) {
        const reply r = c.create(ids);
        EXPECT_EQ(r.status, 200);
        EXPECT_THAT(r.body, StartsWith("<html>"));
        EXPECT_EQ(apollo->stats().tasks, tasks);
    }
    for (const std::uint64_t tasks : {5u, 10u}) {
        const reply r = c.create(ids);
        EXPECT_EQ(r.status, 200);
        EXPECT_EQ(r.body, R"({"success":false,"tasks":[]})");
        EXPECT_EQ(apollo->stats().tasks, tasks);
    }
}

TEST(FaultAnswers, MissingContactsAreMadeOrNotAsTheFaultSays) {
    running_sandbox apollo({}, {"missing=2@1", "missing:before=2@2", "missing:later:5s=2@3"});
    auto c = apollo.connect();
    EXPECT_THAT(strings_in_tasks(c.create(ids).body, "contact_id"), SizeIs(3));
    EXPECT_EQ(apollo->stats().tasks, 5u);
    EXPECT_THAT(strings_in_tasks(c.create(ids).body, "contact_id"), SizeIs(3));
    EXPECT_EQ(apollo->stats().tasks, 8u);
    EXPECT_THAT(strings_in_tasks(c.create(ids).body, "contact_id"), SizeIs(3));
    EXPECT_EQ(apollo->stats().tasks, 11u);
    apollo.clock.advance(5s);
    EXPECT_EQ(apollo->stats().tasks, 13u);
}

TEST(FaultAnswers, RepeatedForeignAndAnonymousContactsAreOnlyInTheAnswer) {
    running_sandbox apollo({}, {"repeated=2@1", "foreign=2@2", "anonymous=2@3"});
    auto c = apollo.connect();
    const auto repeated = strings_in_tasks(c.create(ids).body, "contact_id");
    EXPECT_THAT(repeated, SizeIs(7));
    EXPECT_THAT(std::set(repeated.begin(), repeated.end()), SizeIs(5));
    const auto foreign = strings_in_tasks(c.create(ids).body, "contact_id");
    EXPECT_THAT(std::set(foreign.begin(), foreign.end()), SizeIs(7));
    EXPECT_THAT(strings_in_tasks(c.create(ids).body, "contact_id"),
                ElementsAre("(none)", "(none)", ids[2], ids[3], ids[4]));
    EXPECT_EQ(apollo->stats().tasks, 15u);
}

TEST(FaultAnswers, AnOversizedAnswerIsStillTheAnswer) {
    running_sandbox apollo({}, {"oversized=2MiB"});
    auto c = apollo.connect();
    c.accept_gzip();
    const reply r = c.create(ids);
    EXPECT_EQ(r.body.size(), 2u << 20);
    EXPECT_THAT(strings_in_tasks(r.body, "contact_id"), SizeIs(5));
}

TEST(FaultAnswers, OneTaskIdStandsForAllContacts) {
    running_sandbox apollo({}, {"same_id@1"});
    auto c = apollo.connect();
    const reply r = c.create(ids);
    EXPECT_EQ(strings_in_tasks(r.body, "contact_id"), ids);
    const auto task_ids = strings_in_tasks(r.body, "id");
    EXPECT_THAT(std::set(task_ids.begin(), task_ids.end()), SizeIs(1));
    EXPECT_EQ(apollo->stats().tasks, 5u);
}

TEST(FaultAnswers, ACopyIsReadAsTheAnswerToTheNextRequest) {
    running_sandbox apollo({}, {"copy=20ms@1"});
    auto c = apollo.connect();
    const reply first = c.create({"a"});
    const reply copy = c.create({"b"});
    EXPECT_THAT(strings_in_tasks(copy.body, "contact_id"), ElementsAre("a"));
    EXPECT_EQ(copy.body, first.body);
    EXPECT_EQ(copy.header("x-request-id"), first.header("x-request-id"));
    EXPECT_THAT(strings_in_tasks(c.create({"c"}).body, "contact_id"), ElementsAre("b"));
    EXPECT_EQ(c.connections(), 1u);
}

TEST(FaultAnswers, ARefusalIsCopiedToo) {
    running_sandbox apollo({}, {"copy=0s@1", "bad_contact=a"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"a"}).status, 422);
    EXPECT_EQ(c.create({"b"}).status, 422);
    EXPECT_EQ(c.create({"c"}).status, 200);
}

TEST(FaultAnswers, AnswersAreOneBehindOnTheirConnection) {
    running_sandbox apollo({}, {"previous@1-3", "previous:before@4"});
    auto c = apollo.connect();
    auto other = apollo.connect();
    const auto named = [](const reply& r) { return strings_in_tasks(r.body, "contact_id"); };
    EXPECT_THAT(named(c.create({"a"})), ElementsAre("a"));  // there is none before it
    EXPECT_THAT(named(c.create({"b"})), ElementsAre("a"));
    EXPECT_THAT(named(c.create({"c"})), ElementsAre("b"));
    EXPECT_EQ(apollo->stats().tasks, 3u);
    EXPECT_THAT(named(c.create({"d"})), ElementsAre("c"));
    EXPECT_EQ(apollo->stats().tasks, 3u);
    EXPECT_THAT(named(other.create({"e"})), ElementsAre("e"));
}

TEST(FaultStatus, AnErrorMayRepeatTheRequestsHeaders) {
    running_sandbox apollo({}, {"500:echo@1", "502:after:echo@2", "401:echo@3", "429:echo=7@4"});
    auto c = apollo.connect();
    const std::string key = "x-api-key: " + apollo->where().api_key;
    for (const int status : {500, 502, 401, 429}) {
        const reply r = c.create(ids);
        EXPECT_EQ(r.status, status);
        EXPECT_THAT(r.body, HasSubstr(key));
        EXPECT_THAT(r.header("x-request-id"), HasSubstr(key));
    }
    EXPECT_EQ(apollo->stats().tasks, 5u);
    EXPECT_THAT(c.create(ids).body, testing::Not(HasSubstr(key)));
}

TEST(FaultRefusals, BadContactsAreNamedOrNot) {
    running_sandbox apollo({}, {"bad_contact=" + ids[1], "bad_contact:named=" + ids[3]});
    auto c = apollo.connect();
    const reply unnamed = c.create({ids[0], ids[1]});
    EXPECT_EQ(unnamed.status, 422);
    EXPECT_THAT(unnamed.body, testing::Not(HasSubstr(ids[1])));
    EXPECT_THAT(c.create({ids[2], ids[3]}).body, HasSubstr(ids[3]));
    EXPECT_EQ(c.create({ids[0], ids[2]}).status, 200);
    EXPECT_EQ(apollo->stats().tasks, 2u);
}

TEST(FaultRefusals, CapsAndBadUsers) {
    running_sandbox apollo({}, {"cap:413=3"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create(ids).status, 413);
    EXPECT_EQ(c.create({"a", "b", "c"}).status, 200);
    ASSERT_TRUE(apollo->set_faults({"cap=4"}));
    EXPECT_THAT(c.create(ids).body, HasSubstr("limit of 4"));
    ASSERT_TRUE(apollo->set_faults({"bad_user=66302798d03b9601c7934ebf"}));
    EXPECT_EQ(c.create({"a"}).body, R"({"error":"User not found"})");
}

TEST(FaultSearch, TasksShowOnlyAfterTheLag) {
    running_sandbox apollo({}, {"lag=30s@1"});
    auto c = apollo.connect();
    c.create({"a"});
    c.create({"b"});
    EXPECT_THAT(strings_in_tasks(c.search("").body, "contact_id"), ElementsAre("b"));
    apollo.clock.advance(30s);
    EXPECT_THAT(strings_in_tasks(c.search("").body, "contact_id"), SizeIs(2));
}

TEST(FaultSearch, IsForbiddenLimitedOrFailing) {
    running_sandbox apollo({}, {"search/403@1", "search/500@2", "visible=2"});
    auto c = apollo.connect();
    c.create(ids);
    EXPECT_EQ(c.search("").status, 403);
    EXPECT_EQ(c.search("").status, 500);
    const reply r = c.search("");
    EXPECT_THAT(strings_in_tasks(r.body, "id"), SizeIs(2));
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 5);
}

TEST(FaultSearch, PagesHideTasksThatTheyCount) {
    running_sandbox apollo({}, {"search/hides=2@2-3"});
    auto c = apollo.connect();
    c.create(ids);
    EXPECT_THAT(strings_in_tasks(c.search("").body, "id"), SizeIs(5));
    const reply r = c.search("");
    EXPECT_THAT(strings_in_tasks(r.body, "id"), SizeIs(3));
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 5);
    EXPECT_EQ(c.search("").body, r.body);
}

TEST(FaultSearch, PagesAreLongerThanAsked) {
    running_sandbox apollo({}, {"search/longer=2@2-"});
    auto c = apollo.connect();
    c.create(ids);
    const auto all = strings_in_tasks(c.search("").body, "id");
    const reply first = c.search("per_page=2");
    EXPECT_THAT(strings_in_tasks(first.body, "id"), ElementsAre(all[0], all[1], all[2], all[3]));
    EXPECT_EQ(number_at(first.body, "/pagination/per_page"), 2);
    EXPECT_THAT(strings_in_tasks(c.search("per_page=2&page=2").body, "id"), ElementsAre(all[2], all[3], all[4]));
}

TEST(FaultClocks, ASkewedServerDatesEverythingByItsOwnClock) {
    running_sandbox apollo({}, {"skew=+1h"});
    auto c = apollo.connect();
    const reply r = c.create({"a"});
    EXPECT_EQ(r.header("date"), "Mon, 21 Sep 2026 15:13:20 GMT");
    EXPECT_THAT(strings_in_tasks(r.body, "created_at"), ElementsAre("2026-09-21T15:13:20.000Z"));
}

TEST(FaultClocks, TheOneThatStampsTasksIsOffAlone) {
    running_sandbox apollo({}, {"skew:tasks=-2h"});
    auto c = apollo.connect();
    const reply r = c.create({"a"});
    EXPECT_EQ(r.header("date"), "Mon, 21 Sep 2026 14:13:20 GMT");
    EXPECT_THAT(strings_in_tasks(r.body, "created_at"), ElementsAre("2026-09-21T12:13:20.000Z"));
}

TEST(FaultClocks, TheOneThatDatesAnswersIsOffAlone) {
    running_sandbox apollo({}, {"skew:date=+1h", "429=date+5@2"});
    auto c = apollo.connect();
    const reply r = c.create({"a"});
    EXPECT_EQ(r.header("date"), "Mon, 21 Sep 2026 15:13:20 GMT");
    EXPECT_THAT(strings_in_tasks(r.body, "created_at"), ElementsAre("2026-09-21T14:13:20.000Z"));
    EXPECT_EQ(c.create({"b"}).header("retry-after"), "Mon, 21 Sep 2026 15:13:25 GMT");
}

TEST(FaultClocks, EachIsOffByItsOwn) {
    running_sandbox apollo({}, {"skew:date=+1h", "skew:tasks=-1h"});
    const reply r = apollo.connect().create({"a"});
    EXPECT_EQ(r.header("date"), "Mon, 21 Sep 2026 15:13:20 GMT");
    EXPECT_THAT(strings_in_tasks(r.body, "created_at"), ElementsAre("2026-09-21T13:13:20.000Z"));
}

TEST(FaultClocks, AnAnswerMayHaveNoDate) {
    running_sandbox apollo({}, {"no_date@1", "500:after@1", "search/no_date"});
    auto c = apollo.connect();
    const reply r = c.create({"a"});
    EXPECT_EQ(r.status, 500);
    EXPECT_EQ(r.headers.count("date"), 0u);
    EXPECT_EQ(c.create({"b"}).headers.count("date"), 1u);
    EXPECT_EQ(c.search("").headers.count("date"), 0u);
    EXPECT_EQ(apollo->stats().faults.at(0).second, 1u);
}

TEST(FaultWindows, OthersOfTheTeamSpendTheSameBudget) {
    running_sandbox apollo({.limits = {10, 0, 0}}, {"spend=8@2"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"a"}).header("x-minute-usage"), "1");
    EXPECT_EQ(c.create({"b"}).header("x-minute-usage"), "10");
    EXPECT_EQ(c.create({"c"}).status, 429);
}

TEST(FaultSeed, TheSameSeedAndSequenceMeetTheSameFaults) {
    const auto statuses = [](std::uint64_t seed) {
        running_sandbox apollo({.seed = seed}, {"500%40"});
        auto c = apollo.connect();
        std::vector<int> all;
        for (int i = 0; i < 40; ++i)
            all.push_back(c.create({"a"}).status);
        return all;
    };
    const auto once = statuses(3);
    EXPECT_EQ(once, statuses(3));
    EXPECT_NE(once, statuses(4));
}

}  // namespace
