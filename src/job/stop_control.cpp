#include "taskbarge/job/stop_control.hpp"

namespace taskbarge::job {

void stop_control::request() {
    const auto next = level_.load() == stop_level::none ? stop_level::asked : stop_level::forced;
    level_.store(next);
    const std::lock_guard lock(mutex_);
    if (listener_) listener_(next);
}

void stop_control::listen(std::function<void(stop_level)> listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
    const auto now = level_.load();
    if (listener_ && now != stop_level::none) listener_(now);
}

}  // namespace taskbarge::job
