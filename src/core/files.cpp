#include "taskbarge/core/files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::core {

owned_fd& owned_fd::operator=(owned_fd&& o) noexcept {
    const owned_fd old(std::exchange(fd_, o.release()));
    return *this;
}

owned_fd::~owned_fd() {
    if (fd_ >= 0) ::close(fd_);
}

int write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written > 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (written == 0)
            return EIO;  // takes nothing and says nothing: asking again would be for ever
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

int sync_file(int fd) {
    // EINVAL: a file system without fsync.
    return ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

int sync_folder(const std::string& path) {
    const owned_fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd ? sync_file(fd.get()) : errno;
}

namespace {

owned_fd make_file(std::string& name) {
    if (name.ends_with("XXXXXX")) return owned_fd(::mkostemp(name.data(), O_CLOEXEC));  // mode 0600
    // One that was left there may be open to others.
    owned_fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd && ::fchmod(fd.get(), 0600) != 0) {
        const int error = errno;
        ::unlink(name.c_str());
        fd = owned_fd();
        errno = error;
    }
    return fd;
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return path.substr(0, slash == 0 ? 1 : slash);
}

}  // namespace

whole_file::whole_file(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(make_file(temporary_)) {
    if (fd_) return;
    error_ = errno;
    temporary_.clear();
}

whole_file::whole_file(whole_file&& o) noexcept
    : path_(std::move(o.path_)), temporary_(std::exchange(o.temporary_, {})), fd_(std::move(o.fd_)), error_(o.error_) {}

whole_file::~whole_file() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

int whole_file::place() {
    if (!fd_) return error_;
    if (error_ = sync_file(fd_.get()); error_ != 0) return error_;
    fault_point("file_written");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return error_ = errno;
    temporary_.clear();
    error_ = sync_folder(folder_of(path_));
    // A folder that we may write to and not read, or one of a file system that knows no such thing, cannot be synced.
    if (error_ == EACCES || error_ == EPERM || error_ == ENOTSUP || error_ == ENOSYS) error_ = 0;
    return error_;
}

}  // namespace taskbarge::core
