// Whole imports by the real program against a local Apollo.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>

#include "cli/program.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace {

namespace sandbox = taskbarge::sandbox;
using namespace std::chrono_literals;
using taskbarge::test::outcome;
using taskbarge::test::program;
using testing::HasSubstr;

std::string rows(int from, int count) {
    std::string text;
    for (int i = from; i < from + count; ++i)
        text += fmt::format("{:024x},66302798d03b9601c7934ebf,call,high,scheduled,2036-12-01T10:00:00Z,hi\n", i);
    return text;
}

const std::string header = "contact_id,user_id,type,priority,status,due_at,note\n";

class Import : public testing::Test {
 protected:
    void start(sandbox::sandbox_options options = {}) {
        options.limits = options.search_limits = {0, 0, 0};
        options.quiet = true;
        auto started = sandbox::server::start(options);
        ASSERT_TRUE(started) << started.error().text;
        server_ = std::move(*started);
        p.environment["APOLLO_API_KEY"] = server_->where().api_key;
    }
    std::vector<std::string> with_server(std::vector<std::string> arguments) const {
        for (const auto& word : {std::string("--base-url"), server_->where().base_url, std::string("--ca-file"),
                                 server_->where().ca_file, std::string("--ledger"), p.path("l.db")})
            arguments.push_back(word);
        return arguments;
    }
    outcome run(std::vector<std::string> arguments, const std::string& input = "") const {
        return p.run(with_server(std::move(arguments)), input);
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
    static std::uint64_t number(const outcome& o, const char* key) {
        simdjson::dom::parser parser;
        std::uint64_t n = 0;
        EXPECT_EQ(parser.parse(o.out)[key].get(n), simdjson::SUCCESS) << key << " in " << o.out;
        return n;
    }

    program p;
    std::unique_ptr<sandbox::server> server_;
};

TEST_F(Import, CreatesEveryTaskAndSaysSo) {
    start();
    const auto o = run({"import", p.file("a.csv", header + rows(1, 250))});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_THAT(o.out,
                HasSubstr("rows 250 = created 250 + duplicate 0 + rejected 0 + failed 0 + unknown 0 + pending 0"));
    EXPECT_THAT(o.out, HasSubstr("requests 3 (at least 3, for 1 group)"));
    EXPECT_EQ(server_->stats().tasks, 250u);
    EXPECT_THAT(o.out + o.err, testing::Not(HasSubstr(server_->where().api_key)));
}

TEST_F(Import, TheSameInputAgainReportsTheFinishedJob) {
    start();
    const auto file = p.file("a.csv", header + rows(1, 5) + "bad,66302798d03b9601c7934ebf,call,,scheduled,soon,\n");
    const auto first = run({"import", "--json", file});
    const auto again = run({"import", "--json", file});
    EXPECT_EQ(first.code, 2);
    EXPECT_EQ(again.code, 2);
    EXPECT_EQ(number(again, "job"), number(first, "job"));
    EXPECT_EQ(number(again, "created"), 5u);
    EXPECT_EQ(number(again, "requests"), 1u);
    EXPECT_EQ(number(again, "requests_this_run"), 0u);
    EXPECT_EQ(server_->stats().tasks, 5u);
}

TEST_F(Import, ResultsListEveryRowInOrder) {
    start();
    const auto input = header + rows(1, 2) + rows(2, 1) + "=1+1,66302798d03b9601c7934ebf,call,,scheduled,soon,\n";
    EXPECT_EQ(run({"import", "-"}, input).code, 2);
    const auto o = run({"results", "1"});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_THAT(o.out,
                testing::MatchesRegex("row,file,line,[^\n]*\n1,-,2,0{23}1,created,[^\n]*\n2,-,3,0{23}2,created,[^\n]*\n"
                                      "3,-,4,0{23}2,duplicate,[^\n]*,1:2,,\n4,-,5,'=1\\+1,rejected,[^\n]*\n"));
    const auto only = run({"results", "1", "--only", "rejected,duplicate", "--format", "jsonl"});
    EXPECT_THAT(only.out, testing::StartsWith(R"({"row":3,"file":"-","line":4,)"));
    EXPECT_EQ(std::count(only.out.begin(), only.out.end(), '\n'), 2);
}

TEST_F(Import, RejectedRowsCanBeMendedAndImported) {
    start();
    EXPECT_EQ(run({"import",
                   p.file("a.csv", header + rows(1, 1) + "0,66302798d03b9601c7934ebf,call,,scheduled,\"so,on\",x\n")})
                  .code,
              2);
    const auto rejects = p.path("rejects.csv");
    EXPECT_EQ(run({"results", "1", "--rejects", "-o", rejects}).code, 0);
    auto text = p.read("rejects.csv");
    EXPECT_THAT(text, testing::StartsWith(
                          "contact_id,user_id,type,priority,status,due_at,note,error\n0,66302798d03b9601c7934ebf,call"
                          ",,scheduled,\"so,on\",x,\""));
    text.replace(text.find("\n0,") + 1, 1, "000000000000000000000009");
    text.replace(text.find("\"so,on\""), 7, "2036-12-01T10:00:00Z");
    const auto o = run({"import", "--json", p.file("mended.csv", text)});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(number(o, "created"), 1u);
}

TEST_F(Import, ASignalParksTheJobAndSaysHowToGoOn) {
    sandbox::sandbox_options slow;
    slow.latency = 100ms;
    start(slow);
    const auto file = p.file("a.csv", header + rows(1, 5000));
    const auto child = p.start(with_server({"import", "--set", "send.connections=1", file}));
    ASSERT_TRUE(comes_true([&] { return server_->stats().tasks >= 100; }));
    ::kill(child, SIGTERM);
    const auto parked = p.finish(child);
    EXPECT_EQ(parked.code, 75);
    EXPECT_THAT(parked.err, HasSubstr("taskbarge resume 1"));
    const auto status = run({"status", "1", "--json"});
    EXPECT_EQ(status.code, 75);
    EXPECT_THAT(status.out, HasSubstr(R"("state":"parked")"));
    EXPECT_LT(number(status, "created"), 5000u);
    const auto resumed = run({"resume", "--json"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_EQ(number(resumed, "created"), 5000u);
    EXPECT_EQ(server_->stats().tasks, 5000u);
    EXPECT_EQ(server_->stats().tasks_twice, 0u);
}

TEST_F(Import, AWrongKeyGivesSeventySevenAndTheJobCanGoOnWithTheRightOne) {
    start();
    const auto right = p.environment["APOLLO_API_KEY"];
    p.environment["APOLLO_API_KEY"] = "wrong-key-wrong";
    const auto file = p.file("a.csv", header + rows(1, 5));
    const auto refused = run({"import", "--json", file});
    EXPECT_EQ(refused.code, 77);
    EXPECT_THAT(refused.out, HasSubstr(R"("state":"failed")"));
    EXPECT_THAT(refused.err, testing::Not(HasSubstr("wrong-key-wrong")));
    p.environment["APOLLO_API_KEY"] = right;
    EXPECT_EQ(run({"import", file}).code, 0);
}

TEST_F(Import, NobodyAtTheAddressGivesSixtyNine) {
    start();
    server_->stop();
    const auto o = run(
        {"import", "--json", "--set", "send.max_attempts=1", "--max-wait", "0s", p.file("a.csv", header + rows(1, 5))});
    EXPECT_EQ(o.code, 69);
    EXPECT_THAT(o.out, HasSubstr(R"("state":"parked")"));
    EXPECT_EQ(number(o, "pending"), 5u);
}

TEST_F(Import, CancelMakesUnsentRowsFailed) {
    start();
    server_->stop();
    run({"import", "--set", "send.max_attempts=1", "--max-wait", "0s", p.file("a.csv", header + rows(1, 5))});
    const auto o = run({"cancel", "1", "--json"});
    EXPECT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "failed"), 5u);
    EXPECT_THAT(run({"results", "1", "--only", "failed"}).out, HasSubstr(",cancelled,"));
}

TEST_F(Import, ResultsThatCannotBeWrittenAreNoSuccess) {
    start();
    EXPECT_EQ(run({"import", p.file("a.csv", header + rows(1, 5))}).code, 0);
    const auto o = run({"results", "1", "-o", "/dev/full"});
    EXPECT_EQ(o.code, 75);
    EXPECT_THAT(o.err, HasSubstr("/dev/full"));
}

TEST_F(Import, QuietSaysNothingWhenAllIsWell) {
    start();
    auto o = run({"import", "--quiet", p.file("a.csv", header + rows(1, 5))});
    EXPECT_EQ(o.code, 0);
    EXPECT_EQ(o.out + o.err, "");
}

TEST_F(Import, ATerminalShowsALiveLineThatGoesAwayBeforeTheSummary) {
    sandbox::sandbox_options slow;
    slow.latency = 300ms;
    start(slow);
    const auto file = p.file("a.csv", header + rows(1, 5));
    const auto o = p.run_on_terminal(with_server({"import", file}), 40);
    EXPECT_EQ(o.code, 0) << o.out;
    EXPECT_THAT(o.out, HasSubstr("\r\x1b[K0 of 5 (0%), connecting")) << "before the first answer";
    EXPECT_THAT(o.out, HasSubstr("\r\x1b[K0 of 5 (0%)\r"));
    EXPECT_THAT(o.out, HasSubstr("\r\x1b[KJob 1 is finished."));
    p.environment["TERM"] = "dumb";
    EXPECT_THAT(p.run_on_terminal(with_server({"import", file}), 40).out, testing::Not(HasSubstr("\x1b")));
}

TEST_F(Import, DoctorSaysWhetherAnImportWouldWork) {
    start();
    auto o = run({"doctor"});
    EXPECT_EQ(o.code, 0) << o.out << o.err;
    EXPECT_THAT(o.out, testing::EndsWith("An import would work.\n"));
    p.environment["APOLLO_API_KEY"] = "wrong-key-wrong";
    o = run({"doctor", "--json"});
    EXPECT_EQ(o.code, 77);
    EXPECT_THAT(o.out, HasSubstr(R"("health":"bad")"));
    EXPECT_EQ(server_->stats().tasks, 0u);
}

TEST_F(Import, APrunedJobIsStillKnownAndItsRowsAreStillDuplicates) {
    start();
    const auto first = p.file("a.csv", header + rows(1, 5));
    ASSERT_EQ(run({"import", first}).code, 0);
    EXPECT_THAT(run({"prune", "--older-than", "90d"}).out, testing::EndsWith("was to be pruned.\n"));
    {
        const auto book = taskbarge::ledger::open_ledger(p.path("l.db")).value();
        const auto long_ago = taskbarge::core::system_clock().now() - std::chrono::hours(100 * 24);
        book->set_job_state(1, taskbarge::core::job_state::completed, {}, "", "", long_ago).value();
    }
    EXPECT_THAT(run({"prune", "--older-than", "90d", "--dry-run"}).out, HasSubstr("Would prune 1 job with 5 rows"));
    EXPECT_EQ(run({"results", "1"}).code, 0) << "a dry run drops nothing";
    EXPECT_THAT(run({"prune", "--older-than", "90d"}).out, HasSubstr("Pruned 1 job with 5 rows"));

    EXPECT_THAT(run({"status", "1"}).out, testing::StartsWith("Job 1: pruned\n"));
    EXPECT_EQ(run({"status", "1"}).code, 0) << "the job's own code";
    for (const char* command : {"results", "retry", "verify"}) {
        const auto o = run({command, "1"});
        EXPECT_EQ(o.code, 64) << command;
        EXPECT_THAT(o.err, HasSubstr("job 1 was pruned on ")) << command;
    }
    EXPECT_THAT(run({"import", first}).out, HasSubstr("Job 1 was finished before"));
    EXPECT_EQ(run({"import", p.file("b.csv", header + rows(3, 4))}).code, 0);
    const auto results = run({"results", "2", "--only", "duplicate"}).out;
    EXPECT_THAT(results, HasSubstr(",1:3,"));
    EXPECT_THAT(results, HasSubstr(",1:5,"));
    EXPECT_EQ(server_->stats().tasks, 6u);
}

// One request for each row: each has its own note.
std::string notes(int from, int count) {
    std::string text;
    for (int i = from; i < from + count; ++i)
        text +=
            fmt::format("{:024x},66302798d03b9601c7934ebf,call,high,scheduled,2036-12-01T10:00:00Z,note {}\n", i, i);
    return text;
}

class OpenDuplicates : public Import {
 protected:
    // Monday's import has sent nothing when Tuesday's comes, with one more row.
    void leave_monday_unsent() {
        start();
        p.environment["APOLLO_API_KEY"] = "wrong";
        EXPECT_EQ(run({"import", monday()}).code, 77);
        p.environment["APOLLO_API_KEY"] = server_->where().api_key;
    }
    // Tuesday's import finds another process at work on Monday's job, and waits; then `meanwhile`.
    void leave_tuesday_waiting(const std::function<void(taskbarge::ledger::ledger&)>& meanwhile = {}) {
        const auto book = taskbarge::ledger::open_ledger(p.path("l.db"));
        ASSERT_TRUE(book);
        const auto lock = (*book)->lock_job(1);
        ASSERT_TRUE(lock);
        ASSERT_EQ(run({"import", "--quiet", tuesday()}).code, 75);
        if (meanwhile) meanwhile(**book);
    }
    std::string monday() const { return p.file("mon.csv", header + notes(1, 6)); }
    std::string tuesday() const { return p.file("tue.csv", header + notes(1, 7)); }
};

TEST_F(OpenDuplicates, EarlierJobGoesFirst) {
    leave_monday_unsent();
    const auto o = run({"import", tuesday()});
    EXPECT_EQ(o.code, 0) << o.err << o.out;
    EXPECT_THAT(o.out, HasSubstr("rows 7 = created 1 + duplicate 6"));
    EXPECT_THAT(o.err, HasSubstr("job 1 goes first: 6 rows"));
    EXPECT_EQ(server_->stats().tasks, 7u);
    EXPECT_EQ(run({"import", "--quiet", monday()}).code, 0) << "it is finished";
    EXPECT_EQ(server_->stats().tasks, 7u);
}

TEST_F(OpenDuplicates, AreUnfinishedWhileTheirOriginalsArePending) {
    leave_monday_unsent();
    // A process that works on the first job keeps the second from going on with it.
    const auto held = taskbarge::ledger::open_ledger(p.path("l.db"));
    ASSERT_TRUE(held);
    const auto lock = (*held)->lock_job(1);
    ASSERT_TRUE(lock);
    const auto o = run({"import", "--json", tuesday()});
    EXPECT_EQ(o.code, 75) << o.err;
    EXPECT_EQ(number(o, "created"), 1u);
    EXPECT_EQ(number(o, "duplicate"), 6u);
    EXPECT_EQ(number(o, "duplicate_pending"), 6u);
    const auto status = run({"status", "2"});
    EXPECT_THAT(status.out, HasSubstr("of the duplicates, 6 rows have no task yet"));
    const auto results = run({"results", "2"});
    EXPECT_THAT(results.out, HasSubstr("original_pending"));
    EXPECT_THAT(results.out, HasSubstr("row 1 of job 1, which asks for the same one, is pending"));
}

TEST_F(OpenDuplicates, OfACancelledJobAreSentByTheirOwn) {
    leave_monday_unsent();
    leave_tuesday_waiting();
    EXPECT_EQ(run({"cancel", "1"}).code, 2);
    EXPECT_THAT(run({"status", "2"}).out, HasSubstr("of the duplicates, 6 rows have no task yet"));
    const auto o = run({"import", "--json", tuesday()});
    EXPECT_EQ(o.code, 0) << o.err << o.out;
    EXPECT_EQ(number(o, "created"), 7u);
    EXPECT_EQ(number(o, "duplicate"), 0u);
    EXPECT_EQ(server_->stats().tasks, 7u);
    const auto retried = run({"retry", "--json", "1"});
    EXPECT_EQ(retried.code, 0) << "the other job has its tasks: " << retried.out;
    EXPECT_EQ(number(retried, "duplicate"), 6u);
    EXPECT_EQ(server_->stats().tasks, 7u);
}

TEST_F(OpenDuplicates, OfACompletedJobAreSentWhenItsFileComesAgainByOneProcessAlone) {
    leave_monday_unsent();
    leave_tuesday_waiting([&](taskbarge::ledger::ledger& book) {
        // As where the originals were unknown when it ended.
        ASSERT_TRUE(book.set_job_state(2, taskbarge::core::job_state::completed, {}, "", "", {}));
    });
    ASSERT_EQ(run({"cancel", "1"}).code, 2);
    {
        const auto book = taskbarge::ledger::open_ledger(p.path("l.db"));
        const auto lock = (*book)->lock_job(2);
        ASSERT_TRUE(lock);
        EXPECT_EQ(run({"import", tuesday()}).code, 75) << "another process works on it";
        EXPECT_EQ(server_->stats().tasks, 1u);
    }
    const auto o = run({"import", "--json", tuesday()});
    EXPECT_EQ(o.code, 0) << o.err << o.out;
    EXPECT_EQ(server_->stats().tasks, 7u);
}

TEST_F(OpenDuplicates, OfAJobThatWasCancelledItselfAreNotSent) {
    leave_monday_unsent();
    leave_tuesday_waiting([&](taskbarge::ledger::ledger&) { ASSERT_EQ(run({"cancel", "2"}).code, 2); });
    ASSERT_EQ(run({"cancel", "1"}).code, 2);
    EXPECT_EQ(run({"import", tuesday()}).code, 2);
    EXPECT_EQ(run({"resume", "2"}).code, 2);
    EXPECT_EQ(server_->stats().tasks, 1u);
    EXPECT_EQ(run({"retry", "2"}).code, 0) << "a person may want them after all";
    EXPECT_EQ(server_->stats().tasks, 7u);
}

TEST_F(OpenDuplicates, AnEarlierJobThatGoesFirstTakesItsOwnBackAsWell) {
    start();
    p.environment["APOLLO_API_KEY"] = "wrong";
    ASSERT_EQ(run({"import", p.file("z.csv", header + notes(1, 6))}).code, 77);
    ASSERT_EQ(run({"import", p.file("a.csv", header + notes(4, 6))}).code, 77);
    p.environment["APOLLO_API_KEY"] = server_->where().api_key;
    ASSERT_EQ(run({"cancel", "1"}).code, 2);
    const auto o = run({"import", p.file("b.csv", header + notes(7, 4))});
    EXPECT_EQ(o.code, 0) << o.err << o.out;
    EXPECT_EQ(run({"status", "2"}).code, 0) << "the rows of the cancelled job are its own now";
    EXPECT_EQ(server_->stats().tasks, 7u);
    EXPECT_EQ(server_->stats().tasks_twice, 0u);
}

class EveryNight : public Import {
 protected:
    std::string list(int rows_of_list) const {
        std::string text = "contact_id\n";
        for (int i = 1; i <= rows_of_list; ++i)
            text += fmt::format("{:024x}\n", i);
        return p.file(fmt::format("list-{}.csv", rows_of_list), text);
    }
    std::vector<std::string> with_due(std::vector<std::string> arguments, const char* due) const {
        for (const auto& set :
             {std::string("defaults.user_id=66302798d03b9601c7934ebf"), std::string("defaults.type=call"),
              std::string("defaults.status=scheduled"), std::string("dates.timezone=UTC"),
              std::string("dates.time=09:00"), fmt::format("defaults.due_at={}", due)}) {
            arguments.emplace_back("--set");
            arguments.push_back(set);
        }
        return arguments;
    }
};

TEST_F(EveryNight, ContactsWithSuchATaskAreNamed) {
    start();
    const auto first = run(with_due({"import", list(5)}, "+3d"));
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_THAT(first.err, testing::Not(HasSubstr("such a task")));
    const auto plan = run(with_due({"plan", list(7)}, "+4d"));
    EXPECT_THAT(plan.out, HasSubstr("Again: 5 of 7 contacts have such a task from job 1 already, due 2"));
    EXPECT_THAT(run(with_due({"plan", "--json", list(7)}, "+4d")).out,
                HasSubstr(R"("repeats":{"job":1,"contacts":5,"of":7)"));
    const auto again = run(with_due({"import", list(7)}, "+4d"));
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("5 of 7 contacts have such a task from job 1 already"));
    EXPECT_EQ(server_->stats().tasks, 12u) << "as the settings say";
}

TEST_F(EveryNight, FieldsThatCountLeaveThemOut) {
    start();
    ASSERT_EQ(run(with_due({"import", list(5)}, "+3d")).code, 0);
    auto arguments = with_due({"import", "--json", list(7)}, "+4d");
    arguments.insert(arguments.end(), {"--set", "import.dedupe_by=contact_id,user_id,type"});
    const auto o = run(arguments);
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(number(o, "created"), 2u);
    EXPECT_EQ(number(o, "duplicate"), 5u);
    EXPECT_THAT(o.err, testing::Not(HasSubstr("such a task")));
    EXPECT_EQ(server_->stats().tasks, 7u);
}

}  // namespace
