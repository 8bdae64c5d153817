#include "taskbarge/job/stop_control.hpp"

namespace taskbarge::job {

void stop_control::request(stop_haste haste) {
    const std::lock_guard lock(mutex_);
    const bool ends = haste == stop_haste::process_ends;
    if (level_.load() == stop_level::none)
        level_.store(stop_level::asked);
    else if (ends && process_ends_.load())
        level_.store(stop_level::forced);
    if (ends) process_ends_.store(true);
    if (listener_) listener_(level_.load());
}

void stop_control::listen(std::function<void(stop_level)> listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
    const auto now = level_.load();
    if (listener_ && now != stop_level::none) listener_(now);
}

}  // namespace taskbarge::job
