#include "job/look_up/evidence.hpp"

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

const core::instant earliest_stamp = attempt_began - 10min;

doubt doubt_of(ledger::chunk_record chunk) {
    doubt d;
    d.chunk = std::move(chunk);
    d.begun = 11;
    d.ended = 12;
    d.started_at = d.not_created_before = attempt_began;
    return d;
}

// A scan that shows a task younger than those requests.
span_view proven_view() {
    span_view view;
    view.proven_to[core::task_status::scheduled] = 13;
    return view;
}

std::vector<row_finding> judge_alone(const doubt& d, const span_view& view) {
    return judge(d, view, {&d});
}

// ------------------------------------------------------------------------------------------- one scan

TEST(Judge, ATaskWithAllFieldsEqualIsAdoptedAndTheOthersAreAbsent) {
    const auto d = doubt_of(chunk_of(1, 3));
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 2, "t3", since_attempt), task_for(d.chunk, 0, "t1", since_attempt)};
    const auto f = judge_alone(d, view);
    EXPECT_THAT(kinds(f), ElementsAre(present, absent, present));
    EXPECT_EQ(f[0].task_id, "t1");
    EXPECT_EQ(f[2].task_id, "t3");
}

TEST(Judge, TasksOfOtherContactsSayNothing) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto view = proven_view();
    view.tasks = {task_for(chunk_of(77, 1), 0, "t77", since_attempt)};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent));
}

TEST(Judge, OfTwoEqualTasksTheEarlierIsAdopted) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto view = proven_view();
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
    auto view = proven_view();
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
                      differing_field{"created", [](seen_task& task) { task.created_at.reset(); }},
                      differing_field{"age", [](seen_task& task) { task.created_at = earliest_stamp - 1ms; }}),
    [](const auto& field) { return field.param.name; });

TEST(Judge, AnExactTaskDecidesThoughAnotherDiffersInAField) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto differs = task_for(d.chunk, 0, "x", since_attempt);
    differs.note = "else";
    const auto exact = task_for(d.chunk, 0, "t1", since_attempt);
    auto view = proven_view();
    view.tasks = {differs, exact};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present));
    view.tasks = {exact, differs};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present));
}

TEST(Judge, AnotherTaskThatIsOlderThanTheAttemptIsNotItsWork) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 0, "old and different", earliest_stamp - 1ms),
                  task_for(d.chunk, 1, "within the slack", earliest_stamp)};
    view.tasks.front().type = "action_item";
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, present));
    view.tasks.front() = task_for(d.chunk, 0, "old, with another note", earliest_stamp - 1ms);
    view.tasks.front().note = "tidied";
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable, present)) << "a clock may be wrong";
}

TEST(Judge, AnExactMatchThatNoRowClaimsIsNeverAbsentHoweverOldItSeems) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 0, "old", earliest_stamp - 1ms), task_for(d.chunk, 1, "very old", at_second(0))};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable, undecidable));
    view.recorded = {"old"};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, undecidable)) << "one of them is another row's";
}

// A gateway's Date may be ahead of the clock that stamps tasks, and so may ours.
TEST(Judge, TheEarliestOfAllClocksTellsWhatIsOlder) {
    auto d = doubt_of(chunk_of(1, 1));
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 0, "t", attempt_began - 1h)};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable));
    view.stamps_ahead = -1h;
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present)) << "tasks are stamped by a clock that is behind";
    view.stamps_ahead = 1h;
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable)) << "a clock that is ahead excuses nothing";
    d.not_created_before = attempt_began - 1h;
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(present)) << "Apollo's clock was known when the request left";
    view.tasks.front().type = "action_item";
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable)) << "and then a differing task may be ours";
}

TEST(Judge, AChunkOfAnAcceptedLedgerHasNoTimeBeforeWhichATaskIsNotIts) {
    auto d = doubt_of(chunk_of(1, 2));
    d.begun = d.ended = 0;
    d.started_at = d.not_created_before = core::instant::min();
    auto view = proven_view();
    view.stamps_ahead = -1h;
    view.tasks = {task_for(d.chunk, 1, "t", at_second(1))};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, present));
}

// ------------------------------------------------------------------------------------------- the control

TEST(Judge, OnlyATaskYoungerThanTheRequestProvesAbsence) {
    auto d = doubt_of(chunk_of(1, 1));
    auto view = proven_view();
    EXPECT_EQ(problem_of(d, view), doubt_reason::none);
    d.ended = 13;
    EXPECT_EQ(problem_of(d, view), doubt_reason::index_unproven) << "the answer that named it ended the request too";
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable));
    d.ended = 500;
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable));
}

TEST(Judge, ATaskOfAnotherStatusProvesNothing) {
    auto chunk = chunk_of(1, 1);
    chunk.details.status = core::task_status::completed;
    const auto d = doubt_of(chunk);
    auto view = proven_view();
    EXPECT_EQ(problem_of(d, view), doubt_reason::index_unproven);
    view.proven_to[core::task_status::completed] = 13;
    EXPECT_EQ(problem_of(d, view), doubt_reason::none);
}

TEST(Judge, WithoutAnyKnownTaskNothingIsProvenEvenOfAChunkThatWasNeverSent) {
    auto d = doubt_of(chunk_of(1, 1));
    d.begun = d.ended = 0;
    EXPECT_EQ(problem_of(d, {}), doubt_reason::index_unproven);
}

TEST(Judge, TasksThatTheLedgerKnowsBelongToOtherRows) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto differs = task_for(d.chunk, 1, "known too", since_attempt);
    differs.note = "else";
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 0, "known", since_attempt), differs};
    view.recorded = {"known", "known too"};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(absent, absent));
}

// As after answers that were mixed up without a trace.
TEST(Judge, AnExactMatchThatTheLedgerHasForARowThatAskedForSomethingElseIsNotAbsent) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto differs = task_for(d.chunk, 1, "theirs", since_attempt);
    differs.note = "else";
    auto view = proven_view();
    view.tasks = {task_for(d.chunk, 0, "ours by its looks", since_attempt), differs};
    view.disputed = {"ours by its looks", "theirs"};
    EXPECT_THAT(kinds(judge_alone(d, view)), ElementsAre(undecidable, absent));
}

TEST(Judge, ATaskThatIsExactlyANeighboursSaysNothingAgainstThisChunk) {
    const auto d = doubt_of(chunk_of(1, 1));
    auto other_chunk = chunk_of(1, 1);
    other_chunk.id = 2;
    other_chunk.details.note = "the neighbour's";
    const auto neighbour = doubt_of(other_chunk);
    auto view = proven_view();
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
    auto view = proven_view();
    view.tasks = {task};
    EXPECT_THAT(kinds(judge(d, view, {&d, &neighbour})), ElementsAre(undecidable));
}

TEST(Judge, WhereTheScanProvesNothingAbsenceIsNotBelievedButPresenceIs) {
    const auto d = doubt_of(chunk_of(1, 2));
    auto view = proven_view();
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

// While the index is late a request's tasks may be behind those of the control by as much as they were made later.
TEST_F(Weigh, TheSettleTimeCountsFromTheFirstScanThatCouldProveAbsence) {
    scan({is_open, is_open}, start, doubt_reason::index_unproven);
    const auto shown = start + settle_time * 5;
    EXPECT_EQ(scan({is_not, is_not}, shown), settlement::scan_again) << "the scan before it proved nothing";
    EXPECT_EQ(d.next_scan, shown + settle_time);
    EXPECT_EQ(scan({is_not, is_not}, shown + settle_time - 1ms), settlement::scan_again);
    EXPECT_EQ(scan({is_not, is_not}, shown + settle_time), settlement::settled);
}

TEST_F(Weigh, AScanThatProvesNothingInBetweenStartsTheTimeAgain) {
    scan({is_not, is_not}, start);
    scan({is_open, is_open}, start + 1min, doubt_reason::list_changing);
    EXPECT_EQ(scan({is_not, is_not}, start + settle_time), settlement::scan_again);
    EXPECT_EQ(scan({is_not, is_not}, start + settle_time * 2), settlement::settled);
}

TEST_F(Weigh, LongPausesEndWhenNothingElseIsLeftToDo) {
    auto at = start;
    for (int i = 0; i < 20; ++i) {
        scan({is_open, is_open}, at, doubt_reason::index_unproven);
        at = d.next_scan;
    }
    ASSERT_GE(d.next_scan, d.last_scan + 5min);
    hasten(d, settle_time);
    EXPECT_LE(d.next_scan, d.last_scan + 10s);
    const auto soon = d.next_scan;
    scan({is_not, is_not}, soon);
    hasten(d, settle_time);
    EXPECT_EQ(d.next_scan, soon + settle_time) << "what the promise needs is waited for all the same";
}

TEST_F(Weigh, AListThatShowsSomethingElseEachTimeIsGivenUpAtTheLastChance) {
    auto at = start;
    int scans = 0;
    const auto flicker = [&] { return std::vector{scans % 2 == 0 ? is_not : is_there, is_not}; };
    while (scan(flicker(), at, doubt_reason::none, true) == settlement::scan_again && scans < 100) {
        at = d.next_scan;
        ++scans;
    }
    EXPECT_LT(scans, 30);
    EXPECT_EQ(d.why, doubt_reason::list_changing);
    EXPECT_EQ(final_findings.back().what, undecidable);
}

TEST_F(Weigh, WithoutASettleTimeTwoScansAreNeededAllTheSame) {
    auto first = weigh(d, {is_not, is_not}, doubt_reason::none, start, 0ms, false);
    EXPECT_EQ(first.what, settlement::scan_again);
    EXPECT_EQ(weigh(d, {is_not, is_not}, doubt_reason::none, start, 0ms, false).what, settlement::settled);
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
