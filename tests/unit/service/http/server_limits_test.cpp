// What the server does not put up with.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "raw_client.hpp"
#include "running_server.hpp"
#include "service/http/server.hpp"

namespace {

namespace asio = boost::asio;
using namespace taskbarge::service::http;
using namespace std::chrono_literals;
using taskbarge::testing::gate;
using taskbarge::testing::quick_options;
using taskbarge::testing::raw_client;
using taskbarge::testing::received;
using taskbarge::testing::running_server;
using testing::HasSubstr;

constexpr auto plain_get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// Reads the body, then answers with its size or its problem.
asio::awaitable<void> counts(request& x) {
    std::size_t count = 0;
    for (;;) {
        auto piece = co_await x.read_some();
        if (!piece) {
            response a = x.body_problem();
            co_await x.reply(std::move(a));
            co_return;
        }
        if (piece->empty()) break;
        count += piece->size();
    }
    response a{200, "text/plain", std::to_string(count), {}};
    co_await x.reply(std::move(a));
}

// The answer to some bytes, after which the connection must end without a reset that could have lost it.
received last_answer(raw_client& client) {
    received r = client.read();
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
    EXPECT_FALSE(client.was_reset());
    return r;
}

int last_status(const running_server& server, std::string_view bytes) {
    raw_client client(server.port());
    client.send(bytes);
    const received r = last_answer(client);
    EXPECT_EQ(r.header("Connection"), "close") << bytes;
    EXPECT_EQ(r.header("Content-Type"), "application/problem+json") << bytes;
    EXPECT_NE(r.header("X-Request-Id"), "") << bytes;
    EXPECT_EQ(r.header("X-Content-Type-Options"), "nosniff") << bytes;
    return r.status;
}

TEST(ServerLimits, MalformedRequestsAre400AndTheConnectionEnds) {
    running_server server(counts);
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02\x05"), std::string("hello\r\n\r\n"), std::string("GET / HTTP/1.1\nHost: h\n\n"),
          std::string("GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n"),
          std::string("GET //x HTTP/1.1\r\nHost: h\r\n\r\n"), std::string("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"),
          std::string("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"), std::string("GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"),
          head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", head + "Content-Length: 1, 1\r\n\r\na",
          chunked + "zz\r\n\r\n\r\n", chunked + "1\r\nab\r\n0\r\n\r\n", chunked + "1\nab\r\n0\r\n\r\n",
          chunked + "1;a=\"\n\"\r\na\r\n0\r\n\r\n"}) {
        EXPECT_EQ(last_status(server, bytes), 400) << bytes;
    }
}

TEST(ServerLimits, WhatIsNotServedIsSaidToBeSo) {
    running_server server(counts);
    EXPECT_EQ(last_status(server, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"), 501);
    EXPECT_EQ(last_status(server, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
              501);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nHost: h\r\nExpect: a-pony\r\n\r\n"), 417);
}

TEST(ServerLimits, WhatWasRefusedIsNoted) {
    running_server server(counts);
    last_status(server, "GET /%2e%2e HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 400);
    EXPECT_EQ(notes[0].method, "GET");
    EXPECT_EQ(notes[0].path, "");
    EXPECT_NE(notes[0].id, "");
    EXPECT_THAT(notes[0].client, testing::StartsWith("127.0.0.1:"));
}

TEST(ServerLimits, HeadsAndBodiesAreLimited) {
    auto options = quick_options();
    options.header_limit = 1000;
    options.body_limit = 1000;
    running_server server(counts, options);
    EXPECT_EQ(last_status(server, "GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"), 431);
    EXPECT_EQ(last_status(server, "GET /" + std::string(2000, 'x') + " HTTP/1.1\r\n\r\n"), 414);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), 413);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"), 413);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n"), 413);
}

TEST(ServerLimits, HeadersThatDoNotEndAre408) {
    auto options = quick_options();
    options.header_timeout = 50ms;
    running_server server(counts, options);
    EXPECT_EQ(last_status(server, "GET / HTTP/1.1\r\nHost"), 408);
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 408);
    EXPECT_EQ(notes[0].path, "");
}

TEST(ServerLimits, HeadersThatDripInAre408HoweverOftenAByteComes) {
    auto options = quick_options();
    options.header_timeout = 200ms;
    options.idle_timeout = 60s;
    running_server server(counts, options);
    raw_client client(server.port());
    client.send("GET / HTTP/1.1\r\nX: ");
    int sent = 0;
    while (sent < 1000 && !client.readable(5) && client.send("x"))
        ++sent;
    EXPECT_EQ(last_answer(client).status, 408);
    EXPECT_LT(sent, 1000);
}

TEST(ServerLimits, AConnectionThatSaysNothingEndsWithoutAnAnswer) {
    auto options = quick_options();
    options.header_timeout = 50ms;
    running_server server(counts, options);
    raw_client client(server.port());
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
}

TEST(ServerLimits, AnIdleConnectionEndsWithoutAnAnswer) {
    auto options = quick_options();
    options.idle_timeout = 50ms;
    running_server server(counts, options);
    raw_client client(server.port());
    client.send(plain_get);
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(server.notes(1).size(), 1u);
}

TEST(ServerLimits, ABodyThatStopsIs408) {
    auto options = quick_options();
    options.piece_timeout = 50ms;
    running_server server(counts, options);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), 408);
    EXPECT_EQ(last_status(server, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1"), 408);
}

TEST(ServerLimits, ABodyBelowTheLeastRateIs408ThoughItsPiecesComeInTime) {
    auto options = quick_options();
    options.piece_timeout = 300ms;
    options.least_rate = 1'000'000;
    running_server server(counts, options);
    raw_client client(server.port());
    client.send("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    int sent = 0;
    while (sent < 2000 && !client.readable(5) && client.send("x"))
        ++sent;
    EXPECT_EQ(last_answer(client).status, 408);
    EXPECT_LT(sent, 2000);
}

TEST(ServerLimits, ASlowHandlerIsNotTheClientsFault) {
    auto options = quick_options();
    options.piece_timeout = 50ms;
    options.least_rate = 1'000'000'000;
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            // Longer than the client would be given for its whole body.
            asio::steady_timer busy(co_await asio::this_coro::executor, 200ms);
            co_await busy.async_wait(asio::use_awaitable);
            co_await counts(x);
        },
        options);
    raw_client client(server.port());
    client.send("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
    EXPECT_EQ(client.read().body, "100000");
}

TEST(ServerLimits, ABodyThatIsCutOffIs400OrNoAnswer) {
    running_server server(counts);
    EXPECT_EQ(
        [&] {
            raw_client client(server.port());
            client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
            client.end_sending();
            return client.read().status;
        }(),
        400);
    raw_client gone(server.port());
    gone.send("POST /gone HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    gone.close();
    const auto notes = server.notes(2);
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_EQ(notes[1].path, "/gone");
    EXPECT_EQ(notes[1].error, "");
}

TEST(ServerLimits, AClientThatLeavesWithinItsHeadersIsNotedWithoutAStatus) {
    running_server server(counts);
    raw_client client(server.port());
    client.send("GET / HT");
    client.close();
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 0);
    EXPECT_EQ(notes[0].method, "");
}

TEST(ServerLimits, MoreConnectionsThanTheLimitWaitUntilOneEnds) {
    auto options = quick_options();
    options.most_connections = 2;
    gate answering;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            co_await answering.pass();
            response a{200, "text/plain", "served", {}};
            co_await x.reply(std::move(a));
        },
        options);
    std::vector<raw_client> clients;
    for (int i = 0; i < 5; ++i)
        clients.emplace_back(server.port()).send(plain_get);
    // Two are let in and held; a round on the loop later nobody else has come.
    EXPECT_TRUE(server.wait_until([&] { return answering.waiting() == 2; }));
    EXPECT_EQ(server.connections(), 2u);
    EXPECT_FALSE(clients[4].readable(0));
    server.on_loop([&] { answering.open(); });
    // With all places taken no connection stays, so that the others get theirs.
    for (auto& c : clients) {
        EXPECT_EQ(c.read().body, "served");
        c.close();
    }
    EXPECT_EQ(server.notes(5).size(), 5u);
}

TEST(ServerLimits, AnIdleConnectionGivesItsPlaceToOneThatWaits) {
    auto options = quick_options();
    options.most_connections = 1;
    options.header_timeout = options.idle_timeout = 1h;
    running_server server(counts, options);
    raw_client silent(server.port()), waits(server.port());
    waits.send(plain_get);
    EXPECT_EQ(waits.read().status, 200);
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_TRUE(silent.ended());
}

TEST(ServerLimits, AHalfHeadGivesItsPlaceToOneThatWaitsAlthoughItGoesOn) {
    auto options = quick_options();
    options.most_connections = 1;
    options.header_timeout = options.idle_timeout = 1h;
    running_server server(counts, options);
    raw_client drips(server.port()), waits(server.port());
    drips.send("GET / HTTP/1.1\r\nX: ");
    waits.send(plain_get);
    for (int sent = 0; sent < 4000 && !waits.readable(5); ++sent)
        drips.send("x");
    EXPECT_EQ(waits.read().status, 200);
    EXPECT_EQ(server.notes(1).size(), 1u);  // of a half head there is nothing to tell
}

TEST(ServerLimits, ASlowBodyGivesItsPlaceToOneThatWaitsAlthoughItGoesOn) {
    auto options = quick_options();
    options.most_connections = 1;
    options.piece_timeout = 1h;
    running_server server(counts, options);
    raw_client drips(server.port()), waits(server.port());
    drips.send("POST /slow HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    waits.send(plain_get);
    for (int sent = 0; sent < 4000 && !waits.readable(5); ++sent)
        drips.send("x");
    EXPECT_EQ(waits.read().status, 200);
    const auto notes = server.notes(2);
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_EQ(notes[0].path, "/slow");
    EXPECT_EQ(notes[0].status, 0);
}

TEST(ServerLimits, AnAnswerThatIsNotTakenGivesItsPlaceToOneThatWaits) {
    auto options = quick_options();
    options.most_connections = 1;
    options.piece_timeout = 1h;
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            response a{200, "text/plain", std::string(x.head().path == "/large" ? 64UL << 20 : 1, 'x'), {}};
            co_await x.reply(std::move(a));
        },
        options);
    raw_client takes_nothing, waits;
    takes_nothing.take_little();
    takes_nothing.connect(server.port());
    takes_nothing.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    waits.connect(server.port());
    waits.send(plain_get);
    EXPECT_EQ(waits.read().body, "x");
}

TEST(ServerLimits, AnAnswerThatStreamsKeepsItsPlaceHoweverManyWait) {
    auto options = quick_options();
    options.most_connections = 2;
    gate more;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            if (x.head().path != "/stream") {
                response a{200, "text/plain", "served", {}};
                co_await x.reply(std::move(a));
                co_return;
            }
            co_await x.begin(200, "text/plain", {});
            co_await x.write("first");
            co_await more.pass();
            co_await x.write("last");
            co_await x.end();
        },
        options);
    raw_client stream(server.port());
    stream.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(server.wait_until([&] { return more.waiting() == 1; }));
    std::vector<raw_client> silent;
    for (int i = 0; i < 64; ++i)
        silent.emplace_back(server.port());
    raw_client waits(server.port());
    waits.send(plain_get);
    EXPECT_EQ(waits.read().body, "served");
    server.on_loop([&] { more.open(); });
    const auto r = stream.read();
    EXPECT_EQ(r.body, "firstlast");
    EXPECT_TRUE(r.whole);
}

// Lets the process open no descriptor for as long as it lives.
class no_more_descriptors {
 public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(lowest);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(lowest);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
    rlimit before_{};
};

TEST(ServerLimits, WithoutDescriptorsItWaitsSaysSoOnceAndGoesOn) {
    running_server server(counts);
    raw_client client;
    {
        const no_more_descriptors none;
        client.connect(server.port());
        client.send(plain_get);
        const auto notes = server.notes(1);
        ASSERT_EQ(notes.size(), 1u);
        EXPECT_THAT(notes[0].error, HasSubstr("no connection can be accepted: "));
        EXPECT_FALSE(client.readable(200));  // several tries
        EXPECT_EQ(server.notes(1).size(), 1u);
    }
    EXPECT_EQ(client.read().status, 200);
}

TEST(ServerOpen, TellsThatThePortIsTaken) {
    running_server server(counts);
    asio::io_context io;
    auto options = quick_options();
    options.listen = server.where();
    const auto second = server::open(io.get_executor(), options, counts, {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, taskbarge::core::errc::unreachable);
    EXPECT_THAT(second.error().text, HasSubstr(server.where()));
    EXPECT_THAT(second.error().text, HasSubstr("serve.listen"));
}

TEST(ServerOpen, RefusesWhatIsNoAddressWithPort) {
    asio::io_context io;
    for (const std::string listen :
         {"", "127.0.0.1", "8642", ":8642", "example.com:8642", "127.0.0.1:99999", "::1:80"}) {
        auto options = quick_options();
        options.listen = listen;
        const auto opened = server::open(io.get_executor(), options, counts, {});
        ASSERT_FALSE(opened) << listen;
        EXPECT_EQ(opened.error().code, taskbarge::core::errc::settings);
    }
}

TEST(ServerOpen, LocalhostIsTheLoopbackAddress) {
    auto options = quick_options();
    options.listen = "localhost:0";
    running_server server(counts, options);
    EXPECT_THAT(server.where(), testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
}

}  // namespace
