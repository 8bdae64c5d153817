#include "cli/output_prune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace ledger = taskbarge::ledger;
using ledger::prune_bar;
using testing::HasSubstr;

ledger::prune_candidate job(core::job_id id, std::uint64_t rows, prune_bar why_not = prune_bar::none) {
    ledger::prune_candidate out;
    out.job = id;
    out.finished_at = *core::parse_rfc3339("2026-05-01T04:05:06.789Z");
    out.totals.rows.rows = rows;
    out.totals.rows.unknown = 12;
    out.why_not = why_not;
    return out;
}

cli::prune_report report() {
    cli::prune_report r;
    r.finished_before = *core::parse_rfc3339("2026-08-25T10:00:00Z");
    r.pruned = {job(1, 1000), job(3, 1)};
    r.kept = {job(4, 9, prune_bar::unknown_rows), job(5, 9, prune_bar::held), job(6, 9, prune_bar::look_up)};
    r.bytes_before = 90'000'000;
    r.bytes_after = 15'000'000;
    return r;
}

TEST(PruneText, SaysWhatIsGoneAndWhatStaysAndWhy) {
    EXPECT_EQ(cli::prune_text(report()),
              "Pruned 2 jobs with 1,001 rows that finished before 2026-08-25T10:00:00Z:\n"
              "  job 1, finished 2026-05-01T04:05:06Z, 1,000 rows\n"
              "  job 3, finished 2026-05-01T04:05:06Z, 1 row\n"
              "Rows, texts and requests are gone; sums, identities and de-duplication keys stay.\n"
              "Job 4 stays: 12 rows are unknown; settle them (taskbarge verify 4), or give --with-unknown.\n"
              "Job 5 stays: a process works on it.\n"
              "Job 6 stays: unfinished look-ups of another job need its tasks.\n"
              "The ledger has 15.0 MB instead of 90.0 MB.\n");
}

TEST(PruneText, OfADryRunSaysWouldAndOfForgottenKeysSaysSo) {
    auto r = report();
    r.dry_run = r.forget_keys = true;
    const auto text = cli::prune_text(r);
    EXPECT_THAT(text, testing::StartsWith("Would prune 2 jobs"));
    EXPECT_THAT(text, HasSubstr("Rows, texts and requests would go; sums stay.\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("The ledger has")));
}

TEST(PruneText, SaysThatThereWasNothingToDo) {
    cli::prune_report r;
    r.finished_before = *core::parse_rfc3339("2026-08-25T10:00:00Z");
    EXPECT_EQ(cli::prune_text(r), "No job that finished before 2026-08-25T10:00:00Z was to be pruned.\n");
}

TEST(PruneJson, HoldsTheWholeContract) {
    auto r = report();
    r.pruned.resize(1);
    r.kept.resize(1);
    r.why = core::failure{core::errc::interrupted, "interrupted"};
    EXPECT_EQ(
        cli::prune_json(r, "/l.db", cli::exit_code::parked),
        R"({"dry_run":false,"finished_before":"2026-08-25T10:00:00.000Z","forget_keys":false,"contacts_forgotten":false,)"
        R"("pruned":[{"job":1,"finished_at":"2026-05-01T04:05:06.789Z","rows":1000,"pruned_before":false,)"
        R"("why":null}],"kept":[{"job":4,"finished_at":"2026-05-01T04:05:06.789Z","rows":9,)"
        R"("pruned_before":false,"why":"unknown_rows"}],"rows":1000,"bytes_before":90000000,)"
        R"("bytes_after":15000000,"ledger":"/l.db","exit_code":75,"error_code":"interrupted",)"
        R"("error":"interrupted"})"
        "\n");
}

}  // namespace
