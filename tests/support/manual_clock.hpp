// A clock that stands still until a test moves it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "taskbarge/core/instant.hpp"

namespace taskbarge::testing {

// Both clocks move together with advance(); jump() moves the wall clock alone, as an operator or NTP would. May be read
// from any thread.
class manual_clock final : public core::clock {
 public:
    core::instant now() const override { return core::instant(std::chrono::milliseconds(wall_)); }
    std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::time_point(std::chrono::milliseconds(steady_));
    }
    void advance(std::chrono::milliseconds by) {
        wall_ += by.count();
        steady_ += by.count();
    }
    void jump(std::chrono::milliseconds by) { wall_ += by.count(); }

 private:
    std::atomic<std::int64_t> wall_{1'790'000'000'000};  // 2026-09-21T14:13:20Z
    std::atomic<std::int64_t> steady_{3'600'000};
};

}  // namespace taskbarge::testing
