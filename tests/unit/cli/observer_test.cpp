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

TEST_F(Observer, WritesAPlainLineEveryFiveSeconds) {
    auto watch = make(progress_style::lines);
    watch.on_progress(sending(0));
    EXPECT_EQ(out, "") << "a run that is over at once needs no line";
    clock.pass(4900ms);
    watch.on_progress(sending(100));
    EXPECT_EQ(out, "");
    clock.pass(100ms);
    watch.on_progress(sending(500));
    EXPECT_EQ(out, "taskbarge: sending: 500 of 1,000 rows created, 5 of at least 10 requests, 100 rows/s\n");
    out.clear();
    clock.pass(1s);
    watch.on_progress(sending(600));
    EXPECT_EQ(out, "");
    watch.finish();
    EXPECT_EQ(out, "");
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
    EXPECT_THAT(out, testing::StartsWith("\r\x1b[Ksending: 0 of 1,000 rows"));
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
    EXPECT_EQ(out, "\r\x1b[Ksending: 0 of 1,...");
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

TEST(ProgressLine, OfReadingKnowsTheShareWhereTheSizeIsKnown) {
    job::progress p;
    p.rows.rows = 1234;
    p.bytes_read = 450;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 450 bytes");
    p.bytes_total = 1000;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 45% of 1.0 kB");
    p.bytes_read = 2000;
    EXPECT_EQ(cli::progress_line(p, 0, {}), "reading: 1,234 rows, 100% of 1.0 kB");
}

TEST(ProgressLine, OfWaitingSaysForWhatAndUntilWhen) {
    const auto now = *core::parse_rfc3339("2026-11-23T10:00:00Z");
    auto p = sending(500);
    p.phase = job::phase::waiting;
    p.waiting_for = "the hour window of tasks/bulk_create";
    p.waiting_until = now + 20min;
    EXPECT_EQ(cli::progress_line(p, 0, now),
              "waiting for the hour window of tasks/bulk_create until 10:20:00 UTC (20m 00s): 500 of 1,000 rows "
              "created, 5 of at least 10 requests");
}

TEST(ProgressLine, NamesWhatWentWrongAndTheTimeLeft) {
    const auto now = *core::parse_rfc3339("2026-11-23T10:00:00Z");
    auto p = sending(500);
    p.rows.failed = 3;
    p.rows.unknown = 2;
    p.expected_end = now + 90s;
    EXPECT_EQ(cli::progress_line(p, 10, now),
              "sending: 500 of 1,000 rows created, 5 of at least 10 requests, 3 failed, 2 unknown, 10 rows/s, about "
              "1m 30s left");
    p.phase = job::phase::stopping;
    p.in_flight = 1;
    EXPECT_THAT(cli::progress_line(p, 10, now), testing::StartsWith("stopping: 1 request in flight, 500 of"));
    p.phase = job::phase::looking_up;
    EXPECT_THAT(cli::progress_line(p, 10, now), testing::StartsWith("looking up 2 unknown rows: 500 of"));
}

}  // namespace
