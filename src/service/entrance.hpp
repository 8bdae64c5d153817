// The way in by HTTP: the server, who may ask, and what of each request the log and the metrics are told.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "service/current_configuration.hpp"
#include "service/http/guard.hpp"
#include "service/http/router.hpp"
#include "service/http/server.hpp"
#include "service/http/tickets.hpp"
#include "service/telemetry/log.hpp"
#include "service/telemetry/metrics.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service {

// Whether these settings let in no more than they should: without a token nobody from another machine. errc::settings.
core::result<void> check_entrance(const configuration& c);

// On the server's executor, but connections(), which may be asked by any thread that runs in its coroutines.
class entrance {
 public:
    struct parts {
        current_configuration& configuration;
        log& lines;
        metrics& counts;
        http::tickets& tickets;
        boost::asio::any_io_executor executor;
    };
    explicit entrance(parts p) : parts_(std::move(p)) {}

    // Binds: errc::unreachable, errc::settings. Requests are answered from run() on.
    core::result<void> open(http::router routes);
    std::string where() const { return server_->where(); }
    // As the server's.
    boost::asio::awaitable<void> run() { return server_->run(); }
    void stop() { server_->stop(); }
    std::size_t connections() const { return server_->connections(); }
    // Of a request that was let in. On the executor.
    bool may_write(const http::request_head& head) const { return guard_->may_write(head); }
    // Who may ask by the settings in force now.
    void reloaded();

 private:
    boost::asio::awaitable<void> answer(http::request& x);
    void note(const http::served& one);

    parts parts_;
    http::router router_;
    std::unique_ptr<http::guard> guard_;
    std::unique_ptr<http::server> server_;
};

}  // namespace taskbarge::service
