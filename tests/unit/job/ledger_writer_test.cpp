#include "job/online/ledger_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

namespace {

// Sleeps of SQLite while another writer is busy, which take no time while this is set.
std::atomic<bool> sleeps_are_short{false};
std::atomic<std::int64_t> microseconds_slept{0};

}  // namespace

// In place of the C library's, for SQLite.
extern "C" int usleep(useconds_t microseconds) {
    if (sleeps_are_short) {
        microseconds_slept += microseconds;
        return 0;
    }
    const timespec time{microseconds / 1'000'000, (microseconds % 1'000'000) * 1000L};
    return static_cast<int>(::syscall(SYS_nanosleep, &time, nullptr));
}
extern "C" int nanosleep(const timespec* time, timespec* left) {
    if (sleeps_are_short) {
        microseconds_slept += time->tv_sec * 1'000'000 + time->tv_nsec / 1000;
        return 0;
    }
    return static_cast<int>(::syscall(SYS_nanosleep, time, left));
}

namespace taskbarge::job {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using core::result;
using ::testing::Each;
using ::testing::ElementsAre;

// Hands pieces of work over while the ledger's thread is busy with another, so that they form one group.
class LedgerWriter : public ::testing::Test {
 protected:
    static ledger::book_key key(int n) { return {"https://apollo.example", "default", std::to_string(n)}; }
    // A piece that leaves a mark which can be read back.
    static ledger_writer::work mark(int n) {
        return [n](ledger::ledger& l) -> result<void> {
            core::rate_book b;
            b.refusals = 7;
            return l.save_book(key(n), b);
        };
    }
    bool marked(int n) { return book->load_book(key(n)).value().refusals == 7; }

    // What became of each piece, in the order in which they were handed over.
    std::vector<bool> run_together(std::vector<ledger_writer::work> pieces) {
        asio::io_context loop(1);
        std::vector<bool> kept(pieces.size());
        {
            ledger_writer writer(*book, loop.get_executor());
            std::promise<void> is_busy, all_are_waiting;
            auto busy = [&](ledger::ledger&) -> result<void> {
                is_busy.set_value();
                all_are_waiting.get_future().wait();
                return {};
            };
            const auto note = [&](const std::exception_ptr& e) { EXPECT_FALSE(e); };
            asio::co_spawn(loop, write(writer, busy, nullptr), note);
            loop.poll();
            is_busy.get_future().wait();
            for (std::size_t i = 0; i < pieces.size(); ++i) {
                auto done = [&kept, i](bool ok) { kept[i] = ok; };
                asio::co_spawn(loop, write(writer, std::move(pieces[i]), done), note);
            }
            loop.poll();
            all_are_waiting.set_value();
            loop.run();
        }
        return kept;
    }

    // How many commits it takes to keep so many pieces. Where none waits for others, each is handed over when the one
    // before is durable.
    int commits_of_pieces(int pieces, std::size_t expected, std::chrono::microseconds patience) {
        asio::io_context loop(1);
        std::atomic<int> commits = 0;
        {
            ledger_writer writer(
                *book, loop.get_executor(), [&](std::chrono::microseconds) { ++commits; }, patience);
            writer.expect_together(expected);
            for (int n = 0; n < pieces; ++n) {
                asio::co_spawn(loop, write(writer, mark(n), nullptr),
                               [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
                loop.restart();
                if (expected > 1)
                    loop.poll();
                else
                    loop.run();
            }
            loop.restart();
            loop.run();
        }
        for (int n = 0; n < pieces; ++n)
            EXPECT_TRUE(marked(n)) << n;
        return commits;
    }

    std::unique_ptr<ledger::ledger> book = ledger::open_ledger(":memory:").value();
    static asio::awaitable<void> write(ledger_writer& writer, ledger_writer::work w, std::function<void(bool)> done) {
        const auto r = co_await writer.write(std::move(w));
        if (done) done(r.has_value());
    }
};

TEST_F(LedgerWriter, WhatArrivesDuringOneCommitGoesIntoTheNextInOrder) {
    std::vector<int> order;
    std::vector<ledger_writer::work> pieces;
    for (int n = 0; n < 20; ++n)
        pieces.emplace_back([&order, n](ledger::ledger& l) {
            order.push_back(n);
            return mark(n)(l);
        });
    EXPECT_THAT(run_together(std::move(pieces)), Each(true));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    for (int n = 0; n < 20; ++n)
        EXPECT_TRUE(marked(n)) << n;
}

TEST_F(LedgerWriter, ACommitWaitsForThePiecesThatAreExpectedWithIt) {
    EXPECT_EQ(commits_of_pieces(3, 3, 1h), 1) << "the last one ends the wait";
    EXPECT_EQ(commits_of_pieces(3, 0, 1h), 3) << "each was durable before the next was handed over";
    EXPECT_EQ(commits_of_pieces(3, 1, 1h), 3);
}

TEST_F(LedgerWriter, ACommitWaitsNoLongerThanItsPatienceForWhatDoesNotCome) {
    EXPECT_EQ(commits_of_pieces(1, 100, 1ms), 1);
    EXPECT_TRUE(marked(0));
}

TEST_F(LedgerWriter, TheEndOfTheWriterEndsTheWait) {
    asio::io_context loop(1);
    {
        ledger_writer writer(*book, loop.get_executor(), {}, 1h);
        writer.expect_together(100);
        asio::co_spawn(loop, write(writer, mark(0), nullptr), [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
        loop.poll();
    }
    EXPECT_TRUE(marked(0));
}

TEST_F(LedgerWriter, APieceThatFailsDoesNotFailItsNeighbours) {
    const auto fails = [](ledger::ledger& l) -> result<void> {
        (void)mark(1)(l);
        return core::failure{core::errc::internal, "wanted"};
    };
    EXPECT_THAT(run_together({mark(0), fails, mark(2)}), ElementsAre(true, false, true));
    EXPECT_TRUE(marked(0));
    EXPECT_FALSE(marked(1)) << "nothing of a failed piece is kept";
    EXPECT_TRUE(marked(2));
}

TEST_F(LedgerWriter, AGroupWithAFailureIsRunAgainPieceByPiece) {
    int runs = 0;
    const auto counted = [&](ledger::ledger& l) {
        ++runs;
        return mark(0)(l);
    };
    const auto fails = [](ledger::ledger&) -> result<void> { return core::failure{core::errc::internal, "wanted"}; };
    EXPECT_THAT(run_together({counted, fails}), ElementsAre(true, false));
    EXPECT_EQ(runs, 2) << "once with its neighbour, once alone";
}

TEST_F(LedgerWriter, APieceThatFailsAloneIsNotRunAgain) {
    int runs = 0;
    const auto fails = [&](ledger::ledger&) -> result<void> {
        ++runs;
        return core::failure{core::errc::ledger_full, "wanted"};
    };
    EXPECT_THAT(run_together({fails}), ElementsAre(false));
    EXPECT_EQ(runs, 1);
}

TEST_F(LedgerWriter, AnAnswerIsThatOfTheRunWhichWasKept) {
    asio::io_context loop(1);
    int asked = 0;
    int answer = 0;
    {
        ledger_writer writer(*book, loop.get_executor());
        auto work = [&]() -> asio::awaitable<void> {
            auto r = co_await writer.ask<int>([&](ledger::ledger&) -> result<int> { return ++asked; });
            answer = r.value();
        };
        asio::co_spawn(loop, work(), [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
        loop.run();
    }
    EXPECT_EQ(answer, asked);
}

TEST_F(LedgerWriter, WhatWasHandedOverIsWrittenThoughNobodyWaits) {
    asio::io_context loop(1);
    {
        ledger_writer writer(*book, loop.get_executor());
        auto work = [&]() -> asio::awaitable<void> { (void)co_await writer.write(mark(5)); };
        asio::co_spawn(loop, work(), [](const std::exception_ptr&) {});
        loop.poll();
    }
    EXPECT_TRUE(marked(5));
}

TEST_F(LedgerWriter, AGroupWaitsForAnotherWriterOnceAndNotForEachOfItsPieces) {
    const auto folder = ::testing::TempDir() + "/ledger-writer-" + std::to_string(::getpid());
    std::filesystem::create_directories(folder);
    const auto path = folder + "/l.db";
    book = ledger::open_ledger(path).value();
    auto busy = ledger::open_ledger(path).value();
    ASSERT_TRUE(busy->begin());
    asio::io_context loop(1);
    std::vector<bool> kept;
    sleeps_are_short = true;
    {
        // The first is a group of its own, or not; what comes while it waits is the next.
        ledger_writer writer(*book, loop.get_executor(), {}, 0us);
        const auto note = [](const std::exception_ptr& e) { EXPECT_FALSE(e); };
        for (int n = 0; n < 4; ++n)
            asio::co_spawn(loop, write(writer, mark(n), [&](bool ok) { kept.push_back(ok); }), note);
        loop.run();
    }
    sleeps_are_short = false;
    busy->rollback();
    EXPECT_THAT(kept, ElementsAre(false, false, false, false));
    EXPECT_GT(microseconds_slept, 200'000'000) << "it waits for minutes";
    EXPECT_LT(microseconds_slept, 900'000'000) << "once for each group";
    book.reset();
    busy.reset();
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace taskbarge::job
