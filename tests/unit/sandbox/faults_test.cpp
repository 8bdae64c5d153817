#include "sandbox/faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace taskbarge::sandbox;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

fault parsed(std::string_view text) {
    auto f = parse_fault(text);
    if (!f) {
        ADD_FAILURE() << f.error().text;
        return {};
    }
    return *f;
}

std::string error_of(std::string_view text) {
    const auto f = parse_fault(text);
    return f ? "(none)" : f.error().text;
}

fault_plan plan_of(const std::vector<std::string>& texts, std::uint64_t seed = 1) {
    std::vector<fault> faults;
    for (const auto& text : texts)
        faults.push_back(parsed(text));
    return {std::move(faults), seed};
}

TEST(FaultText, StatusWithMomentAndPlace) {
    const fault f = parsed("500:after@3");
    EXPECT_EQ(f.kind, fault_kind::status);
    EXPECT_EQ(f.status, 500);
    EXPECT_EQ(f.moment, fault_moment::after);
    EXPECT_EQ(f.places.ranges, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{3, 3}}));
}

TEST(FaultText, LaterTakesADelayOfItsOwn) {
    EXPECT_EQ(parsed("502:later").later, 1s);
    const fault f = parsed("missing:later:250ms=2@1");
    EXPECT_EQ(f.moment, fault_moment::later);
    EXPECT_EQ(f.later, 250ms);
    EXPECT_EQ(f.number, 2);
}

TEST(FaultText, RouteStageAndChance) {
    const fault f = parsed("search/reset:mid_answer%2.5");
    EXPECT_EQ(f.route, route::search);
    EXPECT_EQ(f.stage, fault_stage::mid_answer);
    EXPECT_EQ(f.moment, fault_moment::after);
    EXPECT_EQ(f.places.percent, 2.5);
}

TEST(FaultText, EveryFormOfRetryAfter) {
    EXPECT_EQ(parsed("429=7").number, 7);
    EXPECT_EQ(parsed("429=0").number, 0);
    EXPECT_EQ(parsed("429=missing").retry, retry_form::missing);
    EXPECT_EQ(parsed("429=date+5").retry, retry_form::http_date);
    EXPECT_EQ(parsed("429=date+5").number, 5);
    EXPECT_EQ(parsed("429:hour=7").window, taskbarge::core::window_kind::hour);
}

TEST(FaultText, PlacesAreListsAndRanges) {
    EXPECT_EQ(parsed("stall@1,4-6,9-").places.ranges,
              (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 1}, {4, 6}, {9, UINT64_MAX}}));
}

TEST(FaultText, ValuesOfEachSort) {
    EXPECT_EQ(parsed("lag=30s").time, 30s);
    EXPECT_EQ(parsed("skew=-5m").time, -5min);
    EXPECT_EQ(parsed("length=-100").number, -100);
    EXPECT_EQ(parsed("length=+100").number, 100);
    EXPECT_EQ(parsed("oversized=2MiB").number, 2 << 20);
    EXPECT_EQ(parsed("cap:413=50").status, 413);
    EXPECT_EQ(parsed("cap=50").status, 422);
    EXPECT_EQ(parsed("bad_contact:named=AAAAAAAAAAAAAAAAAAAAAAAA,b").ids,
              (std::vector<std::string>{"aaaaaaaaaaaaaaaaaaaaaaaa", "b"}));
}

TEST(FaultText, WordsOfClocksAndEchoes) {
    EXPECT_EQ(parsed("skew=1h").clock, server_clock::both);
    EXPECT_EQ(parsed("skew:tasks=1h").clock, server_clock::tasks);
    EXPECT_EQ(parsed("skew:date=1h").clock, server_clock::date);
    EXPECT_EQ(parsed("copy=30ms").time, 30ms);
    const fault f = parsed("502:after:echo");
    EXPECT_TRUE(f.echoes);
    EXPECT_EQ(f.moment, fault_moment::after);
    EXPECT_FALSE(parsed("502").echoes);
}

TEST(FaultText, AnErrorNamesTheFaultAndWhatWouldBeRight) {
    EXPECT_THAT(error_of("5oo@1"), StartsWith("fault \"5oo@1\": unknown kind \"5oo\"; there are a status"));
    EXPECT_THAT(error_of("find/500"), HasSubstr("there are bulk_create, search, users, usage_stats"));
    EXPECT_THAT(error_of("500:mid_answer"), HasSubstr("it takes before, after, later"));
    EXPECT_THAT(error_of("lag"), HasSubstr("write lag=30s"));
    EXPECT_THAT(error_of("lag=30"), HasSubstr("write for example 30s"));
    EXPECT_THAT(error_of("stall=3s"), HasSubstr("it takes no value"));
    EXPECT_THAT(error_of("500@0"), HasSubstr("such as @3"));
    EXPECT_THAT(error_of("500@7-3"), HasSubstr("such as @3"));
    EXPECT_THAT(error_of("500%101"), HasSubstr("from 0 to 100"));
    EXPECT_THAT(error_of("visible=5@2"), HasSubstr("leave out the places"));
    EXPECT_THAT(error_of("hides=2"), HasSubstr("write search/hides"));
    EXPECT_THAT(error_of("skew:mine=2m"), HasSubstr("it takes date, tasks"));
    EXPECT_THAT(error_of("bad_contact"), HasSubstr("bad_contact=ID,ID or bad_contact%2"));
    EXPECT_THAT(error_of("200"), HasSubstr("unknown kind"));
    EXPECT_THAT(error_of(""), HasSubstr("unknown kind"));
}

TEST(FaultPlan, TheFirstThatMatchesStrikes) {
    auto plan = plan_of({"500@2", "stall@2-3", "search/502"});
    EXPECT_EQ(plan.strike(route::bulk_create, 1), nullptr);
    EXPECT_EQ(plan.strike(route::bulk_create, 2)->kind, fault_kind::status);
    EXPECT_EQ(plan.strike(route::bulk_create, 3)->kind, fault_kind::stall);
    EXPECT_EQ(plan.strike(route::search, 9)->status, 502);
    EXPECT_EQ(plan.strikes()[1], (std::pair<std::string, std::uint64_t>{"stall@2-3", 1}));
}

TEST(FaultPlan, ConnectionFaultsStrikeConnectionsOnly) {
    auto plan = plan_of({"reset:handshake@2"});
    EXPECT_EQ(plan.strike(route::bulk_create, 2), nullptr);
    EXPECT_EQ(plan.strike_connection(1), nullptr);
    EXPECT_NE(plan.strike_connection(2), nullptr);
}

TEST(FaultPlan, ChanceDependsOnSeedAndPlaceAlone) {
    auto one = plan_of({"500%30"});
    auto same = plan_of({"500%30"});
    auto other = plan_of({"500%30"}, 2);
    std::vector<bool> first, second, third;
    for (std::uint64_t place = 1; place <= 1000; ++place) {
        first.push_back(one.strike(route::bulk_create, place) != nullptr);
        third.push_back(other.strike(route::bulk_create, place) != nullptr);
    }
    for (std::uint64_t place = 1; place <= 1000; ++place) {
        same.strike(route::bulk_create, 1001 - place);
        second.push_back(same.strike(route::bulk_create, place) != nullptr);
    }
    EXPECT_EQ(first, second);
    EXPECT_NE(first, third);
    EXPECT_NEAR(static_cast<double>(std::ranges::count(first, true)), 300, 60);
}

TEST(FaultPlan, BadContactsByChanceStayBad) {
    const auto plan = plan_of({"bad_contact%50"});
    int bad = 0;
    for (int i = 0; i < 200; ++i) {
        const std::string id = "contact " + std::to_string(i);
        bad += plan.bad_contact(id) != nullptr ? 1 : 0;
        EXPECT_EQ(plan.bad_contact(id), plan.bad_contact(id));
    }
    EXPECT_NEAR(bad, 100, 40);
}

}  // namespace
