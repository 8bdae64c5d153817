// The client against servers that lie: every exchange ends in time, in bounded memory, and with no more believed than
// was proven.
#include <gmock/gmock.h>

#include "support/lying_server.hpp"
#include "unit/client/client_fixture.hpp"

namespace taskbarge::client {
namespace {

using namespace std::chrono_literals;
using namespace taskbarge::testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Lies : public client_fixture, public ::testing::WithParamInterface<bool> {
 protected:
    static lying_options telling(lie what) {
        lying_options o;
        o.what = what;
        o.tls = GetParam();
        if (o.tls) o.identity = tls_server().identity;
        return o;
    }
    client_options options_for(const lying_server& server) const {
        client_options o;
        o.base_url =
            (GetParam() ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server.port()) + "/api/v1";
        o.ca_file = ca_file();
        o.key = core::secret(test_key);
        o.connect_timeout = 20s;
        o.request_timeout = 20s;
        return o;
    }
    static std::string contacts(int first) {
        return R"({"contact_ids":["c)" + std::to_string(first) + R"(","c)" + std::to_string(first + 1) + R"("]})";
    }
    creation creating_tasks(apollo_client& client, int first) { return create_tasks(client, contacts(first), {}); }
};

INSTANTIATE_TEST_SUITE_P(Tls, Lies, ::testing::Bool(),
                         [](const auto& p) { return std::string(p.param ? "OverTls" : "OverPlainTcp"); });

TEST_P(Lies, HonestAnswersShareAConnection) {
    lying_server server(telling(lie::none));
    auto client = make(options_for(server));
    const auto first = creating_tasks(*client, 1), second = creating_tasks(*client, 3);
    EXPECT_EQ(first.answer.verdict, create_verdict::created);
    EXPECT_EQ(second.answer.tasks.contact_ids[0], "c3");
    EXPECT_EQ(first.http.connection, 1U);
    EXPECT_EQ(second.http.connection, 1U);
    EXPECT_TRUE(first.http.body.empty()) << "nothing of a clear success is kept but its tasks";
    EXPECT_EQ(server.connections(), 1U);
}

TEST_P(Lies, ConnectionOfWhatIsNoClearSuccessIsNotUsedAgain) {
    scripted_server server(GetParam() ? tls_server() : plain_server());
    auto client = make(client_fixture::options_for(server, GetParam() ? "https" : "http"));
    const std::vector<reply> unclear{
        answer_with(400, "{}"),
        answer_with(422, "{}"),
        answer_with(429, "{}"),
        answer_with(500, "{}"),
        answer_with(302, ""),
        answer_with(200, "?"),
        answer_with(201, "{}"),
        answer_with(200, R"({"success":false})"),
        answer_with(200, R"({"success":true,"tasks":[{"id":"t","contact_id":"a"},{"id":"t","contact_id":"b"}]})"),
        answer_with(200, R"({"success":true,"tasks":[{"id":"t","contact_id":"a","type":"action_item"}]})")};
    std::uint64_t number = 0;
    for (const auto& r : unclear) {
        server.script({r});
        const auto made = create_tasks(*client, "{}", {});
        EXPECT_NE(made.answer.verdict, create_verdict::created) << r.wire;
        EXPECT_EQ(made.http.connection, ++number) << r.wire;
    }
    // A success leaves it open, also for a question; a page that is another does not.
    EXPECT_EQ(create_tasks(*client, "{}", {}).http.connection, ++number);
    server.script({answer_with(200, R"({"tasks":[],"pagination":{"total_entries":0,"total_pages":0}})"),
                   answer_with(200, R"({"tasks":[],"pagination":{"page":7,"total_entries":0,"total_pages":0}})")});
    EXPECT_EQ(run(client->search_tasks(1, 100, {})).connection, number);
    EXPECT_EQ(run(client->search_tasks(2, 100, {})).connection, number);
    EXPECT_EQ(run(client->usage_stats()).connection, number + 1);
    EXPECT_TRUE(server.wait_for_closed(number)) << server.connections();
}

TEST_P(Lies, ExchangeThatWasNotSentWasOnNoConnection) {
    scripted_server server(tls_server());
    server.greet({greeting::close_on_accept});
    auto client = make(client_fixture::options_for(server));
    EXPECT_EQ(create_tasks(*client, "{}", {}).http.connection, 0U);
}

TEST_P(Lies, OneIdForAllContactsIsNotBelieved) {
    lying_server server(telling(lie::one_id));
    auto client = make(options_for(server));
    EXPECT_EQ(creating_tasks(*client, 1).answer.code, "answer_not_ours");
}

TEST_P(Lies, ConnectionWithTheAnswerToAnotherRequestIsNotUsedAgain) {
    auto o = telling(lie::mixes_up);
    o.lies = 2;  // the first has no answer to give; the second gets that to the first
    lying_server server(o);
    auto client = make(options_for(server));
    EXPECT_EQ(creating_tasks(*client, 1).answer.code, "http_500");
    const auto second = creating_tasks(*client, 3);
    EXPECT_EQ(second.answer.tasks.contact_ids[0], "c1") << "told as it is, for the caller to weigh";
    const auto third = creating_tasks(*client, 5);
    EXPECT_EQ(third.answer.tasks.contact_ids[0], "c5");
    EXPECT_NE(third.http.connection, second.http.connection);
}

TEST_P(Lies, LateCopyOfASuccessSpoilsNoMoreThanOneRequest) {
    auto o = telling(lie::answers_twice);
    o.lies = 1;
    lying_server server(o);
    auto client = make(options_for(server));
    EXPECT_EQ(creating_tasks(*client, 1).answer.tasks.contact_ids[0], "c1");
    const auto second = creating_tasks(*client, 3);  // may come before the copy is noticed
    const auto third = creating_tasks(*client, 5);
    EXPECT_EQ(third.answer.tasks.contact_ids[0], "c5");
    if (second.answer.tasks.contact_ids[0] == "c1") {
        EXPECT_NE(third.http.connection, second.http.connection);
    }
}

TEST_P(Lies, LateCopyOfARefusalIsReadByNobody) {
    scripted_server server(GetParam() ? tls_server() : plain_server());
    auto twice = answer_with(422, R"({"error":"no"})");
    twice.wire += twice.wire;
    server.script({twice});
    auto client = make(client_fixture::options_for(server, GetParam() ? "https" : "http"));
    EXPECT_EQ(create_tasks(*client, "{}", {}).answer.code, "refused_422");
    EXPECT_EQ(create_tasks(*client, "{}", {}).answer.code, "created");
}

TEST_P(Lies, KeyThatIsEchoedIsInNoText) {
    lying_server server(telling(lie::echoes_head));
    auto client = make(options_for(server));
    std::vector<exchange> all;
    const auto made = creating_tasks(*client, 1);
    EXPECT_THAT(made.answer.message, HasSubstr("***"));
    EXPECT_THAT(made.answer.message, Not(HasSubstr(test_key)));
    all.push_back(made.http);
    all.push_back(run(client->search_tasks(1, 100, {})));
    all.push_back(run(client->search_users(1, 100)));
    all.push_back(run(client->usage_stats()));
    for (const auto& x : all) {
        EXPECT_EQ(x.request_id, "***");
        EXPECT_EQ(x.retry_after, "***");
        EXPECT_THAT(x.body, HasSubstr("***"));
        EXPECT_THAT(x.body + x.content_type + x.error_text, Not(HasSubstr(test_key)));
    }
}

TEST_P(Lies, KeyInAHeaderIsNotCutInTwo) {
    scripted_server server(GetParam() ? tls_server() : plain_server());
    server.script({answer_with(
        500, "",
        {{"X-Request-Id", std::string(290, 'x') + test_key}, {"Content-Type", std::string("text/") + test_key}})});
    auto client = make(client_fixture::options_for(server, GetParam() ? "https" : "http"));
    const auto x = create(*client);
    EXPECT_THAT(x.request_id, Not(HasSubstr("the-")));
    EXPECT_EQ(x.content_type, "text/***");
    server.script({answer_with(200, "{}", {{"Content-Encoding", test_key}})});
    EXPECT_THAT(create(*client).error_text, Not(HasSubstr(test_key)));
}

TEST_P(Lies, KeyInAPageThatIsReadIsTakenOut) {
    scripted_server server(GetParam() ? tls_server() : plain_server());
    server.script({answer_with(200, gzipped(R"({"users":[{"id":"the\u002dsecret-key","email":"the-secret-key@x"}]})"),
                               {{"Content-Encoding", "gzip"}})});
    auto client = make(client_fixture::options_for(server, GetParam() ? "https" : "http"));
    const auto users = read_users(run(client->search_users(1, 100)), 1, 100);
    ASSERT_TRUE(users);
    EXPECT_EQ(users->users.at(0).id, "***");
    EXPECT_EQ(users->users.at(0).email, "***@x");
}

// Chunks that come without a pause leave no moment in which a signal is heard; then there is silence, and no other
// signal would come.
TEST_P(Lies, TinyChunksThenSilenceEndWithTheDeadline) {
    for (int i = 0; i < 5; ++i) {
        auto o = telling(lie::tiny_chunks_then_silence);
        o.lasts = 300ms;
        o.amount = 512U << 20U;
        lying_server server(o);
        auto options = options_for(server);
        options.request_timeout = 100ms;
        auto client = make(std::move(options));
        const auto x = create(*client);
        EXPECT_EQ(x.error_code, "request_timeout") << x.error_text;
        EXPECT_LT(x.took, 10s);
    }
}

TEST_P(Lies, StopIsHeardAmongTinyChunks) {
    auto o = telling(lie::tiny_chunks_then_silence);
    o.lasts = 300ms;
    o.amount = 512U << 20U;
    lying_server server(o);
    auto client = make(options_for(server));
    auto p = start(client->usage_stats());
    run_until([&] { return server.bytes_sent() > 100'000; });
    p->stop.emit(boost::asio::cancellation_type::terminal);
    finish();
    EXPECT_EQ(p->result.error_code, "stopped") << p->result.error_text;
    EXPECT_LT(p->result.took, 10s);
}

TEST_P(Lies, WhatDoesNotEndBetweenTheBytesOfABodyIsGivenUp) {
    for (const lie what : {lie::endless_extension, lie::endless_trailers}) {
        lying_server server(telling(what));
        auto client = make(options_for(server));
        const auto x = create(*client);
        EXPECT_EQ(x.error_code, "answer_too_large") << x.error_text;
        EXPECT_THAT(x.error_text, HasSubstr("65536"));
        EXPECT_LT(x.bytes_received, 300'000U);
    }
    lying_server interim(telling(lie::endless_interim));
    auto client = make(options_for(interim));
    EXPECT_EQ(create(*client).error_code, "answer_unreadable");
}

TEST_P(Lies, EmptyGzipMembersEndAtOnce) {
    auto o = telling(lie::empty_members);
    o.amount = 4U << 20U;
    lying_server server(o);
    auto client = make(options_for(server));
    const auto x = create(*client);
    EXPECT_EQ(x.error_code, "answer_unreadable") << x.error_text;
    EXPECT_LT(x.took, 10s);
}

TEST_P(Lies, FewEmptyGzipMembersAreAllowed) {
    scripted_server server(GetParam() ? tls_server() : plain_server());
    std::string packed;
    for (int i = 0; i < 8; ++i)
        packed += gzipped("");
    server.script({answer_with(200, packed + gzipped("{") + gzipped("\"a\":1}"), {{"Content-Encoding", "gzip"}}),
                   answer_with(200, packed + gzipped("") + gzipped("{}"), {{"Content-Encoding", "gzip"}})});
    auto client = make(client_fixture::options_for(server, GetParam() ? "https" : "http"));
    EXPECT_EQ(create(*client).body, R"({"a":1})");
    EXPECT_EQ(create(*client).error_code, "answer_unreadable");
}

TEST_P(Lies, HugePageIsNotTakenApart) {
    auto o = telling(lie::huge_page);
    o.amount = 20'000;
    lying_server server(o);
    auto client = make(options_for(server));
    const auto x = run(client->search_tasks(1, 100, {}));
    const auto page = read_search(x, 1, 100);
    ASSERT_FALSE(page);
    EXPECT_THAT(page.error().text, HasSubstr("20000 tasks, 100 were asked for"));
}

TEST_P(Lies, LargeAnswersShareTheLimit) {
    // Each may have a MiB, and all together as much as one may have.
    auto o = telling(lie::huge_body);
    o.amount = 64U << 20U;
    lying_server server(o);
    auto options = options_for(server);
    options.answer_limit = 8U << 20U;
    auto client = make(std::move(options));
    std::vector<std::shared_ptr<pending_exchange>> all;
    for (int i = 0; i < 8; ++i)
        all.push_back(start(client->usage_stats()));
    finish();
    std::uint64_t received = 0;
    bool shared = false;
    for (const auto& p : all) {
        EXPECT_EQ(p->result.error_code, "answer_too_large") << p->result.error_text;
        shared = shared || p->result.error_text.find("together with others") != std::string::npos;
        received += p->result.bytes_received;
    }
    EXPECT_TRUE(shared);
    EXPECT_LT(received, 8U * (9U << 20U));
    // What they took is free again.
    scripted_server whole(GetParam() ? tls_server() : plain_server());
    auto large = client_fixture::options_for(whole, GetParam() ? "https" : "http");
    large.answer_limit = 8U << 20U;
    auto again = make(std::move(large));
    for (int i = 0; i < 3; ++i) {
        whole.script({answer_with(200, std::string(8U << 20U, ' '))});
        EXPECT_EQ(run(again->usage_stats()).body.size(), 8U << 20U);
        whole.script({answer_with(200, gzipped(std::string(8U << 20U, ' ')), {{"Content-Encoding", "gzip"}})});
        EXPECT_EQ(run(again->usage_stats()).body.size(), 8U << 20U);
    }
}

}  // namespace
}  // namespace taskbarge::client
