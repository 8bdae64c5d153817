// Text from a blocking producer on its own thread to a coroutine, a few blocks ahead.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "taskbarge/core/error.hpp"

namespace taskbarge::service {

// Shared by both sides.
class block_pipe : public std::enable_shared_from_this<block_pipe> {
 public:
    explicit block_pipe(const boost::asio::any_io_executor& ex) : executor_(ex), bell_(ex) {}

    // The producer's side. Waits while enough blocks are unread; false once nobody reads any more.
    bool push(std::string block);
    void finish(core::result<void> outcome);
    bool wanted();

    // The reader's, on the executor. The next block; nothing at the end, and then outcome() tells how it went.
    boost::asio::awaitable<std::optional<std::string>> pop();
    void close();
    const core::result<void>& outcome() const { return outcome_; }

 private:
    void ring();

    boost::asio::any_io_executor executor_;
    boost::asio::steady_timer bell_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::deque<std::string> blocks_;
    bool finished_ = false, closed_ = false;
    core::result<void> outcome_;
};

}  // namespace taskbarge::service
