// What log and metrics hear of a run while it goes on, by a clock that stands still.
#include "service/work/board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace taskbarge::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Board : public ::testing::Test {
 protected:
    job::progress waiting(std::chrono::milliseconds how_long) const {
        job::progress p;
        p.job = 7;
        p.phase = job::phase::waiting;
        p.rows.rows = 10;
        p.rows.created = 4;
        p.rows.pending = 6;
        p.waiting_for = "the hour window of tasks/bulk_create";
        p.waiting_until = clock_.now() + how_long;
        return p;
    }
    // What the log is told meanwhile.
    template <class Work>
    static std::string logged(Work work) {
        ::testing::internal::CaptureStderr();
        work();
        return ::testing::internal::GetCapturedStderr();
    }
    std::string waited() {
        const auto all = counts_.text({});
        const std::string name = "\ntaskbarge_wait_seconds_total ";
        const auto at = all.find(name) + name.size();
        return all.substr(at, all.find('\n', at) - at);
    }

    testing::manual_clock clock_;
    metrics counts_{"0"};
    log lines_{core::log_settings{}};
    board board_{lines_, counts_, [](const std::string&, core::job_id, const std::string&) {}, clock_};
};

TEST_F(Board, ALongWaitIsToldOnceWithItsReasonAndEnd) {
    board::run run(board_, 7);
    const auto first = logged([&] { run.on_progress(waiting(50min)); });
    EXPECT_THAT(first, AllOf(HasSubstr("info"), HasSubstr("job_waiting job=7"), HasSubstr("hour window"),
                             HasSubstr("until=2026-09-21T15:03:20Z"), HasSubstr("pending=6")));
    clock_.advance(1min);
    EXPECT_EQ(logged([&] { run.on_progress(waiting(49min)); }), "") << "the same wait";
    EXPECT_THAT(logged([&] { run.on_progress(waiting(2h)); }), HasSubstr("job_waiting"));
}

TEST_F(Board, AShortWaitIsPartOfSending) {
    board::run run(board_, 7);
    EXPECT_EQ(logged([&] { run.on_progress(waiting(9s)); }), "");
}

TEST_F(Board, ARunOfWhichNothingWasHeardForMinutesIsTold) {
    board::run run(board_, 7);
    auto p = waiting(1s);
    p.phase = job::phase::sending;
    EXPECT_EQ(logged([&] {
                  run.on_progress(p);
                  clock_.advance(4min);
                  board_.log_progress();
              }),
              "");
    clock_.advance(1min);
    const auto told = logged([&] { board_.log_progress(); });
    EXPECT_THAT(told,
                AllOf(HasSubstr("job_progress job=7 phase=sending"), HasSubstr("created=4"), HasSubstr("pending=6")));
    EXPECT_EQ(logged([&] { board_.log_progress(); }), "") << "not again for minutes";
}

TEST_F(Board, TheTimeOfAWaitIsCountedWhileItWaits) {
    board::run run(board_, 7);
    run.on_progress(waiting(1s));
    clock_.advance(30s);
    EXPECT_EQ(waited(), "0") << "nobody asked";
    board_.count_waits();
    EXPECT_EQ(waited(), "30");
    clock_.advance(10s);
    auto p = waiting(1s);
    p.phase = job::phase::sending;
    run.on_progress(p);
    EXPECT_EQ(waited(), "40");
    clock_.advance(10s);
    board_.count_waits();
    EXPECT_EQ(waited(), "40") << "it sends";
}

TEST_F(Board, ANoticeOfNoJobNamesNone) {
    board::run run(board_, 0);
    EXPECT_THAT(logged([&] { run.on_notice("not used: Name"); }), AllOf(HasSubstr("notice"), Not(HasSubstr("job="))));
}

}  // namespace
}  // namespace taskbarge::service
