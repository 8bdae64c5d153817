// The routes as a client meets them, over real TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <set>

#include "unit/sandbox/support.hpp"

using namespace std::chrono_literals;
using namespace sandbox_tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;

namespace {

constexpr const char* create_path = "/api/v1/tasks/bulk_create";

std::string gunzip(const std::string& packed) {
    std::string out(1 << 20, '\0');
    z_stream z{};
    inflateInit2(&z, 15 + 16);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    z.avail_in = static_cast<uInt>(packed.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

TEST(BulkCreate, NamesATaskForEachContactInRealSize) {
    running_sandbox apollo;
    auto c = apollo.connect();
    const auto ids = contact_ids(1, 3);
    const reply r = c.create(ids);
    ASSERT_EQ(r.status, 200);
    EXPECT_THAT(r.header("content-type"), StartsWith("application/json"));
    EXPECT_EQ(strings_in_tasks(r.body, "contact_id"), ids);
    EXPECT_THAT(strings_in_tasks(r.body, "due_at"), testing::Each("2026-03-01T10:00:00.000+00:00"));
    EXPECT_THAT(strings_in_tasks(r.body, "created_at"), testing::Each("2026-09-21T14:13:20.000Z"));
    EXPECT_THAT(strings_in_tasks(r.body, "note"), testing::Each("Say \"hello\""));
    EXPECT_GT(r.body.size(), 3u * 2500);
    EXPECT_EQ(apollo.tasks_of(ids[2]), 1u);
}

TEST(BulkCreate, MinimalAnswersHaveOnlyWhatAClientMustHave) {
    running_sandbox apollo({.minimal_answers = true});
    auto c = apollo.connect();
    const auto ids = contact_ids(1, 3);
    const reply r = c.create(ids);
    EXPECT_EQ(strings_in_tasks(r.body, "contact_id"), ids);
    EXPECT_LT(r.body.size(), 3u * 100);
    const reply found = c.search("");
    EXPECT_THAT(strings_in_tasks(found.body, "note"), testing::Each("Say \"hello\""));
    EXPECT_THAT(found.body, testing::Not(HasSubstr("organization_name")));
}

TEST(BulkCreate, NeverDeduplicates) {
    running_sandbox apollo;
    auto c = apollo.connect();
    const auto ids = contact_ids(1, 2);
    const auto first = strings_in_tasks(c.create(ids).body, "id");
    const auto second = strings_in_tasks(c.create(ids).body, "id");
    const std::set<std::string> all{first[0], first[1], second[0], second[1]};
    EXPECT_EQ(all.size(), 4u);
    EXPECT_EQ(apollo->stats().tasks_twice, 2u);
    EXPECT_EQ(apollo.tasks_of(ids[0]), 2u);
}

TEST(BulkCreate, ATimeWithoutOffsetIsGreenwichTime) {
    running_sandbox apollo;
    auto c = apollo.connect();
    const auto due = [&](std::string_view text) {
        return strings_in_tasks(c.post(create_path, client::body_for({"a"}, text)).body, "due_at").at(0);
    };
    EXPECT_EQ(due("2026-03-01T10:00:00"), "2026-03-01T10:00:00.000+00:00");
    EXPECT_EQ(due("2026-03-01"), "2026-03-01T00:00:00.000+00:00");
    EXPECT_EQ(due("2026-03-01T10:00:00+05:00"), "2026-03-01T05:00:00.000+00:00");
}

TEST(BulkCreate, BadDetailsAreRefusedInApollosWords) {
    running_sandbox apollo;
    auto c = apollo.connect();
    const auto error = [&](std::string_view from, std::string_view to) {
        std::string body = client::body_for({"a"});
        body.replace(body.find(from), from.size(), to);
        const reply r = c.post(create_path, body);
        EXPECT_EQ(r.status, 422);
        return r.body;
    };
    EXPECT_EQ(error(R"("type":"call",)", ""), R"({"error":"type and user can not be blank"})");
    EXPECT_EQ(error(R"("66302798d03b9601c7934ebf")", "null"), R"({"error":"type and user can not be blank"})");
    EXPECT_EQ(error(R"("call")", R"("cal")"), R"({"error":"type is not included in the list"})");
    EXPECT_EQ(error(R"("high")", R"("huge")"), R"({"error":"priority is not included in the list"})");
    EXPECT_EQ(error(R"("scheduled")", R"("done")"), R"({"error":"status is not included in the list"})");
    EXPECT_EQ(error("2026-03-01T10", "2026-02-30T10"), R"({"error":"due_at is not a valid date"})");
    EXPECT_EQ(error(R"(["a"])", "[]"), R"({"error":"contact_ids can not be blank"})");
    EXPECT_EQ(error(R"(["a"])", R"(["a",5])"), R"({"error":"contact_ids can not be blank"})");
    EXPECT_EQ(c.post(create_path, "{").status, 400);
    EXPECT_EQ(apollo->stats().tasks, 0u);
    EXPECT_EQ(apollo->stats().routes.at("bulk_create").by_status.at(422), 8u);
}

TEST(Access, AWrongKeyGetsPlainTextAndNoRateHeaders) {
    running_sandbox apollo;
    auto c = apollo.connect();
    c.use_key("wrong");
    const reply r = c.create({"a"});
    EXPECT_EQ(r.status, 401);
    EXPECT_THAT(r.header("content-type"), StartsWith("text/plain"));
    EXPECT_THAT(r.body, StartsWith("Invalid API key."));
    EXPECT_EQ(r.header("x-rate-limit-minute"), "");
    EXPECT_EQ(apollo->stats().tasks, 0u);
}

TEST(Access, AForbiddenRouteNamesItselfAndTheOthersWork) {
    running_sandbox apollo({.forbid = {"search"}});
    auto c = apollo.connect();
    const reply r = c.search("page=1");
    EXPECT_EQ(r.status, 403);
    EXPECT_THAT(r.body, HasSubstr("not authorized to access api/v1/tasks/search."));
    EXPECT_THAT(r.body, HasSubstr(R"("error_code":"API_INACCESSIBLE")"));
    EXPECT_EQ(r.header("x-minute-usage"), "");
    EXPECT_EQ(c.create({"a"}).status, 200);
}

TEST(Access, AClientThatTrustsAnotherAuthorityDoesNotConnect) {
    running_sandbox apollo, other;
    client c(apollo->where(), other->where().ca_file);
    const reply r = c.create({"a"});
    EXPECT_FALSE(r.whole());
    EXPECT_EQ(apollo->stats().tasks, 0u);
}

TEST(Access, UnknownRoutesAreNotFound) {
    running_sandbox apollo;
    auto c = apollo.connect();
    EXPECT_EQ(c.get(create_path).status, 404);
    EXPECT_EQ(c.post("/api/v1/tasks", "{}").status, 404);
    EXPECT_EQ(c.get("/sandbox/nothing").status, 404);
}

TEST(Rates, EveryAnswerCarriesTheWindows) {
    running_sandbox apollo({.limits = {200, 0, 2000}});
    auto c = apollo.connect();
    c.create({"a"});
    const reply r = c.post(create_path, "{}");
    EXPECT_EQ(r.status, 422);
    EXPECT_EQ(r.header("x-rate-limit-minute"), "200");
    EXPECT_EQ(r.header("x-minute-usage"), "2");
    EXPECT_EQ(r.header("x-minute-requests-left"), "198");
    EXPECT_EQ(r.headers.count("x-rate-limit-hourly"), 1u);
    EXPECT_EQ(r.header("x-rate-limit-hourly"), "");
    EXPECT_EQ(r.headers.count("x-hourly-usage"), 0u);
    EXPECT_EQ(r.header("x-24-hour-requests-left"), "1998");
    EXPECT_EQ(r.header("x-request-id").size(), 36u);
    EXPECT_EQ(r.header("date"), "Mon, 21 Sep 2026 14:13:20 GMT");
}

TEST(Rates, AnExhaustedWindowAnswers429UntilItReopens) {
    running_sandbox apollo({.limits = {2, 400, 0}, .lengths = {2s, 1h, 24h}});
    auto c = apollo.connect();
    c.create({"a"});
    apollo.clock.advance(500ms);
    c.create({"b"});
    const reply r = c.create({"c"});
    EXPECT_EQ(r.status, 429);
    EXPECT_EQ(r.header("retry-after"), "2");
    EXPECT_EQ(r.header("x-minute-requests-left"), "0");
    EXPECT_EQ(r.body,
              R"({"message":"The maximum number of api calls allowed for api/v1/tasks/bulk_create is 2 times per )"
              R"(minute. Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade."})");
    apollo.clock.advance(1500ms);
    EXPECT_EQ(c.create({"c"}).status, 200);
    const auto stats = apollo->stats();
    EXPECT_EQ(stats.tasks, 3u);
    EXPECT_EQ(stats.throttled, 1u);
    EXPECT_EQ(stats.routes.at("bulk_create").most_in_window, (std::array<std::uint64_t, 3>{2, 3, 3}));
}

TEST(Rates, RoutesHaveWindowsOfTheirOwn) {
    running_sandbox apollo({.limits = {1, 0, 0}, .search_limits = {1, 0, 0}});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"a"}).status, 200);
    EXPECT_EQ(c.search("").status, 200);
    EXPECT_EQ(c.create({"a"}).status, 429);
    EXPECT_THAT(c.search("").body, HasSubstr("api/v1/tasks/search is 1 times per minute"));
    EXPECT_EQ(c.get("/api/v1/users/search").status, 200);
}

TEST(Rates, UsageStatsTellEveryRoute) {
    running_sandbox apollo({.limits = {200, 0, 2000}});
    auto c = apollo.connect();
    c.create({"a"});
    const reply r = c.post("/api/v1/usage_stats/api_usage_stats", "");
    ASSERT_EQ(r.status, 200);
    EXPECT_THAT(r.body, HasSubstr(R"("[\"api/v1/tasks\", \"bulk_create\"]":{"day":{"limit":2000,"consumed":1,)"
                                  R"("left_over":1999},"hour":{"limit":null,)"));
    EXPECT_THAT(r.body, HasSubstr(R"("[\"api/v1/users\", \"search\"]":{"day":{"limit":2000,"consumed":0)"));
}

TEST(Search, ListsTheMostFutureFirstInPages) {
    running_sandbox apollo;
    auto c = apollo.connect();
    c.post(create_path, client::body_for(contact_ids(0, 130), "2026-03-01T10:00:00Z"));
    c.post(create_path, client::body_for(contact_ids(200, 20), "2026-04-01T10:00:00Z"));
    const reply first = c.search("sort_by_field=task_due_at&page=1&per_page=100");
    const reply second = c.search("sort_by_field=task_due_at&page=2&per_page=100");
    EXPECT_EQ(number_at(first.body, "/pagination/total_entries"), 150);
    EXPECT_EQ(number_at(first.body, "/pagination/total_pages"), 2);
    EXPECT_EQ(number_at(second.body, "/pagination/page"), 2);
    auto contacts = strings_in_tasks(first.body, "contact_id");
    ASSERT_EQ(contacts.size(), 100u);
    EXPECT_THAT(std::vector(contacts.begin(), contacts.begin() + 20), UnorderedElementsAreArray(contact_ids(200, 20)));
    EXPECT_FALSE(std::is_sorted(contacts.begin() + 20, contacts.end()));
    std::ranges::copy(strings_in_tasks(second.body, "contact_id"), std::back_inserter(contacts));
    EXPECT_EQ(std::set(contacts.begin(), contacts.end()).size(), 150u);
    EXPECT_THAT(strings_in_tasks(c.search("page=3&per_page=100").body, "id"), ElementsAre());
}

TEST(Search, RefusesPagesThatApolloDoesNotShow) {
    running_sandbox apollo({.search_visible = 200});
    auto c = apollo.connect();
    c.create(contact_ids(0, 250));
    EXPECT_EQ(c.search("per_page=101").body, R"({"error":"Per page not supported"})");
    EXPECT_EQ(c.search("per_page=100&page=2").status, 200);
    EXPECT_EQ(c.search("per_page=100&page=3").status, 422);
    EXPECT_EQ(number_at(c.search("per_page=100").body, "/pagination/total_entries"), 250);
}

TEST(Search, IgnoresFiltersUnlessToldToHonourThem) {
    running_sandbox plain, filtering({.search_filters = true});
    const auto found = [](running_sandbox& apollo) {
        auto c = apollo.connect();
        c.create(contact_ids(0xa0, 5));
        return strings_in_tasks(c.search("contact_id=0000000000000000000000A3").body, "contact_id");
    };
    EXPECT_EQ(found(plain).size(), 5u);
    EXPECT_THAT(found(filtering), ElementsAre("0000000000000000000000a3"));
}

TEST(Search, ListsExistingTasksThatAreInNoCount) {
    running_sandbox apollo({.existing_tasks = 1000});
    auto c = apollo.connect();
    c.create({"a"});
    EXPECT_EQ(number_at(c.search("").body, "/pagination/total_entries"), 1001);
    EXPECT_EQ(apollo->stats().tasks, 1u);
    EXPECT_EQ(occurrences(c.get("/sandbox/tasks").body, "\n"), 1u);
}

TEST(Search, MayHideFinishedTasks) {
    running_sandbox apollo({.search_hides_finished = true});
    auto c = apollo.connect();
    std::string body = client::body_for({"a"});
    body.replace(body.find("scheduled"), 9, "completed");
    EXPECT_EQ(c.post(create_path, body).status, 200);
    c.create({"b"});
    EXPECT_THAT(strings_in_tasks(c.search("").body, "contact_id"), ElementsAre("b"));
}

TEST(Users, ComeInPagesWithNumbersAsTexts) {
    running_sandbox apollo;
    auto c = apollo.connect();
    const reply r = c.get("/api/v1/users/search?page=2&per_page=4");
    EXPECT_EQ(r.status, 200);
    EXPECT_THAT(r.body, HasSubstr(R"("pagination":{"page":"2","per_page":"4","total_entries":6,"total_pages":2})"));
    EXPECT_EQ(occurrences(r.body, "@example.com"), 2u);
}

TEST(Connections, AreKeptAndAnswersPackedForThoseWhoAcceptIt) {
    running_sandbox apollo;
    auto c = apollo.connect();
    c.accept_gzip();
    const reply r = c.create(contact_ids(0, 50));
    EXPECT_EQ(r.header("content-encoding"), "gzip");
    EXPECT_EQ(strings_in_tasks(gunzip(r.body), "contact_id").size(), 50u);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(c.create({"a"}).status, 200);
    EXPECT_EQ(c.connections(), 1u);
    EXPECT_EQ(apollo->stats().connections, 1u);
}

TEST(Admin, ShowsStatsAndTasksToTheKeyHolderOnly) {
    running_sandbox apollo;
    auto c = apollo.connect();
    c.create({"a", "b", "a"});
    const reply stats = c.get("/sandbox/stats");
    EXPECT_EQ(number_at(stats.body, "/tasks"), 3);
    EXPECT_EQ(number_at(stats.body, "/pairs"), 2);
    EXPECT_EQ(number_at(stats.body, "/tasks_twice"), 1);
    EXPECT_EQ(number_at(stats.body, "/routes/bulk_create/by_status/200"), 1);
    const reply tasks = c.get("/sandbox/tasks");
    EXPECT_EQ(occurrences(tasks.body, "\n"), 3u);
    EXPECT_EQ(occurrences(tasks.body, R"("contact_id":"a","user_id":"66302798d03b9601c7934ebf","type":"call",)"
                                      R"("priority":"high","status":"scheduled","due_at":"2026-03-01T10:00:00.000Z",)"
                                      R"("note":"Say \"hello\"")"),
              2u);
    c.use_key("wrong");
    EXPECT_EQ(c.get("/sandbox/stats").status, 401);
}

TEST(Admin, ChangesFaultsWhileItRuns) {
    running_sandbox apollo({}, {"500"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"a"}).status, 500);
    EXPECT_EQ(c.post("/sandbox/faults", "502@2\nnonsense\n").status, 422);
    EXPECT_EQ(c.create({"a"}).status, 500);
    EXPECT_EQ(c.post("/sandbox/faults", "502@2\r\n\n").status, 200);
    EXPECT_EQ(c.create({"a"}).status, 200);
    EXPECT_EQ(c.create({"a"}).status, 502);
    EXPECT_EQ(c.post("/sandbox/faults", "").status, 200);
    EXPECT_EQ(c.create({"a"}).status, 200);
}

TEST(Options, WrongOnesAreNamed) {
    const auto error = [](const sandbox::sandbox_options& options) {
        const auto started = sandbox::server::start(options);
        return started ? "(started)" : started.error().text;
    };
    EXPECT_THAT(error({.listen = "0.0.0.0:0"}), HasSubstr("\"0.0.0.0:0\" is no loopback address"));
    EXPECT_THAT(error({.listen = "127.0.0.1"}), HasSubstr("write 127.0.0.1:PORT"));
    EXPECT_THAT(error({.forbid = {"tasks"}}), HasSubstr("route \"tasks\" is unknown"));
    EXPECT_THAT(error({.faults = {"5oo"}}), HasSubstr("fault \"5oo\""));
    running_sandbox apollo;
    const std::string& url = apollo->where().base_url;
    const std::string port = url.substr(18, url.find("/api") - 18);
    EXPECT_THAT(error({.listen = "127.0.0.1:" + port}), HasSubstr("cannot listen on 127.0.0.1:" + port));
}

TEST(Options, CapAndBadContactsAreFaultsByAnotherName) {
    running_sandbox apollo({.max_contacts = 2, .bad_contacts = {"x"}});
    auto c = apollo.connect();
    EXPECT_THAT(c.create({"a", "b", "c"}).body, HasSubstr("maximum limit of 2"));
    EXPECT_EQ(c.create({"a", "x"}).status, 422);
    EXPECT_EQ(c.create({"a", "b"}).status, 200);
    EXPECT_EQ(apollo->stats().tasks, 2u);
}

}  // namespace
