#include "service/inbox/arrivals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace taskbarge::service::inbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto forever = arrivals::time::max();

arrivals::time at(int second) {
    return arrivals::time(seconds(1'000 + second));
}

file_state state(std::uint64_t size, std::int64_t modified = 1, std::uint64_t inode = 7) {
    return {size, modified, inode};
}

TEST(Arrivals, FileIsCompleteWhenItWasUnchangedForTheSettleTime) {
    arrivals files(seconds(5));
    files.seen({{"a.csv", state(10)}}, at(0));
    EXPECT_THAT(files.ready(at(0)), IsEmpty());
    EXPECT_EQ(files.next(at(0)), at(5));
    files.seen({{"a.csv", state(10)}}, at(4));
    EXPECT_THAT(files.ready(at(4)), IsEmpty());
    EXPECT_EQ(files.next(at(4)), at(5));
    EXPECT_THAT(files.ready(at(5)), ElementsAre("a.csv"));
    EXPECT_EQ(files.next(at(6)), at(6));
}

TEST(Arrivals, FileThatGrowsWaitsFromItsLastChange) {
    arrivals files(seconds(5));
    for (int second = 0; second < 20; ++second) {
        files.seen({{"a.csv", state(static_cast<std::uint64_t>(second))}}, at(second));
        EXPECT_THAT(files.ready(at(second)), IsEmpty());
    }
    EXPECT_EQ(files.next(at(19)), at(24));
    EXPECT_THAT(files.ready(at(23)), IsEmpty());
    EXPECT_THAT(files.ready(at(24)), ElementsAre("a.csv"));
}

TEST(Arrivals, FileThatIsWrittenInPlaceOrReplacedStartsAnew) {
    arrivals files(seconds(5));
    files.seen({{"a.csv", state(10, 1)}, {"b.csv", state(10, 1, 7)}}, at(0));
    files.seen({{"a.csv", state(10, 2)}, {"b.csv", state(10, 1, 8)}}, at(4));
    EXPECT_THAT(files.ready(at(8)), IsEmpty());
    EXPECT_THAT(files.ready(at(9)), ElementsAre("b.csv", "a.csv"));
}

TEST(Arrivals, AWriterThatSetsTheTimeBackIsNoticed) {
    arrivals files(seconds(5));
    auto one = state(10);
    files.seen({{"a.csv", one}}, at(0));
    one.changed_ns = 1;
    files.seen({{"a.csv", one}}, at(4));
    EXPECT_THAT(files.ready(at(8)), IsEmpty());
    EXPECT_THAT(files.ready(at(9)), ElementsAre("a.csv"));
}

TEST(Arrivals, WhatWasRenamedIntoPlaceIsGivenTimeToLoseItsOtherNames) {
    arrivals files(seconds(5));
    auto linked = state(10);
    linked.links = 2;
    files.moved_in("a.csv");
    files.seen({{"a.csv", linked}}, at(0));
    EXPECT_THAT(files.ready(at(4)), IsEmpty());
    EXPECT_EQ(files.next(at(4)), at(5));
    EXPECT_THAT(files.ready(at(5)), ElementsAre("a.csv")) << "to be refused";
}

TEST(Arrivals, WhatWasRenamedIntoPlaceIsCompleteAtTheNextLook) {
    arrivals files(seconds(5));
    files.moved_in("a.csv");
    EXPECT_THAT(files.ready(at(0)), IsEmpty()) << "nobody has looked at it";
    EXPECT_EQ(files.next(at(0)), at(0));
    files.seen({{"a.csv", state(10)}}, at(0));
    EXPECT_THAT(files.ready(at(0)), ElementsAre("a.csv"));
    files.seen({{"a.csv", state(10)}}, at(1));
    EXPECT_THAT(files.ready(at(1)), ElementsAre("a.csv"));
}

TEST(Arrivals, RenamedIntoPlaceButStillWrittenWaitsAfterAll) {
    arrivals files(seconds(5));
    files.moved_in("a.csv");
    files.seen({{"a.csv", state(10)}}, at(0));
    files.seen({{"a.csv", state(11)}}, at(1));
    EXPECT_THAT(files.ready(at(5)), IsEmpty());
    EXPECT_THAT(files.ready(at(6)), ElementsAre("a.csv"));
}

TEST(Arrivals, RenamedOverAFileThatWasWaitingIsCompleteToo) {
    arrivals files(seconds(5));
    files.seen({{"a.csv", state(10, 1, 7)}}, at(0));
    files.moved_in("a.csv");
    files.seen({{"a.csv", state(99, 2, 8)}}, at(1));
    EXPECT_THAT(files.ready(at(1)), ElementsAre("a.csv"));
}

TEST(Arrivals, RenamedInAndGoneBeforeTheLookIsForgotten) {
    arrivals files(seconds(5));
    files.moved_in("a.csv");
    files.seen({}, at(0));
    EXPECT_EQ(files.next(at(0)), forever);
    files.seen({{"a.csv", state(10)}}, at(1));
    EXPECT_THAT(files.ready(at(1)), IsEmpty()) << "another file of that name, and copied";
}

TEST(Arrivals, FileThatVanishesIsForgotten) {
    arrivals files(seconds(5));
    files.seen({{"a.csv", state(10)}}, at(0));
    files.seen({}, at(3));
    EXPECT_THAT(files.ready(at(9)), IsEmpty());
    EXPECT_EQ(files.next(at(9)), forever);
    files.seen({{"a.csv", state(10)}}, at(10));
    EXPECT_THAT(files.ready(at(14)), IsEmpty());
    EXPECT_THAT(files.ready(at(15)), ElementsAre("a.csv"));
}

TEST(Arrivals, PutOffIsOfferedAgainAfterTheSettleTime) {
    arrivals files(seconds(5));
    files.moved_in("a.csv");
    files.seen({{"a.csv", state(10)}}, at(0));
    files.put_off("a.csv", at(1));
    files.seen({{"a.csv", state(10)}}, at(2));
    EXPECT_THAT(files.ready(at(5)), IsEmpty());
    EXPECT_EQ(files.next(at(5)), at(6));
    EXPECT_THAT(files.ready(at(6)), ElementsAre("a.csv"));
}

TEST(Arrivals, PutOffIsNotOfferedWithoutAPauseWhereNoSettleTimeIsSet) {
    arrivals files(seconds(0));
    files.seen({{"a.csv", state(10)}}, at(0));
    EXPECT_THAT(files.ready(at(0)), ElementsAre("a.csv"));
    files.put_off("a.csv", at(0));
    EXPECT_THAT(files.ready(at(0) + milliseconds(249)), IsEmpty());
    EXPECT_THAT(files.ready(at(0) + milliseconds(250)), ElementsAre("a.csv"));
}

TEST(Arrivals, AnotherFileOfAPutOffNameIsNotPutOff) {
    arrivals files(seconds(5));
    files.seen({{"a.csv", state(10, 1, 7)}}, at(0));
    files.put_off("a.csv", at(100));
    files.moved_in("a.csv");
    files.seen({{"a.csv", state(10, 1, 8)}}, at(101));
    EXPECT_THAT(files.ready(at(101)), ElementsAre("a.csv"));
    files.put_off("unknown.csv", at(101));
}

TEST(Arrivals, OldestComesFirstThenByName) {
    arrivals files(seconds(5));
    files.seen({{"c.csv", state(1, 30)}, {"b.csv", state(1, 20)}, {"d.csv", state(1, 10)}, {"a.csv", state(1, 20)}},
               at(0));
    EXPECT_THAT(files.ready(at(5)), ElementsAre("d.csv", "a.csv", "b.csv", "c.csv"));
}

TEST(Arrivals, ManyFilesEachKeepTheirOwnTime) {
    arrivals files(seconds(5));
    std::map<std::string, file_state> folder;
    for (int second = 0; second < 1'000; ++second) {
        folder[std::to_string(second) + ".csv"] = state(1, second);
        files.seen(folder, at(second));
    }
    EXPECT_EQ(files.ready(at(999)).size(), 995u);
    EXPECT_EQ(files.ready(at(999)).front(), "0.csv");
    EXPECT_EQ(files.ready(at(1'004)).size(), 1'000u);
}

TEST(Arrivals, SettingsHiddenFilesAndHalfCopiesAreNoInputs) {
    for (const char* name : {"contacts.csv", "contacts.jsonl.gz", "a", "toml", "контакты.csv", "x.part.csv"})
        EXPECT_TRUE(is_input_name(name)) << name;
    for (const char* name :
         {"", ".contacts.csv", "contacts.csv.toml", "taskbarge.toml", "TASKBARGE.TOML", "a.csv.part", "a.csv.tmp",
          "a.csv.filepart", "a.csv.partial", ".a.csv.swp", "a.csv.swp", "a.csv~", "a.csv.crdownload", "A.CSV.TMP"})
        EXPECT_FALSE(is_input_name(name)) << name;
}

}  // namespace
}  // namespace taskbarge::service::inbox
