#include "service/api/spool.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace {

namespace service = taskbarge::service;

TEST(Spool, GivesBackWhatItWasGivenInBlocks) {
    auto made = service::spool::make(std::filesystem::temp_directory_path().string());
    ASSERT_TRUE(made) << made.error().text;
    ASSERT_TRUE(made->write("abc"));
    ASSERT_TRUE(made->write("defgh"));
    std::vector<std::string> blocks;
    ASSERT_TRUE(made->read(3, [&](std::string block) {
        blocks.push_back(std::move(block));
        return true;
    }));
    EXPECT_EQ(blocks, (std::vector<std::string>{"abc", "def", "gh"}));
}

TEST(Spool, StopsReadingWhenNobodyWantsMore) {
    auto made = service::spool::make(std::filesystem::temp_directory_path().string());
    ASSERT_TRUE(made);
    ASSERT_TRUE(made->write("abcdef"));
    int blocks = 0;
    ASSERT_TRUE(made->read(2, [&](const std::string&) { return ++blocks < 2; }));
    EXPECT_EQ(blocks, 2);
}

TEST(Spool, AFolderThatIsNotThereIsTold) {
    const auto made = service::spool::make("/nowhere/at/all");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, taskbarge::core::errc::io);
}

}  // namespace
