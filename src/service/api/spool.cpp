#include "service/api/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace taskbarge::service {

namespace {

core::failure trouble(const char* what, int error) {
    const bool no_room = error == ENOSPC || error == EDQUOT;
    return {no_room ? core::errc::ledger_full : core::errc::io, fmt::format("{}: {}", what, std::strerror(error))};
}

}  // namespace

core::result<spool> spool::make(const std::string& folder) {
    int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        std::string name = folder + "/.spool-XXXXXX";
        fd = ::mkostemp(name.data(), O_CLOEXEC);
        if (fd < 0) return trouble("cannot make a temporary file", errno);
        ::unlink(name.c_str());
    }
    return spool(fd);
}

spool::spool(spool&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}

spool::~spool() {
    if (fd_ >= 0) ::close(fd_);
}

core::result<void> spool::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd_, bytes.data(), bytes.size());
        if (written > 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            return trouble("cannot write a temporary file", errno);
    }
    return {};
}

core::result<void> spool::read(std::size_t block_size, const std::function<bool(std::string)>& take) {
    off_t at = 0;
    while (true) {
        std::string block(block_size, '\0');
        const auto got = ::pread(fd_, block.data(), block.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return trouble("cannot read a temporary file", errno);
        if (got == 0) return {};
        at += got;
        block.resize(static_cast<std::size_t>(got));
        if (!take(std::move(block))) return {};
    }
}

}  // namespace taskbarge::service
