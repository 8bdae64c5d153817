#include "taskbarge/async/worker.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using taskbarge::async::worker;

// A value without a default constructor that can only be moved.
struct handle {
    explicit handle(int v) : value(std::make_unique<int>(v)) {}
    std::unique_ptr<int> value;
};

template <class Coroutine>
void run(asio::io_context& io, Coroutine& c) {
    std::exception_ptr error;
    bool done = false;
    asio::co_spawn(io, c(), [&](std::exception_ptr e) {
        error = e;
        done = true;
    });
    io.run();
    if (error) std::rethrow_exception(error);
    EXPECT_TRUE(done);
}

TEST(Worker, CallRunsOnItsThreadAndTheCallerResumesOnItsOwn) {
    asio::io_context io;
    worker w;
    auto body = [&]() -> asio::awaitable<void> {
        const auto mine = std::this_thread::get_id();
        const auto its = co_await w.run([] { return std::this_thread::get_id(); });
        EXPECT_NE(its, mine);
        EXPECT_EQ(std::this_thread::get_id(), mine);
    };
    run(io, body);
}

TEST(Worker, ValuesNeedNoDefaultConstructor) {
    asio::io_context io;
    worker w;
    auto body = [&]() -> asio::awaitable<void> {
        handle h = co_await w.run([] { return handle(3); });
        EXPECT_EQ(*h.value, 3);
    };
    run(io, body);
}

TEST(Worker, ExceptionOfACallReachesItsCaller) {
    asio::io_context io;
    worker w;
    auto body = [&]() -> asio::awaitable<void> { co_await w.run([] { throw std::runtime_error("bad"); }); };
    EXPECT_THROW(run(io, body), std::runtime_error);
}

TEST(Worker, CallsRunInTheOrderInWhichTheyCame) {
    asio::io_context io;
    worker w;
    std::vector<int> order;
    auto one = [&](int i) -> asio::awaitable<void> { co_await w.run([&order, i] { order.push_back(i); }); };
    for (int i = 0; i < 20; ++i)
        asio::co_spawn(io, one(i), [](std::exception_ptr e) { EXPECT_FALSE(e); });
    io.run();
    ASSERT_EQ(order.size(), 20U);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Worker, StopOfTheCallerDoesNotInterruptACall) {
    asio::io_context io;
    worker w;
    asio::cancellation_signal stop;
    std::promise<void> go;
    std::optional<int> got;
    auto body = [&]() -> asio::awaitable<void> {
        auto call = [f = go.get_future()] {
            f.wait();
            return 5;
        };
        got = co_await w.run(call);
    };
    asio::co_spawn(io, body(), asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    asio::post(io, [&] {
        stop.emit(asio::cancellation_type::terminal);
        go.set_value();
    });
    io.run();
    EXPECT_EQ(got, 5);
}

TEST(Worker, DestructorRunsWhatIsQueued) {
    asio::io_context io;
    int calls = 0;
    {
        worker w;
        auto one = [&]() -> asio::awaitable<void> { co_await w.run([&calls] { ++calls; }); };
        for (int i = 0; i < 10; ++i)
            asio::co_spawn(io, one(), [](std::exception_ptr) {});
        io.poll();
    }
    EXPECT_EQ(calls, 10);
}

}  // namespace
