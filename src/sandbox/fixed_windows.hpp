// The three rate windows of one route as Apollo keeps them: fixed, opened by the first request, not aligned to a clock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "taskbarge/core/rate_window.hpp"

namespace taskbarge::sandbox {

// By core::window_kind. A limit of 0 means unlimited.
struct window_usage {
    std::array<std::uint64_t, 3> limits{};
    std::array<std::uint64_t, 3> used{};
    std::uint64_t left(std::size_t i) const { return limits[i] > used[i] ? limits[i] - used[i] : 0; }
};

class fixed_windows {
 public:
    using time_point = std::chrono::steady_clock::time_point;

    fixed_windows(const std::array<std::uint64_t, 3>& limits, const std::array<std::chrono::milliseconds, 3>& lengths)
        : limits_(limits), lengths_(lengths) {}

    struct shut_window {
        core::window_kind kind;
        std::uint64_t limit;
        std::chrono::milliseconds reopens_in;
    };
    // Counts one request, unless a window is exhausted: then nothing is counted and the window that reopens last is
    // named.
    std::optional<shut_window> take(time_point now);
    // Counts what others of the team spent, into open windows and past any limit.
    void spend(std::uint64_t requests);
    window_usage usage(time_point now);
    const std::array<std::uint64_t, 3>& most_used() const { return most_used_; }

 private:
    void close_ended(time_point now);

    std::array<std::uint64_t, 3> limits_;
    std::array<std::chrono::milliseconds, 3> lengths_;
    std::array<std::optional<time_point>, 3> opened_;
    std::array<std::uint64_t, 3> used_{};
    std::array<std::uint64_t, 3> most_used_{};
};

}  // namespace taskbarge::sandbox
