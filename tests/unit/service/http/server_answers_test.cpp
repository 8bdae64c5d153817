// What a client gets that keeps to the rules, and what becomes of handlers that do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "raw_client.hpp"
#include "running_server.hpp"
#include "service/http/server.hpp"

namespace {

namespace asio = boost::asio;
using namespace taskbarge::service::http;
using namespace std::chrono_literals;
using taskbarge::testing::body_of;
using taskbarge::testing::gate;
using taskbarge::testing::quick_options;
using taskbarge::testing::raw_client;
using taskbarge::testing::received;
using taskbarge::testing::running_server;
using testing::HasSubstr;

std::string get(std::string_view target, std::string_view headers = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

std::string post(std::string_view body, std::string_view headers = "") {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
}

response text(std::string body) {
    return {200, "text/plain", std::move(body), {}};
}

// Answers with the request's path.
asio::awaitable<void> says_path(request& x) {
    response a = text(x.head().path);
    co_await x.reply(std::move(a));
}

// Answers with the body, or with what went wrong with it.
asio::awaitable<void> echoes(request& x) {
    std::string body;
    for (;;) {
        auto piece = co_await x.read_some();
        if (!piece) {
            response a = x.body_problem();
            co_await x.reply(std::move(a));
            co_return;
        }
        if (piece->empty()) break;
        body += *piece;
    }
    response a = text(std::move(body));
    co_await x.reply(std::move(a));
}

TEST(ServerAnswers, AGetWithItsHeadersAndNotesIt) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send(get("/caf%C3%A9"));
    const received r = client.read();
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.body, "/caf\xC3\xA9");
    EXPECT_EQ(r.header("Content-Type"), "text/plain");
    EXPECT_EQ(r.header("X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(r.header("Date"), testing::MatchesRegex("[A-Z][a-z]+, [0-9]+ [A-Z][a-z]+ [0-9]+ [0-9:]+ GMT"));
    EXPECT_EQ(r.header("Server"), "");
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].method, "GET");
    EXPECT_EQ(notes[0].path, "/caf\xC3\xA9");
    EXPECT_EQ(notes[0].status, 200);
    EXPECT_EQ(notes[0].bytes_in, get("/caf%C3%A9").size());
    EXPECT_GT(notes[0].bytes_out, r.body.size());
    EXPECT_EQ(notes[0].id, r.header("X-Request-Id"));
    EXPECT_THAT(notes[0].client, testing::StartsWith("127.0.0.1:"));
    EXPECT_EQ(notes[0].error, "");
}

TEST(ServerAnswers, OneConnectionServesManyRequestsEachWithItsOwnId) {
    running_server server(echoes);
    raw_client client(server.port());
    std::string last;
    for (int i = 0; i < 5; ++i) {
        client.send(post("body " + std::to_string(i)));
        const received r = client.read();
        EXPECT_EQ(r.body, "body " + std::to_string(i));
        EXPECT_EQ(r.header("Connection"), "keep-alive");
        EXPECT_NE(r.header("X-Request-Id"), last);
        last = r.header("X-Request-Id");
    }
    EXPECT_EQ(server.connections(), 1u);
}

TEST(ServerAnswers, PipelinedRequestsAreAnsweredInOrder) {
    running_server server(echoes);
    raw_client client(server.port());
    std::string all;
    for (int i = 0; i < 20; ++i)
        all += post(std::string(static_cast<std::size_t>(i), 'x')) + get("/");
    client.send(all);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(client.read().body, std::string(static_cast<std::size_t>(i), 'x'));
        EXPECT_EQ(client.read().body, "");
    }
}

TEST(ServerAnswers, HeadHasTheHeadersOfGetAndNoBody) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send("HEAD /four HTTP/1.1\r\nHost: h\r\n\r\n" + get("/five5"));
    const received r = client.read(body_of::head);
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.header("Content-Length"), "5");
    EXPECT_EQ(client.read().body, "/five5");
}

TEST(ServerAnswers, AStreamAskedForWithHeadEndsAtOnceAndTheConnectionStays) {
    running_server server([](request& x) -> asio::awaitable<void> {
        co_await x.begin(200, "text/plain", {});
        int written = 0;
        for (int i = 0; i < 3; ++i) {
            const bool taken = co_await x.write("piece ");
            written += taken ? 1 : 0;
        }
        co_await x.end();
        EXPECT_EQ(written, x.head().method == "HEAD" ? 0 : 3);
    });
    raw_client client(server.port());
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + get("/"));
    EXPECT_EQ(client.read(body_of::head).header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(client.read().body, "piece piece piece ");
}

TEST(ServerAnswers, Http10IsServedAndEndsUnlessItAsksToStay) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read().header("Connection"), "keep-alive");
    const received last = client.read();
    EXPECT_EQ(last.body, "/b");
    EXPECT_EQ(last.header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
}

TEST(ServerAnswers, ConnectionCloseIsObeyedAndRequestsBehindItAreNotServed) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send(get("/a", "Connection: close\r\n") + get("/b"));
    EXPECT_EQ(client.read().header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_FALSE(client.was_reset());
    EXPECT_EQ(server.notes(1).size(), 1u);
}

TEST(ServerAnswers, BodiesOfEitherFramingAreRead) {
    running_server server(echoes);
    raw_client client(server.port());
    const std::string large(3'000'000, 'x');
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(client.read().body, "abcde");
    client.send(post(large));
    EXPECT_EQ(client.read().body, large);
    client.send(post(""));
    EXPECT_EQ(client.read().body, "");
}

TEST(ServerAnswers, ABodyIsReadAsAWholeUpToItsLimit) {
    running_server server([](request& x) -> asio::awaitable<void> {
        auto body = co_await x.read_all(5);
        response a = body ? text(*body) : x.body_problem();
        co_await x.reply(std::move(a));
    });
    raw_client client(server.port());
    client.send(post("12345"));
    EXPECT_EQ(client.read().body, "12345");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
    const received r = client.read();
    EXPECT_EQ(r.status, 413);
    EXPECT_THAT(r.body, HasSubstr("body-too-large"));
    raw_client other(server.port());
    other.send(post("123456"));
    EXPECT_EQ(other.read().status, 413);
}

TEST(ServerAnswers, ABodyIsNotTakenFasterThanItsHandlerReads) {
    gate reading;
    running_server server([&](request& x) -> asio::awaitable<void> {
        co_await reading.pass();
        std::size_t count = 0;
        for (;;) {
            auto piece = co_await x.read_some();
            if (!piece || piece->empty()) break;
            EXPECT_LE(piece->size(), 200u * 1024);
            count += piece->size();
        }
        response a = text(std::to_string(count));
        co_await x.reply(std::move(a));
    });
    raw_client client(server.port());
    const std::string bytes = post(std::string(64 << 20, 'x'));
    const std::size_t sent = client.send_until_blocked(bytes);
    EXPECT_LT(sent, bytes.size()) << "the server, or the kernel, holds 64 MiB that nobody has read";
    server.on_loop([&] { reading.open(); });
    client.send(std::string_view(bytes).substr(sent));
    EXPECT_EQ(client.read().body, std::to_string(64 << 20));
}

TEST(ServerAnswers, ContinueIsSaidWhenTheBodyIsAskedFor) {
    running_server server(echoes);
    raw_client client(server.port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read().status, 100);
    client.send("abc" + post("de", "Expect: 100-continue\r\n"));
    EXPECT_EQ(client.read().body, "abc");
    // The second body was there already.
    const received second = client.read();
    EXPECT_EQ(second.status, 200);
    EXPECT_EQ(second.body, "de");
}

TEST(ServerAnswers, ABodyThatIsNotWantedIsNotAskedFor) {
    running_server server([](request& x) -> asio::awaitable<void> {
        response a = problem(401, "unauthorized", "A token is needed", "No.");
        co_await x.reply(std::move(a));
    });
    raw_client client(server.port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    const received r = client.read();
    EXPECT_EQ(r.status, 401);
    EXPECT_EQ(r.header("Connection"), "close");
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
}

TEST(ServerAnswers, AnAnswerBeforeTheBodyReachesAClientThatGoesOnSending) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    client.send(std::string(500'000, 'x'));
    const received r = client.read();
    EXPECT_EQ(r.body, "/early");
    EXPECT_EQ(r.header("Connection"), "close");
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_FALSE(client.was_reset());
}

TEST(ServerAnswers, AStreamIsChunkedAndEmptyPiecesDoNotEndIt) {
    running_server server([](request& x) -> asio::awaitable<void> {
        const header_list headers{{"X-Kind", "stream"}};
        co_await x.begin(200, "text/event-stream", headers);
        const std::string large(200'000, 'y');
        const bool first = co_await x.write("one ");
        const bool empty = co_await x.write("");
        const bool last = co_await x.write(large);
        co_await x.end();
        const bool late = co_await x.write("after the end");
        EXPECT_TRUE(first && empty && last && !late);
    });
    raw_client client(server.port());
    client.send(get("/") + get("/"));
    for (int i = 0; i < 2; ++i) {
        const received r = client.read();
        EXPECT_TRUE(r.whole);
        EXPECT_EQ(r.header("X-Kind"), "stream");
        EXPECT_EQ(r.header("Content-Type"), "text/event-stream");
        EXPECT_EQ(r.body, "one " + std::string(200'000, 'y'));
    }
}

TEST(ServerAnswers, ForHttp10AStreamEndsWithTheConnection) {
    running_server server([](request& x) -> asio::awaitable<void> {
        co_await x.begin(200, "text/plain", {});
        co_await x.write("one ");
        co_await x.write("two");
        co_await x.end();
    });
    raw_client client(server.port());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const received r = client.read();
    EXPECT_EQ(r.header("Transfer-Encoding"), "");
    EXPECT_EQ(r.header("Connection"), "close");
    EXPECT_EQ(r.body, "one two");
    EXPECT_TRUE(r.whole);
}

TEST(ServerAnswers, AStreamThatIsNotEndedIsCutSoThatTheClientNotices) {
    running_server server([](request& x) -> asio::awaitable<void> {
        co_await x.begin(200, "text/plain", {});
        co_await x.write("one");
    });
    raw_client client(server.port());
    client.send(get("/"));
    EXPECT_FALSE(client.read().whole);
    raw_client old(server.port());
    old.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(old.read().whole);
    EXPECT_TRUE(old.was_reset());
}

TEST(ServerAnswers, AHandlerThatThrowsGives500AndIsNoted) {
    running_server server([](request&) -> asio::awaitable<void> {
        throw std::runtime_error("what went wrong");
        co_return;
    });
    raw_client client(server.port());
    client.send(get("/") + get("/"));
    const received r = client.read();
    EXPECT_EQ(r.status, 500);
    EXPECT_EQ(r.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(r.header("Connection"), "close");
    EXPECT_THAT(r.body, HasSubstr(r.header("X-Request-Id")));
    EXPECT_THAT(r.body, testing::Not(HasSubstr("what went wrong")));
    EXPECT_EQ(client.read_to_end(), "");
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 500);
    EXPECT_EQ(notes[0].error, "what went wrong");
}

TEST(ServerAnswers, AHandlerThatThrowsWithinAStreamCutsIt) {
    running_server server([](request& x) -> asio::awaitable<void> {
        co_await x.begin(200, "text/plain", {});
        co_await x.write("one");
        throw 17;
    });
    raw_client client(server.port());
    client.send(get("/"));
    EXPECT_FALSE(client.read().whole);
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 200);
    EXPECT_EQ(notes[0].error, "something that is no std::exception");
}

TEST(ServerAnswers, AHandlerThatThrowsAfterItsAnswerIsNotedAndTheConnectionEnds) {
    running_server server([](request& x) -> asio::awaitable<void> {
        response a = text("fine");
        co_await x.reply(std::move(a));
        throw std::runtime_error("late");
    });
    raw_client client(server.port());
    client.send(get("/") + get("/"));
    EXPECT_EQ(client.read().body, "fine");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.notes(1).at(0).error, "late");
}

TEST(ServerAnswers, AHandlerThatGivesNoAnswerOrTwoOrABadOneIsABugOfIts) {
    running_server server([](request& x) -> asio::awaitable<void> {
        response a = text("fine");
        if (x.head().path == "/none") co_return;
        if (x.head().path == "/bad") a.headers.emplace_back("X-Bad", "a\r\nSet-Cookie: b");
        co_await x.reply(a);
        if (x.head().path == "/twice") co_await x.reply(a);
    });
    raw_client none(server.port()), bad(server.port()), twice(server.port());
    none.send(get("/none"));
    EXPECT_EQ(none.read().status, 500);
    bad.send(get("/bad"));
    const received r = bad.read();
    EXPECT_EQ(r.status, 500);
    EXPECT_EQ(r.header("Set-Cookie"), "");
    twice.send(get("/twice"));
    EXPECT_EQ(twice.read().body, "fine");
    const auto notes = server.notes(3);
    ASSERT_EQ(notes.size(), 3u);
    EXPECT_EQ(notes[0].error, "the handler gave no answer");
    EXPECT_THAT(notes[1].error, HasSubstr("X-Bad"));
    EXPECT_EQ(notes[2].error, "a request was answered twice");
}

TEST(ServerAnswers, AnOldClientThatEndsItsSideStillGetsItsAnswer) {
    running_server server(says_path);
    raw_client client(server.port());
    client.send(get("/half"));
    client.end_sending();
    EXPECT_EQ(client.read().body, "/half");
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(ServerAnswers, WriteTellsThatTheClientLeftWhileNothingWasWritten) {
    gate writing;
    std::vector<bool> told;
    running_server server([&](request& x) -> asio::awaitable<void> {
        co_await x.begin(200, "text/event-stream", {});
        const bool before = co_await x.write("hello");
        told.push_back(before);
        co_await writing.pass();
        const bool after = co_await x.write("anybody there?");
        told.push_back(after);
    });
    {
        raw_client client(server.port());
        client.send(get("/"));
        while (client.read_some().find("hello") == std::string::npos) {
        }
    }
    server.on_loop([&] { writing.open(); });
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].error, "");
    server.on_loop([&] { EXPECT_THAT(told, testing::ElementsAre(true, false)); });
}

TEST(ServerAnswers, WriteIsCutWhenTheClientTakesNothing) {
    auto options = quick_options();
    options.piece_timeout = 100ms;
    std::size_t written = 0;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            co_await x.begin(200, "text/plain", {});
            const std::string piece(100'000, 'x');
            bool taken = true;
            while (taken) {
                taken = co_await x.write(piece);
                ++written;
            }
        },
        options);
    raw_client client;
    client.take_little();
    client.connect(server.port());
    client.send(get("/"));
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 200);
    EXPECT_FALSE(client.read().whole);
    server.on_loop([&] { EXPECT_LT(written, 1000u); });
}

TEST(ServerAnswers, ALargeAnswerToAClientThatTakesNothingIsCut) {
    auto options = quick_options();
    options.piece_timeout = 100ms;
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            response a = text(std::string(64 << 20, 'x'));
            co_await x.reply(std::move(a));
        },
        options);
    raw_client client;
    client.take_little();
    client.connect(server.port());
    client.send(get("/"));
    ASSERT_EQ(server.notes(1).size(), 1u);
    EXPECT_FALSE(client.read().whole);
}

TEST(ServerAnswers, TwoHundredClientsAtOnce) {
    constexpr std::size_t count = 200;
    gate all_here;
    running_server server([&](request& x) -> asio::awaitable<void> {
        auto body = co_await x.read_all(100);
        if (all_here.waiting() + 1 == count) all_here.open();
        co_await all_here.pass();
        response a = text(*body);
        co_await x.reply(std::move(a));
    });
    std::vector<raw_client> clients;
    for (std::size_t i = 0; i < count; ++i)
        clients.emplace_back(server.port()).send(post("client " + std::to_string(i)));
    for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(clients[i].read().body, "client " + std::to_string(i));
    EXPECT_EQ(server.connections(), count);
    clients.clear();
    EXPECT_EQ(server.notes(count).size(), count);
}

}  // namespace
