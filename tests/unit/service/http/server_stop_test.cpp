// How it ends: idle connections at once, requests under way with a grace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

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

constexpr auto plain_get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

asio::awaitable<void> greets(request& x) {
    response a{200, "text/plain", "hello", {}};
    co_await x.reply(std::move(a));
}

server_options with_grace(std::chrono::milliseconds grace) {
    auto options = quick_options();
    options.stop_grace = grace;
    return options;
}

TEST(ServerStop, IdleConnectionsEndAndNobodyElseIsLetIn) {
    running_server server(greets, with_grace(1h));
    raw_client used(server.port()), fresh(server.port());
    used.send(plain_get);
    EXPECT_EQ(used.read().body, "hello");
    server.ask_to_stop();
    EXPECT_TRUE(server.wait_for_end());
    EXPECT_EQ(used.read_to_end(), "");
    EXPECT_TRUE(used.ended());
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_TRUE(fresh.ended());
    EXPECT_FALSE(raw_client().try_connect(server.port()));
}

TEST(ServerStop, ARequestUnderWayIsAnsweredAndItsConnectionEnds) {
    gate answering;
    bool said_so = false;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            co_await answering.pass();
            said_so = x.stopping();
            co_await greets(x);
        },
        with_grace(1h));
    raw_client client(server.port());
    client.send(plain_get);
    ASSERT_TRUE(server.wait_until([&] { return answering.waiting() == 1; }));
    server.ask_to_stop();
    server.on_loop([&] { answering.open(); });
    const received r = client.read();
    EXPECT_EQ(r.body, "hello");
    EXPECT_EQ(r.header("Connection"), "close");
    client.close();
    EXPECT_TRUE(server.wait_for_end());
    EXPECT_TRUE(said_so);
}

TEST(ServerStop, ARequestWhoseHeadersAreComingIsServed) {
    running_server server(greets, with_grace(1h));
    raw_client client(server.port());
    client.send(plain_get);
    EXPECT_EQ(client.read().status, 200);
    client.send("GET / HTTP/1.1\r\nHo");
    // A second connection's answer tells that the first one's bytes were seen, too.
    raw_client other(server.port());
    other.send(plain_get);
    EXPECT_EQ(other.read().status, 200);
    server.ask_to_stop();
    client.send("st: h\r\n\r\n");
    EXPECT_EQ(client.read().body, "hello");
    client.close();
    other.close();
    EXPECT_TRUE(server.wait_for_end());
}

TEST(ServerStop, PastTheGraceARequestIsCutAndItsHandlerUnwinds) {
    gate never;
    bool unwound = false;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            struct on_exit {
                bool& flag;
                ~on_exit() { flag = true; }
            } const mark{unwound};
            co_await never.pass();
            co_await greets(x);
        },
        with_grace(50ms));
    raw_client client(server.port());
    client.send(plain_get);
    ASSERT_TRUE(server.wait_until([&] { return never.waiting() == 1; }));
    server.ask_to_stop();
    EXPECT_TRUE(server.wait_for_end());
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(unwound);
    const auto notes = server.notes(1);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].status, 0);
    EXPECT_EQ(notes[0].error, "");
}

TEST(ServerStop, AStreamThatMindsTheStopEndsProperly) {
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            co_await x.begin(200, "text/event-stream", {});
            asio::steady_timer tick(co_await asio::this_coro::executor);
            bool taken = true;
            while (!x.stopping() && taken) {
                taken = co_await x.write("tick\n");
                tick.expires_after(1ms);
                co_await tick.async_wait(asio::use_awaitable);
            }
            co_await x.write("bye");
            co_await x.end();
        },
        with_grace(1h));
    raw_client client(server.port());
    client.send(plain_get);
    ASSERT_TRUE(client.readable(10'000));
    server.ask_to_stop();
    const received r = client.read();
    EXPECT_TRUE(r.whole);
    EXPECT_TRUE(r.body.ends_with("bye"));
    client.close();
    EXPECT_TRUE(server.wait_for_end());
}

TEST(ServerStop, AStreamThatGoesOnIsCutPastTheGrace) {
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            co_await x.begin(200, "text/event-stream", {});
            asio::steady_timer tick(co_await asio::this_coro::executor);
            bool taken = true;
            while (taken) {
                taken = co_await x.write("tick\n");
                tick.expires_after(1ms);
                co_await tick.async_wait(asio::use_awaitable);
            }
        },
        with_grace(50ms));
    raw_client client(server.port());
    client.send(plain_get);
    ASSERT_TRUE(client.readable(10'000));
    server.ask_to_stop();
    EXPECT_FALSE(client.read().whole);
    EXPECT_TRUE(server.wait_for_end());
    EXPECT_EQ(server.notes(1).at(0).error, "");
}

TEST(ServerStop, AClientThatTakesNothingDoesNotHoldTheStop) {
    running_server server(
        [](request& x) -> asio::awaitable<void> {
            co_await x.begin(200, "text/plain", {});
            const std::string piece(100'000, 'x');
            bool taken = true;
            while (taken)
                taken = co_await x.write(piece);
        },
        with_grace(50ms));
    raw_client client;
    client.take_little();
    client.connect(server.port());
    client.send(plain_get);
    ASSERT_TRUE(client.readable(10'000));
    server.ask_to_stop();
    EXPECT_TRUE(server.wait_for_end());
}

TEST(ServerStop, ABodyThatDoesNotComeDoesNotHoldTheStop) {
    bool reading = false;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            reading = true;
            auto piece = co_await x.read_some();
            response a = piece ? response{} : x.body_problem();
            co_await x.reply(std::move(a));
        },
        with_grace(50ms));
    raw_client client(server.port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    ASSERT_TRUE(server.wait_until([&] { return reading; }));
    server.ask_to_stop();
    EXPECT_TRUE(server.wait_for_end());
}

TEST(ServerStop, CancellingRunCutsEverythingAtOnce) {
    gate never;
    running_server server(
        [&](request& x) -> asio::awaitable<void> {
            co_await never.pass();
            co_await greets(x);
        },
        with_grace(1h));
    raw_client client(server.port()), idle(server.port());
    client.send(plain_get);
    ASSERT_TRUE(server.wait_until([&] { return never.waiting() == 1; }));
    server.cancel();
    EXPECT_TRUE(server.wait_for_end());
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.connections(), 0u);
}

TEST(ServerStop, StoppingWhenFullOrTwiceIsFine) {
    auto options = with_grace(50ms);
    options.most_connections = 1;
    running_server server(greets, options);
    raw_client first(server.port()), second(server.port());
    first.send("GET / HT");
    second.send("GET / HT");
    server.ask_to_stop();
    server.ask_to_stop();
    EXPECT_TRUE(server.wait_for_end());
}

TEST(ServerStop, ANoteThatThrowsIsABugThatEndsTheServer) {
    asio::io_context io(1);
    auto throwing = [](const served&) { throw std::runtime_error("the log is broken"); };
    auto opened = server::open(io.get_executor(), quick_options(), greets, throwing).value();
    std::exception_ptr error;
    auto done = [&](std::exception_ptr e) { error = std::move(e); };
    asio::co_spawn(io, opened->run(), done);
    const std::string where = opened->where();
    raw_client client(static_cast<std::uint16_t>(std::stoul(where.substr(where.rfind(':') + 1))));
    client.send(plain_get);
    io.run();
    ASSERT_TRUE(error);
    EXPECT_THROW(std::rethrow_exception(error), std::runtime_error);
}

}  // namespace
