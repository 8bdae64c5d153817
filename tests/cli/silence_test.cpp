// Runs that nobody watches: what --quiet says at each end, and what webhook and monitor are told by the commands.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "cli/against_sandbox.hpp"
#include "support/scripted_server.hpp"
#include "support/test_authority.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace {

using namespace std::chrono_literals;
using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using taskbarge::testing::answer_with;
using taskbarge::testing::scripted_server;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace sandbox = taskbarge::sandbox;

class Silence : public against_sandbox {
 protected:
    outcome quiet(std::vector<std::string> words) const {
        words.insert(words.begin() + 1, "--quiet");
        words.insert(words.end(), {"--set", owner});
        return run(words);
    }
    // At most three lines on standard error, and no more on standard output.
    static void expect_few_lines(const outcome& o) {
        EXPECT_EQ(o.out, "");
        EXPECT_NE(o.err, "") << "silent at " << o.code;
        EXPECT_LE(std::count(o.err.begin(), o.err.end(), '\n'), 3) << o.err;
        EXPECT_EQ(o.err.rfind("taskbarge: ", 0), 0u) << o.err;
    }
    // One row does not exist in Apollo.
    void one_is_bad() {
        sandbox::sandbox_options options;
        options.bad_contacts = {fmt::format("{:024x}", 0xabcdef + 1)};
        start(options);
    }
};

TEST_F(Silence, IsBrokenWhenRowsFailedOrWereRejected) {
    one_is_bad();
    auto o = quiet({"import", contacts(4, "no id\n"), "--set", "import.max_rejects=10"});
    EXPECT_EQ(o.code, 2) << o.err;
    expect_few_lines(o);
    EXPECT_THAT(o.err, AllOf(HasSubstr("job 1 is finished, with exceptions"),
                             HasSubstr("1 failed, 1 rejected, 3 created of 5 rows"),
                             HasSubstr("taskbarge results 1 --only failed,rejected")));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"import", contacts(4, "no id\n"), "--set", "import.max_rejects=10"},
          {"retry", "1"},
          {"verify", "1"},
          {"resume", "1"},
          {"cancel", "1"}}) {
        o = quiet(command);
        EXPECT_EQ(o.code, 2) << command.front() << o.err;
        expect_few_lines(o);
    }
}

TEST_F(Silence, IsKeptWhenAllIsWellAndWhileAJobWaitsForItsTurn) {
    const auto all_well = quiet({"import", contacts(3)});
    EXPECT_EQ(all_well.code, 0);
    EXPECT_EQ(all_well.out + all_well.err, "");
    sandbox::sandbox_options one_an_hour;
    one_an_hour.limits = {0, 1, 0};
    start(one_an_hour, false);
    p.environment["APOLLO_API_KEY"] = server_->where().api_key;
    const auto waits = quiet({"import", contacts(5), "--max-wait", "0s", "--set", "import.chunk_size=1", "--set",
                              "import.dedupe=file", "--set", "apollo.team=another"});
    EXPECT_EQ(waits.code, 75) << waits.err;
    EXPECT_EQ(waits.out + waits.err, "");
}

TEST_F(Silence, EndsForAJobThatIsUnfinishedForTooLong) {
    sandbox::sandbox_options one_an_hour;
    one_an_hour.limits = {0, 1, 0};
    start(one_an_hour, false);
    const std::vector<std::string> words{"import", contacts(5), "--max-wait", "0s", "--set", "import.chunk_size=1"};
    ASSERT_EQ(quiet(words).code, 75);
    for (const std::vector<std::string>& command :
         {words, {"resume", "--max-wait", "0s"}, {"resume", "1", "--max-wait", "0s"}}) {
        auto stale = command;
        stale.insert(stale.end(), {"--set", "notify.stale_after=1ms"});
        const auto o = quiet(stale);
        EXPECT_EQ(o.code, 75);
        expect_few_lines(o);
        EXPECT_THAT(o.err, AllOf(HasSubstr("job 1 has been unfinished for"), HasSubstr("pending"),
                                 HasSubstr("taskbarge status 1")));
        auto never = command;
        never.insert(never.end(), {"--set", "notify.stale_after=0s"});
        EXPECT_EQ(quiet(never).err, "");
    }
}

TEST_F(Silence, IsThreeLinesForSeveralJobs) {
    one_is_bad();
    server_->stop();
    const std::vector<std::string> outage{"--set", "send.max_attempts=1", "--max-wait", "0s"};
    for (int i = 1; i <= 3; ++i) {
        std::vector<std::string> words{"import", contacts(i + 1), "--again"};
        words.insert(words.end(), outage.begin(), outage.end());
        const auto o = quiet(words);
        EXPECT_EQ(o.code, 69);
        expect_few_lines(o);
    }
    one_is_bad();
    const auto o = quiet({"resume", "--set", "notify.stale_after=1ms", "--set", "import.dedupe=file"});
    EXPECT_NE(o.code, 0);
    expect_few_lines(o);
}

TEST_F(Silence, IsBrokenByEveryOtherEnd) {
    const auto at = [&](int code, const outcome& o) {
        EXPECT_EQ(o.code, code) << o.err;
        expect_few_lines(o);
    };
    at(65, quiet({"import", p.path("nowhere.csv")}));
    at(78, quiet({"import", contacts(3), "--set", "import.chunk_sise=1"}));
    at(64, quiet({"resume", "77"}));
    p.environment["APOLLO_API_KEY"] = "a-wrong-key";
    at(77, quiet({"import", contacts(3)}));
    p.environment.erase("APOLLO_API_KEY");
    at(77, quiet({"import", contacts(3)}));
}

// A receiver of webhooks and pings.
class Told : public Silence {
 protected:
    Told() {
        taskbarge::testing::server_options options;
        options.identity = authority_.issue({"IP:127.0.0.1"});
        receiver_.emplace(options);
        receiver_->fallback(answer_with(200, "ok"));
        p.environment["TASKBARGE_NOTIFY_CA_FILE"] = p.file("authority.pem", authority_.pem());
    }
    std::string address(const std::string& path) const {
        return fmt::format("https://127.0.0.1:{}{}", receiver_->port(), path);
    }
    void ping() { p.environment["TASKBARGE_NOTIFY_PING_URL"] = address("/check"); }
    void hook() { p.environment["TASKBARGE_NOTIFY_URL"] = address("/hook"); }
    std::vector<std::string> targets() const {
        std::vector<std::string> all;
        for (const auto& r : receiver_->requests())
            all.push_back(r.method + " " + r.target);
        return all;
    }

    taskbarge::testing::test_authority authority_;
    std::optional<scripted_server> receiver_;
};

TEST_F(Told, AMonitorHearsOfStartAndSuccess) {
    ping();
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 0);
    ASSERT_THAT(targets(), ElementsAre("POST /check/start", "POST /check"));
    EXPECT_THAT(receiver_->requests().back().body, HasSubstr("job 1 is finished"));
    EXPECT_THAT(receiver_->requests().back().header("content-type"), HasSubstr("text/plain"));
}

TEST_F(Told, AMonitorHearsOfFailure) {
    one_is_bad();
    ping();
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 2);
    ASSERT_THAT(targets(), ElementsAre("POST /check/start", "POST /check/fail"));
    EXPECT_THAT(receiver_->requests().back().body,
                AllOf(HasSubstr("1 failed, 2 created of 3 rows"), HasSubstr("taskbarge results 1 --only failed")));
    p.environment.erase("APOLLO_API_KEY");
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 77);
    ASSERT_FALSE(targets().empty());
    EXPECT_EQ(targets().back(), "POST /check/fail");
}

TEST_F(Told, AMonitorHearsNothingOfAJobThatGoesOnUntilItIsStale) {
    sandbox::sandbox_options one_an_hour;
    one_an_hour.limits = {0, 1, 0};
    start(one_an_hour, false);
    ping();
    ASSERT_EQ(quiet({"import", contacts(5), "--max-wait", "0s", "--set", "import.chunk_size=1"}).code, 75);
    ASSERT_THAT(targets(), ElementsAre("POST /check/start"));
    ASSERT_EQ(quiet({"resume", "--max-wait", "0s", "--set", "notify.stale_after=1ms"}).code, 75);
    ASSERT_THAT(targets(), ElementsAre("POST /check/start", "POST /check/start", "POST /check/fail"));
}

TEST_F(Told, AMonitorIsNotToldOfAResumeThatHasNothingToDo) {
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 0);
    ping();
    ASSERT_EQ(quiet({"resume"}).code, 0);
    EXPECT_TRUE(targets().empty());
}

TEST_F(Told, AWebhookGetsTheReportOfAnImportSigned) {
    hook();
    p.environment["TASKBARGE_NOTIFY_SECRET_FILE"] = p.file("secret", "a-key-for-webhooks\n");
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 0);
    ASSERT_THAT(targets(), ElementsAre("POST /hook"));
    const auto seen = receiver_->requests().front();
    EXPECT_THAT(seen.body, AllOf(HasSubstr(R"("event":"completed")"), HasSubstr(R"("created":3)")));
    EXPECT_THAT(seen.header("x-taskbarge-signature"), HasSubstr("v1="));
    ASSERT_EQ(quiet({"import", contacts(3)}).code, 0) << "the same again is no news";
    EXPECT_EQ(targets().size(), 1u);
}

TEST_F(Told, AChatGetsAText) {
    one_is_bad();
    hook();
    ASSERT_EQ(quiet({"import", contacts(3), "--set", "notify.body=text"}).code, 2);
    ASSERT_EQ(targets().size(), 1u);
    EXPECT_THAT(receiver_->requests().front().body,
                AllOf(testing::StartsWith("{\"text\":\"job 1 is finished, with exceptions\\n"),
                      HasSubstr("1 failed, 2 created of 3 rows")));
}

TEST_F(Told, AWebhookHearsOfAParkedJobOnceAndNotByEveryResume) {
    sandbox::sandbox_options one_an_hour;
    one_an_hour.limits = {0, 1, 0};
    start(one_an_hour, false);
    hook();
    ASSERT_EQ(quiet({"import", contacts(5), "--max-wait", "0s", "--set", "import.chunk_size=1"}).code, 75);
    ASSERT_EQ(targets().size(), 1u);
    EXPECT_THAT(receiver_->requests().front().body, HasSubstr(R"("event":"parked")"));
    ASSERT_EQ(quiet({"resume", "--max-wait", "0s"}).code, 75);
    EXPECT_EQ(targets().size(), 1u);
    ASSERT_EQ(quiet({"resume", "--max-wait", "0s", "--set", "notify.stale_after=1ms"}).code, 75);
    EXPECT_EQ(targets().size(), 2u);
}

TEST_F(Told, WhatCannotBeToldIsAWarningAndChangesNoExitCode) {
    ping();
    hook();
    receiver_->fallback(answer_with(500, ""));
    const auto o = quiet({"import", contacts(3)});
    EXPECT_EQ(o.code, 0);
    EXPECT_THAT(o.err, AllOf(HasSubstr("warning: notify.url was not told: 500"),
                             HasSubstr("warning: notify.ping_url was not told: 500"), Not(HasSubstr("/check"))));
}

}  // namespace
