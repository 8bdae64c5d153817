#include "taskbarge/core/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace taskbarge::core {
namespace {

TEST(Text, OnlyAsciiLettersBecomeLower) {
    EXPECT_EQ(lower_case("Ada-1 ÄÖ"), "ada-1 ÄÖ");
    EXPECT_TRUE(equal_ignoring_case("Chunked", "cHUNKED"));
    EXPECT_FALSE(equal_ignoring_case("chunked", "chunke"));
    EXPECT_FALSE(equal_ignoring_case("@", "`")) << "32 apart, as letters are";
}

TEST(Text, TrimmedHasNothingAroundIt) {
    EXPECT_EQ(trimmed(" \tone two\t "), "one two");
    EXPECT_EQ(trimmed("one"), "one");
    EXPECT_EQ(trimmed(" \t "), "");
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed("\nx\n", "\n"), "x");
}

TEST(Text, CutsBeforeACharacter) {
    EXPECT_EQ(cut_before_character("abc", 3), "abc");
    EXPECT_EQ(cut_before_character("abcd", 3), "abc");
    EXPECT_EQ(cut_before_character("aé", 2), "a") << "two bytes, of which one fits";
    EXPECT_EQ(cut_before_character("aéb", 3), "aé") << "a whole character stays";
    EXPECT_EQ(cut_before_character("\x80\x80\x80", 2), "") << "no UTF-8: there is no character to cut before";
}

TEST(Text, HexHasTwoDigitsAByte) {
    EXPECT_EQ(hex(std::array<unsigned char, 3>{0x00, 0x0a, 0xff}), "000aff");
    EXPECT_EQ(hex({}), "");
}

}  // namespace
}  // namespace taskbarge::core
