#include "service/http/crowding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace taskbarge::service::http;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using holders = std::vector<place_holder>;

TEST(Crowding, NobodyGoesWhenNobodyWaits) {
    EXPECT_THAT(who_gives_way(holders{{holding::silence, 1h}}, 0).who, IsEmpty());
}

TEST(Crowding, AsManyAsWaitGoAndTheOldestOfThem) {
    const holders all{{holding::silence, 2s}, {holding::silence, 5s}, {holding::silence, 3s}};
    EXPECT_THAT(who_gives_way(all, 1).who, ElementsAre(1));
    EXPECT_THAT(who_gives_way(all, 2).who, ElementsAre(1, 2));
}

TEST(Crowding, WorkIsNeverCut) {
    const auto chosen = who_gives_way(holders(256, {holding::work, 10h}), 4096);
    EXPECT_THAT(chosen.who, IsEmpty());
    EXPECT_EQ(chosen.look_again, crowded_patience);
}

TEST(Crowding, AClientHasASecondWhenFewWait) {
    const auto chosen = who_gives_way(holders(256, {holding::silence, 400ms}), 1);
    EXPECT_THAT(chosen.who, IsEmpty());
    EXPECT_EQ(chosen.look_again, 600ms);
}

TEST(Crowding, TheMoreWaitTheLessTimeIsGiven) {
    EXPECT_THAT(who_gives_way(holders(256, {holding::silence, 15ms}), 1744).who, SizeIs(256));
    EXPECT_THAT(who_gives_way(holders(256, {holding::silence, 14ms}), 1744).who, IsEmpty());
}

// However fast those who are cut come back, whoever waits is let in.
TEST(Crowding, TheWholeQueueHasItsTurnWithinATenthOfASecond) {
    for (const std::size_t places : {1UL, 8UL, 256UL}) {
        for (const auto what : {holding::silence, holding::slowness}) {
            constexpr std::size_t queue = 4096;
            holders all(places, {what, 0s});
            std::chrono::steady_clock::duration took{0};
            std::size_t passed = 0;
            for (int turn = 0; turn < 100'000 && passed < queue; ++turn) {
                const auto chosen = who_gives_way(all, queue);
                for (const auto at : chosen.who)
                    all[at].waited = 0s;
                passed += chosen.who.size();
                if (!chosen.who.empty()) continue;
                ASSERT_GT(chosen.look_again, 0s);
                took += chosen.look_again;
                for (auto& one : all)
                    one.waited += chosen.look_again;
            }
            EXPECT_GE(passed, queue);
            EXPECT_LE(took, 101ms) << places;
        }
    }
}

TEST(Crowding, SlowRequestsStayAsLongAsThereAreSilentOnesToGo) {
    holders all(7, {holding::slowness, 1h});
    all.push_back({holding::silence, 2s});
    EXPECT_THAT(who_gives_way(all, 5).who, ElementsAre(7));
    all.push_back({holding::slowness, 2h});  // one in nine: too few
    EXPECT_THAT(who_gives_way(all, 2).who, ElementsAre(8, 0));
}

TEST(Crowding, WhatEarnsItsPlaceStays) {
    const holders all{{holding::slowness, -3s}, {holding::slowness, 2s}};
    EXPECT_THAT(who_gives_way(all, 4096).who, ElementsAre(1));
}

}  // namespace
