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

// Planning gives its turn back and wants it again at once.
TEST(WriteTurn, WhoCameFirstIsFirst) {
    int in_order = 0;
    for (int round = 0; round < 20; ++round) {
        write_turn wants_again("a.db"), waits("a.db");
        wants_again.take();
        std::atomic<bool> had{false}, over{false};
        std::thread other([&] {
            waits.take();
            had = waits.has();
            waits.give_back();
            over = true;
        });
        while (wants_again.waiting() == 0 && !over)
            std::this_thread::yield();
        const bool still_waiting = wants_again.waiting() == 1;
        wants_again.give_back();
        wants_again.take();
        // On a busy machine one of them may have waited for too long, and gone on without.
        if (still_waiting && wants_again.has()) {
            EXPECT_TRUE(had || over);
            in_order += had ? 1 : 0;
        }
        wants_again.give_back();
        other.join();
    }
    EXPECT_GT(in_order, 0);
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
