// When what is sent, and what the outbox holds, without a thread and with a clock that stands still.
#include "service/notify/courier.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "unit/service/notify/outbox_folder.hpp"

namespace taskbarge::service::notify {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

const delivery no_answer{false, true, "connection refused"};
const delivery gone{false, false, "410"};

class Courier : public outbox_fixture {
 protected:
    std::unique_ptr<courier> make(notifier::options o) {
        auto made = courier::make(std::move(o));
        if (!made) throw std::runtime_error(made.error().text);
        return std::move(*made);
    }
    std::unique_ptr<courier> make() { return make(options()); }
    static void tell(courier& c, const std::string& id, std::string_view event = "completed") {
        const auto told = c.tell(id, event, "{\"id\":\"" + id + "\"}");
        ASSERT_TRUE(told) << told.error().text;
    }
    // Works off what is due now; gives how long nothing will be.
    static std::optional<milliseconds> work_off(courier& c) {
        for (int i = 0; i < 10'000; ++i)
            if (const auto idle = c.work(); !idle || idle->count() > 0) return idle;
        ADD_FAILURE() << "it never rests";
        return {};
    }
    static mode_t mode_of(const std::filesystem::path& path) {
        struct stat is {};
        EXPECT_EQ(::stat(path.c_str(), &is), 0);
        return is.st_mode & 07777U;
    }
};

TEST(RetryDelay, DoublesFromFiveSecondsToAnHour) {
    EXPECT_EQ(retry_delay(1), 5s);
    EXPECT_EQ(retry_delay(2), 10s);
    EXPECT_EQ(retry_delay(3), 20s);
    EXPECT_EQ(retry_delay(10), 2560s);
    EXPECT_EQ(retry_delay(11), 1h);
    EXPECT_EQ(retry_delay(4'000'000'000), 1h);
}

TEST_F(Courier, DeliversInTheOrderOfTelling) {
    const auto c = make();
    EXPECT_EQ(c->work(), std::nullopt);
    for (const char* id : {"b", "a", "c"})
        tell(*c, id);
    EXPECT_EQ(c->waiting(), 3U);
    EXPECT_EQ(work_off(*c), std::nullopt);
    EXPECT_THAT(posted(), ElementsAre("b", "a", "c"));
    EXPECT_THAT(notes(), ElementsAre("delivered b: 204", "delivered a: 204", "delivered c: 204"));
    EXPECT_EQ(c->waiting(), 0U);
    EXPECT_THAT(files(), IsEmpty());
    EXPECT_EQ(last_.url, "https://example.com/hook");
    EXPECT_EQ(last_.event, "completed");
    EXPECT_EQ(last_.body, "{\"id\":\"c\"}");
    EXPECT_EQ(last_.signature, "") << "there is no key";
}

TEST_F(Courier, SignsWithTheTimeOfTheTry) {
    auto o = options();
    o.key = core::secret("k");
    const auto c = make(std::move(o));
    answer(no_answer);
    tell(*c, "a");
    EXPECT_EQ(work_off(*c), 5s);
    EXPECT_EQ(last_.signature, signature(core::secret("k"), clock_.now(), last_.body));
    const auto first = last_.signature;
    clock_.advance(5s);
    work_off(*c);
    EXPECT_EQ(last_.signature, signature(core::secret("k"), clock_.now(), last_.body));
    EXPECT_NE(last_.signature, first);
}

TEST_F(Courier, FileIsWholeAndForTheOwnerAlone) {
    const mode_t before = ::umask(0);
    const auto c = make();
    tell(*c, "../job/1");
    ::umask(before);
    EXPECT_EQ(mode_of(box_), 0700U);
    ASSERT_THAT(files(), SizeIs(1));
    EXPECT_EQ(mode_of(files().front()), 0600U);
    EXPECT_EQ(files().front().extension(), ".json");
}

TEST_F(Courier, SpellingOfTheFolderDoesNotMatter) {
    tell(*make(), "a");
    auto o = options();
    o.folder += "/";
    EXPECT_EQ(make(o)->waiting(), 1U);
    o.folder = (root_ / "." / "outbox").string();
    EXPECT_EQ(make(o)->waiting(), 1U);
}

TEST_F(Courier, FolderThatOthersCouldReadIsClosedToThem) {
    std::filesystem::create_directory(box_);
    ASSERT_EQ(::chmod(box_.c_str(), 0755), 0);
    make();
    EXPECT_EQ(mode_of(box_), 0700U);
}

TEST_F(Courier, RetriesAfterTheDelaysUntilADayHasPassed) {
    const auto c = make();
    answer(no_answer);
    tell(*c, "a");
    const auto began = clock_.now();
    std::uint32_t failures = 0;
    while (const auto idle = work_off(*c)) {
        ++failures;
        const auto since = clock_.now() - began;
        ASSERT_LT(since, 24h);
        EXPECT_EQ(*idle, std::min<milliseconds>(retry_delay(failures), 24h - since)) << failures;
        clock_.advance(*idle - 1ms);
        EXPECT_EQ(c->work(), 1ms) << "not before it is due";
        clock_.advance(1ms);
    }
    // After 5 s, 10 s, ... 2560 s, together 5115 s; then 22 times after an hour, and for the last time after a day.
    EXPECT_EQ(failures, 33U);
    EXPECT_THAT(posted(), SizeIs(failures + 1));
    EXPECT_EQ(clock_.now() - began, 24h);
    EXPECT_EQ(notes().front(), "retried a: connection refused; next try in 5 s (failures: 1)");
    EXPECT_EQ(notes().back(), "given_up a: not delivered within 24 h: connection refused");
    EXPECT_EQ(c->waiting(), 0U);
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Courier, RefusalIsNotRepeated) {
    const auto c = make();
    answer(gone);
    tell(*c, "a");
    EXPECT_EQ(work_off(*c), std::nullopt);
    EXPECT_THAT(notes(), ElementsAre("given_up a: refused: 410"));
    EXPECT_THAT(files(), IsEmpty());
}

TEST_F(Courier, WhatIsDueLongestGoesFirst) {
    const auto c = make();
    answer(no_answer);
    tell(*c, "old");
    EXPECT_EQ(work_off(*c), 5s);
    clock_.advance(1s);
    tell(*c, "young");
    EXPECT_EQ(work_off(*c), 4s) << "old again";
    answer({true, false, "200"});
    clock_.advance(10s);
    EXPECT_EQ(work_off(*c), std::nullopt);
    EXPECT_THAT(posted(), ElementsAre("old", "young", "old", "young"));
}

TEST_F(Courier, RestartGoesOnWithTimesAndOrder) {
    answer(no_answer);
    {
        const auto c = make();
        tell(*c, "z");
        clock_.advance(1ms);
        tell(*c, "a");
        EXPECT_EQ(work_off(*c), 5s);
        clock_.advance(5s);
        EXPECT_EQ(work_off(*c), 10s);
        clock_.advance(1ms);
        tell(*c, "new");
    }
    clock_.advance(4s);
    answer({true, false, "200"});
    const auto c = make();
    EXPECT_EQ(c->waiting(), 3U);
    EXPECT_EQ(work_off(*c), 5999ms) << "only what is due goes at once";
    EXPECT_THAT(notes().back(), StartsWith("delivered new"));
    clock_.advance(6s);
    EXPECT_EQ(work_off(*c), std::nullopt);
    EXPECT_THAT(posted(), ElementsAre("z", "a", "z", "a", "new", "z", "a"));
    EXPECT_EQ(last_.body, "{\"id\":\"a\"}");
}

TEST_F(Courier, BackoffGoesOnAfterARestart) {
    answer(no_answer);
    {
        const auto c = make();
        tell(*c, "a");
        work_off(*c);
        clock_.advance(5s);
        EXPECT_EQ(work_off(*c), 10s);
    }
    clock_.advance(10s);
    EXPECT_EQ(work_off(*make()), 20s);
}

TEST_F(Courier, WhatGrewOldWhileNothingRanIsTriedOnceMore) {
    answer(no_answer);
    tell(*make(), "a");
    clock_.advance(48h);
    {
        const auto c = make();
        EXPECT_EQ(work_off(*c), std::nullopt);
    }
    EXPECT_THAT(posted(), ElementsAre("a"));
    EXPECT_THAT(notes(), ElementsAre(StartsWith("given_up a: not delivered within 24 h")));
}

TEST_F(Courier, JumpOfTheWallClockDelaysNothing) {
    answer(no_answer);
    {
        const auto c = make();
        tell(*c, "a");
        EXPECT_EQ(work_off(*c), 5s);
        clock_.jump(-72h);
        clock_.advance(5s);
        EXPECT_EQ(work_off(*c), 10s);
        clock_.jump(-72h);
    }
    EXPECT_EQ(work_off(*make()), 1h) << "no longer than a wait can be";
}

TEST_F(Courier, TellingTwiceIsTellingOnce) {
    const auto c = make();
    tell(*c, "a");
    tell(*c, "a", "failed");
    EXPECT_EQ(c->waiting(), 1U);
    EXPECT_EQ(work_off(*c), std::nullopt);
    EXPECT_THAT(posted(), ElementsAre("a"));
    EXPECT_EQ(last_.event, "completed");
    tell(*c, "a");  // it has left the outbox
    work_off(*c);
    EXPECT_THAT(posted(), ElementsAre("a", "a"));
}

TEST_F(Courier, EventsThatNobodyAskedForAreNotTold) {
    auto o = options();
    o.settings.events = {"failed"};
    const auto c = make(std::move(o));
    tell(*c, "a", "completed");
    EXPECT_EQ(c->waiting(), 0U);
    tell(*c, "b", "failed");
    EXPECT_EQ(c->waiting(), 1U);
    o = options();
    o.settings.url.clear();
    o.folder = (root_ / "other").string();
    const auto silent = make(std::move(o));
    tell(*silent, "a", "failed");
    EXPECT_EQ(silent->waiting(), 0U);
}

TEST_F(Courier, OneTooManyPushesTheOldestOut) {
    EXPECT_EQ(notifier::options().most_waiting, 1000U);
    auto o = options();
    o.most_waiting = 10;
    const auto c = make(o);
    answer(no_answer);
    tell(*c, "oldest");
    EXPECT_EQ(work_off(*c), 5s);
    for (int i = 1; i < 10; ++i)
        tell(*c, "n" + std::to_string(i));
    EXPECT_EQ(c->waiting(), 10U);
    EXPECT_THAT(notes(), SizeIs(1));
    tell(*c, "newest");
    EXPECT_EQ(c->waiting(), 10U);
    EXPECT_THAT(files(), SizeIs(10));
    EXPECT_EQ(notes().back(), "given_up oldest: more than 10 notifications wait");
    EXPECT_EQ(make()->waiting(), 10U);
}

TEST_F(Courier, TheOneUnderWayIsNotPushedOut) {
    auto o = options();
    o.most_waiting = 10;
    courier* self = nullptr;
    o.post = [&](const posting& p) {
        for (int i = 0; i < 10 && p.id == "first"; ++i)
            tell(*self, "n" + std::to_string(i));
        return no_answer;
    };
    const auto c = make(std::move(o));
    self = c.get();
    tell(*c, "first");
    EXPECT_EQ(c->work(), 0ms);
    EXPECT_THAT(notes(), ElementsAre(StartsWith("given_up n0: more than"), StartsWith("retried first: ")));
}

TEST_F(Courier, UnusableIdsAndBodiesAreRefused) {
    const auto c = make();
    for (const std::string& id :
         {std::string(), std::string("a b"), std::string("a\r\nX: y"), std::string("\xC3\xA9"), std::string(401, 'x')})
        EXPECT_FALSE(c->tell(id, "completed", "{}")) << id;
    EXPECT_FALSE(c->tell("a", "completed", std::string((1U << 20U) + 1, 'x')));
    EXPECT_TRUE(c->tell(std::string(400, 'x'), "completed", std::string(1U << 20U, '"')));
    EXPECT_EQ(make()->waiting(), 1U) << "what may be told can be read again";
}

TEST_F(Courier, DamagedFilesAreSetAsideAndTold) {
    tell(*make(), "good");
    std::ofstream(box_ / "cut.json") << "{\"id\":\"x\",\"event\":";
    std::ofstream(box_ / "other.json") << "[]";
    std::ofstream(box_ / "notes.txt") << "left alone";
    const auto c = make();
    EXPECT_EQ(c->waiting(), 1U);
    EXPECT_THAT(notes(), SizeIs(2));
    EXPECT_THAT(notes(), Each(HasSubstr("set aside with the ending .unreadable")));
    EXPECT_TRUE(std::filesystem::exists(box_ / "cut.json.unreadable"));
    EXPECT_TRUE(std::filesystem::exists(box_ / "notes.txt"));
    make();
    EXPECT_THAT(notes(), SizeIs(2)) << "told once";
}

TEST_F(Courier, FileUnderAnotherNameIsNotTakenTwice) {
    tell(*make(), "a");
    std::filesystem::copy_file(files().front(), box_ / "copy.json");
    EXPECT_EQ(make()->waiting(), 1U);
}

TEST_F(Courier, LeftoversOfAKilledProcessAreRemovedWhenOld) {
    make();
    std::ofstream(box_ / ".new-old") << "{";
    std::ofstream(box_ / ".new-young") << "{";
    std::filesystem::last_write_time(box_ / ".new-old", std::filesystem::file_time_type::clock::now() - 2h);
    EXPECT_EQ(make()->waiting(), 0U);
    EXPECT_THAT(files(), ElementsAre(box_ / ".new-young"));
}

TEST_F(Courier, OutboxThatCannotBeUsedIsAFailureOfSettings) {
    auto o = options();
    o.folder = (root_ / "missing" / "outbox").string();
    auto made = courier::make(o);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, core::errc::settings);
    EXPECT_THAT(made.error().text, HasSubstr("missing/outbox"));
    std::ofstream(root_ / "file") << "x";
    o.folder = (root_ / "file").string();
    made = courier::make(o);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, core::errc::settings);
}

TEST_F(Courier, WhatCannotBeWrittenIsNotTold) {
    const auto c = make();
    std::filesystem::remove_all(box_);
    const auto told = c->tell("a", "completed", "{}");
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, core::errc::io);
    EXPECT_EQ(c->waiting(), 0U);
}

TEST_F(Courier, RetryThatCannotBeWrittenIsKeptInMemory) {
    const auto c = make();
    answer(no_answer);
    tell(*c, "a");
    std::filesystem::remove_all(box_);
    EXPECT_EQ(work_off(*c), 5s);
    EXPECT_THAT(notes().back(), HasSubstr("the outbox of notifications"));
    answer({true, false, "200"});
    clock_.advance(5s);
    work_off(*c);
    EXPECT_THAT(posted(), ElementsAre("a", "a"));
}

TEST_F(Courier, PingsGoToTheirOwnAddressUnsigned) {
    auto o = options();
    o.key = core::secret("k");
    o.settings.ping_url = "https://hc.example/abc";
    const auto c = make(std::move(o));
    tell(*c, "p", "ping-fail");
    work_off(*c);
    EXPECT_EQ(last_.url, "https://hc.example/abc/fail");
    EXPECT_EQ(last_.signature, "");
}

TEST_F(Courier, PingsAreNotToldWithoutAnAddress) {
    const auto c = make();
    tell(*c, "p", "ping-start");
    EXPECT_EQ(c->waiting(), 0U);
}

TEST_F(Courier, ANewerPingTakesThePlaceOfOneThatWaits) {
    auto o = options();
    o.settings.ping_url = "https://hc.example/abc";
    const auto c = make(std::move(o));
    answer(no_answer);
    tell(*c, "old", "ping-fail");
    tell(*c, "hook", "completed");
    work_off(*c);
    EXPECT_EQ(c->waiting(), 2U);
    tell(*c, "new", "ping-success");
    EXPECT_EQ(c->waiting(), 2U) << "the hook's, and the newer ping";
    answer({true, false, "200"});
    clock_.advance(1h);
    work_off(*c);
    EXPECT_EQ(c->waiting(), 0U);
    const auto all = posted();
    EXPECT_EQ(std::count(all.begin(), all.end(), "old"), 1) << "its first try only";
}

}  // namespace
}  // namespace taskbarge::service::notify
