// Asking a run to stop, in two steps: ask (finish what is in flight), then force.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

namespace taskbarge::job {

enum class stop_level : int { none = 0, asked = 1, forced = 2 };

// How an end is asked for: of a process, which will not wait for ever for requests in flight, or of a run within a
// process that goes on, and can wait for them as long as they may take.
enum class stop_haste : std::uint8_t { process_ends, process_goes_on };

// Shared by whoever notices the signal and the run that obeys it. All members may be called from any thread (not from
// a signal handler: a thread that waits for signals calls request()).
class stop_control {
 public:
    // First call: asked. A later one for the end of the process: forced, unless that end was not asked for before.
    // Calls the listener, if any, after a change.
    void request(stop_haste haste = stop_haste::process_ends);
    stop_level level() const { return level_.load(); }
    // Whether the process is to end: requests in flight are given send.grace_time then.
    bool process_ends() const { return process_ends_.load(); }
    // One listener at a time; an empty function removes it. Called at once if a stop was asked for already.
    void listen(std::function<void(stop_level)> listener);

 private:
    std::atomic<stop_level> level_{stop_level::none};
    std::atomic<bool> process_ends_{false};
    std::mutex mutex_;
    std::function<void(stop_level)> listener_;
};

}  // namespace taskbarge::job
