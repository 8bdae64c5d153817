#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "service/inbox/files.hpp"
#include "service/inbox/item_store.hpp"
#include "support.hpp"

namespace taskbarge::service::inbox {
namespace {

namespace fs = std::filesystem;
using core::errc;
using testing::content;
using ::testing::HasSubstr;

struct Writers : ::testing::Test {
    // Where the file system tells; else there is nothing to test.
    bool are_told() const { return writers_of(folder.write("trial", "x")) != writers::unknown; }
    testing::temporary_root folder;
};

TEST_F(Writers, AFileIsFreeWhenItsWritersHaveClosedIt) {
    if (!are_told()) GTEST_SKIP() << "this file system does not tell who writes";
    const auto path = folder.write("a.csv", "x");
    EXPECT_EQ(writers_of(path), writers::none);
    {
        const core::owned_fd writer(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
        EXPECT_EQ(writers_of(path), writers::some);
        const core::owned_fd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        EXPECT_EQ(writers_of(path), writers::some);
    }
    const core::owned_fd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(writers_of(path), writers::none);
}

TEST_F(Writers, AFileThatIsOpenForWritingStaysInTheInboxUntilItIsClosed) {
    if (!are_told()) GTEST_SKIP() << "this file system does not tell who writes";
    const auto store = item_store::open(folder.inbox()).value();
    const auto path = folder.drop("a.csv", "half");
    {
        const core::owned_fd writer(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
        const auto taken = store->take("a.csv", {});
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().code, errc::waiting);
        EXPECT_THAT(taken.error().text, HasSubstr("a.csv is open for writing"));
        EXPECT_EQ(::write(writer.get(), " and half", 9), 9);
    }
    const auto taken = store->take("a.csv", {}).value();
    ASSERT_TRUE(taken);
    EXPECT_EQ(content(taken->item().input()), "half and half");
}

TEST_F(Writers, AFileWithASecondNameIsNotTaken) {
    const auto store = item_store::open(folder.inbox()).value();
    folder.write("of-another-user", "secret");
    fs::create_hard_link(folder.path("of-another-user"), folder.inbox("a.csv"));
    const auto taken = store->take("a.csv", {});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, errc::input);
    EXPECT_THAT(taken.error().text, HasSubstr("a.csv has 2 names (hard links)"));
    EXPECT_TRUE(store->list(item_place::processing, 9)->empty());
    EXPECT_EQ(content(folder.inbox("a.csv")), "secret");
    // As a program makes a whole file appear: under a second name, before the first one goes.
    fs::remove(folder.path("of-another-user"));
    EXPECT_TRUE(store->take("a.csv", {}).value());
}

TEST_F(Writers, AFileWhoseSettingsHaveASecondNameIsNotTaken) {
    const auto store = item_store::open(folder.inbox()).value();
    folder.write("of-another-user", "secret");
    folder.drop("a.csv", "input");
    for (const char* settings : {"a.csv.toml", "taskbarge.toml"}) {
        fs::create_hard_link(folder.path("of-another-user"), folder.inbox(settings));
        const auto taken = store->take("a.csv", {});
        ASSERT_FALSE(taken);
        EXPECT_THAT(taken.error().text, HasSubstr(settings));
        EXPECT_EQ(content(folder.inbox("a.csv")), "input");
        fs::remove(folder.inbox(settings));
    }
    EXPECT_TRUE(store->take("a.csv", {}).value());
}

TEST_F(Writers, AFileThatGetsASecondNameWhileItIsTakenIsGivenBack) {
    const auto store = item_store::open(folder.inbox()).value();
    folder.drop("a.csv", "input");
    testing::at_point("inbox.settings_moved",
                      [&] { fs::create_hard_link(folder.inbox("a.csv"), folder.path("another")); });
    EXPECT_FALSE(store->take("a.csv", {}).value());
    EXPECT_EQ(content(folder.inbox("a.csv")), "input");
    EXPECT_TRUE(store->list(item_place::processing, 9)->empty());
}

}  // namespace
}  // namespace taskbarge::service::inbox
