#include "client/resolve.hpp"

#include <netdb.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace taskbarge::client {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct looked_up {
    boost::system::error_code error;
    std::vector<tcp::endpoint> found;
};

// What a look-up and who waits for it share. The look-up may outlive the waiter, and the waiter's event loop.
class name_question {
 public:
    name_question(asio::any_io_executor ex, asio::steady_timer& wake) : executor_(std::move(ex)), wake_(&wake) {}

    std::optional<looked_up> told;

    // On the executor. Afterwards nothing of it is touched any more.
    void leave() {
        const std::lock_guard lock(mutex_);
        wake_ = nullptr;
    }
    // From any thread.
    static void tell(const std::shared_ptr<name_question>& shared, looked_up found) {
        const std::lock_guard lock(shared->mutex_);
        if (shared->wake_ == nullptr) return;
        asio::post(shared->executor_, [shared, found = std::move(found)]() mutable {
            if (shared->wake_ == nullptr) return;
            shared->told = std::move(found);
            shared->wake_->cancel();
        });
    }

 private:
    asio::any_io_executor executor_;
    std::mutex mutex_;
    asio::steady_timer* wake_;  // null: nobody waits any more; changed on the executor only
};

// Leaves whatever way the waiting coroutine ends.
struct waiting {
    explicit waiting(const asio::any_io_executor& ex) : wake(ex), shared(std::make_shared<name_question>(ex, wake)) {}
    ~waiting() { shared->leave(); }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    asio::steady_timer wake;
    std::shared_ptr<name_question> shared;
};

// The same errors as the resolver of Asio has, which calls getaddrinfo() too, but on a thread that its event loop must
// join: whoever stops would wait for a name server that does not answer.
looked_up ask_system(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(failed == 0 ? list : nullptr, ::freeaddrinfo);
    looked_up out;
    if (failed == EAI_SYSTEM)
        out.error = {errno, boost::system::system_category()};
    else if (failed == EAI_AGAIN)
        out.error = asio::error::host_not_found_try_again;
    else if (failed == EAI_MEMORY)
        out.error = asio::error::no_memory;
    else if (failed == EAI_FAIL)
        out.error = asio::error::no_recovery;
    else if (failed != 0)
        out.error = asio::error::host_not_found;
    for (const auto* at = owned.get(); at != nullptr; at = at->ai_next) {
        tcp::endpoint endpoint;
        if (at->ai_addrlen > endpoint.capacity()) continue;
        endpoint.resize(at->ai_addrlen);
        std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
        endpoint.port(port);
        out.found.push_back(endpoint);
    }
    return out;
}

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
    waiting here(ex);
    here.wake.expires_after(limit);
    resolved r;
    // getaddrinfo() cannot be interrupted. When its time is up it is left behind with its thread.
    try {
        std::thread([shared = here.shared, host = at.host, port = at.port] {
            try {
                name_question::tell(shared, ask_system(host, port));
            } catch (const std::bad_alloc&) {
                return;  // the waiter's time runs out
            }
        }).detach();
    } catch (const std::system_error& e) {
        r.error = e.code();
        co_return r;
    }
    boost::system::error_code woken;
    co_await here.wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (here.shared->told) {
        r.error = here.shared->told->error;
        r.endpoints = alternating(here.shared->told->found);
    } else {
        r.error = woken ? asio::error::operation_aborted : asio::error::timed_out;
    }
    co_return r;
}

}  // namespace taskbarge::client
