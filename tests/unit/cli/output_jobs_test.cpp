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
    auto later = parked_job();
    later.record.id = 12;
    later.record.state = core::job_state::completed;
    later.totals.rows = {300, 0, 300, 0, 0, 0, 0};
    EXPECT_EQ(
        cli::jobs_table({parked_job(), later}, now),
        "JOB  STATE       ROWS  CREATED  DUPLICATE  PROBLEMS  PENDING  GOES ON       MADE                  FILES\n"
        "  7  parked     1,000      400          0         8      592  10:05:00 UTC  2026-11-23T09:00:00Z  a.csv, "
        "b.csv\n"
        " 12  completed    300        0        300         0        0                2026-11-23T09:00:00Z  a.csv, "
        "b.csv\n");
    EXPECT_EQ(cli::jobs_table({}, now), "There are no jobs yet.\n");
}

TEST(JobsTable, LeavesColumnsOutWhereATerminalIsNarrow) {
    auto job = parked_job();
    job.record.files = {"a-file-with-quite-a-long-name-for-a-terminal.csv"};
    const auto at = [&job](std::size_t columns) {
        cli::style look;
        look.columns = columns;
        look.zone = "America/New_York";
        return cli::jobs_table({job}, now, look);
    };
    EXPECT_EQ(at(60),
              "JOB  STATE    ROWS  CREATED  PROBLEMS  PENDING  FILES\n"
              "  7  parked  1,000      400         8      592  a-file-wi...\n");
    EXPECT_THAT(at(0), HasSubstr("2026-11-23 04:00:00  a-file-with-quite-a-long-name-for-a-terminal.csv\n"));
    EXPECT_THAT(at(90), HasSubstr("DUPLICATE"));
    EXPECT_THAT(at(30), HasSubstr("  7  parked  1,000      400  a...")) << "what must be there is there";
}

TEST(JobsTable, ShowsProblemsInRed) {
    cli::style look;
    look.colours = true;
    auto job = parked_job();
    job.record.state = core::job_state::failed;
    EXPECT_THAT(cli::jobs_table({job}, now, look), HasSubstr("  7  \x1b[31mfailed\x1b[0m  1,000      400"));
    EXPECT_THAT(cli::jobs_table({job}, now, look), HasSubstr("\x1b[31m       8\x1b[0m"));
}

TEST(JobWords, ChooseJobsByTheStateThatPeopleSee) {
    using word = cli::job_word;
    auto job = parked_job().record;
    EXPECT_TRUE(cli::is_wanted(job, {}));
    EXPECT_TRUE(cli::is_wanted(job, {word::completed, word::parked}));
    EXPECT_TRUE(cli::is_wanted(job, {word::unfinished}));
    EXPECT_FALSE(cli::is_wanted(job, {word::running, word::failed, word::completed, word::planning, word::pruned}));
    job.held = true;
    EXPECT_TRUE(cli::is_wanted(job, {word::running}));
    EXPECT_FALSE(cli::is_wanted(job, {word::parked}));
    job.held = false;
    job.state = core::job_state::completed;
    EXPECT_FALSE(cli::is_wanted(job, {word::unfinished}));
    job.pruned_at = now;
    EXPECT_TRUE(cli::is_wanted(job, {word::pruned}));
}

TEST(JobsTable, SaysRunningWhileAProcessHoldsTheJob) {
    auto job = parked_job();
    job.record.held = true;
    EXPECT_THAT(cli::jobs_table({job}, now), HasSubstr("running"));
}

TEST(StatusText, SaysWhatIsLeftOfAPrunedJob) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    s.job.record.state = core::job_state::completed;
    s.job.record.pruned_at = now;
    EXPECT_THAT(cli::jobs_table({s.job}, now), HasSubstr("  7  pruned  "));
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

TEST(StatusText, SaysThatThereAreOtherReasonsAndHowToGetTheRows) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    const std::string same(150, 'x');
    for (std::uint64_t i = 0; i < cli::most_reasons_in_status; ++i)
        s.reasons.push_back({core::row_state::failed, "code_" + std::to_string(i), 20 - i, 9, same});
    s.steps = {{"taskbarge results 7 --only failed", "To see the rows"}};
    auto text = cli::status_text(s, now);
    EXPECT_THAT(text, testing::Not(HasSubstr("other reasons")));
    EXPECT_THAT(text, testing::EndsWith("To see the rows:\n    taskbarge results 7 --only failed\n"));
    EXPECT_EQ(text.find(same), text.rfind(same)) << "not ten times";
    EXPECT_THAT(text, HasSubstr("code_1                  e.g. row 9: as above\n"));
    s.reasons.push_back({core::row_state::failed, "one_more", 1, 9, "z"});
    text = cli::status_text(s, now);
    EXPECT_THAT(text, HasSubstr("  and other reasons\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("one_more")));
}

TEST(StatusText, PutsLongMessagesBelowWhereATerminalIsNarrow) {
    cli::job_status s{parked_job(), {}, {}, {}, {}};
    s.reasons = {{core::row_state::failed, "refused_422", 1, 9, "this contact belongs to another team, says Apollo"}};
    cli::style look;
    look.columns = 60;
    EXPECT_THAT(
        cli::status_text(s, now, look),
        HasSubstr("          1  failed    refused_422           \n             e.g. row 9: this contact belongs to "
                  "another\n             team, says Apollo\n"));
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
