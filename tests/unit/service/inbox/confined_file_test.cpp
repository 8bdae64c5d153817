#include "service/inbox/confined_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support.hpp"

namespace taskbarge::service::inbox {
namespace {

namespace fs = std::filesystem;
using testing::temporary_root;

struct ConfinedFile : ::testing::Test {
    ConfinedFile() {
        fs::create_directories(folder.path("allowed/deep"));
        fs::create_directories(folder.path("secret"));
        folder.write("allowed/a.csv", "a");
        folder.write("allowed/deep/b.csv", "b");
        folder.write("secret/key", "key");
    }

    std::string read(const std::string& path) const {
        auto fd = open_confined(path, {folder.path("allowed")});
        if (!fd) return std::string(core::to_string(fd.error().code));
        char byte = 0;
        return ::read(fd->get(), &byte, 1) == 1 ? std::string(1, byte) : "";
    }

    temporary_root folder;
};

TEST_F(ConfinedFile, FilesBeneathAnAllowedFolderAreOpened) {
    EXPECT_EQ(read(folder.path("allowed/a.csv")), "a");
    EXPECT_EQ(read(folder.path("allowed/deep/b.csv")), "b");
    EXPECT_EQ(read(folder.path("allowed//deep/./b.csv")), "b");
}

TEST_F(ConfinedFile, NothingOutsideIsOpenedWhateverItIsCalled) {
    for (const auto& path :
         {folder.path("secret/key"), folder.path("allowed/../secret/key"), folder.path("allowed/deep/../../secret/key"),
          folder.path("allowed/.."), folder.path("allowed2/a"), std::string("allowed/a.csv"),
          std::string("/etc/passwd"), std::string(), folder.path("allowed"), folder.path("allowed/"),
          folder.path("allowed/a.csv") + std::string("\0x", 2), folder.path("allowed//") + "../a"})
        EXPECT_EQ(read(path), "usage") << path;
}

TEST_F(ConfinedFile, LinksAreNotFollowedWhereverTheyStand) {
    fs::create_symlink(folder.path("secret/key"), folder.path("allowed/link"));
    fs::create_symlink(folder.path("secret"), folder.path("allowed/folder"));
    fs::create_symlink("a.csv", folder.path("allowed/inside"));
    EXPECT_EQ(read(folder.path("allowed/link")), "usage");
    EXPECT_EQ(read(folder.path("allowed/folder/key")), "usage");
    EXPECT_EQ(read(folder.path("allowed/inside")), "usage");
}

TEST_F(ConfinedFile, WhatIsNoRegularFileIsNoInput) {
    ASSERT_EQ(::mkfifo(folder.path("allowed/fifo").c_str(), 0600), 0);
    EXPECT_EQ(read(folder.path("allowed/fifo")), "input") << "and it did not wait for a writer";
    EXPECT_EQ(read(folder.path("allowed/deep")), "input");
    EXPECT_EQ(read(folder.path("allowed/none.csv")), "input");
    EXPECT_EQ(read(folder.path("allowed/a.csv/x")), "input");
}

TEST_F(ConfinedFile, AnAllowedFolderMayItselfBeALinkAndLieWithinAnother) {
    fs::create_symlink(folder.path("secret"), folder.path("allowed/folder"));
    const auto path = folder.path("allowed/folder/key");
    EXPECT_TRUE(open_confined(path, {folder.path("allowed"), folder.path("allowed/folder/")}));
    EXPECT_TRUE(open_confined(path, {folder.path("allowed/folder"), folder.path("allowed")}));
    EXPECT_TRUE(open_confined(path, {folder.path("none"), folder.path("secret"), folder.path("allowed/folder")}));
}

TEST_F(ConfinedFile, AnAllowedFolderThatIsNotThereIsASettingToMend) {
    const auto fd = open_confined(folder.path("none/a"), {folder.path("none")});
    ASSERT_FALSE(fd);
    EXPECT_EQ(fd.error().code, core::errc::settings);
    EXPECT_NE(fd.error().text.find("serve.allowed_paths"), std::string::npos);
    EXPECT_FALSE(open_confined(folder.path("allowed/a.csv"), {}));
}

}  // namespace
}  // namespace taskbarge::service::inbox
