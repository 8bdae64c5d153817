// What is left when the process dies between two steps, or the disk is full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "service/inbox/item_store.hpp"
#include "support.hpp"

namespace taskbarge::service::inbox {
namespace {

namespace fs = std::filesystem;
using core::errc;
using testing::any_number;
using testing::content;
using testing::die_at_point;
using ::testing::ElementsAre;
using testing::in_child;
using ::testing::IsEmpty;
using testing::names;
using testing::temporary_root;

core::instant now() {
    return *core::parse_rfc3339("2026-11-25T19:01:02Z");
}

std::unique_ptr<item_store> open(const temporary_root& folder) {
    auto opened = item_store::open(folder.inbox());
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
}

void drop_all(const temporary_root& folder) {
    folder.drop("a.csv", "input");
    folder.drop("a.csv.toml", "own");
    folder.drop("taskbarge.toml", "folder");
}

bool fill(int fd) {
    return ::write(fd, "result", 6) == 6;
}

// An item's whole life. 0: lived to its end.
int live(const temporary_root& folder, int dies_at) {
    die_at_point(dies_at);
    auto store = item_store::open(folder.inbox());
    if (!store) return 1;
    auto taken = (*store)->take("a.csv", now());
    if (!taken || !*taken) return 2;
    auto& held = **taken;
    if (!(*store)->set_job(held, 7, {})) return 3;
    const auto write = [](int fd) -> core::result<void> {
        if (!fill(fd)) return core::failure{errc::io, "cannot write"};
        return {};
    };
    if (!(*store)->add_file(held, "results.csv", write)) return 4;
    return (*store)->put_away(held, item_place::done) ? 0 : 5;
}

void expect_whole(const item& one) {
    EXPECT_EQ(one.trouble, "");
    EXPECT_EQ(one.note, (item_note{"a.csv", "inbox", now(), 0, false}));
    EXPECT_EQ(content(one.input()), "input");
    ASSERT_EQ(one.settings_files.size(), 2u);
    EXPECT_EQ(content(one.settings_files[0]), "folder");
    EXPECT_EQ(content(one.settings_files[1]), "own");
}

// Kills a child at each of its fault points in turn, until one lives to its end. Gives how many died.
template <class Prepare, class Live, class Check>
int kill_at_every_point(Prepare prepare, Live live_until, Check check) {
    constexpr int most = 100;
    for (int point = 0; point < most; ++point) {
        SCOPED_TRACE("killed at point " + std::to_string(point));
        temporary_root folder;
        fs::create_directory(folder.inbox());
        auto kept = prepare(folder);
        const int code = in_child([&] { return live_until(folder, point); });
        if (code == 0) return point;
        EXPECT_EQ(code, -SIGKILL);
        check(folder, kept);
        if (::testing::Test::HasFailure()) return point;
    }
    return most;
}

TEST(ItemStoreCrash, RestartFindsTheInputOnceAndWithItsSettings) {
    int in_inbox = 0, adopted = 0, done = 0;
    const int points = kill_at_every_point(
        [](const temporary_root& folder) {
            drop_all(folder);
            return 0;
        },
        live,
        [&](const temporary_root& folder, int) {
            const auto store = open(folder);
            auto found = store->adopt(any_number);
            ASSERT_TRUE(found) << found.error().text;
            EXPECT_THAT(names(folder.inbox(".incoming")), ElementsAre("lock"));
            EXPECT_EQ(store->list(item_place::processing, 9)->size(), found->size()) << "and nothing else is left";
            const auto put_away = store->list(item_place::done, 9);
            const bool dropped = fs::exists(folder.inbox("a.csv"));
            ASSERT_EQ(found->size() + put_away->size() + (dropped ? 1 : 0), 1u);
            if (dropped) {
                ++in_inbox;
                EXPECT_EQ(content(folder.inbox("a.csv.toml")), "own");
                const auto taken = store->take("a.csv", now());
                ASSERT_TRUE(taken && *taken);
                expect_whole((*taken)->item());
                return;
            }
            EXPECT_FALSE(fs::exists(folder.inbox("a.csv.toml"))) << "the next file of that name must not get it";
            ++(found->empty() ? done : adopted);
            expect_whole(found->empty() ? put_away->front() : found->front().item());
        });
    EXPECT_EQ(points, 10);
    EXPECT_EQ(in_inbox, 6);
    EXPECT_EQ(adopted, 3);
    EXPECT_EQ(done, 1);
}

TEST(ItemStoreCrash, LivingServiceTakesWhatTheDeadOneHadNotYetWithItsSettings) {
    int taken_by_the_living = 0;
    kill_at_every_point(
        [](const temporary_root& folder) {
            auto other = open(folder);
            drop_all(folder);
            return other;
        },
        live,
        [&](const temporary_root& folder, const std::unique_ptr<item_store>& other) {
            const bool dropped = fs::exists(folder.inbox("a.csv"));
            auto taken = other->take("a.csv", now());
            ASSERT_TRUE(taken) << taken.error().text;
            ASSERT_EQ(taken->has_value(), dropped);
            if (!dropped) return;
            ++taken_by_the_living;
            expect_whole((*taken)->item());
            // It goes on with no more than that: what the dead one had begun is gone.
            EXPECT_THAT(*other->adopt(any_number), IsEmpty());
            EXPECT_EQ(other->list(item_place::processing, 9)->size(), 1u);
        });
    EXPECT_EQ(taken_by_the_living, 6);
}

TEST(ItemStoreCrash, TakingThatIsUndoneMayDieAsWell) {
    int died = 0;
    kill_at_every_point(
        [](const temporary_root& folder) {
            auto other = open(folder);
            folder.drop("a.csv", "input");
            fs::create_symlink(folder.path("none"), folder.inbox("a.csv.toml"));
            return other;
        },
        [](const temporary_root& folder, int point) {
            die_at_point(point);
            auto store = item_store::open(folder.inbox());
            return store && !(*store)->take("a.csv", now()) ? 0 : 1;
        },
        [&](const temporary_root& folder, const std::unique_ptr<item_store>& other) {
            ++died;
            EXPECT_EQ(content(folder.inbox("a.csv")), "input");
            EXPECT_TRUE(fs::is_symlink(folder.inbox("a.csv.toml")));
            fs::remove(folder.inbox("a.csv.toml"));
            EXPECT_TRUE(*other->take("a.csv", now()));
            EXPECT_EQ(other->adopt(any_number)->size(), 1u);
            EXPECT_EQ(other->list(item_place::processing, 9)->size(), 1u);
            const auto restarted = open(folder);
            EXPECT_THAT(names(folder.inbox(".incoming")), ElementsAre("lock"));
        });
    EXPECT_EQ(died, 6);
}

TEST(ItemStoreCrash, SettingsThatWereReplacedMeanwhileAreTheNewOnes) {
    int replaced = 0;
    kill_at_every_point(
        [](const temporary_root& folder) {
            drop_all(folder);
            return 0;
        },
        live,
        [&](const temporary_root& folder, int) {
            if (!fs::exists(folder.inbox("a.csv"))) return;
            folder.drop("a.csv.toml", "newer");
            const auto store = open(folder);
            EXPECT_THAT(*store->adopt(any_number), IsEmpty());
            const auto taken = store->take("a.csv", now());
            ASSERT_TRUE(taken && *taken);
            EXPECT_EQ(content((*taken)->item().settings_files.back()), "newer");
            ++replaced;
        });
    EXPECT_EQ(replaced, 6);
}

TEST(ItemStoreCrash, UploadIsAnItemAsAWholeOrNotAtAll) {
    int items = 0, nothing = 0;
    kill_at_every_point([](const temporary_root&) { return 0; },
                        [](const temporary_root& folder, int point) {
                            die_at_point(point);
                            auto store = item_store::open(folder.inbox());
                            if (!store) return 1;
                            auto up = (*store)->begin_upload({"a.csv", "", now(), 0, false});
                            if (!up || !(*up)->write("input")) return 2;
                            return (*up)->finish() ? 0 : 3;
                        },
                        [&](const temporary_root& folder, int) {
                            const auto store = open(folder);
                            const auto found = store->adopt(any_number);
                            ASSERT_TRUE(found) << found.error().text;
                            EXPECT_THAT(names(folder.inbox(".incoming")), ElementsAre("lock"));
                            ++(found->empty() ? nothing : items);
                            for (const auto& held : *found)
                                EXPECT_EQ(content(held.item().input()), "input");
                        });
    EXPECT_GE(nothing, 3);
    EXPECT_GE(items, 1);
}

TEST(ItemStoreCrash, ItemsOfADeadProcessAreAdoptedWhileAnotherLives) {
    temporary_root folder;
    const auto store = open(folder);
    folder.drop("a.csv", "input");
    EXPECT_EQ(in_child([&] {
                  const auto taken = store->take("a.csv", now());
                  return taken && *taken && store->adopt(any_number)->empty() ? 0 : 1;
              }),
              0);
    EXPECT_EQ(store->adopt(any_number)->size(), 1u);
}

// Says on stderr what is not as it should be; a child has no better way.
int complain(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    return 1;
}

// No room: nothing of an upload, of a copy or of a taking is left, and the text says what is wrong.
int meet_a_full_disk(const temporary_root& folder, errc expected) {
    auto opened = item_store::open(folder.inbox());
    if (!opened) return complain(opened.error().text.c_str());
    auto& store = **opened;
    const std::string piece(100'000, 'x');
    {
        auto up = store.begin_upload({"up.csv", "", now(), 0, false});
        if (!up) return complain(up.error().text.c_str());
        auto ok = core::result<void>();
        for (int i = 0; ok && i < 10; ++i)
            ok = (*up)->write(piece);
        if (ok) return complain("a megabyte found room");
        std::fprintf(stderr, "%s\n", ok.error().text.c_str());
        if (ok.error().code != expected) return complain("another kind of failure was expected");
        if ((*up)->finish()) return complain("half an upload became an item");
    }
    const auto copied = store.take_path(folder.path("big.csv"), {folder.path()}, {"", "", now(), 0, false});
    if (copied || copied.error().code != expected) return complain("a copy found room");
    if (names(folder.inbox(".incoming")) != std::vector<std::string>{"lock"}) return complain("a part was left");
    return store.list(item_place::processing, 9)->empty() ? 0 : complain("an item was left");
}

int meet_a_disk_without_room_for_a_note(const temporary_root& folder, errc expected) {
    auto opened = item_store::open(folder.inbox());
    if (!opened) return complain(opened.error().text.c_str());
    const auto taken = (*opened)->take("a.csv", now());
    if (taken) return complain("it was taken");
    std::fprintf(stderr, "%s\n", taken.error().text.c_str());
    if (taken.error().code != expected) return complain("another kind of failure was expected");
    if (content(folder.inbox("a.csv")) != "input" || content(folder.inbox("a.csv.toml")) != "own")
        return complain("the input did not stay where it was");
    if (names(folder.inbox(".incoming")) != std::vector<std::string>{"lock"}) return complain("a part was left");
    return (*opened)->list(item_place::processing, 9)->empty() ? 0 : complain("an item was left");
}

bool fill_disk(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string piece(4'096, 'x');
    for (int i = 0; i < 1'000 && fd >= 0 && ::write(fd, piece.data(), piece.size()) > 0; ++i)
        continue;
    return fd >= 0 && ::close(fd) == 0;
}

// Where nothing may be mounted, files that may not grow.
bool limit_files(rlim_t most) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{most, most};
    return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

TEST(ItemStoreFull, UploadsAndCopiesLeaveNothing) {
    temporary_root folder;
    folder.write("big.csv", std::string(1'000'000, 'x'));
    fs::create_directory(folder.inbox());
    const int mounted = in_child([&] {
        return testing::on_small_disk(folder.inbox(), [&] { return meet_a_full_disk(folder, errc::ledger_full); });
    });
    EXPECT_TRUE(mounted == 0 || mounted == testing::no_mounts) << mounted;
    EXPECT_EQ(in_child([&] { return limit_files(150'000) ? meet_a_full_disk(folder, errc::io) : 2; }), 0);
}

TEST(ItemStoreFull, DroppedFileStaysWhereItIs) {
    temporary_root folder;
    fs::create_directory(folder.inbox());
    const int mounted = in_child([&] {
        return testing::on_small_disk(folder.inbox(), [&] {
            if (!item_store::open(folder.inbox())) return 2;
            drop_all(folder);
            if (!fill_disk(folder.inbox("filler"))) return 2;
            return meet_a_disk_without_room_for_a_note(folder, errc::ledger_full);
        });
    });
    EXPECT_TRUE(mounted == 0 || mounted == testing::no_mounts) << mounted;
    drop_all(folder);
    EXPECT_EQ(in_child([&] { return limit_files(16) ? meet_a_disk_without_room_for_a_note(folder, errc::io) : 2; }), 0);
}

}  // namespace
}  // namespace taskbarge::service::inbox
