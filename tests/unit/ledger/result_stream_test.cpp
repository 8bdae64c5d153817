#include "ledger/result_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/ledger_fixture.hpp"
#include "ledger/checksums.hpp"
#include "ledger/sqlite.hpp"

namespace taskbarge::ledger {
namespace {

// A job whose every chunk spans nearly the whole input, in all states that a chunk can have.
class ResultStream : public testing::Test {
 protected:
    static constexpr core::group_number groups = 50;
    static constexpr core::row_number rows_of_group = 6;

    ResultStream() {
        auto book = must(open_ledger(path));
        auto planned = start_plan(*book, rows_of_group);
        job = planned.id;
        must(book->begin());
        for (core::group_number g = 1; g <= groups; ++g) {
            must(book->add_group(job, g, call_on_day(static_cast<int>(g)).view()));
            std::vector<std::pair<core::row_number, std::string>> rows;
            for (core::row_number i = 0; i < rows_of_group; ++i)
                rows.emplace_back(i * groups + g, contact_id(g));
            must(book->add_chunk(job, chunk_of(g, 0, rows)));
        }
        must(book->commit());
        finish_plan(*book, planned, "one", {groups * rows_of_group, 0});
        for (const auto& chunk : chunks_in(*book, job, core::chunk_state::planned))
            change(*book, chunk.id);
    }

    static void change(ledger& book, chunk_id id) {
        chunk_update update;
        update.chunk = id;
        update.state = static_cast<core::chunk_state>(id % 6);
        update.code = "code";
        update.message = "message";
        update.attempts = 3;
        update.settled_at = at_second(id);
        update.created = {{1, "task \"1\""}, {4, "task-4"}};
        if (update.state == core::chunk_state::created) {
            update.created = {{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}, {5, "f"}};
        }
        if (update.state == core::chunk_state::split) {
            update.children.resize(2);
            update.children[0].indexes = {0, 5};
            update.children[1].indexes = {2, 3};
            update.children[1].state = core::chunk_state::refused;
        }
        must(book.update_chunk(update));
    }

    std::vector<row_result> read(std::uint64_t memory) {
        auto db = must(sqlite::database::open(path, SQLITE_OPEN_READWRITE));
        must(add_row_check(*db));
        std::vector<row_result> out;
        result_stream stream(*db, job, core::row_state::unknown, memory);
        for (row_result row; must(stream.next(row));)
            out.push_back(row);
        return out;
    }

    temporary_folder folder;
    std::string path = folder.file("l.db");
    job_id job = 0;
};

void expect_same(const row_result& a, const row_result& b) {
    EXPECT_EQ(a.row, b.row);
    EXPECT_EQ(a.line, b.line);
    EXPECT_EQ(a.contact_id, b.contact_id);
    EXPECT_EQ(a.state, b.state) << "row " << a.row;
    EXPECT_EQ(a.task_id, b.task_id);
    EXPECT_EQ(a.code, b.code);
    EXPECT_EQ(a.message, b.message);
    EXPECT_EQ(a.attempts, b.attempts);
    EXPECT_EQ(a.request_id, b.request_id);
    EXPECT_EQ(a.possible_duplicate, b.possible_duplicate);
    EXPECT_EQ(a.finished_at, b.finished_at) << "row " << a.row;
}

TEST_F(ResultStream, GivesTheSameRowsWhateverTheMemory) {
    const auto merged = read(64 << 20);
    ASSERT_EQ(merged.size(), groups * rows_of_group);
    // From the first row on; from somewhere in the middle of the first rows on.
    for (const std::uint64_t memory : {0, 20000}) {
        const auto sorted = read(memory);
        ASSERT_EQ(sorted.size(), merged.size());
        for (std::size_t i = 0; i < merged.size(); ++i) {
            EXPECT_EQ(merged[i].row, i + 1);
            expect_same(sorted[i], merged[i]);
        }
    }
}

TEST_F(ResultStream, ViewForPeopleShowsTheSameStates) {
    auto db = must(sqlite::database::open(path, SQLITE_OPEN_READWRITE));
    auto query = db->prepare("SELECT row, state, contact_id, file FROM rows WHERE job = ? ORDER BY row");
    query.bind(job);
    const auto merged = read(64 << 20);
    std::size_t at = 0;
    must(query.each([&] {
        ASSERT_LT(at, merged.size());
        EXPECT_EQ(query.number(0), merged[at].row);
        EXPECT_EQ(query.text(1), core::to_string(merged[at].state));
        EXPECT_EQ(query.text(2), merged[at].contact_id);
        EXPECT_EQ(query.text(3), "a.csv");
        ++at;
    }));
    EXPECT_EQ(at, merged.size());
}

}  // namespace
}  // namespace taskbarge::ledger
