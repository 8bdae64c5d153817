#include "ledger/ledger_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace taskbarge::ledger {

namespace fs = std::filesystem;

// weakly_canonical() alone would take a link whose target is still to be made for the file itself.
std::string resolved(const std::string& path) {
    constexpr int most_links = 40;  // as the kernel follows at most
    std::error_code error;
    fs::path at = fs::absolute(path, error);
    if (error) return path;
    for (int i = 0; i < most_links && fs::is_symlink(at, error); ++i) {
        const auto target = fs::read_symlink(at, error);
        if (error) return path;
        at = at.parent_path() / target;
    }
    const auto out = fs::weakly_canonical(at, error);
    return error ? path : out.string();
}

core::result<void> check_only_name(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || info.st_nlink <= 1) return {};
    return core::failure{
        core::errc::ledger,
        fmt::format("{} has a second name (a hard link), by which another run could work on it unseen; "
                    "remove that name (find -samefile tells it), or make a copy instead",
                    path)};
}

core::result<ledger_file> ledger_file::watch(const std::string& path, const job_locks& locks) {
    std::vector<part> parts;
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat info {};
        part one{path + suffix};
        if (::stat(one.path.c_str(), &info) != 0) {
            return core::failure{core::errc::ledger, fmt::format("ledger {}: {} is not there ({}); run again", path,
                                                                 one.path, std::strerror(errno))};
        }
        one.device = info.st_dev;
        one.inode = info.st_ino;
        parts.push_back(std::move(one));
    }
    auto lock = locks.file();
    if (!lock) return lock.error();
    parts.push_back({path + ".lock", lock->st_dev, lock->st_ino});
    return ledger_file(path, std::move(parts));
}

core::result<unchanged_file::state> unchanged_file::state_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return core::failure{core::errc::ledger, fmt::format("ledger {}: {}", path, std::strerror(errno))};
    return state{info.st_dev, info.st_ino, info.st_size, info.st_mtim};
}

core::result<unchanged_file> unchanged_file::look(const std::string& path) {
    const auto now = state_of(path);
    if (!now) return now.error();
    return unchanged_file(path, *now);
}

core::result<void> unchanged_file::check() const {
    const auto now = state_of(path_);
    if (!now) return now.error();
    if (now->device == then_.device && now->inode == then_.inode && now->size == then_.size &&
        now->modified.tv_sec == then_.modified.tv_sec && now->modified.tv_nsec == then_.modified.tv_nsec)
        return {};
    return core::failure{
        core::errc::io, fmt::format("ledger {}: a run began to write it while it was read; run the same again", path_)};
}

core::result<void> ledger_file::check() const {
    for (const auto& one : parts_) {
        struct stat info {};
        if (::stat(one.path.c_str(), &info) == 0 && info.st_dev == one.device && info.st_ino == one.inode) continue;
        return core::failure{
            core::errc::ledger,
            fmt::format(
                "ledger {}: {} was removed or replaced while this run was going on; nothing more is sent. What is "
                "there now goes by itself: put the newest copy back, then run again",
                path_, one.path)};
    }
    return {};
}

}  // namespace taskbarge::ledger
