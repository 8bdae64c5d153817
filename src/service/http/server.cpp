#include "service/http/server.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <stdexcept>
#include <utility>
#include <vector>

#include "service/http/authority.hpp"
#include "service/http/crowding.hpp"
#include "service/http/server_connection.hpp"
#include "taskbarge/async/deadline.hpp"
#include "taskbarge/async/task_group.hpp"

namespace taskbarge::service::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Before accepting is tried again when the process has no descriptor left.
constexpr auto accept_pause = std::chrono::milliseconds(50);

core::result<tcp::endpoint> endpoint_of(const std::string& listen) {
    const auto place = parse_authority(listen);
    if (place && place->port && (place->address || place->host == "localhost"))
        return tcp::endpoint(place->address.value_or(asio::ip::address_v4::loopback()), *place->port);
    return core::failure{
        core::errc::settings,
        fmt::format("cannot listen on \"{}\": write ADDRESS:PORT, such as 127.0.0.1:8642 or [::1]:8642", listen)};
}

core::result<tcp::acceptor> listen_on(const asio::any_io_executor& ex, const tcp::endpoint& endpoint,
                                      const std::string& text) {
    tcp::acceptor acceptor(ex);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) return acceptor;
    return core::failure{core::errc::unreachable,
                         fmt::format("cannot listen on {}: {}; stop the program that has the port, or choose another "
                                     "address in serve.listen",
                                     text, error.message())};
}

// Sets the ids of two runs apart.
std::string random_prefix() {
    std::uint32_t value = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof(value)) != 1)
        throw std::runtime_error("no random bytes are available");
    return fmt::format("{:08x}", value);
}

class tcp_server final : public server, private connection_host {
 public:
    tcp_server(tcp::acceptor acceptor, server_options options, handler handle, std::function<void(const served&)> note)
        : options_(std::move(options)),
          handle_(std::move(handle)),
          note_(std::move(note)),
          acceptor_(std::move(acceptor)),
          place_(acceptor_.local_endpoint()),
          room_(acceptor_.get_executor()),
          connections_(acceptor_.get_executor()) {}

    std::string where() const override { return to_text(place_.address(), place_.port()); }

    asio::awaitable<void> run() override {
        const asio::cancellation_state outer = co_await asio::this_coro::cancellation_state;
        const bool throwing = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(false);
        const auto cancelled = [&] { return outer.cancelled() != asio::cancellation_type::none; };
        while (!stopping_ && !cancelled())
            co_await accept_one();
        stop();
        std::exception_ptr error;
        try {
            // Past the grace, or when this coroutine is stopped itself, the requests under way are cut.
            if (!cancelled()) co_await async::with_deadline(connections_.wait(), options_.stop_grace);
            if (cancelled()) co_await connections_.wait();
        } catch (...) {
            error = std::current_exception();
        }
        co_await asio::this_coro::throw_if_cancelled(throwing);
        if (error) std::rethrow_exception(error);
    }

    void stop() override {
        if (std::exchange(stopping_, true)) return;
        error_code ignored;
        acceptor_.close(ignored);
        room_.cancel();
        for (server_connection* c : live_)
            c->stop_if_idle();
    }

    std::size_t connections() const override { return live_.size(); }

 private:
    const server_options& options() const override { return options_; }
    asio::awaitable<void> handle(request& x) override { return handle_(x); }
    void note(const served& s) override {
        if (note_) note_(s);
    }
    std::string next_id() override { return fmt::format("{}-{:06}", prefix_, ++requests_); }
    bool is_stopping() const override { return stopping_; }
    bool is_full() const override { return live_.size() >= std::max<std::size_t>(options_.most_connections, 1); }

    asio::awaitable<void> accept_one() {
        if (is_full()) {
            co_await make_room();
            co_return;
        }
        error_code error;
        tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            short_of_descriptors_ = false;
            connections_.spawn(serve(std::move(socket)));
        } else if (!stopping_ && error != asio::error::operation_aborted) {
            // Out of descriptors, most likely: connections end, and then there are some again. Told once.
            if (!std::exchange(short_of_descriptors_, true)) note_accept_error(error);
            co_await wait_for_room(asio::steady_timer::clock_type::now() + accept_pause);
        }
    }

    // Nobody has to go before somebody waits.
    asio::awaitable<void> make_room() {
        error_code ended;
        co_await acceptor_.async_wait(tcp::acceptor::wait_read, asio::redirect_error(asio::use_awaitable, ended));
        if (ended || !is_full()) co_return;
        const std::vector<server_connection*> all(live_.begin(), live_.end());
        std::vector<place_holder> holders;
        holders.reserve(all.size());
        for (const server_connection* c : all)
            holders.push_back(c->standing());
        const auto chosen = who_gives_way(holders, queued());
        for (const auto at : chosen.who)
            all[at]->give_way();
        // Their ends cut this short.
        co_await wait_for_room(asio::steady_timer::clock_type::now() + chosen.look_again);
    }

    // How many wait to be accepted. The kernel has a listening socket's queue where others have unacknowledged packets.
    std::size_t queued() {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (::getsockopt(acceptor_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 1;
        return std::max<std::size_t>(info.tcpi_unacked, 1);
    }

    asio::awaitable<void> wait_for_room(asio::steady_timer::time_point until) {
        error_code ignored;
        room_.expires_at(until);
        co_await room_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    void note_accept_error(const error_code& error) {
        served s;
        s.error = "no connection can be accepted: " + error.message();
        note(s);
    }

    asio::awaitable<void> serve(tcp::socket socket) {
        server_connection talk(std::move(socket), *this);
        const live_entry entry(*this, talk);
        std::exception_ptr bug;
        try {
            co_await talk.run();
        } catch (...) {
            bug = std::current_exception();
        }
        if (!bug) co_return;
        if (!connections_.stopping()) stop();
        std::rethrow_exception(bug);
    }

    // Keeps a connection in the list for as long as it lives.
    class live_entry {
     public:
        live_entry(tcp_server& owner, server_connection& c)
            : owner_(owner), place_(owner.live_.insert(owner.live_.end(), &c)) {}
        live_entry(const live_entry&) = delete;
        live_entry& operator=(const live_entry&) = delete;
        ~live_entry() {
            owner_.live_.erase(place_);
            owner_.room_.cancel();
        }

     private:
        tcp_server& owner_;
        std::list<server_connection*>::iterator place_;
    };

    const server_options options_;
    const handler handle_;
    const std::function<void(const served&)> note_;
    tcp::acceptor acceptor_;
    const tcp::endpoint place_;
    asio::steady_timer room_;  // cancelled when a connection ended, or at the stop
    const std::string prefix_ = random_prefix();
    std::uint64_t requests_ = 0;
    bool stopping_ = false;
    bool short_of_descriptors_ = false;
    std::list<server_connection*> live_;
    async::task_group connections_;
};

}  // namespace

core::result<std::unique_ptr<server>> server::open(asio::any_io_executor ex, server_options options, handler handle,
                                                   std::function<void(const served&)> note) {
    const auto endpoint = endpoint_of(options.listen);
    if (!endpoint) return endpoint.error();
    auto acceptor = listen_on(ex, *endpoint, options.listen);
    if (!acceptor) return acceptor.error();
    return std::unique_ptr<server>(
        new tcp_server(std::move(*acceptor), std::move(options), std::move(handle), std::move(note)));
}

}  // namespace taskbarge::service::http
