#include "job/import_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "unit/job/session_fixture.hpp"

namespace taskbarge::job {
namespace {

namespace asio = boost::asio;
using core::chunk_state;
using core::errc;
using testing::fake_apollo;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// Waits here are real: settle time and backoff are a few milliseconds.
class ImportRun : public SessionFixture {
 protected:
    // `count` rows of one due date in chunks of ten, and nothing sent yet.
    void plan_rows(std::size_t count) {
        std::vector<std::string> contacts;
        for (std::size_t i = 1; i <= count; ++i)
            contacts.push_back(contact_id(i));
        job = plan({{call_on_day(20'600), contacts}}, 10);
        rows = count;
    }

    run_end go(run_purpose purpose = run_purpose::import) {
        return run<run_end>([&](session& s) { return go_with(s, purpose); });
    }
    asio::awaitable<run_end> go_with(session& s, run_purpose purpose) {
        import_run r(s, book().job(job).value(), book().totals(job).value(), purpose);
        auto end = co_await r.run();
        const auto totals = book().totals(job).value();
        EXPECT_EQ(r.counts(), totals.rows) << "what the run counted is what the ledger says";
        co_return end;
    }

    core::row_counts counts() { return book().totals(job).value().rows; }
    core::request_counts requests() { return book().totals(job).value().requests; }
    std::size_t contacts_with(std::uint64_t tasks) {
        std::size_t n = 0;
        for (std::size_t i = 1; i <= rows; ++i)
            n += apollo.count_of(contact_id(i)) == tasks ? 1 : 0;
        return n;
    }
    std::vector<ledger::row_result> results() {
        std::vector<ledger::row_result> out;
        const auto keep = [&](const ledger::row_result& r) {
            out.push_back(r);
            return true;
        };
        book().each_result(job, keep).value();
        return out;
    }
    // As a killed process leaves a chunk.
    void leave_in_flight(const ledger::chunk_record& chunk) {
        const auto then = core::system_clock().now() - 1s;
        book().record_intent({chunk.id, then, then + apollo.skew}).value();
    }
    void apply(const ledger::chunk_record& chunk) {
        for (std::size_t i = 0; i < chunk.contacts.size(); ++i)
            apollo.add(task_for(chunk, i, "", core::system_clock().now() + apollo.skew));
    }

    core::job_id job = 0;
    std::size_t rows = 0;
};

TEST_F(ImportRun, WithoutFaultsItTakesTheFewestRequests) {
    plan_rows(95);
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 95u);
    EXPECT_EQ(apollo.create_requests(), 10u);
    EXPECT_EQ(requests().requests, 10u);
    EXPECT_EQ(requests().retries, 0u);
    EXPECT_EQ(contacts_with(1), 95u);
}

TEST_F(ImportRun, AnErrorAfterTheTasksWereCreatedMakesNoSecondOnes) {
    plan_rows(50);
    apollo.creations = {{.status = 200}, {.status = 502}, {.status = 0}, {.status = 500, .lag = 10ms}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 50u);
    EXPECT_EQ(contacts_with(1), 50u);
    EXPECT_EQ(apollo.create_requests(), 5u) << "everything was adopted";
}

TEST_F(ImportRun, AnErrorBeforeAnythingWasCreatedCostsARetry) {
    plan_rows(50);
    apollo.creations = {{}, {.status = 503, .applied = false}, {.status = 0, .applied = false}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 50u);
    EXPECT_EQ(contacts_with(1), 50u);
    EXPECT_EQ(apollo.create_requests(), 7u);
    EXPECT_EQ(requests().retries, 2u);
}

TEST_F(ImportRun, RowsThatAnAnswerDoesNotNameAreLookedUp) {
    plan_rows(30);
    apollo.creations = {{}, {.named = 4}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(apollo.create_requests(), 3u);
    EXPECT_FALSE(watch.lines.empty());
}

TEST_F(ImportRun, WhatAKilledProcessLeftInFlightIsLookedUpFirst) {
    plan_rows(40);
    const auto chunks = planned(job);
    have_created(chunks[0]);
    leave_in_flight(chunks[1]);
    apply(chunks[1]);
    leave_in_flight(chunks[2]);
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 40u);
    EXPECT_EQ(contacts_with(1), 40u);
    EXPECT_EQ(apollo.create_requests(), 2u);
    EXPECT_EQ(requests().requests, 5u) << "those of the killed process count";
}

TEST_F(ImportRun, AWrongKeyStopsAtOnceAndLeavesTheRowsPending) {
    plan_rows(50);
    settings.send.connections = 1;
    apollo.creations = {{.status = 401, .applied = false}};
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::unauthorized);
    EXPECT_EQ(apollo.create_requests(), 1u);
    EXPECT_EQ(counts().pending, 50u);
}

TEST_F(ImportRun, ARefusalThatDoesNotComeAgainCostsNoRow) {
    plan_rows(50);
    apollo.creations = {{.status = 422, .applied = false}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 50u) << "a contact fails only when it is refused alone";
    EXPECT_EQ(contacts_with(1), 50u);
}

TEST_F(ImportRun, WithoutASearchDoubtfulRowsAreHeldAndTheJobEnds) {
    plan_rows(30);
    apollo.search_status = 403;
    apollo.creations = {{.status = 500}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 20u);
    EXPECT_EQ(counts().unknown, 10u);
    EXPECT_EQ(contacts_with(1), 30u);
    EXPECT_EQ(results().front().code, "held_search_forbidden");
}

TEST_F(ImportRun, WithResendTheyAreSentAgainAndMarked) {
    plan_rows(30);
    settings.send.when_unverifiable = core::unverifiable_policy::resend;
    apollo.search_status = 403;
    apollo.creations = {{.status = 500}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(contacts_with(2), 10u);
    for (const auto& r : results())
        EXPECT_EQ(r.possible_duplicate, apollo.count_of(r.contact_id) == 2u) << "row " << r.row;
}

TEST_F(ImportRun, VerifyingSettlesWhatWasHeldOnceTheSearchIsAllowed) {
    plan_rows(30);
    apollo.search_status = 403;
    apollo.creations = {{.status = 500}, {.status = 500, .applied = false}};
    ASSERT_FALSE(go().why);
    ASSERT_EQ(counts().unknown, 20u);
    book().set_job_state(job, core::job_state::completed, std::nullopt, "", "", core::system_clock().now()).value();
    apollo.search_status = 0;
    const auto before = apollo.create_requests();
    EXPECT_FALSE(go(run_purpose::verify).why);
    EXPECT_EQ(apollo.create_requests(), before) << "verify sends nothing";
    EXPECT_EQ(counts().created, 20u);
    EXPECT_EQ(counts().failed, 10u);
}

TEST_F(ImportRun, RetryingSendsOnlyWhatALookUpShowsAbsent) {
    plan_rows(30);
    apollo.search_status = 403;
    apollo.creations = {{.status = 500}, {.status = 500, .applied = false}};
    ASSERT_FALSE(go().why);
    apollo.search_status = 0;
    EXPECT_FALSE(go(run_purpose::retry).why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(contacts_with(1), 30u);
}

TEST_F(ImportRun, CancellingSendsNothingAndSettlesWhatIsInDoubt) {
    plan_rows(40);
    const auto chunks = planned(job);
    have_created(chunks[0]);
    leave_in_flight(chunks[1]);
    apply(chunks[1]);
    leave_in_flight(chunks[2]);
    EXPECT_FALSE(go(run_purpose::cancel).why);
    EXPECT_EQ(apollo.create_requests(), 0u);
    EXPECT_EQ(counts().created, 20u);
    EXPECT_EQ(counts().unknown, 10u) << "nothing was created after the request that did not arrive";
    EXPECT_EQ(counts().pending, 10u) << "planned chunks are not the run's to cancel";
}

TEST_F(ImportRun, CancellingFailsWhatALaterTaskShowsAbsent) {
    plan_rows(40);
    const auto chunks = planned(job);
    leave_in_flight(chunks[0]);
    EXPECT_FALSE(go(run_purpose::cancel).why);
    EXPECT_EQ(results().front().code, "held_index_unproven");
    have_created(chunks[1]);
    EXPECT_FALSE(go(run_purpose::retry).why);
    EXPECT_EQ(counts().created, 40u) << "and what was held is sent by a retry then";
    EXPECT_EQ(contacts_with(1), 40u);
}

TEST_F(ImportRun, TheLastRequestOfAllIsHeldIfItMayNotHaveArrived) {
    plan_rows(30);
    apollo.creations = {{}, {}, {.status = 502, .applied = false}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 20u);
    EXPECT_EQ(counts().unknown, 10u);
    EXPECT_EQ(results().back().code, "held_index_unproven");
}

// ------------------------------------------------------------------------------------------- answers that lie

TEST_F(ImportRun, AnAnswerWithAnotherRowsTasksIsLookedUp) {
    const auto first = call_on_day(20'600);
    auto second = first;
    second.note = "another group of the same contacts";
    std::vector<std::string> contacts;
    for (std::size_t i = 1; i <= 10; ++i)
        contacts.push_back(contact_id(i));
    auto third = first;
    third.note = "and a third";
    job = plan({{first, contacts}, {second, contacts}, {third, contacts}}, 10);
    settings.send.connections = 1;
    apollo.creations = {{}, {.answers_again = true}, {}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(apollo.size(), 30u);
    std::set<std::string> ids;
    for (const auto& r : results())
        ids.insert(r.task_id);
    EXPECT_THAT(ids, SizeIs(30)) << "each row has a task of its own";
    EXPECT_EQ(book().attempts(job, 10).value().at(1).report.code, "answer_not_ours");
}

TEST_F(ImportRun, WhatComesOnTheConnectionOfAWrongAnswerIsNotBelieved) {
    const auto first = call_on_day(20'600);
    std::vector<std::string> contacts;
    for (std::size_t i = 1; i <= 10; ++i)
        contacts.push_back(contact_id(i));
    std::vector<std::pair<core::task_details, std::vector<std::string>>> groups;
    for (int i = 0; i < 5; ++i) {
        groups.emplace_back(first, contacts);
        groups.back().first.note = fmt::format("group {}", i);
    }
    job = plan(groups, 10);
    settings.send.connections = 1;
    apollo.keeps_connection = true;
    apollo.shows_details = false;
    // From the second on every answer of the connection is the one before.
    apollo.creations = {{}, {.answers_again = true}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 50u);
    EXPECT_EQ(apollo.size(), 50u);
    std::map<std::string, std::string> notes;
    for (const auto& r : results())
        notes[r.task_id] = fmt::format("group {}", (r.row - 1) / 10);
    EXPECT_THAT(notes, SizeIs(50));
    for (const auto& [id, note] : notes)
        EXPECT_EQ(apollo.task(id).note, note) << "a row has the task of another group";
    EXPECT_GE(apollo.forgotten_connections(), 1u);
}

// Mixed up over connections, and without details, that cannot be seen in the answers.
TEST_F(ImportRun, ATaskThatIsAnotherRowsByMistakeIsNoReasonToSendAgain) {
    std::vector<std::string> contacts;
    for (std::size_t i = 1; i <= 10; ++i)
        contacts.push_back(contact_id(i));
    std::vector<std::pair<core::task_details, std::vector<std::string>>> groups;
    for (int i = 0; i < 5; ++i) {
        groups.emplace_back(call_on_day(20'600), contacts);
        groups.back().first.note = fmt::format("group {}", i);
    }
    job = plan(groups, 10);
    settings.send.connections = 1;
    apollo.shows_details = false;
    apollo.creations = {{}, {.answers_again = true}, {.answers_again = true}};
    EXPECT_FALSE(go().why);
    EXPECT_EQ(apollo.size(), 50u) << "no contact has a task twice";
    EXPECT_EQ(counts().unknown, 10u);
    EXPECT_EQ(counts().created, 40u);
}

TEST_F(ImportRun, ANewLedgerSaysWhenApolloHasCountedRequestsBefore) {
    plan_rows(10);
    apollo.counted_today = 35;
    EXPECT_FALSE(go().why);
    EXPECT_THAT(watch.lines, ::testing::Contains(::testing::HasSubstr("Apollo has counted 35 requests")));
    plan_rows(10);
    watch.lines.clear();
    apollo.counted_today = 50;
    EXPECT_FALSE(go().why);
    EXPECT_THAT(watch.lines, ::testing::IsEmpty()) << "others of the team may send as well";
}

TEST_F(ImportRun, AStopBeforeTheFirstRequestSendsNothing) {
    plan_rows(40);
    stop.request();
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(apollo.create_requests(), 0u);
}

TEST_F(ImportRun, AStopWhileItAsksForItsLimitsDoesNotWaitForTheAnswer) {
    plan_rows(40);
    apollo.silent = true;
    apollo.on_silence = [this] { stop.request(); };
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(apollo.left_off, 1u);
    EXPECT_EQ(apollo.create_requests(), 0u);
    EXPECT_EQ(counts().pending, 40u);
}

TEST_F(ImportRun, AStopWhileItConnectsDoesNotWaitForTheConnections) {
    plan_rows(50);
    settings.send.connections = 3;
    // The first one goes alone, to learn the limits, and so does the last.
    apollo.creations = {{}, {.connects = false}, {.connects = false}, {.connects = false}};
    std::size_t waiting = 0;
    apollo.on_silence = [&] {
        if (++waiting == 3) stop.request();
    };
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(apollo.left_off, 3u);
    EXPECT_EQ(counts().created, 10u);
    EXPECT_EQ(counts().pending, 40u) << "nothing is in doubt";
    EXPECT_EQ(requests().requests, 1u);
}

TEST_F(ImportRun, AStopWhileItLooksUpDoesNotWaitForTheAnswerAndSettlesNothing) {
    plan_rows(20);
    const auto chunks = planned(job);
    have_created(chunks[0]);
    leave_in_flight(chunks[1]);
    apply(chunks[1]);
    apollo.on_search = [this](std::uint64_t number) {
        if (number > 1) apollo.silent = true;
    };
    apollo.on_silence = [this] { stop.request(); };
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(apollo.left_off, 1u);
    EXPECT_EQ(counts().unknown, 10u) << "in doubt as before";
    EXPECT_EQ(counts().created, 10u);
}

TEST_F(ImportRun, AnOutageParksTheJobWithItsRowsPending) {
    plan_rows(40);
    settings.send.max_wait = 300ms;
    for (int i = 0; i < 500; ++i)
        apollo.creations.push_back({.status = 503, .applied = false});
    apollo.search_status = 503;
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::waiting);
    EXPECT_EQ(counts().failed, 0u);
    EXPECT_EQ(counts().created, 0u);
    EXPECT_EQ(counts().accounted(), 40u);
}

// ------------------------------------------------------------------------------------------- regressions

// The look-up puts a chunk back that the run has not read ahead to yet; when it waits for another try, the run's
// reading ahead must not take it for a second one.
TEST_F(ImportRun, AChunkThatALookUpPutsBackIsNotTakenUpTwice) {
    plan_rows(2000);
    settings.send.backoff_base = settings.send.backoff_cap = 3s;
    const auto chunks = planned(job);
    ASSERT_THAT(chunks, SizeIs(200));
    have_created(chunks[199]);
    leave_in_flight(chunks[150]);
    for (const auto& c : chunks) {
        if (c.id == chunks[150].id || c.id == chunks[199].id) continue;
        ledger::chunk_update later;
        later.chunk = c.id;
        later.not_before = core::system_clock().now() + 600ms;
        book().update_chunk(later).value();
    }
    apollo.creations = {{.sent = false, .applied = false}};
    const auto end = go();
    EXPECT_FALSE(end.why) << end.why->text;
    EXPECT_EQ(counts().created, 2000u);
    EXPECT_EQ(contacts_with(1), 2000u);
}

// Creation times are Apollo's. A run that has only just begun must not compare them with this machine's clock.
TEST_F(ImportRun, AfterAKillTasksAreRecognisedThoughApollosClockIsAnHourBehind) {
    plan_rows(30);
    apollo.skew = -1h;
    const auto chunks = planned(job);
    have_created(chunks[0]);
    leave_in_flight(chunks[1]);
    apply(chunks[1]);
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(contacts_with(1), 30u);
    EXPECT_EQ(apollo.create_requests(), 1u);
}

TEST_F(ImportRun, AnApolloThatWasNeverReachedIsToldAsSuchThoughNothingMayBeWaitedFor) {
    plan_rows(40);
    settings.send.max_wait = 0ms;
    for (int i = 0; i < 50; ++i)
        apollo.creations.push_back({.sent = false, .applied = false});
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::unreachable) << end.why->text;
    EXPECT_EQ(counts().pending, 40u);
}

TEST_F(ImportRun, ARunThatParksForAnOddNumberOfTheServersSaysWhatItWas) {
    plan_rows(40);
    settings.send.max_wait = 1min;
    apollo.creations = {{.status = 429, .applied = false, .retry_after = "31536000"}};
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_THAT(end.why->text,
                ::testing::EndsWith("; Apollo's 429 asks to wait 31536000 s, which is odd: no window lasts that long"));
}

TEST_F(ImportRun, ARunThatParksForALongWaitThatIsPossibleDoesNotCallItOdd) {
    plan_rows(40);
    settings.send.max_wait = 1min;
    apollo.creations = {{.status = 429, .applied = false, .retry_after = "9999"}};
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_THAT(end.why->text, ::testing::EndsWith("; Apollo's 429 asks to wait 9999 s"));
}

TEST_F(ImportRun, ARunThatParksForALimitOfZeroSaysThatItIsOdd) {
    plan_rows(40);
    settings.send.max_wait = 1min;
    apollo.creations = {{.status = 429, .applied = false, .retry_after = "3000", .minute_limit = 0}};
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_THAT(end.why->text, ::testing::HasSubstr("odd: Apollo says that the limit of a minute is 0"));
}

// What the retries keep back must not keep doubts open for ever: the run has to end.
TEST_F(ImportRun, WithTheRetriesUsedUpAndNoSearchTheRunEndsAllTheSame) {
    plan_rows(30);
    settings.send.retry_budget = {0, 0};
    settings.send.when_unverifiable = core::unverifiable_policy::hold;
    const auto chunks = planned(job);
    ledger::chunk_update tried;
    tried.chunk = chunks[0].id;
    tried.attempts = 1;
    book().update_chunk(tried).value();
    leave_in_flight(chunks[1]);
    apollo.search_status = 403;
    std::uint64_t most = 0;
    apollo.on_search = [&](std::uint64_t request) {
        most = request;
        if (request == 4) stop.request();
    };
    const auto end = go();
    EXPECT_LT(most, 4u) << "it went on looking";
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::waiting);
    EXPECT_EQ(counts().pending, 10u);
    EXPECT_EQ(counts().unknown, 10u);
}

}  // namespace
}  // namespace taskbarge::job
