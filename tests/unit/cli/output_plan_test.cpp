#include "cli/output_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace job = taskbarge::job;
using testing::HasSubstr;

const core::instant now = *core::parse_rfc3339("2026-11-23T10:00:00Z");

TEST(PlanSummary, TellsColumnsGroupsRejectsAndCost) {
    job::plan_report plan;
    plan.base.rows = {50'000, 0, 10, 5, 0, 0, 49'985};
    plan.base.requests = {12, 512, 0, 0, 0};
    taskbarge::reader::file_report file;
    file.name = "contacts.csv";
    file.format = "csv";
    file.columns = {{"contact_id", "Contact Id", "settings"}, {"status", "", "default"}};
    file.unused = {"Phone", "City"};
    plan.base.files = {file};
    job::group_line group;
    group.rows = 40'000;
    group.requests = 400;
    group.details.user_id = "66302798d03b9601c7934ebf";
    group.details.due_at = now;
    group.details.note = "hello";
    plan.largest_groups = {group};
    plan.group_sizes = {{1, 1, 11, 11, 11}, {10'000, 99'999, 1, 40'000, 400}};
    plan.splitters = {{"note", 300, 128, 49'000, {}}, {"type", 1, 512, 0, {}}};
    core::rejected_row example;
    example.at.line = 18;
    example.column = "Contact Id";
    example.message = "\"x\" is no id";
    plan.rejects = {{"bad_contact_id", 5, example}};
    plan.first_rows = {{1, "77302798d03b9601c7934ebf", group.details}};
    const auto text = cli::plan_summary(plan, now);
    EXPECT_THAT(text, HasSubstr("contacts.csv: csv, ',' between cells\n"));
    EXPECT_THAT(text, HasSubstr("contact_id    \"Contact Id\" (settings)\n"));
    EXPECT_THAT(text, HasSubstr("status        from default\n"));
    EXPECT_THAT(text, HasSubstr("not used      Phone, City\n"));
    EXPECT_THAT(text, HasSubstr("rows 50,000 = created 0 + duplicate 10 + rejected 5"));
    EXPECT_THAT(text, HasSubstr("12 groups make 512 requests at least\n"));
    EXPECT_THAT(text, HasSubstr("40,000 rows in 400 requests: scheduled medium call due 10:00:00 UTC"));
    EXPECT_THAT(text, HasSubstr("  11 groups of 1 row: 11 requests\n"));
    EXPECT_THAT(text, HasSubstr("    1 group of 10,000 to 99,999 rows: 400 requests\n"));
    EXPECT_THAT(text, HasSubstr("  note differs in 98 % of rows: 512 requests, instead of 128 requests\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("\n  type ")));
    EXPECT_THAT(text, HasSubstr("e.g. contacts.csv:18, column Contact Id: \"x\" is no id\n"));
    EXPECT_THAT(text, HasSubstr("row 1 "));
    EXPECT_THAT(text, HasSubstr("Rate limits: not known"));
    EXPECT_THAT(text, testing::EndsWith("Nothing was sent.\n"));
    plan.book.emplace();
    plan.expected_end = now + std::chrono::hours(24 * 24);
    plan.splitters[0].expected_end = now + std::chrono::minutes(72);
    auto quick = plan;
    quick.expected_end = now;
    EXPECT_THAT(cli::plan_summary(quick, now),
                HasSubstr("Begun now, it would wait for no window: it ends when Apollo has "
                          "answered.\n"));
    EXPECT_THAT(cli::plan_summary(plan, now),
                HasSubstr("  note differs in 98 % of rows: 512 requests, 24d 0h, instead of 128 requests, 1h 12m\n"));
}

TEST(WindowsText, SaysWhatIsKnown) {
    core::rate_book book;
    book[core::window_kind::minute].limit = 200;
    book[core::window_kind::minute].used = 12;
    book[core::window_kind::minute].ends_at = now + std::chrono::seconds(30);
    book[core::window_kind::minute].end_known = true;
    book[core::window_kind::minute].shut = true;
    book[core::window_kind::hour].unlimited = true;
    EXPECT_EQ(
        cli::windows_text(book, now, "  "),
        "  minute 12 of 200 used, shut, opens anew at 10:00:30 UTC\n  hour   unlimited\n  day    not known yet\n");
}

}  // namespace
