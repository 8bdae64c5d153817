#include "service/inbox/claims.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace taskbarge::service::inbox {

namespace {

// One of 2^62 bytes, far beyond the file's end. Two ids with one byte would be two in billions of billions, and the
// second would wait for the first.
struct flock byte_of(const std::string& id, short type) {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const char c : id)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    struct flock out {};
    out.l_type = type;
    out.l_whence = SEEK_SET;
    out.l_start = static_cast<off_t>(hash >> 2);
    out.l_len = 1;
    return out;
}

}  // namespace

core::result<bool> claims::open(int flags) {
    if (fd_) return true;
    core::owned_fd fd(::open(path_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
    if (!fd && errno == ENOENT) return false;
    if (!fd) return file_failure("cannot open", path_, errno);
    fd_ = std::move(fd);
    return true;
}

core::result<bool> claims::claim(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (auto there = open(O_CREAT); !there || !*there) return there;
    auto wanted = byte_of(id, F_WRLCK);
    return ::fcntl(fd_.get(), F_OFD_SETLK, &wanted) == 0;
}

void claims::let_go(const std::string& id) {
    const std::lock_guard lock(mutex_);
    auto free = byte_of(id, F_UNLCK);
    // Where it cannot be, it is free when the process ends.
    if (fd_) (void)::fcntl(fd_.get(), F_OFD_SETLK, &free);
}

core::result<bool> claims::is_anothers(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (auto there = open(0); !there || !*there) return there;
    auto asked = byte_of(id, F_WRLCK);
    // Where there are no such locks nobody has claimed anything.
    if (::fcntl(fd_.get(), F_OFD_GETLK, &asked) != 0) return false;
    return asked.l_type != F_UNLCK;
}

}  // namespace taskbarge::service::inbox
