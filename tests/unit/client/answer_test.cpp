#include "taskbarge/client/answer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace {

using namespace taskbarge::client;
namespace core = taskbarge::core;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

exchange answered(int status, std::string body) {
    exchange x;
    x.reach = reach::answered;
    x.status = status;
    x.body = std::move(body);
    return x;
}

exchange unanswered(reach how, std::string code) {
    exchange x;
    x.reach = how;
    x.error_code = std::move(code);
    x.error_text = "why";
    return x;
}

create_answer classify(int status, std::string body) {
    return classify_bulk_create(answered(status, std::move(body)));
}

TEST(Answer, TasksNamedInA200AreCreated) {
    const auto a = classify(200, R"({"success":true,"tasks":[
        {"id":"t1","contact_id":"66302798D03B9601C7934E01","contact":{"id":"other"}},
        {"id":"t2","contact_id":"66302798d03b9601c7934e02"}]})");
    EXPECT_EQ(a.verdict, create_verdict::created);
    EXPECT_EQ(a.code, "created");
    ASSERT_EQ(a.tasks.size(), 2U);
    EXPECT_EQ(a.tasks.contact_ids[0], "66302798d03b9601c7934e01");
    EXPECT_EQ(a.tasks.task_ids[0], "t1");
    EXPECT_EQ(a.tasks.task_ids[1], "t2");
}

TEST(Answer, TasksThatNameNoContactOrHaveNoIdAreNotCounted) {
    const auto a = classify(200, R"({"success":true,"tasks":[
        {"id":"t1"}, {"contact_id":"c2"}, {"id":3,"contact_id":"c3"}, {"id":"t4","contact_id":4},
        {"id":"t5","contact_id":null}, {"id":"","contact_id":"c6"}, null, 7, [], {"id":"t8","contact_id":"c8"}]})");
    EXPECT_EQ(a.verdict, create_verdict::created);
    ASSERT_EQ(a.tasks.size(), 1U);
    EXPECT_EQ(a.tasks.contact_ids[0], "c8");
}

TEST(Answer, SuccessWithoutAnyTaskNamesNobody) {
    const auto a = classify(200, R"({"success":true,"tasks":[]})");
    EXPECT_EQ(a.verdict, create_verdict::created);
    EXPECT_THAT(a.tasks, IsEmpty());
}

TEST(Answer, A200WithoutSuccessTrueIsDoubtful) {
    for (const char* body : {R"({"success":false,"tasks":[{"id":"t","contact_id":"c"}]})", R"({"tasks":[]})",
                             R"({"success":"true","tasks":[]})", R"({"success":1,"tasks":[]})"}) {
        const auto a = classify(200, body);
        EXPECT_EQ(a.verdict, create_verdict::doubtful) << body;
        EXPECT_EQ(a.code, "no_success") << body;
        EXPECT_THAT(a.tasks, IsEmpty());
    }
}

TEST(Answer, A200ThatCannotBeReadIsDoubtful) {
    for (const char* body :
         {"", "<html><title>Welcome</title></html>", R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"})",
          R"({"success":true,"tasks":[]} trailing)", R"([1,2])", R"({"success":true})",
          R"({"success":true,"tasks":{"id":"t","contact_id":"c"}})", "{\"success\":true,\"tasks\":[\"\xff\"]}"}) {
        const auto a = classify(200, body);
        EXPECT_EQ(a.verdict, create_verdict::doubtful) << body;
        EXPECT_EQ(a.code, "answer_unreadable") << body;
        EXPECT_THAT(a.message, Not(IsEmpty()));
    }
}

TEST(Answer, RefusalsAreThoseOfTheDetailsOrAContact) {
    const auto a = classify(422, R"({"error":"type and user can not be blank"})");
    EXPECT_EQ(a.verdict, create_verdict::refused);
    EXPECT_EQ(a.code, "refused_422");
    EXPECT_EQ(a.message, "type and user can not be blank");
    EXPECT_EQ(classify(400, R"({"message":"bad"})").code, "refused_400");
}

TEST(Answer, RefusalThatSpeaksOfTheNumberOfContactsAsksForFewer) {
    for (const char* text : {"Too many contact_ids", "maximum of 50 contacts", "contact_ids is limited to 100",
                             "at most 25 contacts", "number of contacts exceeds 100"}) {
        const auto a = classify(422, fmt::format(R"({{"error":"{}"}})", text));
        EXPECT_EQ(a.verdict, create_verdict::too_many) << text;
        EXPECT_EQ(a.code, "too_many_contacts");
    }
    EXPECT_EQ(classify(413, "").verdict, create_verdict::too_many);
    EXPECT_EQ(classify(400, R"({"error":"too many contacts"})").verdict, create_verdict::too_many);
}

TEST(Answer, RefusalOfATextThatIsTooLongIsNoMatterOfNumber) {
    EXPECT_EQ(classify(422, R"j({"error":"note is too long (maximum is 5000 characters)"})j").verdict,
              create_verdict::refused);
}

TEST(Answer, StatusesThatSaySoAreTyped) {
    EXPECT_EQ(classify(401, "Invalid access credentials.").verdict, create_verdict::unauthorized);
    EXPECT_EQ(classify(401, "Invalid access credentials.").message, "Invalid access credentials.");
    const auto forbidden = classify(403, R"({"error":"not accessible","error_code":"API_INACCESSIBLE"})");
    EXPECT_EQ(forbidden.verdict, create_verdict::forbidden);
    EXPECT_EQ(forbidden.message, "not accessible");
    EXPECT_EQ(classify(429, R"({"message":"600 times per hour"})").verdict, create_verdict::throttled);
}

TEST(Answer, EveryOtherStatusIsDoubtful) {
    for (const int status : {201, 204, 301, 302, 307, 404, 408, 409, 500, 502, 503, 504, 520, 524}) {
        const auto a = classify(status, "<html><head><title>Bad gateway</title></head></html>");
        EXPECT_EQ(a.verdict, create_verdict::doubtful) << status;
        EXPECT_EQ(a.code, fmt::format("http_{}", status));
        EXPECT_EQ(a.message, "an HTML page: Bad gateway");
    }
}

TEST(Answer, ExchangesWithoutAnAnswerKeepTheirCode) {
    const auto safe = classify_bulk_create(unanswered(reach::not_sent, "dns_failed"));
    EXPECT_EQ(safe.verdict, create_verdict::not_sent);
    EXPECT_EQ(safe.code, "dns_failed");
    EXPECT_EQ(safe.message, "why");
    const auto lost = classify_bulk_create(unanswered(reach::no_answer, "connection_lost"));
    EXPECT_EQ(lost.verdict, create_verdict::doubtful);
    EXPECT_EQ(lost.code, "connection_lost");
}

TEST(Answer, MessageIsOneBoundedLine) {
    const auto a = classify(500, "first\r\n\tsecond\x01third" + std::string(1000, 'x'));
    EXPECT_THAT(a.message, StartsWith("first second third"));
    EXPECT_EQ(a.message.size(), 300U);
    EXPECT_THAT(a.message, HasSubstr("xxx..."));
}

TEST(Answer, MessageIsCutBetweenCharactersAndAlwaysUtf8) {
    std::string accents;
    for (int i = 0; i < 400; ++i)
        accents += "\xc3\xa9";
    const auto a = classify(500, accents);
    EXPECT_EQ(a.message.size(), 299U);
    EXPECT_THAT(a.message, testing::EndsWith("\xc3\xa9..."));
    EXPECT_EQ(classify(500, "caf\xe9").message, "caf?");
}

TEST(Answer, MessageThatIsNoTextIsShownAsJson) {
    EXPECT_EQ(classify(422, R"({"error":{"contact_ids":["is bad"]}})").message, R"({"contact_ids":["is bad"]})");
}

TEST(Search, PageIsReadFieldByField) {
    const auto page = read_search(answered(200, R"({"tasks":[
        {"id":"t1","contact_id":"66302798D03B9601C7934E01","user_id":"u","type":"call","priority":"high",
         "status":"scheduled","note":"n","due_at":"2025-02-15T10:00:00.000+00:00",
         "created_at":"2025-02-14T09:00:00.123Z"}, {"id":"t2","note":null}, 5],
        "pagination":{"page":1,"per_page":100,"total_entries":179,"total_pages":2}})"));
    ASSERT_TRUE(page) << page.error().text;
    ASSERT_EQ(page->tasks.size(), 2U);
    const auto& t = page->tasks[0];
    EXPECT_EQ(t.contact_id, "66302798d03b9601c7934e01");
    EXPECT_EQ(t.user_id + t.type + t.priority + t.status + t.note, "ucallhighscheduledn");
    EXPECT_EQ(t.due_at, core::parse_rfc3339("2025-02-15T10:00:00Z"));
    EXPECT_EQ(t.created_at, core::parse_rfc3339("2025-02-14T09:00:00.123Z"));
    EXPECT_EQ(page->tasks[1].note, "");
    EXPECT_FALSE(page->tasks[1].due_at);
    EXPECT_EQ(page->total_entries, 179U);
    EXPECT_EQ(page->total_pages, 2U);
}

TEST(Search, NumbersInPaginationMayBeTexts) {
    const auto page = read_search(answered(
        200, R"({"tasks":[],"pagination":{"page":"3","per_page":"100","total_entries":"250","total_pages":3.0}})"));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->page, 3U);
    EXPECT_EQ(page->total_entries, 250U);
    EXPECT_EQ(page->total_pages, 3U);
}

TEST(Search, AnswerThatDoesNotSayHowMuchThereIsIsNoPage) {
    for (const char* body : {R"({"tasks":[]})", R"({"tasks":[],"pagination":{"page":1}})",
                             R"({"pagination":{"total_entries":1,"total_pages":1}})", "<html>"})
        EXPECT_EQ(read_search(answered(200, body)).error().code, core::errc::waiting) << body;
}

TEST(Search, RefusedAccessIsTyped) {
    EXPECT_EQ(read_search(answered(403, R"({"error":"no"})")).error().code, core::errc::forbidden);
    EXPECT_EQ(read_search(answered(401, "no")).error().code, core::errc::unauthorized);
    const auto down = read_search(answered(503, "down")).error();
    EXPECT_EQ(down.code, core::errc::waiting);
    EXPECT_EQ(down.text, "tasks/search: status 503: down");
    EXPECT_EQ(read_search(unanswered(reach::no_answer, "request_timeout")).error().code, core::errc::waiting);
}

TEST(Users, NamesAndPagesAreRead) {
    const auto page = read_users(answered(200, R"({"users":[
        {"id":"u1","email":"a@example.com","first_name":"Ada","last_name":"Lovelace"},
        {"id":"u2","email":null,"first_name":"Bo"}],"pagination":{"page":"1","total_pages":"4"}})"));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->users.size(), 2U);
    EXPECT_EQ(page->users[0].name, "Ada Lovelace");
    EXPECT_EQ(page->users[1].name, "Bo");
    EXPECT_EQ(page->users[1].email, "");
    EXPECT_EQ(page->total_pages, 4U);
}

TEST(UsageStats, EachRouteHasItsThreeWindows) {
    const auto routes = read_usage_stats(answered(200, R"({
        "[\"api/v1/tasks\", \"bulk_create\"]":{"day":{"limit":6000,"consumed":10,"left_over":5990},
            "hour":{"limit":null,"consumed":0,"left_over":null},"minute":{"limit":"200","consumed":1,"left_over":199}},
        "not a route":{"day":{}}, "[\"one\"]":{}, "[\"api/v1/users\", \"search\"]":{"day":{"limit":5}}})"));
    ASSERT_TRUE(routes);
    ASSERT_EQ(routes->size(), 2U);
    const auto& r = routes->at(0);
    EXPECT_EQ(r.controller, "api/v1/tasks");
    EXPECT_EQ(r.action, "bulk_create");
    EXPECT_EQ(r.usage.windows[0].limit, 200U);
    EXPECT_TRUE(r.usage.windows[1].present);
    EXPECT_TRUE(r.usage.windows[1].unlimited);
    EXPECT_EQ(r.usage.windows[2].used, 10U);
    EXPECT_EQ(r.usage.windows[2].left, 5990U);
    EXPECT_FALSE(routes->at(1).usage.windows[0].present);
}

TEST(UsageStats, MissingRightIsTyped) {
    EXPECT_EQ(read_usage_stats(answered(403, "{}")).error().code, core::errc::forbidden);
}

TEST(HttpValues, HttpDateIsReadInItsFixedForm) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), core::parse_rfc3339("1994-11-06T08:49:37Z"));
    EXPECT_EQ(parse_http_date("Sat, 29 Feb 2020 23:59:60 GMT"), core::parse_rfc3339("2020-03-01T00:00:00Z"));
    for (const char* bad :
         {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, -6 Nov 1994 08:49:37 GMT"})
        EXPECT_FALSE(parse_http_date(bad)) << bad;
}

TEST(HttpValues, RetryAfterIsSecondsOrADate) {
    using std::chrono::seconds;
    const auto now = *core::parse_rfc3339("1994-11-06T08:49:00Z");
    EXPECT_EQ(parse_retry_after("120", now), seconds(120));
    EXPECT_EQ(parse_retry_after(" 0 ", now), seconds(0));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), seconds(37));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), seconds(0));
    for (const char* bad : {"", "soon", "-5", "99999999999999999999", "9999999999", "1e3"})
        EXPECT_FALSE(parse_retry_after(bad, now)) << bad;
}

TEST(HttpValues, MessageNamesItsWindow) {
    const auto named = [](std::string_view text) { return window_named_in(text); };
    EXPECT_EQ(named("The maximum number of api calls allowed for api/v1/tasks/bulk_create is 600 times per hour. Try "
                    "again in a day."),
              core::window_kind::hour);
    EXPECT_EQ(named("... is 200 times per minute."), core::window_kind::minute);
    EXPECT_EQ(named("... is 6000 times Per Day."), core::window_kind::day);
    EXPECT_EQ(named("... 6000 times per 24 hours"), core::window_kind::day);
    EXPECT_EQ(named("too many requests"), std::nullopt);
}

}  // namespace
