// Asking a run to stop, in two steps: ask (finish what is in flight), then force.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

namespace taskbarge::job {

enum class stop_level : int { none = 0, asked = 1, forced = 2 };

// Shared by whoever notices the signal and the run that obeys it. All members may be called from any thread (not from
// a signal handler: a thread that waits for signals calls request()).
class stop_control {
 public:
    // First call: asked. Second call: forced. Calls the listener, if any, after the change.
    void request();
    stop_level level() const { return level_.load(); }
    // One listener at a time; an empty function removes it. Called at once if a stop was asked for already.
    void listen(std::function<void(stop_level)> listener);

 private:
    std::atomic<stop_level> level_{stop_level::none};
    std::mutex mutex_;
    std::function<void(stop_level)> listener_;
};

}  // namespace taskbarge::job
