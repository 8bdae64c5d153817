// What the rows of a batch name their contacts by.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;
using ::testing::ElementsAre;

source_options with_details() {
    source_options o;
    o.defaults.user_id = owner_id;
    o.defaults.type = "call";
    o.defaults.status = "scheduled";
    o.defaults.due_at = "2025-02-15T10:00:00Z";
    return o;
}

std::vector<std::string> keys_of(const reading_outcome& out) {
    EXPECT_FALSE(out.failure) << out.failure->text;
    std::vector<std::string> keys;
    for (const owned_row& row : out.rows)
        keys.push_back(row.keys);
    return keys;
}

TEST(RowKeys, StandInTheFormInWhichTheyAreComparedWithTheirColumns) {
    const auto out = read_text("a.csv",
                               "Apollo Contact Id,E-mail,WhoId,vid,Person Linkedin Url\n" + contact(1) +
                                   ", Dana@Example.COM ,0035g0000ezO3NeAAK,012648.0,http://www.linkedin.com/in/Dana/\n"
                                   ",\"Dana <d@x.org>\",,,\n" +
                                   contact(2) + ",,,,\n",
                               with_details());
    EXPECT_EQ(out.summary(), "row row row");
    EXPECT_THAT(keys_of(out),
                ElementsAre("salesforce_id=0035g0000ezO3Ne (WhoId) hubspot_id=12648 (vid) email=dana@example.com "
                            "(E-mail) linkedin_url=in/dana (Person Linkedin Url)",
                            "email=d@x.org (E-mail)", ""));
    EXPECT_EQ(out.rows[0].contact_id, contact(1));
    EXPECT_EQ(out.rows[1].contact_id, "");
    EXPECT_EQ(out.rows[1].contact_column, "Apollo Contact Id");
    EXPECT_EQ(out.rows[1].raw, ",\"Dana <d@x.org>\",,,");
    EXPECT_EQ(out.rows[2].contact_id, contact(2));
    EXPECT_EQ(out.rows[2].raw, "");
}

TEST(RowKeys, WithoutAKeyThereAreNone) {
    const auto csv = read_text("a.csv", std::string(header) + record(1) + "\n");
    EXPECT_EQ(csv.rows.at(0).contact_column, "");
    const auto json = read_text("a.jsonl", json_record(1) + "\n");
    EXPECT_EQ(json.rows.at(0).raw, "");
}

TEST(RowKeys, RecordsAreKeptWhereTheyAreAskedFor) {
    source_options o = with_details();
    o.keep_records = true;
    const auto csv = read_text("a.csv", "Contact ID,x\n" + contact(1) + ",\"two\nlines\"\n" + contact(2) + ",y\n", o);
    ASSERT_EQ(csv.summary(), "row row");
    EXPECT_EQ(csv.rows[0].contact_column, "Contact ID");
    EXPECT_EQ(csv.rows[0].raw, contact(1) + ",\"two\nlines\"");
    EXPECT_EQ(csv.rows[1].raw, contact(2) + ",y");
    const std::string both =
        R"({"note":"x","contact_ids":[")" + contact(2) + R"(", ")" + contact(3) + R"("],"email":"a@x.org"})";
    const auto json = read_text("a.jsonl", json_record(1) + "\n" + json_record(2) + "\n" + both + "\n", o);
    ASSERT_EQ(json.summary(), "row row row row");
    EXPECT_EQ(json.rows[0].contact_column, "contact_id");
    EXPECT_EQ(json.rows[0].raw, json_record(1));
    EXPECT_EQ(json.rows[1].raw, json_record(2));
    EXPECT_EQ(json.rows[3].contact_column, "contact_ids");
    EXPECT_EQ(json.rows[3].raw, R"({"note":"x","contact_ids":[")" + contact(3) + R"("],"email":"a@x.org"})");
    EXPECT_EQ(json.rows[3].keys, "") << "they name one contact";
}

TEST(RowKeys, OfJsonAreTheSameWhetherALineIsParsedOrNot) {
    std::string plain, parsed;
    for (unsigned i = 0; i < 300; ++i) {
        const std::string line = fmt::format(R"({{"email":"A{}@x.org","hubspot_id":{},"note":"n{}"}})", i, 100 + i, i);
        plain += line + "\n";
        parsed += line + "\t\n";  // a tab sends a line to the parser
    }
    const auto quick = read_text("a.jsonl", plain, with_details());
    EXPECT_EQ(keys_of(quick), keys_of(read_text("a.jsonl", parsed, with_details())));
    ASSERT_EQ(quick.rows.size(), 300u);
    EXPECT_EQ(quick.rows[299].keys, "hubspot_id=399 (hubspot_id) email=a299@x.org (email)");
    EXPECT_EQ(quick.rows[299].raw, R"({"email":"A299@x.org","hubspot_id":399,"note":"n299"})");
    EXPECT_EQ(quick.rows[299].details.note, "n299");
}

// Blocks, batches and files end anywhere; a batch outlives the file that it came from.
TEST(RowKeys, HoldAsLongAsTheirBatch) {
    const temporary_folder folder;
    std::string csv = "Email,vid\n", json, expected;
    for (unsigned i = 0; i < 200; ++i) {
        csv += fmt::format("\"a{}@x.org\",{}\n", i, i + 1);
        json += fmt::format("{{\"email\":\"b{}@x.org\"}}\n", i);
    }
    const std::vector<std::string> paths{folder.write("a.csv", csv), folder.write("b.jsonl", json),
                                         folder.write("c.csv", "contact_id\n" + contact(1) + "\n")};
    source_options o = with_details();
    const auto whole = keys_of(read_all(paths, o));
    ASSERT_EQ(whole.size(), 401u);
    EXPECT_EQ(whole[0], "hubspot_id=1 (vid) email=a0@x.org (Email)");
    EXPECT_EQ(whole[399], "email=b199@x.org (email)");
    EXPECT_EQ(whole[400], "");
    for (const std::size_t block : {std::size_t{64}, std::size_t{500}})
        for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
            o.block_size = block;
            o.batch_rows = rows;
            EXPECT_EQ(keys_of(read_all(paths, o)), whole) << block << ' ' << rows;
        }
}

TEST(RowKeys, AreGoneFromABatchThatIsFilledAgain) {
    const temporary_folder folder;
    source_options o = with_details();
    o.batch_rows = 1;
    auto source = row_source::open(
        {folder.write("a.csv", "Email\na@x.org\n"), folder.write("b.csv", "contact_id\n" + contact(1) + "\n")}, o);
    ASSERT_TRUE(source);
    row_batch batch;
    ASSERT_TRUE(*source->next(batch));
    EXPECT_EQ(batch.keys.size(), 1u);
    ASSERT_TRUE(*source->next(batch));
    EXPECT_EQ(batch.keys.size(), 0u);
}

TEST(RowKeys, UnusableOnesAreCountedOnceARowAndOfGoodRowsOnly) {
    const auto out =
        read_text("a.csv",
                  "contact_id,Email,vid,type\n" + contact(1) + ",n/a,n/a,call\n" + contact(2) + ",n/a,,Dinner\n" +
                      contact(3) + ",,\"=\"\"x\"\"\",call\n" + contact(4) + ",NULL,,call\n",
                  with_details());
    EXPECT_EQ(out.summary(), "row invalid_type@type row row");
    EXPECT_EQ(out.files[0].unusable_keys.records, 2u);
    EXPECT_EQ(out.files[0].unusable_keys.first_line, 2u);
}

TEST(RowKeys, WhoLooksAtAFileNeedsNoneInIt) {
    source_options o = with_details();
    int records = 0;
    o.look = [&](std::span<const std::string>, std::span<const std::string_view>) { ++records; };
    EXPECT_EQ(read_text("a.csv", "Name,Phone\nJane,1\nName,Phone\n", o).summary(),
              "missing_value@contact_id missing_value@contact_id");
    EXPECT_EQ(read_text("a.csv", "Email,Phone\na@x.org,1\nEmail,Phone\n", o).summary(), "row");
    EXPECT_EQ(read_text("a.jsonl", "{\"name\":\"Jane\"}\n", o).summary(), "missing_value@contact_id");
    EXPECT_EQ(records, 5);
}

TEST(RowKeys, WordsThatNobodyKnowsAreCountedInRowsWithoutApollosId) {
    const temporary_folder folder;
    auto source = row_source::open({folder.write("a.csv", "Email,type\na@x.org,Dinner\nn/a,Dinner\n")}, with_details());
    ASSERT_TRUE(source);
    row_batch batch;
    while (*source->next(batch)) {
    }
    ASSERT_EQ(source->unknown_words().size(), 1u);
    EXPECT_EQ(source->unknown_words()[0].rows, 1u);
}

}  // namespace
}  // namespace taskbarge::reader
