#include "ledger/schema.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/sqlite.hpp"

namespace taskbarge::ledger {
namespace {

std::unique_ptr<sqlite::connection> open_file(const std::string& path) {
    return must(sqlite::connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
}

// Today's steps and one more, as the next version would have them.
std::vector<const char*> steps_of_next_version() {
    std::vector<const char*> out(schema_steps().begin(), schema_steps().end());
    out.push_back("ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'");
    return out;
}

TEST(Schema, OlderFileTakesTheStepsThatItLacksAndKeepsItsRows) {
    const temporary_folder folder;
    planned_job job;
    {
        const auto book = must(open_ledger(folder.file("l.db")));
        job = plan_job(*book, "one", 2, {{call_on_day(1), {contact_id(1)}}});
    }
    const auto db = open_file(folder.file("l.db"));
    const auto steps = steps_of_next_version();
    must(bring_up_to_date(*db, "l.db", steps));
    EXPECT_EQ(must(db->integer("PRAGMA user_version")), static_cast<std::int64_t>(steps.size()));
    EXPECT_EQ(must(db->integer("SELECT count(*) FROM jobs WHERE colour = 'grey'")), 1);
    must(bring_up_to_date(*db, "l.db", steps));
}

TEST(Schema, FileOfTheFirstVersionIsBroughtUpToDateAndCanShrinkAfterwards) {
    const temporary_folder folder;
    {
        const auto db = open_file(folder.file("l.db"));
        must(bring_up_to_date(*db, "l.db", schema_steps().first(1)));
        must(
            db->execute("INSERT INTO jobs (base_url, team, state, created_at, finished_at, chunk_size, rows) "
                        "VALUES ('https://api.example/api/v1', 'default', 'completed', 0, 1000, 100, 0);"
                        "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(4000000)); DROP TABLE filler;"));
    }
    const auto book = must(open_ledger(folder.file("l.db")));
    const auto job = must(book->jobs()).at(0);
    EXPECT_EQ(job.pruned_at, std::nullopt);
    EXPECT_GT(must(book->size()).free_bytes, 3'000'000u);
    must(book->prune_job(job.id, false, at_second(5000), [] { return true; }));
    must(book->shrink([] { return true; }));
    EXPECT_EQ(must(book->size()).free_bytes, 0u);
    EXPECT_LT(std::filesystem::file_size(folder.file("l.db")), 1'000'000u);
    EXPECT_EQ(must(open_file(folder.file("l.db"))->integer("PRAGMA auto_vacuum")), 2) << "by parts, from now on";
}

TEST(Schema, StepThatFailsLeavesTheVersionBefore) {
    const auto db = must(sqlite::connection::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY));
    const std::array steps{"CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO missing VALUES (1)"};
    EXPECT_FALSE(bring_up_to_date(*db, "l.db", steps));
    EXPECT_EQ(must(db->integer("PRAGMA user_version")), 1);
    EXPECT_EQ(must(db->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'")), 0);
}

TEST(Schema, NewerFileIsRefusedAndLeftAlone) {
    const temporary_folder folder;
    must(open_ledger(folder.file("l.db")));
    must(bring_up_to_date(*open_file(folder.file("l.db")), "l.db", steps_of_next_version()));
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
