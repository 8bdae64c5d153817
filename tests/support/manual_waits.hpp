// Waits that end when a test says so: time moves to the next of them as soon as nothing else is to do.
#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <map>

#include "support/manual_clock.hpp"
#include "taskbarge/async/waits.hpp"

namespace taskbarge::testing {

class manual_waits final : public async::waits {
 public:
    explicit manual_waits(manual_clock& clock) : clock_(clock) {}

    void begin(boost::asio::steady_timer& timer, time_point until) override {
        timer.expires_at(time_point::max());
        under_way_[&timer] = until;
    }
    void end(boost::asio::steady_timer& timer) override { under_way_.erase(&timer); }

    // Moves the clock to the end of the wait that is over first, and ends it. False: nobody waits for a time.
    bool end_next() {
        const auto next = std::min_element(under_way_.begin(), under_way_.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        if (next == under_way_.end()) return false;
        const auto now = clock_.steady_now();
        if (next->second > now) clock_.advance(std::chrono::ceil<std::chrono::milliseconds>(next->second - now));
        ++ended_;
        next->first->cancel();
        return true;
    }
    // The timers are gone.
    void forget() { under_way_.clear(); }
    // How many waits have ended by the passing of time.
    std::size_t ended() const { return ended_; }

 private:
    manual_clock& clock_;
    std::map<boost::asio::steady_timer*, time_point> under_way_;
    std::size_t ended_ = 0;
};

}  // namespace taskbarge::testing
