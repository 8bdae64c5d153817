#include "service/inbox/folder_watch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "support.hpp"

namespace taskbarge::service::inbox {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

// What the watch told, and a bounded wait for it.
class told {
 public:
    bool offered(const std::string& name) {
        std::unique_lock hold(mutex_);
        ++offers_[name];
        changed_.notify_all();
        changed_.wait(hold, [&] { return !blocked_; });
        return accept_;
    }
    void trouble(const std::string& why) {
        const std::lock_guard hold(mutex_);
        troubles_.push_back(why);
        changed_.notify_all();
    }
    void refuse_all() { accept_ = false; }
    void block(bool on) {
        const std::lock_guard hold(mutex_);
        blocked_ = on;
        changed_.notify_all();
    }

    template <class Condition>
    bool wait_until(Condition condition, milliseconds most = std::chrono::seconds(30)) {
        std::unique_lock hold(mutex_);
        return changed_.wait_for(hold, most, [&] { return condition(*this); });
    }
    bool wait_for(const std::string& name, int times = 1) {
        return wait_until([&](const told& t) { return t.times(name) >= times; });
    }
    int times(const std::string& name) const {
        const auto at = offers_.find(name);
        return at == offers_.end() ? 0 : at->second;
    }
    std::vector<std::string> names() {
        const std::lock_guard hold(mutex_);
        std::vector<std::string> out;
        for (const auto& [name, count] : offers_)
            out.push_back(name);
        return out;
    }
    void forget() {
        const std::lock_guard hold(mutex_);
        offers_.clear();
    }
    std::size_t size() const { return offers_.size(); }
    std::size_t troubles() const { return troubles_.size(); }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, int> offers_;
    std::vector<std::string> troubles_;
    bool accept_ = true;
    bool blocked_ = false;
};

struct FolderWatch : ::testing::Test {
    explicit FolderWatch(testing::temporary_root::place where = testing::temporary_root::place::disk) : folder(where) {
        fs::create_directory(folder.inbox());
    }

    std::unique_ptr<folder_watch> start(milliseconds settle, milliseconds poll, bool use_inotify = true,
                                        std::function<bool()> has_room = {}) {
        auto watch = folder_watch::start(
            {folder.inbox(), settle, poll, use_inotify, std::move(has_room)},
            [this](const std::string& name) { return seen.offered(name); },
            [this](const std::string& why) { seen.trouble(why); });
        EXPECT_TRUE(watch) << watch.error().text;
        return std::move(*watch);
    }
    // With a settle time of an hour only a watch that hears of renames offers anything. It may need a look or two to
    // find out which folder it has to follow.
    bool hears_of_renames() {
        for (int i = 0; i < 200; ++i) {
            rename_in("try" + std::to_string(i) + ".csv");
            if (seen.wait_until([](const told& t) { return t.size() > 0; }, milliseconds(50))) return true;
        }
        return false;
    }
    void rename_in(const std::string& name) {
        folder.write("outside", "x");
        fs::rename(folder.path("outside"), folder.inbox(name));
    }

    testing::temporary_root folder;
    told seen;
};

struct ManyFiles : FolderWatch {
    ManyFiles() : FolderWatch(testing::temporary_root::place::memory) {}
};

TEST_F(FolderWatch, RenamedIntoPlaceIsOfferedWithoutWaiting) {
    const auto watch = start(hours(1), hours(1));
    EXPECT_TRUE(watch->by_inotify());
    rename_in("a.csv");
    EXPECT_TRUE(seen.wait_for("a.csv"));
    folder.drop("b.csv.part", "x");
    fs::rename(folder.inbox("b.csv.part"), folder.inbox("b.csv"));
    EXPECT_TRUE(seen.wait_for("b.csv"));
}

TEST_F(FolderWatch, CopiedFileIsOfferedWhenItHasSettled) {
    const auto watch = start(milliseconds(30), hours(1));
    folder.drop("a.csv", "x");
    EXPECT_TRUE(seen.wait_for("a.csv"));
}

TEST_F(FolderWatch, CopiedFileIsNotOfferedBeforeItHasSettled) {
    const auto watch = start(hours(1), milliseconds(10));
    folder.drop("copied.csv", "x");
    rename_in("renamed.csv");
    EXPECT_TRUE(seen.wait_for("renamed.csv"));
    EXPECT_THAT(seen.names(), ElementsAre("renamed.csv"));
}

TEST_F(FolderWatch, WhatIsThereAtTheStartIsOffered) {
    folder.drop("a.csv", "x");
    const auto watch = start(milliseconds(10), hours(1));
    EXPECT_TRUE(seen.wait_for("a.csv"));
}

TEST_F(FolderWatch, WithoutInotifyItLooksAgainAndAgain) {
    const auto watch = start(milliseconds(20), milliseconds(20), false);
    EXPECT_FALSE(watch->by_inotify());
    folder.drop("a.csv", "x");
    EXPECT_TRUE(seen.wait_for("a.csv"));
    rename_in("b.csv");
    EXPECT_TRUE(seen.wait_for("b.csv"));
}

TEST_F(FolderWatch, WhatCouldNotBeTakenIsOfferedAgain) {
    seen.refuse_all();
    const auto watch = start(milliseconds(10), hours(1));
    rename_in("a.csv");
    EXPECT_TRUE(seen.wait_for("a.csv", 2));
}

TEST_F(FolderWatch, OnlyRegularFilesAtTheTopAreOffered) {
    folder.write("elsewhere.csv", "x");
    fs::create_symlink(folder.path("elsewhere.csv"), folder.inbox("link.csv"));
    fs::create_directory(folder.inbox("folder.csv"));
    folder.drop("folder.csv/inside.csv", "x");
    ASSERT_EQ(::mkfifo(folder.inbox("fifo.csv").c_str(), 0600), 0);
    for (const char* name : {".hidden.csv", "a.csv.toml", "taskbarge.toml", "a.csv.part"})
        folder.drop(name, "x");
    folder.drop("real.csv", "x");
    const auto watch = start(milliseconds(0), hours(1));
    EXPECT_TRUE(seen.wait_for("real.csv"));
    EXPECT_TRUE(seen.wait_for("real.csv", 2)) << "a second round, in which nothing else is offered either";
    EXPECT_THAT(seen.names(), ElementsAre("real.csv"));
}

TEST_F(FolderWatch, FolderThatIsRemovedIsToldOnceAndFollowedWhenItIsBack) {
    const auto watch = start(milliseconds(10), milliseconds(10));
    fs::remove_all(folder.inbox());
    ASSERT_TRUE(seen.wait_until([](const told& t) { return t.troubles() == 1; }));
    fs::create_directory(folder.inbox());
    rename_in("a.csv");
    EXPECT_TRUE(seen.wait_for("a.csv"));
    EXPECT_TRUE(watch->by_inotify());
    EXPECT_TRUE(seen.wait_until([](const told& t) { return t.troubles() == 1; })) << "not told again";
    fs::remove_all(folder.inbox());
    EXPECT_TRUE(seen.wait_until([](const told& t) { return t.troubles() == 2; })) << "but told anew";
}

TEST_F(FolderWatch, FolderThatIsReplacedIsFollowedToo) {
    const auto watch = start(milliseconds(10), milliseconds(10));
    fs::create_directory(folder.path("other"));
    fs::rename(folder.inbox(), folder.path("old"));
    fs::rename(folder.path("other"), folder.inbox());
    rename_in("a.csv");
    EXPECT_TRUE(seen.wait_for("a.csv"));
    folder.write("old/not-here.csv", "x");
    rename_in("b.csv");
    EXPECT_TRUE(seen.wait_for("b.csv"));
    EXPECT_TRUE(watch->by_inotify());
    EXPECT_THAT(seen.names(), ElementsAre("a.csv", "b.csv"));
}

TEST_F(FolderWatch, FolderThatIsExchangedAboveItIsFollowedToo) {
    fs::create_directories(folder.path("above/inbox"));
    fs::create_directories(folder.path("other/inbox"));
    folder.place_inbox("above/inbox");
    const auto watch = start(hours(1), milliseconds(10));
    ASSERT_TRUE(watch->by_inotify());
    // Nothing is told of it, for the watched folder itself stays what it is.
    ASSERT_EQ(
        ::renameat2(AT_FDCWD, folder.path("above").c_str(), AT_FDCWD, folder.path("other").c_str(), RENAME_EXCHANGE),
        0);
    EXPECT_TRUE(hears_of_renames());
}

TEST_F(FolderWatch, FolderThatIsMadeAnewBetweenTwoLooksIsFollowedToo) {
    const auto watch = start(hours(1), milliseconds(10));
    seen.block(true);
    rename_in("a.csv");
    ASSERT_TRUE(seen.wait_for("a.csv"));
    // It often gets the number of the old one, so that it cannot be told by that.
    fs::remove_all(folder.inbox());
    fs::create_directory(folder.inbox());
    seen.forget();
    seen.block(false);
    EXPECT_TRUE(hears_of_renames());
}

TEST_F(ManyFiles, NothingIsLostWhenTheKernelsQueueOverflows) {
    const auto watch = start(milliseconds(10), hours(1));
    seen.block(true);
    rename_in("first.csv");
    ASSERT_TRUE(seen.wait_for("first.csv"));
    // Two events each, and the queue has 16,384 places unless it was set otherwise.
    constexpr int count = 9'000;
    for (int i = 0; i < count; ++i)
        folder.drop(std::to_string(i) + ".csv", "");
    seen.block(false);
    EXPECT_TRUE(seen.wait_until([](const told& t) { return t.size() == count + 1; }));
}

TEST_F(FolderWatch, StopsAtOnceHoweverLongItWouldSleep) {
    auto watch = start(hours(1), hours(1));
    rename_in("a.csv");
    ASSERT_TRUE(seen.wait_for("a.csv"));
    watch.reset();
    rename_in("b.csv");
    EXPECT_THAT(seen.names(), ElementsAre("a.csv"));
}

TEST_F(FolderWatch, FolderThatIsNotThereIsASettingToMend) {
    const auto watch = folder_watch::start(
        {folder.path("none")}, [](const std::string&) { return true; }, [](const std::string&) {});
    ASSERT_FALSE(watch);
    EXPECT_EQ(watch.error().code, core::errc::settings);
    EXPECT_NE(watch.error().text.find(folder.path("none")), std::string::npos);
}

TEST_F(FolderWatch, WithoutRoomNothingIsOfferedAndAllIsWhenThereIsSome) {
    std::atomic<bool> room{false};
    std::atomic<int> asked{0};
    for (int n = 0; n < 50; ++n)
        folder.drop(std::to_string(n) + ".csv", "x");
    const auto watch = start(milliseconds(1), milliseconds(1), true, [&] {
        ++asked;
        return room.load();
    });
    for (int n = 0; n < 600 && asked < 3; ++n)
        seen.wait_until([](const told&) { return false; }, milliseconds(50));
    EXPECT_GE(asked, 3);
    EXPECT_EQ(seen.names().size(), 0u);
    room = true;
    EXPECT_TRUE(seen.wait_until([](const told& t) { return t.size() == 50; }));
}

}  // namespace
}  // namespace taskbarge::service::inbox
