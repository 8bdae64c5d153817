#include "taskbarge/core/files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

namespace taskbarge::core {
namespace {

TEST(WriteAll, MoreThanAPipeHoldsArrivesWhole) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const std::string sent(1u << 20, 'x');
    std::string got;
    std::thread reader([&] {
        char piece[4096];
        for (auto n = ::read(ends[0], piece, sizeof piece); n > 0; n = ::read(ends[0], piece, sizeof piece))
            got.append(piece, static_cast<std::size_t>(n));
    });
    EXPECT_EQ(write_all(ends[1], sent), 0);
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    EXPECT_EQ(got, sent);
}

TEST(WriteAll, TheReasonOfAFailureComesBack) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    EXPECT_EQ(write_all(full, "text"), ENOSPC);
    EXPECT_EQ(write_all(full, ""), 0);
    ::close(full);
    EXPECT_EQ(write_all(-1, "text"), EBADF);
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

TEST(OwnedFd, ClosesWhatItHasWhenItGetsAnotherAndAtItsEnd) {
    const int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC), second = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        owned_fd fd(first);
        owned_fd other(second);
        fd = std::move(other);
        EXPECT_FALSE(is_open(first));
        EXPECT_FALSE(other);
        EXPECT_EQ(fd.get(), second);
        EXPECT_TRUE(is_open(second));
    }
    EXPECT_FALSE(is_open(second));
}

TEST(OwnedFd, KnowsWhetherThereIsOne) {
    EXPECT_FALSE(owned_fd());
    EXPECT_FALSE(owned_fd(::open("/nowhere/at/all", O_RDONLY | O_CLOEXEC)));
    owned_fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd);
    const int ours = fd.release();
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(ours));
    ::close(ours);
}

// In a folder of its own, under a name of either kind.
class WholeFile : public testing::TestWithParam<const char*> {
 protected:
    WholeFile() {
        std::string pattern = (std::filesystem::temp_directory_path() / "taskbarge-files-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        path_ = folder_ / "a";
        temporary_ = folder_ / GetParam();
    }
    ~WholeFile() override { std::filesystem::remove_all(folder_); }
    std::string content() const {
        std::ifstream in(path_);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator());
    }
    std::filesystem::path folder_;
    std::string path_, temporary_;
};

INSTANTIATE_TEST_SUITE_P(Named, WholeFile, testing::Values(".a.part"), [](const auto&) { return "ForOneWriter"; });
INSTANTIATE_TEST_SUITE_P(Unused, WholeFile, testing::Values("a.XXXXXX"), [](const auto&) { return "ForAny"; });

TEST_P(WholeFile, TakesThePlaceOfTheOldOneWhenItIsPlacedAndIsItsOwners) {
    std::ofstream(path_) << "old";
    const auto umask_before = ::umask(0);
    whole_file file(path_, temporary_);
    ::umask(umask_before);
    ASSERT_EQ(file.error(), 0);
    ASSERT_EQ(write_all(file.fd(), "new"), 0);
    EXPECT_EQ(content(), "old");
    EXPECT_EQ(file.place(), 0);
    EXPECT_EQ(content(), "new");
    struct stat found {};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777u, 0600u);
    EXPECT_EQ(files(), 1);
}

TEST_P(WholeFile, LeavesNothingWhenItIsNotPlaced) {
    std::optional<whole_file> file(std::in_place, path_, temporary_);
    ASSERT_EQ(write_all(file->fd(), "new"), 0);
    whole_file moved(std::move(*file));
    file.reset();
    EXPECT_EQ(files(), 1) << "it is the other's now";
    { const whole_file gone(std::move(moved)); }
    EXPECT_EQ(files(), 0);
}

TEST_P(WholeFile, WithoutItsFolderSaysWhy) {
    whole_file file(folder_ / "missing" / "a", folder_ / "missing" / GetParam());
    EXPECT_EQ(file.fd(), -1);
    EXPECT_EQ(file.error(), ENOENT);
    EXPECT_EQ(file.place(), ENOENT);
}

TEST_P(WholeFile, InPlaceOfAFolderIsAFailureThatLeavesNothing) {
    std::filesystem::create_directory(path_);
    {
        whole_file file(path_, temporary_);
        EXPECT_EQ(file.place(), EISDIR);
    }
    EXPECT_EQ(files(), 1);
}

TEST(WholeFileOfAKilledWriter, IsOverwritten) {
    const auto folder = std::filesystem::temp_directory_path();
    const auto path = (folder / ("taskbarge-killed-" + std::to_string(::getpid()))).string();
    std::ofstream(path + ".part") << "a long text that was left";
    whole_file file(path, path + ".part");
    ASSERT_EQ(write_all(file.fd(), "new"), 0);
    ASSERT_EQ(file.place(), 0);
    EXPECT_EQ(std::filesystem::file_size(path), 3u);
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace taskbarge::core
