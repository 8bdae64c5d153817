#include "service/telemetry/metrics.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>
#include <vector>

namespace taskbarge::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// A line of the text.
auto has_line(const std::string& line) {
    return HasSubstr("\n" + line + "\n");
}

core::rate_book minute_book(const core::rate_window& window) {
    core::rate_book book;
    book[core::window_kind::minute] = window;
    return book;
}

core::rate_window window_of(std::uint64_t limit, std::uint64_t used, std::optional<core::instant> ends_at = {},
                            bool shut = false) {
    core::rate_window window;
    window.limit = limit;
    window.used = used;
    window.ends_at = ends_at;
    window.shut = shut;
    return window;
}

class Metrics : public ::testing::Test {
 protected:
    metrics m_{"1.2.3"};
    gauges now_;
    std::string text() { return m_.text(now_); }

    // What is told of one minute window as left.
    std::string left(const core::rate_window& window) {
        now_.now = core::instant(1'000'000ms);
        now_.windows = {{"r", minute_book(window)}};
        const std::string all = text();
        const std::string name = "taskbarge_apollo_rate_limit_left_requests{route=\"r\",window=\"minute\"} ";
        const auto at = all.find(name);
        if (at == std::string::npos) return "absent";
        return all.substr(at + name.size(), all.find('\n', at) - at - name.size());
    }
};

TEST_F(Metrics, WhatCanBeCountedIsThereFromTheStart) {
    const std::string all = text();
    EXPECT_THAT(all, has_line("taskbarge_rows_total{state=\"created\"} 0"));
    EXPECT_THAT(all, has_line("taskbarge_notifications_total{outcome=\"given_up\"} 0"));
    EXPECT_THAT(all, has_line("taskbarge_run_duration_seconds_count{state=\"parked\"} 0"));
    EXPECT_THAT(all, has_line("taskbarge_apollo_requests_total 0"));
    EXPECT_THAT(all, has_line("taskbarge_build_info{version=\"1.2.3\"} 1"));
}

TEST_F(Metrics, WhatIsGoneIsNotToldAnyMore) {
    core::row_counts rows;
    rows.pending = 3;
    now_.rows_by_job_state = {{"parked", rows}};
    now_.jobs_by_state = {{"parked", 1}};
    now_.windows = {{"old/route", minute_book(window_of(10, 0))}};
    EXPECT_THAT(text(), has_line("taskbarge_ledger_rows{job_state=\"parked\",state=\"pending\"} 3"));
    now_.rows_by_job_state = {{"completed", {}}};
    now_.jobs_by_state.clear();
    now_.windows.clear();
    const std::string later = text();
    EXPECT_THAT(later, Not(HasSubstr("parked\",state=\"pending\"")));
    EXPECT_THAT(later, Not(HasSubstr("old/route")));
    EXPECT_THAT(later, Not(HasSubstr("taskbarge_ledger_jobs")));
    EXPECT_THAT(later, has_line("taskbarge_ledger_rows{job_state=\"completed\",state=\"pending\"} 0"));
}

TEST_F(Metrics, RowsThatAreStillPendingAreNotCounted) {
    core::row_counts more;
    more.rows = 10;
    more.created = 4;
    more.pending = 6;
    m_.add_rows(more);
    m_.add_rows(more);
    const std::string all = text();
    EXPECT_THAT(all, has_line("taskbarge_rows_read_total 20"));
    EXPECT_THAT(all, has_line("taskbarge_rows_total{state=\"created\"} 8"));
    EXPECT_THAT(all, Not(HasSubstr("state=\"pending\"")));
}

TEST_F(Metrics, StatusesThatNoServerShouldSendShareOneLabel) {
    for (const int status : {0, 200, 99, 600, -1, 70000})
        m_.answer(status, 1ms);
    const std::string all = text();
    EXPECT_THAT(all, has_line("taskbarge_apollo_answers_total{status=\"none\"} 1"));
    EXPECT_THAT(all, has_line("taskbarge_apollo_answers_total{status=\"200\"} 1"));
    EXPECT_THAT(all, has_line("taskbarge_apollo_answers_total{status=\"other\"} 4"));
}

TEST_F(Metrics, WindowThatIsOpenHasLeftWhatWasNotUsed) {
    const core::instant later(1'000'001ms), now(1'000'000ms);
    EXPECT_EQ(left(window_of(200, 150, later)), "50");
    EXPECT_EQ(left(window_of(200, 250, later)), "0");
    EXPECT_EQ(left(window_of(200, 150, now)), "200") << "it has ended";
    EXPECT_EQ(left(window_of(200, 1, later, true)), "0");
    EXPECT_EQ(left(window_of(200, 1, now, true)), "200");
    EXPECT_EQ(left(window_of(200, 1)), "199");
    auto window = window_of(5, 1);
    window.unlimited = true;
    EXPECT_EQ(left(window), "absent");
    window = core::rate_window();
    window.used = 1;
    EXPECT_EQ(left(window), "absent") << "its limit is not known";
}

TEST_F(Metrics, ProcessIsDescribedByTheUsualNames) {
    const std::string all = text();
    for (const char* name : {"process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds",
                             "process_max_fds", "process_cpu_seconds_total"})
        EXPECT_THAT(all, HasSubstr("\n" + std::string(name) + " "));
}

TEST_F(Metrics, CountsOfManyThreadsAddUpWhileTheyAreAskedFor) {
    constexpr int threads = 4, each = 500;
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([this] {
            for (int i = 0; i < each; ++i) {
                m_.http_served("GET /healthz", 200, 10us);
                m_.item_taken("inbox");
                m_.ledger_commit(1ms);
                if (i % 100 != 0) continue;
                EXPECT_THAT(m_.text({}), HasSubstr("taskbarge_items_taken_total"));
            }
        });
    for (auto& t : all)
        t.join();
    EXPECT_THAT(text(), has_line("taskbarge_http_requests_total{route=\"GET /healthz\",status=\"200\"} 2000"));
    EXPECT_THAT(text(), has_line("taskbarge_ledger_commit_duration_seconds_count 2000"));
}

TEST_F(Metrics, WhatSomebodyIsCalledForIsTold) {
    const std::string nothing_yet = text();
    EXPECT_THAT(nothing_yet, has_line("taskbarge_ready 0"));
    EXPECT_THAT(nothing_yet, Not(HasSubstr("taskbarge_failed_items")));
    EXPECT_THAT(nothing_yet, Not(HasSubstr("timestamp_seconds")));
    now_.ready = true;
    now_.items_failed = 2;
    now_.oldest_unfinished = core::instant(1'790'000'000'500ms);
    now_.last_finished = core::instant(1'790'000'001'000ms);
    const std::string all = text();
    EXPECT_THAT(all, has_line("taskbarge_ready 1"));
    EXPECT_THAT(all, has_line("taskbarge_failed_items 2"));
    EXPECT_THAT(all, has_line("taskbarge_oldest_unfinished_job_timestamp_seconds 1790000000.5"));
    EXPECT_THAT(all, has_line("taskbarge_last_finished_job_timestamp_seconds 1790000001"));
}

}  // namespace
}  // namespace taskbarge::service
