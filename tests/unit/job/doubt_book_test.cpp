#include "job/sending/doubt_book.hpp"

#include <gtest/gtest.h>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using core::chunk_state;
using namespace std::chrono_literals;

class DoubtBook : public ::testing::Test {
 protected:
    DoubtBook() { settings.send.settle_time = 10s; }

    static ledger::chunk_record in_doubt(core::chunk_id id, int day = 20'600, std::string code = "http_502") {
        auto c = chunk_of(id * 100, 2, day);
        c.id = id;
        c.state = chunk_state::doubtful;
        c.code = std::move(code);
        return c;
    }
    // As doubt_of() reads it: one request, that began and ended by these events.
    static void begin(doubt_book& book, ledger::chunk_record chunk, ledger::event_number begun, steady_time at) {
        doubt d;
        d.chunk = std::move(chunk);
        d.begun = begun;
        d.ended = begun + 1;
        book.begin(std::move(d), at);
    }
    // A whole list, in which nothing of the doubts shows, and that has come as far as that event.
    static span_view nothing_shows(ledger::event_number proven) {
        span_view v;
        v.proven_to[core::task_status::scheduled] = proven;
        return v;
    }

    core::settings settings;
    moment now{at_second(1'000'000), steady_time(1000s)};
};

TEST_F(DoubtBook, WhatIsHeldIsLookedAtOnlyByThoseWhoCameForIt) {
    for (const auto purpose : {run_purpose::import, run_purpose::retry, run_purpose::verify, run_purpose::cancel}) {
        doubt_book book(settings, purpose, false);
        book.add({in_doubt(1), in_doubt(2, 20'600, held_code(doubt_reason::not_visible))});
        std::size_t taken = 0;
        while (book.take_new())
            ++taken;
        const bool both = purpose == run_purpose::retry || purpose == run_purpose::verify;
        EXPECT_EQ(taken, both ? 2u : 1u);
    }
}

TEST_F(DoubtBook, AChunkIsInItOnce) {
    doubt_book book(settings, run_purpose::import, false);
    begin(book, in_doubt(1), 5, now.steady);
    book.add({in_doubt(1)});
    EXPECT_FALSE(book.take_new());
}

TEST_F(DoubtBook, ANeighbourOfTheSameDayIsLookedUpAsWell) {
    doubt_book book(settings, run_purpose::import, false);
    begin(book, in_doubt(1, 20'600), 5, now.steady);
    begin(book, in_doubt(2, 20'600), 6, now.steady + 1h);
    begin(book, in_doubt(3, 20'601), 7, now.steady + 1h);
    const auto due = book.due(now.steady);
    ASSERT_EQ(due.size(), 2u);
    EXPECT_EQ(due[0].chunk.id, 1u);
    EXPECT_EQ(due[1].chunk.id, 2u);
    run_view v;
    book.describe(v);
    EXPECT_EQ(v.doubts, 3u);
    EXPECT_EQ(v.scan_due, now.steady);
}

TEST_F(DoubtBook, AbsenceIsBelievedAfterTheSettleTimeAndPlannedAgain) {
    doubt_book book(settings, run_purpose::import, false);
    begin(book, in_doubt(1), 5, now.steady);
    EXPECT_FALSE(book.weigh(1, nothing_shows(9), false, true, now)) << "one look proves nothing";
    now = {now.wall + 10s, now.steady + 10s};
    std::optional<doubt_book::settlement> settled;
    for (int looks = 0; looks < 5 && !settled; ++looks) {
        settled = book.weigh(1, nothing_shows(9), false, true, now);
        now = {now.wall + 10s, now.steady + 10s};
    }
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->update.state, chunk_state::planned);
    EXPECT_FALSE(book.empty()) << "until the ledger has it";
    book.settled(1);
    EXPECT_TRUE(book.empty());
}

TEST_F(DoubtBook, WhatAnotherProcessHasClaimedIsLookedUpAgainFromTheBeginning) {
    doubt_book book(settings, run_purpose::import, false);
    begin(book, in_doubt(1), 5, now.steady);
    (void)book.weigh(1, nothing_shows(9), false, true, now);
    now = {now.wall + 10s, now.steady + 10s};
    book.claimed_by_others(1, now.steady);
    EXPECT_EQ(book.due(now.steady).size(), 1u);
    EXPECT_FALSE(book.weigh(1, nothing_shows(9), false, true, now)) << "what was seen before counts no more";
}

TEST_F(DoubtBook, ACancelledJobsAbsentRowsAreCancelled) {
    doubt_book book(settings, run_purpose::cancel, false);
    begin(book, in_doubt(1), 5, now.steady);
    std::optional<doubt_book::settlement> settled;
    for (int looks = 0; looks < 5 && !settled; ++looks) {
        settled = book.weigh(1, nothing_shows(9), true, false, now);
        now = {now.wall + 10s, now.steady + 10s};
    }
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->update.state, chunk_state::refused);
    EXPECT_EQ(settled->update.code, "cancelled");
}

// Of an accepted ledger nothing was sent that this ledger knows of: one chunk goes ahead, so that there is a control
// for the others.
TEST_F(DoubtBook, OfAnAcceptedLedgerOneChunkGoesAhead) {
    doubt_book book(settings, run_purpose::import, false);
    for (core::chunk_id id = 1; id <= 3; ++id) {
        doubt d;
        d.chunk = in_doubt(id, 20'600, std::string(ledger::ledger_accepted));
        d.ended = 100;
        book.begin(std::move(d), now.steady);
    }
    std::size_t sent = 0;
    for (int looks = 0; looks < 6; ++looks) {
        for (core::chunk_id id = 1; id <= 3; ++id) {
            if (sent > 0 && id == 1) continue;
            const auto settled = book.weigh(id, nothing_shows(50), sent == 0, true, now);
            if (!settled) continue;
            EXPECT_EQ(settled->update.state, chunk_state::planned);
            EXPECT_EQ(id, 1u);
            ++sent;
            book.settled(id);
        }
        now = {now.wall + 10s, now.steady + 10s};
    }
    EXPECT_EQ(sent, 1u);
}

}  // namespace
}  // namespace taskbarge::job
