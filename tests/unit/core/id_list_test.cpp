#include "taskbarge/core/id_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace taskbarge::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(IdList, HoldsIdsInTheOrderInWhichTheyCame) {
    id_list ids;
    EXPECT_THAT(ids, IsEmpty());
    ids.push_back("a");
    ids.push_back("");
    std::memcpy(ids.extend(3), "bcd", 3);
    ids.push_back(std::string(100, 'x'));
    EXPECT_THAT(ids, ElementsAre("a", "", "bcd", std::string(100, 'x')));
    EXPECT_EQ(ids.size(), 4u);
    EXPECT_EQ(ids.front(), "a");
    EXPECT_EQ(ids.back(), std::string(100, 'x'));
    ids.clear();
    EXPECT_THAT(ids, IsEmpty());
    ids.push_back("again");
    EXPECT_THAT(ids, ElementsAre("again"));
}

TEST(IdList, IsEqualOnlyWhereEveryIdIs) {
    EXPECT_EQ((id_list{"ab", "c"}), (id_list{"ab", "c"}));
    EXPECT_NE((id_list{"ab", "c"}), (id_list{"a", "bc"})) << "the same letters";
    EXPECT_NE((id_list{"a"}), (id_list{"a", ""}));
}

TEST(IdList, CanBeSearchedAndCutLikeAnyRange) {
    const id_list ids{"a", "b", "c", "d"};
    EXPECT_EQ(std::find(ids.begin(), ids.end(), "c") - ids.begin(), 2);
    EXPECT_EQ(std::find(ids.begin(), ids.end(), "x"), ids.end());
    EXPECT_THAT(id_list(ids.begin() + 1, ids.end() - 1), ElementsAre("b", "c"));
    EXPECT_THAT(std::vector<std::string>(ids.begin(), ids.end()), ElementsAre("a", "b", "c", "d"));
    static_assert(std::random_access_iterator<id_list::const_iterator>);
}

TEST(IndexedIds, GiveEachIdWithItsRow) {
    indexed_ids ids{{3, "c"}};
    ids.emplace_back(7, "g");
    EXPECT_THAT(ids, ElementsAre(Pair(3u, "c"), Pair(7u, "g")));
    EXPECT_EQ(ids.size(), 2u);
    EXPECT_NE(ids, (indexed_ids{{3, "c"}, {8, "g"}}));
}

}  // namespace
}  // namespace taskbarge::core
