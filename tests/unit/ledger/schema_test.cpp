#include "ledger/schema.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/job_locks.hpp"
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

// What `rows` shows to those who query the file, beside what `results` says.
std::vector<std::string> rows_of_view(sqlite::connection& db) {
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

TEST(Schema, FileOfTheSecondVersionKeepsItsRowsAndTasks) {
    const temporary_folder folder;
    {
        const auto db = open_file(folder.file("l.db"));
        must(bring_up_to_date(*db, "l.db", schema_steps().first(2)));
        must(db->execute(R"(
            INSERT INTO jobs (base_url, team, state, created_at, chunk_size, rows)
            VALUES ('https://api.example/api/v1', 'default', 'parked', 0, 3, 5);
            INSERT INTO files (job, ordinal, name) VALUES (1, 0, 'a.csv');
            INSERT INTO groups (job, number, user_id, type, priority, status, due_at, note, details_hash)
            VALUES (1, 1, '66302798d03b9601c7934ebf', 'call', 'high', 'scheduled', 0, '', 0);
            INSERT INTO chunks (id, job, group_number, part, state, first_row, row_count, created_count)
            VALUES (1, 1, 1, 0, 'doubtful', 1000, 3, 2), (2, 1, 1, 1, 'planned', 1004, 2, 0);
            INSERT INTO chunk_contacts VALUES
            (1, '["66302798d03b9601c7934e01","odd","66302798d03b9601c7934e03"]', '[1000,1002,1003]', '[1001,1003,1009]'),
            (2, '["66302798d03b9601c7934e04","66302798d03b9601c7934e05"]', '[1004,1010]', '[1010,1016]');
            INSERT INTO chunk_tasks VALUES (1, '["t1","","t3"]', 't1', 't3');)"));
    }
    const std::vector<std::string> expected{"1000 1001 66302798d03b9601c7934e01 t1 created", "1002 1003 odd  unknown",
                                            "1003 1009 66302798d03b9601c7934e03 t3 created",
                                            "1004 1010 66302798d03b9601c7934e04  pending",
                                            "1010 1016 66302798d03b9601c7934e05  pending"};
    const auto book = must(open_ledger(folder.file("l.db")));
    EXPECT_EQ(rows_of_results(*book, 1), expected);
    EXPECT_EQ(rows_of_view(*open_file(folder.file("l.db"))), expected);
    EXPECT_EQ(must(book->chunks(1, core::chunk_state::doubtful, 0, 10)).size(), 1u);
    EXPECT_EQ(must(book->chunks(1, core::chunk_state::planned, 0, 10)).size(), 1u);
}

TEST(Schema, AFileIsNotBroughtUpToDateUnderAProgramThatWorksWithIt) {
    const temporary_folder folder;
    {
        const auto db = open_file(folder.file("l.db"));
        must(bring_up_to_date(*db, "l.db", schema_steps().first(2)));
    }
    auto locks = must(job_locks::open(folder.file("l.db.lock")));
    {
        const auto at_work = must(locks.lock(7));
        const auto refused = open_ledger(folder.file("l.db"));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, core::errc::waiting) << refused.error().text;
        EXPECT_EQ(must(open_file(folder.file("l.db"))->integer("PRAGMA user_version")), 2);
    }
    must(open_ledger(folder.file("l.db")));
    const auto at_work = must(locks.lock(7));
    must(open_ledger(folder.file("l.db")));
}

TEST(Schema, AProgramThatHadAnOlderFileOpenFailsRatherThanMisreadIt) {
    const temporary_folder folder;
    const auto older = open_file(folder.file("l.db"));
    must(bring_up_to_date(*older, "l.db", schema_steps().first(2)));
    const auto read = [&] { return older->prepare("SELECT contact_ids, rows, lines FROM chunk_contacts").run(); };
    const auto tasks = [&] { return older->prepare("SELECT task_ids FROM chunk_tasks").run(); };
    must(read());
    must(tasks());
    must(open_ledger(folder.file("l.db")));
    EXPECT_FALSE(read());
    EXPECT_FALSE(tasks());
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

TEST(Schema, JobsOfTheThirdVersionHaveNoOriginAndNewOnesMay) {
    const temporary_folder folder;
    {
        const auto db = open_file(folder.file("l.db"));
        must(bring_up_to_date(*db, "l.db", schema_steps().first(3)));
        must(
            db->execute("INSERT INTO jobs (base_url, team, state, created_at, chunk_size, rows) VALUES "
                        "('https://api.example/api/v1', 'default', 'parked', 0, 100, 0),"
                        "('https://api.example/api/v1', 'default', 'parked', 0, 100, 0);"));
    }
    const auto book = must(open_ledger(folder.file("l.db")));
    EXPECT_EQ(must(book->jobs()).size(), 2u);
    EXPECT_EQ(must(book->job_of_origin("")), std::nullopt);
    EXPECT_EQ(must(book->reopened_jobs()).size(), 0u);
    auto job = start_plan(*book, 2);
    must(book->commit_plan(job.id, identity_of("one"), {0, 0}, true, "ticket"));
    EXPECT_EQ(must(book->job_of_origin("ticket"))->id, job.id);
    const auto db = open_file(folder.file("l.db"));
    auto plan = db->prepare("EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE origin = ? AND origin <> '' ORDER BY id");
    ASSERT_TRUE(must(plan.next()));
    EXPECT_NE(plan.text(3).find("jobs_by_origin"), std::string::npos) << plan.text(3);
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
