// A request and its answer without a connection: for handlers, the router and the fuzz target.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "service/http/message.hpp"

namespace taskbarge::testing {

class memory_request final : public service::http::request {
 public:
    explicit memory_request(service::http::request_head head, std::deque<std::string> body = {})
        : head_(std::move(head)), body_(std::move(body)) {}

    // What became of it: how often an answer began, its status and headers, and all of its body.
    int answers = 0;
    service::http::response given;
    bool ended = false;

    const service::http::request_head& head() const override { return head_; }
    boost::asio::awaitable<core::result<std::string>> read_some() override {
        std::string piece;
        if (!body_.empty()) {
            piece = std::move(body_.front());
            body_.pop_front();
        }
        co_return piece;
    }
    service::http::body_error body_failure() const override { return failure_; }
    boost::asio::awaitable<core::result<std::string>> read_all(std::size_t most) override {
        std::string body;
        while (!body_.empty()) {
            body += body_.front();
            body_.pop_front();
        }
        if (body.size() <= most) co_return body;
        failure_ = service::http::body_error::too_large;
        co_return core::failure{core::errc::input, "too large"};
    }
    service::http::response body_problem() const override {
        return service::http::problem(413, "body-too-large", "The body is too large", "too large");
    }
    boost::asio::awaitable<void> reply(service::http::response a) override {
        ++answers;
        given = std::move(a);
        ended = true;
        co_return;
    }
    boost::asio::awaitable<void> begin(int status, std::string content_type,
                                       service::http::header_list headers) override {
        ++answers;
        given = {status, std::move(content_type), {}, std::move(headers)};
        co_return;
    }
    boost::asio::awaitable<bool> write(std::string_view piece) override {
        given.body += piece;
        co_return true;
    }
    boost::asio::awaitable<void> end() override {
        ended = true;
        co_return;
    }
    bool stopping() const override { return false; }

    std::string header(std::string_view name) const {
        for (const auto& [n, value] : given.headers)
            if (n == name) return value;
        return {};
    }

 private:
    service::http::request_head head_;
    std::deque<std::string> body_;
    service::http::body_error failure_ = service::http::body_error::none;
};

// Runs a coroutine that needs no network to its end; what it throws passes through.
inline void run_to_end(boost::asio::awaitable<void> task) {
    boost::asio::io_context io(1);
    std::exception_ptr error;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) { error = std::move(e); });
    io.run();
    if (error) std::rethrow_exception(error);
}

}  // namespace taskbarge::testing
