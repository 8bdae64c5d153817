#include <gmock/gmock.h>

#include "unit/client/client_fixture.hpp"

namespace taskbarge::client {
namespace {

using namespace std::chrono_literals;
using namespace taskbarge::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Everything that does not depend on the layer below holds with TLS and without.
class Pool : public client_fixture, public ::testing::WithParamInterface<bool> {
 protected:
    scripted_server server_{GetParam() ? tls_server() : plain_server()};
    client_options options() const { return options_for(server_, GetParam() ? "https" : "http"); }
    void expect_no_answer(const exchange& x, const std::string& code) {
        EXPECT_EQ(x.reach, reach::no_answer);
        EXPECT_EQ(x.error_code, code) << x.error_text;
        EXPECT_THAT(x.error_text, Not(IsEmpty()));
        EXPECT_THAT(x.body, IsEmpty());
    }
};

INSTANTIATE_TEST_SUITE_P(Tls, Pool, ::testing::Bool(),
                         [](const auto& p) { return std::string(p.param ? "OverTls" : "OverPlainTcp"); });

TEST_P(Pool, RequestCarriesItsHeadersAndBody) {
    auto client = make(options());
    const exchange x = create(*client, R"({"note":"hi"})");
    EXPECT_EQ(x.reach, reach::answered);
    EXPECT_EQ(x.status, 200);
    const auto seen = server_.requests();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].method, "POST");
    EXPECT_EQ(seen[0].target, "/api/v1/tasks/bulk_create");
    EXPECT_EQ(seen[0].body, R"({"note":"hi"})");
    EXPECT_EQ(seen[0].header("x-api-key"), test_key);
    EXPECT_EQ(seen[0].header("content-type"), "application/json");
    EXPECT_EQ(seen[0].header("cache-control"), "no-cache");
    EXPECT_EQ(seen[0].header("accept"), "application/json");
    EXPECT_EQ(seen[0].header("accept-encoding"), "gzip");
    EXPECT_EQ(seen[0].header("user-agent"), "taskbarge");
    EXPECT_EQ(seen[0].header("host"), "127.0.0.1:" + std::to_string(server_.port()));
}

TEST_P(Pool, RoutesAndQueriesAreApollos) {
    auto client = make(options());
    run(client->search_tasks(3, 100, {{"contact_id", "a b&c"}}));
    run(client->search_users(1, 50));
    run(client->usage_stats());
    const auto seen = server_.requests();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].method + " " + seen[0].target,
              "POST /api/v1/tasks/search?sort_by_field=task_due_at&page=3&per_page=100&contact_id=a%20b%26c");
    EXPECT_EQ(seen[1].method + " " + seen[1].target, "GET /api/v1/users/search?page=1&per_page=50");
    EXPECT_EQ(seen[2].method + " " + seen[2].target, "POST /api/v1/usage_stats/api_usage_stats");
}

TEST_P(Pool, HeadersOfTheAnswerAreRead) {
    server_.script({answer_with(429, "{}",
                                {{"X-Rate-Limit-Minute", "200"},
                                 {"x-minute-usage", "7"},
                                 {"x-minute-requests-left", "193"},
                                 {"x-rate-limit-hourly", ""},
                                 {"x-rate-limit-24-hour", "many"},
                                 {"retry-after", "17"},
                                 {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"x-request-id", "abc-1"},
                                 {"content-type", "application/json"}})});
    auto client = make(options());
    const exchange x = create(*client);
    EXPECT_EQ(x.status, 429);
    EXPECT_EQ(x.rates.windows[0].limit, 200U);
    EXPECT_EQ(x.rates.windows[0].used, 7U);
    EXPECT_EQ(x.rates.windows[0].left, 193U);
    EXPECT_TRUE(x.rates.windows[1].present);
    EXPECT_TRUE(x.rates.windows[1].unlimited);
    EXPECT_FALSE(x.rates.windows[2].present);
    EXPECT_EQ(x.retry_after, "17");
    EXPECT_EQ(x.request_id, "abc-1");
    EXPECT_EQ(x.content_type, "application/json");
    EXPECT_EQ(x.server_date, core::parse_rfc3339("1994-11-06T08:49:37Z"));
    EXPECT_GT(x.bytes_sent, 100U);
    EXPECT_GT(x.bytes_received, 100U);
}

TEST_P(Pool, ConnectionIsKeptForTheNextRequest) {
    auto client = make(options());
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(server_.connections(), 1U);
}

TEST_P(Pool, NoMoreConnectionsThanAllowedAndAllRequestsAreServed) {
    auto o = options();
    o.connections = 2;
    auto client = make(std::move(o));
    std::vector<std::shared_ptr<pending_exchange>> all;
    for (int i = 0; i < 10; ++i)
        all.push_back(start(creating(*client, std::to_string(i))));
    finish();
    for (const auto& p : all)
        EXPECT_EQ(p->result.status, 200);
    EXPECT_EQ(server_.connections(), 2U);
    EXPECT_EQ(server_.requests().size(), 10U);
}

TEST_P(Pool, WhoWaitsIsServedInTheOrderOfAsking) {
    auto o = options();
    o.connections = 1;
    auto client = make(std::move(o));
    std::vector<std::shared_ptr<pending_exchange>> all;
    for (int i = 0; i < 6; ++i)
        all.push_back(start(creating(*client, std::to_string(i))));
    finish();
    std::string order;
    for (const auto& r : server_.requests())
        order += r.body;
    EXPECT_EQ(order, "012345");
}

TEST_P(Pool, ConnectionClosedWhileIdleIsNoticedBeforeWriting) {
    // Not by a reset: that may overtake the answer before it.
    for (const farewell how : {farewell::orderly, farewell::abrupt}) {
        const std::size_t before = server_.connections(), requests = server_.requests().size();
        auto reply = answer_with(200, "{}");
        reply.then = how;
        server_.script({reply});
        auto client = make(options());
        EXPECT_EQ(create(*client).status, 200);
        ASSERT_TRUE(server_.wait_for_closed(before + 1));
        EXPECT_EQ(create(*client).status, 200);
        EXPECT_EQ(server_.connections(), before + 2);
        EXPECT_EQ(server_.requests().size(), requests + 2);
    }
}

TEST_P(Pool, ServerThatSaysCloseIsNotAskedAgainOnThatConnection) {
    server_.script({answer_with(200, "{}", {{"Connection", "close"}, {"Content-Length", "2"}})});
    auto client = make(options());
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_P(Pool, ConnectionIsNotUsedBeyondTheTimeTheServerKeepsIt) {
    server_.script({answer_with(200, "{}", {{"Keep-Alive", "timeout=1, max=10"}})});
    auto client = make(options());
    create(*client);
    create(*client);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_P(Pool, OldConnectionsAreReplaced) {
    auto o = options();
    o.connection_age = 0ms;
    auto client = make(std::move(o));
    create(*client);
    create(*client);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_P(Pool, ConnectionsIdleForTooLongAreReplaced) {
    auto o = options();
    o.connection_idle = 0ms;
    auto client = make(std::move(o));
    create(*client);
    create(*client);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_P(Pool, CloseEndsIdleConnectionsAndThoseInUseAfterwards) {
    auto client = make(options());
    create(*client);
    client->close();
    EXPECT_TRUE(server_.wait_for_closed(1));
    auto p = start(creating(*client, "{}"));
    run_until([&] { return server_.requests().size() == 2; });
    client->close();
    finish();
    EXPECT_EQ(p->result.status, 200);
    EXPECT_TRUE(server_.wait_for_closed(2));
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(server_.connections(), 3U);
}

TEST_P(Pool, ConnectionLostBeforeAnAnswer) {
    for (const farewell how : {farewell::orderly, farewell::abrupt, farewell::reset}) {
        server_.script({drop(how)});
        auto client = make(options());
        expect_no_answer(create(*client), "connection_lost");
    }
}

TEST_P(Pool, RequestIsWrittenOnceEvenIfTheConnectionBreaks) {
    auto client = make(options());
    create(*client);
    server_.script({drop(farewell::abrupt)});
    expect_no_answer(create(*client), "connection_lost");
    EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_P(Pool, ServerThatNeverReadsTheRequestMayHaveReadIt) {
    server_.greet({greeting::close_after_handshake});
    auto client = make(options());
    const exchange x = create(*client);
    EXPECT_EQ(x.reach, reach::no_answer);
    EXPECT_THAT(x.error_code, ::testing::AnyOf("connection_lost", "write_failed"));
}

TEST_P(Pool, AnswerCutOffAtAnyByteIsNoAnswer) {
    const std::string wire = http_answer(200, R"({"success":true})");
    auto client = make(options());
    for (std::size_t cut = 1; cut < wire.size(); cut += 5) {
        server_.script({{wire, cut, cut % 2 == 0 ? farewell::orderly : farewell::abrupt}});
        expect_no_answer(create(*client), "answer_cut_off");
    }
}

TEST_P(Pool, AnswerShorterThanItsContentLengthIsCutOff) {
    server_.script({{http_answer(200, "{}", {{"Content-Length", "10"}}), std::nullopt, farewell::orderly}});
    auto client = make(options());
    expect_no_answer(create(*client), "answer_cut_off");
}

TEST_P(Pool, AnswerLongerThanItsContentLengthIsNotReadOn) {
    server_.script({answer_with(200, R"({"a":1}{"success":true})", {{"Content-Length", "7"}})});
    auto client = make(options());
    EXPECT_EQ(create(*client).body, R"({"a":1})");
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_P(Pool, AnswerWithoutLengthEndsWithTheConnection) {
    server_.script({{http_answer(200, "{\"a\":1}", {{"Connection", "close"}}), std::nullopt, farewell::orderly}});
    auto client = make(options());
    EXPECT_EQ(create(*client).body, "{\"a\":1}");
}

TEST_P(Pool, StalledAnswerEndsWithTheRequestTimeout) {
    server_.script({stall()});
    auto o = options();
    o.request_timeout = 30ms;
    auto client = make(std::move(o));
    const exchange x = create(*client);
    expect_no_answer(x, "request_timeout");
    EXPECT_EQ(server_.requests().size(), 1U);
    EXPECT_GE(x.took, 30ms);
}

TEST_P(Pool, AnswerStalledHalfWayEndsWithTheRequestTimeout) {
    server_.script({{http_answer(200, "{\"a\":1}"), 30, farewell::none}});
    auto o = options();
    o.request_timeout = 30ms;
    auto client = make(std::move(o));
    expect_no_answer(create(*client), "request_timeout");
}

TEST_P(Pool, TooLargeAnAnswerIsGivenUp) {
    server_.script({answer_with(200, std::string(5000, 'x')),
                    answer_with(200, chunked(std::string(5000, 'x'), 700), {{"Transfer-Encoding", "chunked"}}),
                    answer_with(200, "{}", {{"x-long", std::string(70000, 'x')}})});
    auto o = options();
    o.answer_limit = 4999;
    auto client = make(std::move(o));
    for (int i = 0; i < 3; ++i)
        expect_no_answer(create(*client), "answer_too_large");
}

TEST_P(Pool, AnswerOfExactlyTheLimitIsRead) {
    server_.script({answer_with(200, std::string(5000, 'x')),
                    answer_with(200, gzipped(std::string(5000, 'x')), {{"Content-Encoding", "gzip"}})});
    auto o = options();
    o.answer_limit = 5000;
    auto client = make(std::move(o));
    EXPECT_EQ(create(*client).body.size(), 5000U);
    EXPECT_EQ(create(*client).body.size(), 5000U);
}

TEST_P(Pool, GzipAnswersAreDecoded) {
    std::string text = R"({"success":true,"tasks":[)";
    for (int i = 0; i < 5000; ++i)
        text += std::to_string(i) + ",";
    server_.script({answer_with(200, gzipped(text), {{"Content-Encoding", "gzip"}}),
                    answer_with(200, chunked(gzipped(text), 100),
                                {{"Content-Encoding", "GZIP"}, {"Transfer-Encoding", "chunked"}})});
    auto client = make(options());
    EXPECT_EQ(run(client->usage_stats()).body, text);
    EXPECT_EQ(run(client->usage_stats()).body, text);
    EXPECT_EQ(server_.connections(), 1U);
}

TEST_P(Pool, GzipBombIsBounded) {
    server_.script({answer_with(200, gzipped(std::string(50U << 20U, 'x')), {{"Content-Encoding", "gzip"}})});
    auto o = options();
    o.answer_limit = 1U << 20U;
    auto client = make(std::move(o));
    expect_no_answer(create(*client), "answer_too_large");
}

TEST_P(Pool, AnswerThatCannotBeDecodedIsUnreadable) {
    const std::string zipped = gzipped("{\"success\":true}");
    server_.script({answer_with(200, zipped.substr(0, zipped.size() - 3), {{"Content-Encoding", "gzip"}}),
                    answer_with(200, zipped + "more", {{"Content-Encoding", "gzip"}}),
                    answer_with(200, "{}", {{"Content-Encoding", "gzip"}}),
                    answer_with(200, "{}", {{"Content-Encoding", "br"}})});
    auto client = make(options());
    for (int i = 0; i < 4; ++i)
        expect_no_answer(create(*client), "answer_unreadable");
}

TEST_P(Pool, WhatIsNoHttpIsUnreadable) {
    server_.greet({greeting::garbage_after_handshake});
    auto client = make(options());
    expect_no_answer(create(*client), "answer_unreadable");
}

TEST_P(Pool, InterimAnswersArePassedOver) {
    reply r = answer_with(200, "{\"a\":1}");
    r.wire = "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + r.wire;
    server_.script({r});
    auto client = make(options());
    const exchange x = create(*client);
    EXPECT_EQ(x.status, 200);
    EXPECT_EQ(x.body, "{\"a\":1}");
}

TEST_P(Pool, RedirectIsAnAnswerAndIsNotFollowed) {
    server_.script({answer_with(307, "", {{"Location", "http://127.0.0.1:1/elsewhere"}})});
    auto client = make(options());
    const creation made = create_tasks(*client, "{}", {});
    EXPECT_EQ(made.http.status, 307);
    EXPECT_EQ(made.answer.code, "no_route");
    EXPECT_THAT(made.answer.message, HasSubstr("Location http://127.0.0.1:1/elsewhere"));
    EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_P(Pool, HtmlWithStatus200IsDoubtful) {
    server_.script({answer_with(200, "<html><title>Maintenance</title></html>", {{"content-type", "text/html"}})});
    auto client = make(options());
    const create_answer a = create_tasks(*client, "{}", {}).answer;
    EXPECT_EQ(a.verdict, create_verdict::doubtful);
    EXPECT_THAT(a.message, HasSubstr("Maintenance"));
}

TEST_P(Pool, KeyThatTheServerRepeatsIsTakenOut) {
    server_.script({answer_with(401, std::string("no such key: ") + test_key + " " + test_key)});
    auto client = make(options());
    const exchange x = create(*client);
    EXPECT_EQ(x.body, "no such key: *** ***");
}

TEST_P(Pool, StopWhileWaitingForAConnectionSendsNothing) {
    auto o = options();
    o.connections = 1;
    auto client = make(std::move(o));
    auto first = start(creating(*client, "first"));
    auto second = start(creating(*client, "second"));
    auto third = start(creating(*client, "third"));
    boost::asio::post(io_, [&] { second->stop.emit(boost::asio::cancellation_type::terminal); });
    finish();
    EXPECT_EQ(first->result.status, 200);
    EXPECT_EQ(second->result.reach, reach::not_sent);
    EXPECT_EQ(second->result.error_code, "stopped");
    EXPECT_EQ(third->result.status, 200);
    EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_P(Pool, StopAfterWritingWaitsForTheAnswer) {
    auto client = make(options());
    auto p = start(creating(*client, "{}"));
    run_until([&] { return !server_.requests().empty(); });
    p->stop.emit(boost::asio::cancellation_type::terminal);
    finish();
    EXPECT_EQ(p->result.reach, reach::answered);
    EXPECT_EQ(p->result.status, 200);
}

TEST_P(Pool, StopAfterWritingOnAStalledServerWaitsForTheDeadline) {
    server_.script({stall()});
    auto o = options();
    o.request_timeout = 50ms;
    auto client = make(std::move(o));
    auto p = start(creating(*client, "{}"));
    run_until([&] { return !server_.requests().empty() || p->done; });
    p->stop.emit(boost::asio::cancellation_type::terminal);
    finish();
    expect_no_answer(p->result, "request_timeout");
}

TEST_P(Pool, StopLeavesAQuestionOffThatIsNotAnswered) {
    server_.script({stall(), stall(), stall()});
    auto client = make(options());
    for (int question = 0; question < 3; ++question) {
        auto p = start(question == 0   ? client->usage_stats()
                       : question == 1 ? client->search_users(1, 100)
                                       : client->search_tasks(1, 100, {}));
        run_until([&] { return server_.requests().size() == static_cast<std::size_t>(question) + 1 || p->done; });
        p->stop.emit(boost::asio::cancellation_type::terminal);
        finish();
        expect_no_answer(p->result, "stopped");
    }
    EXPECT_EQ(create(*client).status, 200) << "the place was given back, and the silent connections are not used again";
}

TEST_P(Pool, AnswerThatComesBeforeTheRequestIsWhollyReadCounts) {
    // Larger than the socket buffers: the server answers and closes while the client still writes.
    server_.greet({greeting::refuse_early});
    auto client = make(options());
    const exchange x = create(*client, std::string(16U << 20U, 'x'));
    if (x.reach == reach::answered) {
        EXPECT_EQ(x.status, 413);
    } else {
        EXPECT_EQ(x.error_code, "write_failed");
    }
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(server_.connections(), 2U);
}

}  // namespace
}  // namespace taskbarge::client
