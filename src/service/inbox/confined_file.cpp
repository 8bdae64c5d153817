#include "service/inbox/confined_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::inbox {

namespace {

core::failure refused(core::errc code, const std::string& path, std::string_view why) {
    return {code, fmt::format("{} {}", core::printable(path), why)};
}

bool goes_up(std::string_view path) {
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        if (path.substr(0, end) == "..") return true;
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return false;
}

// What of the path lies below the folder, without a slash in front.
std::optional<std::string> below(const std::string& path, std::string folder) {
    while (folder.size() > 1 && folder.back() == '/')
        folder.pop_back();
    if (folder != "/") folder += '/';
    if (!path.starts_with(folder)) return std::nullopt;
    const auto start = path.find_first_not_of('/', folder.size());
    if (start == std::string::npos) return std::nullopt;
    return path.substr(start);
}

long open_beneath(int folder, const std::string& path) {
    struct open_how how {};
    // A FIFO would otherwise wait for its writer, and a terminal become ours.
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    // EAGAIN: something was renamed meanwhile, and the kernel could not be sure.
    constexpr int most_turns = 16;
    long fd = -1;
    for (int turn = 0; turn < most_turns; ++turn) {
        fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    }
    return fd;
}

core::failure answer_failure(const std::string& path, int error) {
    using core::errc;
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return refused(errc::input, path, "is not there");
        case ELOOP:
        case EXDEV:
            return refused(errc::usage, path, "is, or goes through, a link, which is not followed");
        case ENOSYS:
        case EPERM:  // what a container's filter answers that does not know the call
            return refused(errc::usage, path,
                           "is not opened: this system has no openat2 (Linux 5.6), without which paths cannot be "
                           "confined; upload the file instead");
        default:
            return refused(errc::input, path, fmt::format("cannot be read: {}", std::strerror(error)));
    }
}

core::result<core::owned_fd> open_in(const std::string& folder, const std::string& rest, const std::string& path) {
    const core::owned_fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return refused(core::errc::settings, folder,
                       fmt::format("is in serve.allowed_paths, but cannot be opened: {}", std::strerror(errno)));
    core::owned_fd fd(static_cast<int>(open_beneath(root.get(), rest)));
    if (!fd) return answer_failure(path, errno);
    struct stat what {};
    if (::fstat(fd.get(), &what) != 0) return answer_failure(path, errno);
    if (!S_ISREG(what.st_mode)) return refused(core::errc::input, path, "is no regular file");
    return fd;
}

}  // namespace

core::result<core::owned_fd> open_confined(const std::string& path, const std::vector<std::string>& allowed) {
    using core::errc;
    if (path.find('\0') != std::string::npos) return refused(errc::usage, path, "has a NUL in it");
    if (!path.starts_with('/')) return refused(errc::usage, path, "is not absolute");
    if (goes_up(path)) return refused(errc::usage, path, "has '..' in it");
    // Folders may lie within each other, and one may be reached through a link that only it is allowed by.
    auto answer = core::result<core::owned_fd>(
        refused(errc::usage, path, "lies outside the folders that serve.allowed_paths names"));
    for (const auto& folder : allowed) {
        const auto rest = below(path, folder);
        if (!rest) continue;
        answer = open_in(folder, *rest, path);
        if (answer) break;
    }
    return answer;
}

}  // namespace taskbarge::service::inbox
