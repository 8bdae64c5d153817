#include "ledger/write_turn.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace taskbarge::ledger {
namespace {

TEST(WriteTurn, OneOfThoseThatNameOnePathHasIt) {
    write_turn first("a.db"), second("a.db"), of_another("b.db");
    first.take();
    of_another.take();
    EXPECT_TRUE(first.has());
    EXPECT_TRUE(of_another.has());
    first.give_back();
    EXPECT_FALSE(first.has());
    second.take();
    EXPECT_TRUE(second.has());
}

TEST(WriteTurn, WhoWaitsInVainGoesOnWithoutIt) {
    write_turn holds("a.db"), waits("a.db");
    holds.take();
    waits.take();
    EXPECT_FALSE(waits.has());
    waits.give_back();
    EXPECT_TRUE(holds.has());
}

TEST(WriteTurn, NoTwoHaveItAtOnce) {
    std::atomic<int> having{0}, most{0}, turns{0};
    const auto work = [&] {
        write_turn turn("a.db");
        for (int n = 0; n < 500; ++n) {
            turn.take();
            if (!turn.has()) continue;
            if (++having > most) most = having.load();
            ++turns;
            --having;
            turn.give_back();
        }
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(most, 1);
    EXPECT_GT(turns, 500);
}

TEST(WriteTurn, EndsWithWhoHasIt) {
    {
        write_turn gone("a.db");
        gone.take();
    }
    write_turn next("a.db");
    next.take();
    EXPECT_TRUE(next.has());
}

}  // namespace
}  // namespace taskbarge::ledger
