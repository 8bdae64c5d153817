// A server on a thread of its own, and what it noted.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "service/http/server.hpp"

namespace taskbarge::testing {

// On a free port of 127.0.0.1.
service::http::server_options quick_options();

class running_server {
 public:
    explicit running_server(service::http::handler handle, service::http::server_options options = quick_options());
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;
    ~running_server();

    std::uint16_t port() const;
    const std::string& where() const { return where_; }
    // Runs on the server's thread, and waits for it.
    void on_loop(const std::function<void()>& f);
    // Asks on the server's thread until it is so; false if that takes unreasonably long.
    bool wait_until(const std::function<bool()>& is_so);
    std::size_t connections();
    void ask_to_stop();
    // Cancels run() itself.
    void cancel();
    // Waits for run() to return; false if it does not. What it throws passes through.
    bool wait_for_end();
    // The notes, as soon as there are so many; fewer if that takes unreasonably long.
    std::vector<service::http::served> notes(std::size_t count);

 private:
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    std::unique_ptr<service::http::server> server_;
    std::string where_;
    boost::asio::cancellation_signal cancel_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<service::http::served> notes_;
    std::exception_ptr error_;
    bool ended_ = false;
    std::thread thread_;
};

// Lets handlers wait until a test says so. Used on the server's thread, but for its making.
class gate {
 public:
    boost::asio::awaitable<void> pass();
    void open();
    std::size_t waiting() const { return waiting_.size(); }

 private:
    bool open_ = false;
    std::vector<boost::asio::steady_timer*> waiting_;  // of those who wait
};

}  // namespace taskbarge::testing
