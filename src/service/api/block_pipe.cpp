#include "service/api/block_pipe.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace taskbarge::service {

namespace asio = boost::asio;

namespace {
constexpr std::size_t most_blocks = 4;
}

void block_pipe::ring() {
    asio::post(executor_, [self = shared_from_this()] { self->bell_.cancel(); });
}

bool block_pipe::push(std::string block) {
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return closed_ || blocks_.size() < most_blocks; });
        if (closed_) return false;
        blocks_.push_back(std::move(block));
    }
    ring();
    return true;
}

bool block_pipe::wanted() {
    const std::lock_guard lock(mutex_);
    return !closed_;
}

void block_pipe::finish(core::result<void> outcome) {
    {
        const std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
        finished_ = true;
    }
    ring();
}

asio::awaitable<std::optional<std::string>> block_pipe::pop() {
    while (true) {
        std::optional<std::string> block;
        bool over = false;
        {
            const std::lock_guard lock(mutex_);
            if (!blocks_.empty()) {
                block = std::move(blocks_.front());
                blocks_.pop_front();
            }
            over = finished_ || closed_;
            // Before the look is over: a ring that comes now finds the wait begun.
            if (!block && !over) bell_.expires_at(asio::steady_timer::time_point::max());
        }
        if (block) {
            room_.notify_all();
            co_return block;
        }
        if (over) co_return std::nullopt;
        boost::system::error_code rung;
        co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
}

void block_pipe::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    room_.notify_all();
}

}  // namespace taskbarge::service
