// What holds for the ledger in a file only: opening, other processes, a full disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/sqlite.hpp"

namespace taskbarge::ledger {
namespace {

using core::errc;
using testing::HasSubstr;
using testing::SizeIs;

unsigned mode_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return 0;
    return info.st_mode & 0777;
}

// No file of this process can grow past the limit while this lives.
class file_size_limit {
 public:
    explicit file_size_limit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, old_handler_);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;

 private:
    rlimit before_{};
    void (*old_handler_)(int) = SIG_DFL;
};

TEST(SqliteLedger, FilesAreForTheirOwnerOnly) {
    const temporary_folder folder;
    const auto path = folder.file("made/deep/l.db");
    const auto book = must(open_ledger(path));
    auto job = plan_job(*book, "one", 1, {{call_on_day(1), {contact_id(1)}}});
    EXPECT_EQ(mode_of(folder.file("made")), 0700u);
    EXPECT_EQ(mode_of(folder.file("made/deep")), 0700u);
    for (const char* suffix : {"", "-wal", "-shm", ".lock"})
        EXPECT_EQ(mode_of(path + suffix), 0600u) << suffix;
}

TEST(SqliteLedger, WritesAreSyncedThroughAWal) {
    const temporary_folder folder;
    const auto book = must(open_ledger(folder.file("l.db")));
    const auto db = must(sqlite::database::open(folder.file("l.db"), SQLITE_OPEN_READWRITE));
    auto mode = db->prepare("PRAGMA journal_mode");
    ASSERT_TRUE(must(mode.next()));
    EXPECT_EQ(mode.text(0), "wal");
}

TEST(SqliteLedger, FileThatIsNoDatabaseIsNamed) {
    const temporary_folder folder;
    std::ofstream(folder.file("text")) << std::string(5000, 'x');
    const auto refused = open_ledger(folder.file("text"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::ledger);
    EXPECT_THAT(refused.error().text, HasSubstr(folder.file("text")));
}

TEST(SqliteLedger, FolderThatCannotBeMadeIsNamed) {
    const auto refused = open_ledger("/proc/nothing/l.db");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::ledger);
    EXPECT_THAT(refused.error().text, HasSubstr("/proc/nothing"));
}

TEST(SqliteLedger, ManyCanOpenANewFileAtOnce) {
    const temporary_folder folder;
    std::vector<std::thread> threads;
    std::vector<std::string> troubles(6);
    for (auto& trouble : troubles) {
        threads.emplace_back([&trouble, path = folder.file("l.db")] {
            const auto book = open_ledger(path);
            if (!book) trouble = book.error().text;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_THAT(troubles, testing::Each(""));
}

TEST(SqliteLedger, JobsOutliveTheLedgerObject) {
    const temporary_folder folder;
    job_id id = 0;
    {
        const auto book = must(open_ledger(folder.file("l.db")));
        id = plan_job(*book, "one", 1, {{call_on_day(1), {contact_id(1)}}}).id;
    }
    const auto book = must(open_ledger(folder.file("l.db")));
    EXPECT_THAT(must(book->jobs()), SizeIs(1));
    EXPECT_EQ(must(book->totals(id)).rows.pending, 1u);
}

TEST(SqliteLedger, PlanningOfAKilledProcessIsDiscarded) {
    const temporary_folder folder;
    const auto path = folder.file("l.db");
    const auto child = ::fork();
    if (child == 0) {
        auto book = must(open_ledger(path));
        auto job = start_plan(*book, 1);
        must(book->add_group(job.id, 1, call_on_day(1).view()));
        for (core::row_number row = 1; row <= 10; ++row) {
            must(book->add_chunk(job.id, chunk_of(1, static_cast<std::uint32_t>(row - 1), {{row, contact_id(row)}})));
        }
        ::raise(SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
    const auto book = must(open_ledger(path));
    const auto dead = must(book->job(1));
    EXPECT_EQ(dead.state, core::job_state::planning);
    EXPECT_FALSE(dead.held);
    const auto job = start_plan(*book, 1);
    EXPECT_EQ(job.id, 2) << "ids are not used twice";
    EXPECT_EQ(book->job(1).error().code, errc::no_such_job);
    const auto db = must(sqlite::database::open(path, SQLITE_OPEN_READWRITE));
    EXPECT_EQ(must(db->integer("SELECT (SELECT count(*) FROM chunks) + (SELECT count(*) FROM packed_contacts) + "
                               "(SELECT count(*) FROM groups) + (SELECT count(*) FROM files WHERE job = 1)")),
              0);
}

TEST(SqliteLedger, IntentOfAKilledProcessIsUnknownAndCounts) {
    const temporary_folder folder;
    const auto path = folder.file("l.db");
    const auto child = ::fork();
    if (child == 0) {
        auto book = must(open_ledger(path));
        const auto job = plan_job(*book, "one", 1, {{call_on_day(1), {contact_id(1), contact_id(2)}}});
        const auto chunks = chunks_in(*book, job.id, core::chunk_state::planned);
        must(book->record_intent({chunks[0].id, at_second(1), {}}));
        must(book->begin());
        must(book->record_intent({chunks[1].id, at_second(1), {}}));
        ::raise(SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
    const auto book = must(open_ledger(path));
    const auto totals = must(book->totals(1));
    EXPECT_EQ(totals.rows.unknown, 1u);
    EXPECT_EQ(totals.rows.pending, 1u) << "its intent was not committed";
    EXPECT_EQ(totals.requests.requests, 1u);
    EXPECT_EQ(must(book->attempts(1, 5, 0)).at(0).report.what, attempt_result::open);
}

TEST(SqliteLedger, FullDiskKeepsNothingOfTheTransactionAndGoesOnWhenThereIsRoom) {
    const temporary_folder folder;
    const auto book = must(open_ledger(folder.file("l.db")));
    auto job = start_plan(*book, 100);
    must(book->add_group(job.id, 1, call_on_day(1).view()));
    std::vector<std::pair<core::row_number, std::string>> rows;
    for (core::row_number row = 1; row <= 100; ++row)
        rows.emplace_back(row, contact_id(row));
    const auto add_many = [&]() -> result<void> {
        if (auto r = book->begin(); !r) return r;
        for (std::uint32_t part = 0; part < 200; ++part) {
            if (auto r = book->add_chunk(job.id, chunk_of(1, part, rows)); !r) {
                book->rollback();
                return r;
            }
        }
        return book->commit();
    };
    {
        const file_size_limit limit(300'000);
        const auto full = add_many();
        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().code, errc::ledger_full) << full.error().text;
        EXPECT_EQ(must(book->totals(job.id)).rows.pending, 0u);
    }
    must(add_many());
    EXPECT_EQ(must(book->totals(job.id)).rows.pending, 20000u);
}

TEST(SqliteLedger, LedgersOfTwoThreadsShareOneFile) {
    const temporary_folder folder;
    const auto path = folder.file("l.db");
    const auto work = [&path](const std::string& input) {
        const auto book = must(open_ledger(path));
        for (int i = 0; i < 10; ++i) {
            plan_job(*book, input + std::to_string(i), 2, {{call_on_day(i), {contact_id(1), contact_id(2)}}});
        }
    };
    std::thread other(work, "other");
    work("mine");
    other.join();
    const auto book = must(open_ledger(path));
    std::uint64_t pending = 0, duplicates = 0;
    for (const auto& job : must(book->jobs())) {
        const auto totals = must(book->totals(job.id));
        pending += totals.rows.pending;
        duplicates += totals.rows.duplicate;
    }
    // Whichever planned a day first has its tasks.
    EXPECT_EQ(pending, 20u);
    EXPECT_EQ(duplicates, 20u);
}

}  // namespace
}  // namespace taskbarge::ledger
