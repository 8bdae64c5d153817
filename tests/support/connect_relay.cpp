#include "support/connect_relay.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <thread>

namespace taskbarge::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class connect_relay::impl {
 public:
    explicit impl(relay_options options)
        : options_(std::move(options)), acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        port = acceptor_.local_endpoint().port();
        asio::co_spawn(io_, accept_all(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~impl() {
        io_.stop();
        thread_.join();
    }

    std::mutex mutex;
    std::vector<std::string> heads;
    std::uint16_t port = 0;

 private:
    using socket_ptr = std::shared_ptr<tcp::socket>;

    asio::awaitable<void> accept_all() {
        for (;;) {
            auto socket = std::make_shared<tcp::socket>(co_await acceptor_.async_accept(asio::use_awaitable));
            asio::co_spawn(io_, meet(std::move(socket)), asio::detached);
        }
    }

    asio::awaitable<void> meet(socket_ptr client) {
        std::string head;
        error_code ec;
        co_await asio::async_read_until(*client, asio::dynamic_buffer(head), "\r\n\r\n",
                                        asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        {
            const std::lock_guard lock(mutex);
            heads.push_back(head);
        }
        if (options_.stall) {
            held_.push_back(client);
            co_return;
        }
        if (!options_.refusal.empty()) {
            co_await asio::async_write(*client, asio::buffer(options_.refusal),
                                       asio::redirect_error(asio::use_awaitable, ec));
            co_return;
        }
        const auto line_end = head.find(" HTTP/");
        const auto colon = head.rfind(':', line_end);
        const auto to = static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1, line_end - colon - 1)));
        auto server = std::make_shared<tcp::socket>(io_);
        co_await server->async_connect({asio::ip::address_v4::loopback(), to}, asio::use_awaitable);
        const std::string ok = "HTTP/1.1 200 Connection established\r\n\r\n";
        co_await asio::async_write(*client, asio::buffer(ok), asio::use_awaitable);
        asio::co_spawn(io_, pump(client, server), asio::detached);
        asio::co_spawn(io_, pump(server, client), asio::detached);
    }

    static asio::awaitable<void> pump(socket_ptr from, socket_ptr to) {
        std::array<char, 16384> data{};
        error_code ec;
        for (;;) {
            const auto n =
                co_await from->async_read_some(asio::buffer(data), asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
            co_await asio::async_write(*to, asio::buffer(data, n), asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
        }
        to->shutdown(tcp::socket::shutdown_both, ec);
        from->shutdown(tcp::socket::shutdown_both, ec);
    }

    relay_options options_;
    asio::io_context io_;
    tcp::acceptor acceptor_;
    std::vector<socket_ptr> held_;
    std::thread thread_;
};

connect_relay::connect_relay(relay_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
connect_relay::~connect_relay() = default;

std::uint16_t connect_relay::port() const {
    return impl_->port;
}

std::vector<std::string> connect_relay::heads() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->heads;
}

}  // namespace taskbarge::testing
