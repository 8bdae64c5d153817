#include "reader/text.hpp"

#include <gtest/gtest.h>

namespace taskbarge::reader {
namespace {

TEST(TextArena, TextsStayWhereTheyAreWhileMoreAreTaken) {
    text_arena arena;
    const std::string_view first = arena.keep("first");
    for (int i = 0; i < 10'000; ++i)
        arena.keep("another text of some length");
    EXPECT_EQ(first, "first");
}

TEST(TextArena, TextLargerThanAChunkFits) {
    text_arena arena;
    const std::string large(1 << 20, 'x');
    EXPECT_EQ(arena.keep(large), large);
    EXPECT_EQ(arena.keep("small"), "small");
}

TEST(TextArena, ClearedArenaIsUsedAgain) {
    text_arena arena;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 10'000; ++i)
            EXPECT_EQ(arena.keep("some text"), "some text");
        EXPECT_EQ(arena.bytes(), 90'000u);
        arena.clear();
        EXPECT_EQ(arena.bytes(), 0u);
    }
}

TEST(Text, TrimmedDropsBlanksAndNoBreakSpacesAtBothEnds) {
    EXPECT_EQ(trimmed(" \t\xC2\xA0 a b \xC2\xA0\t"), "a b");
    EXPECT_EQ(trimmed("  "), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Text, TrimmedDropsWhatDoesNotShow) {
    EXPECT_EQ(trimmed("\xE2\x80\x8B \xEF\xBB\xBF"
                      "a\xE2\x80\x8B"
                      "b\xC2\xAD\xE2\x80\xAF"),
              "a\xE2\x80\x8B"
              "b");
    EXPECT_EQ(trimmed("\xC3\xBC"), "\xC3\xBC");
    EXPECT_EQ(trimmed("\x80\xE2\x80"), "\x80\xE2\x80");  // no valid text
}

TEST(Text, ShownNamesWhatDoesNotShow) {
    EXPECT_EQ(shown("a\xE2\x80\x8B"
                    "b\xC2\xA0"
                    "c"),
              "\"a<U+200B>b<U+00A0>c\"");
    EXPECT_EQ(shown("c\xD0\xB0ll \xD0\xB7\xD0\xB2"), "\"c<U+0430>ll \xD0\xB7\xD0\xB2\"");
    EXPECT_EQ(shown("M\xC3\xBCller \xE2\x80\x93 Jane\xE2\x80\x99s"),
              "\"M\xC3\xBCller \xE2\x80\x93 Jane\xE2\x80\x99s\"");
}

TEST(Text, ShownIsOneLineAndCutBetweenCharacters) {
    EXPECT_EQ(shown("a\nb"), "\"a.b\"");
    const std::string umlauts = "x" + [] {
        std::string s;
        for (int i = 0; i < 40; ++i)
            s += "\xC3\xBC";
        return s;
    }();
    const std::string cut = shown(umlauts);
    EXPECT_EQ(cut.size(), 1 + 59 + 3 + 1u);
    EXPECT_TRUE(cut.ends_with("\xC3\xBC…\""));
}

TEST(Text, ShellQuotedSurvivesQuotes) {
    EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

TEST(Text, ListedJoinsTheLastWithAWord) {
    const std::vector<std::string> three{"a", "b", "c"};
    EXPECT_EQ(listed(three), "a, b and c");
    EXPECT_EQ(listed(std::span(three).first(1)), "a");
    EXPECT_EQ(listed(std::span(three).first(2), " or "), "a or b");
}

TEST(Text, NearestNeedsFewestChanges) {
    const std::vector<std::string> known{"ann@example.com", "bob@example.com"};
    EXPECT_EQ(nearest("bub@example.com", known), "bob@example.com");
    EXPECT_EQ(nearest("x", {}), "");
}

TEST(Text, CharactersAreCountedNotBytes) {
    EXPECT_EQ(count_characters("a\xC3\xBC\xF0\x9F\x98\x80"), 3u);
}

}  // namespace
}  // namespace taskbarge::reader
