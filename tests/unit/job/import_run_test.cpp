#include "job/sending/import_run.hpp"

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
        const auto then = clock.now() - 1s;
        book().record_intent({chunk.id, then, then + apollo.skew}).value();
    }
    void apply(const ledger::chunk_record& chunk) {
        for (std::size_t i = 0; i < chunk.contacts.size(); ++i)
            apollo.add(task_for(chunk, i, "", clock.now() + apollo.skew));
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
    book().set_job_state(job, core::job_state::completed, std::nullopt, "", "", clock.now()).value();
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
    EXPECT_EQ(book().attempts(job, 10, 0).value().at(1).report.code, "answer_not_ours");
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
        later.not_before = clock.now() + 600ms;
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

// ------------------------------------------------------------------------------------- orders of events at the seams

// Each wait of a run ends by time, by a bell, or by a stop. Time passes here only when all else has happened.
TEST_F(ImportRun, AStopWhileADoubtSettlesLeavesItInDoubt) {
    plan_rows(30);
    const auto chunks = planned(job);
    have_created(chunks[0]);
    leave_in_flight(chunks[1]);
    on_idle = [&] {
        // The first scan has found nothing; the second, which would prove it, is waited for.
        if (apollo.search_requests() > 0) stop.request();
    };
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(counts().unknown, 10u);
    EXPECT_EQ(contacts_with(0), 10u);
    on_idle = {};
    stop_control again;
    const environment next{settings, key, clock, again, watch, 7, nullptr, true, true, waits};
    const auto rest = run_with<run_end>(next, [&](session& s) { return go_with(s, run_purpose::import); });
    EXPECT_FALSE(rest.why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_EQ(contacts_with(1), 30u);
}

TEST_F(ImportRun, AStopBetweenTheAnswerAndItsOutcomeRecordsTheOutcome) {
    plan_rows(30);
    settings.send.connections = 1;
    apollo.creations = {{}, {}, {}};
    apollo.refuses = [&](const std::vector<std::string>&) -> std::optional<std::string> {
        if (apollo.create_requests() == 2) stop.request();
        return std::nullopt;
    };
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::interrupted);
    EXPECT_EQ(counts().created, 20u) << "what was answered is known";
    EXPECT_EQ(counts().pending, 10u);
    EXPECT_EQ(counts().unknown, 0u);
}

TEST_F(ImportRun, BackoffIsWaitedForToTheEndAndNoLonger) {
    plan_rows(30);
    settings.send.connections = 1;
    settings.send.backoff_base = settings.send.backoff_cap = 10min;
    apollo.creations = {{}, {.sent = false, .applied = false}};
    const auto began = clock.now();
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_LE(clock.now() - began, 10min + 1s);
    EXPECT_GT(clock.now() - began, 0s);
}

TEST_F(ImportRun, ADayOfShutWindowsPassesInNoTime) {
    plan_rows(30);
    settings.send.max_wait = 30h;
    apollo.creations = {{}, {.status = 429, .applied = false, .retry_after = "86400"}};
    const auto began = clock.now();
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 30u);
    EXPECT_GE(clock.now() - began, 24h);
    EXPECT_EQ(apollo.create_requests(), 4u);
}

// ----------------------------------------------------------------------------------------------------- refusals

class ImportRunRefused : public ImportRun {
 protected:
    ImportRunRefused() { settings.send.connections = 1; }

    void refuse_contacts(const std::set<std::uint64_t>& bad) {
        apollo.refuses = [bad](const std::vector<std::string>& contacts) -> std::optional<std::string> {
            for (const auto n : bad)
                if (std::find(contacts.begin(), contacts.end(), contact_id(n)) != contacts.end())
                    return R"({"error":"contact not found"})";
            return std::nullopt;
        };
    }
    run_end go_until(stop_control& asked) {
        const environment stoppable{settings, key, clock, asked, watch, 7, nullptr, true, true, waits};
        return run_with<run_end>(stoppable, [&](session& s) { return go_with(s, run_purpose::import); });
    }
    void take_at_most(std::size_t most, const std::string& body) {
        apollo.refuses = [most, body](const std::vector<std::string>& contacts) {
            return contacts.size() > most ? std::optional(body) : std::nullopt;
        };
    }
};

TEST_F(ImportRunRefused, BadRowsFailAndAllOthersAreCreated) {
    plan_rows(200);
    refuse_contacts({3, 4, 50, 101, 105, 109, 200});
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().created, 193u);
    EXPECT_EQ(counts().failed, 7u);
    EXPECT_EQ(contacts_with(1), 193u);
    for (const auto& r : results()) {
        if (r.state == core::row_state::failed) {
            EXPECT_EQ(r.code, "refused_422");
        }
    }
}

TEST_F(ImportRunRefused, SeveralConnectionsSearchSeveralChunksAtOnce) {
    settings.send.connections = 8;
    plan_rows(1000);
    std::set<std::uint64_t> bad;
    for (std::uint64_t n = 7; n <= 1000; n += 31)
        bad.insert(n);
    refuse_contacts(bad);
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().failed, bad.size());
    EXPECT_EQ(contacts_with(1), 1000u - bad.size());
}

// Whatever the moment: what was learnt is in the ledger, and no row is lost or made twice.
TEST_F(ImportRunRefused, StoppedAndGoneOnWithAgainAndAgainItLosesLittle) {
    plan_rows(400);
    std::set<std::uint64_t> bad;
    for (std::uint64_t n = 5; n <= 400; n += 37)
        bad.insert(n);
    refuse_contacts(bad);
    const auto refused = apollo.refuses;
    std::size_t runs = 0;
    for (std::optional<core::failure> why = core::failure{}; why && runs < 200; ++runs) {
        stop_control again;
        std::size_t left = 3;
        apollo.refuses = [&](const std::vector<std::string>& contacts) {
            if (--left == 0) again.request();
            return refused(contacts);
        };
        why = go_until(again).why;
    }
    EXPECT_EQ(counts().failed, bad.size());
    EXPECT_EQ(contacts_with(1), 400u - bad.size());
    const auto stopped_often = apollo.create_requests();
    EXPECT_GT(runs, 20u);
    EXPECT_LE(stopped_often, 40u + bad.size() * 7 + runs / 3);
}

TEST_F(ImportRunRefused, MoreSearchesThanFitIntoMemoryWaitInTheLedger) {
    std::vector<std::string> contacts;
    std::set<std::uint64_t> bad;
    for (std::uint64_t n = 1; n <= 1200; ++n)
        contacts.push_back(contact_id(n));
    for (std::uint64_t n = 1; n <= 1200; n += 4)
        bad.insert(n);
    job = plan({{call_on_day(20'600), contacts}}, 2);
    rows = 1200;
    refuse_contacts(bad);
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().failed, 300u);
    EXPECT_EQ(contacts_with(1), 900u);
}

TEST_F(ImportRunRefused, ALimitIsLearntWhateverTheWordsAndKeptForTheTeam) {
    for (const char* body : {"", R"j({"error":"contact_ids is too long (maximum is 4)"})j", R"({"error":"no"})"}) {
        book().save_contact_limit(settings.apollo.base_url, settings.apollo.team, std::nullopt).value();
        take_at_most(4, body);
        const auto before = apollo.create_requests();
        plan_rows(500);
        EXPECT_FALSE(go().why);
        EXPECT_EQ(counts().created, 500u) << body;
        const auto first = apollo.create_requests() - before;
        EXPECT_LE(first, 150u + 15u) << body << ": three requests for each ten";
        const auto limit = book().load_contact_limit(settings.apollo.base_url, settings.apollo.team).value();
        ASSERT_TRUE(limit) << body;
        EXPECT_LE(limit->passes, 4u);
        EXPECT_GT(limit->refused, 4u);
        plan_rows(500);
        EXPECT_FALSE(go().why);
        EXPECT_EQ(counts().created, 500u);
        EXPECT_LE(apollo.create_requests() - before - first, 152u) << "the next job of the team knows";
    }
}

TEST_F(ImportRunRefused, WordsOfALimitThatIsNoneCostFewRequests) {
    for (const char* words : {"You have reached the limit of open tasks of your plan", "Insufficient credits",
                              "due_at exceeds the maximum allowed date"}) {
        apollo.refuses = [words](const std::vector<std::string>&) {
            return std::optional(fmt::format(R"({{"error":"{}"}})", words));
        };
        const auto before = apollo.create_requests();
        plan_rows(500);
        EXPECT_FALSE(go().why);
        EXPECT_EQ(counts().failed, 500u);
        EXPECT_LE(apollo.create_requests() - before, 8u) << words;
        EXPECT_FALSE(book().load_contact_limit(settings.apollo.base_url, settings.apollo.team).value());
    }
}

// On a day that sends no clean chunks searches take half of the window, and no row fails for it.
TEST_F(ImportRunRefused, PastItsShareOfALaterDayTheRestWaitsAndIsNotFailed) {
    plan_rows(100);
    std::set<std::uint64_t> bad;
    for (std::uint64_t first = 50; first < 100; first += 10)
        for (const std::uint64_t place : {1, 3, 5, 8})
            bad.insert(first + place);
    refuse_contacts(bad);
    const auto refused = apollo.refuses;
    stop_control evening;
    std::size_t asked = 0;
    apollo.refuses = [&](const std::vector<std::string>& contacts) {
        if (++asked == 10) evening.request();
        return refused(contacts);
    };
    EXPECT_EQ(go_until(evening).why->code, errc::interrupted);
    EXPECT_EQ(counts().created, 50u) << "clean chunks go first";
    apollo.refuses = refused;
    const auto begin_day = [&] {
        const ledger::book_key bulk{settings.apollo.base_url, settings.apollo.team, "tasks/bulk_create"};
        auto windows = book().load_book(bulk).value();
        const auto began = clock.now() + 1ms;
        auto& day = windows[core::window_kind::day] = {};
        day.limit = 40;
        day.opened_at = day.not_before = began;
        day.ends_at = began + 24h;
        day.end_known = true;
        book().save_book(bulk, windows).value();
        apollo.day_began = apollo.create_requests();
        return began;
    };
    const auto began = begin_day();
    apollo.day_limit = 40;
    const auto end = go();
    ASSERT_TRUE(end.why);
    EXPECT_EQ(end.why->code, errc::waiting);
    EXPECT_THAT(end.why->text, ::testing::HasSubstr("share of requests for finding what Apollo refuses"));
    EXPECT_GE(*end.resume_at, began + 23h);
    EXPECT_EQ(apollo.create_requests(), 10u + 20u);
    EXPECT_GT(counts().pending, 0u);
    begin_day();
    apollo.day_limit.reset();
    EXPECT_FALSE(go().why);
    EXPECT_EQ(counts().failed, 20u);
    EXPECT_EQ(contacts_with(1), 80u);
}

TEST_F(ImportRunRefused, ABudgetThatTheUserSetEndsTheSearch) {
    settings.send.isolation_budget = {0, 4};
    plan_rows(100);
    refuse_contacts({33});
    EXPECT_FALSE(go().why);
    EXPECT_LE(apollo.create_requests(), 10u + 4u);
    EXPECT_GT(counts().failed, 1u);
    EXPECT_EQ(counts().created + counts().failed, 100u);
}

}  // namespace
}  // namespace taskbarge::job
