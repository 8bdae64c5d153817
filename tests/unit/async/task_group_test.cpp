#include "taskbarge/async/task_group.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <stdexcept>

#include "taskbarge/async/deadline.hpp"

namespace {

namespace asio = boost::asio;
using taskbarge::async::task_group;

asio::awaitable<void> until_stopped(int& ended) {
    asio::steady_timer t(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    boost::system::error_code ec;
    co_await t.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    ++ended;
}

asio::awaitable<void> until_stopped_throwing() {
    asio::steady_timer t(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await t.async_wait(asio::use_awaitable);
}

asio::awaitable<void> throws() {
    throw std::runtime_error("bad");
    co_return;
}

// Waits for the group on the loop; nothing while it has not ended.
class waiter {
 public:
    waiter(asio::io_context& io, task_group& group) {
        asio::co_spawn(io, group.wait(), asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr e) {
                           done = true;
                           error = e;
                       }));
    }
    asio::cancellation_signal stop;
    bool done = false;
    std::exception_ptr error;
};

TEST(TaskGroup, WaitOfAnEmptyGroupReturnsAtOnce) {
    asio::io_context io;
    task_group group(io.get_executor());
    waiter w(io, group);
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_FALSE(w.error);
}

TEST(TaskGroup, StopEndsEveryChildAndWaitReturnsAfterTheLast) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        group.spawn(until_stopped(ended));
    group.spawn(until_stopped_throwing());
    waiter w(io, group);
    io.poll();
    EXPECT_FALSE(w.done);
    EXPECT_EQ(group.running(), 4U);
    asio::post(io, [&] { group.stop(); });
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_FALSE(w.error);
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroup, ExceptionOfAChildStopsTheOthersAndIsRethrownByWait) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    group.spawn(until_stopped(ended));
    group.spawn(throws());
    waiter w(io, group);
    io.run();
    ASSERT_TRUE(w.error);
    EXPECT_THROW(std::rethrow_exception(w.error), std::runtime_error);
    EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, NothingIsStartedAfterAStop) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    asio::post(io, [&] {
        group.stop();
        group.spawn(until_stopped(ended));
        EXPECT_EQ(group.running(), 0U);
    });
    waiter w(io, group);
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_EQ(ended, 0);
}

TEST(TaskGroup, ChildMayStopItsOwnGroupBeforeItsFirstWait) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    auto stopper = [](task_group& g) -> asio::awaitable<void> {
        g.stop();
        co_return;
    };
    group.spawn(until_stopped(ended));
    group.spawn(stopper(group));
    waiter w(io, group);
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_FALSE(w.error);
    EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, ChildrenSpawnedWhileWaitingAreWaitedFor) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    auto parent = [](task_group& g, int& n) -> asio::awaitable<void> {
        g.spawn(until_stopped(n));
        co_return;
    };
    group.spawn(parent(group, ended));
    waiter w(io, group);
    io.poll();
    EXPECT_FALSE(w.done);
    EXPECT_EQ(group.running(), 1U);
    asio::post(io, [&] { group.stop(); });
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, StopOfTheWaiterStopsTheGroupAndIsWaitedFor) {
    asio::io_context io;
    task_group group(io.get_executor());
    int ended = 0;
    group.spawn(until_stopped(ended));
    waiter w(io, group);
    asio::post(io, [&] { w.stop.emit(asio::cancellation_type::terminal); });
    io.run();
    EXPECT_TRUE(w.done);
    EXPECT_FALSE(w.error);
    EXPECT_EQ(ended, 1);
}

TEST(TaskGroup, ChildrenMayOutliveAGroupThatWasNotWaitedFor) {
    asio::io_context io;
    int ended = 0;
    asio::post(io, [&] {
        task_group group(io.get_executor());
        group.spawn(until_stopped(ended));
    });
    io.run();
    EXPECT_EQ(ended, 1);
}

// Waits for a moment where nothing is heard, as between two reads, then for ever.
asio::awaitable<boost::system::error_code> misses_the_first_signal() {
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer t(co_await asio::this_coro::executor, std::chrono::milliseconds(5));
    boost::system::error_code ec;
    auto deaf = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_await t.async_wait(asio::redirect_error(deaf, ec));
    t.expires_at(asio::steady_timer::time_point::max());
    co_await t.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

asio::awaitable<void> with_a_far_deadline(boost::system::error_code& ec) {
    using namespace std::chrono_literals;
    ec = co_await taskbarge::async::with_deadline(misses_the_first_signal(), 100s,
                                                  taskbarge::async::outer_stop::passed_on, {2ms});
}

TEST(TaskGroup, StopReachesAChildThatMissesItAtFirst) {
    asio::io_context io;
    task_group group(io.get_executor());
    boost::system::error_code ec;
    group.spawn(with_a_far_deadline(ec));
    waiter w(io, group);
    asio::post(io, [&] { group.stop(); });
    io.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(w.done);
    EXPECT_EQ(ec, asio::error::operation_aborted);
}

}  // namespace
