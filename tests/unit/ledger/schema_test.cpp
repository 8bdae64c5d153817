#include "ledger/schema.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/sqlite.hpp"

namespace taskbarge::ledger {
namespace {

std::unique_ptr<sqlite::database> open_file(const std::string& path) {
    return must(sqlite::database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
}

// A file of another version of the schema.
void set_version(const std::string& path, std::int64_t version) {
    must(open_file(path)->execute("PRAGMA user_version = " + std::to_string(version)));
}

TEST(Schema, FileThatDoesNotShrinkByPartsIsWrittenOnceAndDoesAfterwards) {
    const temporary_folder folder;
    {
        const auto db = open_file(folder.file("l.db"));
        must(make_schema(*db));
        must(db->execute("CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(4000000)); DROP TABLE filler;"));
        EXPECT_EQ(must(db->integer("PRAGMA auto_vacuum")), 0);
    }
    const auto book = must(open_ledger(folder.file("l.db")));
    EXPECT_GT(must(book->size()).free_bytes, 3'000'000u);
    must(book->shrink([] { return true; }));
    EXPECT_EQ(must(book->size()).free_bytes, 0u);
    EXPECT_LT(std::filesystem::file_size(folder.file("l.db")), 1'000'000u);
    EXPECT_EQ(must(open_file(folder.file("l.db"))->integer("PRAGMA auto_vacuum")), 2) << "by parts, from now on";
}

// What `rows` shows to those who query the file, beside what `results` says.
std::vector<std::string> rows_of_view(sqlite::database& db) {
    std::vector<std::string> out;
    auto query = db.prepare("SELECT row, line, contact_id, ifnull(task_id, ''), state FROM rows ORDER BY row");
    must(query.each([&] {
        out.push_back(query.string(0) + " " + query.string(1) + " " + query.string(2) + " " + query.string(3) + " " +
                      query.string(4));
    }));
    return out;
}

std::vector<std::string> rows_of_results(ledger& book, job_id job) {
    std::vector<std::string> out;
    must(book.each_result(job, [&](const row_result& r) {
        out.push_back(std::to_string(r.row) + " " + std::to_string(r.line) + " " + r.contact_id + " " + r.task_id +
                      " " + std::string(core::to_string(r.state)));
        return true;
    }));
    return out;
}

TEST(Schema, TheViewShowsWhatResultsSay) {
    const temporary_folder folder;
    const auto book = must(open_ledger(folder.file("l.db")));
    const auto job = plan_job(*book, "one", 3,
                              {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3), contact_id(4)}},
                               {call_on_day(2), {contact_id(5), "odd \"id\"", contact_id(7)}}});
    const auto chunk = must(book->chunks(job.id, core::chunk_state::planned, 0, 1)).at(0);
    must(book->record_intent({chunk.id, at_second(1), std::nullopt}));
    chunk_update update;
    update.chunk = chunk.id;
    update.state = core::chunk_state::doubtful;
    update.created = {{0, "6b07617e77956d5e000186a0"}, {2, "6b07617e77956d5e000186a1"}};
    must(book->update_chunk(update));
    const auto rows = rows_of_results(*book, job.id);
    ASSERT_EQ(rows.size(), 7u);
    EXPECT_NE(rows[0].find("6b07617e77956d5e000186a0 created"), std::string::npos) << rows[0];
    EXPECT_NE(rows[1].find(" unknown"), std::string::npos) << rows[1];
    EXPECT_EQ(rows_of_view(*open_file(folder.file("l.db"))), rows);
}

// Nobody holds the job: what is in sending is unknown.
TEST(Schema, TheViewKnowsWhatARowIsByItsChunksState) {
    const temporary_folder folder;
    const auto path = folder.file("l.db");
    const auto job = plan_job(*must(open_ledger(path)), "one", 3, {{call_on_day(1), {contact_id(1)}}});
    const auto db = open_file(path);
    for (const auto state : {core::chunk_state::planned, core::chunk_state::sending, core::chunk_state::created,
                             core::chunk_state::refused, core::chunk_state::doubtful, core::chunk_state::split}) {
        const std::string word(core::to_string(state));
        must(db->execute("UPDATE chunks SET state = '" + word + "'"));
        auto query = db->prepare("SELECT state FROM chunk_rows WHERE job = ?");
        const bool shown = must(query.bind(job.id).next());
        ASSERT_EQ(shown, state != core::chunk_state::split) << "rows of a split chunk are in its children";
        if (!shown) continue;
        EXPECT_EQ(core::parse_row_state(query.text(0)), core::state_of_open_row(state, core::row_state::unknown))
            << word;
    }
}

TEST(Schema, JobOfAnOriginIsFoundByItsIndex) {
    const temporary_folder folder;
    must(open_ledger(folder.file("l.db")));
    const auto db = open_file(folder.file("l.db"));
    auto plan = db->prepare("EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE origin = ? AND origin <> '' ORDER BY id");
    ASSERT_TRUE(must(plan.next()));
    EXPECT_NE(plan.text(3).find("jobs_by_origin"), std::string::npos) << plan.text(3);
}

TEST(Schema, TasksAreLookedForInTheIndexAlone) {
    const temporary_folder folder;
    must(open_ledger(folder.file("l.db")));
    const auto db = open_file(folder.file("l.db"));
    for (const std::string_view sql :
         {"EXPLAIN QUERY PLAN SELECT chunk, first_task, last_task FROM packed_tasks WHERE last_task >= ? AND "
          "first_task <= ?",
          "EXPLAIN QUERY PLAN SELECT chunk FROM packed_tasks INDEXED BY packed_tasks_by_task WHERE since > ? "
          "ORDER BY since, chunk"}) {
        auto plan = db->prepare(sql);
        ASSERT_TRUE(must(plan.next()));
        EXPECT_NE(plan.text(3).find("USING COVERING INDEX packed_tasks_by_task"), std::string::npos) << plan.text(3);
    }
}

TEST(Schema, FileOfAnUnreleasedVersionIsRefusedAndLeftAlone) {
    const temporary_folder folder;
    must(open_ledger(folder.file("l.db")));
    set_version(folder.file("l.db"), current_version - 1);
    const auto refused = open_ledger(folder.file("l.db"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::errc::ledger);
    EXPECT_NE(refused.error().text.find("never released; move it away"), std::string::npos) << refused.error().text;
    EXPECT_EQ(must(open_file(folder.file("l.db"))->integer("PRAGMA user_version")), current_version - 1);
}

TEST(Schema, NewerFileIsRefusedAndLeftAlone) {
    const temporary_folder folder;
    must(open_ledger(folder.file("l.db")));
    set_version(folder.file("l.db"), current_version + 1);
    const auto refused = open_ledger(folder.file("l.db"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::errc::ledger);
    EXPECT_NE(refused.error().text.find("newer taskbarge"), std::string::npos) << refused.error().text;
}

TEST(Schema, ForeignDatabaseIsRefusedAndLeftAlone) {
    const temporary_folder folder;
    must(open_file(folder.file("other.db"))->execute("CREATE TABLE theirs (x);"));
    const auto refused = open_ledger(folder.file("other.db"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::errc::ledger);
    const auto db = open_file(folder.file("other.db"));
    EXPECT_EQ(must(db->integer("SELECT count(*) FROM sqlite_schema")), 1);
    auto mode = db->prepare("PRAGMA journal_mode");
    ASSERT_TRUE(must(mode.next()));
    EXPECT_EQ(mode.text(0), "delete") << "not turned to WAL either";
}

}  // namespace
}  // namespace taskbarge::ledger
