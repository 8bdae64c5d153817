#include "sandbox/fixed_windows.hpp"

#include <algorithm>

namespace taskbarge::sandbox {

namespace chrono = std::chrono;

void fixed_windows::close_ended(time_point now) {
    for (std::size_t i = 0; i < 3; ++i) {
        if (opened_[i] && now - *opened_[i] >= lengths_[i]) {
            opened_[i].reset();
            used_[i] = 0;
        }
    }
}

std::optional<fixed_windows::shut_window> fixed_windows::take(time_point now) {
    close_ended(now);
    std::optional<shut_window> shut;
    for (std::size_t i = 0; i < 3; ++i) {
        if (limits_[i] == 0 || used_[i] < limits_[i]) continue;
        const auto ends_in = chrono::ceil<chrono::milliseconds>(*opened_[i] + lengths_[i] - now);
        if (!shut || ends_in > shut->reopens_in) {
            shut = shut_window{core::all_window_kinds[i], limits_[i], ends_in};
        }
    }
    if (shut) return shut;
    for (std::size_t i = 0; i < 3; ++i) {
        if (!opened_[i]) opened_[i] = now;
        ++used_[i];
        most_used_[i] = std::max(most_used_[i], used_[i]);
    }
    return std::nullopt;
}

void fixed_windows::spend(std::uint64_t requests) {
    for (std::size_t i = 0; i < 3; ++i) {
        if (opened_[i]) used_[i] += requests;
    }
}

window_usage fixed_windows::usage(time_point now) {
    close_ended(now);
    return {limits_, used_};
}

}  // namespace taskbarge::sandbox
