#include "service/api/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "taskbarge/core/files.hpp"

namespace taskbarge::service {

namespace {

core::failure trouble(const char* what, int error) {
    return inbox::file_failure(fmt::format("cannot {}", what), "a temporary file", error);
}

}  // namespace

core::result<spool> spool::make(const std::string& folder) {
    core::owned_fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!fd) {
        std::string name = folder + "/.spool-XXXXXX";
        fd = core::owned_fd(::mkostemp(name.data(), O_CLOEXEC));
        if (!fd) return trouble("make", errno);
        ::unlink(name.c_str());
    }
    return spool(std::move(fd));
}

core::result<void> spool::write(std::string_view bytes) {
    if (const int error = core::write_all(fd_.get(), bytes); error != 0) return trouble("write", error);
    return {};
}

core::result<void> spool::read(std::size_t block_size, const std::function<bool(std::string)>& take) {
    off_t at = 0;
    while (true) {
        std::string block(block_size, '\0');
        const auto got = ::pread(fd_.get(), block.data(), block.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return trouble("read", errno);
        if (got == 0) return {};
        at += got;
        block.resize(static_cast<std::size_t>(got));
        if (!take(std::move(block))) return {};
    }
}

}  // namespace taskbarge::service
