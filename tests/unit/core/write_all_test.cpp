#include "taskbarge/core/write_all.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
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

}  // namespace
}  // namespace taskbarge::core
