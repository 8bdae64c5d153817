#include "grouper/temporary_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace taskbarge::grouper {

namespace {

constexpr std::size_t buffer_size = 64 << 10;

std::string default_folder() {
    const char* const set = std::getenv("TMPDIR");
    return set && *set ? set : "/tmp";
}

}  // namespace

temporary_file::temporary_file(std::string folder) : folder_(folder.empty() ? default_folder() : std::move(folder)) {}

core::failure temporary_file::trouble(const char* what, int error) const {
    return {core::errc::io, fmt::format("cannot {} the spill file in {}: {}; set TMPDIR to a folder with room", what,
                                        folder_, std::strerror(error))};
}

core::result<void> temporary_file::make() {
    fd_ = core::owned_fd(::open(folder_.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
    if (fd_) return {};
    // Not every file system knows nameless files.
    std::string name = folder_ + "/taskbarge-XXXXXX";
    fd_ = core::owned_fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd_) return trouble("make", errno);
    ::unlink(name.c_str());
    return {};
}

core::result<void> temporary_file::append(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < buffer_size ? core::result<void>() : flush();
}

core::result<void> temporary_file::flush() {
    if (!fd_) {
        if (auto r = make(); !r) return r;
    }
    if (const int error = core::write_all(fd_.get(), buffer_); error != 0) return trouble("write", error);
    written_ += buffer_.size();
    buffer_.clear();
    return {};
}

core::result<void> temporary_file::read(std::uint64_t offset, char* to, std::size_t size) const {
    while (size > 0 && offset < written_) {
        const auto wanted = std::min<std::uint64_t>(size, written_ - offset);
        const auto count = ::pread(fd_.get(), to, wanted, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return trouble("read", errno);
        offset += static_cast<std::uint64_t>(count);
        to += count;
        size -= static_cast<std::size_t>(count);
    }
    if (size > 0) std::memcpy(to, buffer_.data() + (offset - written_), size);
    return {};
}

}  // namespace taskbarge::grouper
