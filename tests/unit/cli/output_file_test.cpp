#include "cli/output_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
namespace fs = std::filesystem;

class OutputFile : public testing::Test {
 protected:
    OutputFile() {
        std::string pattern = (fs::temp_directory_path() / "taskbarge-output-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        path_ = (folder_ / "out.csv").string();
    }
    ~OutputFile() override { fs::remove_all(folder_); }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    std::string content() const {
        std::ifstream in(path_);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    fs::path folder_;
    std::string path_;
};

TEST_F(OutputFile, AppearsOnlyWhenItIsWholeAndForItsOwnerAlone) {
    auto out = cli::output_file::open(path_);
    ASSERT_TRUE(out);
    out->write("hello\n");
    EXPECT_FALSE(fs::exists(path_));
    ASSERT_TRUE(out->finish());
    EXPECT_EQ(content(), "hello\n");
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_EQ(files(), 1u);
}

TEST_F(OutputFile, LeavesTheOldFileAndNothingElseWhenItIsNotFinished) {
    std::ofstream(path_) << "old";
    {
        auto out = cli::output_file::open(path_);
        ASSERT_TRUE(out);
        out->write("new");
    }
    EXPECT_EQ(content(), "old");
    EXPECT_EQ(files(), 1u);
}

TEST_F(OutputFile, ReplacesWhatALinkPointsTo) {
    std::ofstream(folder_ / "real") << "old";
    fs::create_symlink(folder_ / "real", path_);
    auto out = cli::output_file::open(path_);
    ASSERT_TRUE(out);
    out->write("new");
    ASSERT_TRUE(out->finish());
    EXPECT_TRUE(fs::is_symlink(path_));
    EXPECT_EQ(content(), "new");
}

TEST_F(OutputFile, InAFolderThatIsNotThereIsAFailure) {
    const auto out = cli::output_file::open((folder_ / "missing" / "x").string());
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, core::errc::io);
    EXPECT_THAT(out.error().text, testing::HasSubstr("missing"));
}

TEST_F(OutputFile, WithoutRoomIsAFailure) {
    auto out = cli::output_file::open("/dev/full");
    ASSERT_TRUE(out);
    out->write("x");
    const auto done = out->finish();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, core::errc::io);
    EXPECT_THAT(done.error().text, testing::HasSubstr("/dev/full"));
    EXPECT_FALSE(out->wanted());
}

TEST_F(OutputFile, WhoseReaderWentAwayIsNoFailure) {
    ::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    auto out = cli::output_file::open(fmt::format("/dev/fd/{}", ends[1]));
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_TRUE(out);
    out->write(std::string(3u << 20, 'x'));
    EXPECT_FALSE(out->wanted());
    EXPECT_TRUE(out->finish());
}

TEST_F(OutputFile, HoldsMoreThanItsBuffer) {
    auto out = cli::output_file::open(path_);
    ASSERT_TRUE(out);
    for (int i = 0; i < 3'000'000 / 10; ++i)
        out->write("123456789\n");
    ASSERT_TRUE(out->finish());
    EXPECT_EQ(fs::file_size(path_), 3'000'000u);
}

}  // namespace
