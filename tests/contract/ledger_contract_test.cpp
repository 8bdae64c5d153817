// What every ledger promises, whatever store is behind it. A new back end joins at the end of the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "contract/ledger_fixture.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::ledger {
namespace {

using core::chunk_state;
using core::errc;
using core::row_state;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct back_end {
    std::string name;
    std::function<std::string(const temporary_folder&)> path;
};

class LedgerContract : public testing::TestWithParam<back_end> {
 protected:
    ledger& book() { return *book_; }

    attempt_id send(chunk_id chunk) { return must(book().record_intent({chunk, at_second(2000), {}})); }

    void report(attempt_id attempt, attempt_result what, bool written = true) {
        attempt_report out;
        out.attempt = attempt;
        out.what = what;
        out.finished_at = at_second(2001);
        out.request_id = "req-" + std::to_string(attempt);
        must(book().record_report(out, written));
    }

    // Sends the chunk and has Apollo name a task for every row.
    void create_all(const chunk_record& chunk) {
        report(send(chunk.id), attempt_result::succeeded);
        chunk_update update;
        update.chunk = chunk.id;
        update.state = chunk_state::created;
        update.settled_at = at_second(2002);
        for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i) {
            update.created.emplace_back(i, "task-" + std::to_string(chunk.contacts.rows[i]));
        }
        must(book().update_chunk(update));
    }

    void set_state(chunk_id chunk, chunk_state state, const std::string& code = "") {
        chunk_update update;
        update.chunk = chunk;
        update.state = state;
        update.code = code;
        must(book().update_chunk(update));
    }

    chunk_record only_chunk(job_id job) {
        auto found = chunks_in(book(), job, chunk_state::planned);
        EXPECT_EQ(found.size(), 1u);
        return found.at(0);
    }

 private:
    temporary_folder folder_;
    std::unique_ptr<ledger> book_ = must(open_ledger(GetParam().path(folder_)));
};

std::vector<row_state> states_of(const std::vector<row_result>& rows) {
    std::vector<row_state> out;
    for (const auto& row : rows)
        out.push_back(row.state);
    return out;
}

core::row_counts count(const std::vector<row_result>& rows) {
    core::row_counts out;
    out.rows = rows.size();
    for (const auto& row : rows) {
        switch (row.state) {
            case row_state::created:
                ++out.created;
                break;
            case row_state::duplicate:
                ++out.duplicate;
                break;
            case row_state::rejected:
                ++out.rejected;
                break;
            case row_state::failed:
                ++out.failed;
                break;
            case row_state::unknown:
                ++out.unknown;
                break;
            case row_state::pending:
                ++out.pending;
                break;
        }
    }
    return out;
}

bool fits(const row_query& query, const row_result& row) {
    if (row.row <= query.after) return false;
    if (!query.states.empty() && std::find(query.states.begin(), query.states.end(), row.state) == query.states.end())
        return false;
    if (!query.code.empty() && row.code != query.code) return false;
    if (!query.contact) return true;
    const auto& ids = query.contact->ids;
    return std::find(ids.begin(), ids.end(), row.contact_id) != ids.end() ||
           (!query.contact->key.empty() && row.contact_key == query.contact->key);
}

// Whether pages of every size show what each_result() does.
void expect_pages_of(ledger& book, job_id job, row_query query) {
    std::vector<row_result> expected;
    for (const auto& row : results_of(book, job))
        if (fits(query, row)) expected.push_back(row);
    for (const std::size_t most : {1u, 3u, 100u, 10'000u}) {
        if (expected.size() > 200 * most) continue;
        query.most = most;
        query.after = 0;
        std::vector<row_result> seen;
        for (bool more = true; more;) {
            const auto page = must(book.rows(job, query));
            ASSERT_LE(page.size(), most);
            seen.insert(seen.end(), page.begin(), page.end());
            more = page.size() == most;
            if (more) query.after = page.back().row;
        }
        ASSERT_EQ(seen.size(), expected.size()) << "pages of " << most;
        for (std::size_t i = 0; i < seen.size(); ++i)
            ASSERT_TRUE(seen[i] == expected[i]) << "row " << expected[i].row << ": " << seen[i].row << seen[i].code;
    }
}

// Without a filter, and with one of each kind.
void expect_pages(ledger& book, job_id job) {
    expect_pages_of(book, job, {});
    for (const auto state : {row_state::created, row_state::duplicate, row_state::rejected, row_state::failed,
                             row_state::unknown, row_state::pending}) {
        row_query query;
        query.states = {state};
        expect_pages_of(book, job, query);
        query.states = {state, row_state::failed};
        expect_pages_of(book, job, query);
    }
    for (const char* code : {"bad", "refused_422", "interrupted", "original_pending", "original_failed", "none"}) {
        row_query query;
        query.code = code;
        expect_pages_of(book, job, query);
    }
    for (const auto& id :
         {contact_id(1), contact_id(22), contact_id(77), std::string("odd \"id\""), contact_id(9999)}) {
        row_query query;
        query.contact.emplace().ids = {id, contact_id(5)};
        query.contact->key = "email:ada@example.com";
        expect_pages_of(book, job, query);
        query.states = {row_state::pending, row_state::rejected};
        expect_pages_of(book, job, query);
    }
}

TEST_P(LedgerContract, CommittedPlanComesBackAsItWasGiven) {
    auto job = start_plan(book(), 2);
    must(book().add_group(job.id, 1, call_on_day(1).view()));
    must(book().add_chunk(job.id, chunk_of(1, 0, {{1, contact_id(1)}, {4, "odd \"id\"\\\n"}})));
    must(book().add_duplicate(job.id, {3, {0, 7}, contact_id(1), 1, 0, 1}));
    must(book().add_reject(job.id, {2, {0, 5}, "x", "Contact", "bad_id", "no id", std::string("raw\0\xff", 5)}));
    must(book().set_files(job.id, {{1, "csv", "a,b"}}));
    finish_plan(book(), job, "one", {4, 1});

    const auto record = must(book().job(job.id));
    EXPECT_EQ(record.identity, identity_of("one"));
    EXPECT_EQ(record.state, core::job_state::parked);
    EXPECT_THAT(record.files, ElementsAre("a.csv"));
    EXPECT_EQ(record.file_notes.at(0).header, "a,b");
    EXPECT_EQ(record.file_notes.at(0).format, "csv");
    EXPECT_EQ(record.groups, 1u);
    EXPECT_EQ(record.minimum_requests, 1u);
    EXPECT_EQ(record.created_at, at_second(1000));

    const auto chunk = only_chunk(job.id);
    EXPECT_EQ(chunk.details, call_on_day(1));
    EXPECT_THAT(chunk.contacts.contact_ids, ElementsAre(contact_id(1), "odd \"id\"\\\n"));
    EXPECT_THAT(chunk.contacts.rows, ElementsAre(1, 4));
    EXPECT_THAT(chunk.contacts.lines, ElementsAre(2, 5));
    EXPECT_THAT(chunk.task_ids, IsEmpty());

    const auto rows = results_of(book(), job.id);
    EXPECT_THAT(states_of(rows),
                ElementsAre(row_state::pending, row_state::rejected, row_state::duplicate, row_state::pending));
    EXPECT_EQ(rows[1].code, "bad_id");
    EXPECT_EQ(rows[1].column, "Contact");
    EXPECT_EQ(rows[2].line, 7u);
    EXPECT_EQ(rows[2].duplicate_of, (std::pair<job_id, core::row_number>(job.id, 1)));

    std::vector<std::string> raws;
    must(book().each_reject(job.id, [&](const core::rejected_row& r) {
        raws.push_back(r.raw);
        return true;
    }));
    EXPECT_THAT(raws, ElementsAre(std::string("raw\0\xff", 5)));
}

TEST_P(LedgerContract, PlanWhoseRowsDoNotAddUpIsABug) {
    auto job = start_plan(book(), 2);
    must(book().add_group(job.id, 1, call_on_day(1).view()));
    must(book().add_chunk(job.id, chunk_of(1, 0, {{1, contact_id(1)}})));
    const auto done = book().commit_plan(job.id, identity_of("one"), {2, 0}, core::task_fields(), {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::internal);
    EXPECT_EQ(must(book().job(job.id)).state, core::job_state::planning);
}

TEST_P(LedgerContract, SameIdentityIsCommittedOnce) {
    auto first = plan_job(book(), "same", 2, {{call_on_day(1), {contact_id(1)}}});
    auto second = start_plan(book(), 2);
    const auto done = book().commit_plan(second.id, identity_of("same"), {0, 0}, core::task_fields(), {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::job_held);
    EXPECT_THAT(must(book().jobs()), SizeIs(1));
}

TEST_P(LedgerContract, AnOriginHasOneJobWhateverItsIdentity) {
    auto first = start_plan(book(), 2);
    EXPECT_EQ(must(book().job_of_origin("ticket a")), std::nullopt);
    must(book().commit_plan(first.id, identity_of("one"), {0, 0}, core::task_fields(), "ticket a"));
    EXPECT_EQ(must(book().job_of_origin("ticket a"))->id, first.id);

    auto second = start_plan(book(), 2);
    const auto done = book().commit_plan(second.id, identity_of("other"), {0, 0}, core::task_fields(), "ticket a");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, errc::job_held);
    EXPECT_EQ(must(book().job(second.id)).state, core::job_state::planning);
    must(book().commit_plan(second.id, identity_of("other"), {0, 0}, core::task_fields(), "ticket b"));
    EXPECT_EQ(must(book().job_of_origin("ticket b"))->id, second.id);
    EXPECT_THAT(must(book().jobs()), SizeIs(2));
}

TEST_P(LedgerContract, AnOriginIsKnownOfAJobWhoseKeysAreForgotten) {
    auto job = start_plan(book(), 2);
    must(book().commit_plan(job.id, identity_of("one"), {0, 0}, core::task_fields(), "ticket"));
    must(book().set_job_state(job.id, core::job_state::completed, std::nullopt, "", "", at_second(2000)));
    job.lock.reset();
    must(book().prune_job(job.id, true, at_second(3000), [] { return true; }));
    const auto found = must(book().job_of_origin("ticket"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, job.id);
    EXPECT_TRUE(found->keys_forgotten);
}

TEST_P(LedgerContract, JobsWithoutOriginAreAsManyAsThereAre) {
    plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    plan_job(book(), "other", 2, {{call_on_day(2), {contact_id(1)}}});
    EXPECT_EQ(must(book().job_of_origin("")), std::nullopt);
}

TEST_P(LedgerContract, AJobThatWasGoneOnWithAfterItsEndIsReopened) {
    auto job = start_plan(book(), 2);
    finish_plan(book(), job, "one", {0, 0});
    const auto set = [&](core::job_state state, int at) {
        must(book().set_job_state(job.id, state, std::nullopt, "", "", at_second(at)));
    };
    set(core::job_state::parked, 1500);
    set(core::job_state::completed, 2000);
    EXPECT_THAT(must(book().reopened_jobs()), IsEmpty()) << "it has ended once";
    set(core::job_state::parked, 3000);
    EXPECT_THAT(must(book().reopened_jobs()), IsEmpty()) << "it has not ended again";
    set(core::job_state::completed, 4000);
    EXPECT_THAT(must(book().reopened_jobs()), SizeIs(1));
    set(core::job_state::completed, 5000);
    ASSERT_THAT(must(book().reopened_jobs()), SizeIs(1));
    EXPECT_EQ(must(book().reopened_jobs())[0].finished_at, at_second(5000));
    job.lock.reset();
    must(book().prune_job(job.id, false, at_second(6000), [] { return true; }));
    EXPECT_THAT(must(book().reopened_jobs()), IsEmpty()) << "its rows are gone";
}

TEST_P(LedgerContract, PlanThatWasNotCommittedHasNoOrigin) {
    auto first = start_plan(book(), 2);
    ASSERT_FALSE(book().commit_plan(first.id, identity_of("one"), {2, 0}, core::task_fields(), "ticket a"))
        << "rows are missing";
    EXPECT_EQ(must(book().job_of_origin("ticket a")), std::nullopt);
}

TEST_P(LedgerContract, PlanningsAreNotListedAndCanBeDiscarded) {
    auto job = start_plan(book(), 2);
    must(book().add_group(job.id, 1, call_on_day(1).view()));
    must(book().add_chunk(job.id, chunk_of(1, 0, {{1, contact_id(1)}})));
    EXPECT_THAT(must(book().jobs()), IsEmpty());
    must(book().discard_plan(job.id));
    EXPECT_EQ(book().job(job.id).error().code, errc::no_such_job);
    EXPECT_THAT(chunks_in(book(), job.id, chunk_state::planned), IsEmpty());
}

TEST_P(LedgerContract, DeadPlanningIsDiscardedByTheNextOne) {
    auto dead = start_plan(book(), 2);
    auto live = start_plan(book(), 2);
    dead.lock.reset();
    auto next = start_plan(book(), 2);
    EXPECT_EQ(book().job(dead.id).error().code, errc::no_such_job);
    EXPECT_TRUE(book().job(live.id));
    EXPECT_NE(next.id, dead.id);
}

TEST_P(LedgerContract, JobIsFoundByTargetAndSize) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    const auto id = identity_of("one");
    EXPECT_THAT(must(book().find_jobs(id.base_url, id.team, id.input_bytes)), SizeIs(1));
    EXPECT_THAT(must(book().find_jobs(id.base_url, id.team, id.input_bytes, id.input_sha256)), SizeIs(1));
    EXPECT_THAT(must(book().find_jobs(id.base_url, id.team, id.input_bytes, "another")), IsEmpty());
    EXPECT_THAT(must(book().find_jobs(id.base_url, "other", id.input_bytes)), IsEmpty());
    EXPECT_THAT(must(book().find_jobs(id.base_url, id.team, 1)), IsEmpty());
}

TEST_P(LedgerContract, LockIsHeldUntilItIsGivenBack) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    EXPECT_TRUE(must(book().job(job.id)).held);
    const auto second = book().lock_job(job.id);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, errc::job_held);
    job.lock.reset();
    EXPECT_FALSE(must(book().job(job.id)).held);
    EXPECT_TRUE(book().lock_job(job.id));
    EXPECT_EQ(book().lock_job(77).error().code, errc::no_such_job);
}

TEST_P(LedgerContract, RolledBackTransactionLeavesNothing) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    const auto chunk = only_chunk(job.id);
    must(book().begin());
    send(chunk.id);
    book().rollback();
    EXPECT_EQ(must(book().chunk(chunk.id)).state, chunk_state::planned);
    EXPECT_THAT(must(book().attempts(job.id, 10, 0)), IsEmpty());
    EXPECT_FALSE(book().commit());
    must(book().begin());
    send(chunk.id);
    must(book().commit());
    EXPECT_EQ(must(book().chunk(chunk.id)).state, chunk_state::sending);
}

TEST_P(LedgerContract, OnlyPlannedChunksCanBeSent) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    const auto chunk = only_chunk(job.id);
    send(chunk.id);
    const auto again = book().record_intent({chunk.id, at_second(1), {}});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, errc::internal);
}

TEST_P(LedgerContract, SendingRowsArePendingOnlyWhileTheJobIsHeld) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    send(only_chunk(job.id).id);
    EXPECT_EQ(must(book().totals(job.id)).rows.pending, 1u);
    EXPECT_THAT(states_of(results_of(book(), job.id)), ElementsAre(row_state::pending));
    job.lock.reset();
    EXPECT_EQ(must(book().totals(job.id)).rows.unknown, 1u);
    EXPECT_THAT(states_of(results_of(book(), job.id)), ElementsAre(row_state::unknown));
    EXPECT_THAT(must(book().reasons(job.id, 5)), SizeIs(1));
}

TEST_P(LedgerContract, TotalsAddUpInEveryState) {
    auto job =
        plan_job(book(), "one", 1,
                 {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4), contact_id(5)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    create_all(chunks[0]);
    report(send(chunks[1].id), attempt_result::refused);
    set_state(chunks[1].id, chunk_state::refused, "http_422");
    report(send(chunks[2].id), attempt_result::doubtful);
    set_state(chunks[2].id, chunk_state::doubtful, "timeout");
    send(chunks[3].id);
    const auto totals = must(book().totals(job.id));
    core::row_counts expected;
    expected.rows = 5;
    expected.created = expected.failed = expected.unknown = 1;
    expected.pending = 2;
    EXPECT_EQ(totals.rows, expected);
    EXPECT_EQ(totals.rows.accounted(), totals.rows.rows);
    EXPECT_EQ(totals.requests.requests, 4u);
    EXPECT_EQ(totals.requests.retries, 0u);
    EXPECT_EQ(totals.requests.minimum_requests, 5u);
}

TEST_P(LedgerContract, CountsRequestsRetriesAndThrottlings) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunk = only_chunk(job.id);
    report(send(chunk.id), attempt_result::not_sent, false);
    set_state(chunk.id, chunk_state::planned);
    EXPECT_EQ(must(book().totals(job.id)).requests.requests, 0u);
    report(send(chunk.id), attempt_result::throttled);
    set_state(chunk.id, chunk_state::planned);
    EXPECT_EQ(must(book().totals(job.id)).requests.rate_limited, 1u);
    EXPECT_EQ(must(book().totals(job.id)).requests.retries, 0u);
    create_all(must(book().chunk(chunk.id)));
    const auto totals = must(book().totals(job.id));
    EXPECT_EQ(totals.requests.requests, 2u);
    EXPECT_EQ(totals.requests.retries, 1u);
    const auto attempts = must(book().attempts_of_chunk(chunk.id));
    ASSERT_THAT(attempts, SizeIs(3));
    EXPECT_EQ(attempts[0].report.what, attempt_result::not_sent);
    EXPECT_EQ(attempts[2].report.what, attempt_result::succeeded);
    EXPECT_THAT(must(book().attempts(job.id, 2, 0)), SizeIs(2));
}

TEST_P(LedgerContract, RequestsOfChildrenAreRetries) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunk = only_chunk(job.id);
    report(send(chunk.id), attempt_result::refused);
    chunk_update split;
    split.chunk = chunk.id;
    split.state = chunk_state::split;
    split.children.resize(2);
    split.children[0].indexes = {0};
    split.children[1].indexes = {1};
    must(book().update_chunk(split));
    for (const auto& child : chunks_in(book(), job.id, chunk_state::planned))
        create_all(child);
    const auto totals = must(book().totals(job.id));
    EXPECT_EQ(totals.requests.requests, 3u);
    EXPECT_EQ(totals.requests.retries, 2u);
    EXPECT_EQ(totals.requests.minimum_requests, 1u);
}

TEST_P(LedgerContract, SplitKeepsCreatedRowsAndMovesTheOthers) {
    auto job =
        plan_job(book(), "one", 4, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}}});
    const auto chunk = only_chunk(job.id);
    report(send(chunk.id), attempt_result::doubtful);
    chunk_update split;
    split.chunk = chunk.id;
    split.state = chunk_state::split;
    split.created = {{1, "task-b"}};
    split.settled_at = at_second(3000);
    split.children.resize(2);
    split.children[0].indexes = {0, 3};
    split.children[1].indexes = {2};
    split.children[1].state = chunk_state::refused;
    split.children[1].code = "bad_contact";
    split.children[1].attempts = 2;
    must(book().update_chunk(split));

    const auto planned = chunks_in(book(), job.id, chunk_state::planned);
    ASSERT_THAT(planned, SizeIs(1));
    EXPECT_EQ(planned[0].parent, chunk.id);
    EXPECT_EQ(planned[0].group, 1u);
    EXPECT_THAT(planned[0].contacts.rows, ElementsAre(1, 4));
    EXPECT_EQ(planned[0].details, call_on_day(1));

    const auto rows = results_of(book(), job.id);
    EXPECT_THAT(states_of(rows),
                ElementsAre(row_state::pending, row_state::created, row_state::failed, row_state::pending));
    EXPECT_EQ(rows[1].task_id, "task-b");
    EXPECT_EQ(rows[1].finished_at, at_second(3000));
    EXPECT_EQ(rows[2].code, "bad_contact");
    EXPECT_EQ(rows[2].attempts, 2u);
    EXPECT_EQ(rows[2].finished_at, at_second(3000));
    EXPECT_EQ(rows[0].finished_at, std::nullopt);
    const auto totals = must(book().totals(job.id));
    EXPECT_EQ(totals.rows.accounted(), 4u);
    EXPECT_EQ(totals.rows.created, 1u);
    EXPECT_EQ(totals.rows.failed, 1u);
}

TEST_P(LedgerContract, UpdatesThatWouldLoseOrDoubleARowAreBugs) {
    auto job = plan_job(book(), "one", 3, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    const auto chunk = only_chunk(job.id);
    const auto refused = [&](const chunk_update& update) {
        const auto done = book().update_chunk(update);
        return !done && done.error().code == errc::internal;
    };
    chunk_update update;
    update.chunk = chunk.id;
    update.state = chunk_state::created;
    update.created = {{0, "a"}};
    EXPECT_TRUE(refused(update)) << "created with rows that have no task";
    update.state = chunk_state::split;
    update.children.resize(1);
    update.children[0].indexes = {1};
    EXPECT_TRUE(refused(update)) << "a row left over";
    update.children[0].indexes = {0, 1, 2};
    EXPECT_TRUE(refused(update)) << "a created row moved";
    update.children[0].indexes = {1, 1, 2};
    EXPECT_TRUE(refused(update)) << "a row moved twice";
    update.children[0].indexes = {1, 2, 3};
    EXPECT_TRUE(refused(update)) << "a row that does not exist";
    update.children[0].indexes = {1, 2};
    must(book().update_chunk(update));
    EXPECT_TRUE(refused(update)) << "split twice";
    EXPECT_EQ(must(book().totals(job.id)).rows.accounted(), 3u);
}

TEST_P(LedgerContract, RowKeepsItsFirstTask) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunk = only_chunk(job.id);
    chunk_update update;
    update.chunk = chunk.id;
    update.state = chunk_state::doubtful;
    update.created = {{0, "task-a"}};
    must(book().update_chunk(update));
    update.created = {{0, "task-b"}};
    EXPECT_FALSE(book().update_chunk(update));
    update.created = {{0, "task-a"}, {1, "task-c"}};
    update.state = chunk_state::created;
    must(book().update_chunk(update));
    EXPECT_THAT(must(book().chunk(chunk.id)).task_ids, ElementsAre("task-a", "task-c"));
}

TEST_P(LedgerContract, JobStateIsKept) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    must(book().set_job_state(job.id, core::job_state::parked, at_second(9000), "waiting", "the day window",
                              at_second(8000)));
    auto record = must(book().job(job.id));
    EXPECT_EQ(record.resume_at, at_second(9000));
    EXPECT_EQ(record.stop_code, "waiting");
    EXPECT_EQ(record.finished_at, std::nullopt);
    EXPECT_THAT(must(book().unfinished_jobs()), SizeIs(1));
    must(book().set_job_state(job.id, core::job_state::completed, std::nullopt, "", "", at_second(9500)));
    record = must(book().job(job.id));
    EXPECT_EQ(record.state, core::job_state::completed);
    EXPECT_EQ(record.finished_at, at_second(9500));
    EXPECT_THAT(must(book().unfinished_jobs()), IsEmpty());
    EXPECT_EQ(book().set_job_state(99, core::job_state::failed, {}, "", "", at_second(1)).error().code,
              errc::no_such_job);
}

TEST_P(LedgerContract, UnfinishedJobsTellWhetherTheyMayGoOn) {
    const auto waiting = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    auto paused = plan_job(book(), "two", 2, {{call_on_day(2), {contact_id(1)}}});
    const auto finished = plan_job(book(), "three", 2, {{call_on_day(3), {contact_id(1)}}});
    paused.lock.reset();
    must(book().set_job_state(waiting.id, core::job_state::parked, at_second(9000), "waiting", "", at_second(8000)));
    must(book().set_job_state(paused.id, core::job_state::parked, {}, "paused", "", at_second(8000)));
    must(book().set_job_state(finished.id, core::job_state::completed, {}, "", "", at_second(8000)));
    const auto found = must(book().unfinished_jobs());
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_EQ(found[0].id, waiting.id);
    EXPECT_EQ(found[0].base_url, identity_of("one").base_url);
    EXPECT_EQ(found[0].team, identity_of("one").team);
    EXPECT_TRUE(found[0].held);
    EXPECT_FALSE(found[0].paused);
    EXPECT_EQ(found[0].resume_at, at_second(9000));
    EXPECT_EQ(found[1].id, paused.id);
    EXPECT_FALSE(found[1].held);
    EXPECT_TRUE(found[1].paused);
    EXPECT_EQ(found[1].resume_at, std::nullopt);
}

TEST_P(LedgerContract, JobsAreListedInPagesNewestFirst) {
    using core::job_state;
    std::vector<job_id> ids;
    for (int i = 1; i <= 6; ++i) {
        ids.push_back(plan_job(book(), std::to_string(i), 2, {{call_on_day(i), {contact_id(1)}}}).id);
        const auto state = i % 2 == 0 ? job_state::completed : i == 3 ? job_state::failed : job_state::parked;
        must(book().set_job_state(ids.back(), state, {}, "", "", at_second(2000)));
    }
    const auto planning = start_plan(book(), 2);
    const auto listed = [&](const job_page& page) {
        std::vector<job_id> out;
        for (const auto& job : must(book().newest_jobs(page)))
            out.push_back(job.id);
        return out;
    };
    const std::vector any{job_state::completed, job_state::parked, job_state::failed};
    EXPECT_THAT(listed({any, 0, 2}), ElementsAre(ids[5], ids[4]));
    EXPECT_THAT(listed({any, ids[4], 3}), ElementsAre(ids[3], ids[2], ids[1]));
    EXPECT_THAT(listed({any, ids[1], 3}), ElementsAre(ids[0]));
    EXPECT_THAT(listed({any, ids[0], 3}), IsEmpty());
    EXPECT_THAT(listed({{job_state::parked, job_state::failed}, 0, 100}), ElementsAre(ids[4], ids[2], ids[0]));
    EXPECT_THAT(listed({{job_state::completed}, ids[5], 1}), ElementsAre(ids[3]));
    EXPECT_THAT(listed({{}, 0, 100}), IsEmpty());
    EXPECT_THAT(must(book().newest_jobs({any, 0, 1})).at(0).files, ElementsAre("a.csv"));
}

TEST_P(LedgerContract, SumsByStateAreThoseOfTheRowsWhateverBecomesOfThem) {
    using core::job_state;
    struct step_of_job {
        std::string what;
        std::function<void()> take;
    };
    auto sent = plan_job(book(), "sent", 1, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    const auto other = plan_job(book(), "other", 2, {{call_on_day(2), {contact_id(1), contact_id(2)}}});
    const auto chunks = chunks_in(book(), sent.id, chunk_state::planned);
    const auto end = [&](job_id job, job_state state, const std::string& why) {
        must(book().set_job_state(job, state, {}, why, "", at_second(5000)));
    };
    const std::vector<step_of_job> steps{
        {"planned", [] {}},
        {"paused", [&] { end(other.id, job_state::parked, "paused"); }},
        {"one is under way", [&] { send(chunks[0].id); }},
        {"its process has died", [&] { sent.lock.reset(); }},
        {"another is created", [&] { create_all(chunks[1]); }},
        {"a third is refused", [&] { set_state(chunks[2].id, chunk_state::refused, "http_422"); }},
        {"the first is in doubt", [&] { set_state(chunks[0].id, chunk_state::doubtful); }},
        {"finished with an unknown row", [&] { end(sent.id, job_state::completed, ""); }},
        {"a verify has found nothing of it", [&] { set_state(chunks[0].id, chunk_state::refused, "absent"); }},
        {"and has ended", [&] { end(sent.id, job_state::completed, ""); }},
        {"failed rows go again", [&] { must(book().reopen_failed(sent.id)); }},
        {"and their job is unfinished", [&] { end(sent.id, job_state::failed, "unauthorized"); }},
        {"all are created", [&] { create_all(chunks[0]), create_all(chunks[2]); }},
        {"finished for good", [&] { end(sent.id, job_state::completed, ""); }},
    };
    for (const auto& step : steps) {
        SCOPED_TRACE(step.what);
        step.take();
        std::map<std::pair<job_state, bool>, std::pair<std::uint64_t, core::row_counts>> counted, told;
        for (const auto& job : must(book().jobs())) {
            auto& [jobs, rows] = counted[{job.state, job.paused()}];
            ++jobs;
            const auto of_job = count(results_of(book(), job.id));
            rows += of_job;
            EXPECT_EQ(must(book().totals(job.id)).rows, of_job);
        }
        for (const auto& sums : must(book().sums_by_state()))
            told[{sums.state, sums.paused}] = {sums.jobs, sums.rows};
        EXPECT_EQ(told, counted);
        job_ends ends;
        for (const auto& job : must(book().jobs())) {
            if (job.state != job_state::completed)
                ends.oldest_unfinished = std::min(ends.oldest_unfinished.value_or(job.created_at), job.created_at);
            else if (job.finished_at)
                ends.last_finished = std::max(ends.last_finished.value_or(*job.finished_at), *job.finished_at);
        }
        const auto found = must(book().ends_of_jobs());
        EXPECT_EQ(found.oldest_unfinished, ends.oldest_unfinished);
        EXPECT_EQ(found.last_finished, ends.last_finished);
    }
}

TEST_P(LedgerContract, RowsOfEarlierJobsBecomeDuplicatesAndTheRestIsCutAnew) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), "odd"}}});
    const auto chunks = chunks_in(book(), first.id, chunk_state::planned);
    create_all(chunks[0]);
    auto second =
        plan_job(book(), "two", 2,
                 {{call_on_day(1),
                   {contact_id(8), contact_id(9), contact_id(7), contact_id(2), "odd", contact_id(6), contact_id(5)}},
                  {call_on_day(2), {contact_id(2)}}});
    EXPECT_EQ(second.totals.rows.duplicate, 2u);
    EXPECT_EQ(second.totals.rows.pending, 6u);
    EXPECT_EQ(second.totals.requests.minimum_requests, 4u);
    const auto rows = results_of(book(), second.id);
    EXPECT_EQ(rows[3].duplicate_of, (std::pair<job_id, core::row_number>(first.id, 2)));
    EXPECT_EQ(rows[4].duplicate_of, (std::pair<job_id, core::row_number>(first.id, 4)));
    const auto cut = chunks_in(book(), second.id, chunk_state::planned);
    std::vector<std::vector<core::row_number>> members;
    for (const auto& chunk : cut)
        members.push_back(chunk.contacts.rows);
    using list = std::vector<core::row_number>;
    EXPECT_THAT(members, testing::UnorderedElementsAre(list{1, 2}, list{3, 6}, list{7}, list{8}));
}

TEST_P(LedgerContract, FailedRowsOfEarlierJobsAreNoObstacle) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    for (const auto& chunk : chunks_in(book(), first.id, chunk_state::planned)) {
        set_state(chunk.id, chunk_state::refused, "http_422");
    }
    auto second = plan_job(book(), "two", 2, {{call_on_day(1), {contact_id(1), contact_id(3)}}});
    EXPECT_EQ(second.totals.rows.pending, 2u);
    EXPECT_EQ(second.totals.rows.duplicate, 0u);
}

TEST_P(LedgerContract, ReopenedJobSendsItsFailedRowsAgain) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    set_state(chunks[0].id, chunk_state::refused, "http_422");
    chunk_update half;
    half.chunk = chunks[1].id;
    half.state = chunk_state::refused;
    must(book().update_chunk(half));
    must(book().reopen_failed(job.id));
    const auto again = chunks_in(book(), job.id, chunk_state::planned);
    ASSERT_THAT(again, SizeIs(2));
    EXPECT_EQ(again[0].id, chunks[0].id);
    EXPECT_EQ(again[0].code, "");
    EXPECT_EQ(must(book().totals(job.id)).rows.pending, 3u);
}

TEST_P(LedgerContract, ReopenedChunkLeavesItsCreatedRowsAndThoseOfOtherJobs) {
    auto first =
        plan_job(book(), "one", 4, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}}});
    chunk_update refused;
    refused.chunk = only_chunk(first.id).id;
    refused.state = chunk_state::refused;
    refused.created = {{0, "task-a"}};
    refused.settled_at = at_second(5);
    must(book().update_chunk(refused));
    auto second = plan_job(book(), "two", 4, {{call_on_day(1), {contact_id(3), contact_id(1)}}});
    EXPECT_EQ(second.totals.rows.duplicate, 1u) << "of the row with a task only";
    must(book().reopen_failed(first.id));

    const auto rows = results_of(book(), first.id);
    EXPECT_THAT(states_of(rows),
                ElementsAre(row_state::created, row_state::pending, row_state::duplicate, row_state::pending));
    EXPECT_EQ(rows[0].finished_at, at_second(5));
    EXPECT_EQ(rows[2].duplicate_of, (std::pair<job_id, core::row_number>(second.id, 1)));
    EXPECT_THAT(only_chunk(first.id).contacts.rows, ElementsAre(2, 4));
    const auto totals = must(book().totals(first.id));
    EXPECT_EQ(totals.rows.duplicate, 1u);
    EXPECT_EQ(totals.rows.accounted(), totals.rows.rows);
}

TEST_P(LedgerContract, TellsWhatRefusalsHaveTaught) {
    auto job = plan_job(book(), "one", 4,
                        {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}},
                         {call_on_day(2), {contact_id(5), contact_id(6), contact_id(7), contact_id(8)}},
                         {call_on_day(3), {contact_id(9)}}});
    const auto none = must(book().learnt(job.id));
    EXPECT_EQ(none.most_created, 0u);
    EXPECT_EQ(none.requests, 0u);
    EXPECT_THAT(none.refused_alone, IsEmpty());
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    // The first is refused and split; its first part is created, the second, one contact, refused.
    report(send(chunks[0].id), attempt_result::refused);
    chunk_update split;
    split.chunk = chunks[0].id;
    split.state = chunk_state::split;
    split.code = "isolating";
    split.children = {{{0, 1, 2}, chunk_state::planned, "isolating", "", false, 0},
                      {{3}, chunk_state::planned, "isolating", "", false, 0}};
    must(book().update_chunk(split));
    // The second has too many contacts.
    split.chunk = chunks[1].id;
    split.code = "too_many_contacts";
    split.children = {{{0, 1, 2}, chunk_state::planned, "", "", false, 0, {2, 4}},
                      {{3}, chunk_state::planned, "", "", false, 0}};
    must(book().update_chunk(split));
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned)) {
        if (chunk.parent != chunks[0].id) continue;
        if (chunk.contacts.size() == 3) {
            create_all(chunk);
        } else {
            report(send(chunk.id), attempt_result::refused);
            chunk_update refused;
            refused.chunk = chunk.id;
            refused.state = chunk_state::refused;
            refused.code = "refused_422";
            refused.message = "not found";
            refused.settled_at = at_second(3);
            must(book().update_chunk(refused));
        }
    }
    set_state(chunks[2].id, chunk_state::refused, "cancelled");
    const auto learnt = must(book().learnt(job.id));
    EXPECT_EQ(learnt.most_created, 3u);
    EXPECT_EQ(learnt.created_rows, 3u);
    EXPECT_EQ(learnt.open_sets, 1u);
    EXPECT_EQ(learnt.open_contacts, 2u);
    EXPECT_EQ(learnt.requests, 2u) << "the first request would have been made anyway";
    ASSERT_THAT(learnt.refused_alone, SizeIs(1)) << "only Apollo's refusals";
    EXPECT_EQ(learnt.refused_alone[0].id, contact_id(4));
    EXPECT_EQ(learnt.refused_alone[0].group, 1u);
    EXPECT_EQ(learnt.refused_alone[0].user_id, call_on_day(1).user_id);
    EXPECT_EQ(learnt.refused_alone[0].message, "not found");
    EXPECT_TRUE(learnt.refused_alone[0].proven);

    must(book().reopen_failed(job.id));
    const auto after = must(book().learnt(job.id));
    EXPECT_EQ(after.requests, 0u) << "a retry has a budget of its own";
    EXPECT_THAT(after.refused_alone, IsEmpty());
}

// A refused chunk is planned again as a whole, then cut into a part and its rest.
TEST_P(LedgerContract, WhatIsLeftOfARefusedPartComesTogetherWithItsRest) {
    std::vector<std::string> contacts;
    for (std::uint64_t i = 1; i <= 8; ++i)
        contacts.push_back(contact_id(i));
    auto job = plan_job(book(), "one", 8, {{call_on_day(1), contacts}});
    auto whole = only_chunk(job.id);
    report(send(whole.id), attempt_result::refused);
    chunk_update update;
    update.chunk = whole.id;
    update.code = "isolating";
    update.mark = search_mark{8, 8};
    must(book().update_chunk(update));
    whole = only_chunk(job.id);
    EXPECT_EQ(whole.mark, (search_mark{8, 8})) << "it is known to hold a refused one, also after a kill";
    update.state = chunk_state::split;
    update.pairs = true;
    update.children = {{{0, 1, 2, 3}, chunk_state::planned, "isolating", "", false, 0, {}},
                       {{4, 5, 6, 7}, chunk_state::planned, "isolating", "", true, 0, {4, 8}}};
    const auto children = must(book().update_chunk(update));
    ASSERT_THAT(children, SizeIs(2));
    auto part = must(book().chunk(children[0])), rest = must(book().chunk(children[1]));
    EXPECT_EQ(part.partner, rest.id);
    EXPECT_EQ(rest.partner, part.id);
    EXPECT_EQ(rest.partner_state, chunk_state::planned);
    EXPECT_EQ(rest.mark, (search_mark{4, 8}));

    report(send(part.id), attempt_result::refused);
    chunk_update again;
    again.chunk = part.id;
    again.state = chunk_state::split;
    again.code = "isolating";
    again.pairs = true;
    again.joined = rest.id;
    again.children = {{{0, 1}, chunk_state::planned, "isolating", "", false, 0, {}},
                      {{2, 3}, chunk_state::planned, "isolating", "", false, 0, {2, 4}}};
    const auto next = must(book().update_chunk(again));
    rest = must(book().chunk(next[1]));
    EXPECT_THAT(rest.contacts.rows, ElementsAre(3, 4, 5, 6, 7, 8));
    EXPECT_EQ(rest.contacts.contact_ids[5], contact_id(8));
    EXPECT_EQ(rest.parent, part.id);
    EXPECT_TRUE(rest.possible_duplicate) << "some of its rows have it";
    EXPECT_EQ(must(book().chunk(children[1])).state, chunk_state::split);
    EXPECT_THAT(results_of(book(), job.id), SizeIs(8));
    EXPECT_EQ(must(book().totals(job.id)).rows.pending, 8u);
    EXPECT_EQ(must(book().inspect([] { return true; })).damages, 0u);

    create_all(must(book().chunk(next[0])));
    EXPECT_EQ(must(book().chunk(next[1])).partner_state, chunk_state::created);
    const auto asked = must(book().requests_since(job.id, at_second(2000)));
    EXPECT_EQ(asked.search, 2u);
    EXPECT_EQ(asked.others, 1u);
    EXPECT_EQ(must(book().requests_since(job.id, at_second(2001))).others, 0u);
}

TEST_P(LedgerContract, OnlyARestIsJoinedWithItsPart) {
    auto job = plan_job(book(), "one", 2,
                        {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}},
                         {call_on_day(2), {contact_id(5), contact_id(6)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    for (const auto other : {chunks[1].id, chunks[2].id, chunks[0].id, chunk_id{999}}) {
        chunk_update update;
        update.chunk = chunks[0].id;
        update.state = chunk_state::split;
        update.joined = other;
        update.children.resize(1);
        update.children[0].indexes = {0, 1};
        EXPECT_FALSE(book().update_chunk(update));
    }
    EXPECT_EQ(must(book().totals(job.id)).rows.pending, 6u);
    EXPECT_THAT(chunks_in(book(), job.id, chunk_state::planned), SizeIs(3));
}

TEST_P(LedgerContract, ALimitOfContactsIsKeptForTheTeam) {
    EXPECT_EQ(must(book().load_contact_limit("u", "t")), std::nullopt);
    const contact_limit limit{25, 50, at_second(9)};
    must(book().save_contact_limit("u", "t", contact_limit{1, 2, at_second(1)}));
    must(book().save_contact_limit("u", "t", limit));
    EXPECT_EQ(must(book().load_contact_limit("u", "t")), limit);
    EXPECT_EQ(must(book().load_contact_limit("u", "other")), std::nullopt);
    must(book().save_contact_limit("u", "t", std::nullopt));
    EXPECT_EQ(must(book().load_contact_limit("u", "t")), std::nullopt);
}

TEST_P(LedgerContract, GroupWithoutRowsLeftHasNoChunks) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    auto second = plan_job(book(), "two", 2, {{call_on_day(1), {contact_id(2), contact_id(1)}}});
    EXPECT_EQ(second.totals.rows.duplicate, 2u);
    EXPECT_EQ(second.totals.requests.minimum_requests, 0u);
    EXPECT_EQ(second.totals.requests.groups, 1u);
    EXPECT_THAT(chunks_in(book(), second.id, chunk_state::planned), IsEmpty());
}

TEST_P(LedgerContract, DuplicateOfARowThatAnEarlierJobHasPointsToThatJob) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    auto second = start_plan(book(), 2);
    must(book().add_group(second.id, 1, call_on_day(1).view()));
    must(book().add_chunk(second.id, chunk_of(1, 0, {{1, contact_id(1)}})));
    must(book().add_duplicate(second.id, {2, {0, 3}, contact_id(1), 1, 0, 1}));
    finish_plan(book(), second, "two", {2, 0});
    const auto rows = results_of(book(), second.id);
    const std::pair<job_id, core::row_number> origin(first.id, 1);
    EXPECT_EQ(rows[0].duplicate_of, origin);
    EXPECT_EQ(rows[1].duplicate_of, origin);
}

TEST_P(LedgerContract, DuplicatesWithoutATaskAreCountedApart) {
    auto first =
        plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}}});
    const auto chunks = chunks_in(book(), first.id, chunk_state::planned);
    create_all(chunks[0]);
    set_state(chunks[1].id, chunk_state::doubtful, "no_answer");
    auto second =
        plan_job(book(), "two", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}}});
    set_state(chunks[2].id, chunk_state::refused, "http_422");
    const auto rows = must(book().totals(second.id)).rows;
    EXPECT_EQ(rows.duplicate, 4u);
    EXPECT_EQ(rows.duplicate_pending, 1u);
    EXPECT_EQ(rows.duplicate_unknown, 1u);
    EXPECT_EQ(rows.duplicate_failed, 1u);
    std::vector<std::string> codes;
    for (const auto& row : results_of(book(), second.id))
        codes.push_back(row.code);
    EXPECT_THAT(codes, ElementsAre("", "original_unknown", "original_failed", "original_pending"));
    const auto waiting = must(book().waiting_for(second.id));
    ASSERT_THAT(waiting, SizeIs(1));
    EXPECT_EQ(waiting[0].job, first.id);
    EXPECT_EQ(waiting[0].rows, 1u);
    EXPECT_EQ(must(book().reasons(second.id, 10)).size(), 3u);
}

TEST_P(LedgerContract, CompletedJobWithDuplicatesWithoutATaskIsCountedAgain) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    auto second = plan_job(book(), "two", 1, {{call_on_day(1), {contact_id(1)}}});
    must(book().set_job_state(second.id, core::job_state::completed, {}, "", "", at_second(3)));
    EXPECT_EQ(must(book().totals(second.id)).rows.duplicate_pending, 1u);
    create_all(only_chunk(first.id));
    EXPECT_EQ(must(book().totals(second.id)).rows.open_duplicates(), 0u);
}

TEST_P(LedgerContract, FailedOriginalsGiveTheirDuplicatesBack) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    auto second = start_plan(book(), 2);
    must(book().add_group(second.id, 1, call_on_day(1).view()));
    must(book().add_chunk(second.id, chunk_of(1, 0, {{1, contact_id(1)}, {2, contact_id(2)}})));
    must(book().add_chunk(second.id, chunk_of(1, 1, {{3, contact_id(9)}, {4, contact_id(3)}})));
    must(book().add_duplicate(second.id, {5, {0, 6}, contact_id(1), 1, 0, 1}));
    finish_plan(book(), second, "two", {5, 0});
    const auto chunks = chunks_in(book(), first.id, chunk_state::planned);
    set_state(chunks[0].id, chunk_state::refused, "cancelled");
    set_state(chunks[1].id, chunk_state::refused, "cancelled");
    // A third job takes one of them before the second does.
    auto third = plan_job(book(), "three", 2, {{call_on_day(1), {contact_id(2)}}});

    EXPECT_EQ(must(book().free_duplicates(second.id)), 3u);
    const auto rows = results_of(book(), second.id);
    EXPECT_THAT(states_of(rows), ElementsAre(row_state::pending, row_state::duplicate, row_state::pending,
                                             row_state::duplicate, row_state::duplicate));
    EXPECT_EQ(rows[1].duplicate_of, (std::pair<job_id, core::row_number>(third.id, 1)));
    EXPECT_EQ(rows[3].duplicate_of, (std::pair<job_id, core::row_number>(first.id, 3))) << "still to be sent there";
    EXPECT_EQ(rows[4].duplicate_of, (std::pair<job_id, core::row_number>(second.id, 1))) << "one task for both";
    const auto totals = must(book().totals(second.id));
    EXPECT_EQ(totals.rows.accounted(), totals.rows.rows);
    EXPECT_EQ(totals.requests.minimum_requests, 2u);
    EXPECT_EQ(must(book().free_duplicates(second.id)), 0u);
    EXPECT_EQ(must(book().inspect([] { return true; })).damages, 0u);
}

TEST_P(LedgerContract, DuplicateOfARowThatBecameADuplicateIsFollowed) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    auto second = plan_job(book(), "two", 1, {{call_on_day(1), {contact_id(1)}}});
    set_state(only_chunk(first.id).id, chunk_state::refused, "cancelled");
    auto third = plan_job(book(), "three", 1, {{call_on_day(1), {contact_id(1)}}});
    must(book().reopen_failed(first.id));
    EXPECT_EQ(must(book().totals(second.id)).rows.duplicate_pending, 1u);
    EXPECT_EQ(must(book().waiting_for(second.id)).at(0).job, third.id);
    create_all(only_chunk(third.id));
    EXPECT_EQ(must(book().totals(second.id)).rows.open_duplicates(), 0u);
}

TEST_P(LedgerContract, RetryTakesDuplicatesOfFailedRowsAlong) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    auto second = plan_job(book(), "two", 1, {{call_on_day(1), {contact_id(1)}}});
    set_state(only_chunk(first.id).id, chunk_state::refused, "http_422");
    must(book().reopen_failed(second.id));
    EXPECT_EQ(must(book().totals(second.id)).rows.pending, 1u);
    must(book().reopen_failed(first.id));
    EXPECT_EQ(must(book().totals(first.id)).rows.pending, 0u) << "the second job has the row now";
    EXPECT_EQ(must(book().totals(first.id)).rows.duplicate_pending, 1u);
}

constexpr auto same_type = core::task_fields::none().with(core::task_field::type);

// A job with one group a day, planned with only the type of a task counting.
planned_job plan_by_type(ledger& book, const std::string& input, const std::vector<std::vector<std::string>>& days) {
    auto job = start_plan(book, 2);
    core::row_number row = 0;
    for (std::size_t day = 0; day < days.size(); ++day) {
        must(book.add_group(job.id, static_cast<core::group_number>(day + 1),
                            call_on_day(static_cast<int>(day) + 50).view()));
        for (const auto& contact : days[day]) {
            ++row;
            must(book.add_chunk(job.id, chunk_of(static_cast<core::group_number>(day + 1), 0, {{row, contact}})));
        }
    }
    job.totals = must(book.commit_plan(job.id, identity_of(input), {row, 0}, same_type, {}));
    return job;
}

TEST_P(LedgerContract, OnlyTheFieldsThatCountMakeTwoTasksTheSame) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    auto other = call_on_day(1);
    other.type = core::task_type::action_item;
    plan_job(book(), "other", 2, {{other, {contact_id(3)}}});
    const auto second = plan_by_type(book(), "two", {{contact_id(1)}, {contact_id(2)}, {contact_id(3)}});
    EXPECT_EQ(second.totals.rows.duplicate, 2u) << "other days, but calls as well";
    EXPECT_EQ(second.totals.rows.pending, 1u);
    const auto rows = results_of(book(), second.id);
    EXPECT_EQ(rows[1].duplicate_of, (std::pair<job_id, core::row_number>(first.id, 2)));
}

TEST_P(LedgerContract, RowsGivenBackGetOneTaskForTheFieldsThatCount) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    auto second = plan_by_type(book(), "two", {{contact_id(1)}, {contact_id(1)}});
    ASSERT_EQ(second.totals.rows.duplicate, 2u);
    set_state(only_chunk(first.id).id, chunk_state::refused, "cancelled");
    EXPECT_EQ(must(book().free_duplicates(second.id, same_type)), 2u);
    EXPECT_THAT(states_of(results_of(book(), second.id)), ElementsAre(row_state::pending, row_state::duplicate));
}

TEST_P(LedgerContract, JobWhoseFailedRowsAreAskedForIsNotPruned) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    plan_job(book(), "two", 1, {{call_on_day(1), {contact_id(1)}}});
    set_state(only_chunk(first.id).id, chunk_state::refused, "http_422");
    must(book().set_job_state(first.id, core::job_state::completed, {}, "", "", at_second(3)));
    first.lock.reset();
    const auto candidates = must(book().prune_candidates({at_second(10), false, false}));
    ASSERT_THAT(candidates, SizeIs(1));
    EXPECT_EQ(candidates[0].why_not, prune_bar::asked_for);
}

TEST_P(LedgerContract, JobThroughWhichADuplicateLeadsToARowWithoutATaskIsNotPruned) {
    auto first = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    plan_job(book(), "two", 1, {{call_on_day(1), {contact_id(1)}}});
    set_state(only_chunk(first.id).id, chunk_state::refused, "cancelled");
    auto third = plan_job(book(), "three", 1, {{call_on_day(1), {contact_id(1)}}});
    must(book().reopen_failed(first.id));
    set_state(only_chunk(third.id).id, chunk_state::refused, "cancelled");
    must(book().set_job_state(first.id, core::job_state::completed, {}, "", "", at_second(3)));
    first.lock.reset();
    const auto candidates = must(book().prune_candidates({at_second(10), false, false}));
    ASSERT_THAT(candidates, SizeIs(1));
    EXPECT_EQ(candidates[0].why_not, prune_bar::asked_for);
}

TEST_P(LedgerContract, OtherTeamsAndForbiddenDedupeLeaveRowsAlone) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    for (const bool other_team : {true, false}) {
        auto identity = identity_of(other_team ? "two" : "three");
        if (other_team) identity.team = "other";
        auto [id, lock] = must(book().begin_plan({"a"}, 2, identity.base_url, identity.team, at_second(1)));
        must(book().add_group(id, 1, call_on_day(1).view()));
        must(book().add_chunk(id, chunk_of(1, 0, {{1, contact_id(1)}})));
        EXPECT_EQ(must(book().commit_plan(id, identity, {1, 0},
                                          other_team ? std::optional(core::task_fields()) : std::nullopt, {}))
                      .rows.pending,
                  1u);
    }
}

TEST_P(LedgerContract, ReasonsAreCommonestFirstWithAnExample) {
    auto job = start_plan(book(), 2);
    must(book().add_group(job.id, 1, call_on_day(1).view()));
    must(book().add_chunk(job.id, chunk_of(1, 0, {{2, contact_id(1)}, {3, contact_id(2)}})));
    must(book().add_reject(job.id, {1, {0, 2}, "", "id", "bad_id", "no id", "raw"}));
    finish_plan(book(), job, "one", {3, 1});
    set_state(only_chunk(job.id).id, chunk_state::refused, "http_422");
    const auto reasons = must(book().reasons(job.id, 5));
    ASSERT_THAT(reasons, SizeIs(2));
    EXPECT_EQ(reasons[0].code, "http_422");
    EXPECT_EQ(reasons[0].rows, 2u);
    EXPECT_EQ(reasons[0].example_row, 2u);
    EXPECT_EQ(reasons[1].state, row_state::rejected);
    EXPECT_EQ(reasons[1].example_row, 1u);
    EXPECT_EQ(reasons[1].example_message, "no id");
    EXPECT_THAT(must(book().reasons(job.id, 1)), SizeIs(1));
}

TEST_P(LedgerContract, TellsTheFileOfEveryRow) {
    const auto identity = identity_of("one");
    auto [id, lock] = must(book().begin_plan({"a", "empty", "b"}, 10, identity.base_url, identity.team, at_second(1)));
    must(book().add_group(id, 1, call_on_day(1).view()));
    must(book().add_chunk(id, chunk_of(1, 0, {{1, contact_id(1)}, {2, contact_id(2)}, {4, contact_id(4)}})));
    must(book().add_reject(id, {3, {2, 1}, "", "", "bad", "", ""}));
    must(book().set_files(id, {{1, "csv", ""}, {3, "csv", ""}, {3, "jsonl", ""}}));
    must(book().commit_plan(id, identity, {4, 1}, core::task_fields(), {}));
    std::vector<std::uint32_t> files;
    for (const auto& row : results_of(book(), id))
        files.push_back(row.file);
    EXPECT_THAT(files, ElementsAre(0, 0, 2, 2));
}

TEST_P(LedgerContract, ResultsOfManyInterleavedGroupsComeInOrder) {
    constexpr core::group_number groups = 40;
    constexpr core::row_number rows = 4000;
    auto job = start_plan(book(), 7);
    for (core::group_number g = 1; g <= groups; ++g)
        must(book().add_group(job.id, g, call_on_day(int(g)).view()));
    std::vector<std::vector<std::pair<core::row_number, std::string>>> open(groups);
    std::vector<std::uint32_t> parts(groups);
    must(book().begin());
    for (core::row_number row = 1; row <= rows; ++row) {
        if (row % 11 == 0) {
            must(book().add_reject(job.id, {row, {0, row}, "", "", "bad", "", ""}));
            continue;
        }
        const auto g = static_cast<core::group_number>(row * row % groups);
        open[g].emplace_back(row, contact_id(row));
        if (open[g].size() < 7) continue;
        must(book().add_chunk(job.id, chunk_of(g + 1, parts[g]++, open[g])));
        open[g].clear();
    }
    for (core::group_number g = 0; g < groups; ++g) {
        if (!open[g].empty()) must(book().add_chunk(job.id, chunk_of(g + 1, parts[g], open[g])));
    }
    must(book().commit());
    finish_plan(book(), job, "one", {rows, rows / 11});
    // A third of the chunks is split into odd and even rows, the even ones once more.
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned)) {
        if (chunk.id % 3 != 0) continue;
        chunk_update split;
        split.chunk = chunk.id;
        split.state = chunk_state::split;
        split.created = {{0, "task"}};
        for (std::uint32_t i = 1; i < chunk.contacts.size(); ++i) {
            split.children.resize(std::min<std::size_t>(2, chunk.contacts.size() - 1));
            split.children[i % split.children.size()].indexes.push_back(i);
        }
        if (split.children.empty()) split.state = chunk_state::created;
        must(book().update_chunk(split));
    }
    core::row_number expected = 0;
    must(book().each_result(job.id, [&](const row_result& r) {
        EXPECT_EQ(r.row, ++expected);
        EXPECT_EQ(r.contact_id, r.state == row_state::rejected ? "" : contact_id(r.row));
        return true;
    }));
    EXPECT_EQ(expected, rows);
    EXPECT_EQ(must(book().totals(job.id)).rows.accounted(), rows);
    expect_pages(book(), job.id);
}

TEST_P(LedgerContract, PagesShowWhatResultsShowInEveryState) {
    auto other = plan_job(book(), "other", 1, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    auto job = start_plan(book(), 4);
    must(book().add_group(job.id, 1, call_on_day(1).view()));
    must(book().add_group(job.id, 2, call_on_day(2).view()));
    must(book().set_files(job.id, {{1, "csv", "a,b"}}));
    core::row_number row = 0;
    for (std::uint32_t part = 0; part < 60; ++part) {
        std::vector<std::pair<core::row_number, std::string>> rows;
        for (int i = 0; i < 4; ++i, row += 1 + (part % 3))
            rows.emplace_back(row + 1, part % 9 == 8 ? "odd \"id\"" : contact_id(row % 80 + 1));
        must(book().add_chunk(job.id, chunk_of(2, part, rows)));
        if (part % 3 == 0) continue;
        for (auto gap = rows.front().first; gap <= row; ++gap) {
            const bool taken = std::any_of(rows.begin(), rows.end(), [&](const auto& one) { return one.first == gap; });
            if (taken) continue;
            if (gap % 2 == 0)
                must(book().add_reject(job.id, {gap, {0, gap + 1}, contact_id(22), "a", "bad", "is bad", "raw"}));
            else
                must(book().add_duplicate(job.id,
                                          {gap, {0, gap + 1}, contact_id(1 + gap % 3), 1, other.id, 1 + gap % 3}));
        }
    }
    for (core::row_number keyed = 3; keyed < row; keyed += 29)
        must(book().add_row_key(job.id, keyed, keyed % 2 ? "email:ada@example.com" : "email"));
    expect_pages(book(), job.id);
    core::row_number rejected = 0;
    for (const auto& one : results_of(book(), job.id))
        rejected += one.state == row_state::rejected ? 1 : 0;
    finish_plan(book(), job, "one", {row, rejected});
    expect_pages(book(), job.id);

    const auto others = chunks_in(book(), other.id, chunk_state::planned);
    create_all(others[0]);
    set_state(others[1].id, chunk_state::refused, "refused_422");
    int at = 0;
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned)) {
        chunk_update split;
        split.chunk = chunk.id;
        switch (++at % 7) {
            case 0:
                send(chunk.id);
                break;
            case 1:
            case 2:
                create_all(chunk);
                break;
            case 3:
                set_state(chunk.id, chunk_state::refused, "refused_422");
                break;
            case 4:
                split.state = chunk_state::split;
                split.created = {{1, "task of " + std::to_string(chunk.id)}};
                split.children = {{{0, 3}, chunk_state::planned, "", "", false, 1},
                                  {{2}, chunk_state::refused, "refused_422", "no", true, 1}};
                must(book().update_chunk(split));
                break;
            case 5:
                split.state = chunk_state::doubtful;
                split.code = "answer_not_ours";
                split.created = {{0, contact_id(5000 + unsigned(at))}, {3, contact_id(6000 + unsigned(at))}};
                must(book().update_chunk(split));
                break;
            default:
                break;
        }
    }
    expect_pages(book(), job.id);
    job.lock.reset();
    expect_pages(book(), job.id);
    row_query none;
    none.most = 10;
    none.after = row;
    EXPECT_THAT(must(book().rows(job.id, none)), IsEmpty());
    none.after = 1'000'000'000'000;
    EXPECT_THAT(must(book().rows(job.id, none)), IsEmpty());
    EXPECT_EQ(book().rows(99, none).error().code, errc::no_such_job);
}

TEST_P(LedgerContract, AContactIsFoundInAllJobsNewestFirst) {
    auto first = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    auto second = plan_job(book(), "two", 2, {{call_on_day(2), {contact_id(3), contact_id(1)}}});
    auto third = start_plan(book(), 2);
    must(book().add_reject(third.id, {1, {0, 2}, "", "Email", "contact_not_found", "", "Ada@Example.com,x"}));
    must(book().add_reject(third.id, {2, {0, 3}, "", "Email", "contact_not_found", "", "nada@example.com,x"}));
    must(book().add_reject(third.id, {3, {0, 4}, "", "Email", "bad_date", "", "ada@example.com,x"}));
    finish_plan(book(), third, "three", {3, 3});
    contact_names ada{{contact_id(1)}, "email:ada@example.com", "ada@example.com"};
    const auto always = [] { return true; };
    const auto places = [](const found_rows& found) {
        std::vector<std::pair<job_id, core::row_number>> out;
        for (const auto& one : found.rows)
            out.emplace_back(one.job, one.row.row);
        return out;
    };
    using at = std::pair<job_id, core::row_number>;
    auto found = must(book().find_rows(ada, 10, always));
    EXPECT_THAT(places(found), ElementsAre(at(third.id, 1), at(second.id, 2), at(first.id, 1)));
    EXPECT_FALSE(found.more);
    found = must(book().find_rows(ada, 2, always));
    EXPECT_THAT(places(found), ElementsAre(at(third.id, 1), at(second.id, 2)));
    EXPECT_TRUE(found.more);
    found = must(book().find_rows(ada, 3, always));
    EXPECT_THAT(places(found), SizeIs(3));
    EXPECT_FALSE(found.more);
    found = must(book().find_rows(ada, 10, [] { return false; }));
    EXPECT_THAT(places(found), IsEmpty());
    EXPECT_TRUE(found.more) << "it was not looked for everywhere";
}

TEST_P(LedgerContract, ATaskLeadsToItsRow) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned))
        create_all(chunk);
    const auto found = must(book().rows_with_task("task-3"));
    ASSERT_THAT(found.rows, SizeIs(1));
    EXPECT_EQ(found.rows[0].job, job.id);
    EXPECT_EQ(found.rows[0].row, results_of(book(), job.id).at(2));
    EXPECT_THAT(must(book().rows_with_task("task-9")).rows, IsEmpty());
    EXPECT_THAT(must(book().rows_with_task("")).rows, IsEmpty());
}

TEST_P(LedgerContract, HistoryCountsWhatWasSentAndWhatCameOfIt) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    report(send(chunks[0].id), attempt_result::throttled);
    set_state(chunks[0].id, chunk_state::planned);
    report(send(chunks[0].id), attempt_result::not_sent, false);
    set_state(chunks[0].id, chunk_state::planned);
    create_all(chunks[0]);
    report(send(chunks[1].id), attempt_result::refused);
    set_state(chunks[1].id, chunk_state::refused);
    history_query query{at_second(1990), at_second(2015), std::chrono::seconds(10), {}};
    for (const auto& of : {std::optional<job_id>(), std::optional(job.id)}) {
        query.job = of;
        const auto points = must(book().history(query));
        ASSERT_THAT(points, SizeIs(3));
        EXPECT_EQ(points[0].at, at_second(1990));
        EXPECT_EQ(points[0].requests, 0u);
        EXPECT_EQ(points[1].at, at_second(2000));
        EXPECT_EQ(points[1].requests, 3u);
        EXPECT_EQ(points[1].created, 2u);
        EXPECT_EQ(points[1].rate_limited, 1u);
        EXPECT_EQ(points[1].failed, 1u);
        EXPECT_EQ(points[2].requests, 0u);
    }
    query.job = job.id + 1;
    EXPECT_EQ(must(book().history(query)).at(1).requests, 0u);
    // Tasks of an attempt without an answer are its chunk's, once.
    const auto all = must(book().attempts(job.id, 10, 0));
    EXPECT_EQ(must(book().attempts(job.id, 10, all.at(1).id)).size(), 1u);
    EXPECT_EQ(all.at(0).rows, 2u);
    EXPECT_EQ(all.back().rows, 1u);
}

TEST_P(LedgerContract, ResultsStopWhenAsked) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    int seen = 0;
    must(book().each_result(job.id, [&](const row_result&) { return ++seen < 2; }));
    EXPECT_EQ(seen, 2);
    EXPECT_EQ(book().each_result(99, [](const row_result&) { return true; }).error().code, errc::no_such_job);
}

TEST_P(LedgerContract, BookIsKeptWhole) {
    const book_key key{"https://api.example", "default", "tasks/bulk_create"};
    EXPECT_EQ(must(book().load_book(key)), core::rate_book{});
    core::rate_book saved;
    saved.in_flight = 3;
    saved.in_flight_before = 2;
    saved.flight_mark = at_second(5);
    saved.others_seen_at = at_second(6);
    saved.refusals = 4;
    auto& hour = saved[core::window_kind::hour];
    hour.limit = 600;
    hour.used = 17;
    hour.heard = 16;
    hour.early = 15;
    hour.heard_at = at_second(2);
    hour.opened_at = at_second(1);
    hour.not_before = at_second(0);
    hour.ends_at = at_second(3601);
    hour.end_known = true;
    hour.shut = true;
    saved[core::window_kind::day].unlimited = true;
    must(book().save_book(key, saved));
    EXPECT_EQ(must(book().load_book(key)), saved);
    EXPECT_EQ(must(book().load_book({key.base_url, key.team, "tasks/search"})), core::rate_book{});
}

std::vector<std::string> ids_of(const std::vector<recorded_task>& tasks) {
    std::vector<std::string> out;
    for (const auto& task : tasks)
        out.push_back(task.task_id);
    return out;
}

TEST_P(LedgerContract, EachIntentAndEachOutcomeTakesTheNextNumber) {
    auto job = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    EXPECT_EQ(must(book().events()), 0u);
    const auto first = send(chunks[0].id);
    const auto second = send(chunks[1].id);
    report(second, attempt_result::doubtful);
    EXPECT_EQ(must(book().events()), 3u);
    auto attempts = must(book().attempts(job.id, 10, 0));
    EXPECT_EQ(attempts[0].begun, 1u);
    EXPECT_EQ(attempts[0].ended, 0u) << "still open";
    EXPECT_EQ(attempts[1].begun, 2u);
    EXPECT_EQ(attempts[1].ended, 3u);
    report(first, attempt_result::doubtful);
    EXPECT_EQ(must(book().attempts_of_chunk(chunks[0].id)).at(0).ended, 4u);
    set_state(chunks[0].id, chunk_state::planned);
    EXPECT_EQ(must(book().events()), 4u) << "what becomes of a chunk is part of the outcome";
}

TEST_P(LedgerContract, NumbersOfATransactionAreTakenWithIt) {
    auto job = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    must(book().begin());
    send(chunks[0].id);
    EXPECT_EQ(must(book().events()), 1u);
    book().rollback();
    EXPECT_EQ(must(book().events()), 0u);
    must(book().begin());
    report(send(chunks[0].id), attempt_result::doubtful);
    send(chunks[1].id);
    must(book().commit());
    EXPECT_EQ(must(book().events()), 3u);
    EXPECT_EQ(must(book().attempts(job.id, 10, 0)).at(1).begun, 3u);
}

TEST_P(LedgerContract, AnIntentThatIsRefusedTakesNoNumber) {
    auto job = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}});
    const auto chunk = only_chunk(job.id);
    send(chunk.id);
    EXPECT_FALSE(book().record_intent({chunk.id, at_second(1), {}}));
    EXPECT_EQ(must(book().events()), 1u);
}

TEST_P(LedgerContract, RecordedTasksAreThoseOfTheTeam) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned))
        create_all(chunk);
    const auto id = identity_of("one");
    const auto found = must(book().recorded_tasks(id.base_url, id.team, {"task-9", "task-3", "task-1", "task-0"}));
    EXPECT_THAT(ids_of(found), testing::UnorderedElementsAre("task-1", "task-3"));
    EXPECT_THAT(must(book().recorded_tasks(id.base_url, "other", {"task-1"})), IsEmpty());
    EXPECT_THAT(must(book().recorded_tasks("https://other.example", id.team, {"task-1"})), IsEmpty());
    EXPECT_THAT(must(book().recorded_tasks(id.base_url, id.team, {})), IsEmpty());
}

TEST_P(LedgerContract, ATaskThatAnAnswerNamedHasTheNumberOfItsOutcome) {
    auto job = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
    const auto chunks = chunks_in(book(), job.id, chunk_state::planned);
    create_all(chunks[0]);
    must(book().begin());
    create_all(chunks[1]);
    must(book().commit());
    const auto id = identity_of("one");
    const auto first = must(book().recorded_tasks(id.base_url, id.team, {"task-1"})).at(0);
    EXPECT_EQ(first.since, 1u) << "the intent, since nobody knows when within the request it was made";
    EXPECT_EQ(first.answered_at, at_second(2002));
    EXPECT_EQ(first.details.status, core::task_status::scheduled);
    EXPECT_EQ(must(book().recorded_tasks(id.base_url, id.team, {"task-2"})).at(0).since, 3u);
}

TEST_P(LedgerContract, ATaskThatALookUpFoundMayBeAsOldAsItsFirstIntent) {
    auto job = plan_job(book(), "one", 3, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    const auto chunk = only_chunk(job.id);
    report(send(chunk.id), attempt_result::doubtful);
    report(send([&] {
               set_state(chunk.id, chunk_state::planned);
               return chunk.id;
           }()),
           attempt_result::doubtful);
    const auto id = identity_of("one");
    const auto task = [&](const std::string& name) {
        return must(book().recorded_tasks(id.base_url, id.team, {name})).at(0);
    };
    chunk_update update;
    update.chunk = chunk.id;
    update.state = chunk_state::doubtful;
    update.created = {{0, "a"}};
    update.settled_at = at_second(3000);
    must(book().update_chunk(update));
    EXPECT_EQ(task("a").since, 3u);
    EXPECT_EQ(task("a").answered_at, at_second(3000));
    update.created = {{0, "a"}, {1, "b"}};
    update.found_since = 1;
    must(book().update_chunk(update));
    EXPECT_EQ(task("b").since, 1u);
    EXPECT_EQ(task("b").answered_at, std::nullopt);
    EXPECT_EQ(task("a").since, 1u) << "of a chunk's tasks the earliest event counts";
    EXPECT_EQ(task("a").answered_at, std::nullopt);
    update.created = {{0, "a"}};
    update.found_since.reset();
    must(book().update_chunk(update));
    EXPECT_EQ(task("a").since, 1u) << "nothing new was named";
}

TEST_P(LedgerContract, AControlIsTheOldestTaskAfterAnEvent) {
    auto job = plan_job(book(), "one", 1,
                        {{call_on_day(1), {contact_id(1), contact_id(2)}}, {call_on_day(2), {contact_id(3)}}});
    const auto id = identity_of("one");
    const auto ask = [&](event_number after, core::task_status status = core::task_status::scheduled) {
        return must(book().control_after(id.base_url, id.team, status, after));
    };
    EXPECT_FALSE(ask(0));
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned))
        create_all(chunk);  // since 1, 3 and 5
    EXPECT_EQ(ask(0)->task_id, "task-1");
    EXPECT_EQ(ask(1)->task_id, "task-2") << "the task of event 1 proves nothing of what came after it";
    EXPECT_EQ(ask(2)->task_id, "task-2");
    EXPECT_EQ(ask(3)->task_id, "task-3");
    EXPECT_EQ(ask(3)->contact_id, contact_id(3));
    EXPECT_EQ(ask(3)->details, call_on_day(2));
    EXPECT_FALSE(ask(5));
    EXPECT_FALSE(ask(0, core::task_status::skipped));
    EXPECT_FALSE(must(book().control_after(id.base_url, "other", core::task_status::scheduled, 0)));
}

TEST_P(LedgerContract, SampleIsOfTheDueDateWhereThereIsOne) {
    auto job = plan_job(book(), "one", 1, {{call_on_day(1), {contact_id(1)}}, {call_on_day(2), {contact_id(2)}}});
    const auto id = identity_of("one");
    const auto ask = [&](std::optional<instant> due) {
        return must(book().sample_created(id.base_url, id.team, core::task_status::scheduled, due));
    };
    EXPECT_FALSE(ask(std::nullopt));
    for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned))
        create_all(chunk);
    EXPECT_EQ(ask(call_on_day(1).due_at)->contact_id, contact_id(1));
    EXPECT_EQ(ask(call_on_day(1).due_at)->details, call_on_day(1));
    EXPECT_EQ(ask(std::nullopt)->task_id, "task-2");
    EXPECT_EQ(ask(call_on_day(3).due_at)->task_id, "task-2");
    EXPECT_FALSE(must(book().sample_created(id.base_url, id.team, core::task_status::skipped, std::nullopt)));
}

// --------------------------------------------------------------------------------------------------------- pruning

const auto go_on = [] { return true; };
const prune_rules everything_old{at_second(50'000), false, false};

class PrunedLedger : public LedgerContract {
 protected:
    // Three rows with a task, one refused, one reject; finished at second 9000.
    planned_job finished(const std::string& input, int day = 1) {
        auto job = start_plan(book(), 2);
        must(book().add_group(job.id, 1, call_on_day(day).view()));
        must(book().add_chunk(job.id, chunk_of(1, 0, {{1, contact_id(1)}, {2, "odd \"id\""}})));
        must(book().add_chunk(job.id, chunk_of(1, 1, {{3, contact_id(3)}})));
        must(book().add_chunk(job.id, chunk_of(1, 2, {{5, contact_id(5)}})));
        must(book().add_reject(job.id, {4, {0, 5}, "x", "Contact", "bad_id", "no id", "raw"}));
        must(book().set_files(job.id, {{1, "csv", "a,b"}}));
        finish_plan(book(), job, input, {5, 1});
        for (const auto& chunk : chunks_in(book(), job.id, chunk_state::planned)) {
            if (chunk.contacts.rows.front() == 5)
                set_state(chunk.id, chunk_state::refused, "refused_422");
            else
                create_all(chunk);
        }
        must(book().set_job_state(job.id, core::job_state::completed, {}, "", "", at_second(9000)));
        job.lock.reset();
        return job;
    }
    // The same contacts and details in another input.
    planned_job same_contacts_again(const std::string& input, int day = 1) {
        return plan_job(book(), input, 10,
                        {{call_on_day(day), {contact_id(3), contact_id(5), "odd \"id\"", contact_id(1)}}});
    }
    bool is_candidate(job_id job, bool forget_keys) {
        const auto found = must(book().prune_candidates({at_second(50'000), forget_keys, false}));
        return std::any_of(found.begin(), found.end(), [&](const prune_candidate& c) { return c.job == job; });
    }
    void prune(job_id job, bool forget_keys = false) {
        must(book().prune_job(job, forget_keys, at_second(60'000), go_on));
    }
};

TEST_P(PrunedLedger, SumsStayAndRowsAreGoneWithAWordThatSaysSo) {
    const auto job = finished("one");
    const auto before = must(book().totals(job.id));
    prune(job.id);
    const auto after = must(book().totals(job.id));
    EXPECT_EQ(after.rows.created, 3u);
    EXPECT_EQ(after.rows.failed, 1u);
    EXPECT_EQ(after.rows.rejected, 1u);
    EXPECT_EQ(after.rows.accounted(), before.rows.rows);
    EXPECT_EQ(after.requests.requests, before.requests.requests);
    EXPECT_EQ(after.requests.minimum_requests, before.requests.minimum_requests);
    EXPECT_EQ(must(book().sums_by_state()).at(0).rows, before.rows);
    const auto record = must(book().job(job.id));
    EXPECT_EQ(record.pruned_at, at_second(60'000));
    EXPECT_EQ(record.identity, identity_of("one")) << "the same input is still known";
    EXPECT_EQ(record.file_notes.at(0).header, "");
    const auto rows = book().each_result(job.id, [](const row_result&) { return true; });
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().code, errc::no_such_job);
    EXPECT_THAT(rows.error().text, testing::HasSubstr("was pruned on 1970-01-01T16:40:00Z"));
    EXPECT_FALSE(book().each_reject(job.id, [](const core::rejected_row&) { return true; }));
    EXPECT_EQ(book().rows(job.id, {}).error().text, rows.error().text);
    EXPECT_THAT(must(book().find_rows({{contact_id(1)}, "", ""}, 10, go_on)).rows, IsEmpty());
    EXPECT_THAT(must(book().rows_with_task("task-1")).rows, IsEmpty());
    EXPECT_THAT(must(book().reasons(job.id, 5)), IsEmpty());
    EXPECT_THAT(must(book().attempts(job.id, 100, 0)), IsEmpty());
}

TEST_P(PrunedLedger, KeysStillTellOfWhichRowEachIsADuplicate) {
    const auto old = finished("one");
    prune(old.id);
    const auto job = same_contacts_again("two");
    const auto rows = results_of(book(), job.id);
    using origin = std::pair<job_id, core::row_number>;
    EXPECT_EQ(rows[0].duplicate_of, origin(old.id, 3));
    EXPECT_EQ(rows[1].state, row_state::pending) << "it had failed";
    EXPECT_EQ(rows[2].duplicate_of, origin(old.id, 2));
    EXPECT_EQ(rows[3].duplicate_of, origin(old.id, 1));
    EXPECT_EQ(same_contacts_again("three", 2).totals.rows.duplicate, 0u) << "other details";
}

TEST_P(PrunedLedger, ThousandsOfContactsOfAGroupAreKept) {
    std::vector<std::string> contacts;
    for (std::uint64_t i = 1; i <= 10'000; ++i)
        contacts.push_back(contact_id(i * 7'000'003));
    auto job = plan_job(book(), "one", 100, {{call_on_day(1), contacts}});
    for (const auto& chunk : must(book().chunks(job.id, chunk_state::planned, 0, 1000)))
        create_all(chunk);
    must(book().set_job_state(job.id, core::job_state::completed, {}, "", "", at_second(9000)));
    job.lock.reset();
    prune(job.id);
    std::reverse(contacts.begin(), contacts.end());
    const auto again = plan_job(book(), "two", 100, {{call_on_day(1), contacts}});
    EXPECT_EQ(again.totals.rows.duplicate, 10'000u);
    EXPECT_EQ(results_of(book(), again.id)[0].duplicate_of, (std::pair<job_id, core::row_number>(job.id, 10'000)));
}

TEST_P(PrunedLedger, ForgottenKeysAndIdentityAreNoObstacleAnyMore) {
    const auto at_once = finished("one"), later = finished("two", 2);
    prune(at_once.id, true);
    prune(later.id);
    ASSERT_THAT(must(book().prune_candidates({at_second(50'000), true, false})), SizeIs(1));
    prune(later.id, true);
    EXPECT_EQ(same_contacts_again("one").totals.rows.duplicate, 0u) << "and the identity is free";
    EXPECT_EQ(same_contacts_again("two", 2).totals.rows.duplicate, 0u);
    EXPECT_TRUE(must(book().job(later.id)).keys_forgotten);
    EXPECT_EQ(must(book().totals(later.id)).rows.created, 3u);
    EXPECT_THAT(must(book().prune_candidates({at_second(50'000), true, false})), IsEmpty());
}

TEST_P(PrunedLedger, OnlyFinishedJobsOfThatAgeAreCandidates) {
    const auto old = finished("one");
    auto young = finished("two", 2);
    must(book().set_job_state(young.id, core::job_state::completed, {}, "", "", at_second(50'000)));
    auto unfinished = plan_job(book(), "three", 2, {{call_on_day(3), {contact_id(1)}}});
    const auto found = must(book().prune_candidates(everything_old));
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].job, old.id);
    EXPECT_EQ(found[0].why_not, prune_bar::none);
    EXPECT_EQ(found[0].totals.rows.rows, 5u);
    EXPECT_EQ(book().prune_job(unfinished.id, false, at_second(1), go_on).error().code, errc::job_held);
    unfinished.lock.reset();
    EXPECT_EQ(book().prune_job(unfinished.id, false, at_second(1), go_on).error().code, errc::internal);
    EXPECT_EQ(must(book().totals(unfinished.id)).rows.pending, 1u);
}

TEST_P(PrunedLedger, AJobThatIsHeldStays) {
    const auto job = finished("one");
    const auto lock = must(book().lock_job(job.id));
    EXPECT_EQ(must(book().prune_candidates(everything_old)).at(0).why_not, prune_bar::held);
    EXPECT_EQ(book().prune_job(job.id, false, at_second(1), go_on).error().code, errc::job_held);
    EXPECT_THAT(results_of(book(), job.id), SizeIs(5));
}

TEST_P(PrunedLedger, AJobWithUnknownRowsStaysUnlessAskedFor) {
    auto job = plan_job(book(), "one", 2, {{call_on_day(1), {contact_id(1)}}});
    const auto chunk = only_chunk(job.id);
    report(send(chunk.id), attempt_result::doubtful);
    set_state(chunk.id, chunk_state::doubtful, "held_not_visible");
    must(book().set_job_state(job.id, core::job_state::completed, {}, "", "", at_second(9000)));
    job.lock.reset();
    EXPECT_EQ(must(book().prune_candidates(everything_old)).at(0).why_not, prune_bar::unknown_rows);
    EXPECT_EQ(must(book().prune_candidates({at_second(50'000), false, true})).at(0).why_not, prune_bar::none);
    prune(job.id);
    EXPECT_EQ(must(book().totals(job.id)).rows.unknown, 1u);
    EXPECT_EQ(plan_job(book(), "two", 2, {{call_on_day(1), {contact_id(1)}}}).totals.rows.duplicate, 1u)
        << "it may have been created";
}

TEST_P(PrunedLedger, AJobWhoseTasksALookUpNeedsStays) {
    const auto done = finished("one");
    auto [id, lock] = must(book().begin_plan({"a"}, 2, identity_of("").base_url, identity_of("").team, at_second(1)));
    must(book().add_group(id, 1, call_on_day(1).view()));
    must(book().add_chunk(id, chunk_of(1, 0, {{1, contact_id(1)}})));
    must(book().commit_plan(id, identity_of("again"), {1, 0}, std::nullopt, {}));
    const auto chunk = only_chunk(id);
    report(send(chunk.id), attempt_result::doubtful);
    set_state(chunk.id, chunk_state::doubtful);
    EXPECT_EQ(must(book().prune_candidates({at_second(50'000), false, true})).at(0).why_not, prune_bar::look_up);
}

TEST_P(PrunedLedger, TasksOfAPrunedJobAreTheSameWhereTheFieldsThatCountAre) {
    const auto done = finished("one");
    const auto contact = results_of(book(), done.id).at(0).contact_id;
    prune(done.id);
    EXPECT_EQ(plan_by_type(book(), "two", {{contact}}).totals.rows.duplicate, 1u);
}

// Cut short after every number of transactions, and gone on with: never a state in between that lies.
TEST_P(PrunedLedger, APruneThatIsCutShortIsGoneOnWith) {
    for (const bool forget : {false, true}) {
        for (int steps = 0; steps < 12; ++steps) {
            const auto name = std::to_string(steps) + (forget ? "f" : "k");
            const auto day = 100 + steps * 2 + int{forget};
            const auto job = finished(name, day);
            int left = steps;
            const auto cut = book().prune_job(job.id, forget, at_second(60'000), [&] { return left-- > 0; });
            if (!cut) {
                EXPECT_EQ(cut.error().code, errc::interrupted);
            }
            const auto totals = must(book().totals(job.id));
            EXPECT_EQ(totals.rows.created, 3u);
            EXPECT_EQ(totals.rows.accounted(), 5u);
            const bool pruned = must(book().job(job.id)).pruned_at.has_value();
            if (!pruned) {
                EXPECT_THAT(results_of(book(), job.id), SizeIs(5)) << "all or nothing";
            }
            if (!pruned) {
                EXPECT_TRUE(is_candidate(job.id, forget));
            }
            prune(job.id, forget);
            EXPECT_FALSE(is_candidate(job.id, forget));
            auto again = same_contacts_again(name + " again", day);
            EXPECT_EQ(again.totals.rows.duplicate, forget ? 0u : 3u);
        }
    }
}

TEST_P(PrunedLedger, SpaceIsGivenBack) {
    std::vector<std::string> contacts;
    for (std::uint64_t i = 1; i <= 20'000; ++i)
        contacts.push_back(contact_id(i));
    auto job = plan_job(book(), "one", 100, {{call_on_day(1), contacts}});
    for (const auto& chunk : must(book().chunks(job.id, chunk_state::planned, 0, 1000)))
        create_all(chunk);
    must(book().set_job_state(job.id, core::job_state::completed, {}, "", "", at_second(9000)));
    job.lock.reset();
    const auto before = must(book().size());
    prune(job.id);
    must(book().shrink(go_on));
    const auto after = must(book().size());
    EXPECT_EQ(after.free_bytes, 0u);
    EXPECT_LT(after.bytes * 3, before.bytes * 2);
}

const auto stores =
    testing::Values(back_end{"Memory", [](const temporary_folder&) { return std::string(":memory:"); }},
                    back_end{"File", [](const temporary_folder& f) { return f.file("state/ledger.db"); }});
const auto name_of = [](const testing::TestParamInfo<back_end>& p) { return p.param.name; };

INSTANTIATE_TEST_SUITE_P(Stores, LedgerContract, stores, name_of);
INSTANTIATE_TEST_SUITE_P(Stores, PrunedLedger, stores, name_of);

}  // namespace
}  // namespace taskbarge::ledger
