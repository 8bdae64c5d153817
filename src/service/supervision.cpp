#include "service/supervision.hpp"

#include <systemd/sd-daemon.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <utility>

#include "taskbarge/async/worker.hpp"

namespace taskbarge::service {

namespace asio = boost::asio;

asio::awaitable<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

void supervision::tell_ready() {
    (void)::sd_notify(0, "READY=1");
}

asio::awaitable<void> supervision::feed_watchdog() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) co_return;
    while (true) {
        (void)::sd_notify(0, "WATCHDOG=1");
        co_await pause(std::chrono::milliseconds(microseconds / 2000));
    }
}

asio::awaitable<void> supervision::hear(reactions to) {
    async::worker reloader;
    // A named value: GCC 12 miscompiles some awaits within a loop's condition.
    auto reload = [&to] {
        (void)::sd_notify(0, "RELOADING=1");
        to.reload();
        tell_ready();
    };
    int signal = SIGHUP;
    while (signal == SIGHUP) {
        signal = co_await signals_.async_wait(asio::use_awaitable);
        if (signal == SIGHUP) co_await reloader.run(reload);
    }
    (void)::sd_notify(0, "STOPPING=1");
    to.stop();
    boost::system::error_code cancelled;
    signal = SIGHUP;
    while (signal == SIGHUP && !cancelled)
        signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (!cancelled) to.force();
}

}  // namespace taskbarge::service
