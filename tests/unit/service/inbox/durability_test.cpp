// What is on the disk before a dropped file changes its name: all that comes to be known of it afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <vector>

#include "service/inbox/item_store.hpp"
#include "support.hpp"

namespace {

std::mutex guard;           // other tests of this program sync from several threads
std::vector<ino_t> synced;  // in this order
ino_t unsyncable = 0;

ino_t inode_of(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_ino;
}

bool was_synced(ino_t inode) {
    return std::find(synced.begin(), synced.end(), inode) != synced.end();
}

}  // namespace

// In place of the C library's.
extern "C" int fsync(int fd) {
    struct stat found {};
    if (::fstat(fd, &found) != 0) return -1;
    if (unsyncable == found.st_ino) {
        errno = EIO;
        return -1;
    }
    {
        const std::lock_guard lock(guard);
        synced.push_back(found.st_ino);
    }
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace taskbarge::service::inbox {
namespace {

struct Durability : ::testing::Test {
    Durability() : store(item_store::open(folder.inbox()).value()) { synced.clear(); }
    ~Durability() override { unsyncable = 0; }

    testing::temporary_root folder;
    std::unique_ptr<item_store> store;
};

TEST_F(Durability, ADroppedFileIsOnTheDiskBeforeItIsRenamed) {
    const auto input = inode_of(folder.drop("a.csv", "input"));
    bool before = false;
    // The next step is its rename.
    testing::at_point("inbox.settings_moved", [&] { before = was_synced(input); });
    ASSERT_TRUE(store->take("a.csv", {}).value());
    EXPECT_TRUE(before);
}

TEST_F(Durability, ItsSettingsAreOnTheDiskBeforeTheyAreRenamed) {
    folder.drop("a.csv", "input");
    const auto own = inode_of(folder.drop("a.csv.toml", "own"));
    const auto held = store->take("a.csv", {}).value();
    ASSERT_TRUE(held);
    const auto item = inode_of(held->item().folder);
    const auto at = std::find(synced.begin(), synced.end(), own);
    ASSERT_NE(at, synced.end());
    EXPECT_NE(std::find(at, synced.end(), item), synced.end()) << "the folder they are in now comes after them";
}

TEST_F(Durability, TheFolderThatLosesANameIsSyncedAfterTheOneThatGetsIt) {
    folder.drop("a.csv", "input");
    const auto held = store->take("a.csv", {}).value();
    ASSERT_TRUE(held);
    ASSERT_GE(synced.size(), 2u);
    EXPECT_EQ(synced[synced.size() - 2], inode_of(held->item().folder));
    EXPECT_EQ(synced.back(), inode_of(folder.inbox()));
}

TEST_F(Durability, WhatCannotBeBroughtToTheDiskStaysWhereItIs) {
    for (const char* broken : {"a.csv", "a.csv.toml"}) {
        folder.drop("a.csv", "input");
        folder.drop("a.csv.toml", "own");
        unsyncable = inode_of(folder.inbox(broken));
        const auto taken = store->take("a.csv", {});
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().code, core::errc::io);
        EXPECT_THAT(taken.error().text, ::testing::HasSubstr(broken));
        EXPECT_EQ(testing::content(folder.inbox("a.csv")), "input");
        EXPECT_EQ(testing::content(folder.inbox("a.csv.toml")), "own");
        EXPECT_TRUE(store->list(item_place::processing, 9)->empty());
    }
}

TEST_F(Durability, AnUploadIsOnTheDiskBeforeItIsAnItem) {
    auto upload = store->begin_upload({"a.csv", "", {}, 0, false}).value();
    ASSERT_TRUE(upload->write("input"));
    std::size_t before = 0;
    testing::at_point("inbox.published", [&] { before = synced.size(); });
    const auto held = upload->finish().value();
    const auto at = std::find(synced.begin(), synced.end(), inode_of(held.item().input()));
    ASSERT_NE(at, synced.end());
    EXPECT_LT(static_cast<std::size_t>(at - synced.begin()), before);
}

}  // namespace
}  // namespace taskbarge::service::inbox
