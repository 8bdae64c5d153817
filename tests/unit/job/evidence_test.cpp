#include "job/evidence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using client::seen_task;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using enum finding;
using steady = std::chrono::steady_clock::time_point;

const core::instant attempt_began = at_second(1'790'000'000);
const core::instant since_attempt = attempt_began + 30s;

doubt doubt_of(ledger::chunk_record chunk) {
    doubt d;
    d.chunk = std::move(chunk);
    d.not_created_before = attempt_began - 10min;
    return d;
}

std::vector<row_finding> judge_alone(const doubt& d, const span_view& view) {
    return judge(d, view, {&d});
}

// ------------------------------------------------------------------------------------------- one scan

TEST(Judge, ATaskWithAllFieldsEqualIsAdoptedAndTheOthersAreAbsent) {
    const auto d = doubt_of(chunk_of(1, 3));
    span_view view;
    view.tasks = {task_for(d.chunk, 2, "t3", since_attempt), task_for(d.chunk, 0, "t1", since_attempt)};
    const auto f = judge_alone(d, view);
    EXPECT_THAT(kinds(f), ElementsAre(present, absent, present));
    EXPECT_EQ(f[0].task_id, "t1");
    EXPECT_EQ(f[2].task_id, "t3");
}

TEST(Judge, TasksOfOtherContactsSayNothing) {
    const auto d = doubt_of(chunk_of(1, 1));
    span_view view;
    view.tasks = {task_for(chunk_of(77, 1), 0, "t77", since_attempt)};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent));
}

TEST(Judge, OfTwoEqualTasksTheEarlierIsAdopted) {
    const auto d = doubt_of(chunk_of(1, 1));
    span_view view;
    view.tasks = {task_for(d.chunk, 0, "later", since_attempt + 1s), task_for(d.chunk, 0, "first", since_attempt),
                  task_for(d.chunk, 0, "last", since_attempt + 2s)};
    EXPECT_EQ(judge_alone(d, view).front().task_id, "first");
}

struct differing_field {
    const char* name;
    std::function<void(seen_task&)> change;
};
class AFieldThatDiffers : public ::testing::TestWithParam<differing_field> {};

TEST_P(AFieldThatDiffers, IsNeverTakenForAbsence) {
    const auto d = doubt_of(chunk_of(1, 2));
    span_view view;
    view.tasks = {task_for(d.chunk, 0, "t1", since_attempt)};
    GetParam().change(view.tasks[0]);
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable, absent));
}
INSTANTIATE_TEST_SUITE_P(
    EachField, AFieldThatDiffers,
    ::testing::Values(differing_field{"user", [](seen_task& task) { task.user_id = "000000000000000000000000"; }},
                      differing_field{"type", [](seen_task& task) { task.type = "action_item"; }},
                      differing_field{"priority", [](seen_task& task) { task.priority = "low"; }},
                      differing_field{"status", [](seen_task& task) { task.status = "completed"; }},
                      differing_field{"note", [](seen_task& task) { task.note += " "; }},
                      differing_field{"created", [](seen_task& task) { task.created_at.reset(); }}),
    [](const auto& field) { return field.param.name; });

TEST(Judge, AnExactTaskDecidesThoughAnotherDiffersInAField) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto differs = task_for(d.chunk, 0, "x", since_attempt);
    differs.note = "else";
    const auto exact = task_for(d.chunk, 0, "t1", since_attempt);
    span_view view;
    view.tasks = {differs, exact};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present));
    view.tasks = {exact, differs};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present));
}

TEST(Judge, TasksOlderThanTheAttemptAreNotItsWork) {
    const auto d = doubt_of(chunk_of(1, 2));
    span_view view;
    view.tasks = {task_for(d.chunk, 0, "old", d.not_created_before - 1ms),
                  task_for(d.chunk, 1, "within the slack", d.not_created_before)};
    view.tasks.push_back(task_for(d.chunk, 0, "old and different", d.not_created_before - 1ms));
    view.tasks.back().note = "else";
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, present));
}

TEST(Judge, TasksThatTheLedgerKnowsBelongToOtherRows) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto differs = task_for(d.chunk, 1, "known too", since_attempt);
    differs.note = "else";
    span_view view;
    view.tasks = {task_for(d.chunk, 0, "known", since_attempt), differs};
    view.recorded = {"known", "known too"};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, absent));
}

TEST(Judge, ATaskThatIsExactlyANeighboursSaysNothingAgainstThisChunk) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto other_chunk = chunk_of(1, 1);
    other_chunk.id = 2;
    other_chunk.details.note = "the neighbour's";
    const auto neighbour = doubt_of(other_chunk);
    span_view view;
    view.tasks = {task_for(neighbour.chunk, 0, "theirs", since_attempt)};
    EXPECT_THAT(kinds(judge(d, view, {&d, &neighbour})), ElementsAre(absent));
    EXPECT_THAT(kinds(judge(neighbour, view, {&d, &neighbour})), ElementsAre(present));
    EXPECT_THAT(kinds(judge(d, view, {&d})), ElementsAre(undecidable)) << "without the neighbour it may be ours";
}

TEST(Judge, ANeighbourOfOtherContactsExplainsNothing) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto other_chunk = chunk_of(50, 1);
    other_chunk.details.note = "the neighbour's";
    const auto neighbour = doubt_of(other_chunk);
    auto task = task_for(d.chunk, 0, "t", since_attempt);
    task.note = "the neighbour's";
    span_view view;
    view.tasks = {task};
    EXPECT_THAT(kinds(judge(d, view, {&d, &neighbour})), ElementsAre(undecidable));
}

TEST(Judge, WhereTheScanProvesNothingAbsenceIsNotBelievedButPresenceIs) {
    const auto d = doubt_of(chunk_of(1, 2));
    span_view view;
    view.problem = doubt_reason::not_visible;
    view.tasks = {task_for(d.chunk, 1, "t2", since_attempt)};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable, present));
}

// ------------------------------------------------------------------------------------------- scan after scan

constexpr std::chrono::milliseconds settle_time = 2min;

// A chunk of two rows whose attempt ended at `start`.
class Weigh : public ::testing::Test {
 protected:
    Weigh() : d(doubt_of(chunk_of(1, 2))) { d.quiet_since = d.next_scan = start; }

    settlement scan(const std::vector<row_finding>& findings, steady at, doubt_reason problem = doubt_reason::none,
                    bool last_chance = false) {
        auto w = weigh(d, findings, problem, at, settle_time, last_chance);
        final_findings = w.findings;
        return w.what;
    }

    const steady start{1h};
    const row_finding is_there{present, "t"};
    const row_finding is_not{absent, {}};
    const row_finding is_open{undecidable, {}};
    doubt d;
    std::vector<row_finding> final_findings;
};

TEST_F(Weigh, PresenceOfAllRowsNeedsNoSecondScan) {
    EXPECT_EQ(scan({is_there, is_there}, start), settlement::settled);
    EXPECT_THAT(kinds(final_findings), ElementsAre(present, present));
}

TEST_F(Weigh, AbsenceIsBelievedByTheSecondScanAfterTheSettleTime) {
    EXPECT_EQ(scan({is_not, is_there}, start), settlement::scan_again);
    EXPECT_EQ(d.next_scan, start + settle_time);
    EXPECT_EQ(scan({is_not, is_there}, start + settle_time), settlement::settled);
    EXPECT_THAT(kinds(final_findings), ElementsAre(absent, present));
}

TEST_F(Weigh, TwoScansWithinTheSettleTimeProveNothing) {
    scan({is_not, is_not}, start);
    EXPECT_EQ(scan({is_not, is_not}, start + settle_time - 1ms), settlement::scan_again);
    EXPECT_EQ(d.next_scan, start + settle_time);
}

TEST_F(Weigh, OneScanAfterTheSettleTimeIsNotEnough) {
    EXPECT_EQ(scan({is_not, is_not}, start + settle_time * 10), settlement::scan_again);
    EXPECT_GT(d.next_scan, start + settle_time * 10);
    EXPECT_EQ(scan({is_not, is_not}, d.next_scan), settlement::settled);
}

TEST_F(Weigh, AScanThatFindsMoreRestartsTheTime) {
    scan({is_not, is_not}, start);
    const auto then = start + settle_time;
    EXPECT_EQ(scan({is_not, is_there}, then), settlement::scan_again);
    EXPECT_EQ(d.next_scan, then + settle_time);
    EXPECT_EQ(scan({is_not, is_there}, then + 1min), settlement::scan_again);
    EXPECT_EQ(scan({is_not, is_there}, then + settle_time), settlement::settled);
}

TEST_F(Weigh, ScansThatDisagreeSettleNothing) {
    scan({is_not, is_there}, start);
    EXPECT_EQ(scan({is_there, is_not}, start + settle_time), settlement::scan_again);
    EXPECT_EQ(scan({is_not, is_not}, d.next_scan), settlement::scan_again);
    EXPECT_EQ(scan({is_not, is_not}, d.next_scan), settlement::settled);
}

TEST_F(Weigh, AnotherTaskForTheSameRowIsADisagreement) {
    const row_finding other{present, "another"};
    scan({is_not, is_there}, start);
    EXPECT_EQ(scan({is_not, other}, start + settle_time), settlement::scan_again);
}

TEST_F(Weigh, AMismatchThatStaysIsSettledAsUndecidable) {
    scan({is_open, is_not}, start);
    EXPECT_EQ(scan({is_open, is_not}, start + settle_time), settlement::settled);
    EXPECT_EQ(d.why, doubt_reason::mismatch);
    EXPECT_THAT(kinds(final_findings), ElementsAre(undecidable, absent));
}

TEST_F(Weigh, WhatAScanCouldNotSeeIsTriedAgainWhileThereIsOtherWork) {
    auto at = start;
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(scan({is_open, is_open}, at, doubt_reason::not_visible), settlement::scan_again);
        ASSERT_GT(d.next_scan, at);
        at = d.next_scan;
    }
    EXPECT_EQ(d.why, doubt_reason::not_visible);
}

// Each try costs some ten requests of the search's windows.
TEST_F(Weigh, TriesThatSeeNothingGrowRarer) {
    auto at = start;
    for (int i = 0; i < 100; ++i) {
        scan({is_open, is_open}, at, doubt_reason::index_unproven);
        at = d.next_scan;
    }
    EXPECT_GT(at - start, 100min);
    EXPECT_LE(d.next_scan - at, 1h);
}

TEST_F(Weigh, AtTheLastChanceTwoEqualScansAreFinalAfterTheSettleTime) {
    EXPECT_EQ(scan({is_open, is_there}, start, doubt_reason::forbidden, true), settlement::scan_again);
    EXPECT_EQ(scan({is_open, is_there}, start + settle_time, doubt_reason::forbidden, true), settlement::settled);
    EXPECT_THAT(kinds(final_findings), ElementsAre(undecidable, present));
    EXPECT_EQ(d.why, doubt_reason::forbidden);
}

TEST_F(Weigh, AtTheLastChanceAListThatNeverRestsIsGivenUp) {
    auto at = start;
    int scans = 1;
    const auto flicker = [&] { return std::vector{is_open, scans % 2 == 0 ? is_open : is_there}; };
    while (scan(flicker(), at, doubt_reason::list_changing, true) == settlement::scan_again && scans < 50) {
        at = d.next_scan;
        ++scans;
    }
    EXPECT_LT(scans, 20);
    EXPECT_GE(at, start + settle_time);
}

TEST_F(Weigh, AGoodScanAfterBadOnesBeginsAnew) {
    scan({is_open, is_open}, start, doubt_reason::list_changing);
    EXPECT_EQ(scan({is_not, is_not}, start + settle_time), settlement::scan_again)
        << "the scan before it proved nothing";
    EXPECT_EQ(scan({is_not, is_not}, d.next_scan), settlement::settled);
}

TEST(HeldCodes, EveryReasonHasItsOwnCodeAndARemedy) {
    std::vector<std::string> codes;
    for (const auto why : {doubt_reason::not_visible, doubt_reason::list_changing, doubt_reason::not_sorted,
                           doubt_reason::index_unproven, doubt_reason::forbidden, doubt_reason::search_failing,
                           doubt_reason::mismatch}) {
        const auto code = held_code(why);
        EXPECT_THAT(code, StartsWith("held_"));
        EXPECT_THAT(codes, Not(::testing::Contains(code)));
        EXPECT_THAT(held_message(why), HasSubstr("may have been created"));
        codes.push_back(code);
    }
}

}  // namespace
}  // namespace taskbarge::job
