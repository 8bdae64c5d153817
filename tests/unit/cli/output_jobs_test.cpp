#include "cli/output_jobs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace ledger = taskbarge::ledger;
using testing::HasSubstr;

const core::instant now = *core::parse_rfc3339("2026-11-23T10:00:00Z");

cli::job_line parked_job() {
    cli::job_line line;
    line.record.id = 7;
    line.record.state = core::job_state::parked;
    line.record.files = {"a.csv", "b.csv"};
    line.record.identity.base_url = "https://api.apollo.io/api/v1";
    line.record.identity.team = "default";
    line.record.created_at = now - std::chrono::hours(1);
    line.record.resume_at = now + std::chrono::minutes(5);
    line.record.stop_message = "the day window is used up";
    line.totals.rows = {1000, 400, 0, 5, 1, 2, 592};
    return line;
}

TEST(JobsTable, HasALineForEachJob) {
    const auto text = cli::jobs_table({parked_job()});
    EXPECT_THAT(text, HasSubstr("JOB  STATE"));
    EXPECT_THAT(text, HasSubstr("    7  parked           1,000          400          8          592  "
                                "2026-11-23T09:00:00Z  a.csv, b.csv\n"));
    EXPECT_EQ(cli::jobs_table({}), "There are no jobs yet.\n");
}

TEST(JobsTable, SaysRunningWhileAProcessHoldsTheJob) {
    auto job = parked_job();
    job.record.held = true;
    EXPECT_THAT(cli::jobs_table({job}), HasSubstr("running"));
}

TEST(StatusText, SaysWhatIsLeftOfAPrunedJob) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    s.job.record.state = core::job_state::completed;
    s.job.record.pruned_at = now;
    EXPECT_THAT(cli::jobs_table({s.job}), HasSubstr("    7  pruned  "));
    auto text = cli::status_text(s, now);
    EXPECT_THAT(text, testing::StartsWith("Job 7: pruned\n"));
    EXPECT_THAT(text, HasSubstr("pruned    2026-11-23T10:00:00Z: its rows and requests are gone; its sums and its "
                                "de-duplication keys are left\n"));
    s.job.record.keys_forgotten = true;
    text = cli::status_text(s, now);
    EXPECT_THAT(text, HasSubstr("are gone; its sums are left\n"));
}

TEST(StatusText, TellsWhatTheJobWaitsForAndItsWindows) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    s.reasons = {{core::row_state::failed, "not_isolated", 1, 9, "refused"}};
    s.books.emplace_back("tasks/bulk_create", core::rate_book{});
    s.expected_end = now + std::chrono::hours(2);
    const auto text = cli::status_text(s, now);
    EXPECT_THAT(text, testing::StartsWith("Job 7: parked\n"));
    EXPECT_THAT(text, HasSubstr("stopped   the day window is used up\n"));
    EXPECT_THAT(text, HasSubstr("waits     until 10:05:00 UTC (in 5m 00s)\n"));
    EXPECT_THAT(text, HasSubstr("rows 1,000 = created 400"));
    EXPECT_THAT(text, HasSubstr("not_isolated"));
    EXPECT_THAT(text, HasSubstr("Rate windows of tasks/bulk_create:\n  minute not known yet\n"));
    EXPECT_THAT(text, HasSubstr("Expected end: 12:00:00 UTC (in 2h 00m)\n"));
}

TEST(StatusText, ListsRequestsWhenAskedFor) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    ledger::attempt_record a;
    a.id = 3;
    a.chunk = 12;
    a.started_at = now;
    a.report.what = ledger::attempt_result::doubtful;
    a.report.finished_at = now + std::chrono::seconds(60);
    a.report.code = "timeout";
    a.report.message = "no answer";
    a.report.evidence = "request: POST tasks/bulk_create {}\nanswer: <html>\n<b>\x1b[2J\nrepeated contact c, task t";
    s.attempts = {a};
    a.id = 4;
    a.report.what = ledger::attempt_result::open;
    s.attempts.push_back(a);
    const auto text = cli::status_text(s, now);
    EXPECT_THAT(text, HasSubstr("     3  chunk 12      2026-11-23T10:00:00.000Z  doubtful     -    1m 00s  "
                                "timeout: no answer\n"
                                "          request: POST tasks/bulk_create {}\n"
                                "          answer: <html> <b> [2J\n"
                                "          repeated contact c, task t\n"));
    EXPECT_THAT(text, HasSubstr("     4  chunk 12      2026-11-23T10:00:00.000Z  open     \n"));
}

}  // namespace
