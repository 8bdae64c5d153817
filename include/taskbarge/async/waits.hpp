// Waits for a time, passed in as the clock is, so that tests decide when they end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "taskbarge/async/real_waits.hpp"

namespace taskbarge::async {

// Where a timer gets its time from. All calls are made on the timer's executor.
class waits {
 public:
    using time_point = std::chrono::steady_clock::time_point;

    virtual ~waits() = default;
    // The next wait on `timer` ends at `until`, of the clock that goes with these waits, or when it is cancelled.
    // Either way the waiting coroutine is told the same: that it may look again.
    virtual void begin(boost::asio::steady_timer& timer, time_point until) = 0;
    // That wait has ended; the timer may be gone when this returns.
    virtual void end(boost::asio::steady_timer& timer) = 0;
};

// Wakes a sleeping coroutine early. One sleeper at a time; all on one executor.
class wake_bell {
 public:
    wake_bell(const boost::asio::any_io_executor& ex, waits& times) : timer_(ex), waits_(times) {}
    // Returns at `until`, or as soon as ring() is called, also where that was before. Whoever sleeps looks again at
    // what it waits for: a ring says only that something has happened.
    boost::asio::awaitable<void> sleep_until(waits::time_point until);
    void ring();

 private:
    boost::asio::steady_timer timer_;
    waits& waits_;
    bool rung_ = false;
};

}  // namespace taskbarge::async
