#include "job/sending/ready_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using core::chunk_state;
using namespace std::chrono_literals;

class ReadyQueue : public ::testing::Test {
 protected:
    static std::vector<ledger::chunk_record> page(std::uint64_t first, std::size_t chunks) {
        std::vector<ledger::chunk_record> out;
        for (std::size_t i = 0; i < chunks; ++i)
            out.push_back(chunk_of(first + i, 1));
        return out;
    }
    void load(std::vector<ledger::chunk_record> chunks) {
        queue.begin_loading();
        queue.take_page(std::move(chunks), now);
        queue.end_loading();
    }
    core::chunk_id next() {
        auto step = queue.take_next(now, day, true);
        if (!step) return 0;
        taken.push_back(step->ready);
        return step->ready.chunk.id;
    }
    run_view view() const {
        run_view v;
        queue.describe(v, day, now);
        return v;
    }
    static verdict planned_again(const ledger::chunk_record& chunk, consequence what,
                                 std::optional<core::instant> not_before) {
        verdict v;
        v.what = what;
        v.update.chunk = chunk.id;
        v.update.state = chunk_state::planned;
        v.update.not_before = not_before;
        return v;
    }

    core::settings settings;
    ready_queue queue{settings, 100};
    moment now{at_second(1'000'000), steady_time(1000s)};
    core::rate_window day;
    std::vector<ready_queue::ready_chunk> taken;
};

TEST_F(ReadyQueue, ChunksGoInTheOrderInWhichTheyWereRead) {
    load(page(1, 3));
    EXPECT_EQ(next(), 1u);
    EXPECT_EQ(next(), 2u);
    EXPECT_EQ(next(), 3u);
    EXPECT_EQ(next(), 0u);
}

TEST_F(ReadyQueue, APageThatIsNotFullIsTheLast) {
    load(page(1, ready_queue::page_size));
    EXPECT_FALSE(queue.nothing_to_send());
    EXPECT_FALSE(queue.wants_loading()) << "enough is here";
    while (next() != 0) {
    }
    EXPECT_FALSE(queue.nothing_to_send()) << "more may be in the ledger";
    EXPECT_TRUE(queue.wants_loading());
    EXPECT_EQ(queue.last_loaded(), ready_queue::page_size);
    load({});
    EXPECT_TRUE(queue.nothing_to_send());
    EXPECT_FALSE(queue.wants_loading());
}

TEST_F(ReadyQueue, WithoutAPlaceAChunkIsTheNextAgain) {
    load(page(1, 2));
    ASSERT_EQ(next(), 1u);
    queue.not_sent(taken[0]);
    EXPECT_EQ(next(), 1u);
    EXPECT_EQ(next(), 2u);
}

TEST_F(ReadyQueue, NothingIsTakenWhereNoRequestMayLeave) {
    load(page(1, 1));
    EXPECT_FALSE(queue.take_next(now, day, false));
    EXPECT_EQ(next(), 1u) << "it is still there";
}

TEST_F(ReadyQueue, BackoffIsKeptAndOthersGoMeanwhile) {
    load(page(1, 2));
    ASSERT_EQ(next(), 1u);
    const auto& first = taken[0].chunk;
    const auto doubtful =
        queue.take_outcome(first, planned_again(first, consequence::trouble, now.wall + 10s), false, {}, day, now);
    EXPECT_TRUE(doubtful.empty());
    EXPECT_EQ(next(), 2u);
    EXPECT_EQ(next(), 0u);
    EXPECT_EQ(view().ready_at, now.steady + 10s);
    EXPECT_EQ(view().ready_waits, waits_for::backoff);
    now = {now.wall + 10s, now.steady + 10s};
    EXPECT_EQ(next(), 1u);
}

TEST_F(ReadyQueue, ADoubtfulOutcomeLeavesTheQueue) {
    load(page(1, 1));
    ASSERT_EQ(next(), 1u);
    verdict v;
    v.what = consequence::trouble;
    v.update.state = chunk_state::doubtful;
    v.update.code = "http_502";
    const auto doubtful = queue.take_outcome(taken[0].chunk, v, true, {}, day, now);
    ASSERT_EQ(doubtful.size(), 1u);
    EXPECT_EQ(doubtful[0].code, "http_502");
    EXPECT_TRUE(queue.nothing_to_send());
}

TEST_F(ReadyQueue, WhatTheRetryBudgetKeepsBackIsNotSentAndIsSaidSo) {
    settings.send.retry_budget = {0, 0};
    ready_queue strict(settings, 100);
    auto tried = chunk_of(1, 1);
    tried.attempts = 1;
    strict.begin_loading();
    strict.take_page({tried}, now);
    strict.end_loading();
    EXPECT_FALSE(strict.take_next(now, day, true));
    EXPECT_TRUE(strict.nothing_to_send());
    run_view v;
    strict.describe(v, day, now);
    EXPECT_TRUE(v.resend_budget_spent);
    EXPECT_EQ(v.ready, 1u);
}

TEST_F(ReadyQueue, ARetryThatWasNotSentIsGivenBack) {
    settings.send.retry_budget = {0, 1};
    ready_queue strict(settings, 100);
    auto tried = chunk_of(1, 1);
    tried.attempts = 1;
    strict.begin_loading();
    strict.take_page({tried}, now);
    strict.end_loading();
    auto step = strict.take_next(now, day, true);
    ASSERT_TRUE(step);
    EXPECT_EQ(strict.retries(), 1u);
    strict.not_sent(std::move(step->ready));
    EXPECT_EQ(strict.retries(), 0u);
    EXPECT_TRUE(strict.take_next(now, day, true));
}

TEST_F(ReadyQueue, PartsOfASplitGoBeforeTheRestOfTheJobAndAreNotReadASecondTime) {
    load(page(1, ready_queue::page_size));
    ASSERT_EQ(next(), 1u);
    auto part = chunk_of(500, 1), in_doubt = chunk_of(501, 1);
    part.parent = in_doubt.parent = 1;
    in_doubt.state = chunk_state::doubtful;
    verdict v;
    v.update.state = chunk_state::split;
    const auto doubtful = queue.take_outcome(taken[0].chunk, v, true, {part, in_doubt}, day, now);
    ASSERT_EQ(doubtful.size(), 1u);
    EXPECT_EQ(doubtful[0].id, 501u);
    EXPECT_EQ(next(), 500u);
    EXPECT_EQ(next(), 2u);
    load({part});
    std::size_t again = 0;
    for (auto id = next(); id != 0; id = next())
        again += id == 500 ? 1 : 0;
    EXPECT_EQ(again, 0u);
}

TEST_F(ReadyQueue, AChunkThatALookUpPlansAgainIsLeftToReadingWhereReadingIsStillToCome) {
    load(page(1, ready_queue::page_size));
    ledger::chunk_update update;
    update.state = chunk_state::planned;
    const auto behind = chunk_of(1000, 1), before = chunk_of(3, 1);
    queue.take_settled(behind, update, {});
    queue.take_settled(before, update, {});
    std::vector<core::chunk_id> seen;
    for (auto id = next(); id != 0; id = next())
        seen.push_back(id);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1000u), 0);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 3u), 2) << "this one was passed by reading already";
    EXPECT_FALSE(queue.nothing_to_send());
}

}  // namespace
}  // namespace taskbarge::job
