#include "cli/api_key.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
using testing::HasSubstr;

class KeyFile : public testing::Test {
 protected:
    KeyFile() : path_(std::filesystem::temp_directory_path() / fmt::format("taskbarge-key-{}", getpid())) {
        settings_.apollo.api_key_file = path_.string();
    }
    ~KeyFile() override { std::filesystem::remove(path_); }
    void write(const std::string& text, mode_t mode = 0600) {
        std::ofstream(path_) << text;
        ::chmod(path_.c_str(), mode);
    }
    core::result<core::secret> load() { return cli::load_key({}, settings_, warnings_); }

    std::filesystem::path path_;
    core::settings settings_;
    std::vector<std::string> warnings_;
};

TEST_F(KeyFile, IsReadWithoutItsLineEnd) {
    write("abc123\r\n");
    const auto key = load();
    ASSERT_TRUE(key);
    EXPECT_EQ(key->reveal(), "abc123");
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(KeyFile, ThatOthersCanReadIsAWarningWithTheRemedy) {
    write("abc123", 0644);
    ASSERT_TRUE(load());
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_THAT(warnings_[0], HasSubstr("chmod 600"));
    EXPECT_THAT(warnings_[0], testing::Not(HasSubstr("abc123")));
}

TEST_F(KeyFile, ThatIsMissingOrUnusableIsNoKey) {
    for (const char* text : {"", "\n", "abc 123", "abc\n123", "abc\x01", "ключ"}) {
        write(text);
        const auto key = load();
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code, core::errc::no_key);
        EXPECT_THAT(key.error().text, HasSubstr(path_.string()));
        EXPECT_THAT(key.error().text, testing::Not(HasSubstr("123")));
    }
    std::filesystem::remove(path_);
    EXPECT_EQ(load().error().code, core::errc::no_key);
    settings_.apollo.api_key_file = std::filesystem::temp_directory_path().string();
    EXPECT_EQ(load().error().code, core::errc::no_key);
}

TEST_F(KeyFile, GivesWayToTheEnvironment) {
    write("from-file");
    const auto key = cli::load_key(core::secret("from-environment"), settings_, warnings_);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->reveal(), "from-environment");
}

TEST(Key, ThatNobodyGaveIsEmpty) {
    std::vector<std::string> warnings;
    const auto key = cli::load_key({}, {}, warnings);
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->empty());
    EXPECT_EQ(cli::no_key_failure().code, core::errc::no_key);
}

TEST(KeyFromEnvironment, IsTakenOnceAndWipedWhereItStood) {
    // putenv keeps this very array in the environment.
    char variable[] = "APOLLO_API_KEY=s3cret";
    ::putenv(variable);
    EXPECT_EQ(cli::take_key_from_environment().reveal(), "s3cret");
    EXPECT_EQ(std::string(variable + 15, 6), std::string(6, '\0'));
    EXPECT_EQ(std::getenv("APOLLO_API_KEY"), nullptr);
    EXPECT_TRUE(cli::take_key_from_environment().empty());
}

}  // namespace
