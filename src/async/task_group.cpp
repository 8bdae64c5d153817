#include "taskbarge/async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <list>
#include <utility>
#include <vector>

#include "taskbarge/async/deadline.hpp"

namespace taskbarge::async {

namespace asio = boost::asio;

namespace {

bool is_obeyed_stop(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

// Shared with the children's completion handlers, so that one that comes late finds it alive.
struct task_group::state : std::enable_shared_from_this<task_group::state> {
    using signal_ptr = std::shared_ptr<asio::cancellation_signal>;

    explicit state(asio::any_io_executor e) : ex(std::move(e)), changed(ex) {
        changed.expires_at(asio::steady_timer::time_point::max());
    }

    void spawn(asio::awaitable<void> task) {
        if (stopping) return;
        auto where = signals.insert(signals.end(), std::make_shared<asio::cancellation_signal>());
        asio::co_spawn(
            ex, detail::settled(std::move(task)),
            asio::bind_cancellation_slot((*where)->slot(), [self = shared_from_this(), where](std::exception_ptr e) {
                self->ended(where, std::move(e));
            }));
    }

    void ended(std::list<signal_ptr>::iterator where, std::exception_ptr e) {
        signals.erase(where);
        if (e && !(stopping && is_obeyed_stop(e))) {
            if (!first_error) first_error = std::move(e);
            stop();
        }
        if (signals.empty()) changed.cancel();
    }

    void stop() {
        stopping = true;
        // A copy: a child may end, or spawn, while the signal is being emitted.
        const std::vector<signal_ptr> all(signals.begin(), signals.end());
        for (const auto& s : all)
            s->emit(asio::cancellation_type::terminal);
    }

    asio::any_io_executor ex;
    asio::steady_timer changed;  // cancelled when the last child ended
    std::list<signal_ptr> signals;
    std::exception_ptr first_error;
    bool stopping = false;
};

task_group::task_group(asio::any_io_executor ex) : state_(std::make_shared<state>(std::move(ex))) {}

task_group::~task_group() {
    if (!state_->signals.empty()) state_->stop();
}

void task_group::spawn(asio::awaitable<void> task) {
    state_->spawn(std::move(task));
}

void task_group::stop() {
    state_->stop();
}

bool task_group::stopping() const {
    return state_->stopping;
}

std::size_t task_group::running() const {
    return state_->signals.size();
}

asio::awaitable<void> task_group::wait() {
    const auto s = state_;
    const asio::cancellation_state outer = co_await asio::this_coro::cancellation_state;
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!s->signals.empty()) {
        boost::system::error_code ignored;
        if (outer.cancelled() != asio::cancellation_type::none) s->stop();
        co_await s->changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (s->first_error) std::rethrow_exception(std::exchange(s->first_error, nullptr));
}

}  // namespace taskbarge::async
