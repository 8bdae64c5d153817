// Bits that turn: what is read of a damaged ledger is either right or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/checksums.hpp"
#include "ledger/sqlite.hpp"

namespace taskbarge::ledger {
namespace {

using core::chunk_state;
using core::errc;
using testing::HasSubstr;

class Damage : public testing::Test {
 protected:
    // A job with a row in each state, a duplicate, a reject, a split chunk, contacts whose ids cannot be packed.
    void make(ledger& book) {
        auto plan = start_plan(book, 3);
        const auto job = plan.id;
        must(book.add_group(job, 1, call_on_day(1).view()));
        must(book.add_group(job, 2, call_on_day(2).view()));
        core::row_number row = 0;
        const auto rows = [&row](std::size_t count) {
            std::vector<std::pair<core::row_number, std::string>> out;
            for (std::size_t i = 0; i < count; ++i, ++row)
                out.emplace_back(row + 1, row % 11 == 10 ? "odd " + std::to_string(row) : contact_id(100 + row));
            return out;
        };
        for (std::uint32_t part = 0; part < 12; ++part)
            must(book.add_chunk(job, chunk_of(1 + part % 2, part / 2, rows(3))));
        must(book.add_duplicate(job, {++row, {0, 90}, contact_id(100), 1, 0, 1}));
        must(book.add_reject(job, {++row, {0, 91}, "x", "Contact", "bad_id", "no id", "raw, text"}));
        must(book.set_files(job, {{1, "csv", "a,b"}}));
        finish_plan(book, plan, "one", {row, 1});
        for (const auto& chunk : chunks_in(book, job, chunk_state::planned))
            end(book, chunk);
        must(book.set_job_state(job, core::job_state::completed, {}, "", "", at_second(50)));
    }
    static void end(ledger& book, const chunk_record& chunk) {
        attempt_report report;
        report.attempt = must(book.record_intent({chunk.id, at_second(1), {}}));
        report.request_id = "req-" + std::to_string(chunk.id);
        must(book.record_report(report, true));
        chunk_update update;
        update.chunk = chunk.id;
        update.settled_at = at_second(40);
        const auto task = [&](std::uint32_t i) { return contact_id(9000 + static_cast<unsigned>(chunk.id) * 10 + i); };
        switch (chunk.id % 4) {
            case 0:
                update.state = chunk_state::refused;
                update.code = "refused_422";
                update.message = "no such contact";
                break;
            case 1:
                update.state = chunk_state::split;
                update.created = {{1, task(1)}};
                update.children = {{{0}, chunk_state::refused, "refused_422", "text", false, 1},
                                   {{2}, chunk_state::doubtful, "held_mismatch", "text", false, 1}};
                break;
            default:
                update.state = chunk_state::created;
                update.created = {{0, task(0)}, {1, task(1)}, {2, task(2)}};
        }
        must(book.update_chunk(update));
    }
    void make() { make(*must(open_ledger(path_))); }

    enum class by { stream, pages };
    // All that `results`, or pages of rows, would show; nothing where that is refused.
    static std::optional<std::string> told(const std::string& path, by how = by::stream) {
        const auto book = open_ledger(path, witness_check::ignored);
        if (!book) return std::nullopt;
        const auto record = (*book)->job(1);
        if (!record) return std::nullopt;
        std::string out;
        for (const auto& name : record->files)
            out += name + '\n';
        const auto tell = [&](const row_result& r) {
            out +=
                std::to_string(r.row) + ' ' + std::to_string(r.file) + ' ' + std::to_string(r.line) + ' ' +
                r.contact_id + ' ' + std::string(core::to_string(r.state)) + ' ' + r.task_id + ' ' + r.code + ' ' +
                r.column + ' ' + r.message + ' ' + std::to_string(r.attempts) + ' ' + r.request_id + ' ' +
                std::to_string(r.possible_duplicate) + ' ' +
                (r.duplicate_of ? std::to_string(r.duplicate_of->first) + ':' + std::to_string(r.duplicate_of->second)
                                : std::string()) +
                ' ' + (r.finished_at ? std::to_string(r.finished_at->time_since_epoch().count()) : "") + '\n';
            return true;
        };
        if (how == by::stream) {
            if (!(*book)->each_result(1, tell)) return std::nullopt;
            return out;
        }
        row_query page;
        page.most = 5;
        for (bool more = true; more;) {
            const auto rows = (*book)->rows(1, page);
            if (!rows) return std::nullopt;
            for (const auto& row : *rows)
                tell(row);
            more = rows->size() == page.most;
            if (more) page.after = rows->back().row;
        }
        return out;
    }
    void change(const std::string& sql) const {
        must(must(sqlite::database::open(path_, SQLITE_OPEN_READWRITE))->execute(sql));
    }
    ledger_condition condition() const {
        return must(must(open_ledger(path_, witness_check::ignored))->inspect([] { return true; }));
    }

    temporary_folder folder_;
    std::string path_ = folder_.file("l.db");
};

TEST_F(Damage, EachOfManyBitsChangesNothingInResultsOrIsReported) {
    make();
    std::string whole;
    {
        std::ifstream in(path_, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto expected = told(path_);
    ASSERT_TRUE(expected);
    std::mt19937_64 chance(20261123);
    const int bits = 1500;
    int refused = 0;
    for (int i = 0; i < bits; ++i) {
        const auto bit = chance() % (whole.size() * 8);
        auto changed = whole;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        const auto copy = folder_.file("copy.db");
        for (const char* suffix : {"", "-wal", "-shm", ".lock"})
            std::filesystem::remove(copy + suffix);
        std::ofstream(copy, std::ios::binary) << changed;
        for (const auto how : {by::stream, by::pages}) {
            const auto now = told(copy, how);
            if (!now)
                ++refused;
            else
                ASSERT_EQ(*now, *expected) << "bit " << bit % 8 << " of byte " << bit / 8;
        }
    }
    EXPECT_GT(refused, 40) << "few of the bits hit anything";
}

TEST_F(Damage, ADamagedChunkIsNeverSent) {
    {
        const auto book = must(open_ledger(path_));
        plan_job(*book, "one", 2, {{call_on_day(1), {contact_id(1), contact_id(2), contact_id(3)}}});
    }
    const auto refused = [&] {
        const auto book = must(open_ledger(path_));
        const auto chunks = book->chunks(1, chunk_state::planned, 0, 10);
        EXPECT_FALSE(chunks);
        if (chunks) return std::string();
        EXPECT_EQ(chunks.error().code, errc::ledger);
        return chunks.error().text;
    };
    const auto again = [&](const std::string& there, const std::string& back) {
        change(there);
        EXPECT_THAT(refused(), HasSubstr("damaged (chunk 1)")) << there;
        change(back);
        must(must(open_ledger(path_))->chunks(1, chunk_state::planned, 0, 10));
    };
    const std::string of_second =
        "UPDATE packed_contacts SET (contact_ids, checksum) = (SELECT contact_ids, checksum FROM packed_contacts WHERE "
        "chunk = 2) WHERE chunk = 1";
    change("CREATE TABLE kept AS SELECT * FROM packed_contacts");
    const std::string back = "INSERT OR REPLACE INTO packed_contacts SELECT * FROM kept";
    again("UPDATE packed_contacts SET contact_ids = zeroblob(24) WHERE chunk = 1", back);
    again(of_second, back);
    again("DELETE FROM packed_contacts WHERE chunk = 1", back);
    again("UPDATE groups SET note = 'dby 1'", "UPDATE groups SET note = 'day 1'");
    again("UPDATE chunks SET row_count = 3 WHERE id = 1", "UPDATE chunks SET row_count = 2 WHERE id = 1");
    again("UPDATE chunks SET attempts = 1 WHERE id = 1", "UPDATE chunks SET attempts = 0 WHERE id = 1");
}

TEST_F(Damage, AnUpdateGivesADamagedRowNoNewChecksum) {
    {
        const auto book = must(open_ledger(path_));
        plan_job(*book, "one", 2, {{call_on_day(1), {contact_id(1)}}});
    }
    change("UPDATE chunks SET attempts = 9");
    const auto book = must(open_ledger(path_));
    EXPECT_THAT(book->record_intent({1, at_second(1), {}}).error().text, HasSubstr("damaged"));
    chunk_update update;
    update.chunk = 1;
    update.state = chunk_state::doubtful;
    EXPECT_THAT(book->update_chunk(update).error().text, HasSubstr("damaged"));
    EXPECT_EQ(condition().damages, 1u);
}

TEST_F(Damage, AStateThatIsNoneIsDamageEverywhere) {
    make();
    change("UPDATE chunks SET state = 'refusee' WHERE id = 4");
    const auto book = must(open_ledger(path_));
    EXPECT_THAT(book->chunk(4).error().text, HasSubstr("damaged (chunk 4)"));
    EXPECT_EQ(told(path_), std::nullopt);
    change("UPDATE jobs SET state = 'parkee'");
    EXPECT_THAT(book->job(1).error().text, HasSubstr("damaged (job 1)"));
    EXPECT_THAT(book->totals(1).error().text, HasSubstr("damaged"));
}

TEST_F(Damage, ADamagedEarlierJobIsNotPassedOver) {
    make();
    const auto plan_again = [&](const std::string& there, const std::string& back) {
        change(there);
        const auto book = must(open_ledger(path_));
        auto plan = start_plan(*book, 3);
        must(book->add_group(plan.id, 1, call_on_day(1).view()));
        must(book->add_chunk(plan.id, chunk_of(1, 0, {{1, contact_id(100)}})));
        const auto done = book->commit_plan(plan.id, identity_of("again"), {1, 0}, core::task_fields(), {});
        EXPECT_THAT(done ? "committed" : done.error().text, HasSubstr("damaged")) << there;
        must(book->discard_plan(plan.id));
        change(back);
    };
    plan_again("UPDATE groups SET note = 'dby 1' WHERE number = 1",
               "UPDATE groups SET note = 'day 1' WHERE number = 1");
    plan_again("UPDATE jobs SET team = 'eefault' WHERE id = 1", "UPDATE jobs SET team = 'default' WHERE id = 1");
    plan_again("UPDATE chunks SET message = 'x' WHERE id = 1", "UPDATE chunks SET message = '' WHERE id = 1");
    plan_again("UPDATE packed_contacts SET lines = '[2]' WHERE chunk = 1",
               "UPDATE packed_contacts SET lines = '[1]' WHERE chunk = 1");
}

TEST_F(Damage, KeptKeysOfAPrunedJobAreChecked) {
    make();
    must(must(open_ledger(path_))->prune_job(1, false, at_second(90), [] { return true; }));
    EXPECT_EQ(condition().damages, 0u);
    change("UPDATE kept_keys SET other_rows = '[]'");
    EXPECT_GT(condition().damages, 0u);
    const auto book = must(open_ledger(path_));
    auto plan = start_plan(*book, 3);
    must(book->add_group(plan.id, 1, call_on_day(1).view()));
    must(book->add_chunk(plan.id, chunk_of(1, 0, {{1, contact_id(100)}})));
    EXPECT_THAT(book->commit_plan(plan.id, identity_of("again"), {1, 0}, core::task_fields(), {}).error().text,
                HasSubstr("damaged"));
}

TEST_F(Damage, InspectionFindsAWholeLedgerWholeAndSaysWhatIsWrongWhere) {
    make();
    EXPECT_EQ(condition().damages, 0u);
    EXPECT_GT(condition().rows, 40u);
    const auto finds = [&](const std::string& there, const std::string& what) {
        const auto copy = folder_.file("whole");
        std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing);
        change(there);
        const auto found = condition();
        EXPECT_GT(found.damages, 0u) << there;
        std::string all;
        for (const auto& one : found.named)
            all += one.what + ": " + one.text + '\n';
        EXPECT_THAT(all, HasSubstr(what)) << there;
        for (const char* suffix : {"-wal", "-shm"})
            std::filesystem::remove(path_ + suffix);
        std::filesystem::copy_file(copy, path_, std::filesystem::copy_options::overwrite_existing);
    };
    finds("UPDATE packed_contacts SET contact_ids = zeroblob(36) WHERE chunk = 3", "contacts of chunk 3 of job 1");
    finds("UPDATE packed_tasks SET since = since + 1 WHERE chunk = 3", "tasks of chunk 3 of job 1");
    finds("UPDATE groups SET due_at = 5 WHERE number = 2", "group 2 of job 1: is not as it was written");
    finds("UPDATE rejects SET raw = x'00'", "rejected row 38 of job 1");
    finds("UPDATE duplicates SET of_row = 2", "duplicate row 37 of job 1");
    finds("UPDATE files SET name = 'b.csv'", "file 1 of job 1");
    finds("UPDATE jobs SET input_sha256 = 'x'", "job 1: is not as it was written");
    finds("DELETE FROM packed_contacts WHERE chunk = 3", "chunk 3 of job 1: has lost its contacts");
    finds("DELETE FROM packed_tasks WHERE chunk = 3", "chunk 3 of job 1: has more or fewer tasks than it says");
    finds("DELETE FROM chunks WHERE id = 3", "job 1: its rows do not add up");
    finds("DELETE FROM chunks WHERE id = 3", "request");
    finds("DELETE FROM groups WHERE number = 2", "its group is missing");
    finds("DELETE FROM rejects", "job 1: its rows do not add up");
    finds("INSERT INTO ledger (id) VALUES ('x')", "name of the ledger: it has 2 lines");
    change("DELETE FROM ledger");
    EXPECT_THAT(open_ledger(path_).error().text, HasSubstr("it has lost its name"));
}

TEST_F(Damage, InspectionEndsWhenItIsAskedTo) {
    {
        const auto book = must(open_ledger(path_));
        std::vector<std::string> contacts;
        for (std::uint64_t i = 1; i <= 2000; ++i)
            contacts.push_back(contact_id(i));
        plan_job(*book, "one", 1, {{call_on_day(1), contacts}});
    }
    const auto stopped = must(open_ledger(path_))->inspect([] { return false; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, errc::interrupted);
}

}  // namespace
}  // namespace taskbarge::ledger
