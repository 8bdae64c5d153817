#include "service/inbox/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

core::failure file_failure(std::string_view what, const std::string& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return {full ? core::errc::ledger_full : core::errc::io,
            fmt::format("{} {}: {}{}", what, core::printable(path), std::strerror(error),
                        full ? "; make room on its disk" : "")};
}

core::failure open_failure(std::string_view what, const std::string& path, int error) {
    auto out = file_failure(what, path, error);
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case EACCES:
        case EPERM:
        case ELOOP:
        case ENXIO:
        case EFBIG:
            out.code = core::errc::input;
            break;
        default:
            break;
    }
    return out;
}

core::failure locks_refused(const std::string& path) {
    return {core::errc::io, fmt::format("cannot lock {}: {}; keep the inbox on a file system that supports locks", path,
                                        std::strerror(errno))};
}

std::optional<struct stat> look_at(const std::string& path) {
    struct stat out {};
    if (::lstat(path.c_str(), &out) != 0) return std::nullopt;
    return out;
}

bool is_regular(const std::string& path) {
    const auto found = look_at(path);
    return found && S_ISREG(found->st_mode);
}

bool is_folder(const std::string& path) {
    const auto found = look_at(path);
    return found && S_ISDIR(found->st_mode);
}

bool exists(const std::string& path) {
    return look_at(path).has_value();
}

core::result<void> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0) {
        if (errno == EEXIST) return {};
        return file_failure("cannot make the folder", path, errno);
    }
    // The umask may have taken rights away that we need.
    if (::chmod(path.c_str(), 0700) != 0) return file_failure("cannot set the rights of", path, errno);
    return {};
}

core::result<core::owned_fd> create_file(const std::string& path) {
    core::owned_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return file_failure("cannot make", path, errno);
    if (::fchmod(fd.get(), 0600) != 0) return file_failure("cannot set the rights of", path, errno);
    return fd;
}

core::result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    if (const int error = core::write_all(fd, bytes); error != 0) return file_failure("cannot write", path, error);
    return {};
}

core::result<void> sync_file(int fd, const std::string& path) {
    if (const int error = core::sync_file(fd); error != 0) return file_failure("cannot write", path, error);
    return {};
}

core::result<void> sync_folder(const std::string& path) {
    if (const int error = core::sync_folder(path); error != 0) return file_failure("cannot write", path, error);
    return {};
}

core::result<void> write_whole(const std::string& folder, const std::string& name,
                               const std::function<core::result<void>(int fd)>& write) {
    const auto path = folder + "/" + name;
    core::whole_file file(path, folder + "/." + name + ".part");
    if (file.error() != 0) return file_failure("cannot make", path, file.error());
    if (auto ok = write(file.fd()); !ok) return ok;
    if (const int error = file.place(); error != 0) return file_failure("cannot write", path, error);
    return {};
}

namespace {

// Where a lease is granted or refused by what processes of this machine do, and by nothing else: a network file system
// refuses it for reasons of its server's.
bool tells_of_writers(int fd) {
    constexpr std::array<unsigned long, 8> those{
        EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,  TMPFS_MAGIC,
        OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, 0x2fc12fc1 /*zfs*/, 0xca451a4e /*bcachefs*/};
    struct statfs where {};
    if (::fstatfs(fd, &where) != 0) return false;
    return std::find(those.begin(), those.end(), static_cast<unsigned long>(where.f_type)) != those.end();
}

}  // namespace

// The kernel grants a read lease only while nobody has the file open for writing. It is given back at once; who opens
// the file in between waits for that, and the news of it is a signal that does nothing unless asked for.
writers writers_of(int fd) {
    if (!tells_of_writers(fd) || ::fcntl(fd, F_SETSIG, SIGURG) != 0) return writers::unknown;
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN ? writers::some : writers::unknown;
    (void)::fcntl(fd, F_SETLEASE, F_UNLCK);
    return writers::none;
}

writers writers_of(const std::string& path) {
    const core::owned_fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return fd ? writers_of(fd.get()) : writers::unknown;
}

core::result<std::string> read_small(const std::string& path, std::size_t most) {
    const core::owned_fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return open_failure("cannot read", path, errno);
    std::string out(most + 1, '\0');
    std::size_t filled = 0;
    while (filled < out.size()) {
        const auto n = ::read(fd.get(), out.data() + filled, out.size() - filled);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return open_failure("cannot read", path, errno);
        if (n == 0) break;
        filled += static_cast<std::size_t>(n);
    }
    if (filled > most) return open_failure("cannot read", path, EFBIG);
    out.resize(filled);
    return out;
}

namespace {

// The kernel's way is not available for these two files; nothing was copied by it.
bool must_copy_by_hand(int error) {
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

core::result<void> copy_by_hand(int from, int to, const std::string& from_path, const std::string& to_path) {
    constexpr std::size_t piece = 256UL * 1024;
    const auto buffer = std::make_unique<char[]>(piece);
    while (true) {
        const auto n = ::read(from, buffer.get(), piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_failure("cannot read", from_path, errno);
        if (n == 0) return {};
        if (auto ok = write_all(to, {buffer.get(), static_cast<std::size_t>(n)}, to_path); !ok) return ok;
    }
}

}  // namespace

core::result<void> copy_all(int from, int to, const std::string& from_path, const std::string& to_path) {
    constexpr std::size_t piece = std::size_t{64} << 20;
    bool any = false;
    while (true) {
        const auto n = ::copy_file_range(from, nullptr, to, nullptr, piece, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && !must_copy_by_hand(errno)) return file_failure("cannot write", to_path, errno);
        // At once the end: an empty file, or one whose size its file system does not know.
        if (n < 0 || (n == 0 && !any)) return copy_by_hand(from, to, from_path, to_path);
        if (n == 0) return {};
        any = true;
    }
}

core::result<std::vector<std::string>> names_in(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    if (!dir) return file_failure("cannot read the folder", folder, errno);
    std::vector<std::string> out;
    errno = 0;
    while (const dirent* entry = ::readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") out.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) return file_failure("cannot read the folder", folder, errno);
    return out;
}

core::result<void> remove_folder(const std::string& path, const std::string& last) {
    auto names = names_in(path);
    if (!names) return names.error();
    std::erase(*names, last);
    names->push_back(last);
    for (const auto& name : *names)
        if (::unlink((path + "/" + name).c_str()) != 0 && errno != ENOENT)
            return file_failure("cannot remove", path + "/" + name, errno);
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return file_failure("cannot remove the folder", path, errno);
    return {};
}

}  // namespace taskbarge::service::inbox
