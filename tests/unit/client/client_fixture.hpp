// A client of a scripted server, run request by request.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "support/scripted_server.hpp"
#include "support/test_authority.hpp"
#include "taskbarge/client/apollo_client.hpp"

namespace taskbarge::client {

inline constexpr const char* test_key = "the-secret-key";

// Where a request stands whose exchange is not over.
struct pending_exchange {
    bool done = false;
    exchange result;
    boost::asio::cancellation_signal stop;
};

class client_fixture : public ::testing::Test {
 protected:
    static const testing::test_authority& authority() {
        static const testing::test_authority one;
        return one;
    }
    static const std::string& ca_file() {
        static const testing::temporary_file file(authority().pem());
        return file.path();
    }
    static testing::server_options tls_server() {
        static const testing::certificate identity = authority().issue({"DNS:localhost", "IP:127.0.0.1"});
        testing::server_options o;
        o.identity = identity;
        return o;
    }
    static testing::server_options plain_server() {
        testing::server_options o;
        o.tls = false;
        return o;
    }

    static client_options options_for(const testing::scripted_server& server, const std::string& scheme = "https",
                                      const std::string& host = "127.0.0.1") {
        client_options o;
        o.base_url = scheme + "://" + host + ":" + std::to_string(server.port()) + "/api/v1";
        o.ca_file = ca_file();
        o.key = core::secret(test_key);
        o.connect_timeout = std::chrono::seconds(20);
        o.request_timeout = std::chrono::seconds(20);
        return o;
    }

    std::unique_ptr<apollo_client> make(client_options o) {
        auto made = apollo_client::make(io_.get_executor(), std::move(o));
        if (!made) throw std::runtime_error(made.error().text);
        return std::move(*made);
    }

    // Starts an exchange; it goes on whenever the loop runs.
    std::shared_ptr<pending_exchange> start(boost::asio::awaitable<exchange> what) {
        auto p = std::make_shared<pending_exchange>();
        boost::asio::co_spawn(
            io_, std::move(what),
            boost::asio::bind_cancellation_slot(p->stop.slot(), [p](std::exception_ptr e, exchange x) {
                if (e) std::rethrow_exception(e);
                p->result = std::move(x);
                p->done = true;
            }));
        return p;
    }

    exchange run(boost::asio::awaitable<exchange> what) {
        auto p = start(std::move(what));
        finish();
        EXPECT_TRUE(p->done);
        return std::move(p->result);
    }
    // A request for tasks, of which only the exchange is looked at.
    static boost::asio::awaitable<exchange> creating(apollo_client& client, std::string body) {
        const core::task_view nothing;
        auto made = co_await client.bulk_create(body, nothing);
        co_return std::move(made.http);
    }
    exchange create(apollo_client& client, const std::string& body = "{}") { return run(creating(client, body)); }
    // A whole one.
    creation create_tasks(apollo_client& client, const std::string& body, const core::task_view& asked) {
        creation made;
        boost::asio::co_spawn(io_, client.bulk_create(body, asked), [&](std::exception_ptr e, creation c) {
            if (e) std::rethrow_exception(e);
            made = std::move(c);
        });
        finish();
        return made;
    }

    void finish() {
        io_.restart();
        io_.run();
    }
    // Runs the loop until `condition` holds, which may depend on the server's thread.
    template <class Condition>
    void run_until(Condition condition) {
        constexpr auto one_look = std::chrono::milliseconds(1);
        constexpr auto unreasonable = std::chrono::seconds(20);
        const auto give_up = std::chrono::steady_clock::now() + unreasonable;
        io_.restart();
        while (!condition() && std::chrono::steady_clock::now() < give_up)
            io_.run_one_for(one_look);
        EXPECT_TRUE(condition());
    }

    boost::asio::io_context io_;
};

}  // namespace taskbarge::client
