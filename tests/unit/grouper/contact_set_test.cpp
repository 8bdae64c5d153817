#include "grouper/contact_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace taskbarge::grouper {
namespace {

std::string hex_id(std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out(24, '0');
    for (std::size_t i = out.size(); number > 0; number /= 16)
        out[--i] = digits[number % 16];
    return out;
}

TEST(ContactSet, FindsTheFirstRowOfAPair) {
    contact_set set;
    EXPECT_EQ(set.find_or_add(1, hex_id(7), 3).first_row, 0u);
    EXPECT_EQ(set.find_or_add(1, hex_id(7), 4).first_row, 3u);
    EXPECT_EQ(set.find_or_add(2, hex_id(7), 5).first_row, 0u);
    EXPECT_EQ(set.find_or_add(2, hex_id(7), 6).first_row, 5u);
}

TEST(ContactSet, GivesIdsBackAsTheyCame) {
    contact_set set;
    for (const std::string& id : {hex_id(0xabcdef), std::string("any other id"), std::string(), std::string(30, 'a'),
                                  std::string("66302798D03B9601C7934EBF")}) {
        core::id_list out;
        set.append_text(set.find_or_add(1, id, 1).key, out);
        EXPECT_EQ(out, core::id_list{id});
    }
}

TEST(ContactSet, SpellingsThatAreNotCanonicalAreDifferentIds) {
    contact_set set;
    EXPECT_EQ(set.find_or_add(1, "66302798d03b9601c7934ebf", 1).first_row, 0u);
    EXPECT_EQ(set.find_or_add(1, "66302798D03B9601C7934EBF", 2).first_row, 0u);
}

TEST(ContactSet, AgreesWithAMapOnManyRandomPairs) {
    contact_set set;
    std::map<std::pair<core::group_number, std::string>, std::uint32_t> model;
    std::mt19937_64 random(42);
    for (std::uint32_t row = 1; row <= 60000; ++row) {
        const auto group = static_cast<core::group_number>(1 + random() % 20);
        const auto number = random() % 4000;
        const auto id = number % 3 == 0 ? "id-" + std::to_string(number) : hex_id(number);
        const auto [at, fresh] = model.try_emplace({group, id}, row);
        ASSERT_EQ(set.find_or_add(group, id, row).first_row, fresh ? 0u : at->second) << row;
    }
}

// The promise of the grouper's header: at most 32 bytes a row, here at every size on the way.
TEST(ContactSet, TakesAtMost32BytesAPair) {
    contact_set set;
    std::mt19937_64 random(1);
    for (std::uint32_t row = 1; row <= 400000; ++row) {
        set.find_or_add(1, hex_id(random()), row);
        if (row > 50000 && row % 1000 == 0) {
            ASSERT_LE(set.memory(), 32ull * row) << row;
        }
    }
}

TEST(ContactSet, FindsAllPairsAndStaysSmallWhateverWasExpected) {
    for (const std::uint64_t expected : {1ull, 50'000ull, 100'000ull, 130'000ull}) {
        contact_set set;
        for (std::uint32_t row = 1; row <= 100'000; ++row) {
            if (row == 20'000) set.expect(expected);
            ASSERT_EQ(set.find_or_add(1 + row % 7, hex_id(row), row).first_row, 0u);
        }
        for (std::uint32_t row = 1; row <= 100'000; ++row)
            ASSERT_EQ(set.find_or_add(1 + row % 7, hex_id(row), row + 200'000).first_row, row);
        // Never more than what was expected takes, or than without expectations.
        EXPECT_LE(set.memory(), 32 * std::max<std::uint64_t>(expected, 100'000)) << expected;
    }
}

}  // namespace
}  // namespace taskbarge::grouper
