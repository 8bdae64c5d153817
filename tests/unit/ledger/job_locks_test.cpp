#include "ledger/job_locks.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "contract/ledger_fixture.hpp"
#include "taskbarge/ledger/contact_lock.hpp"

namespace taskbarge::ledger {
namespace {

// A process that takes the lock of job 7, says so, and waits to be killed.
class lock_holder {
 public:
    explicit lock_holder(const std::string& path) {
        int ready[2];
        if (::pipe(ready) != 0) throw std::runtime_error("no pipe");
        pid_ = ::fork();
        if (pid_ == 0) hold(path, ready[1]);
        ::close(ready[1]);
        char byte = 0;
        const auto count = ::read(ready[0], &byte, 1);
        ::close(ready[0]);
        if (count != 1) throw std::runtime_error("the other process has no lock");
    }
    ~lock_holder() { kill(); }

    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

 private:
    [[noreturn]] static void hold(const std::string& path, int ready) {
        const auto locks = job_locks::open(path);
        if (!locks) ::_exit(1);
        const auto lock = locks->lock(7);
        if (!lock || ::write(ready, "x", 1) != 1) ::_exit(1);
        while (true)
            ::pause();
    }
    pid_t pid_ = 0;
};

TEST(ContactLock, OneRunAtATimeByWhateverNameTheLedgerGoes) {
    const temporary_folder folder;
    const auto path = folder.file("l.db");
    std::filesystem::create_symlink(path, folder.file("link.db"));
    {
        const auto first = must(lock_contacts(path));
        EXPECT_EQ(lock_contacts(path).error().code, core::errc::job_held);
        EXPECT_EQ(lock_contacts(folder.file("link.db")).error().code, core::errc::job_held);
        EXPECT_TRUE(lock_contacts(folder.file("other.db")));
        EXPECT_FALSE(must(must(job_locks::open(path + ".lock")).any_held())) << "it is no job's";
    }
    EXPECT_TRUE(lock_contacts(path));
    const auto own = must(lock_contacts(":memory:"));
    EXPECT_TRUE(lock_contacts(":memory:"));
}

TEST(JobLocks, LockOfAnotherProcessIsSeenAndDiesWithIt) {
    const temporary_folder folder;
    const auto path = folder.file("l.lock");
    const auto locks = must(job_locks::open(path));
    EXPECT_FALSE(must(locks.held(7)));
    lock_holder other(path);
    EXPECT_TRUE(must(locks.held(7)));
    EXPECT_FALSE(must(locks.held(8)));
    EXPECT_EQ(locks.lock(7).error().code, core::errc::job_held);
    other.kill();
    EXPECT_FALSE(must(locks.held(7)));
    EXPECT_TRUE(locks.lock(7));
}

TEST(JobLocks, TwoLedgersOfOneProcessExcludeEachOther) {
    const temporary_folder folder;
    const auto path = folder.file("l.lock");
    const auto first = must(job_locks::open(path));
    const auto lock = must(first.lock(1));
    {
        const auto second = must(job_locks::open(path));
        EXPECT_TRUE(must(second.held(1)));
        EXPECT_EQ(second.lock(1).error().code, core::errc::job_held);
    }
    EXPECT_TRUE(must(first.held(1))) << "closing another descriptor must not drop the lock";
}

TEST(JobLocks, LocksInMemoryBelongToOneLedger) {
    const auto first = must(job_locks::open_in_memory());
    const auto second = must(job_locks::open_in_memory());
    const auto lock = must(first.lock(1));
    EXPECT_TRUE(must(first.held(1)));
    EXPECT_FALSE(must(second.held(1)));
}

TEST(JobLocks, LockFileIsForItsOwnerOnly) {
    const temporary_folder folder;
    must(job_locks::open(folder.file("l.lock")));
    struct stat info {};
    ASSERT_EQ(::stat(folder.file("l.lock").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(JobLocks, FolderThatIsNotThereIsNamed) {
    const auto locks = job_locks::open("/nonexistent/l.lock");
    ASSERT_FALSE(locks);
    EXPECT_EQ(locks.error().code, core::errc::ledger);
    EXPECT_NE(locks.error().text.find("/nonexistent/l.lock"), std::string::npos);
}

}  // namespace
}  // namespace taskbarge::ledger
