#include "taskbarge/async/deadline.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
namespace async = taskbarge::async;
using namespace std::chrono_literals;
using boost::system::error_code;

asio::awaitable<int> forever() {
    asio::steady_timer t(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await t.async_wait(asio::use_awaitable);
    co_return 1;
}

asio::awaitable<error_code> forever_by_code() {
    asio::steady_timer t(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    error_code ec;
    co_await t.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

// Succeeds although it was cancelled, as an operation does that finished in the same moment.
asio::awaitable<std::string> finishes_when_cancelled() {
    error_code ec = co_await forever_by_code();
    co_return ec ? "done" : "not cancelled";
}

enum class stop { never, while_waiting };

// Runs a coroutine to its end and gives its value or exception.
template <class T>
T run(asio::awaitable<T> a, stop when = stop::never) {
    asio::io_context io;
    asio::cancellation_signal signal;
    std::optional<T> value;
    std::exception_ptr error;
    asio::co_spawn(io, std::move(a), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, T v) {
                       error = e;
                       value = std::move(v);
                   }));
    if (when == stop::while_waiting) asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
    io.run();
    if (error) std::rethrow_exception(error);
    return std::move(*value);
}

TEST(Deadline, ValueOfAnOperationInTimeIsPassedOn) {
    auto at_once = []() -> asio::awaitable<int> { co_return 7; };
    EXPECT_EQ(run(async::with_deadline(at_once(), 10s)), 7);
}

TEST(Deadline, OperationPastItsLimitGivesNothing) {
    EXPECT_EQ(run(async::with_deadline(forever(), 1ms)), std::nullopt);
}

TEST(Deadline, VoidOperationTellsWhetherItFinished) {
    auto endless = []() -> asio::awaitable<void> { co_await forever(); };
    auto at_once = []() -> asio::awaitable<void> { co_return; };
    EXPECT_FALSE(run(async::with_deadline(endless(), 1ms)));
    EXPECT_TRUE(run(async::with_deadline(at_once(), 10s)));
}

TEST(Deadline, OperationThatSucceedsAtItsLimitHasSucceeded) {
    EXPECT_EQ(run(async::with_deadline(finishes_when_cancelled(), 1ms)), "done");
}

TEST(Deadline, ErrorCodeBecomesTimedOutPastTheLimit) {
    EXPECT_EQ(run(async::with_deadline(forever_by_code(), 1ms)), asio::error::timed_out);
}

TEST(Deadline, OtherErrorCodesAndExceptionsPassThrough) {
    auto refused = []() -> asio::awaitable<error_code> { co_return asio::error::connection_refused; };
    auto throws = []() -> asio::awaitable<int> {
        throw std::runtime_error("bad");
        co_return 0;
    };
    EXPECT_EQ(run(async::with_deadline(refused(), 10s)), asio::error::connection_refused);
    EXPECT_THROW(run(async::with_deadline(throws(), 10s)), std::runtime_error);
}

TEST(Deadline, StopOfTheCallerCancelsTheOperation) {
    EXPECT_EQ(run(async::with_deadline(forever_by_code(), 10s), stop::while_waiting), asio::error::operation_aborted);
}

TEST(Deadline, StopOfTheCallerThrowsFromAnOperationWithAValue) {
    EXPECT_THROW(run(async::with_deadline(forever(), 10s), stop::while_waiting), boost::system::system_error);
}

TEST(Deadline, HeldBackStopLeavesTheOperationToItsDeadline) {
    EXPECT_EQ(run(async::with_deadline(forever_by_code(), 2ms, async::outer_stop::held_back), stop::while_waiting),
              asio::error::timed_out);
}

TEST(Deadline, CoroutineThatWasStoppedBeforeStartsNothing) {
    auto stopped_first = []() -> asio::awaitable<error_code> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await forever_by_code();
        co_return co_await async::with_deadline(forever_by_code(), 10s);
    };
    EXPECT_EQ(run(stopped_first(), stop::while_waiting), asio::error::operation_aborted);
}

TEST(Deadline, InnerDeadlineEndsFirst) {
    auto nested = []() -> asio::awaitable<std::string> {
        auto inner = co_await async::with_deadline(forever(), 1ms);
        co_return inner ? "value" : "inner limit";
    };
    EXPECT_EQ(run(async::with_deadline(nested(), 10s)), "inner limit");
}

TEST(Deadline, OuterDeadlineEndsTheInner) {
    auto nested = []() -> asio::awaitable<error_code> {
        co_return co_await async::with_deadline(forever_by_code(), 10s);
    };
    EXPECT_EQ(run(async::with_deadline(nested(), 1ms)), asio::error::timed_out);
}

}  // namespace
