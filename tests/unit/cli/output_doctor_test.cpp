#include "cli/output_doctor.hpp"

#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace job = taskbarge::job;

job::doctor_report report() {
    job::doctor_report d;
    d.lines = {{"ledger", job::health::good, "/l.db"}, {"API key", job::health::bad, "refused\x1b[2J"}};
    d.why = core::failure{core::errc::unauthorized, "the key is refused"};
    return d;
}

TEST(DoctorText, HasALineForEachFindingAndSaysWhatAnImportWouldDo) {
    auto d = report();
    EXPECT_EQ(cli::doctor_text(d, {}),
              "good      ledger                        /l.db\n"
              "bad       API key                       refused [2J\n"
              "An import would fail.\n");
    d.why.reset();
    d.lines.clear();
    d.book.emplace();
    EXPECT_EQ(cli::doctor_text(d, {}),
              "Rate windows of tasks/bulk_create:\n  minute not known yet\n  hour   not known yet\n"
              "  day    not known yet\nAn import would work.\n");
}

TEST(DoctorJson, IsOneObject) {
    auto d = report();
    d.lines.pop_back();
    EXPECT_EQ(cli::doctor_json(d, "/l.db", cli::exit_code::no_right),
              R"({"findings":[{"what":"ledger","health":"good","text":"/l.db"}],"ledger":"/l.db","exit_code":77,)"
              R"("error":"the key is refused"})"
              "\n");
}

}  // namespace
