#include "client/https_pool.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace taskbarge::client {

namespace asio = boost::asio;

namespace {

asio::awaitable<bool> is_stopped() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

connect_problem stopped() {
    return {"stopped", "stopped before the request was sent"};
}

}  // namespace

// Somebody who waits for a place, on its own coroutine's frame.
struct https_pool::waiting {
    explicit waiting(const asio::any_io_executor& ex) : wake(ex, asio::steady_timer::time_point::max()) {}
    asio::steady_timer wake;
    bool granted = false;
};

// The right to use one connection.
class https_pool::place {
 public:
    explicit place(https_pool& pool) : pool_(pool) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { pool_.leave_place(); }

 private:
    https_pool& pool_;
};

https_pool::https_pool(asio::any_io_executor ex, connection_plan plan, std::size_t size,
                       std::chrono::milliseconds connection_age)
    : ex_(std::move(ex)), plan_(std::move(plan)), free_places_(size), connection_age_(connection_age) {}

asio::awaitable<bool> https_pool::wait_for_place() {
    if (co_await is_stopped()) co_return false;  // a wait that begins now would not hear of it
    if (free_places_ > 0) {
        --free_places_;
        co_return true;
    }
    waiting self(ex_);
    const auto where = queue_.insert(queue_.end(), &self);
    boost::system::error_code woken;
    co_await self.wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    // Granted and stopped at once: the place is ours to give back, which the caller does.
    if (!self.granted) queue_.erase(where);
    co_return self.granted;
}

void https_pool::leave_place() {
    if (queue_.empty()) {
        ++free_places_;
        return;
    }
    waiting* const next = queue_.front();
    queue_.pop_front();
    next->granted = true;
    next->wake.cancel();
}

asio::awaitable<exchange> https_pool::send(std::string_view request, async::outer_stop stop, const examiner& examine) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    exchange x;
    co_await send_by_value(request, stop, examine, x);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return x;
}

asio::awaitable<void> https_pool::send_by_value(std::string_view request, async::outer_stop stop,
                                                const examiner& examine, exchange& x) {
    if (!co_await wait_for_place()) {
        not_sent(x, stopped());
        (void)examine(x);
        co_return;
    }
    const place mine(*this);
    const std::uint64_t closings = closings_;
    auto link = co_await get_connection(x);
    if (link && co_await is_stopped())
        not_sent(x, stopped());
    else if (link)
        co_await link->exchange_once(request, stop, x);
    const bool clear_success = examine(x);
    if (!link) co_return;
    link->answer_done();
    if (clear_success && closings == closings_ && link->reusable()) idle_.push_back(std::move(link));
}

// An idle one, or a new one. Nothing: it could not be opened.
asio::awaitable<std::unique_ptr<connection>> https_pool::get_connection(exchange& x) {
    if (co_await is_stopped()) {
        not_sent(x, stopped());
        co_return nullptr;
    }
    auto link = take_idle();
    if (link) co_return link;
    const auto began = connection::clock::now();
    link = std::make_unique<connection>(ex_, plan_, ++connections_);
    auto problem = co_await link->open();
    if (!problem) co_return link;
    not_sent(x, std::move(*problem));
    x.took = std::chrono::duration_cast<std::chrono::milliseconds>(connection::clock::now() - began);
    co_return nullptr;
}

std::unique_ptr<connection> https_pool::take_idle() {
    const auto now = connection::clock::now();
    while (!idle_.empty()) {
        auto link = std::move(idle_.back());
        idle_.pop_back();
        if (now - link->opened_at() < connection_age_ && link->usable(now)) return link;
    }
    return nullptr;
}

void https_pool::close() {
    ++closings_;
    idle_.clear();
}

}  // namespace taskbarge::client
