#include "ledger/sqlite.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "contract/ledger_fixture.hpp"

namespace taskbarge::ledger::sqlite {
namespace {

class Sqlite : public testing::Test {
 protected:
    Sqlite() { must(db->execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT) STRICT;")); }

    std::int64_t count() { return must(db->integer("SELECT count(*) FROM t")); }
    result<void> insert(int x) { return db->prepare("INSERT INTO t VALUES (?, ?)").bind(x, "text").run(); }

    std::unique_ptr<database> db = must(database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY));
};

TEST_F(Sqlite, FailureInATransactionDoomsAllOfIt) {
    must(db->begin(access::write));
    must(insert(1));
    const auto first = insert(1);
    ASSERT_FALSE(first);
    const auto later = insert(2);
    ASSERT_FALSE(later) << "what follows would be kept without what came before";
    EXPECT_EQ(later.error().text, first.error().text);
    EXPECT_FALSE(db->commit());
    EXPECT_EQ(count(), 0);
    must(insert(3));
    EXPECT_EQ(count(), 1) << "usable again";
}

TEST_F(Sqlite, BodyThatFailsIsRolledBack) {
    const auto done = db->atomically(access::write, [&]() -> result<void> {
        if (auto r = insert(1); !r) return r;
        return core::failure{core::errc::internal, "no"};
    });
    EXPECT_FALSE(done);
    EXPECT_FALSE(db->in_transaction());
    EXPECT_EQ(count(), 0);
}

TEST_F(Sqlite, InnerTransactionIsPartOfTheOuterOne) {
    must(db->begin(access::write));
    must(db->atomically(access::write, [&] { return insert(1); }));
    db->rollback();
    EXPECT_EQ(count(), 0);
}

TEST_F(Sqlite, StatementCanBeUsedWhileItsTwinIsRunning) {
    must(insert(1));
    must(insert(2));
    auto outer = db->prepare("SELECT x FROM t ORDER BY x");
    int rows = 0;
    must(outer.each([&] {
        auto inner = db->prepare("SELECT x FROM t ORDER BY x");
        must(inner.each([&] { ++rows; }));
    }));
    EXPECT_EQ(rows, 4);
}

TEST_F(Sqlite, NullsAndValuesAreToldApart) {
    must(db->prepare("INSERT INTO t VALUES (?, ?)").bind(std::optional<std::int64_t>(5), std::nullopt).run());
    auto query = db->prepare("SELECT x, y FROM t");
    ASSERT_TRUE(must(query.next()));
    EXPECT_EQ(query.integer(0), 5);
    EXPECT_TRUE(query.is_null(1));
    EXPECT_EQ(query.text(1), "");
}

TEST_F(Sqlite, FullDatabaseIsToldFromABrokenOne) {
    must(db->execute("PRAGMA max_page_count = 3;"));
    const auto done = db->prepare("INSERT INTO t VALUES (1, ?)").bind(std::string(100000, 'x')).run();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, core::errc::ledger_full);
    EXPECT_EQ(insert(1).has_value(), true);
    EXPECT_EQ(insert(1).error().code, core::errc::ledger);
}

TEST_F(Sqlite, WrongSqlIsAFailureOfItsRun) {
    auto wrong = db->prepare("SELECT nothing FROM nowhere");
    EXPECT_FALSE(wrong.next());
}

}  // namespace
}  // namespace taskbarge::ledger::sqlite
