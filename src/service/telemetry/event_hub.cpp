#include "service/telemetry/event_hub.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace taskbarge::service {

namespace asio = boost::asio;

namespace {
constexpr std::size_t most_kept = 1000;
constexpr std::size_t most_waiting = 1000;
}  // namespace

void event_hub::publish(std::string type, core::job_id job, std::string data) {
    asio::post(executor_,
               [this, e = event{0, std::move(type), job, std::move(data)}]() mutable { spread(std::move(e)); });
}

void event_hub::spread(event e) {
    e.id = ++last_id_;
    for (listener* l : listeners_)
        l->add(e);
    kept_.push_back(std::move(e));
    if (kept_.size() > most_kept) kept_.pop_front();
}

void event_hub::wake() {
    for (listener* l : listeners_)
        l->bell_.cancel();
}

event_hub::listener::listener(event_hub& hub, std::optional<std::uint64_t> after)
    : hub_(hub), place_(hub.listeners_.insert(hub.listeners_.end(), this)), bell_(hub.executor_) {
    if (!after) return;
    if (*after > hub.last_id_) after = 0;  // of an earlier process: its numbers mean nothing here
    for (const event& e : hub.kept_)
        if (e.id > *after) waiting_.push_back(e);
    if (!waiting_.empty() && *after != 0) lost_ = waiting_.front().id - *after - 1;
}

event_hub::listener::~listener() {
    hub_.listeners_.erase(place_);
}

void event_hub::listener::add(const event& e) {
    waiting_.push_back(e);
    if (waiting_.size() > most_waiting) {
        waiting_.pop_front();
        ++lost_;
    }
    bell_.cancel();
}

asio::awaitable<std::optional<event>> event_hub::listener::next(std::chrono::milliseconds patience) {
    if (waiting_.empty()) {
        bell_.expires_after(patience);
        boost::system::error_code rung;
        co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
    if (waiting_.empty()) co_return std::nullopt;
    event e = std::move(waiting_.front());
    waiting_.pop_front();
    co_return std::optional<event>(std::move(e));
}

}  // namespace taskbarge::service
