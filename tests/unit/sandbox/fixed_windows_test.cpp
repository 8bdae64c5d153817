#include "sandbox/fixed_windows.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using taskbarge::core::window_kind;
using taskbarge::sandbox::fixed_windows;

namespace {

constexpr std::array<std::chrono::milliseconds, 3> lengths{1min, 1h, 24h};
const fixed_windows::time_point start{100h};

TEST(FixedWindows, OpenWithTheFirstRequestAndNotWithTheClock) {
    fixed_windows w({2, 0, 0}, lengths);
    EXPECT_FALSE(w.take(start + 59s));
    EXPECT_FALSE(w.take(start + 61s));
    const auto shut = w.take(start + 118s);
    ASSERT_TRUE(shut);
    EXPECT_EQ(shut->kind, window_kind::minute);
    EXPECT_EQ(shut->reopens_in, 1s);
    EXPECT_FALSE(w.take(start + 119s));
    EXPECT_EQ(w.usage(start + 119s).used[0], 1u);
}

TEST(FixedWindows, TheWindowThatReopensLastIsNamed) {
    fixed_windows w({1, 1, 0}, lengths);
    EXPECT_FALSE(w.take(start));
    const auto shut = w.take(start + 1s);
    ASSERT_TRUE(shut);
    EXPECT_EQ(shut->kind, window_kind::hour);
    EXPECT_EQ(shut->limit, 1u);
    EXPECT_EQ(shut->reopens_in, 1h - 1s);
}

TEST(FixedWindows, ARefusedRequestIsNotCounted) {
    fixed_windows w({1, 5, 5}, lengths);
    EXPECT_FALSE(w.take(start));
    EXPECT_TRUE(w.take(start));
    EXPECT_EQ(w.usage(start).used, (std::array<std::uint64_t, 3>{1, 1, 1}));
    EXPECT_EQ(w.most_used(), (std::array<std::uint64_t, 3>{1, 1, 1}));
}

TEST(FixedWindows, WhatOthersSpendShutsTheWindowButIsNotOurs) {
    fixed_windows w({3, 0, 0}, lengths);
    EXPECT_FALSE(w.take(start));
    w.spend(5);
    EXPECT_EQ(w.usage(start).left(0), 0u);
    EXPECT_TRUE(w.take(start));
    EXPECT_EQ(w.most_used()[0], 1u);
}

}  // namespace
