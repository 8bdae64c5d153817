// What the system may not see of the program, and what it may not get of the system: whatever is missing, the program
// says so, parks, and goes on when there is more.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "cli/against_sandbox.hpp"

namespace {

using namespace std::chrono_literals;
using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using taskbarge::test::program;
using testing::HasSubstr;

// Nobody has it, another test at the same time included: nothing else counts against its limits.
const uid_t ordinary_user = 1'000'000'000 + static_cast<uid_t>(::getpid());

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void become_ordinary() {
    if (::geteuid() != 0) return;
    if (::setresgid(ordinary_user, ordinary_user, ordinary_user) != 0 ||
        ::setresuid(ordinary_user, ordinary_user, ordinary_user) != 0)
        ::_exit(125);
}

void limit(int resource, rlim_t most) {
    const rlimit wanted{most, most};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &wanted) != 0) ::_exit(125);
}

class Limits : public against_sandbox {
 protected:
    // The folder and what is in it belong to the user as whom the program is to run.
    void give_away() {
        ca_file_ = p.file("ca.pem", read_file(server_->where().ca_file));
        if (::geteuid() != 0) return;
        for (const auto& path : {p.path(""), p.path("ca.pem")})
            ASSERT_EQ(::chown(path.c_str(), ordinary_user, ordinary_user), 0);
    }
    std::string input(int rows) const {
        std::string text = "contact_id,note\n";
        for (int i = 0; i < rows; ++i)
            text += fmt::format("{:024x},note {}\n", i, i / 100);
        return p.file("contacts.csv", text);
    }
    std::vector<std::string> words(std::vector<std::string> arguments) const {
        for (const auto& word :
             {std::string("--base-url"), server_->where().base_url, std::string("--ca-file"),
              ca_file_.empty() ? server_->where().ca_file : ca_file_, std::string("--ledger"), p.path("l.db")})
            arguments.push_back(word);
        for (const char* setting :
             {"defaults.type=call", "defaults.status=scheduled", "defaults.due_at=2036-12-01T10:00:00Z", owner,
              "send.max_wait=10s", "send.settle_time=0s", "send.backoff_base=50ms", "send.backoff_cap=500ms"}) {
            arguments.emplace_back("--set");
            arguments.emplace_back(setting);
        }
        return arguments;
    }
    // With more and more of something until an import is done: before that it parks and says what is missing.
    void parks_until_done(const std::function<void(rlim_t)>& give, rlim_t from, rlim_t to, rlim_t step) {
        int parked = 0;
        for (rlim_t much = from; much <= to; much += step) {
            p.before_start = [&] { give(much); };
            const auto o = p.run(words({"import", "--json", p.path("contacts.csv")}));
            if (o.code == 0) {
                EXPECT_EQ(number(o, "created"), 3000u);
                EXPECT_EQ(server_->stats().tasks, 3000u);
                EXPECT_GT(parked, 0);
                return;
            }
            // No socket is no connection to Apollo: told as such, and parked as well.
            const bool no_socket = o.code == 69 && o.err.find("Too many open files") != std::string::npos;
            ASSERT_TRUE(o.code == 75 || no_socket) << o.code << " with " << much << ": " << o.err << o.out;
            EXPECT_FALSE(o.err.empty()) << much;
            EXPECT_EQ(o.err.find("bug"), std::string::npos) << much << ": " << o.err;
            ++parked;
        }
        FAIL() << "never done";
    }

    std::string ca_file_;
};

TEST_F(Limits, NoCoreIsDumpedAndNoOtherProcessReadsTheMemory) {
    const auto pipe = p.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0644), 0);
    give_away();
    p.before_start = [] {
        limit(RLIMIT_CORE, RLIM_INFINITY);
        become_ordinary();
    };
    const pid_t child = p.start(words({"plan", pipe}));
    // It can be opened once the program reads it.
    int writer = -1;
    for (const auto end = std::chrono::steady_clock::now() + 30s;
         writer < 0 && std::chrono::steady_clock::now() < end;) {
        ::poll(nullptr, 0, 5);
        writer = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
    EXPECT_GE(writer, 0);
    EXPECT_THAT(read_file(fmt::format("/proc/{}/limits", child)),
                testing::ContainsRegex("Max core file size +0 +0 +bytes"));
    struct stat memory {};
    EXPECT_EQ(::stat(fmt::format("/proc/{}/mem", child).c_str(), &memory), 0);
    EXPECT_EQ(memory.st_uid, 0u);
    ::kill(child, SIGQUIT);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(writer);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(WCOREDUMP(status));
}

// The ledger in memory is locked by way of /proc/self/fd, which belongs to root then.
TEST_F(Limits, AnOrdinaryUserIsNotInTheWayOfItself) {
    start({}, false);
    input(3000);
    give_away();
    p.before_start = become_ordinary;
    const auto plan = p.run(words({"plan", "--json", p.path("contacts.csv")}));
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_THAT(plan.out, testing::ContainsRegex(R"("expected_end":"2)"));
    const auto doctor = p.run(words({"doctor"}));
    EXPECT_EQ(doctor.code, 0) << doctor.out << doctor.err;
    const auto import = p.run(words({"import", "--json", p.path("contacts.csv")}));
    EXPECT_EQ(import.code, 0) << import.err;
    EXPECT_EQ(number(import, "created"), 3000u);
}

TEST_F(Limits, AFileThatMayNotGrowParksAsAFullDiskDoes) {
    input(3000);
    parks_until_done([](rlim_t much) { limit(RLIMIT_FSIZE, much); }, 8 << 10, 4 << 20, 128 << 10);
}

TEST_F(Limits, NoFurtherThreadParks) {
    input(3000);
    give_away();
    const auto give = [](rlim_t much) {
        limit(RLIMIT_NPROC, much);
        become_ordinary();
    };
    p.before_start = [&] { give(1); };
    const auto o = p.run(words({"import", p.path("contacts.csv")}));
    EXPECT_EQ(o.code, 75);
    EXPECT_THAT(o.err, HasSubstr("the system makes no further thread; the ledger is whole"));
    // Of anybody else other processes count as well.
    if (::geteuid() == 0) parks_until_done(give, 1, 30, 1);
}

TEST_F(Limits, NoFurtherMemoryParks) {
    input(3000);
    parks_until_done([](rlim_t much) { limit(RLIMIT_AS, much); }, 36'000 << 10, 600 << 20, 8 << 20);
}

// With fewer than eight it is the loader that finds no room for the program's libraries.
TEST_F(Limits, NoFurtherDescriptorParks) {
    input(3000);
    parks_until_done([](rlim_t much) { limit(RLIMIT_NOFILE, much); }, 8, 64, 4);
}

}  // namespace
