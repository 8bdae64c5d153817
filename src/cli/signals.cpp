#include "cli/signals.hpp"

#include <pthread.h>
#include <unistd.h>

namespace taskbarge::cli {

namespace {

// Makes the watching thread look whether it is over.
constexpr int wake = SIGUSR2;

}  // namespace

signal_watch::signal_watch(job::stop_control& stop) {
    sigemptyset(&signals_);
    for (const int s : {SIGINT, SIGTERM, wake}) {
        sigaddset(&signals_, s);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this, &stop] { run(stop); });
}

signal_watch::~signal_watch() {
    over_ = true;
    pthread_kill(thread_.native_handle(), wake);
    thread_.join();
}

void signal_watch::run(job::stop_control& stop) {
    for (int requests = 0; !over_;) {
        int signal = 0;
        if (sigwait(&signals_, &signal) != 0 || signal == wake) continue;
        if (++requests > 2) {
            std::signal(signal, SIG_DFL);
            sigset_t only;
            sigemptyset(&only);
            sigaddset(&only, signal);
            pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
            ::kill(::getpid(), signal);
        }
        stop.request();
    }
}

}  // namespace taskbarge::cli
