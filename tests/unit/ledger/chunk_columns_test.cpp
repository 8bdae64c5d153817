#include "ledger/chunk_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace taskbarge::ledger {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string id_1 = "66302798d03b9601c7934ebf", id_2 = "ffffffffffffffffffffffff";

std::vector<std::string> read(std::string_view stored, bool is_blob) {
    std::vector<std::string> out;
    id_cursor cursor(stored, is_blob);
    for (std::string_view id; cursor.next(id);)
        out.emplace_back(id);
    return out;
}

TEST(ChunkColumns, ObjectIdsTakeTwelveBytesEach) {
    const auto stored = stored_ids(core::id_list{id_1, "", id_2});
    EXPECT_TRUE(stored.is_blob);
    EXPECT_EQ(stored.bytes.size(), 36u);
    EXPECT_THAT(read(stored.bytes, true), ElementsAre(id_1, "", id_2));
}

TEST(ChunkColumns, OtherIdsComeBackAsTheyWere) {
    for (const std::string odd : {"66302798D03B9601C7934EBF", "000000000000000000000000", "short", "with \"quotes\""}) {
        const auto stored = stored_ids(core::id_list{id_1, odd, ""});
        EXPECT_FALSE(stored.is_blob) << odd;
        EXPECT_THAT(read(stored.bytes, false), ElementsAre(id_1, odd, ""));
    }
}

TEST(ChunkColumns, DamagedIdsEndEarly) {
    const auto stored = stored_ids(core::id_list{id_1, id_2});
    EXPECT_THAT(read(std::string_view(stored.bytes).substr(0, 23), true), ElementsAre(id_1));
    EXPECT_THAT(read("", true), IsEmpty());
    EXPECT_THAT(read("", false), IsEmpty());
}

void expect_back(const core::chunk_rows& rows, const char* stored_rows_are, const char* stored_lines_are) {
    EXPECT_EQ(stored_rows(rows), stored_rows_are);
    EXPECT_EQ(stored_lines(rows), stored_lines_are);
    const std::string numbers = stored_rows(rows), lines = stored_lines(rows);
    row_cursor cursor(numbers, lines);
    core::row_number row = 0;
    std::uint64_t line = 0;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        ASSERT_TRUE(cursor.next(row, line));
        EXPECT_EQ(row, rows.rows[i]);
        EXPECT_EQ(line, rows.lines[i]);
    }
    EXPECT_FALSE(cursor.next(row, line));
}

TEST(ChunkColumns, RowsAndLinesComeBack) {
    expect_back({{}, {7}, {8}}, "[7]", "[1]");
    expect_back({{}, {1000, 1002, 1100}, {1001, 1003, 1101}}, "[1000,2,100]", "[1]");
    expect_back({{}, {1000, 1002, 1100}, {1001, 1003, 1104}}, "[1000,2,100]", "[1,1,4]");
    expect_back({{}, {1000, 1002, 1100}, {900, 2, 100}}, "[1000,2,100]", "[-100,-1000,-1000]");
    expect_back({{}, {1, 4'294'967'295}, {std::uint64_t{1} << 40, (std::uint64_t{1} << 40) + 9}}, "[1,4294967294]",
                "[1099511627775,1095216660490]");
}

TEST(RowSpan, NeverPassesOverARow) {
    const std::vector<std::vector<core::row_number>> chunks = {
        {1}, {7, 8}, {1, 64}, {1, 65}, {3, 1000, 1001, 5'000'000}, {10, 20, 30, 40, 90, 91, 92, 73'000}};
    for (const auto& rows : chunks) {
        core::chunk_rows chunk;
        chunk.rows = rows;
        const row_span span(chunk);
        EXPECT_EQ(span.next_after(rows.back()), std::nullopt);
        for (const auto row : rows) {
            for (const auto after :
                 {core::row_number{0}, row - 1, row / 2, row - std::min<core::row_number>(row, 70)}) {
                const auto next = span.next_after(after);
                ASSERT_TRUE(next) << row << " after " << after;
                EXPECT_LE(*next, *std::upper_bound(rows.begin(), rows.end(), after)) << row << " after " << after;
                EXPECT_GT(*next, after);
            }
        }
    }
}

TEST(RowSpan, PassesOverWhatHasNothingThere) {
    core::chunk_rows chunk;
    chunk.rows = {1, 2, 6400};
    EXPECT_EQ(row_span(chunk).next_after(200), 6301u) << "the part that the last row is in";
}

}  // namespace
}  // namespace taskbarge::ledger
