#include "taskbarge/report/exit_code.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace {

namespace reports = taskbarge::report;
namespace core = taskbarge::core;
using core::errc;
using reports::exit_code;
using taskbarge::job::report;
using taskbarge::job::report_state;

report finished(core::row_counts rows) {
    report r;
    r.job = 1;
    r.state = report_state::completed;
    r.rows = rows;
    return r;
}

TEST(ExitCode, FollowsFromTheKindOfFailure) {
    const std::pair<errc, int> expected[] = {{errc::usage, 64},
                                             {errc::settings, 78},
                                             {errc::all_refused, 78},
                                             {errc::input, 65},
                                             {errc::too_many_rejects, 65},
                                             {errc::ledger, 78},
                                             {errc::ledger_full, 75},
                                             {errc::job_held, 75},
                                             {errc::no_such_job, 64},
                                             {errc::no_key, 77},
                                             {errc::unauthorized, 77},
                                             {errc::forbidden, 77},
                                             {errc::unreachable, 69},
                                             {errc::interrupted, 75},
                                             {errc::waiting, 75},
                                             {errc::paused, 75},
                                             {errc::io, 75},
                                             {errc::internal, 70}};
    for (const auto& [code, number] : expected) {
        EXPECT_EQ(static_cast<int>(reports::exit_code_of(code)), number) << static_cast<int>(code);
    }
}

TEST(ExitCode, IsTwoWhenADuplicatesContactHasNoTask) {
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 1, 0, 0, 0, 0, 1, 0, 0})), exit_code::done_partly);
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 1, 0, 0, 0, 0, 0, 1, 0})), exit_code::done_partly);
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 1, 0, 0, 0, 0, 0, 0, 1})), exit_code::done_partly);
}

TEST(ExitCode, IsZeroOnlyWhenEveryRowIsCreatedOrDuplicate) {
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 1, 0, 0, 0, 0})), exit_code::done);
    EXPECT_EQ(reports::exit_code_of(finished({0, 0, 0, 0, 0, 0, 0})), exit_code::done);
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 0, 1, 0, 0, 0})), exit_code::done_partly);
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 0, 0, 1, 0, 0})), exit_code::done_partly);
    EXPECT_EQ(reports::exit_code_of(finished({3, 2, 0, 0, 0, 1, 0})), exit_code::done_partly);
}

TEST(ExitCode, OfAnUnfinishedJobIsNeverZeroOrTwo) {
    auto r = finished({3, 3, 0, 0, 0, 0, 0});
    r.state = report_state::parked;
    EXPECT_EQ(reports::exit_code_of(r), exit_code::parked);
    r = finished({3, 2, 0, 0, 0, 0, 1});
    EXPECT_EQ(reports::exit_code_of(r), exit_code::bug) << "completed with pending rows";
    r.state = report_state::failed;
    EXPECT_EQ(reports::exit_code_of(r), exit_code::bug) << "failed without saying why";
    r.why = core::failure{errc::unauthorized, "401"};
    EXPECT_EQ(reports::exit_code_of(r), exit_code::no_right);
}

TEST(ExitCode, RowsThatDoNotAddUpAreABugWhateverElseIsSaid) {
    auto r = finished({3, 2, 0, 0, 0, 0, 0});
    EXPECT_EQ(reports::exit_code_of(r), exit_code::bug);
    r.state = report_state::parked;
    r.why = core::failure{errc::waiting, "window"};
    EXPECT_EQ(reports::exit_code_of(r), exit_code::bug);
}

TEST(ExitCode, OfAPlanIsZeroOrTwo) {
    auto r = finished({3, 0, 1, 0, 0, 0, 2});
    r.state = report_state::planned;
    EXPECT_EQ(reports::exit_code_of(r), exit_code::done);
    r.rows.rejected = 1;
    r.rows.pending = 1;
    EXPECT_EQ(reports::exit_code_of(r), exit_code::done_partly);
}

TEST(ExitCode, OfSeveralJobsIsTheOneThatMostNeedsAPerson) {
    EXPECT_EQ(reports::worse(exit_code::done, exit_code::done_partly), exit_code::done_partly);
    EXPECT_EQ(reports::worse(exit_code::parked, exit_code::done_partly), exit_code::parked);
    EXPECT_EQ(reports::worse(exit_code::no_right, exit_code::parked), exit_code::no_right);
    EXPECT_EQ(reports::worse(exit_code::parked, exit_code::unreachable), exit_code::unreachable);
    EXPECT_EQ(reports::worse(exit_code::bug, exit_code::settings), exit_code::bug);
    EXPECT_EQ(reports::worse(exit_code::done, exit_code::done), exit_code::done);
}

TEST(ExitCode, TellsTheStateOfACommandWithoutAJob) {
    EXPECT_EQ(reports::state_of(exit_code::parked), report_state::parked);
    EXPECT_EQ(reports::state_of(exit_code::unreachable), report_state::parked);
    for (const auto code : {exit_code::input, exit_code::bug, exit_code::no_right, exit_code::settings})
        EXPECT_EQ(reports::state_of(code), report_state::failed);
}

}  // namespace
