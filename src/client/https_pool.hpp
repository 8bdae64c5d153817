// Keep-alive connections to one host, handed out in the order of asking.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "client/connection.hpp"

namespace taskbarge::client {

// Used by coroutines of one thread; outlives its requests.
class https_pool {
 public:
    https_pool(boost::asio::any_io_executor ex, connection_plan plan, std::size_t size,
               std::chrono::milliseconds connection_age);

    // Looks at an exchange that is over, once, before the next can begin on its connection, and may change it. True: a
    // clear success. A connection is used again only after one: a copy of any other answer, or whose it was, may still
    // be on its way on it.
    using examiner = std::function<bool(exchange&)>;

    // Sends one request, head and body. Both arguments live until it is done. Ends by value also when the caller is
    // stopped: before the first byte in any case, afterwards as `stop` says.
    boost::asio::awaitable<exchange> send(std::string_view request, async::outer_stop stop, const examiner& examine);

    // Closes idle connections now and those in use when their request is done.
    void close();

 private:
    struct waiting;
    class place;

    boost::asio::awaitable<bool> wait_for_place();
    void leave_place();
    boost::asio::awaitable<void> send_by_value(std::string_view request, async::outer_stop stop,
                                               const examiner& examine, exchange& x);
    boost::asio::awaitable<std::unique_ptr<connection>> get_connection(exchange& x);
    std::unique_ptr<connection> take_idle();

    boost::asio::any_io_executor ex_;
    connection_plan plan_;
    std::size_t free_places_;
    std::chrono::milliseconds connection_age_;
    std::list<waiting*> queue_;                      // who waits for a place, oldest first
    std::vector<std::unique_ptr<connection>> idle_;  // most recently used last
    std::uint64_t closings_ = 0;                     // how often close() was called
    std::uint64_t connections_ = 0;                  // that were made
};

}  // namespace taskbarge::client
