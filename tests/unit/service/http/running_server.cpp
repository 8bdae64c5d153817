#include "running_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <utility>

namespace taskbarge::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;
namespace http = service::http;

namespace {
constexpr auto patience = 20s;
}

http::server_options quick_options() {
    http::server_options options;
    options.listen = "127.0.0.1:0";
    return options;
}

running_server::running_server(http::handler handle, http::server_options options) {
    auto note = [this](const http::served& s) {
        const std::lock_guard lock(mutex_);
        notes_.push_back(s);
        changed_.notify_all();
    };
    server_ = http::server::open(io_.get_executor(), std::move(options), std::move(handle), note).value();
    where_ = server_->where();
    auto done = [this](std::exception_ptr e) {
        const std::lock_guard lock(mutex_);
        error_ = std::move(e);
        ended_ = true;
        changed_.notify_all();
    };
    asio::co_spawn(io_, server_->run(), asio::bind_cancellation_slot(cancel_.slot(), done));
    thread_ = std::thread([this] { io_.run(); });
}

running_server::~running_server() {
    cancel();
    wait_for_end();
    io_.stop();
    thread_.join();
}

std::uint16_t running_server::port() const {
    return static_cast<std::uint16_t>(std::stoul(where_.substr(where_.rfind(':') + 1)));
}

void running_server::on_loop(const std::function<void()>& f) {
    std::promise<void> done;
    asio::post(io_, [&] {
        f();
        done.set_value();
    });
    done.get_future().wait();
}

bool running_server::wait_until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + patience;
    bool so = false;
    while (!so && std::chrono::steady_clock::now() < end)
        on_loop([&] { so = is_so(); });
    return so;
}

std::size_t running_server::connections() {
    std::size_t count = 0;
    on_loop([&] { count = server_->connections(); });
    return count;
}

void running_server::ask_to_stop() {
    asio::post(io_, [this] { server_->stop(); });
}

void running_server::cancel() {
    asio::post(io_, [this] { cancel_.emit(asio::cancellation_type::terminal); });
}

bool running_server::wait_for_end() {
    std::unique_lock lock(mutex_);
    const bool ended = changed_.wait_for(lock, patience, [&] { return ended_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return ended;
}

std::vector<http::served> running_server::notes(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return notes_.size() >= count; });
    return notes_;
}

asio::awaitable<void> gate::pass() {
    if (open_) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    waiting_.push_back(&timer);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    std::erase(waiting_, &timer);
}

void gate::open() {
    open_ = true;
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

}  // namespace taskbarge::testing
