#include "reader/csv_frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskbarge::reader {
namespace {

using ::testing::ElementsAre;

struct framed {
    frame_kind kind;
    std::string record;
    std::size_t next;
    std::string problem;
};

framed frame(std::string_view text, char delimiter = ',', input_rest rest = input_rest::complete) {
    const std::string padded = std::string(text) + std::string(scan_padding, '"');
    csv_framer framer(delimiter, 8);
    const csv_frame f = framer.frame(padded.data(), padded.data() + text.size(), rest);
    if (!f.end) return {f.kind, "", 0, std::string(f.problem)};
    return {f.kind, std::string(padded.data(), f.end), static_cast<std::size_t>(f.next - padded.data()), ""};
}

std::vector<std::string> cells(std::string text, char delimiter = ',') {
    std::vector<std::string_view> views;
    EXPECT_TRUE(split_record(text.data(), delimiter, views));
    return {views.begin(), views.end()};
}

TEST(Framing, LineWithoutQuotesIsSplitAtOnce) {
    const std::string text = std::string("a,,c\nnext") + std::string(scan_padding, '\0');
    csv_framer framer(',', 8);
    const csv_frame f = framer.frame(text.data(), text.data() + 9, input_rest::complete);
    EXPECT_EQ(f.kind, frame_kind::simple);
    EXPECT_THAT(framer.cells(), ElementsAre("a", "", "c"));
    EXPECT_EQ(f.next - text.data(), 5);
}

TEST(Framing, CellsPastTheCapacityAreOnlyCounted) {
    const std::string text = std::string("a,b,c,d") + std::string(scan_padding, '\0');
    csv_framer framer(',', 2);
    framer.frame(text.data(), text.data() + 7, input_rest::complete);
    EXPECT_THAT(framer.cells(), ElementsAre("a", "b"));
    EXPECT_EQ(framer.cell_count(), 4u);
}

TEST(Framing, LongLinesAreSplitAtEveryDistance) {
    for (std::size_t n = 0; n < 200; ++n) {
        const std::string a(n, 'a'), b(200 - n, 'b');
        const std::string text = a + "," + b + "\n" + std::string(scan_padding, ',');
        csv_framer framer(',', 8);
        const csv_frame f = framer.frame(text.data(), text.data() + 202, input_rest::more_may_come);
        ASSERT_EQ(f.kind, frame_kind::simple);
        ASSERT_THAT(framer.cells(), ElementsAre(a, b));
    }
}

TEST(Framing, NulAndBytesPastAsciiAreSeenWithinTheLineOnly) {
    using namespace std::string_literals;
    const auto look = [](std::string text) {
        const std::size_t size = text.size();
        text.append(scan_padding, '\0');
        csv_framer framer(',', 8);
        return framer.frame(text.data(), text.data() + size, input_rest::complete);
    };
    EXPECT_TRUE(look("a\0b\n"s).has_nul);
    EXPECT_FALSE(look("ab\n\0"s).has_nul);
    EXPECT_TRUE(look("\xC3\xBC\n"s).non_ascii);
    EXPECT_FALSE(look("u\n\xC3\xBC"s).non_ascii);
}

TEST(Framing, QuotedFieldMaySpanLines) {
    const framed f = frame("a,\"b\r\nc\",d\nnext");
    EXPECT_EQ(f.kind, frame_kind::quoted);
    EXPECT_EQ(f.record, "a,\"b\r\nc\",d");
    EXPECT_EQ(f.next, 11u);
}

TEST(Framing, QuoteWrittenTwiceDoesNotClose) {
    EXPECT_EQ(frame("\"a\"\"\nb\"\n").record, "\"a\"\"\nb\"");
}

TEST(Framing, OpenQuoteWaitsForMoreAndIsAFaultAtTheEnd) {
    EXPECT_EQ(frame("a,\"b\nc", ',', input_rest::more_may_come).kind, frame_kind::unfinished);
    EXPECT_EQ(frame("a,\"b\nc").kind, frame_kind::faulty);
    EXPECT_EQ(frame("a,\"b\nc").problem, "a quote is opened and never closed");
}

TEST(Framing, ClosingQuoteAtTheEndOfTheBytesMayBeTheFirstOfTwo) {
    EXPECT_EQ(frame("\"a\"", ',', input_rest::more_may_come).kind, frame_kind::unfinished);
    EXPECT_EQ(frame("\"a\"").record, "\"a\"");
    EXPECT_EQ(frame("\"a\"\r", ',', input_rest::more_may_come).kind, frame_kind::unfinished);
}

TEST(Framing, TextBehindAClosingQuoteIsAFault) {
    EXPECT_EQ(frame("\"He said \"hi\" there\",b\n").problem, "there is text behind a closing quote");
}

TEST(Framing, BlanksAroundAQuotedCellAreAllowed) {
    EXPECT_EQ(frame("a, \"b,c\" ,d\n").kind, frame_kind::quoted);
    EXPECT_THAT(cells("a, \"b,c\" ,d"), ElementsAre("a", "b,c", "d"));
}

TEST(Framing, PairsOfQuotesWithinAPlainCellAreText) {
    EXPECT_EQ(frame("a,said \"hi\" to,b\n").kind, frame_kind::quoted);
    EXPECT_THAT(cells("a,said \"hi\" to,b"), ElementsAre("a", "said \"hi\" to", "b"));
}

TEST(Framing, SingleQuoteWithinAPlainCellIsAFaultOfItsLine) {
    EXPECT_EQ(frame("a,5\" pipe\nb,6\" pipe\n").problem, "a cell has a quote without its pair");
    EXPECT_EQ(frame("a,5\" pipe").problem, "a cell has a quote without its pair");
}

TEST(Framing, TabDelimiterIsNoBlank) {
    EXPECT_EQ(frame("\t\"a\"\t\n", '\t').kind, frame_kind::quoted);
    EXPECT_THAT(cells("\t\"a\tb\"\t", '\t'), ElementsAre("", "a\tb", ""));
}

TEST(Framing, EachDelimiterSplits) {
    for (const char d : delimiters) {
        std::string text = "a_\"b_c\"_";
        std::replace(text.begin(), text.end(), '_', d);
        EXPECT_THAT(cells(text, d), ElementsAre("a", std::string("b") + d + "c", ""));
    }
}

TEST(Framing, UnescapingKeepsEmptyAndDoubledQuotes) {
    EXPECT_THAT(cells("\"\",\"\"\"\",\"a\"\"b\""), ElementsAre("", "\"", "a\"b"));
}

TEST(Framing, SplittingAnOpenQuoteIsRefusedNotOverrun) {
    std::string text = "a,\"b";
    std::vector<std::string_view> views;
    EXPECT_FALSE(split_record(text.data(), ',', views));
}

// Whatever framing lets pass, splitting understands: no open quote is left for the library.
TEST(Framing, EveryShortTextIsFramedAndSplitWithoutFault) {
    constexpr std::string_view alphabet = "a\",\n ";
    for (int length = 1; length <= 6; ++length) {
        int combinations = 1;
        for (int i = 0; i < length; ++i)
            combinations *= static_cast<int>(alphabet.size());
        for (int code = 0; code < combinations; ++code) {
            std::string text;
            for (int i = 0, rest = code; i < length; ++i, rest /= static_cast<int>(alphabet.size()))
                text += alphabet[static_cast<std::size_t>(rest) % alphabet.size()];
            const framed f = frame(text);
            ASSERT_NE(f.kind, frame_kind::unfinished);
            if (f.kind == frame_kind::faulty) continue;
            ASSERT_GT(f.next, 0u);
            std::string copy = f.record;
            std::vector<std::string_view> views;
            ASSERT_TRUE(split_record(copy.data(), ',', views)) << text;
        }
    }
}

}  // namespace
}  // namespace taskbarge::reader
