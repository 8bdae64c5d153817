// Opening: one ledger has one name, and one that is older than what was sent with it is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/job_locks.hpp"
#include "ledger/witness.hpp"

namespace taskbarge::ledger {
namespace {

namespace fs = std::filesystem;
using core::chunk_state;
using core::errc;
using testing::HasSubstr;

const auto overwrite = fs::copy_options::overwrite_existing;

class Opening : public testing::Test {
 protected:
    std::string path(const std::string& suffix = "") const { return folder_.file("l.db" + suffix); }

    // A job of ten requests.
    static planned_job plan_ten(ledger& book, const std::string& input = "one", int day = 1) {
        std::vector<std::string> contacts;
        for (std::uint64_t i = 1; i <= 10; ++i)
            contacts.push_back(contact_id(i));
        return plan_job(book, input, 1, {{call_on_day(day), contacts}});
    }
    static void send_some(ledger& book, job_id job, std::size_t count) {
        auto chunks = chunks_in(book, job, chunk_state::planned);
        chunks.resize(count);
        for (const auto& chunk : chunks) {
            attempt_report report;
            report.attempt = must(book.record_intent({chunk.id, at_second(1), {}}));
            report.what = attempt_result::succeeded;
            must(book.record_report(report, true));
            chunk_update update;
            update.chunk = chunk.id;
            update.state = chunk_state::created;
            update.created = {{0, contact_id(1000 + static_cast<std::uint64_t>(chunk.id))}};
            must(book.update_chunk(update));
        }
    }
    void copy(const std::string& to) const {
        for (const char* suffix : {"", "-wal", ".lock"})
            if (fs::exists(path(suffix))) fs::copy_file(path(suffix), folder_.file(to) + suffix, overwrite);
    }
    // The files of a process that was killed: nothing of its log was moved into the database.
    void make_killed(std::size_t sent) {
        const auto child = ::fork();
        if (child == 0) {
            auto book = must(open_ledger(path()));
            const auto job = plan_ten(*book);
            send_some(*book, job.id, sent);
            ::raise(SIGKILL);
        }
        ::waitpid(child, nullptr, 0);
    }
    core::failure refused(witness_check how = witness_check::required) const {
        const auto opened = open_ledger(path(), how);
        return opened ? core::failure{errc::internal, "it opened"} : opened.error();
    }
    void expect_choice(const std::string& words) const {
        const auto why = refused();
        EXPECT_EQ(why.code, errc::ledger);
        EXPECT_THAT(why.text, HasSubstr(words));
        EXPECT_THAT(why.text, HasSubstr("taskbarge ledger accept"));
    }
    witness_line known() const {
        const auto locks = must(job_locks::open(path(".lock")));
        return must(witness(must(locks.reopen()), path(".lock")).read()).value();
    }

    temporary_folder folder_;
};

TEST_F(Opening, ALinkIsTheSameLedger) {
    const auto book = must(open_ledger(path()));
    const auto job = plan_ten(*book);
    fs::create_symlink("l.db", folder_.file("other.db"));
    const auto other = must(open_ledger(folder_.file("other.db")));
    EXPECT_TRUE(must(other->job(job.id)).held);
    EXPECT_EQ(other->lock_job(job.id).error().code, errc::job_held);
    EXPECT_FALSE(fs::exists(folder_.file("other.db.lock")));
}

TEST_F(Opening, ALinkToALedgerThatIsStillToBeMadeMakesIt) {
    fs::create_symlink(folder_.file("deep/real.db"), path());
    const auto book = must(open_ledger(path()));
    EXPECT_TRUE(fs::is_regular_file(folder_.file("deep/real.db")));
    EXPECT_TRUE(fs::exists(folder_.file("deep/real.db.lock")));
    EXPECT_TRUE(must(has_ledger(path())));
}

TEST_F(Opening, ASecondHardLinkIsRefused) {
    must(open_ledger(path()));
    fs::create_hard_link(path(), folder_.file("other.db"));
    EXPECT_EQ(refused().code, errc::ledger);
    EXPECT_THAT(refused().text, HasSubstr("hard link"));
    EXPECT_FALSE(open_ledger(folder_.file("other.db")));
    fs::remove(folder_.file("other.db"));
    must(open_ledger(path()));
    fs::create_hard_link(path(".lock"), folder_.file("other.lock"));
    EXPECT_THAT(refused().text, HasSubstr("hard link"));
}

// What happens to a file while a run has it open, and whether the run may then go on.
struct loss {
    const char* name;
    std::function<void(const std::string&)> happen;
};
class OpeningLoss : public Opening, public testing::WithParamInterface<loss> {};

TEST_P(OpeningLoss, StopsTheNextIntentAndTheEnd) {
    const auto book = must(open_ledger(path()));
    const auto job = plan_ten(*book);
    send_some(*book, job.id, 1);
    GetParam().happen(path());
    const auto chunk = chunks_in(*book, job.id, chunk_state::planned).at(0);
    const auto sent = book->record_intent({chunk.id, at_second(1), {}});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, errc::ledger);
    EXPECT_THAT(sent.error().text, HasSubstr("was removed or replaced while this run was going on"));
    EXPECT_EQ(must(book->chunk(chunk.id)).state, chunk_state::planned) << "nothing was committed";
    must(book->begin());
    must(book->record_intent({chunk.id, at_second(1), {}}));
    EXPECT_FALSE(book->commit());
    EXPECT_EQ(must(book->events()), 2u);
    const auto ended = book->set_job_state(job.id, core::job_state::completed, {}, "", "", at_second(2));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, errc::ledger);
}

void replace_by_copy(const std::string& path) {
    fs::copy_file(path, path + ".copy");
    fs::rename(path + ".copy", path);
}
INSTANTIATE_TEST_SUITE_P(
    Files, OpeningLoss,
    testing::Values(loss{"LockRemoved", [](const std::string& p) { fs::remove(p + ".lock"); }},
                    loss{"LockReplaced", [](const std::string& p) { replace_by_copy(p + ".lock"); }},
                    loss{"FileRemoved", [](const std::string& p) { fs::remove(p); }},
                    loss{"FileReplaced", [](const std::string& p) { replace_by_copy(p); }},
                    loss{"LogRemoved", [](const std::string& p) { fs::remove(p + "-wal"); }},
                    loss{"SharedMemoryRemoved", [](const std::string& p) { fs::remove(p + "-shm"); }},
                    loss{"AllRemoved",
                         [](const std::string& p) {
                             for (const char* suffix : {"", "-wal", "-shm", ".lock"})
                                 fs::remove(p + suffix);
                         }}),
    [](const auto& p) { return std::string(p.param.name); });

TEST_F(Opening, NoJobIsLockedInALockFileThatIsGone) {
    const auto book = must(open_ledger(path()));
    auto job = plan_ten(*book);
    job.lock.reset();
    fs::remove(path(".lock"));
    std::ofstream(path(".lock")).flush();
    const auto lock = book->lock_job(job.id);
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, errc::ledger);
}

TEST_F(Opening, TheWitnessFollowsEachIntentAndIsNeverAhead) {
    const auto book = must(open_ledger(path()));
    const auto job = plan_ten(*book);
    EXPECT_EQ(known().events, 0u);
    const auto chunks = chunks_in(*book, job.id, chunk_state::planned);
    const auto first = must(book->record_intent({chunks[0].id, at_second(1), {}}));
    EXPECT_EQ(known().events, 1u);
    attempt_report report;
    report.attempt = first;
    must(book->record_report(report, true));
    EXPECT_EQ(known().events, 1u) << "an outcome alone lets no request leave";
    must(book->begin());
    must(book->record_intent({chunks[1].id, at_second(1), {}}));
    EXPECT_EQ(known().events, 1u);
    book->rollback();
    EXPECT_EQ(known().events, 1u);
    must(book->record_intent({chunks[1].id, at_second(1), {}}));
    EXPECT_EQ(known().events, 3u);
    must(open_ledger(path()));
    EXPECT_EQ(known().events, 3u);
}

TEST_F(Opening, ALedgerAheadOfItsWitnessIsFineAndTakesItAlong) {
    {
        const auto book = must(open_ledger(path()));
        const auto job = plan_ten(*book);
        copy("before");
        send_some(*book, job.id, 3);
    }
    fs::copy_file(folder_.file("before.lock"), path(".lock"), overwrite);
    must(open_ledger(path()));
    EXPECT_EQ(known().events, 6u);
    fs::remove(path(".lock"));
    must(open_ledger(path()));
    EXPECT_EQ(known().events, 6u) << "without a lock file the ledger's own word is all there is";
    fs::resize_file(path(".lock"), 0);
    must(open_ledger(path()));
    EXPECT_EQ(known().events, 6u);
}

TEST_F(Opening, ARestoredCopyIsRefused) {
    {
        const auto book = must(open_ledger(path()));
        const auto job = plan_ten(*book);
        send_some(*book, job.id, 3);
    }
    copy("copy");
    {
        const auto book = must(open_ledger(path()));
        send_some(*book, 1, 4);
    }
    copy("newest");
    fs::copy_file(folder_.file("copy"), path(), overwrite);
    expect_choice("it knows 6 events, its lock file 13");
    {
        const auto looking = must(open_ledger(path(), witness_check::ignored));
        EXPECT_EQ(must(looking->totals(1)).rows.created, 3u);
        const auto chunk = chunks_in(*looking, 1, chunk_state::planned).at(0);
        EXPECT_FALSE(looking->record_intent({chunk.id, at_second(1), {}}));
    }
    EXPECT_EQ(known().events, 13u) << "looking changes nothing";
    fs::copy_file(folder_.file("newest"), path(), overwrite);
    EXPECT_EQ(must(must(open_ledger(path()))->totals(1)).rows.created, 7u);
}

TEST_F(Opening, AnotherLedgerInItsPlaceIsRefused) {
    send_some(*must(open_ledger(path())), plan_ten(*must(open_ledger(path()))).id, 1);
    must(open_ledger(folder_.file("other.db")));
    fs::copy_file(folder_.file("other.db"), path(), overwrite);
    expect_choice("it was replaced");
}

TEST_F(Opening, AnEmptiedOrRemovedLedgerIsNoFreshStart) {
    send_some(*must(open_ledger(path())), plan_ten(*must(open_ledger(path()))).id, 1);
    fs::resize_file(path(), 0);
    expect_choice("is missing or empty, but its lock file knows 1 events of it");
    EXPECT_EQ(fs::file_size(path()), 0u) << "nothing is made";
    fs::remove(path());
    expect_choice("is missing or empty");
    EXPECT_FALSE(fs::exists(path()));
    EXPECT_EQ(has_ledger(path()).error().code, errc::ledger);
    EXPECT_EQ(refused(witness_check::ignored).code, errc::ledger);
    EXPECT_FALSE(fs::exists(path()));
    EXPECT_FALSE(must(has_ledger(folder_.file("never.db"))));
}

TEST_F(Opening, AFileWhoseTablesWereNeverMadeShowsNothingAndStaysAsItIs) {
    std::ofstream(path()).flush();
    EXPECT_TRUE(must(must(open_ledger(path(), witness_check::ignored))->jobs()).empty());
    EXPECT_EQ(fs::file_size(path()), 0u);
    EXPECT_EQ(open_ledger(folder_.file("none.db"), witness_check::ignored).error().code, errc::ledger);
    EXPECT_FALSE(fs::exists(folder_.file("none.db")));
    plan_ten(*must(open_ledger(path())));
}

TEST_F(Opening, ANewLedgerIsInTheMainFileAtOnce) {
    const auto book = must(open_ledger(path()));
    fs::copy_file(path(), folder_.file("alone.db"));
    EXPECT_GT(fs::file_size(path()), 4096u);
    const auto alone = must(open_ledger(folder_.file("alone.db"), witness_check::ignored));
    EXPECT_TRUE(must(alone->jobs()).empty());
}

TEST_F(Opening, ALostLogIsNoticed) {
    make_killed(4);
    copy("whole");
    fs::remove(path("-wal"));
    fs::remove(path("-shm"));
    expect_choice("it knows 0 events, its lock file 7");
    for (const char* suffix : {"", "-wal"})
        fs::copy_file(folder_.file("whole") + suffix, path(suffix), overwrite);
    EXPECT_EQ(must(must(open_ledger(path()))->totals(1)).rows.created, 4u);
}

TEST_F(Opening, ACutOrChangedLogIsNoticedAndLeftAsItIs) {
    make_killed(6);
    copy("whole");
    const auto size = fs::file_size(path("-wal"));
    const auto damage_and_try = [&](const std::function<void()>& damage) {
        for (const char* suffix : {"", "-wal"})
            fs::copy_file(folder_.file("whole") + suffix, path(suffix), overwrite);
        fs::remove(path("-shm"));
        damage();
        expect_choice("its lock file 11");
        EXPECT_GT(fs::file_size(path("-wal")), 0u) << "what is left may be worth something to somebody";
    };
    damage_and_try([&] { fs::resize_file(path("-wal"), size / 2); });
    damage_and_try([&] {
        std::fstream file(path("-wal"), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(size / 2));
        const char was = static_cast<char>(file.peek());
        file.seekp(static_cast<std::streamoff>(size / 2));
        file.put(static_cast<char>(was ^ 1));
    });
}

TEST_F(Opening, AWitnessThatCannotBeReadIsNotTakenForNone) {
    must(open_ledger(path()));
    std::ofstream(path(".lock")) << "taskbarge-ledger-1 torn";
    expect_choice("is damaged");
    must(open_ledger(path(), witness_check::ignored));
    must(must(open_ledger(path(), witness_check::accepting))->accept());
    must(open_ledger(path()));
}

TEST_F(Opening, AcceptingPutsWhatWasNotSentInDoubt) {
    {
        const auto book = must(open_ledger(path()));
        const auto job = plan_ten(*book);
        send_some(*book, job.id, 3);
    }
    copy("copy");
    send_some(*must(open_ledger(path())), 1, 4);
    fs::copy_file(folder_.file("copy"), path(), overwrite);
    {
        const auto book = must(open_ledger(path(), witness_check::accepting));
        auto lock = must(book->lock_job(1));
        EXPECT_EQ(book->accept().error().code, errc::job_held);
        EXPECT_FALSE(must(book->suspect()));
        lock.reset();
        const auto done = must(book->accept());
        EXPECT_EQ(done.jobs, 1u);
        EXPECT_EQ(done.chunks, 7u);
        EXPECT_EQ(done.rows, 7u);
    }
    EXPECT_EQ(known().events, 14u) << "beyond all that was ever counted";
    const auto book = must(open_ledger(path()));
    EXPECT_EQ(must(book->events()), 14u);
    const auto doubtful = chunks_in(*book, 1, chunk_state::doubtful);
    ASSERT_EQ(doubtful.size(), 7u);
    EXPECT_EQ(doubtful[0].code, ledger_accepted);
    EXPECT_EQ(must(book->totals(1)).rows.unknown, 7u);
    EXPECT_TRUE(chunks_in(*book, 1, chunk_state::planned).empty());
}

TEST_F(Opening, InputsOfAnAcceptedLedgerAreInDoubtUntilItIsTrusted) {
    send_some(*must(open_ledger(path())), plan_ten(*must(open_ledger(path()))).id, 1);
    fs::remove(path());
    const auto book = must(open_ledger(path(), witness_check::accepting));
    EXPECT_EQ(must(book->accept()).chunks, 0u) << "the file is gone, and with it the job";
    EXPECT_TRUE(must(book->suspect()));
    const auto next = must(open_ledger(path()));
    const auto job = plan_ten(*next);
    EXPECT_EQ(job.totals.rows.unknown, 10u);
    EXPECT_EQ(chunks_in(*next, job.id, chunk_state::doubtful).at(0).code, ledger_accepted);
    must(next->trust());
    EXPECT_EQ(plan_ten(*next, "two", 2).totals.rows.pending, 10u);
}

TEST_F(Opening, WhatIsTakenUpAgainInAnAcceptedLedgerIsInDoubtToo) {
    const auto book = must(open_ledger(path()));
    auto job = plan_ten(*book);
    chunk_update update;
    update.chunk = chunks_in(*book, job.id, chunk_state::planned).at(0).id;
    update.state = chunk_state::refused;
    must(book->update_chunk(update));
    job.lock.reset();
    must(book->accept());
    must(book->reopen_failed(job.id));
    EXPECT_EQ(must(book->chunk(update.chunk)).state, chunk_state::doubtful);
    EXPECT_EQ(must(book->chunk(update.chunk)).code, ledger_accepted);
}

}  // namespace
}  // namespace taskbarge::ledger
