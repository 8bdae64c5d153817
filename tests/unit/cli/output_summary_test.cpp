#include "cli/output_summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace job = taskbarge::job;
using cli::exit_code;
using testing::HasSubstr;
using testing::Not;

const core::instant now = *core::parse_rfc3339("2026-11-23T10:00:00Z");

job::report finished() {
    job::report r;
    r.job = 7;
    r.state = job::report_state::completed;
    r.rows = {2000, 1950, 20, 27, 2, 1, 0};
    r.requests = {5, 20, 21, 1, 0};
    r.requests_this_run = 21;
    r.elapsed = std::chrono::milliseconds(3200);
    return r;
}

TEST(SumLine, IsTheSumThatTheProgramPromises) {
    EXPECT_EQ(cli::sum_line(finished().rows),
              "rows 2,000 = created 1,950 + duplicate 20 + rejected 27 + failed 2 + unknown 1 + pending 0");
}

TEST(SumLine, SaysWhenItDoesNotAddUp) {
    EXPECT_THAT(cli::sum_line({3, 1, 0, 0, 0, 0, 0}), HasSubstr("these make 1: rows are missing, this is a bug"));
}

TEST(JobSummary, OfAJobWithExceptionsSaysWhatAndHowToGoOn) {
    const std::vector<taskbarge::ledger::reason_count> reasons{
        {core::row_state::rejected, "bad_contact_id", 27, 17, "\"x\" is no id\x1b[2J"}};
    const auto text = cli::job_summary(finished(), exit_code::done_partly, reasons, " --config c.toml", now);
    EXPECT_THAT(text, testing::StartsWith("Job 7 is finished, with exceptions.\n  rows 2,000 = created 1,950"));
    EXPECT_THAT(text, HasSubstr("requests 21 (at least 20, for 5 groups), 1 repeated, 0 rate-limited; 21 in this run"));
    EXPECT_THAT(text, HasSubstr("bad_contact_id"));
    EXPECT_THAT(text, HasSubstr("row 17: \"x\" is no id [2J\n"));
    EXPECT_THAT(text, HasSubstr("taskbarge results 7 --rejects -o rejects-7 --config c.toml"));
    EXPECT_THAT(text, HasSubstr("taskbarge retry 7 --config c.toml"));
    EXPECT_THAT(text, HasSubstr("taskbarge verify 7 --config c.toml"));
    EXPECT_THAT(text, Not(HasSubstr("resume")));
}

TEST(JobSummary, OfAJobThatWentWellIsShort) {
    auto r = finished();
    r.rows = {20, 20, 0, 0, 0, 0, 0};
    const auto text = cli::job_summary(r, exit_code::done, {}, "", now);
    EXPECT_THAT(text, testing::StartsWith("Job 7 is finished.\n"));
    EXPECT_THAT(text, Not(HasSubstr("What you can do")));
    r.already_finished = true;
    EXPECT_THAT(cli::job_summary(r, exit_code::done, {}, "", now), HasSubstr("finished before"));
}

TEST(JobSummary, OfAParkedJobSaysUntilWhen) {
    auto r = finished();
    r.state = job::report_state::parked;
    r.rows = {20, 10, 0, 0, 0, 0, 10};
    r.resume_at = now + std::chrono::hours(1);
    r.unfinished_jobs = {3, 9};
    const auto text = cli::job_summary(r, exit_code::parked, {}, "", now);
    EXPECT_THAT(text, HasSubstr("Job 7 is parked. It can go on at 11:00:00 UTC (in 1h 00m)."));
    EXPECT_THAT(text, HasSubstr("taskbarge resume 7"));
    EXPECT_THAT(text, HasSubstr("Unfinished jobs: 3, 9."));
    r.resume_at.reset();
    EXPECT_THAT(cli::job_summary(r, exit_code::parked, {}, "", now), testing::StartsWith("Job 7 is parked.\n"));
}

TEST(StopLine, SaysWhyAndHowToGoOn) {
    auto r = finished();
    r.state = job::report_state::parked;
    r.why = core::failure{core::errc::interrupted, "stopped by a signal"};
    EXPECT_EQ(cli::stop_line(r, " --ledger l.db"),
              "job 7: stopped by a signal; to go on: taskbarge resume 7 --ledger l.db");
    r.state = job::report_state::failed;
    r.why = core::failure{core::errc::internal, "impossible"};
    EXPECT_EQ(cli::stop_line(r, ""), "job 7: impossible (this is a bug)");
    r.job.reset();
    EXPECT_EQ(cli::stop_line(r, ""), "impossible (this is a bug)");
    r.job = 7;
    r.why->text = "job 7 is held";
    EXPECT_EQ(cli::stop_line(r, ""), "job 7 is held (this is a bug)");
}

TEST(RepeatedOptions, FindTheSameLedgerAndSettings) {
    cli::options o;
    EXPECT_EQ(cli::repeated_options(o), "");
    o.config = "my settings.toml";
    o.named = {{"ledger.path", "/l.db"}, {"import.format", "csv"}, {"apollo.ca_file", "ca.pem"}};
    o.sets = {"apollo.team=a b"};
    EXPECT_EQ(cli::repeated_options(o),
              " --config 'my settings.toml' --ledger /l.db --ca-file ca.pem --set 'apollo.team=a b'");
}

}  // namespace
