#include "taskbarge/core/json_text.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace {

namespace core = taskbarge::core;

std::string json_of(std::string_view text) {
    std::string out;
    core::append_json_string(out, text);
    return out;
}

TEST(JsonText, EscapesWhatMustBeEscaped) {
    EXPECT_EQ(json_of("plain"), R"("plain")");
    EXPECT_EQ(json_of(""), R"("")");
    EXPECT_EQ(json_of("a\"b\\c\n\r\t\x01\x7F"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\"");
    EXPECT_EQ(json_of(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonText, FindsWhatMustBeEscapedWhereverItStands) {
    for (const std::string& odd : {std::string("\""), std::string("\\"), std::string("\n"), std::string("\x7F"),
                                   std::string("\x1F"), std::string("\0", 1), std::string("ä"), std::string("\xFF")}) {
        for (std::size_t place = 0; place < 40; ++place) {
            const std::string before(place, '~'), after(39 - place, ' ');
            EXPECT_EQ(json_of(before + odd + after),
                      '"' + before + json_of(odd).substr(1, json_of(odd).size() - 2) + after + '"')
                << place;
        }
    }
}

TEST(JsonText, KeepsWellFormedUtf8) {
    for (const char* text : {"Zoë", "日本", "🙂", "\xF4\x8F\xBF\xBF"})
        EXPECT_EQ(json_of(text), '"' + std::string(text) + '"');
}

TEST(JsonText, ReplacesEachByteThatIsNoUtf8) {
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(json_of("a\xFF"), "\"a" + r + "\"");
    EXPECT_EQ(json_of("\xC3"), '"' + r + '"');                  // cut short
    EXPECT_EQ(json_of("\xC0\xAF"), '"' + r + r + '"');          // overlong
    EXPECT_EQ(json_of("\xED\xA0\x80"), '"' + r + r + r + '"');  // a surrogate
    EXPECT_EQ(json_of("\xF5\x80\x80\x80"), '"' + r + r + r + r + '"');
}

TEST(JsonText, EveryByteSequenceOfThreeGivesADocumentThatParses) {
    simdjson::dom::parser parser;
    std::string out = "[";
    unsigned seed = 1;
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (int j = 0; j < 3; ++j) {
            seed = seed * 1664525u + 1013904223u;
            text += static_cast<char>(seed >> 24);
        }
        if (out.size() > 1) out += ',';
        core::append_json_string(out, text);
    }
    out += ']';
    EXPECT_EQ(parser.parse(out).error(), simdjson::SUCCESS);
}

TEST(JsonObject, WritesMembersInTheOrderOfTheCalls) {
    std::string out;
    core::json_object o(out);
    o.number("n", 18446744073709551615u);
    o.text("t", "x");
    o.text_or_null("e", "");
    o.seconds("s", 1005);
    o.truth("b", true);
    o.null("z");
    o.raw("r", "[1]");
    o.close();
    EXPECT_EQ(out, R"({"n":18446744073709551615,"t":"x","e":null,"s":1.005,"b":true,"z":null,"r":[1]})");
}

}  // namespace
