// One reading of both clocks: turns a time of one into a time of the other.
#pragma once

#include <chrono>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::job {

struct moment {
    core::instant wall{};
    steady_time steady{};

    static moment of(const core::clock& clock) { return {clock.now(), clock.steady_now()}; }

    core::instant to_wall(steady_time t) const {
        return wall + std::chrono::ceil<std::chrono::milliseconds>(t - steady);
    }
    steady_time to_steady(core::instant t) const { return steady + (t - wall); }
};

}  // namespace taskbarge::job
