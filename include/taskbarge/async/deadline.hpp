// A limit in time for anything that can be awaited. Boost 1.81 has no cancel_after: this is the one place that knows.
#pragma once

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace taskbarge::async {

// What a stop asked of the waiting coroutine (cancellation) does to the operation that it awaits.
enum class outer_stop {
    passed_on,  // the operation is cancelled as well
    held_back   // the operation runs to its end or its deadline
};

// How an operation is told to end. It hears a signal only while it waits for something that can be cancelled; one that
// comes when such a wait has just ended is lost. So the signal is given again until the operation has ended.
struct urging {
    std::chrono::steady_clock::duration every = std::chrono::milliseconds(100);
    // Called along with every signal but the first: what ends even an operation that is never found waiting, such as
    // closing its socket. It outlives the operation.
    const std::function<void()>* force = nullptr;
};

namespace detail {

// Tells one operation to end when its time is up or its caller was stopped, until it has ended. One timer for all of
// it; its handler shares the state, so a late one finds it alive.
class expiry {
 public:
    expiry(const boost::asio::any_io_executor& ex, std::chrono::steady_clock::duration limit, urging how)
        : state_(std::make_shared<state>(ex, limit, how)) {
        state_->wait_until(state_->end);
    }
    expiry(const expiry&) = delete;
    expiry& operator=(const expiry&) = delete;
    ~expiry() {
        state_->over = true;
        state_->timer.cancel();
    }

    boost::asio::cancellation_slot slot() { return state_->signal.slot(); }
    // What hands a stop of the caller on to the operation.
    auto relay() const {
        // A copy of its own: the operation's end may take the one that is called.
        return [s = state_](boost::asio::cancellation_type type) {
            const auto alive = s;  // NOLINT(performance-unnecessary-copy-initialization)
            alive->stop = type;
            alive->tell();
        };
    }
    bool expired() const { return state_->expired; }
    bool stopped() const { return state_->stop != boost::asio::cancellation_type::none; }

 private:
    using time_point = std::chrono::steady_clock::time_point;

    struct state : std::enable_shared_from_this<state> {
        state(const boost::asio::any_io_executor& ex, std::chrono::steady_clock::duration limit, urging u)
            : timer(ex), how(u), end(end_of(limit)) {}

        static time_point end_of(std::chrono::steady_clock::duration limit) {
            const auto now = std::chrono::steady_clock::now();
            return limit < time_point::max() - now ? now + limit : time_point::max();
        }

        void wait_until(time_point when) {
            timer.expires_at(when);
            timer.async_wait([s = shared_from_this()](boost::system::error_code ec) {
                if (ec || s->over) return;
                s->expired = s->expired || std::chrono::steady_clock::now() >= s->end;
                if (s->expired || s->stop != boost::asio::cancellation_type::none)
                    s->tell();
                else
                    s->wait_until(s->end);
            });
        }

        void tell() {
            using boost::asio::cancellation_type;
            if (++told > 1 && how.force != nullptr) (*how.force)();
            signal.emit(stop != cancellation_type::none ? stop : cancellation_type::terminal);
            if (!over)
                wait_until(std::min(std::chrono::steady_clock::now() + how.every, expired ? time_point::max() : end));
        }

        boost::asio::steady_timer timer;
        boost::asio::cancellation_signal signal;
        urging how;
        time_point end;
        boost::asio::cancellation_type stop = boost::asio::cancellation_type::none;
        std::uint64_t told = 0;
        bool expired = false;
        bool over = false;
    };
    std::shared_ptr<state> state_;
};

// Hands a stop of the outer coroutine on for as long as this lives.
class stop_relay {
 public:
    stop_relay(boost::asio::cancellation_slot outer, const expiry& inner, outer_stop how) {
        if (how == outer_stop::held_back || !outer.is_connected()) return;
        slot_ = outer;
        slot_.assign(inner.relay());
    }
    stop_relay(const stop_relay&) = delete;
    stop_relay& operator=(const stop_relay&) = delete;
    ~stop_relay() {
        if (slot_.is_connected()) slot_.clear();
    }

 private:
    boost::asio::cancellation_slot slot_;
};

// Awaits `task` as the outermost step of a spawned coroutine. A coroutine that was cancelled must not throw once more
// from the hop by which co_spawn reports its end: that would leave io_context::run().
inline boost::asio::awaitable<void> settled(boost::asio::awaitable<void> task) {
    std::exception_ptr error;
    try {
        co_await std::move(task);
    } catch (...) {
        error = std::current_exception();
    }
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    if (error) std::rethrow_exception(error);
}

template <class T>
boost::asio::awaitable<void> store(boost::asio::awaitable<T> operation, std::optional<T>& value) {
    value.emplace(co_await std::move(operation));
}

// What a finished operation left behind: its value, or nothing when its limit cut it short.
template <class T>
struct ending {
    std::optional<T> value;
    bool expired = false;
    bool stopped = false;
};

template <class T>
boost::asio::awaitable<ending<T>> finish_by(boost::asio::awaitable<T> operation,
                                            std::chrono::steady_clock::duration limit, outer_stop how, urging urged) {
    const boost::asio::any_io_executor ex = co_await boost::asio::this_coro::executor;
    const boost::asio::cancellation_state outer = co_await boost::asio::this_coro::cancellation_state;
    if (how == outer_stop::passed_on && outer.cancelled() != boost::asio::cancellation_type::none)
        throw boost::system::system_error(boost::asio::error::operation_aborted, "with_deadline");
    expiry timer(ex, limit, urged);
    const stop_relay relay(outer.slot(), timer, how);
    ending<T> end;
    try {
        auto token = boost::asio::bind_cancellation_slot(timer.slot(), boost::asio::use_awaitable);
        co_await boost::asio::co_spawn(ex, settled(store(std::move(operation), end.value)), token);
    } catch (const boost::system::system_error& e) {
        if (!timer.expired() || e.code() != boost::asio::error::operation_aborted) throw;
    }
    end.expired = timer.expired();
    end.stopped = timer.stopped();
    co_return end;
}

template <class T>
struct optional_or_bool {
    using type = std::optional<T>;
};
template <>
struct optional_or_bool<void> {
    using type = bool;
};

inline boost::asio::awaitable<bool> true_when_done(boost::asio::awaitable<void> operation) {
    co_await std::move(operation);
    co_return true;
}

}  // namespace detail

// Awaits `operation` for at most `limit`; past it the operation is cancelled, as often as it takes, and its end
// awaited. Gives the value, or nothing (false for void) when the operation was cut short. An operation that succeeds in
// the very moment its time is up has succeeded. Other exceptions of the operation pass through. The operation runs on
// the caller's executor. A caller that was stopped before does not start it: operation_aborted, as from any wait of a
// stopped coroutine.
//
//     auto answer = co_await async::with_deadline(read_answer(stream), 10s);
//     if (!answer) co_return failure{...};
template <class T>
boost::asio::awaitable<typename detail::optional_or_bool<T>::type> with_deadline(
    boost::asio::awaitable<T> operation, std::chrono::steady_clock::duration limit,
    outer_stop how = outer_stop::passed_on, urging urged = {}) {
    if constexpr (std::is_void_v<T>) {
        auto end = co_await detail::finish_by(detail::true_when_done(std::move(operation)), limit, how, urged);
        co_return end.value.has_value();
    } else {
        auto end = co_await detail::finish_by(std::move(operation), limit, how, urged);
        co_return std::move(end.value);
    }
}

// The same for operations that report by error code: error::timed_out when the operation failed after its limit,
// error::operation_aborted when it failed after a stop of the caller: in whatever way an operation fails that was told
// to end.
inline boost::asio::awaitable<boost::system::error_code> with_deadline(
    boost::asio::awaitable<boost::system::error_code> operation, std::chrono::steady_clock::duration limit,
    outer_stop how = outer_stop::passed_on, urging urged = {}) {
    try {
        auto end = co_await detail::finish_by(std::move(operation), limit, how, urged);
        const boost::system::error_code ec = end.value.value_or(boost::asio::error::operation_aborted);
        if (ec && end.expired) co_return boost::asio::error::timed_out;
        if (ec && end.stopped) co_return boost::asio::error::operation_aborted;
        co_return ec;
    } catch (const boost::system::system_error& e) {
        if (e.code() != boost::asio::error::operation_aborted) throw;
        co_return boost::asio::error::operation_aborted;
    }
}

}  // namespace taskbarge::async
