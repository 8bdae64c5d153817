#include "taskbarge/core/secret.hpp"

#include <gtest/gtest.h>

namespace taskbarge::core {
namespace {

TEST(Secret, IsTakenOutOfATextThatRepeatsIt) {
    const secret key("s3cr3t");
    std::string text = "key s3cr3t is wrong: s3cr3ts3cr3t";
    key.erase_from(text);
    EXPECT_EQ(text, "key *** is wrong: ******");
    std::string other = "nothing here: s3cr3";
    key.erase_from(other);
    EXPECT_EQ(other, "nothing here: s3cr3");
    secret().erase_from(other);
    EXPECT_EQ(other, "nothing here: s3cr3") << "no key, nothing to take out";
}

TEST(Secret, IsTakenOutHoweverItIsSpelled) {
    const secret key("s3c-r/t");
    for (const char* spelled : {R"(s3c-r\/t)", R"(\u0073\u0033\u0063\u002D\u0072\u002f\u0074)", R"(s3c\\u002dr\\\\/t)",
                                "s3c%2Dr%2ft", "&#115;3c&#x2D;r&#47;t"}) {
        std::string text = std::string("<") + spelled + ">";
        EXPECT_TRUE(key.is_in(text)) << spelled;
        key.erase_from(text);
        EXPECT_EQ(text, "<***>") << spelled;
        EXPECT_FALSE(key.is_in(text));
    }
    for (const char* other :
         {R"(s3c\u002er/t)", R"(\)", R"(s3c\u00)", "s3c%2", "s3c&#45", "s3c&#;", "s3c%zz", "s3c-r"}) {
        std::string text = other;
        EXPECT_FALSE(key.is_in(text)) << other;
        key.erase_from(text);
        EXPECT_EQ(text, other);
    }
}

TEST(Secret, IsTakenOutOfALargeTextInOnePass) {
    // With a copy of the rest for each place this would take minutes.
    const secret key("s3cr3t");
    constexpr std::size_t places = 1'000'000;
    std::string text, expected;
    for (std::size_t i = 0; i < places; ++i) {
        text += "s3cr3t ";
        expected += "*** ";
    }
    key.erase_from(text);
    EXPECT_TRUE(text == expected);
    std::string backslashes(places, '\\');
    key.erase_from(backslashes);
    EXPECT_EQ(backslashes.size(), places);
}

}  // namespace
}  // namespace taskbarge::core
