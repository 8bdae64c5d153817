#include "taskbarge/core/state.hpp"

#include <gtest/gtest.h>

#include <array>

namespace taskbarge::core {
namespace {

TEST(State, RowsAreWhatTheirChunkIs) {
    EXPECT_EQ(row_state_of(chunk_state::planned), row_state::pending);
    EXPECT_EQ(row_state_of(chunk_state::sending), row_state::pending);
    EXPECT_EQ(row_state_of(chunk_state::created), row_state::created);
    EXPECT_EQ(row_state_of(chunk_state::refused), row_state::failed);
    EXPECT_EQ(row_state_of(chunk_state::doubtful), row_state::unknown);
    EXPECT_EQ(row_state_of(chunk_state::split), row_state::unknown);
}

TEST(State, RowWithoutATaskIsNeverTakenForCreated) {
    EXPECT_EQ(state_of_open_row(chunk_state::created, row_state::pending), row_state::unknown);
    EXPECT_EQ(state_of_open_row(chunk_state::sending, row_state::unknown), row_state::unknown);
    EXPECT_EQ(state_of_open_row(chunk_state::sending, row_state::pending), row_state::pending);
}

TEST(State, EachStateOfARowHasItsSum) {
    row_counts sums;
    std::uint64_t rows = 0;
    for (const auto state : {row_state::created, row_state::duplicate, row_state::rejected, row_state::failed,
                             row_state::unknown, row_state::pending}) {
        count_of(sums, state) += ++rows;
    }
    EXPECT_EQ(sums, (row_counts{0, 1, 2, 3, 4, 5, 6, 0, 0, 0}));
}

}  // namespace
}  // namespace taskbarge::core
