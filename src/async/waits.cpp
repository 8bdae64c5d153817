#include "taskbarge/async/waits.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace taskbarge::async {

namespace asio = boost::asio;

namespace {

class machine_waits final : public waits {
 public:
    void begin(asio::steady_timer& timer, time_point until) override { timer.expires_at(until); }
    void end(asio::steady_timer&) override {}
};

}  // namespace

waits& real_waits() {
    static machine_waits machine;
    return machine;
}

asio::awaitable<void> wake_bell::sleep_until(waits::time_point until) {
    if (!std::exchange(rung_, false)) {
        waits_.begin(timer_, until);
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        waits_.end(timer_);
        rung_ = false;
    }
}

void wake_bell::ring() {
    rung_ = true;
    timer_.cancel();
}

}  // namespace taskbarge::async
