#include "cli/text.hpp"

#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
using namespace std::chrono_literals;

TEST(Text, GroupsDigits) {
    EXPECT_EQ(cli::grouped(0), "0");
    EXPECT_EQ(cli::grouped(999), "999");
    EXPECT_EQ(cli::grouped(1000), "1,000");
    EXPECT_EQ(cli::grouped(1234567), "1,234,567");
    EXPECT_EQ(cli::counted(1, "row", "rows"), "1 row");
    EXPECT_EQ(cli::counted(2000, "row", "rows"), "2,000 rows");
}

TEST(Text, SpeaksDurationsInTwoUnitsAtMost) {
    EXPECT_EQ(cli::spoken(-5ms), "0.0 s");
    EXPECT_EQ(cli::spoken(3250ms), "3.2 s");
    EXPECT_EQ(cli::spoken(245s), "4m 05s");
    EXPECT_EQ(cli::spoken(7800s), "2h 10m");
    EXPECT_EQ(cli::spoken(27h), "1d 3h");
}

TEST(Text, LeavesTheDateOutOnTheSameDay) {
    const auto now = *core::parse_rfc3339("2026-11-23T10:00:00Z");
    EXPECT_EQ(cli::clock_time(*core::parse_rfc3339("2026-11-23T14:05:00Z"), now), "14:05:00 UTC");
    EXPECT_EQ(cli::clock_time(*core::parse_rfc3339("2026-11-24T14:05:00Z"), now), "2026-11-24 14:05:00 UTC");
}

TEST(Text, SpeaksSizes) {
    EXPECT_EQ(cli::spoken_bytes(999), "999 bytes");
    EXPECT_EQ(cli::spoken_bytes(897'100'000), "897.1 MB");
}

TEST(Text, ForATerminalHoldsNoControlCharactersAndIsCutBetweenCharacters) {
    EXPECT_EQ(cli::printable("a\x1b[2Jb\nc\x7F"), "a [2Jb c ");
    EXPECT_EQ(cli::printable("a\xC2\x9B\x32Jb\xC2\x85"
                             "c\xC2\xA0\xC2"),
              "a 2Jb c\xC2\xA0\xC2");
    EXPECT_EQ(cli::printable("abcdef", 3), "abc...");
    EXPECT_EQ(cli::printable("ab\xC3\xA9z", 3), "ab...");
    EXPECT_EQ(cli::printable("Zoë"), "Zoë");
}

TEST(Text, IsWrappedBetweenWords) {
    EXPECT_EQ(cli::wrapped("one two three", 80), "one two three");
    EXPECT_EQ(cli::wrapped("one two three", 7), "one two\nthree");
    EXPECT_EQ(cli::wrapped("one two three", 9, 4), "one\n    two\n    three") << "a word that is longer stays whole";
    EXPECT_EQ(cli::wrapped("one  two ", 80), "one two");
    EXPECT_EQ(cli::wrapped("", 80), "");
}

TEST(Text, SpeaksDurationsBriefly) {
    EXPECT_EQ(cli::spoken_briefly(-1s), "0 s");
    EXPECT_EQ(cli::spoken_briefly(14'900ms), "14 s");
    EXPECT_EQ(cli::spoken_briefly(70s), "70 s");
    EXPECT_EQ(cli::spoken_briefly(200s), "3m");
    EXPECT_EQ(cli::spoken_briefly(7800s), "2h");
    EXPECT_EQ(cli::spoken_briefly(50h), "2d");
}

TEST(Text, QuotesShellWordsWhereNeeded) {
    EXPECT_EQ(cli::shell_word("/a/b-c.toml"), "/a/b-c.toml");
    EXPECT_EQ(cli::shell_word("a b"), "'a b'");
    EXPECT_EQ(cli::shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(cli::shell_word(""), "''");
}

}  // namespace
