// The program as supervisors start it: without standard descriptors; and a ledger that its user may only read.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/against_sandbox.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace {

using namespace std::chrono_literals;
using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace sandbox = taskbarge::sandbox;
namespace fs = std::filesystem;

constexpr std::string_view witness = "taskbarge-ledger-1 ";

class Descriptors : public against_sandbox {
 protected:
    outcome as_owner(std::vector<std::string> words) const {
        words.insert(words.end(), {"--set", owner, "--set", "import.max_rejects=10"});
        return run(words);
    }
    static void close_all() {
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
            ::close(fd);
    }
};

TEST_F(Descriptors, ThatAreClosedAreNotTakenForTheFilesThatAreOpenedNext) {
    ASSERT_EQ(as_owner({"import", contacts(3, "no id\nnone either\n")}).code, 2);
    p.before_start = [] { close_all(); };
    auto o = as_owner({"results", "1", "--rejects", "-o", p.path("fix.csv")});
    EXPECT_EQ(o.code, 0);
    EXPECT_EQ(p.read("fix.csv").substr(0, p.read("fix.csv").find('\n')), "contact_id,error");
    EXPECT_THAT(p.read("fix.csv"), Not(HasSubstr("taskbarge:")));
    o = as_owner({"import", contacts(50)});
    EXPECT_EQ(o.code, 0);
    EXPECT_EQ(p.read("l.db.lock").substr(0, witness.size()), witness);
    EXPECT_THAT(p.read("l.db.lock"), Not(HasSubstr("rows")));
    EXPECT_EQ(as_owner({"ledger", "check", "-q"}).code, 0);
    EXPECT_EQ(server_->stats().tasks, 50u);
}

TEST_F(Descriptors, DataThatWasAskedForIsNoSuccessWhenItCannotBeWritten) {
    ASSERT_EQ(as_owner({"import", contacts(3)}).code, 0);
    p.before_start = [] { ::close(STDOUT_FILENO); };
    for (const std::vector<std::string>& command : {std::vector<std::string>{"results", "1"},
                                                    {"jobs"},
                                                    {"status", "1"},
                                                    {"import", "--json", p.path("contacts.csv")}}) {
        const auto o = as_owner(command);
        EXPECT_EQ(o.code, 75) << command.front() << o.err;
        EXPECT_THAT(o.err, HasSubstr("standard output")) << command.front();
    }
    const auto summary = as_owner({"import", p.path("contacts.csv")});
    EXPECT_EQ(summary.code, 0) << "a summary that nobody wants is no data: " << summary.err;
}

// Another user than the one who runs the imports. Root may write everything, so the test must be begun by it.
class OnlyReads : public Descriptors {
 protected:
    static constexpr uid_t reader = 1'000'000'007;
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs a second user, which only root can become";
        Descriptors::SetUp();
    }
    // What chmod g+rX would do for a group, for everybody.
    void open_to_readers() const {
        fs::permissions(p.path(""), fs::perms(0755));
        for (const char* name : {"l.db", "l.db.lock", "l.db-wal", "l.db-shm"})
            if (fs::exists(p.path(name))) fs::permissions(p.path(name), fs::perms(0644));
        fs::permissions(fs::path(server_->where().ca_file), fs::perms(0644));
    }
    outcome read(std::vector<std::string> words) {
        p.before_start = [] {
            if (::setresgid(reader, reader, reader) != 0 || ::setresuid(reader, reader, reader) != 0) ::_exit(125);
        };
        auto o = as_owner(std::move(words));
        p.before_start = nullptr;
        return o;
    }
    void expect_all_readable(const char* when) {
        const std::vector<std::pair<std::vector<std::string>, const char*>> commands{
            {{"jobs"}, "contacts.csv"},
            {{"status", "1"}, "created 3"},
            {{"status", "1", "--json"}, "\"created\":3"},
            {{"results", "1"}, "created"},
            {{"results", "1", "--rejects"}, "no id"},
            {{"ledger", "check"}, "The ledger is whole."}};
        for (const auto& [words, told] : commands) {
            const auto o = read(words);
            const bool of_the_job = words.front() == "status";
            EXPECT_EQ(o.code, of_the_job ? 2 : 0) << when << ": " << words.front() << ": " << o.err << o.out;
            EXPECT_THAT(o.out, HasSubstr(told)) << when;
        }
    }
    std::vector<std::string> files() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(p.path("")))
            if (entry.path().filename().string().rfind("l.db", 0) == 0) all.push_back(entry.path().filename().string());
        std::sort(all.begin(), all.end());
        return all;
    }
};

TEST_F(OnlyReads, ALedgerAtRest) {
    ASSERT_EQ(as_owner({"import", contacts(3, "no id\n")}).code, 2);
    open_to_readers();
    const auto before = files();
    expect_all_readable("at rest");
    EXPECT_EQ(files(), before) << "nothing was made";
}

TEST_F(OnlyReads, ALedgerThatAnotherUsersRunWorksWith) {
    ASSERT_EQ(as_owner({"import", contacts(3, "no id\n")}).code, 2);
    const auto book = taskbarge::ledger::open_ledger(p.path("l.db"));
    ASSERT_TRUE(book) << book.error().text;
    ASSERT_TRUE((*book)->set_job_state(1, taskbarge::core::job_state::completed, {}, "", "",
                                       taskbarge::core::system_clock().now()));
    open_to_readers();
    ASSERT_TRUE(fs::exists(p.path("l.db-wal")));
    expect_all_readable("while it is written");
}

TEST_F(OnlyReads, WhatMayNotEvenBeReadIsSaidToBeSo) {
    ASSERT_EQ(as_owner({"import", contacts(3)}).code, 0);
    open_to_readers();
    fs::permissions(p.path("l.db"), fs::perms(0600));
    auto o = read({"jobs"});
    EXPECT_EQ(o.code, 78);
    EXPECT_THAT(o.err, AllOf(HasSubstr("l.db"), HasSubstr("the right to read")));
    fs::permissions(p.path("l.db"), fs::perms(0644));
    const auto book = taskbarge::ledger::open_ledger(p.path("l.db"));
    ASSERT_TRUE(book);
    fs::permissions(p.path("l.db-wal"), fs::perms(0600));
    o = read({"jobs"});
    EXPECT_EQ(o.code, 78);
    EXPECT_THAT(o.err, AllOf(HasSubstr("l.db-wal"), HasSubstr("the right to read")));
}

TEST_F(OnlyReads, WorkingOnAJobIsRefused) {
    ASSERT_EQ(as_owner({"import", contacts(3)}).code, 0);
    open_to_readers();
    const auto o = read({"retry", "1"});
    EXPECT_EQ(o.code, 78);
    EXPECT_THAT(o.err, HasSubstr("l.db"));
    EXPECT_EQ(server_->stats().tasks, 3u);
}

}  // namespace
