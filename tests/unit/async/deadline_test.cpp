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

// Waits where no signal is heard, as an operation does that is between two steps.
asio::awaitable<void> hears_nothing(std::chrono::milliseconds how_long) {
    asio::steady_timer t(co_await asio::this_coro::executor, how_long);
    error_code ec;
    auto deaf = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_await t.async_wait(asio::redirect_error(deaf, ec));
}

// Misses the first signal, and hears those that come from then on.
asio::awaitable<error_code> misses_the_first_signal(std::chrono::milliseconds deaf_for = 20ms) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await hears_nothing(deaf_for);
    co_return co_await forever_by_code();
}

// Never found waiting: goes on until it is forced.
asio::awaitable<error_code> goes_on_until(const bool& forced) {
    co_await asio::this_coro::throw_if_cancelled(false);
    constexpr int unreasonable = 20'000;
    for (int i = 0; i < unreasonable && !forced; ++i)
        co_await hears_nothing(1ms);
    co_return forced ? asio::error::bad_descriptor : error_code();
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
    constexpr auto unreasonable = 20s;
    io.run_for(unreasonable);
    if (error) std::rethrow_exception(error);
    if (!value) throw std::runtime_error("it never ended");
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

TEST(Deadline, OperationThatMissesTheFirstSignalEndsWithALaterOne) {
    EXPECT_EQ(run(async::with_deadline(misses_the_first_signal(), 1ms, async::outer_stop::passed_on, {2ms})),
              asio::error::timed_out);
    auto with_a_value = []() -> asio::awaitable<int> {
        if (const error_code ec = co_await misses_the_first_signal()) throw boost::system::system_error(ec);
        co_return 1;
    };
    EXPECT_EQ(run(async::with_deadline(with_a_value(), 1ms, async::outer_stop::passed_on, {2ms})), std::nullopt);
}

TEST(Deadline, StopThatIsMissedAtFirstIsPassedOnAgain) {
    EXPECT_EQ(run(async::with_deadline(misses_the_first_signal(), 100s, async::outer_stop::passed_on, {2ms}),
                  stop::while_waiting),
              asio::error::operation_aborted);
}

TEST(Deadline, StopIsPassedOnAgainThroughTwoDeadlines) {
    auto inner = []() -> asio::awaitable<error_code> {
        co_return co_await async::with_deadline(misses_the_first_signal(), 100s, async::outer_stop::passed_on, {2ms});
    };
    EXPECT_EQ(run(async::with_deadline(inner(), 100s, async::outer_stop::passed_on, {2ms}), stop::while_waiting),
              asio::error::operation_aborted);
    EXPECT_EQ(run(async::with_deadline(inner(), 1ms, async::outer_stop::passed_on, {2ms})), asio::error::timed_out);
}

TEST(Deadline, DeadlineStillHoldsAfterAStopThatWasMissed) {
    // Deaf until the deadline is over as well: what it ended by is the deadline.
    EXPECT_EQ(run(async::with_deadline(misses_the_first_signal(60ms), 30ms, async::outer_stop::passed_on, {2ms}),
                  stop::while_waiting),
              asio::error::timed_out);
}

TEST(Deadline, OperationThatIsNeverFoundWaitingIsForced) {
    bool forced = false;
    int calls = 0;
    const std::function<void()> force = [&] {
        ++calls;
        forced = true;
    };
    EXPECT_EQ(run(async::with_deadline(goes_on_until(forced), 1ms, async::outer_stop::passed_on, {2ms, &force})),
              asio::error::timed_out);
    EXPECT_GE(calls, 1);
    forced = false;
    EXPECT_EQ(run(async::with_deadline(goes_on_until(forced), 100s, async::outer_stop::passed_on, {2ms, &force}),
                  stop::while_waiting),
              asio::error::operation_aborted);
}

TEST(Deadline, OperationThatHearsTheFirstSignalIsNotForced) {
    int calls = 0;
    const std::function<void()> force = [&] { ++calls; };
    EXPECT_EQ(run(async::with_deadline(forever_by_code(), 1ms, async::outer_stop::passed_on, {10s, &force})),
              asio::error::timed_out);
    EXPECT_EQ(calls, 0);
}

}  // namespace
