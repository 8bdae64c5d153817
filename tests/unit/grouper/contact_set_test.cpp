#include "grouper/contact_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

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
    EXPECT_EQ(set.find_or_add(1, hex_id(7), 3), 0u);
    EXPECT_EQ(set.find_or_add(1, hex_id(7), 4), 3u);
    EXPECT_EQ(set.find_or_add(2, hex_id(7), 5), 0u);
    EXPECT_EQ(set.find_or_add(2, hex_id(7), 6), 5u);
}

TEST(ContactSet, GivesIdsBackAsTheyCame) {
    contact_set set;
    const std::vector<std::string> ids{hex_id(0xabcdef), "any other id", "", std::string(30, 'a'),
                                       "66302798D03B9601C7934EBF"};
    for (std::uint32_t i = 0; i < ids.size(); ++i)
        ASSERT_EQ(set.find_or_add(1, ids[i], i + 1), 0u);
    core::id_list out;
    for (std::uint32_t i = 0; i < ids.size(); ++i)
        set.append_contact(i + 1, out);
    EXPECT_EQ(out, core::id_list(ids.begin(), ids.end()));
}

TEST(ContactSet, SpellingsThatAreNotCanonicalAreDifferentIds) {
    contact_set set;
    EXPECT_EQ(set.find_or_add(1, "66302798d03b9601c7934ebf", 1), 0u);
    EXPECT_EQ(set.find_or_add(1, "66302798D03B9601C7934EBF", 2), 0u);
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
        ASSERT_EQ(set.find_or_add(group, id, row), fresh ? 0u : at->second) << row;
    }
}

// Pairs that only a comparison in full tells apart: ids, texts, and the same of both in different groups.
TEST(ContactSet, PairsWithTheSameHashAreToldApart) {
    contact_set set;
    const auto find_or_add = [&](core::group_number group, const std::string& id, std::uint32_t row) {
        auto wanted = contact_set::prepare(group, id);
        wanted.hash = 0x1234567812345678u;
        set.fetch(wanted);
        set.fetch_more(wanted);
        return set.find_or_add(wanted, row);
    };
    for (const std::uint32_t again : {0u, 1000u}) {
        std::uint32_t row = 0;
        for (core::group_number group = 1; group <= 5; ++group) {
            for (std::uint64_t number = 0; number < 40; ++number) {
                for (const auto& id : {hex_id(number), "id-" + std::to_string(number)}) {
                    ++row;
                    ASSERT_EQ(find_or_add(group, id, row + again), again == 0 ? 0u : row);
                }
            }
        }
    }
}

// What stands in memory for a text must not be taken for an id.
TEST(ContactSet, ATextIsNoIdOfTheSameBytes) {
    contact_set set;
    auto text = contact_set::prepare(1, "first text");
    auto id = contact_set::prepare(1, std::string(24, '0'));
    text.hash = id.hash = 7;
    EXPECT_EQ(set.find_or_add(text, 1), 0u);
    EXPECT_EQ(set.find_or_add(id, 2), 0u);
    EXPECT_EQ(set.find_or_add(text, 3), 1u);
    EXPECT_EQ(set.find_or_add(id, 3), 2u);
}

TEST(ContactSet, RowsMayLieFarApart) {
    contact_set set;
    const std::vector<std::uint32_t> rows{1, 2, 4095, 4096, 4097, 200'000, 1u << 31, 0xfffffffeu, 0xffffffffu};
    for (const auto row : rows)
        ASSERT_EQ(set.find_or_add(0x7fffffffu, hex_id(row), row), 0u);
    for (const auto row : rows) {
        EXPECT_EQ(set.find_or_add(0x7fffffffu, hex_id(row), 5), row);
        core::id_list out;
        set.append_contact(row, out);
        EXPECT_EQ(out, core::id_list{hex_id(row)});
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
            ASSERT_EQ(set.find_or_add(1 + row % 7, hex_id(row), row), 0u);
        }
        for (std::uint32_t row = 1; row <= 100'000; ++row)
            ASSERT_EQ(set.find_or_add(1 + row % 7, hex_id(row), row + 200'000), row);
        // Never more than what was expected takes, or than without expectations.
        EXPECT_LE(set.memory(), 32 * std::max<std::uint64_t>(expected, 100'000)) << expected;
    }
}

}  // namespace
}  // namespace taskbarge::grouper
