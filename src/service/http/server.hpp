// The HTTP/1.1 server: connections, limits, and one handler for every request.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "service/http/message.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::http {

struct server_options {
    std::string listen;                                // "127.0.0.1:8642", "[::1]:0"; port 0: any free one
    std::uint32_t most_connections = 256;              // more wait in the kernel's queue; idle and slow ones make room
    std::size_t header_limit = 16UL * 1024;            // bytes
    std::uint64_t body_limit = 4ull << 30;             // bytes
    std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to its last header
    std::chrono::milliseconds idle_timeout{60'000};    // between requests of a connection
    std::chrono::milliseconds piece_timeout{30'000};   // for each piece of a body read or an answer written
    std::uint64_t least_rate = 1024;                   // bytes a second of a body, after the first piece_timeout
    std::chrono::milliseconds stop_grace{10'000};      // for requests under way when the server stops
};

// What was served, for logs and metrics. Called after each answer, or when a request failed before it had one.
struct served {
    std::string method, path;  // empty: the request could not be read
    int status = 0;            // 0: no answer was sent
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::chrono::microseconds took{0};
    std::string id, client;
    std::string error;  // what went wrong on our side, for the log: a handler's exception, or why none can be accepted
};

using handler = std::function<boost::asio::awaitable<void>(request&)>;

// All of it runs on one executor, which one thread runs. A handler that throws gives 500 and ends its connection.
class server {
 public:
    // Binds at once: errc::unreachable, naming address and remedy, when that cannot be.
    static core::result<std::unique_ptr<server>> open(boost::asio::any_io_executor ex, server_options options,
                                                      handler handle, std::function<void(const served&)> note);
    virtual ~server() = default;
    virtual std::string where() const = 0;  // "127.0.0.1:8642", with the port in use
    // Accepts and serves until stop(); returns when the last connection has ended.
    virtual boost::asio::awaitable<void> run() = 0;
    // No new connection; idle ones close, requests under way get stop_grace. On the executor.
    virtual void stop() = 0;
    virtual std::size_t connections() const = 0;
};

}  // namespace taskbarge::service::http
