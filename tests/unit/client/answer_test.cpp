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
    auto x = answered(status, std::move(body));
    return classify_bulk_create(x, {});
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

// What a request asked for, and the answers to it.
class OwnAnswer : public testing::Test {
 protected:
    static core::task_view asked() {
        core::task_view v;
        v.user_id = "5b8050500000000000000a0f";
        v.type = core::task_type::action_item;
        v.due_at = *core::parse_rfc3339("2025-02-15T10:00:00.250Z");
        v.note = "call back\r\n soon ";
        return v;
    }
    static create_answer classify_with(const std::string& members) {
        auto x =
            answered(200, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"},{"id":"t2","contact_id":"c2")" +
                              members + "}]}");
        return classify_bulk_create(x, asked());
    }
};

TEST_F(OwnAnswer, TasksThatAreWhatWasAskedForAreCreated) {
    for (const char* members :
         {"",
          R"(,"type":"action_item","user_id":"5b8050500000000000000a0f","note":"call back soon",)"
          R"("due_at":"2025-02-15T10:00:00.000+00:00")",
          R"(,"user_id":"5B8050500000000000000A0F")", R"(,"due_at":"2025-02-15T11:00:00+01:00")",
          R"(,"due_at":"2025-02-15T10:00:00.999Z")", R"(,"note":"\n call\tback   soon")",
          R"(,"note":"call back\r\n soon ")", R"(,"type":null,"user_id":null,"due_at":null,"note":null)",
          R"(,"type":"","user_id":"","due_at":"","note":"")",
          R"(,"type":7,"user_id":{"id":"x"},"due_at":1739613600,"note":["x"])", R"(,"due_at":"soon")"}) {
        const auto a = classify_with(members);
        EXPECT_EQ(a.verdict, create_verdict::created) << members << ": " << a.message;
        EXPECT_EQ(a.tasks.size(), 2U) << members;
    }
}

TEST_F(OwnAnswer, TaskThatIsAnotherMakesTheWholeAnswerDoubtful) {
    for (const auto& [field, members] :
         std::vector<std::pair<std::string, std::string>>{{"type", R"(,"type":"call")"},
                                                          {"user_id", R"(,"user_id":"5b8050500000000000000a0e")"},
                                                          {"due_at", R"(,"due_at":"2025-02-15T10:00:01Z")"},
                                                          {"due_at", R"(,"due_at":"2025-02-15T10:00:00+01:00")"},
                                                          {"note", R"(,"note":"call back later")"},
                                                          {"note", R"(,"note":"callback soon")"},
                                                          {"note", R"(,"note":"call back")"}}) {
        const auto a = classify_with(members);
        EXPECT_EQ(a.verdict, create_verdict::doubtful) << members;
        EXPECT_EQ(a.code, "answer_not_ours") << members;
        EXPECT_EQ(a.message, "the " + field + " of a task is not the one that was sent (task t2, contact c2)");
        EXPECT_THAT(a.tasks, IsEmpty());
    }
}

TEST_F(OwnAnswer, NoteThatWasMadeHtmlIsTheSame) {
    auto with_marks = asked();
    with_marks.note = "a < b & \"c\" > d";
    for (const char* note : {"<p>a &lt; b &amp; &quot;c&quot; &gt; d</p>", "<div>a &lt; b<br>&amp; c &gt; d</div>"}) {
        auto x = answered(
            200, fmt::format(R"({{"success":true,"tasks":[{{"id":"t1","contact_id":"c1","note":"{}"}}]}})", note));
        EXPECT_EQ(classify_bulk_create(x, with_marks).verdict, create_verdict::created) << note;
    }
}

TEST_F(OwnAnswer, NoteWhereNoneWasSentIsAnother) {
    auto x = answered(200, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1","note":"x"}]})");
    auto without = asked();
    without.note = {};
    EXPECT_EQ(classify_bulk_create(x, without).code, "answer_not_ours");
}

TEST_F(OwnAnswer, OneIdForTwoContactsMakesTheWholeAnswerDoubtful) {
    auto x = answered(200, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"},{"id":"t1","contact_id":"c2"}]})");
    const auto a = classify_bulk_create(x, asked());
    EXPECT_EQ(a.verdict, create_verdict::doubtful);
    EXPECT_EQ(a.code, "answer_not_ours");
    EXPECT_EQ(a.message, "a task is named twice (task t1, contact c2)");
}

TEST_F(OwnAnswer, ContactThatIsNamedTwiceOrWasNotAskedForStaysToBeTold) {
    auto x = answered(200, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"},{"id":"t2","contact_id":"c1"}]})");
    EXPECT_EQ(classify_bulk_create(x, asked()).tasks.size(), 2U);
}

TEST_F(OwnAnswer, FirstOfTwoMembersWithOneKeyCounts) {
    EXPECT_EQ(classify_with(R"(,"type":"action_item","type":"call")").verdict, create_verdict::created);
    EXPECT_EQ(classify_with(R"(,"note":null,"note":"another")").verdict, create_verdict::created);
}

// However an answer repeats the key, no text that is kept of it holds it or a part of it.
class Key : public testing::Test {
 protected:
    static constexpr std::string_view text = "k3y-of-the-account";
    static create_answer classify_with_key(int status, const std::string& body, std::string* kept = nullptr) {
        auto x = answered(status, body);
        auto a = classify_bulk_create(x, {}, core::secret(std::string(text)));
        if (kept != nullptr) *kept = x.body;
        EXPECT_THAT(x.body, Not(HasSubstr("k3y")));
        EXPECT_THAT(a.message, Not(HasSubstr("k3y")));
        return a;
    }
};

TEST_F(Key, IsTakenOutOfTheWordsAndTheBody) {
    for (const int status : {200, 400, 401, 403, 413, 422, 429, 500}) {
        std::string kept;
        const auto a = classify_with_key(status, fmt::format(R"({{"error":"key {} is bad"}})", text), &kept);
        EXPECT_EQ(a.message, "key *** is bad") << status;
        EXPECT_EQ(kept, R"({"error":"key *** is bad"})") << status;
    }
    EXPECT_THAT(classify_with_key(200, fmt::format("<html><title>{}</title>", text)).message, HasSubstr("***"));
    EXPECT_EQ(classify_with_key(200, fmt::format(R"(["{}"])", text)).code, "answer_unreadable");
    EXPECT_EQ(classify_with_key(200, fmt::format(R"({{"success":true,"x":"{}"}})", text)).code, "answer_unreadable");
}

TEST_F(Key, IsTakenOutHoweverJsonSpellsIt) {
    std::string kept;
    const auto a = classify_with_key(422, R"({"error":"\u006b3y\u002dof-the-account is bad"})", &kept);
    EXPECT_EQ(a.message, "*** is bad");
    EXPECT_EQ(kept, R"({"error":"*** is bad"})");
    EXPECT_EQ(classify_with_key(500, R"({"error":{"x-api-key":"k3y-of-the\u002Daccount"}})").message,
              R"({"x-api-key":"***"})");
}

TEST_F(Key, IsNotCutInTwoByTheEndOfAMessage) {
    for (std::size_t before = 270; before < 310; ++before)
        classify_with_key(500, std::string(before, 'x') + std::string(text));
}

TEST_F(Key, IsNoIdOfATask) {
    for (const char* task :
         {R"({"id":"k3y-of-the-account","contact_id":"c1"})", R"({"id":"t1","contact_id":"<k3y-of-the-account>"})"}) {
        std::string kept;
        const auto a = classify_with_key(200, fmt::format(R"({{"success":true,"tasks":[{}]}})", task), &kept);
        EXPECT_EQ(a.code, "answer_not_ours");
        EXPECT_THAT(a.message, HasSubstr("***"));
        EXPECT_THAT(a.tasks, IsEmpty());
    }
}

TEST_F(Key, IsNotAmongWhatDiffers) {
    classify_with_key(200, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1","type":"k3y-of-the-account"}]})");
}

TEST(Answer, RefusalsAreThoseOfTheDetailsOrAContact) {
    const auto a = classify(422, R"({"error":"type and user can not be blank"})");
    EXPECT_EQ(a.verdict, create_verdict::refused);
    EXPECT_EQ(a.code, "refused_422");
    EXPECT_EQ(a.message, "type and user can not be blank");
    EXPECT_EQ(classify(400, R"({"message":"bad"})").code, "refused_400");
}

TEST(Answer, RefusalThatSpeaksOfTheNumberOfContactsAsksForFewer) {
    for (const char* text :
         {"contact_ids is too long (maximum is 25)", "Too many contact_ids", "maximum of 50 contacts",
          "contact_ids is limited to 100", "at most 25 contacts", "number of contacts exceeds 100"}) {
        const auto a = classify(422, fmt::format(R"({{"error":"{}"}})", text));
        EXPECT_EQ(a.verdict, create_verdict::too_many) << text;
        EXPECT_EQ(a.code, "refused_422");
    }
    EXPECT_EQ(classify(413, R"({"error":"large"})").verdict, create_verdict::too_many);
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
    for (const int status : {204, 408, 409, 500, 502, 503, 504, 520, 524}) {
        const auto a = classify(status, "<html><head><title>Bad gateway</title></head></html>");
        EXPECT_EQ(a.verdict, create_verdict::doubtful) << status;
        EXPECT_EQ(a.code, fmt::format("http_{}", status));
        EXPECT_EQ(a.message, "an HTML page: Bad gateway");
    }
}

TEST(Answer, NothingOfApollosAtTheUrlIsTypedWhateverTheBody) {
    for (const int status : {300, 301, 302, 303, 307, 308, 404, 405, 410})
        for (const char* body : {"", "<html></html>", R"({"error":"x"})"}) {
            auto x = answered(status, body);
            x.location = "https://elsewhere.example/";
            const auto a = classify_bulk_create(x, {});
            EXPECT_EQ(a.verdict, create_verdict::no_route) << status;
            EXPECT_EQ(a.code, "no_route");
            EXPECT_THAT(a.message, HasSubstr("apollo.base_url"));
            EXPECT_THAT(a.message, HasSubstr(fmt::format("answered {}, Location https://elsewhere.example/", status)));
        }
}

TEST(Answer, RefusalThatIsNoJsonIsAGateways) {
    constexpr const char* html = "\xef\xbb\xbf <html><head><title>limit exceeded</title></head></html>";
    for (const int status : {400, 402, 403, 406, 411, 413, 414, 415, 421, 422, 426, 431, 451})
        for (const char* body : {"", html, "upstream said no"}) {
            if (*body == '\0' && (status == 400 || status == 413 || status == 422)) continue;
            const auto a = classify(status, body);
            EXPECT_EQ(a.verdict, create_verdict::gateway) << status << body;
            EXPECT_EQ(a.code, "gateway");
        }
    for (const int status : {400, 413, 422})
        EXPECT_NE(classify(status, "").verdict, create_verdict::gateway) << "a gateway has a page for it";
    EXPECT_EQ(classify(401, html).verdict, create_verdict::gateway) << "Apollo's is plain text";
    auto x = answered(403, html);
    x.trace = "Server: cloudflare, CF-RAY: 8f2a-FRA";
    EXPECT_THAT(classify_bulk_create(x, {}).message,
                HasSubstr("with 403: an HTML page: limit exceeded (Server: cloudflare, CF-RAY: 8f2a-FRA)"));
    const auto doubtful = classify(200, html);
    EXPECT_EQ(doubtful.verdict, create_verdict::doubtful) << "who knows what is behind it";
    EXPECT_EQ(respondent_of(answered(200, html)), respondent::gateway);
    EXPECT_EQ(respondent_of(answered(502, html)), respondent::apollo) << "its own proxies answer so";
}

TEST(Answer, TasksNamedInA201AreCreated) {
    const auto a = classify(201, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"}]})");
    EXPECT_EQ(a.verdict, create_verdict::created);
    EXPECT_EQ(a.tasks.size(), 1U);
    EXPECT_EQ(
        classify(201, R"({"success":true,"tasks":[{"id":"t1","contact_id":"c1"},{"id":"t1","contact_id":"c2"}]})").code,
        "answer_not_ours");
    EXPECT_EQ(classify(201, R"({"success":false})").verdict, create_verdict::doubtful);
}

TEST(Answer, ExchangesWithoutAnAnswerKeepTheirCode) {
    auto not_sent = unanswered(reach::not_sent, "dns_failed");
    const auto safe = classify_bulk_create(not_sent, {});
    EXPECT_EQ(safe.verdict, create_verdict::not_sent);
    EXPECT_EQ(safe.code, "dns_failed");
    EXPECT_EQ(safe.message, "why");
    auto no_answer = unanswered(reach::no_answer, "connection_lost");
    const auto lost = classify_bulk_create(no_answer, {});
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
        "pagination":{"page":1,"per_page":100,"total_entries":179,"total_pages":2}})"),
                                  1, 100);
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
    const auto page = read_search(
        answered(200,
                 R"({"tasks":[],"pagination":{"page":"3","per_page":"100","total_entries":"250","total_pages":3.0}})"),
        3, 100);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->page, 3U);
    EXPECT_EQ(page->total_entries, 250U);
    EXPECT_EQ(page->total_pages, 3U);
}

TEST(Search, AnswerThatDoesNotSayHowMuchThereIsIsNoPage) {
    for (const char* body : {R"({"tasks":[]})", R"({"tasks":[],"pagination":{"page":1}})",
                             R"({"pagination":{"total_entries":1,"total_pages":1}})", "{\"tasks\""})
        EXPECT_EQ(read_search(answered(200, body), 1, 100).error().code, core::errc::waiting) << body;
}

TEST(Search, WhatIsNotApollosIsToldAsSuch) {
    for (const int status : {200, 400, 403, 422}) {
        const auto page = read_search(answered(status, "<html><title>Log in</title></html>"), 1, 100);
        ASSERT_FALSE(page);
        EXPECT_EQ(page.error().code, core::errc::unreachable) << status;
        EXPECT_THAT(page.error().text, HasSubstr("Log in"));
    }
    const auto page = read_search(answered(404, "<html></html>"), 1, 100);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, core::errc::settings);
    EXPECT_THAT(page.error().text, HasSubstr("apollo.base_url"));
}

TEST(Search, RefusedAccessIsTyped) {
    EXPECT_EQ(read_search(answered(403, R"({"error":"no"})"), 1, 100).error().code, core::errc::forbidden);
    EXPECT_EQ(read_search(answered(401, "no"), 1, 100).error().code, core::errc::unauthorized);
    const auto down = read_search(answered(503, "down"), 1, 100).error();
    EXPECT_EQ(down.code, core::errc::waiting);
    EXPECT_EQ(down.text, "tasks/search: status 503: down");
    EXPECT_EQ(read_search(unanswered(reach::no_answer, "request_timeout"), 1, 100).error().code, core::errc::waiting);
}

std::string page_of(std::size_t tasks, const std::string& pagination) {
    std::string body = R"({"tasks":[)";
    for (std::size_t i = 0; i < tasks; ++i)
        body += fmt::format(R"({}{{"id":"t{}"}})", i ? "," : "", i);
    return body + R"(],"pagination":{)" + pagination + R"("total_entries":500,"total_pages":5}})";
}

TEST(Search, MoreTasksThanWereAskedForAreNoPage) {
    EXPECT_TRUE(read_search(answered(200, page_of(100, "")), 1, 100));
    const auto page = read_search(answered(200, page_of(101, "")), 1, 100);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, core::errc::waiting);
    EXPECT_EQ(page.error().text, "tasks/search: the answer has 101 tasks, 100 were asked for");
}

TEST(Search, OtherPageThanWasAskedForIsNone) {
    EXPECT_TRUE(read_search(answered(200, page_of(3, R"("page":"2","per_page":100,)")), 2, 100));
    for (const char* other : {R"("page":1,)", R"("page":"3",)", R"("page":2,"per_page":25,)"})
        EXPECT_EQ(read_search(answered(200, page_of(3, other)), 2, 100).error().code, core::errc::waiting) << other;
}

TEST(Search, TaskThatIsTwiceOnAPageMakesItNone) {
    const auto page = read_search(
        answered(200, R"({"tasks":[{"id":"t1"},{"note":"no id"},{"note":"none either"},{"id":"t2"},{"id":"t1"}],
                          "pagination":{"total_entries":5,"total_pages":1}})"),
        1, 100);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().text, "tasks/search: the answer has the id t1 twice");
}

TEST(Search, LargeTextOfVeryManyValuesIsNotTakenApart) {
    // Each value would take many times its own size.
    std::string body = R"({"tasks":[)";
    constexpr int very_many = 3'000'000;
    for (int i = 0; i < very_many; ++i)
        body += "0,";
    body += R"(0],"pagination":{"total_entries":1,"total_pages":1}})";
    const auto page = read_search(answered(200, body), 1, 100);
    ASSERT_FALSE(page);
    EXPECT_THAT(page.error().text, HasSubstr("support a document that big"));
}

TEST(Users, MoreOrOthersThanWereAskedForAreNoPage) {
    const std::string two = R"({"users":[{"id":"u1"},{"id":"u2"}],"pagination":{"page":2,"total_pages":4}})";
    EXPECT_TRUE(read_users(answered(200, two), 2, 2));
    EXPECT_EQ(read_users(answered(200, two), 2, 1).error().code, core::errc::waiting);
    EXPECT_EQ(read_users(answered(200, two), 1, 2).error().code, core::errc::waiting);
    EXPECT_EQ(read_users(answered(200, R"({"users":[{"id":"u1"},{"id":"u1"}]})"), 1, 2).error().code,
              core::errc::waiting);
}

TEST(Users, NamesAndPagesAreRead) {
    const auto page = read_users(answered(200, R"({"users":[
        {"id":"u1","email":"a@example.com","first_name":"Ada","last_name":"Lovelace"},
        {"id":"u2","email":null,"first_name":"Bo"}],"pagination":{"page":"1","total_pages":"4"}})"),
                                 1, 100);
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

TEST(UsageStats, MoreRoutesThanAnyApiHasAreNotUsable) {
    std::string body = "{";
    for (int i = 0; i <= 10'000; ++i)
        body += fmt::format(R"({}"r{}":0)", i ? "," : "", i);
    EXPECT_EQ(read_usage_stats(answered(200, body + "}")).error().code, core::errc::waiting);
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
    for (const char* years : {"9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"})
        EXPECT_EQ(parse_retry_after(years, now), std::chrono::hours(366 * 24)) << "the arithmetic holds";
    for (const char* bad : {"", "soon", "-5", "99999999999999999999", "1e3", "Sun, 06 Nov 1994", "60 s", "60.0"})
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
