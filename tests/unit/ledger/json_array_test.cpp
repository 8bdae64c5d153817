#include "ledger/json_array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace taskbarge::ledger {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JsonArray, NumbersComeBack) {
    const std::vector<std::int64_t> numbers{0, 7, -12, std::numeric_limits<std::int64_t>::max()};
    EXPECT_EQ(to_json(numbers), "[0,7,-12,9223372036854775807]");
    EXPECT_EQ(numbers_of(to_json(numbers)), numbers);
    EXPECT_EQ(to_json(std::vector<std::int64_t>()), "[]");
    EXPECT_THAT(numbers_of("[]"), IsEmpty());
    EXPECT_THAT(numbers_of(""), IsEmpty());
}

TEST(JsonArray, TextsComeBackWhateverTheyHold) {
    const core::id_list texts{"", "plain", "a\"b\\c", std::string_view("nul\0\x1f\n", 6), "\xc3\xa4,]\""};
    EXPECT_EQ(texts_of(to_json(texts)), texts);
    EXPECT_EQ(to_json(core::id_list{"a\"", "\n"}), R"(["a\"","\u000a"])");
}

TEST(JsonArray, DamagedTextEndsEarly) {
    EXPECT_THAT(texts_of(R"(["a","b)"), ElementsAre("a"));
    EXPECT_THAT(texts_of(R"(["a","b\)"), ElementsAre("a"));
    EXPECT_THAT(texts_of("[1]"), IsEmpty());
    EXPECT_THAT(numbers_of("[1,x]"), ElementsAre(1));
}

}  // namespace
}  // namespace taskbarge::ledger
