#include "taskbarge/report/rejects_writer.hpp"

#include <gtest/gtest.h>

namespace {

namespace reports = taskbarge::report;
namespace core = taskbarge::core;
using taskbarge::ledger::file_note;

core::rejected_row reject(std::string raw, std::uint32_t file = 0) {
    core::rejected_row r;
    r.number = 1;
    r.at = {file, 2};
    r.code = "bad_due_at";
    r.message = "\"soon\" is no date";
    r.column = "Due";
    r.raw = std::move(raw);
    return r;
}

std::string written(std::vector<file_note> files, const std::vector<core::rejected_row>& rows) {
    reports::rejects_writer writer(std::move(files));
    std::string out;
    for (const auto& row : rows)
        writer.record(out, row);
    return out;
}

constexpr const char* error_cell = "\"bad_due_at: column Due: \"\"soon\"\" is no date\"";

TEST(RejectsCsv, RepeatsTheHeaderOnceAndAddsTheError) {
    EXPECT_EQ(written({{1, "csv", "id,Due"}}, {reject("1,soon"), reject("2,\"a\nb\"")}),
              std::string("id,Due,error\n1,soon,") + error_cell + "\n2,\"a\nb\"," + error_cell + "\n");
}

TEST(RejectsCsv, UsesTheDelimiterOfTheFile) {
    EXPECT_EQ(written({{1, "csv+gzip", "id;Due"}}, {reject("1;so,on")}),
              std::string("id;Due;error\n1;so,on;") + error_cell + "\n");
}

TEST(RejectsCsv, ReplacesAnErrorColumnThatIsThere) {
    EXPECT_EQ(written({{1, "csv", "id,error,Due"}}, {reject("1,\"old, error\",soon")}),
              std::string("id,Due,error\n1,soon,") + error_cell + "\n");
    EXPECT_EQ(written({{1, "csv", "id,Due,\"error\""}}, {reject("1,soon,old")}),
              std::string("id,Due,error\n1,soon,") + error_cell + "\n");
}

TEST(RejectsCsv, KeepsARecordWithTheWrongNumberOfCellsWhole) {
    EXPECT_EQ(written({{1, "csv", "id,Due,error"}}, {reject("1,soon,old,more")}),
              std::string("id,Due,error\n1,soon,old,more,") + error_cell + "\n");
}

TEST(RejectsCsv, RepeatsAHeaderThatChanges) {
    const auto out = written({{1, "csv", "id,Due"}, {5, "csv", "id,Due"}, {9, "csv", "Due,id"}},
                             {reject("1,x", 0), reject("2,x", 1), reject("x,3", 2)});
    EXPECT_EQ(out, std::string("id,Due,error\n1,x,") + error_cell + "\n2,x," + error_cell + "\nDue,id,error\nx,3," +
                       error_cell + "\n");
}

TEST(RejectsCsv, KnowsAnErrorColumnAsTheReaderDoes) {
    EXPECT_EQ(written({{1, "csv", "id,Due,\" Error\""}}, {reject("1,soon,old")}),
              std::string("id,Due,error\n1,soon,") + error_cell + "\n");
}

TEST(RejectsCsv, EmptyCellsAtTheEndGoSoThatTheErrorStandsUnderItsName) {
    EXPECT_EQ(
        written({{1, "csv", "id,Due,,\"\""}}, {reject("1,soon,,"), reject("2,soon"), reject("3,soon, ")}),
        std::string("id,Due,error\n1,soon,") + error_cell + "\n2,soon," + error_cell + "\n3,soon," + error_cell + "\n");
}

TEST(RejectsCsv, ErrorOfAnEarlierTimeIsReplacedInBrokenRecordsToo) {
    const std::string old = ",\"stray_quote: old, \"\"so\"\",\"\"on\"\"\"";
    for (const std::string broken : {"1", "1,soon,more", "1,\"soon", "1,5\" x", "1,so\"on\",y"})
        EXPECT_EQ(written({{1, "csv", "id,Due,error"}}, {reject(broken + old)}),
                  "id,Due,error\n" + broken + "," + error_cell + "\n");
    EXPECT_EQ(written({{1, "csv", "id,Due,error"}}, {reject("1,soon,x,\"so: a\" b\"")}),
              std::string("id,Due,error\n1,soon,x,\"so: a\" b\",") + error_cell + "\n");
}

TEST(RejectsSheets, FilesWithOtherColumnsOrOfAnotherFormatHaveTheirOwn) {
    const reports::rejects_writer writer({{1, "csv", "id,Due"},
                                          {5, "csv+gzip", "id,Due"},
                                          {9, "csv", "Due,id"},
                                          {12, "jsonl", ""},
                                          {15, "jsonl+zstd", ""}});
    EXPECT_EQ(writer.sheets(), 3u);
    const std::size_t sheets[] = {0, 0, 1, 2, 2};
    for (std::uint32_t file = 0; file < 5; ++file)
        EXPECT_EQ(writer.sheet_of(reject("1,x", file)), sheets[file]);
    EXPECT_EQ(writer.extension(1), ".csv");
    EXPECT_EQ(writer.extension(2), ".jsonl");
}

TEST(RejectsSheets, ARecordMayComeWithItsFile) {
    const file_note a{1, "csv", "id,Due"}, b{5, "csv+gzip", "id,Due"}, c{9, "csv", "Due,id"}, d{12, "jsonl", ""};
    EXPECT_TRUE(reports::same_sheet(a, b));
    EXPECT_FALSE(reports::same_sheet(a, c));
    EXPECT_FALSE(reports::same_sheet(a, d));
    EXPECT_TRUE(reports::same_sheet(d, {15, "jsonl+zstd", ""}));
    reports::rejects_writer writer;
    std::string out;
    writer.record(out, reject("1,x"), a);
    writer.record(out, reject("2,x", 1), b);
    EXPECT_EQ(out, std::string("id,Due,error\n1,x,") + error_cell + "\n2,x," + error_cell + "\n");
}

TEST(RejectsJsonl, AddsTheErrorToTheObjectAndKeepsTheRest) {
    const auto out = written({{1, "jsonl", ""}}, {reject(R"( {"id": 1.0, "due":"so\"on", "x":{"error":1}} )")});
    EXPECT_EQ(out, R"({"id": 1.0,"due":"so\"on","x":{"error":1},"error":"bad_due_at: column Due: \"soon\" is no date"})"
                   "\n");
}

TEST(RejectsJsonl, ReplacesAnErrorThatIsThere) {
    EXPECT_EQ(reports::json_with_error(R"({"error" : [1,2], "id":1})", "new"), R"({"id":1,"error":"new"})");
    EXPECT_EQ(reports::json_with_error(R"({"id":1,"error":"old"})", "new"), R"({"id":1,"error":"new"})");
    EXPECT_EQ(reports::json_with_error(R"({"errors":1})", "new"), R"({"errors":1,"error":"new"})");
    EXPECT_EQ(reports::json_with_error("{}", "new"), R"({"error":"new"})");
}

TEST(RejectsJsonl, WrapsWhatIsNoObject) {
    EXPECT_EQ(reports::json_with_error(R"({"id":)", "e"), R"({"error":"e","raw":"{\"id\":"})");
    EXPECT_EQ(reports::json_with_error("[1]", "e"), R"({"error":"e","raw":"[1]"})");
    EXPECT_EQ(reports::json_with_error("\xFF", "e"), "{\"error\":\"e\",\"raw\":\"\xEF\xBF\xBD\"}");
}

TEST(CsvCells, SplitAtDelimitersOutsideQuotes) {
    using cells = std::vector<std::string_view>;
    EXPECT_EQ(reports::csv_cells("a,b", ','), (cells{"a", "b"}));
    EXPECT_EQ(reports::csv_cells("", ','), (cells{""}));
    EXPECT_EQ(reports::csv_cells("a,", ','), (cells{"a", ""}));
    EXPECT_EQ(reports::csv_cells("\"a,b\",\"c\"\"d,\",e", ','), (cells{"\"a,b\"", "\"c\"\"d,\"", "e"}));
    EXPECT_EQ(reports::csv_cells("a\"\"b,c\",d", ','), (cells{"a\"\"b", "c\",d"}));
}

TEST(Delimiter, IsTheCommonestOutsideQuotes) {
    EXPECT_EQ(reports::delimiter_of("a"), ',');
    EXPECT_EQ(reports::delimiter_of("a;b;\"c,d,e,f\""), ';');
    EXPECT_EQ(reports::delimiter_of("a\tb"), '\t');
    EXPECT_EQ(reports::delimiter_of("a|b|c"), '|');
}

}  // namespace
