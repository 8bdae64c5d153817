// SIGINT and SIGTERM as requests to stop.
#pragma once

#include <atomic>
#include <csignal>
#include <thread>

#include "taskbarge/job/stop_control.hpp"

namespace taskbarge::cli {

// While it lives, SIGINT and SIGTERM of the process become stop.request(); the second one forces, a third one ends the
// process as if nobody had caught it. Make it before any other thread, so that all inherit the blocked signals, and
// keep it to the end of the program: they stay blocked, so that a late signal does not change the exit code.
class signal_watch {
 public:
    explicit signal_watch(job::stop_control& stop);
    signal_watch(const signal_watch&) = delete;
    signal_watch& operator=(const signal_watch&) = delete;
    ~signal_watch();

 private:
    void run(job::stop_control& stop);
    sigset_t signals_{};
    std::atomic<bool> over_{false};
    std::thread thread_;
};

}  // namespace taskbarge::cli
