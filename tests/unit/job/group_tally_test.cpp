#include "job/planning/group_tally.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <string>

namespace taskbarge::job {
namespace {

core::task_view details(std::string_view note, std::string_view user = "u", core::task_type type = {}) {
    core::task_view v;
    v.user_id = user;
    v.note = note;
    v.type = type;
    return v;
}

TEST(GroupTally, NotesThatDifferAreSaidToCostTheirRequests) {
    group_tally tally(100);
    tally.add_group(details("hello"));
    tally.add_rows(1, 100);
    tally.add_rows(1, 100);
    for (core::group_number g = 2; g <= 801; ++g) {
        tally.add_group(details("hello " + std::to_string(g)));
        tally.add_rows(g, 1);
    }
    const auto splitters = tally.splitters();
    ASSERT_EQ(splitters.size(), 1u);
    EXPECT_EQ(splitters[0].field, "note");
    EXPECT_EQ(splitters[0].distinct, 801u);
    EXPECT_EQ(splitters[0].requests_without, 10u);
    EXPECT_EQ(splitters[0].rows_differing, 800u);
}

TEST(GroupTally, OfSeveralFieldsTheMostExpensiveComesFirst) {
    group_tally tally(10);
    core::group_number g = 0;
    for (const char* user : {"a", "b"})
        for (const char* note : {"1", "2", "3"}) {
            tally.add_group(details(note, user));
            tally.add_rows(++g, 5);
        }
    const auto splitters = tally.splitters();
    ASSERT_EQ(splitters.size(), 2u);
    EXPECT_EQ(splitters[0].field, "user_id");
    EXPECT_EQ(splitters[0].requests_without, 3u);
    EXPECT_EQ(splitters[0].rows_differing, 15u);
    EXPECT_EQ(splitters[1].field, "note");
    EXPECT_EQ(splitters[1].requests_without, 4u);
    EXPECT_EQ(splitters[1].rows_differing, 20u);
}

TEST(GroupTally, LargestAreInOrderAndEqualOnesAsTheyCame) {
    group_tally tally(10);
    const std::uint64_t rows[] = {3, 25, 3, 7};
    for (core::group_number g = 1; g <= 4; ++g) {
        tally.add_group(details(std::to_string(g)));
        tally.add_rows(g, rows[g - 1]);
    }
    const auto largest = tally.largest(3);
    ASSERT_EQ(largest.size(), 3u);
    EXPECT_EQ(largest[0].rows, 25u);
    EXPECT_EQ(largest[0].requests, 3u);
    EXPECT_EQ(largest[1].group, 4u);
    EXPECT_EQ(largest[2].group, 1u);
    EXPECT_EQ(tally.largest(10).size(), 4u);
    EXPECT_TRUE(tally.largest(0).empty());
}

TEST(GroupTally, AGroupThatComesLateIsAmongTheLargest) {
    group_tally tally(10);
    constexpr core::group_number groups = 50'000;
    for (core::group_number g = 1; g <= groups; ++g) {
        tally.add_group(details("x"));
        tally.add_rows(g, g == groups ? 2 : 1);
    }
    const auto largest = tally.largest(2);
    ASSERT_EQ(largest.size(), 2u);
    EXPECT_EQ(largest[0].group, groups);
    EXPECT_EQ(largest[1].group, 1u);
}

// A note of 512 KiB for each of 64 groups: none of them is kept.
TEST(GroupTally, LongNotesTakeNoMemory) {
    const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
    group_tally tally(10);
    std::string note(512 << 10, 'x');
    const auto before = in_use();
    for (core::group_number g = 1; g <= 64; ++g) {
        note[0] = static_cast<char>(g);
        tally.add_group(details(note));
        tally.add_rows(g, 1);
    }
    EXPECT_LT(in_use(), before + (1u << 20));
}

TEST(GroupTally, SizesAreCountedByTens) {
    group_tally tally(100);
    const std::uint64_t rows[] = {1, 1, 2, 9, 10, 99, 1000};
    for (core::group_number g = 1; g <= 7; ++g) {
        tally.add_group(details(std::to_string(g)));
        tally.add_rows(g, rows[g - 1]);
    }
    const auto sizes = tally.sizes();
    ASSERT_EQ(sizes.size(), 4u);
    EXPECT_EQ(sizes[0].to, 1u);
    EXPECT_EQ(sizes[0].groups, 2u);
    EXPECT_EQ(sizes[1].from, 2u);
    EXPECT_EQ(sizes[1].to, 9u);
    EXPECT_EQ(sizes[1].rows, 11u);
    EXPECT_EQ(sizes[2].groups, 2u);
    EXPECT_EQ(sizes[3].from, 1000u);
    EXPECT_EQ(sizes[3].to, 9999u);
    EXPECT_EQ(sizes[3].requests, 10u);
}

TEST(GroupTally, ManyGroupsAreReckonedFromTheFirst) {
    group_tally tally(100);
    constexpr core::group_number groups = 600'000;
    std::string note;
    for (core::group_number g = 1; g <= groups; ++g) {
        note = std::to_string(g);
        tally.add_group(details(note));
        tally.add_rows(g, 1);
    }
    const auto splitters = tally.splitters();
    ASSERT_EQ(splitters.size(), 1u);
    EXPECT_EQ(splitters[0].requests_without, groups / 100);
    EXPECT_NEAR(static_cast<double>(splitters[0].rows_differing), static_cast<double>(groups), 10.0);
    EXPECT_EQ(tally.sizes().at(0).groups, groups);
}

TEST(GroupTally, NothingIsTold) {
    const group_tally tally(100);
    EXPECT_TRUE(tally.largest(10).empty());
    EXPECT_TRUE(tally.sizes().empty());
    EXPECT_TRUE(tally.splitters().empty());
}

}  // namespace
}  // namespace taskbarge::job
