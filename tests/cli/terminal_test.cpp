// What is shown on a terminal, and of jobs: the real program, a real terminal, a local Apollo.
#include <gmock/gmock.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <sstream>

#include "cli/against_sandbox.hpp"

namespace {

using namespace std::chrono_literals;
using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using taskbarge::test::program;
using testing::HasSubstr;
using testing::Not;

constexpr const char* red = "\x1b[31m";

class Terminal : public against_sandbox {
 protected:
    outcome on_terminal(std::vector<std::string> arguments, unsigned short columns) const {
        return p.run_on_terminal(with_server(std::move(arguments)), columns);
    }
    // One created and one rejected row.
    outcome import_with_a_reject() const {
        return run({"import", "--set", owner, "--set", "import.max_rejects=100%", contacts(1, "bad\n")});
    }
    // A job of 150 rows, 100 of which are created; then the minute window is used up.
    void park_a_job() {
        taskbarge::sandbox::sandbox_options tight;
        tight.limits = {1, 0, 0};
        start(tight, false);
        ASSERT_EQ(run({"import", "--set", owner, "--max-wait", "0s", contacts(150)}).code, 75);
    }
    // Waits until it holds, for half a minute at most.
    static bool comes_true(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            ::poll(nullptr, 0, 5);
        }
        return true;
    }
    static std::vector<std::string> lines_of(const std::string& text) {
        std::vector<std::string> lines;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            lines.push_back(line);
        }
        return lines;
    }
    static std::string json(const outcome& o, const char* pointer) {
        simdjson::dom::parser parser;
        simdjson::dom::element found;
        if (parser.parse(o.out).at_pointer(pointer).get(found) != simdjson::SUCCESS) return "(none in " + o.out + ")";
        return simdjson::minify(found);
    }
};

TEST_F(Terminal, ShowsInRedWhatFailedAndNowhereElse) {
    ASSERT_EQ(import_with_a_reject().code, 2);
    for (const auto& command : {std::vector<std::string>{"status", "1"}, {"jobs"}}) {
        p.environment["TERM"] = "xterm";
        EXPECT_THAT(on_terminal(command, 120).out, HasSubstr(red));
        EXPECT_THAT(run(command).out, Not(HasSubstr("\x1b"))) << "no terminal";
        p.environment["TERM"] = "dumb";
        EXPECT_THAT(on_terminal(command, 120).out, Not(HasSubstr("\x1b")));
        p.environment["TERM"] = "xterm";
        p.environment["NO_COLOR"] = "1";
        EXPECT_THAT(on_terminal(command, 120).out, Not(HasSubstr("\x1b")));
        p.environment.erase("NO_COLOR");
    }
    EXPECT_THAT(on_terminal({"status", "1"}, 120).out, HasSubstr("+ \x1b[31mrejected 1\x1b[0m + failed 0"));
}

TEST_F(Terminal, KeepsCountShareAndTimeLeftInSixtyColumns) {
    taskbarge::sandbox::sandbox_options slow;
    slow.latency = 300ms;
    start(slow);
    const auto o = on_terminal({"import", "--set", owner, "--set", "send.connections=1", contacts(500)}, 60);
    EXPECT_EQ(o.code, 0) << o.out;
    EXPECT_THAT(o.out, testing::ContainsRegex("\\[K[1-4]00 of 500 [a-z ]*\\([2-8]0%\\), [0-9.]+ s left"));
    const std::string redraw = "\r\x1b[K";
    for (auto at = o.out.find(redraw); at != std::string::npos;) {
        const auto next = o.out.find(redraw, at + 1);
        if (next != std::string::npos) {
            EXPECT_LT(next - at - redraw.size(), 60u) << o.out.substr(at, next - at);
        }
        at = next;
    }
}

TEST_F(Terminal, SaysConnectingWhileASlowServerIsAsked) {
    taskbarge::sandbox::sandbox_options slow;
    slow.latency = 300ms;
    start(slow);
    const auto file = contacts(5);
    for (const auto& command : {std::vector<std::string>{"plan", "--set", owner, file}, {"doctor"}})
        EXPECT_THAT(on_terminal(command, 60).out, HasSubstr("\r\x1b[Kconnecting\r\x1b[K")) << command.front();
    EXPECT_THAT(on_terminal({"import", "--set", owner, file}, 60).out, HasSubstr("created (0%), connecting"));
}

TEST_F(Terminal, NamesUnusedColumnsOfAFileOnce) {
    const auto file = p.file("a.csv", "contact_id,Phone\n66302798d03b9601c7934ebf,1\n");
    EXPECT_THAT(run({"import", "--set", owner, file}).err, HasSubstr("not used: Phone"));
    EXPECT_EQ(run({"import", "--set", owner, file}).err, "") << "and not with each run";
}

TEST_F(Terminal, FitsItsWidth) {
    ASSERT_EQ(import_with_a_reject().code, 2);
    p.environment["NO_COLOR"] = "1";
    for (const int columns : {60, 80, 120})
        for (const auto& line : lines_of(on_terminal({"jobs"}, static_cast<unsigned short>(columns)).out))
            EXPECT_LE(line.size(), static_cast<std::size_t>(columns)) << line;
    const auto narrow = lines_of(on_terminal({"jobs"}, 60).out);
    ASSERT_EQ(narrow.size(), 2u);
    EXPECT_THAT(narrow[0], HasSubstr("PROBLEMS"));
    EXPECT_THAT(narrow[1], HasSubstr("completed"));
    EXPECT_THAT(run({"jobs"}).out, HasSubstr(p.path("contacts.csv"))) << "whole where there is no terminal";
}

TEST_F(Terminal, ShowsTheLocalTimeBesideUtc) {
    p.environment["TASKBARGE_DATES_TIMEZONE"] = "America/New_York";
    EXPECT_THAT(run({"plan", "--set", owner, contacts(1)}).out,
                HasSubstr("2036-12-01 10:00:00 UTC (2036-12-01 05:00:00 "
                          "America/New_York)"));
    park_a_job();
    const auto again = run({"import", "--set", owner, p.path("contacts.csv")});
    EXPECT_EQ(again.code, 75);
    EXPECT_THAT(again.out, testing::ContainsRegex("It can go on at .* UTC \\(.* America/New_York\\) \\(in"));
    EXPECT_THAT(run({"status", "1"}).out, testing::ContainsRegex("waits     until .* UTC \\(.* America/New_York\\)"));
    EXPECT_THAT(run({"jobs"}).out, HasSubstr("  America/New_York  "));
    EXPECT_THAT(run({"status", "1", "--json"}).out, Not(HasSubstr("America")));
}

TEST_F(Terminal, WatchesAJobUntilItIsOver) {
    park_a_job();
    program watcher;
    const auto child = watcher.start(with_server({"status", "1", "--watch"}));
    ASSERT_TRUE(comes_true([&] { return !watcher.read("stdout").empty(); }));
    EXPECT_EQ(run({"cancel", "1"}).code, 2);
    const auto o = watcher.finish(child);
    EXPECT_EQ(o.code, 2) << "as status itself";
    const auto lines = lines_of(o.out);
    ASSERT_GE(lines.size(), 2u);
    EXPECT_THAT(lines.front(), HasSubstr("Z job 1: parked, rows 150 = created 100"));
    EXPECT_THAT(lines.back(), HasSubstr("Z job 1: completed, rows 150 = created 100"));
    const auto drawn = on_terminal({"status", "1", "--watch"}, 120);
    EXPECT_EQ(drawn.code, 2);
    EXPECT_THAT(drawn.out, testing::StartsWith("\x1b[H\x1b[2JJob 1: completed"));
}

TEST_F(Terminal, EndsAWatchAtCtrlC) {
    park_a_job();
    program watcher;
    const auto child = watcher.start(with_server({"status", "1", "--watch"}));
    ASSERT_TRUE(comes_true([&] { return !watcher.read("stdout").empty(); }));
    ::kill(child, SIGINT);
    const auto o = watcher.finish(child);
    EXPECT_EQ(o.code, 75);
    EXPECT_EQ(lines_of(o.out).size(), 1u) << "nothing changed";
}

TEST_F(Terminal, ListsJobsByTheirState) {
    ASSERT_EQ(import_with_a_reject().code, 2);
    EXPECT_THAT(run({"jobs", "--state", "completed"}).out, HasSubstr("contacts.csv"));
    EXPECT_THAT(run({"jobs", "--state", "parked,failed,completed"}).out, HasSubstr("contacts.csv"));
    EXPECT_EQ(run({"jobs", "--state", "unfinished"}).out, "No job is in such a state.\n");
    EXPECT_EQ(json(run({"jobs", "--json", "--state", "parked"}), "/jobs"), "[]");
}

TEST_F(Terminal, JsonOfJobsNamesFilesTimesAndReasons) {
    ASSERT_EQ(import_with_a_reject().code, 2);
    for (const auto& [command, at] : {std::pair(std::vector<std::string>{"jobs", "--json"}, std::string("/jobs/0")),
                                      {{"status", "1", "--json"}, ""}}) {
        const auto o = run(command);
        EXPECT_EQ(json(o, (at + "/files/0").c_str()), '"' + p.path("contacts.csv") + '"');
        EXPECT_THAT(json(o, (at + "/created_at").c_str()), testing::StartsWith("\"20"));
        EXPECT_THAT(json(o, (at + "/finished_at").c_str()), testing::StartsWith("\"20"));
        EXPECT_EQ(json(o, (at + "/reasons/0/code").c_str()), "\"invalid_contact_id\"");
        EXPECT_EQ(json(o, (at + "/reasons/0/rows").c_str()), "1");
    }
}

TEST_F(Terminal, HintsKeepTheEndingOfTheFile) {
    const auto first = import_with_a_reject();
    const auto hint = "results 1 --rejects -o rejects-1.csv";
    EXPECT_THAT(first.out, HasSubstr(hint));
    EXPECT_THAT(import_with_a_reject().out, HasSubstr(hint)) << "the second time, too";
    EXPECT_THAT(run({"resume", "1"}).out, HasSubstr(hint));
    EXPECT_THAT(run({"status", "1"}).out, HasSubstr(hint)) << "and status has it";
}

TEST_F(Terminal, SumsAndReasonsAgreeWhenARunIsForcedToEnd) {
    taskbarge::sandbox::sandbox_options slow;
    slow.latency = 3s;
    start(slow);
    const auto child = p.start(with_server({"import", "--set", owner, "--set", "send.connections=1", contacts(150)}));
    ASSERT_TRUE(comes_true([&] { return server_->stats().tasks >= 100; })) << "created, and not answered yet";
    ::kill(child, SIGINT);
    ASSERT_TRUE(comes_true([&] {
        return p.read("stderr").find("stopping: 1 request in flight, waiting at most ") != std::string::npos;
    })) << "told at once";
    ::kill(child, SIGINT);
    const auto o = p.finish(child);
    EXPECT_EQ(o.code, 75);
    EXPECT_THAT(o.out, HasSubstr("+ unknown 100 + pending 50"));
    EXPECT_THAT(o.out, HasSubstr("100  unknown   interrupted             e.g. row 1: the process ended while"));
    EXPECT_THAT(run({"results", "1", "--only", "unknown"}).out, HasSubstr(",unknown,,interrupted,,the process ended"));
}

TEST_F(Terminal, RejectsTakeNoOptionThatWouldBeIgnored) {
    ASSERT_EQ(import_with_a_reject().code, 2);
    EXPECT_EQ(run({"results", "1", "--rejects", "--only", "failed"}).code, 64);
    EXPECT_EQ(run({"results", "1", "--rejects", "--format", "jsonl"}).code, 64);
    EXPECT_EQ(run({"results", "1", "--rejects", "--only", "rejected"}).code, 0);
    EXPECT_EQ(run({"status", "1", "--json", "--attempts"}).code, 64);
}

}  // namespace
