#include "client/resolve.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>

namespace taskbarge::client {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// A look-up under way. getaddrinfo() cannot be interrupted: it is left behind when its time is up, and what it finds
// later meets only this.
struct look_up {
    explicit look_up(const asio::any_io_executor& ex) : resolver(ex), wake(ex) {}
    tcp::resolver resolver;
    asio::steady_timer wake;
    bool done = false;
    boost::system::error_code error;
    std::vector<tcp::endpoint> found;
};

std::vector<tcp::endpoint> alternating(const std::vector<tcp::endpoint>& in) {
    std::vector<tcp::endpoint> first, second, out;
    for (const auto& e : in)
        (e.protocol() == in.front().protocol() ? first : second).push_back(e);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

}  // namespace

asio::awaitable<resolved> resolve(const host_port& at, std::chrono::milliseconds limit) {
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(at.host, not_an_address);
    if (!not_an_address) {
        resolved r;
        r.endpoints.emplace_back(address, at.port);
        co_return r;
    }
    const asio::any_io_executor ex = co_await asio::this_coro::executor;
    const auto state = std::make_shared<look_up>(ex);
    state->wake.expires_after(limit);
    state->resolver.async_resolve(at.host, std::to_string(at.port), tcp::resolver::numeric_service,
                                  [state](boost::system::error_code ec, const tcp::resolver::results_type& results) {
                                      state->done = true;
                                      state->error = ec;
                                      for (const auto& r : results)
                                          state->found.push_back(r.endpoint());
                                      state->wake.cancel();
                                  });
    boost::system::error_code woken;
    co_await state->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    resolved r;
    if (!state->done) {
        state->resolver.cancel();
        r.error = woken ? asio::error::operation_aborted : asio::error::timed_out;
    } else {
        r.error = state->error;
        r.endpoints = alternating(state->found);
    }
    co_return r;
}

}  // namespace taskbarge::client
