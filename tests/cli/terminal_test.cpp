// What the program shows on a terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace {

using taskbarge::test::program;
using testing::HasSubstr;

TEST(Terminal, ShowsALiveLineAndTakesItAwayBeforeTheSummary) {
    program p;
    p.file("a.csv",
           "contact_id,user_id,type,priority,status,due_at\n"
           "66302798d03b9601c7934e01,66302798d03b9601c7934ebf,call,high,scheduled,2026-12-01T10:00:00Z\n");
    const auto o = p.run_on_terminal({"plan", "a.csv"}, 40);
    EXPECT_EQ(o.code, 0) << o.out;
    const auto live = o.out.find("\r\x1b[Kreading: ");
    const auto erased = o.out.find("\r\x1b[Ka.csv: csv");
    EXPECT_NE(live, std::string::npos) << o.out;
    EXPECT_NE(erased, std::string::npos) << o.out;
    EXPECT_LT(live, erased);
}

TEST(Terminal, ThatCannotMoveItsCursorGetsPlainLines) {
    program p;
    p.environment["TERM"] = "dumb";
    p.file("a.csv",
           "contact_id,user_id,type,priority,status,due_at\n"
           "66302798d03b9601c7934e01,66302798d03b9601c7934ebf,call,high,scheduled,2026-12-01T10:00:00Z\n");
    EXPECT_THAT(p.run_on_terminal({"plan", "a.csv"}, 80).out, testing::Not(HasSubstr("\x1b")));
}

}  // namespace
