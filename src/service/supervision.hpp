// What those who run the process ask of it, and are told: signals, and systemd's protocol (which does nothing where
// systemd is not).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <functional>

namespace taskbarge::service {

// From its making on SIGINT, SIGTERM and SIGHUP do not end the process. On the event loop's thread, where nothing else
// is said.
class supervision {
 public:
    explicit supervision(boost::asio::io_context& loop) : signals_(loop, SIGINT, SIGTERM, SIGHUP) {}

    struct reactions {
        std::function<void()> reload;  // SIGHUP, on a thread of its own: it may block
        std::function<void()> stop;    // the first SIGINT or SIGTERM
        std::function<void()> force;   // the second one
    };
    // Until close(), or the second SIGINT or SIGTERM.
    boost::asio::awaitable<void> hear(reactions to);
    void close() { signals_.cancel(); }
    // By this loop, so that one that hangs is noticed. Until it is cancelled; nothing where nobody watches.
    static boost::asio::awaitable<void> feed_watchdog();
    // Any thread.
    static void tell_ready();

 private:
    boost::asio::signal_set signals_;
};

// On this coroutine's executor; operation_aborted when it is cancelled.
boost::asio::awaitable<void> pause(std::chrono::milliseconds time);

}  // namespace taskbarge::service
