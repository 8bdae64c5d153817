#include "job/sending/chunk_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

using client::create_verdict;
using core::chunk_state;
using ledger::attempt_result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

const core::instant now = at_second(1'790'000'000);

client::exchange answered(int status, std::string body = {}) {
    client::exchange x;
    x.reach = client::reach::answered;
    x.status = status;
    x.body = std::move(body);
    x.request_id = "req-7";
    x.bytes_sent = 900;
    x.bytes_received = 4000;
    x.server_date = now;
    return x;
}

client::create_answer verdict_of(create_verdict v, std::string code, std::string message) {
    client::create_answer a;
    a.verdict = v;
    a.code = std::move(code);
    a.message = std::move(message);
    return a;
}

client::create_answer created(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& contact_and_task) {
    auto a = verdict_of(create_verdict::created, "created", "");
    for (const auto& [contact, task] : contact_and_task)
        a.tasks.add(contact_id(contact), task_id(task));
    return a;
}

// ------------------------------------------------------------------------------------------- after an exchange

TEST(AfterExchange, AWholeAnswerSettlesTheChunk) {
    const auto v = after_exchange(chunk_of(1, 3), answered(200), created({{1, 11}, {2, 12}, {3, 13}}), now);
    EXPECT_EQ(v.what, consequence::progress);
    EXPECT_EQ(v.update.state, chunk_state::created);
    EXPECT_EQ(v.update.attempts, 1u);
    EXPECT_EQ(v.update.settled_at, now);
    EXPECT_THAT(v.update.created, ElementsAre(Pair(0u, "task-11"), Pair(1u, "task-12"), Pair(2u, "task-13")));
    EXPECT_THAT(v.update.children, IsEmpty());
    EXPECT_THAT(v.notices, IsEmpty());
    EXPECT_EQ(v.update.code, "");
    EXPECT_EQ(v.report.what, attempt_result::succeeded);
    EXPECT_EQ(v.report.request_id, "req-7");
    EXPECT_EQ(v.report.bytes_sent, 900u);
    EXPECT_EQ(v.report.bytes_received, 4000u);
    EXPECT_EQ(v.report.server_date, now);
    EXPECT_EQ(v.report.evidence, "");
}

TEST(AfterExchange, TasksAreMatchedByContactAndNeverByPosition) {
    const auto v = after_exchange(chunk_of(1, 3), answered(200), created({{3, 13}, {1, 11}, {2, 12}}), now);
    EXPECT_EQ(v.update.state, chunk_state::created);
    EXPECT_THAT(v.update.created, ElementsAre(Pair(0u, "task-11"), Pair(1u, "task-12"), Pair(2u, "task-13")));
}

TEST(AfterExchange, RowsThatTheAnswerDoesNotNameMoveToADoubtfulChild) {
    auto chunk = chunk_of(1, 4);
    chunk.attempts = 2;
    chunk.possible_duplicate = true;
    const auto v = after_exchange(chunk, answered(200), created({{2, 12}, {4, 14}}), now);
    EXPECT_EQ(v.what, consequence::progress);
    EXPECT_EQ(v.update.state, chunk_state::split);
    EXPECT_THAT(v.update.created, ElementsAre(Pair(1u, "task-12"), Pair(3u, "task-14")));
    ASSERT_THAT(v.update.children, SizeIs(1));
    const auto& rest = v.update.children.front();
    EXPECT_THAT(rest.indexes, ElementsAre(0u, 2u));
    EXPECT_EQ(rest.state, chunk_state::doubtful);
    EXPECT_EQ(rest.code, missing_in_answer);
    EXPECT_TRUE(rest.possible_duplicate);
    EXPECT_EQ(rest.attempts, 3u);
    EXPECT_THAT(v.notices, ElementsAre(HasSubstr("does not name 2 of 4 contacts")));
    EXPECT_THAT(v.report.evidence, HasSubstr("2 of 4"));
}

TEST(AfterExchange, AnAnswerThatNamesNobodyMakesTheWholeChunkDoubtful) {
    const auto v = after_exchange(chunk_of(1, 2), answered(200), created({}), now);
    EXPECT_EQ(v.update.state, chunk_state::doubtful);
    EXPECT_EQ(v.update.code, missing_in_answer);
    EXPECT_THAT(v.update.created, IsEmpty());
    EXPECT_THAT(v.update.children, IsEmpty());
    EXPECT_FALSE(v.update.settled_at);
}

TEST(AfterExchange, AContactNamedTwiceKeepsItsFirstTaskAndIsTold) {
    const auto v = after_exchange(chunk_of(1, 2), answered(200), created({{1, 11}, {1, 99}, {2, 12}}), now);
    EXPECT_EQ(v.update.state, chunk_state::created);
    EXPECT_THAT(v.update.created, ElementsAre(Pair(0u, "task-11"), Pair(1u, "task-12")));
    ASSERT_THAT(v.notices, SizeIs(1));
    EXPECT_THAT(v.notices.front(), HasSubstr("more than once"));
    EXPECT_THAT(v.notices.front(), HasSubstr(contact_id(1)));
    EXPECT_EQ(v.report.evidence, v.notices.front() + "\nrepeated contact " + contact_id(1) + ", task task-99");
}

TEST(AfterExchange, AContactThatNobodyAskedForIsToldAndGivenToNoRow) {
    const auto v = after_exchange(chunk_of(1, 2), answered(200), created({{1, 11}, {500, 99}, {2, 12}}), now);
    EXPECT_EQ(v.update.state, chunk_state::created);
    EXPECT_THAT(v.update.created, ElementsAre(Pair(0u, "task-11"), Pair(1u, "task-12")));
    EXPECT_THAT(v.notices, ElementsAre(HasSubstr("not asked for: " + contact_id(500))));
}

TEST(AfterExchange, ALongListOfOddContactsIsShortened) {
    const auto v = after_exchange(chunk_of(1, 1), answered(200),
                                  created({{1, 11}, {501, 1}, {502, 2}, {503, 3}, {504, 4}, {505, 5}}), now);
    ASSERT_THAT(v.notices, SizeIs(1));
    EXPECT_THAT(v.notices.front(), HasSubstr("and 2 more"));
    EXPECT_THAT(v.report.evidence, HasSubstr("foreign contact " + contact_id(505) + ", task task-5"))
        << "but kept whole, within bounds";
}

struct refusal_case {
    create_verdict verdict;
    int status;
};
class AfterARefusal : public ::testing::TestWithParam<refusal_case> {};

TEST_P(AfterARefusal, RowsHaveFailedAndIsolationMayTry) {
    const auto v = after_exchange(chunk_of(1, 2), answered(GetParam().status, R"({"error":"no"})"),
                                  verdict_of(GetParam().verdict, "refused_422", "no"), now);
    EXPECT_EQ(v.what, consequence::refusal);
    EXPECT_TRUE(v.may_isolate);
    EXPECT_EQ(v.update.state, chunk_state::refused);
    EXPECT_EQ(v.update.attempts, 1u);
    EXPECT_EQ(v.update.settled_at, now);
    EXPECT_EQ(v.update.code, "refused_422");
    EXPECT_EQ(v.update.message, "no");
    EXPECT_EQ(v.report.what, attempt_result::refused);
    EXPECT_THAT(v.report.evidence, ::testing::EndsWith("\nanswer: {\"error\":\"no\"}"));
}
INSTANTIATE_TEST_SUITE_P(Statuses, AfterARefusal,
                         ::testing::Values(refusal_case{create_verdict::refused, 422},
                                           refusal_case{create_verdict::too_many, 413}),
                         [](const auto& one) { return std::to_string(one.param.status); });

struct repeat_case {
    const char* name;
    create_verdict verdict;
    consequence what;
    attempt_result report;
};
class AfterNothingCanHaveHappened : public ::testing::TestWithParam<repeat_case> {};

TEST_P(AfterNothingCanHaveHappened, TheChunkIsPlannedAgainAndNoAttemptIsCounted) {
    auto chunk = chunk_of(1, 2);
    chunk.attempts = 3;
    chunk.possible_duplicate = true;
    const auto v = after_exchange(chunk, answered(0), verdict_of(GetParam().verdict, "some_code", "words"), now);
    EXPECT_EQ(v.what, GetParam().what);
    EXPECT_EQ(v.update.state, chunk_state::planned);
    EXPECT_EQ(v.update.attempts, 3u);
    EXPECT_TRUE(v.update.possible_duplicate);
    EXPECT_FALSE(v.update.settled_at);
    EXPECT_THAT(v.update.created, IsEmpty());
    EXPECT_EQ(v.report.what, GetParam().report);
    EXPECT_EQ(v.report.code, "some_code");
}
INSTANTIATE_TEST_SUITE_P(
    Verdicts, AfterNothingCanHaveHappened,
    ::testing::Values(
        repeat_case{"throttled", create_verdict::throttled, consequence::throttled, attempt_result::throttled},
        repeat_case{"not_sent", create_verdict::not_sent, consequence::trouble, attempt_result::not_sent},
        repeat_case{"unauthorized", create_verdict::unauthorized, consequence::key_wrong, attempt_result::refused},
        repeat_case{"forbidden", create_verdict::forbidden, consequence::no_right, attempt_result::refused}),
    [](const auto& one) { return one.param.name; });

TEST(AfterExchange, AnAnswerThatProvesNothingLeavesTheChunkInDoubt) {
    auto chunk = chunk_of(1, 2);
    chunk.attempts = 1;
    const auto v = after_exchange(chunk, answered(500, "<html>"),
                                  verdict_of(create_verdict::doubtful, "http_500", "status 500"), now);
    EXPECT_EQ(v.what, consequence::trouble);
    EXPECT_EQ(v.update.state, chunk_state::doubtful);
    EXPECT_EQ(v.update.attempts, 2u);
    EXPECT_EQ(v.update.code, "http_500");
    EXPECT_FALSE(v.update.settled_at);
    EXPECT_FALSE(v.may_isolate);
    EXPECT_EQ(v.report.what, attempt_result::doubtful);
    EXPECT_THAT(v.report.evidence, ::testing::EndsWith("\nanswer: <html>"));
}

TEST(AfterExchange, TheRequestIsKeptInShort) {
    auto chunk = chunk_of(1, 100);
    chunk.details.note = std::string(199, 'x') + "\u00e9 and a long rest";
    const auto evidence = request_evidence(chunk);
    EXPECT_THAT(evidence, ::testing::StartsWith("request: POST tasks/bulk_create {\"user_id\":\""));
    EXPECT_THAT(evidence, HasSubstr("\"" + contact_id(5) + "\"]"));
    EXPECT_THAT(evidence, HasSubstr("xxx...\"} and 95 more contacts"));
    auto x = answered(0, "");
    x.reach = client::reach::no_answer;
    const auto v = after_exchange(chunk, x, verdict_of(create_verdict::doubtful, "connection_lost", "lost"), now);
    EXPECT_EQ(v.report.evidence, evidence) << "there was no answer";
}

TEST(AfterExchange, TheEvidenceKeptOfAnAnswerIsBounded) {
    const auto v = after_exchange(chunk_of(1, 1), answered(500, std::string(1u << 20, 'x')),
                                  verdict_of(create_verdict::doubtful, "http_500", "status 500"), now);
    EXPECT_LE(v.report.evidence.size(), 4096u);
    EXPECT_GE(v.report.evidence.size(), 1024u);
}

// ------------------------------------------------------------------------------------------- after a look-up

row_finding present(std::uint64_t task) {
    return {finding::present, task_id(task)};
}
const row_finding absent{finding::absent, {}};
const row_finding open_question{finding::undecidable, {}};

ledger::chunk_record doubtful(std::size_t rows) {
    auto c = chunk_of(1, rows);
    c.state = chunk_state::doubtful;
    c.attempts = 1;
    c.code = "http_502";
    c.message = "status 502";
    return c;
}

ledger::chunk_update settle(const ledger::chunk_record& c, const std::vector<row_finding>& findings,
                            const settlement_rules& rules = {}) {
    return after_look_up(c, findings, "held_mismatch", "look at it", rules, now);
}

TEST(AfterLookUp, RowsThatAreAllThereAreAdopted) {
    const auto u = settle(doubtful(2), {present(11), present(12)});
    EXPECT_EQ(u.state, chunk_state::created);
    EXPECT_THAT(u.created, ElementsAre(Pair(0u, "task-11"), Pair(1u, "task-12")));
    EXPECT_EQ(u.settled_at, now);
    EXPECT_EQ(u.attempts, 1u);
}

TEST(AfterLookUp, RowsThatAreAllAbsentArePlannedAgain) {
    const auto u = settle(doubtful(2), {absent, absent});
    EXPECT_EQ(u.state, chunk_state::planned);
    EXPECT_EQ(u.attempts, 1u);
    EXPECT_FALSE(u.possible_duplicate);
    EXPECT_FALSE(u.settled_at);
    EXPECT_THAT(u.children, IsEmpty());
}

TEST(AfterLookUp, OnlyWhatIsAbsentOfAChunkIsPlannedAgain) {
    const auto u = settle(doubtful(4), {absent, present(12), absent, present(14)});
    EXPECT_EQ(u.state, chunk_state::split);
    EXPECT_THAT(u.created, ElementsAre(Pair(1u, "task-12"), Pair(3u, "task-14")));
    ASSERT_THAT(u.children, SizeIs(1));
    EXPECT_THAT(u.children[0].indexes, ElementsAre(0u, 2u));
    EXPECT_EQ(u.children[0].state, chunk_state::planned);
    EXPECT_EQ(u.children[0].attempts, 1u);
}

TEST(AfterLookUp, ThreeFindingsMakeTwoChildren) {
    const auto u = settle(doubtful(5), {open_question, absent, present(13), open_question, absent});
    EXPECT_EQ(u.state, chunk_state::split);
    ASSERT_THAT(u.children, SizeIs(2));
    std::vector<std::uint32_t> held, again;
    for (const auto& child : u.children)
        (child.state == chunk_state::doubtful ? held : again) = child.indexes;
    EXPECT_THAT(held, ElementsAre(0u, 3u));
    EXPECT_THAT(again, ElementsAre(1u, 4u));
}

TEST(AfterLookUp, WhatCannotBeDecidedIsHeldWithItsReason) {
    const auto u = settle(doubtful(2), {open_question, open_question});
    EXPECT_EQ(u.state, chunk_state::doubtful);
    EXPECT_EQ(u.code, "held_mismatch");
    EXPECT_EQ(u.message, "look at it");
    EXPECT_FALSE(u.possible_duplicate);
    ledger::chunk_record kept;
    kept.code = u.code;
    EXPECT_TRUE(is_held(kept));
    EXPECT_FALSE(is_held(doubtful(1)));
}

TEST(AfterLookUp, WithResendWhatCannotBeDecidedIsPlannedAgainAndMarked) {
    settlement_rules rules;
    rules.undecidable = settlement_rules::undecidable_rows::resend;
    const auto u = settle(doubtful(3), {open_question, absent, open_question}, rules);
    EXPECT_EQ(u.state, chunk_state::split);
    ASSERT_THAT(u.children, SizeIs(2));
    for (const auto& child : u.children) {
        EXPECT_EQ(child.state, chunk_state::planned);
        EXPECT_EQ(child.possible_duplicate, child.indexes.size() == 2) << "only the undecided ones may be doubles";
    }
}

TEST(AfterLookUp, AMarkStaysWithTheRowsWhateverTheyBecome) {
    auto c = doubtful(2);
    c.possible_duplicate = true;
    EXPECT_TRUE(settle(c, {absent, absent}).possible_duplicate);
    EXPECT_TRUE(settle(c, {present(1), present(2)}).possible_duplicate);
    EXPECT_TRUE(settle(c, {open_question, open_question}).possible_duplicate);
    const auto u = settle(c, {present(1), absent});
    EXPECT_TRUE(u.possible_duplicate);
    EXPECT_TRUE(u.children.at(0).possible_duplicate);
}

TEST(AfterLookUp, RowsThatAnAnswerDidNotNameAreNotSentAgainWhenAbsent) {
    auto c = doubtful(2);
    c.code = missing_in_answer;
    const auto u = settle(c, {absent, present(12)});
    ASSERT_THAT(u.children, SizeIs(1));
    EXPECT_EQ(u.children[0].state, chunk_state::refused);
    EXPECT_EQ(u.children[0].code, missing_in_answer);
}

TEST(AfterLookUp, AttemptsRunOutOnlyWhileOthersSucceed) {
    settlement_rules rules;
    rules.max_attempts = 3;
    auto c = doubtful(2);
    c.attempts = 3;
    EXPECT_EQ(settle(c, {absent, absent}, rules).state, chunk_state::planned) << "an outage costs no row its place";
    rules.others_succeed = true;
    const auto u = settle(c, {absent, absent}, rules);
    EXPECT_EQ(u.state, chunk_state::refused);
    EXPECT_EQ(u.code, "attempts_used_up");
    EXPECT_THAT(u.message, HasSubstr("status 502"));
    EXPECT_EQ(u.settled_at, now);
    c.attempts = 2;
    EXPECT_EQ(settle(c, {absent, absent}, rules).state, chunk_state::planned);
}

// A chunk that Apollo answers with an error each time would get one more task with every repeat.
TEST(AfterLookUp, WithResendAttemptsRunOutTooAndTheRowsAreHeld) {
    settlement_rules rules;
    rules.undecidable = settlement_rules::undecidable_rows::resend;
    rules.max_attempts = 3;
    rules.others_succeed = true;
    auto c = doubtful(2);
    c.attempts = 3;
    c.possible_duplicate = true;
    const auto u = settle(c, {open_question, open_question}, rules);
    EXPECT_EQ(u.state, chunk_state::doubtful);
    EXPECT_EQ(u.code, "held_mismatch");
    EXPECT_TRUE(u.possible_duplicate);
}

TEST(AfterLookUp, OfACancelledJobAbsentRowsAreCancelled) {
    settlement_rules rules;
    rules.absent = settlement_rules::absent_rows::mark_cancelled;
    const auto u = settle(doubtful(2), {absent, present(12)}, rules);
    EXPECT_EQ(u.children.at(0).state, chunk_state::refused);
    EXPECT_EQ(u.children.at(0).code, "cancelled");
}

TEST(AfterLookUp, VerifyingAFinishedJobSendsNothingAgain) {
    settlement_rules rules;
    rules.absent = settlement_rules::absent_rows::mark_not_created;
    const auto u = settle(doubtful(2), {absent, absent}, rules);
    EXPECT_EQ(u.state, chunk_state::refused);
    EXPECT_EQ(u.code, "not_created");
    EXPECT_EQ(u.settled_at, now);
}

TEST(AfterLookUp, EveryRowOfASplitChunkGoesToExactlyOnePlace) {
    const auto u = settle(doubtful(6), {absent, present(2), open_question, absent, present(5), open_question});
    std::vector<int> places(6);
    for (const auto& [index, task] : u.created)
        ++places[index];
    for (const auto& child : u.children)
        for (const auto index : child.indexes)
            ++places[index];
    EXPECT_THAT(places, ::testing::Each(1));
}

}  // namespace
}  // namespace taskbarge::job
