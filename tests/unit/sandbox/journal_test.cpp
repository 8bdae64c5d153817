#include "sandbox/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "unit/sandbox/support.hpp"

using namespace sandbox_tests;
using taskbarge::core::errc;
using testing::HasSubstr;

namespace {

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Journal, HoldsALineForEveryTaskWhenTheAnswerComes) {
    const temporary_folder folder;
    running_sandbox apollo({.journal = folder.file("j.jsonl")});
    auto c = apollo.connect();
    c.create({"a", "b"});
    EXPECT_EQ(content(folder.file("j.jsonl")), c.get("/sandbox/tasks").body);
    EXPECT_EQ(occurrences(content(folder.file("j.jsonl")), "\n"), 2u);
}

TEST(Journal, ARestartedSandboxGoesOnWithItsTasksIfAskedTo) {
    const temporary_folder folder;
    const sandbox::sandbox_options options{.journal = folder.file("j.jsonl"), .journal_reload = true};
    std::string before;
    {
        running_sandbox apollo(options);
        auto c = apollo.connect();
        c.create(contact_ids(0, 3));
        before = c.get("/sandbox/tasks").body;
    }
    running_sandbox apollo(options);
    auto c = apollo.connect();
    EXPECT_EQ(c.get("/sandbox/tasks").body, before);
    EXPECT_EQ(number_at(c.search("").body, "/pagination/total_entries"), 3);
    c.create(contact_ids(0, 1));
    EXPECT_EQ(apollo->stats().tasks_twice, 1u);
}

TEST(Journal, ALineCutOffByAKillIsLeftOut) {
    const temporary_folder folder;
    const sandbox::sandbox_options options{.journal = folder.file("j.jsonl"), .journal_reload = true};
    {
        running_sandbox apollo(options);
        apollo.connect().create({"a", "b"});
    }
    const std::string whole = content(folder.file("j.jsonl"));
    std::ofstream(folder.file("j.jsonl")) << whole.substr(0, whole.size() - 10);
    running_sandbox apollo(options);
    EXPECT_EQ(apollo->stats().tasks, 1u);
    apollo.connect().create({"c"});
    EXPECT_EQ(occurrences(content(folder.file("j.jsonl")), "\n"), 2u);
}

TEST(Journal, AnotherFileIsNotTakenForOne) {
    const temporary_folder folder;
    std::ofstream(folder.file("notes.txt")) << "one\ntwo\n";
    const auto started = sandbox::server::start({.journal = folder.file("notes.txt"), .journal_reload = true});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, errc::io);
    EXPECT_THAT(started.error().text, HasSubstr("notes.txt line 1"));
}

TEST(Server, ARestartInTheSameFolderKeepsItsAuthority) {
    const temporary_folder folder;
    std::string ca;
    {
        running_sandbox apollo({.state_folder = folder.path()});
        ca = content(apollo->where().ca_file);
    }
    running_sandbox apollo({.state_folder = folder.path()});
    EXPECT_EQ(content(apollo->where().ca_file), ca);
    EXPECT_EQ(apollo.connect().create({"a"}).status, 200);
}

TEST(Server, WithoutAFolderItLeavesNothingBehind) {
    std::string ca_file;
    {
        running_sandbox apollo;
        ca_file = apollo->where().ca_file;
        EXPECT_TRUE(std::ifstream(ca_file).good());
    }
    EXPECT_FALSE(std::ifstream(ca_file).good());
}

}  // namespace
