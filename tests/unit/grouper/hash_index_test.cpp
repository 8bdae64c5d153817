#include "grouper/hash_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace taskbarge::grouper {
namespace {

// Things are their own hashes here, kept by number from 1.
class things {
 public:
    std::uint32_t find_or_add(std::uint64_t hash) {
        index.fetch(hash);
        index.fetch_more(hash);
        const auto found = index.look(hash, [&](std::uint32_t number) {
            ++compared;
            return hashes.at(number - 1) == hash;
        });
        if (found.number != 0) return found.number;
        hashes.push_back(hash);
        index.put(found, hash, static_cast<std::uint32_t>(hashes.size()));
        return 0;
    }
    hash_index index;
    std::vector<std::uint64_t> hashes;
    std::uint64_t compared = 0;
};

TEST(HashIndex, FindsEveryNumberAtEverySizeOnTheWay) {
    things all;
    std::mt19937_64 random(3);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        ASSERT_EQ(all.find_or_add(random()), 0u);
        // An old one each time, so that growing loses none.
        const auto old = static_cast<std::uint32_t>(random() % all.hashes.size());
        ASSERT_EQ(all.find_or_add(all.hashes[old]), old + 1);
    }
    for (std::uint32_t i = 0; i < all.hashes.size(); ++i)
        ASSERT_EQ(all.find_or_add(all.hashes[i]), i + 1);
}

// 36 bits of the hash are kept: others agree by accident once in a while, and not at each look.
TEST(HashIndex, ComparesHardlyAnythingInVain) {
    things all;
    std::mt19937_64 random(4);
    for (std::uint32_t i = 0; i < 50'000; ++i)
        ASSERT_EQ(all.find_or_add(random()), 0u);
    EXPECT_LE(all.compared, 10u);
}

// The bits that are kept are the same for many: they fill places far from where they belong, and growing must find
// each a place again. Also at the end of the table, where the search goes on at its beginning; and zero, which stands
// for a free place.
TEST(HashIndex, HashesThatAgreeByAccidentAreToldApart) {
    for (const std::uint64_t high : {0x00000000ull, 0x00000001ull, 0x80000000ull, 0xffffffffull}) {
        things all;
        std::mt19937_64 random(5);
        for (std::uint32_t i = 0; i < 300; ++i) {
            ASSERT_EQ(all.find_or_add(high << 32 | std::uint64_t{i} << 4), 0u);
            for (int k = 0; k < 10; ++k)
                ASSERT_EQ(all.find_or_add(random() << 4), 0u) << "in the same shard";
        }
        for (std::uint32_t i = 0; i < all.hashes.size(); ++i)
            ASSERT_EQ(all.find_or_add(all.hashes[i]), i + 1);
    }
}

TEST(HashIndex, TakesAtMost14BytesANumberWhateverWasExpected) {
    for (const std::uint64_t expected : {0ull, 1'000ull, 150'000ull, 200'000ull, 300'000ull}) {
        things all;
        std::mt19937_64 random(6);
        for (std::uint64_t i = 1; i <= 200'000; ++i) {
            if (i == 10'000) all.index.expect(expected);
            ASSERT_EQ(all.find_or_add(random()), 0u);
            if (i > 50'000 && i % 1000 == 0) {
                ASSERT_LE(all.index.memory(), 14 * std::max(i, expected)) << i << " of " << expected;
            }
        }
    }
}

TEST(HashIndex, NumbersMayBeAsLargeAsTheyFit) {
    hash_index index;
    const auto none = [](std::uint32_t) { return false; };
    index.put(index.look(1, none), 1, 0xffffffffu);
    EXPECT_EQ(index.look(1, [](std::uint32_t number) { return number == 0xffffffffu; }).number, 0xffffffffu);
    EXPECT_EQ(index.look(1, none).number, 0u);
    EXPECT_EQ(index.look(2, none).number, 0u);
}

}  // namespace
}  // namespace taskbarge::grouper
