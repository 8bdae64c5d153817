// Whole imports in this process, from a file to a settled ledger, against the local Apollo over TLS.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "support/case_names.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::job {
namespace {

using core::errc;
using core::row_state;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class notes : public observer {
 public:
    void on_progress(const progress& p) override {
        if (each) each(p);
    }
    void on_answer(int /*status*/, std::chrono::milliseconds /*took*/) override {
        if (answered) answered();
    }
    void on_notice(const std::string& line) override { lines.push_back(line); }
    std::function<void(const progress&)> each;
    std::function<void()> answered;
    std::vector<std::string> lines;
};

class folder {
 public:
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "import-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
    std::filesystem::path path_;
};

// Settle time and backoff are short, so that doubts are over soon; everything else is as users have it.
class ImportFiles : public ::testing::Test {
 protected:
    ImportFiles() {
        settings.ledger.path = home_.file("ledger.db");
        settings.defaults.user_id = "66302798d03b9601c7934ebf";
        settings.defaults.type = "call";
        settings.defaults.status = "scheduled";
        settings.send.settle_time = 400ms;
        settings.send.backoff_base = 10ms;
        settings.send.backoff_cap = 100ms;
        settings.send.request_timeout = 2s;
    }

    void start(std::vector<std::string> faults = {}, sandbox::sandbox_options options = {}) {
        options.faults = std::move(faults);
        auto started = sandbox::server::start(options);
        ASSERT_TRUE(started) << started.error().text;
        apollo = std::move(*started);
        settings.apollo.base_url = apollo->where().base_url;
        settings.apollo.ca_file = apollo->where().ca_file;
        key = core::secret(apollo->where().api_key);
    }

    // `rows` contacts for each of `days` due dates, so many groups.
    std::string write(int days, int rows, const std::string& extra = {}) {
        const auto path = home_.file("contacts.csv");
        std::ofstream out(path);
        out << "contact_id,due_at,note\n";
        for (int i = 1; i <= rows; ++i)
            for (int d = 1; d <= days; ++d)
                out << fmt::format("{:024x},2027-03-{:02}T09:00:00Z,\"call, day {}\"\n", i, d, d);
        out << extra;
        return path;
    }

    report import(const std::string& file) { return import(file, stop); }
    report import(const std::string& file, stop_control& stopper) {
        const environment env{settings, key, core::system_clock(), stopper, watch, 42};
        return import_files(env, {{file}, 0, false});
    }
    environment env() { return {settings, key, core::system_clock(), stop, watch, 42}; }

    // Every task in Apollo belongs to a created row, and every created row has exactly its one.
    void expect_one_task_each(const report& r) {
        const auto stats = apollo->stats();
        EXPECT_EQ(stats.tasks_twice, 0u);
        EXPECT_EQ(stats.tasks, r.rows.created);
        EXPECT_EQ(r.rows.accounted(), r.rows.rows);
    }
    std::map<row_state, std::vector<ledger::row_result>> results(core::job_id job) {
        std::map<row_state, std::vector<ledger::row_result>> out;
        auto book = ledger::open_ledger(settings.ledger.path).value();
        const auto keep = [&](const ledger::row_result& row) {
            out[row.state].push_back(row);
            return true;
        };
        book->each_result(job, keep).value();
        return out;
    }
    std::uint64_t creates() {
        const auto stats = apollo->stats();
        const auto at = stats.routes.find("bulk_create");
        return at == stats.routes.end() ? 0 : at->second.requests();
    }

    core::settings settings;
    core::secret key;
    stop_control stop;
    notes watch;
    std::unique_ptr<sandbox::server> apollo;

 private:
    folder home_;
};

TEST_F(ImportFiles, WithoutFaultsEveryRowIsCreatedWithTheFewestRequests) {
    start();
    const auto r = import(write(3, 250));
    EXPECT_FALSE(r.why) << r.why->text;
    EXPECT_EQ(r.state, report_state::completed);
    EXPECT_EQ(r.rows.rows, 750u);
    EXPECT_EQ(r.rows.created, 750u);
    EXPECT_EQ(r.requests.groups, 3u);
    EXPECT_EQ(r.requests.minimum_requests, 9u);
    EXPECT_EQ(r.requests.requests, 9u);
    EXPECT_EQ(r.requests_this_run, 9u);
    EXPECT_EQ(r.requests.retries, 0u);
    EXPECT_EQ(r.requests.rate_limited, 0u);
    EXPECT_EQ(creates(), 9u);
    EXPECT_THAT(watch.lines, IsEmpty());
    expect_one_task_each(r);
}

TEST_F(ImportFiles, DuplicatesAndBadRowsAreAccountedForAndCostNoRequest) {
    start();
    const auto r = import(write(1, 30, fmt::format("{:024x},2027-03-01T09:00:00Z,\"call, day 1\"\nnobody,soon,\n", 7)));
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.rows.created, 30u);
    EXPECT_EQ(r.rows.duplicate, 1u);
    EXPECT_EQ(r.rows.rejected, 1u);
    EXPECT_EQ(creates(), 1u);
    expect_one_task_each(r);
    const auto rows = results(r.job.value());
    EXPECT_EQ(rows.at(row_state::duplicate).at(0).duplicate_of->second, 7u);
}

// A request that throws never says that it has left its place: the run must not wait for it for ever.
TEST_F(ImportFiles, ARequestThatThrowsEndsTheRunAndTheNextGoesOn) {
    start();
    int answers = 0;
    watch.answered = [&] {
        if (++answers == 2) throw std::bad_alloc();
    };
    const auto file = write(3, 250);
    const auto cut_short = import(file);
    EXPECT_EQ(cut_short.why.value().code, errc::waiting);
    EXPECT_EQ(cut_short.state, report_state::parked);
    EXPECT_EQ(cut_short.rows.accounted(), 750u);
    watch.answered = {};
    const auto r = import(file);
    EXPECT_FALSE(r.why) << r.why->text;
    EXPECT_EQ(r.rows.created, 750u);
    expect_one_task_each(r);
}

TEST_F(ImportFiles, TheSameInputAgainIsFinishedAndSendsNothing) {
    start();
    const auto file = write(2, 120);
    const auto first = import(file);
    ASSERT_FALSE(first.why);
    const auto requests = creates();
    const auto again = import(file);
    EXPECT_FALSE(again.why);
    EXPECT_TRUE(again.already_finished);
    EXPECT_EQ(again.job, first.job);
    EXPECT_EQ(again.rows, first.rows);
    EXPECT_EQ(again.requests_this_run, 0u);
    EXPECT_EQ(creates(), requests);
}

TEST_F(ImportFiles, AWrongKeyStopsAtOnceAndTheRightOneGoesOn) {
    start();
    const auto right = key;
    key = core::secret("wrong");
    const auto file = write(2, 120);
    const auto refused = import(file);
    ASSERT_TRUE(refused.why);
    EXPECT_EQ(refused.why->code, errc::unauthorized);
    EXPECT_EQ(refused.state, report_state::failed);
    EXPECT_EQ(refused.rows.pending, 240u);
    EXPECT_EQ(apollo->stats().tasks, 0u);
    key = right;
    const auto r = import(file);
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.job, refused.job);
    EXPECT_EQ(r.rows.created, 240u);
    expect_one_task_each(r);
}

TEST_F(ImportFiles, AKeyWithoutTheRightStopsAtOnce) {
    sandbox::sandbox_options o;
    o.forbid = {"bulk_create"};
    start({}, o);
    const auto r = import(write(4, 200));
    ASSERT_TRUE(r.why);
    EXPECT_EQ(r.why->code, errc::forbidden);
    EXPECT_THAT(r.why->text, HasSubstr("403"));
    EXPECT_EQ(r.rows.pending, 800u);
    EXPECT_LE(creates(), settings.send.connections);
}

TEST_F(ImportFiles, WithoutAKeyNothingIsBegun) {
    start();
    key = {};
    const auto r = import(write(1, 10));
    ASSERT_TRUE(r.why);
    EXPECT_EQ(r.why->code, errc::no_key);
    EXPECT_FALSE(r.job);
    EXPECT_FALSE(std::filesystem::exists(settings.ledger.path));
}

// Each fault strikes some requests of an import of eight.
class OneFault : public ImportFiles, public ::testing::WithParamInterface<const char*> {};

TEST_P(OneFault, LosesNoRowAndMakesNoTaskTwice) {
    start({GetParam()});
    const auto r = import(write(2, 400));
    EXPECT_FALSE(r.why) << r.why->text;
    EXPECT_EQ(r.rows.created + r.rows.failed, 800u);
    EXPECT_EQ(r.rows.unknown, 0u);
    expect_one_task_each(r);
    EXPECT_GT(apollo->stats().faults.at(0).second, 0u) << "the fault struck";
    const auto again = import(write(2, 400));
    EXPECT_TRUE(again.already_finished);
}
INSTANTIATE_TEST_SUITE_P(Faults, OneFault,
                         ::testing::Values("500:before@2", "500:after@3", "502:later:100ms@2", "reset:after@4",
                                           "close:before@3", "cut@2", "html:after@5", "success_false:after@2",
                                           "missing=3@2", "garbage:before@6", "429:minute=1@3", "stall:after@4"),
                         taskbarge::test::by_value());

TEST_F(ImportFiles, ASearchThatLagsBehindMakesNoTaskTwice) {
    settings.send.settle_time = 1500ms;
    start({"500:after@2", "500:after@4", "lag=700ms"});
    const auto r = import(write(2, 300));
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.rows.created, 600u);
    EXPECT_EQ(creates(), 6u) << "all was adopted";
    expect_one_task_each(r);
}

TEST_F(ImportFiles, WithoutASearchDoubtfulRowsAreHeldUntilAPersonDecides) {
    sandbox::sandbox_options o;
    o.forbid = {"search"};
    start({"500:after@2"}, o);
    const auto r = import(write(1, 300));
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.rows.created, 200u);
    EXPECT_EQ(r.rows.unknown, 100u);
    EXPECT_EQ(apollo->stats().tasks_twice, 0u);
    auto rows = results(*r.job);
    EXPECT_EQ(rows[row_state::unknown].size(), 100u);
    for (const auto& row : rows[row_state::unknown])
        EXPECT_EQ(row.code, "held_search_forbidden");

    const auto retried = retry_job(env(), *r.job, unknown_rows::resend);
    EXPECT_FALSE(retried.why);
    EXPECT_EQ(retried.rows.created, 300u);
    EXPECT_EQ(apollo->stats().tasks_twice, 100u);
    std::size_t marked = 0;
    rows = results(*r.job);
    for (const auto& row : rows[row_state::created])
        marked += row.possible_duplicate ? 1 : 0;
    EXPECT_EQ(marked, 100u);
}

TEST_F(ImportFiles, AStopInTheMiddleLosesNothingAndResumeFinishes) {
    sandbox::sandbox_options o;
    o.latency = 60ms;
    start({}, o);
    settings.send.connections = 2;
    stop_control stopper;
    std::once_flag once;
    watch.each = [&](const progress& p) {
        if (p.rows.created > 0) std::call_once(once, [&] { stopper.request(); });
    };
    const auto stopped = import(write(1, 2000), stopper);
    ASSERT_TRUE(stopped.why);
    EXPECT_EQ(stopped.why->code, errc::interrupted);
    EXPECT_EQ(stopped.state, report_state::parked);
    EXPECT_GT(stopped.rows.created, 0u);
    EXPECT_GT(stopped.rows.pending, 0u);
    EXPECT_EQ(stopped.rows.unknown, 0u) << "what was in flight was waited for";
    expect_one_task_each(stopped);
    const auto r = resume_job(env(), *stopped.job);
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.rows.created, 2000u);
    EXPECT_EQ(creates(), 20u);
    expect_one_task_each(r);
}

TEST_F(ImportFiles, AJobThatAnotherHoldsIsLeftAlone) {
    start();
    const auto file = write(1, 200);
    const auto right = key;
    key = core::secret("wrong");
    const auto unfinished = import(file);
    ASSERT_TRUE(unfinished.job);
    key = right;
    auto other = ledger::open_ledger(settings.ledger.path).value();
    {
        const auto lock = other->lock_job(*unfinished.job).value();
        for (const auto& r : {import(file), resume_job(env(), *unfinished.job), cancel_job(env(), *unfinished.job)}) {
            ASSERT_TRUE(r.why);
            EXPECT_EQ(r.why->code, errc::job_held);
            EXPECT_EQ(r.state, report_state::parked);
        }
        EXPECT_EQ(apollo->stats().tasks, 0u);
    }
    EXPECT_FALSE(import(file).why);
}

TEST_F(ImportFiles, TwoImportsOfOneInputAtOnceMakeOneJob) {
    sandbox::sandbox_options o;
    o.latency = 20ms;
    start({}, o);
    const auto file = write(2, 500);
    notes silent;
    stop_control unstopped;
    const environment second_env{settings, key, core::system_clock(), unstopped, silent, 43};
    report second;
    std::thread other([&] { second = import_files(second_env, {{file}, 0, false}); });
    const auto first = import(file);
    other.join();
    for (const auto& r : {first, second})
        EXPECT_TRUE(!r.why || r.why->code == errc::job_held) << r.why->text;
    EXPECT_TRUE(!first.why || !second.why);
    // Who came too late is told that the job is held; planned at once, its number may be either.
    if (first.job && second.job) {
        EXPECT_EQ(*first.job, *second.job);
    }
    const auto stats = apollo->stats();
    EXPECT_EQ(stats.tasks, 1000u);
    EXPECT_EQ(stats.tasks_twice, 0u);
    EXPECT_EQ(creates(), 10u);
}

TEST_F(ImportFiles, ACancelledJobSendsNothingMore) {
    start();
    const auto right = key;
    key = core::secret("wrong");
    const auto unfinished = import(write(1, 200));
    key = right;
    const auto r = cancel_job(env(), unfinished.job.value());
    EXPECT_FALSE(r.why);
    EXPECT_EQ(r.state, report_state::completed);
    EXPECT_EQ(r.rows.failed, 200u);
    EXPECT_EQ(creates(), 0u);
    const auto retried = retry_job(env(), *unfinished.job, unknown_rows::keep);
    EXPECT_FALSE(retried.why);
    EXPECT_EQ(retried.rows.created, 200u);
}

// Killed in the middle of a retry, the job must not look finished to the next run.
TEST_F(ImportFiles, AJobThatIsRetriedIsUnfinishedUntilTheRetryIsDone) {
    sandbox::sandbox_options o;
    o.latency = 300ms;
    start({"422@1"}, o);
    const auto failed = import(write(1, 1));
    ASSERT_EQ(failed.rows.failed, 1u);
    std::vector<core::job_state> states;
    watch.each = [&](const progress& p) {
        if (p.phase == phase::reading || p.rows.pending == 0) return;
        states.push_back(ledger::open_ledger(settings.ledger.path).value()->job(*failed.job).value().state);
    };
    const auto r = retry_job(env(), *failed.job, unknown_rows::keep);
    EXPECT_EQ(r.rows.created, 1u);
    EXPECT_THAT(states, ::testing::Not(IsEmpty()));
    EXPECT_THAT(states, ::testing::Each(core::job_state::parked));
}

TEST_F(ImportFiles, AnApolloThatIsNotThereIsTold) {
    start();
    apollo->stop();
    settings.send.max_wait = 6s;
    const auto r = import(write(1, 50));
    ASSERT_TRUE(r.why);
    EXPECT_EQ(r.why->code, errc::unreachable);
    EXPECT_EQ(r.state, report_state::parked);
    EXPECT_EQ(r.rows.pending, 50u);
    EXPECT_EQ(r.requests.requests, 0u);
}

}  // namespace
}  // namespace taskbarge::job
