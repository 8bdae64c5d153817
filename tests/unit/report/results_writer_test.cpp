#include "taskbarge/report/results_writer.hpp"

#include <gtest/gtest.h>

namespace {

namespace reports = taskbarge::report;
namespace core = taskbarge::core;
using taskbarge::ledger::row_result;

row_result created() {
    row_result r;
    r.row = 17;
    r.file = 1;
    r.line = 18;
    r.contact_id = "66302798d03b9601c7934ebf";
    r.state = core::row_state::created;
    r.task_id = "77302798d03b9601c7934ebf";
    r.attempts = 2;
    r.request_id = "req-1";
    r.finished_at = *core::parse_rfc3339("2026-11-23T10:00:00.250Z");
    return r;
}

row_result rejected() {
    row_result r;
    r.row = 1;
    r.line = 2;
    r.contact_id = "=cmd()";
    r.state = core::row_state::rejected;
    r.code = "bad_contact_id";
    r.column = "Contact, Id";
    r.message = "\"=cmd()\" is no id";
    return r;
}

std::string line_of(reports::results_format format, const row_result& row) {
    reports::results_writer writer(format, {"a.csv", "b.csv"}, 7);
    std::string out;
    writer.line(out, row);
    return out;
}

TEST(ResultsCsv, BeginsWithTheColumnsOfTheContract) {
    std::string out;
    reports::results_writer(reports::results_format::csv, {}, 1).header(out);
    EXPECT_EQ(out,
              "row,file,line,contact_id,state,task_id,code,column,message,attempts,request_id,possible_duplicate,"
              "duplicate_of,finished_at,contact_key\n");
    out.clear();
    reports::results_writer(reports::results_format::jsonl, {}, 1).header(out);
    EXPECT_EQ(out, "");
}

TEST(ResultsCsv, WritesACreatedRow) {
    EXPECT_EQ(line_of(reports::results_format::csv, created()),
              "17,b.csv,18,66302798d03b9601c7934ebf,created,77302798d03b9601c7934ebf,,,,2,req-1,false,,"
              "2026-11-23T10:00:00.250Z,\n");
}

TEST(ResultsCsv, QuotesCellsAndDisarmsFormulas) {
    EXPECT_EQ(line_of(reports::results_format::csv, rejected()),
              "1,a.csv,2,'=cmd(),rejected,,bad_contact_id,\"Contact, Id\",\"\"\"=cmd()\"\" is no id\",0,,false,,,\n");
}

TEST(ResultsCsv, NamesTheRowThatADuplicateRepeats) {
    auto r = created();
    r.state = core::row_state::duplicate;
    r.task_id.clear();
    r.duplicate_of = {0, 3};
    r.possible_duplicate = true;
    EXPECT_NE(line_of(reports::results_format::csv, r).find(",true,7:3,"), std::string::npos);
    r.duplicate_of = {5, 3};
    EXPECT_NE(line_of(reports::results_format::csv, r).find(",true,5:3,"), std::string::npos);
}

TEST(ResultsCsv, LeavesStandardInputAsItIs) {
    reports::results_writer writer(reports::results_format::csv, {"-"}, 7);
    std::string out;
    writer.line(out, rejected());
    EXPECT_EQ(out.substr(0, 6), "1,-,2,");
}

TEST(ResultsJsonl, WritesNumbersTruthsAndNulls) {
    EXPECT_EQ(line_of(reports::results_format::jsonl, created()),
              R"({"row":17,"file":"b.csv","line":18,"contact_id":"66302798d03b9601c7934ebf","state":"created",)"
              R"("task_id":"77302798d03b9601c7934ebf","code":null,"column":null,"message":null,"attempts":2,)"
              R"("request_id":"req-1","possible_duplicate":false,"duplicate_of":null,)"
              R"("finished_at":"2026-11-23T10:00:00.250Z","contact_key":null})"
              "\n");
    EXPECT_EQ(
        line_of(reports::results_format::jsonl, rejected()),
        R"x({"row":1,"file":"a.csv","line":2,"contact_id":"=cmd()","state":"rejected","task_id":null,)x"
        R"x("code":"bad_contact_id","column":"Contact, Id","message":"\"=cmd()\" is no id","attempts":0,)x"
        R"("request_id":null,"possible_duplicate":false,"duplicate_of":null,"finished_at":null,"contact_key":null})"
        "\n");
}

TEST(CsvCell, IsQuotedWhereTheRfcAsksForIt) {
    const auto cell = [](std::string_view text) {
        std::string out;
        reports::append_csv_cell(out, text);
        return out;
    };
    EXPECT_EQ(cell("plain text"), "plain text");
    EXPECT_EQ(cell(""), "");
    EXPECT_EQ(cell("a,b"), "\"a,b\"");
    EXPECT_EQ(cell("a\nb"), "\"a\nb\"");
    EXPECT_EQ(cell("a\rb"), "\"a\rb\"");
    EXPECT_EQ(cell("\"a\""), "\"\"\"a\"\"\"");
}

TEST(CsvText, GetsAnApostropheWhereASpreadsheetWouldCompute) {
    const auto text = [](std::string_view t) {
        std::string out;
        reports::append_csv_text(out, t);
        return out;
    };
    EXPECT_EQ(text("=1+1"), "'=1+1");
    EXPECT_EQ(text("+1"), "'+1");
    EXPECT_EQ(text("-1"), "'-1");
    EXPECT_EQ(text("@x"), "'@x");
    EXPECT_EQ(text("\tx"), "'\tx");
    EXPECT_EQ(text("\rx"), "\"'\rx\"");
    EXPECT_EQ(text("a=b"), "a=b");
    EXPECT_EQ(text("=a,b"), "\"'=a,b\"");
}

}  // namespace
