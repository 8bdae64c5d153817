#include "reader/json_frame.hpp"

#include <gtest/gtest.h>

#include <random>

namespace taskbarge::reader {
namespace {

// A line as framed, with readable bytes behind it.
struct framed_line {
    explicit framed_line(std::string_view text)
        : bytes(std::string(text) + "\n" + std::string(scan_padding, '"')),
          frame(framer.frame(bytes.data(), bytes.data() + text.size() + 1, input_rest::complete)) {}

    std::vector<std::size_t> quotes() const {
        std::vector<std::size_t> out;
        for (const char* q = framer.next_quote(bytes.data()); q < frame.end; q = framer.next_quote(q + 1))
            out.push_back(static_cast<std::size_t>(q - bytes.data()));
        return out;
    }

    std::string bytes;
    json_framer framer;
    json_frame frame;
};

std::string plain_text(std::string_view written) {
    text_arena arena;
    return std::string(unescaped(written, arena));
}

TEST(JsonFrame, QuotesAreFoundWhereverTheyStand) {
    using positions = std::vector<std::size_t>;
    EXPECT_EQ(framed_line("").quotes(), positions());
    EXPECT_EQ(framed_line(R"({"a":"b"})").quotes(), (positions{1, 3, 5, 7}));
    for (std::size_t n = 0; n < 300; ++n) {
        const framed_line line("\"" + std::string(n, 'x') + "\"");
        EXPECT_TRUE(line.frame.plain);
        EXPECT_EQ(line.quotes(), (positions{0, n + 1})) << n;
        EXPECT_EQ(line.frame.end - line.bytes.data(), static_cast<long>(n + 2));
    }
}

TEST(JsonFrame, WhatIsNotPlainIsLeftToTheParser) {
    EXPECT_TRUE(framed_line("{\"a\":\"\x7F\"}").frame.plain);
    EXPECT_FALSE(framed_line("{\"a\":\"x\ty\"}").frame.plain);
    EXPECT_FALSE(framed_line(std::string_view("{\"a\":\"x\0y\"}", 11)).frame.plain);
    EXPECT_FALSE(framed_line("\"" + std::string(100'000, 'x') + "\"").frame.plain) << "longer than is kept";
    for (const char* escape : {"\\", "\\x", "\\u", "\\u12", "\\u12g4", "\\u0000", "\\ud83d\\ude00", "\\udc00", "\\N"})
        EXPECT_FALSE(framed_line(escape).frame.plain) << escape;
    const framed_line accented("M\xC3\xBCller");
    EXPECT_TRUE(accented.frame.plain);
    EXPECT_TRUE(accented.frame.non_ascii);
    EXPECT_FALSE(framed_line("Muller").frame.non_ascii);
}

TEST(JsonFrame, EscapedQuotesEndNoString) {
    for (std::size_t n = 0; n < 200; ++n) {
        const std::string before(n, 'x');
        EXPECT_EQ(framed_line(before + R"(\"")").quotes(), std::vector{n + 2}) << n;
        EXPECT_EQ(framed_line(before + R"(\\"")").quotes(), (std::vector{n + 2, n + 3})) << n;
        EXPECT_EQ(framed_line(before + R"(\\\"")").quotes(), std::vector{n + 4}) << n;
    }
}

TEST(JsonFrame, EscapesBecomeWhatTheyStandFor) {
    EXPECT_EQ(plain_text(R"(a\"b\\c\/d\n\t\r\b\fe)"), "a\"b\\c/d\n\t\r\b\fe");
    EXPECT_EQ(plain_text(R"(\u0041\u00fC\u20AC\uffff)"), "A\xC3\xBC\xE2\x82\xAC\xEF\xBF\xBF");
    EXPECT_EQ(plain_text(R"(\\u0041)"), "\\u0041");
}

TEST(JsonFrame, LinesEndAsElsewhere) {
    std::mt19937 random(5);
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        for (std::size_t n = random() % 200; n > 0; --n)
            text += random() % 40 == 0 ? '\n' : random() % 40 == 0 ? '\r' : 'x';
        const std::string bytes = text + std::string(scan_padding, '\n');
        const char* const end = bytes.data() + text.size();
        for (const input_rest rest : {input_rest::complete, input_rest::more_may_come}) {
            if (text.empty()) continue;
            const line_end expected = find_line_end(bytes.data(), end, rest);
            json_framer framer;
            const json_frame frame = framer.frame(bytes.data(), end, rest);
            EXPECT_EQ(frame.end, expected.end);
            EXPECT_EQ(frame.next, expected.next);
        }
    }
}

}  // namespace
}  // namespace taskbarge::reader
