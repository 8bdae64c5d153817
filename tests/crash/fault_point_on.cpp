// The body of core::fault_point() that tests link: kills or stops the process where it is told to.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::core {
namespace {

struct order {
    std::string name;
    long hit = 1;
};

order read_order(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return {};
    const std::string all(text);
    const auto colon = all.find(':');
    if (colon == std::string::npos) return {all, 1};
    return {all.substr(0, colon), std::strtol(all.c_str() + colon + 1, nullptr, 10)};
}

}  // namespace

void fault_point(const char* name) {
    static const order to_kill = read_order("TASKBARGE_KILL_AT"), to_stop = read_order("TASKBARGE_STOP_AT");
    static std::atomic<long> kill_hits{0}, stop_hits{0};
    if (to_kill.name == name && ++kill_hits == to_kill.hit) ::kill(::getpid(), SIGKILL);
    if (to_stop.name == name && ++stop_hits == to_stop.hit) ::kill(::getpid(), SIGSTOP);
}

}  // namespace taskbarge::core
