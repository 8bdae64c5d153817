#include "taskbarge/reader/row_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "reader/digest.hpp"
#include "taskbarge/core/text.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string lines(std::string_view first, const std::vector<std::string>& records) {
    std::string out(first);
    for (const std::string& r : records)
        out += r + "\n";
    return out;
}

std::string sha(std::string_view bytes) {
    return core::hex(core::sha256_of(bytes));
}

TEST(RowSource, RowsComeNumberedWithTheirPlace) {
    const auto out = read_text("list.csv", lines(header, {record(1), "", record(2, "\"two\nlines\""), record(3)}));
    ASSERT_EQ(out.summary(), "row row row");
    EXPECT_EQ(out.rows[0], (owned_row{1, {0, 2}, contact(1), out.rows[0].details}));
    EXPECT_EQ(out.rows[1].at, (core::source_position{0, 4}));
    EXPECT_EQ(out.rows[1].details.note, "two\nlines");
    EXPECT_EQ(out.rows[2].at, (core::source_position{0, 6}));
    EXPECT_EQ(out.rows[2].number, 3u);
}

TEST(RowSource, RejectKeepsThePlaceAndTheOriginalBytes) {
    const std::string bad =
        contact(1) + "," + std::string(owner_id) + ",Meeting,high,scheduled,2025-02-15T10:00:00Z,\"a\"\"b\"";
    const auto out = read_text("list.csv", lines(header, {record(0), bad}));
    ASSERT_EQ(out.summary(), "row invalid_type@type");
    const core::rejected_row& r = out.reject(0);
    EXPECT_EQ(r.number, 2u);
    EXPECT_EQ(r.at, (core::source_position{0, 3}));
    EXPECT_EQ(r.contact_id, contact(1));
    EXPECT_EQ(r.raw, bad);
    EXPECT_THAT(r.message, HasSubstr("\"Meeting\" is no type"));
}

TEST(RowSource, RejectNamesTheColumnAsTheFileHasIt) {
    const auto out = read_text("list.csv", "Apollo Contact Id,User ID,Task Type,Task Status,Due Date\n" + contact(1) +
                                               "," + std::string(owner_id) + ",call,scheduled,someday\n");
    EXPECT_EQ(out.summary(), "invalid_due_at@Due Date");
}

TEST(RowSource, FilesFollowOneAnother) {
    const temporary_folder folder;
    const std::string csv = lines(header, {record(1), "bad"});
    const std::string json = json_record(2) + "\n" + json_record(3);
    const auto out = read_all({folder.write("a.csv", csv), folder.write("b.jsonl", json)});
    ASSERT_EQ(out.summary(), "row too_few_columns row row");
    EXPECT_EQ(out.rows[1].at, (core::source_position{1, 1}));
    EXPECT_EQ(out.digest, sha(csv + json));
    EXPECT_EQ(out.bytes, csv.size() + json.size());
    ASSERT_EQ(out.files.size(), 2u);
    EXPECT_EQ(out.files[0].first_row, 1u);
    EXPECT_EQ(out.files[1].first_row, 3u);
    EXPECT_EQ(out.files[0].format, "csv");
    EXPECT_EQ(out.files[1].format, "jsonl");
}

TEST(RowSource, HeaderIsReportedSoThatItsDelimiterCanBeTold) {
    const auto out = read_text("list.csv", "\xEF\xBB\xBF\"contact_id\",user_id,type,status,due_at, Phone \r\n");
    ASSERT_FALSE(out.failure);
    EXPECT_EQ(out.files[0].header, "\"contact_id\",\"user_id\",\"type\",\"status\",\"due_at\",\" Phone \"");
    EXPECT_THAT(out.files[0].unused, UnorderedElementsAre("Phone"));
    EXPECT_EQ(out.files[0].delimiter, ',');
    EXPECT_EQ(read_text("a.csv", header).files[0].header + "\n", header);
    EXPECT_EQ(read_text("a.csv", "contact_id|user_id|type|status|due_at|a,b,c,d,e,f,g|5\" x 6\"\n").files[0].header,
              "\"contact_id\"|\"user_id\"|\"type\"|\"status\"|\"due_at\"|\"a,b,c,d,e,f,g\"|\"5\"\" x 6\"\"\"");
}

TEST(RowSource, MappingIsReported) {
    source_options o;
    o.columns["note"] = "Remarks";
    o.defaults.status = "scheduled";
    const auto out = read_text("list.csv", "Contact ID;user_id;type;Due Date;Remarks\n", o);
    ASSERT_FALSE(out.failure) << out.failure->text;
    const auto& c = out.files[0].columns;
    ASSERT_EQ(c.size(), 6u);
    const auto is = [&](std::size_t i, const char* f, const char* column, const char* source) {
        EXPECT_EQ(c[i].field, f);
        EXPECT_EQ(c[i].column, column);
        EXPECT_EQ(c[i].source, source);
    };
    is(0, "contact_id", "Contact ID", "name");
    is(1, "user_id", "user_id", "name");
    is(2, "type", "type", "name");
    is(3, "status", "", "default");
    is(4, "due_at", "Due Date", "alias");
    is(5, "note", "Remarks", "settings");
    EXPECT_EQ(out.files[0].delimiter, ';');
}

TEST(RowSource, FirstRowsStopsButTheDigestCoversEverything) {
    const temporary_folder folder;
    const std::string a = lines(header, {record(1), "bad", record(2), record(3)}), b = lines(header, {record(4)});
    source_options o;
    o.first_rows = 3;
    const auto out = read_all({folder.write("a.csv", a), folder.write("b.csv", b)}, o);
    EXPECT_EQ(out.summary(), "row too_few_columns row");
    EXPECT_EQ(out.digest, sha(a + b));
    EXPECT_EQ(out.bytes, a.size() + b.size());
}

TEST(RowSource, FirstRowsStopsWithinAContactIdsArray) {
    source_options o;
    o.first_rows = 2;
    const std::string json = R"({"contact_ids":[")" + contact(1) + R"(",")" + contact(2) + R"(",")" + contact(3) +
                             R"("],"user_id":")" + std::string(owner_id) +
                             R"(","type":"call","status":"scheduled","due_at":"2025-02-15T10:00:00Z"})" + "\n";
    EXPECT_EQ(read_text("list.jsonl", json, o).summary(), "row row");
    EXPECT_EQ(read_text("list.jsonl", json, o).digest, sha(json));
}

TEST(RowSource, DigestOfFilesIsTheOneReadingGives) {
    const temporary_folder folder;
    const std::vector<std::string> paths{folder.write("a.csv", lines(header, {record(1)})),
                                         folder.write("b.csv.gz", gzipped(lines(header, {record(2)})))};
    const auto direct = digest_of(paths, [] { return true; });
    ASSERT_TRUE(direct);
    const auto out = read_all(paths);
    EXPECT_EQ(direct->sha256, out.digest);
    EXPECT_EQ(direct->bytes, out.bytes);
    EXPECT_EQ(*size_of(paths), out.bytes);
    EXPECT_FALSE(digest_of({"-"}, [] { return true; }));
    const auto stopped = digest_of(paths, [] { return false; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, core::errc::interrupted);
    EXPECT_EQ(*size_of({"-"}), 0u);
}

TEST(RowSource, MissingFileIsFoundBeforeAnythingIsRead) {
    const temporary_folder folder;
    const auto out = read_all({folder.write("a.csv", lines(header, {record(1)})), folder.path("none.csv")});
    ASSERT_TRUE(out.failure);
    EXPECT_EQ(out.failure->code, core::errc::input);
    EXPECT_THAT(out.failure->text, HasSubstr("none.csv: cannot be opened"));
    EXPECT_TRUE(out.rows.empty());
}

TEST(RowSource, LaterFileWithoutContactColumnFailsTheInput) {
    const temporary_folder folder;
    const auto out = read_all({folder.write("a.csv", lines(header, {record(1)})), folder.write("b.csv", "x,y\n1,2\n")});
    ASSERT_TRUE(out.failure);
    EXPECT_THAT(out.failure->text, HasSubstr("b.csv: no contact column"));
}

TEST(RowSource, EmptyFileAmongOthersIsPassedOver) {
    const temporary_folder folder;
    const std::string good = std::string(header) + record(1) + "\n", blank = "\n \xEF\xBB\xBF\r\n";
    const std::vector<std::string> paths{folder.write("a.csv", ""), folder.write("b.csv", good),
                                         folder.write("c.csv", blank), folder.write("d.csv.gz", gzipped("")),
                                         folder.write("e.jsonl", json_record(2))};
    const auto out = read_all(paths);
    ASSERT_FALSE(out.failure) << out.failure->text;
    EXPECT_EQ(out.summary(), "row row");
    ASSERT_EQ(out.files.size(), 5u);
    EXPECT_TRUE(out.files[0].empty && out.files[2].empty && out.files[3].empty);
    EXPECT_EQ(remarks_on(out.files[0]).at(0), "is empty and was passed over");
    EXPECT_EQ(out.files[4].first_row, 2u);
    const auto digest = digest_of(paths, [] { return true; });
    EXPECT_EQ(out.digest, digest->sha256);
    EXPECT_EQ(out.bytes, digest->bytes);
    const auto none = read_all({paths[0], paths[2]});
    ASSERT_TRUE(none.failure);
    EXPECT_NE(none.failure->text.find("all files are empty"), std::string::npos);
}

TEST(RowSource, LinesAreCountedPastWhatIsSkipped) {
    const auto out = read_text("a.csv",
                               "title\n\ncontact_id,note\n,\n\n\"\",\"\n\"\nx,\"a\nb\"\n\xEF\xBB\xBF"
                               "Contact ID,Note\ny,z\n",
                               [] {
                                   source_options o;
                                   o.defaults.user_id = owner_id;
                                   o.defaults.type = "call";
                                   o.defaults.status = "scheduled";
                                   o.defaults.due_at = "2025-02-15T10:00:00Z";
                                   o.import.skip_lines = 1;
                                   return o;
                               }());
    ASSERT_EQ(out.summary(), "invalid_contact_id@contact_id invalid_contact_id@contact_id");
    EXPECT_EQ(out.reject(0).at.line, 8u);
    EXPECT_EQ(out.reject(1).at.line, 11u);
    EXPECT_EQ(out.files[0].empty_rows.records, 2u);
    EXPECT_EQ(out.files[0].empty_rows.first_line, 4u);
    EXPECT_EQ(out.files[0].repeated_headers.first_line, 10u);
}

TEST(RowSource, StandardInputCanBeGivenOnce) {
    EXPECT_THAT(read_all({"-", "-"}).failure->text, HasSubstr("only once"));
}

TEST(RowSource, PipeIsReadAsItComes) {
    const temporary_folder folder;
    const std::string pipe = folder.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer([&] { folder.write("pipe", lines(header, {record(1), record(2)})); });
    const auto out = read_all({pipe});
    writer.join();
    EXPECT_EQ(out.summary(), "row row");
}

TEST(RowSource, RowsOutliveTheSourceAndLaterBatches) {
    std::vector<std::string> records;
    for (unsigned i = 0; i < 1000; ++i)
        records.push_back(record(i, i % 3 == 0 ? "\"a \"\"note\"\"\r\nof two lines\"" : "plain note"));
    const memory_file file(lines(header, records));
    source_options o;
    o.batch_rows = 7;
    o.block_size = 512;
    o.defaults.note = "usual";
    std::vector<row_batch> batches;
    {
        auto source = row_source::open({file.path()}, o);
        ASSERT_TRUE(source);
        for (;;) {
            row_batch batch;
            if (!*source->next(batch)) break;
            batches.push_back(std::move(batch));
        }
    }
    unsigned i = 0;
    for (const row_batch& b : batches)
        for (const core::row& r : b.rows) {
            ASSERT_EQ(r.contact_id, contact(i));
            ASSERT_EQ(r.details.user_id, owner_id);
            ASSERT_EQ(r.details.note, i % 3 == 0 ? "a \"note\"\nof two lines" : "plain note");
            ++i;
        }
    EXPECT_EQ(i, 1000u);
}

TEST(RowSource, BlockAndBatchSizesDoNotChangeWhatIsRead) {
    const std::string text = lines(header, {record(1), record(2, "\"x\r\ny\""), "bad", "", record(3, "\"never closed"),
                                            record(4), "\"", record(5)});
    const auto expected = read_text("list.csv", text);
    for (const std::size_t block : {1u, 2u, 3u, 7u, 64u, 100u, 1000u})
        for (const std::size_t rows : {1u, 2u, 100u}) {
            source_options o;
            o.block_size = block;
            o.batch_rows = rows;
            const auto out = read_text("list.csv", text, o);
            ASSERT_EQ(out.summary(), expected.summary()) << block << " " << rows;
            ASSERT_EQ(out.rows, expected.rows);
            ASSERT_EQ(out.digest, expected.digest);
            for (std::size_t i = 0; i < out.rejects.size(); ++i) {
                ASSERT_EQ(out.rejects[i].raw, expected.rejects[i].raw);
                ASSERT_EQ(out.rejects[i].at, expected.rejects[i].at);
            }
        }
}

TEST(RowSource, FailureToFindOwnersFailsTheInput) {
    source_options o;
    o.owners = []() -> core::result<std::vector<team_user>> { return core::failure{core::errc::unauthorized, "401"}; };
    const auto out = read_text(
        "list.csv", "contact_id,owner_email,type,status,due_at\n" + contact(1) + ",a@x.org,call,scheduled,x\n", o);
    ASSERT_TRUE(out.failure);
    EXPECT_EQ(out.failure->code, core::errc::unauthorized);
}

TEST(RowSource, ShortRowsKeepTheirOwnTexts) {
    source_options o;
    o.defaults = {std::string(owner_id), "", "call", "", "scheduled", "2025-02-15T10:00:00Z", ""};
    o.import.short_rows = true;
    const auto out = read_text("list.csv",
                               "contact_id,note,type,x\n" + contact(1) + ",a note of some length that is no other's\n" +
                                   contact(2) + ",another note of another length\n" + contact(3) + "\n",
                               o);
    ASSERT_EQ(out.rows.size(), 3u);
    for (unsigned n = 1; n <= 3; ++n)
        EXPECT_EQ(out.rows[n - 1].contact_id, contact(n));
    EXPECT_EQ(out.rows[0].details.note, "a note of some length that is no other's");
    EXPECT_EQ(out.rows[1].details.note, "another note of another length");
    EXPECT_EQ(out.rows[2].details.note, "");
}

TEST(RowSource, AHeaderThatMeansMoreThanTheFirstIsAnother) {
    source_options o;
    o.defaults = {std::string(owner_id), "", "call", "", "scheduled", "2025-02-15T10:00:00Z", ""};
    const auto failure_of = [&](const std::string& first, const std::string& second) {
        const auto out =
            read_text("list.csv", first + "\n" + contact(1) + ",a,b\n" + second + "\n" + contact(2) + ",c,d\n", o);
        return out.failure ? out.failure->text : "none";
    };
    EXPECT_THAT(failure_of("contact_id,note,x", "contact_id,note,user_id"), HasSubstr(":3: here is another header"));
    EXPECT_THAT(failure_of("contact_id,x,note", "contact_id,status,note"), HasSubstr(":3: here is another header"));
    EXPECT_THAT(failure_of("contact_id,name,x", "contact_id,note,x"), HasSubstr(":3: here is another header"));
    EXPECT_EQ(failure_of("contact_id,note,x", "Contact ID,NOTE,X"), "none");
}

TEST(RowSource, NoteOfSeveralColumnsInEitherFormat) {
    source_options o;
    o.defaults = {std::string(owner_id), "", "call", "", "scheduled", "2025-02-15T10:00:00Z", "usual"};
    o.columns["note"] = "{Title}: {Notes}!";
    o.import.notes = core::note_form::html;
    const auto csv = read_text("list.csv",
                               "contact_id,Title,Notes\n" + contact(1) + ",A &amp; B,<p>x</p><p>y</p>\n" + contact(2) +
                                   ",,\n" + contact(3) + ",only,\n",
                               o);
    ASSERT_EQ(csv.rows.size(), 3u);
    EXPECT_EQ(csv.rows[0].details.note, "A & B: x\ny!");
    EXPECT_EQ(csv.rows[1].details.note, "usual") << "nothing in any of its columns is no note";
    EXPECT_EQ(csv.rows[2].details.note, "only: !");
    const auto jsonl =
        read_text("list.jsonl",
                  "{\"contact_id\":\"" + contact(1) + "\",\"title\":\"A &amp; B\",\"Notes\":\"<p>x</p><p>y</p>\"}\n" +
                      "{\"contact_id\":\"" + contact(2) + "\",\"Title\":null}\n" + "{\"contact_id\":\"" + contact(3) +
                      "\",\"Title\":7}\n" + "{\"contact_ids\":[\"" + contact(4) + "\",\"" + contact(5) +
                      "\"],\"Title\":\"both\",\"Notes\":\"\"}\n",
                  o);
    ASSERT_EQ(jsonl.rows.size(), 4u);
    EXPECT_EQ(jsonl.rows[0].details.note, "A & B: x\ny!");
    EXPECT_EQ(jsonl.rows[1].details.note, "usual");
    EXPECT_EQ(jsonl.rows[2].details.note, "both: !");
    EXPECT_EQ(jsonl.rows[3].details.note, "both: !");
    ASSERT_EQ(jsonl.rejects.size(), 1u);
    EXPECT_EQ(jsonl.rejects[0].code, "wrong_type");
}

TEST(RowSource, RelativeDatesAreReported) {
    source_options o;
    o.dates = {"UTC", "09:00", {}};
    o.now = *core::parse_rfc3339("2025-03-07T03:30:00Z");
    const std::string text =
        "contact_id,user_id,type,status,due_at\n" + contact(1) + "," + std::string(owner_id) + ",call,scheduled,+3d\n";
    const auto out = read_text("list.csv", text, o);
    ASSERT_EQ(out.summary(), "row");
    EXPECT_TRUE(out.relative_dates);
    EXPECT_EQ(core::to_rfc3339(out.rows[0].details.due_at), "2025-03-10T09:00:00.000Z");
    EXPECT_FALSE(read_text("list.csv", lines(header, {record(1)}), o).relative_dates);
}

TEST(RowSource, LongRecordIsRejectedAloneWithAPrefixKept) {
    source_options o;
    o.import.record_limit = 5000;
    o.block_size = 100;
    const auto out =
        read_text("list.csv", lines(header, {record(1), record(2, std::string(100'000, 'x')), record(3)}), o);
    ASSERT_EQ(out.summary(), "row record_too_long row");
    EXPECT_EQ(out.reject(0).raw.size(), 4096u);
    EXPECT_EQ(out.rows[1].at.line, 4u);
    o.block_size = 1 << 20;
    EXPECT_EQ(
        read_text("list.csv", lines(header, {record(1), record(2, std::string(100'000, 'x')), record(3)}), o).summary(),
        "row record_too_long row");
}

TEST(RowSource, RecordOfExactlyTheLimitPasses) {
    source_options o;
    for (const std::size_t block : {64u, 1u << 20}) {
        o.block_size = block;
        o.import.record_limit = record(1, "xx").size();
        for (const char* line_end : {"\n", "\r\n", "\r"}) {
            const std::string text = std::string(header) + record(1, "xx") + line_end + record(2, "xxx") + line_end;
            EXPECT_EQ(read_text("list.csv", text, o).summary(), "row record_too_long");
        }
    }
}

TEST(RowSource, LongRecordMayEndWhereABlockEnds) {
    // Found by fuzzing: a CR as the last byte of a block, in a record of which the limit had passed, was waited for
    // without end.
    source_options o;
    o.import.record_limit = 1000;
    o.block_size = 64;
    for (std::size_t extra = 0; extra < 2 * o.block_size; ++extra)
        for (const char* line_end : {"\n", "\r\n", "\r"}) {
            const std::string text = std::string(header) + record(1) + line_end +
                                     record(2, std::string(3000 + extra, 'x')) + line_end + record(3) + line_end;
            ASSERT_EQ(read_text("list.csv", text, o).summary(), "row record_too_long row") << extra;
            ASSERT_EQ(read_text("list.jsonl",
                                json_record(1) + line_end + std::string(3000 + extra, 'x') + line_end + json_record(2) +
                                    line_end,
                                o)
                          .summary(),
                      "row record_too_long row")
                << extra;
        }
}

TEST(RowSource, OpenQuoteCostsItsLineWhateverTheLimit) {
    source_options o;
    o.import.record_limit = 2000;
    o.block_size = 256;
    std::vector<std::string> records{record(0, "\"never closed")};
    for (unsigned i = 1; i < 100; ++i)
        records.push_back(record(i));
    const auto out = read_text("list.csv", lines(header, records), o);
    EXPECT_EQ(out.rows.size(), 99u);
    EXPECT_EQ(out.rejects.size(), 1u);
    EXPECT_EQ(out.reject(0).raw, records[0]);
}

TEST(RowSource, ContactIdsArrayIsSplitIntoItsRecords) {
    const std::string details = R"("user_id":")" + std::string(owner_id) +
                                R"(","type":"call","status":"scheduled","due_at":"2025-02-15T10:00:00Z")";
    const std::string json = R"({"note":"a, [b]","contact_ids":[")" + contact(1) + R"(", 5, "x",")" + contact(2) +
                             R"("],)" + details + "}\n" + json_record(3) + "\n";
    source_options o;
    for (const std::size_t rows : {1u, 2u, 3u, 100u}) {
        o.batch_rows = rows;
        const auto out = read_text("list.jsonl", json, o);
        ASSERT_EQ(out.summary(), "row wrong_type@contact_ids invalid_contact_id@contact_ids row row");
        EXPECT_EQ(out.rows[1].contact_id, contact(2));
        EXPECT_EQ(out.rows[1].details.note, "a, [b]");
        EXPECT_EQ(out.rows[1].at.line, 1u);
        EXPECT_EQ(out.reject(0).at.line, 1u);
        EXPECT_EQ(out.rows[2].at.line, 2u);
        EXPECT_EQ(out.reject(1).raw, R"({"note":"a, [b]","contact_ids":["x"],)" + details + "}");
    }
}

TEST(RowSource, BadDetailsCostEveryRecordOfAContactIdsArray) {
    const std::string json = R"({"contact_ids":[")" + contact(1) + R"(",")" + contact(2) + R"("],"user_id":")" +
                             std::string(owner_id) +
                             R"(","type":"phone","status":"scheduled","due_at":"2025-02-15T10:00:00Z"})";
    const auto out = read_text("list.jsonl", json);
    ASSERT_EQ(out.summary(), "invalid_type@type invalid_type@type");
    EXPECT_EQ(out.reject(1).contact_id, contact(2));
    EXPECT_THAT(out.reject(1).raw, HasSubstr("[\"" + contact(2) + "\"]"));
}

TEST(RowSource, JsonKeysAreReportedAsTheyCome) {
    const auto out =
        read_text("list.jsonl", json_record(1) + "\n" + R"({"contactId":"x","extra":1,"error":"old"})" + "\n");
    ASSERT_EQ(out.files.size(), 1u);
    EXPECT_THAT(out.files[0].unused, UnorderedElementsAre("extra"));
    EXPECT_EQ(out.files[0].columns.size(), 8u);
}

// Only as our own writer of rejects names it, and at the end: exports of failed loads have an ERROR, too.
TEST(RowSource, AFileThatBringsTheErrorsOfAnEarlierImportIsKnown) {
    const auto mended = [](const std::string& name, const std::string& text, const source_options& o = {}) {
        return read_text(name, text, o).files.at(0).mended;
    };
    const std::string names = "contact_id,user_id,type,status,due_at";
    const std::string cells = contact(1) + "," + std::string(owner_id) + ",call,scheduled,2036-02-15T10:00:00Z";
    const std::string error = ",invalid_type: old\n";
    EXPECT_TRUE(mended("a.csv", names + ",error\n" + cells + ",\n" + cells + error));
    EXPECT_TRUE(mended("a.csv", names + ",\"error\",,\n" + cells + ",invalid_type: old,,\n"));
    EXPECT_FALSE(mended("a.csv", names + ",error\n" + cells + ",none\n" + cells + ",\n"))
        << "whatever the column is called, these are no errors of ours";
    for (const char* other : {"ERROR", "Error", "errors", "error code"})
        EXPECT_FALSE(mended("a.csv", names + "," + other + "\n" + cells + error)) << other;
    EXPECT_FALSE(mended("a.csv", "error," + names + "\ninvalid_type: old," + cells + "\n"));
    EXPECT_FALSE(mended("a.csv", names + "\n"));
    EXPECT_FALSE(mended("a.jsonl", R"({"id":1,"error":"none"})"
                                   "\n"));
    EXPECT_TRUE(mended("a.jsonl", json_record(1) + "\n" + R"({"id":1,"error":"invalid_type: old"})" + "\n"));
    EXPECT_FALSE(mended("a.jsonl", R"({"id":1,"error":null})"
                                   "\n"
                                   R"({"id":1,"error":{"code":1}})"
                                   "\n"));
    source_options as_note;
    as_note.columns["note"] = "error";
    EXPECT_FALSE(mended("a.csv", "contact_id,user_id,type,status,due_at,error\n", as_note));
    EXPECT_FALSE(mended("a.jsonl",
                        R"({"error":"x"})"
                        "\n",
                        as_note));
}

TEST(RowSource, JsonRejectNamesTheKeyOfTheRecord) {
    source_options o;
    o.columns["contact_id"] = "crm_id";
    EXPECT_EQ(read_text("list.jsonl", R"({"crmId":"x"})", o).summary(), "invalid_contact_id@crmId");
    EXPECT_EQ(read_text("list.jsonl", R"({"contact_id":"x"})", o).summary(), "missing_value@crm_id");
}

TEST(RowSource, ManyDifferentKeysAreNoBurden) {
    std::string json;
    for (int i = 0; i < 2000; ++i)
        json += R"({"key)" + std::to_string(i) + R"(":1})" + "\n";
    const auto out = read_text("list.jsonl", json);
    EXPECT_EQ(out.rejects.size(), 2000u);
    EXPECT_LE(out.files[0].unused.size(), 100u);
}

TEST(RowSource, ManyContactsInOneLineComeInBoundedBatches) {
    std::string ids;
    for (unsigned i = 0; i < 30'000; ++i)
        ids += (i ? ",\"" : "\"") + contact(i) + "\"";
    const std::string json = R"({"contact_ids":[)" + ids + R"(],"type":"phone"})";
    const memory_file file(json);
    source_options o;
    o.block_size = 64 << 10;
    auto source = row_source::open({file.path()}, o);
    ASSERT_TRUE(source);
    row_batch batch;
    std::uint64_t records = 0;
    while (*source->next(batch)) {
        EXPECT_LE(batch.rejects.size(), 4096u);
        records += batch.rejects.size();
    }
    EXPECT_EQ(records, 30'000u);
}

}  // namespace
}  // namespace taskbarge::reader
