#include "cli/observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace job = taskbarge::job;
using namespace std::chrono_literals;
using cli::progress_style;
using testing::HasSubstr;

class manual_clock : public core::clock {
 public:
    core::instant now() const override { return wall; }
    std::chrono::steady_clock::time_point steady_now() const override { return steady; }
    void pass(std::chrono::milliseconds d) {
        wall += d;
        steady += d;
    }
    core::instant wall = *core::parse_rfc3339("2026-11-23T10:00:00Z");
    std::chrono::steady_clock::time_point steady{};
};

job::progress sending(std::uint64_t created) {
    job::progress p;
    p.phase = job::phase::sending;
    p.rows = {1000, created, 0, 0, 0, 0, 1000 - created};
    p.requests = {3, 10, created / 100, 0, 0};
    return p;
}

class Observer : public testing::Test {
 protected:
    cli::terminal_observer make(progress_style style) {
        return cli::terminal_observer(
            {style, [this](std::string_view text) { out += text; }, [this] { return width; }, clock});
    }
    manual_clock clock;
    std::string out;
    std::size_t width = 200;
};

TEST_F(Observer, WritesAPlainLineEveryFiveSecondsAtFirst) {
    auto watch = make(progress_style::lines);
    watch.on_progress(sending(0));
    EXPECT_EQ(out, "") << "a run that is over at once needs no line";
    clock.pass(4900ms);
    watch.on_progress(sending(100));
    EXPECT_EQ(out, "");
    clock.pass(100ms);
    watch.on_progress(sending(500));
    EXPECT_EQ(out,
              "taskbarge: 500 of 1,000 rows created (50%), about 5.0 s left, sending, 5 of at least 10 requests, 100 "
              "rows/s\n");
    out.clear();
    clock.pass(1s);
    watch.on_progress(sending(600));
    EXPECT_EQ(out, "");
    watch.finish();
    EXPECT_EQ(out, "");
}

TEST_F(Observer, WritesFewerLinesTheLongerItLasts) {
    auto watch = make(progress_style::lines);
    std::vector<int> lines_in_hour(10, 0);
    auto p = sending(100);
    for (int second = 0; second < 10 * 3600; ++second) {
        // A night of windows that are soon used up.
        p.phase = second % 3600 < 600 ? job::phase::sending : job::phase::waiting;
        watch.on_progress(p);
        clock.pass(1s);
        if (!out.empty()) ++lines_in_hour[static_cast<std::size_t>(second / 3600)];
        out.clear();
    }
    EXPECT_LE(lines_in_hour[0], 30);
    EXPECT_GE(lines_in_hour[0], 15);
    for (std::size_t hour = 1; hour < lines_in_hour.size(); ++hour)
        EXPECT_THAT(lines_in_hour[hour], testing::AllOf(testing::Ge(5), testing::Le(7))) << hour;
}

TEST_F(Observer, TellsOfAStopAtOnce) {
    auto watch = make(progress_style::lines);
    auto p = sending(100);
    for (int second = 0; second < 3600; ++second) {
        watch.on_progress(p);
        clock.pass(1s);
    }
    out.clear();
    p.phase = job::phase::stopping;
    p.in_flight = 2;
    p.waiting_until = clock.wall + 70s;
    watch.on_progress(p);
    EXPECT_THAT(out, testing::StartsWith("taskbarge: stopping: 2 requests in flight, waiting at most 1m 10s; again: do "
                                         "not wait, 100 of 1,000"));
    out.clear();
    clock.pass(1s);
    watch.on_progress(p);
    EXPECT_EQ(out, "") << "once";
}

TEST_F(Observer, WritesALineAMinuteWhileItOnlyWaits) {
    auto watch = make(progress_style::lines);
    auto p = sending(100);
    watch.on_progress(p);
    p.phase = job::phase::waiting;
    int lines = 0;
    for (int second = 0; second < 300; ++second) {
        clock.pass(1s);
        watch.on_progress(p);
        if (!out.empty()) ++lines;
        out.clear();
    }
    EXPECT_EQ(lines, 5);
}

TEST_F(Observer, DrawsOneLineOverAndOverAndTakesItAway) {
    auto watch = make(progress_style::live);
    watch.on_progress(sending(0));
    EXPECT_THAT(out, testing::StartsWith("\r\x1b[K0 of 1,000 rows created (0%), sending"));
    out.clear();
    clock.pass(50ms);
    watch.on_progress(sending(100));
    EXPECT_EQ(out, "") << "not more often than ten times a second";
    clock.pass(50ms);
    watch.on_progress(sending(200));
    EXPECT_THAT(out, HasSubstr("200 of 1,000"));
    EXPECT_THAT(out, testing::Not(HasSubstr("\n")));
    out.clear();
    watch.finish();
    EXPECT_EQ(out, "\r\x1b[K");
}

TEST_F(Observer, KeepsTheLiveLineWithinTheTerminal) {
    auto watch = make(progress_style::live);
    width = 20;
    watch.on_progress(sending(0));
    EXPECT_EQ(out, "\r\x1b[K0 of 1,000 (0%)");
    out.clear();
    clock.pass(1s);
    width = 12;
    watch.on_progress(sending(0));
    EXPECT_EQ(out, "\r\x1b[K0 of 1,0...");
}

TEST_F(Observer, PutsNoticesAboveTheLiveLine) {
    auto watch = make(progress_style::live);
    watch.on_progress(sending(0));
    const auto drawn = out;
    out.clear();
    watch.on_notice("an answer\x1b named a stranger");
    EXPECT_EQ(out, "\r\x1b[Ktaskbarge: an answer  named a stranger\n" + drawn);
}

TEST_F(Observer, IsSilentWhenAskedToBe) {
    auto watch = make(progress_style::none);
    watch.on_progress(sending(0));
    clock.pass(1h);
    watch.on_progress(sending(1));
    watch.on_notice("x");
    watch.finish();
    EXPECT_EQ(out, "");
}

TEST(ReadingLine, KnowsTheShareWhereTheSizeIsKnown) {
    job::progress p;
    p.rows.rows = 1234;
    p.bytes_read = 450;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 450 bytes");
    p.bytes_total = 1000;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 45% of 1.0 kB");
    p.bytes_read = 2000;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 100% of 1.0 kB");
}

class ProgressLine : public testing::Test {
 protected:
    // As at 2 minutes before a window opens.
    static job::progress waiting() {
        job::progress p;
        p.phase = job::phase::waiting;
        p.rows = {5837, 2000, 0, 0, 0, 0, 3837};
        p.requests = {25, 89, 20, 0, 0};
        p.waiting_for = "the hour window of tasks/bulk_create";
        p.waiting_until = now + 2min + 5s;
        p.expected_end = now + 148s;
        return p;
    }
    static std::string at(std::size_t columns, const job::progress& p, double rate = 0) {
        cli::style look;
        look.columns = columns;
        return cli::progress_line(p, rate, now, look);
    }
    inline static const core::instant now = *core::parse_rfc3339("2026-11-23T10:00:00Z");
};

TEST_F(ProgressLine, KeepsCountShareAndTimeLeftAtAnyWidth) {
    const auto p = waiting();
    EXPECT_EQ(at(0, p), at(200, p));
    EXPECT_EQ(at(200, p),
              "2,000 of 5,837 rows created (34%), about 2m 28s left, waiting for the hour window of tasks/bulk_create "
              "until 10:02:05 UTC (2m 05s), 20 of at least 89 requests");
    EXPECT_EQ(at(120, p),
              "2,000 of 5,837 created (34%), 2m 28s left, hour window until 10:02:05 UTC (2m 05s), 20 of 89 requests");
    EXPECT_EQ(at(60, p), "2,000 of 5,837 (34%), 2m 28s left, hour window, 2m");
    EXPECT_EQ(at(40, p), "2,000 of 5,837 (34%), 2m 28s left");
    EXPECT_EQ(at(20, p), "2,000 of 5,837 (34%)");
    for (std::size_t columns = 10; columns < 200; ++columns)
        EXPECT_LE(at(columns, p).size(), columns);
}

TEST_F(ProgressLine, SaysConnectingWithAndWithoutRows) {
    job::progress p;
    p.phase = job::phase::connecting;
    EXPECT_EQ(at(60, p), "connecting");
    p.rows = {1000, 0, 0, 0, 0, 0, 1000};
    EXPECT_EQ(at(60, p), "0 of 1,000 rows created (0%), connecting");
}

TEST_F(ProgressLine, SaysHowLongAStopMayLastAndWhatASecondOneDoes) {
    auto p = waiting();
    p.phase = job::phase::stopping;
    p.in_flight = 8;
    p.waiting_until = now + 70s;
    EXPECT_THAT(at(200, p), testing::StartsWith("stopping: 8 requests in flight, waiting at most 1m 10s; again: do not "
                                                "wait, 2,000 of 5,837 rows created (34%)"));
    EXPECT_EQ(at(60, p), "stopping: 8 in flight, 70 s at most; again: do not wait");
    p.in_flight = 0;
    EXPECT_THAT(at(200, p), testing::StartsWith("stopping, 2,000 of 5,837 rows")) << "nothing to wait for";
    p.in_flight = 1;
    p.waiting_until.reset();
    EXPECT_THAT(at(200, p), testing::StartsWith("stopping: 1 request in flight; again: do not wait, 2,000 of"));
}

TEST_F(ProgressLine, ShowsInRedWhatWentWrong) {
    auto p = sending(500);
    p.rows.failed = 3;
    p.rows.unknown = 2;
    p.expected_end = now + 90s;
    EXPECT_EQ(at(0, p, 10),
              "500 of 1,000 rows created (50%), about 1m 30s left, 3 failed, 2 unknown, sending, 5 of at least 10 "
              "requests, 10 rows/s");
    cli::style coloured;
    coloured.colours = true;
    coloured.columns = 60;
    EXPECT_EQ(cli::progress_line(p, 10, now, coloured),
              "500 of 1,000 (50%), 1m 30s left, \x1b[31m3 failed\x1b[0m, \x1b[31m2 unknown\x1b[0m")
        << "colours take no columns";
    p.phase = job::phase::looking_up;
    EXPECT_EQ(at(60, p), "500 of 1,000 (50%), 1m 30s left, 3 failed");
    EXPECT_THAT(at(200, p), HasSubstr("3 failed, looking up 2 unknown rows, "));
}

TEST_F(ProgressLine, ReckonsTheTimeLeftByTheAnswersWhereTheWindowsAreWide) {
    auto p = sending(500);
    p.expected_end = now;
    EXPECT_THAT(at(60, p, 10), HasSubstr(", 50.0 s left"));
    EXPECT_THAT(at(60, p, 0), testing::Not(HasSubstr("left")));
}

TEST_F(ProgressLine, HasTheLocalTimeWhereThereIsRoom) {
    cli::style look;
    look.zone = "America/New_York";
    EXPECT_THAT(cli::progress_line(waiting(), 0, now, look),
                HasSubstr("until 10:02:05 UTC (05:02:05 America/New_York) (2m 05s)"));
}

}  // namespace
