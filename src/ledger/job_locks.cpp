#include "ledger/job_locks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "ledger/ledger_file.hpp"
#include "taskbarge/core/shortage.hpp"
#include "taskbarge/ledger/contact_lock.hpp"

namespace taskbarge::ledger {

using core::owned_fd;

namespace {

// Locks may lie past the end of a file: the witness is its only content. A job's byte is its id beyond the first of
// these; the others are beyond any job.
constexpr off_t first_job_byte = off_t{1} << 32;
constexpr off_t opening_byte = off_t{1} << 60;
constexpr off_t check_byte = opening_byte + 1;
constexpr off_t contacts_byte = job_locks::witness_byte + 1;

struct flock byte_lock(off_t at) {
    struct flock out {};
    out.l_type = F_WRLCK;
    out.l_whence = SEEK_SET;
    out.l_start = at;
    out.l_len = 1;
    return out;
}

enum class lock_answer { taken, held, broken };

off_t byte_of(core::job_id id) {
    return first_job_byte + static_cast<off_t>(id);
}

lock_answer try_byte(const owned_fd& fd, off_t at) {
    auto wanted = byte_lock(at);
    if (::fcntl(fd.get(), F_OFD_SETLK, &wanted) == 0) return lock_answer::taken;
    return errno == EAGAIN || errno == EACCES ? lock_answer::held : lock_answer::broken;
}

class byte_held final : public job_lock {
 public:
    explicit byte_held(owned_fd fd) : fd_(std::move(fd)) {}

 private:
    owned_fd fd_;  // closing it gives the lock back
};

}  // namespace

core::failure job_locks::trouble(const char* what) const {
    if (auto why = core::shortage_of(path_, errno)) return *why;
    return {core::errc::ledger, fmt::format("{}: {} ({}); keep the ledger on a local file system that supports locks",
                                            path_, what, std::strerror(errno))};
}

core::result<job_locks> job_locks::open(const std::string& path) {
    owned_fd probe(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!probe) {
        if (auto why = core::shortage_of(path, errno)) return *why;
        return core::failure{core::errc::ledger,
                             fmt::format("cannot open {}: {}; check the rights of the file and of its folder", path,
                                         std::strerror(errno))};
    }
    job_locks out(path, std::move(probe));
    if (auto ok = out.check(); !ok) return ok.error();
    return out;
}

core::result<job_locks> job_locks::open_for_looking(const std::string& path) {
    owned_fd probe(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (probe) return job_locks(path, std::move(probe));
    if (auto why = core::shortage_of(path, errno)) return *why;
    if (errno == ENOENT) return open_in_memory();
    return core::failure{core::errc::ledger, fmt::format("cannot open {}: {}; give this user the right to read it",
                                                         path, std::strerror(errno))};
}

core::result<job_locks> job_locks::open_in_memory() {
    owned_fd probe(::memfd_create("taskbarge-locks", MFD_CLOEXEC));
    if (!probe) {
        if (auto why = core::shortage_of("a memory file for the ledger's locks", errno)) return *why;
        return core::failure{core::errc::ledger, "no memory file for the ledger's locks"};
    }
    // Opening it by this name gives a new open file description, which a lock needs.
    auto path = fmt::format("/proc/self/fd/{}", probe.get());
    job_locks out(std::move(path), std::move(probe));
    if (auto ok = out.check(); !ok) return ok.error();
    return out;
}

core::result<owned_fd> job_locks::reopen() const {
    owned_fd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) return trouble("cannot open the lock file");
    struct stat now {};
    auto mine = file();
    if (!mine) return mine.error();
    if (::fstat(fd.get(), &now) != 0) return trouble("cannot be examined");
    if (now.st_dev != mine->st_dev || now.st_ino != mine->st_ino) {
        return core::failure{core::errc::ledger,
                             fmt::format("{} was removed or replaced while this run was going on: a lock in it would "
                                         "keep nobody away; run again",
                                         path_)};
    }
    return fd;
}

core::result<struct stat> job_locks::file() const {
    struct stat out {};
    if (::fstat(probe_.get(), &out) != 0) return trouble("cannot be examined");
    return out;
}

core::result<void> job_locks::check() const {
    auto first = reopen();
    if (!first) return first.error();
    switch (try_byte(*first, check_byte)) {
        case lock_answer::broken:
            return trouble("locks are refused");
        case lock_answer::held:
            return {};  // another process is checking at this moment, and its lock shows
        case lock_answer::taken:
            break;
    }
    auto asked = byte_lock(check_byte);
    if (::fcntl(probe_.get(), F_OFD_GETLK, &asked) != 0) return trouble("locks cannot be queried");
    errno = 0;
    if (asked.l_type == F_UNLCK) return trouble("locks do not exclude");
    return {};
}

core::result<std::unique_ptr<job_lock>> job_locks::lock(core::job_id id) const {
    auto fd = reopen();
    if (!fd) return fd.error();
    switch (try_byte(*fd, byte_of(id))) {
        case lock_answer::held:
            return core::failure{core::errc::job_held, fmt::format("job {} is being worked on by another process", id)};
        case lock_answer::broken:
            return trouble("cannot lock a job");
        case lock_answer::taken:
            break;
    }
    return std::unique_ptr<job_lock>(std::make_unique<byte_held>(std::move(*fd)));
}

core::result<std::unique_ptr<job_lock>> lock_contacts(const std::string& path) {
    if (path == ":memory:") return std::unique_ptr<job_lock>(std::make_unique<byte_held>(owned_fd()));
    const auto locks = job_locks::open(resolved(path) + ".lock");
    if (!locks) return locks.error();
    auto fd = locks->reopen();
    if (!fd) return fd.error();
    switch (try_byte(*fd, contacts_byte)) {
        case lock_answer::held:
            return core::failure{core::errc::job_held, "another run asks Apollo for contacts"};
        case lock_answer::broken:
            return core::failure{core::errc::ledger, fmt::format("{}.lock: cannot lock", path)};
        case lock_answer::taken:
            break;
    }
    return std::unique_ptr<job_lock>(std::make_unique<byte_held>(std::move(*fd)));
}

core::result<bool> job_locks::held(core::job_id id) const {
    auto asked = byte_lock(byte_of(id));
    if (::fcntl(probe_.get(), F_OFD_GETLK, &asked) != 0) return trouble("locks cannot be queried");
    return asked.l_type != F_UNLCK;
}

core::result<bool> job_locks::any_held() const {
    auto asked = byte_lock(first_job_byte);
    asked.l_len = opening_byte - first_job_byte;
    if (::fcntl(probe_.get(), F_OFD_GETLK, &asked) != 0) return trouble("locks cannot be queried");
    return asked.l_type != F_UNLCK;
}

core::result<std::unique_ptr<job_lock>> job_locks::lock_opening() const {
    auto fd = reopen();
    if (!fd) return fd.error();
    constexpr auto pause = std::chrono::milliseconds(20);
    for (int turn = 0; turn < 3000; ++turn) {
        switch (try_byte(*fd, opening_byte)) {
            case lock_answer::taken:
                return std::unique_ptr<job_lock>(std::make_unique<byte_held>(std::move(*fd)));
            case lock_answer::broken:
                return trouble("cannot lock");
            case lock_answer::held:
                std::this_thread::sleep_for(pause);
        }
    }
    return core::failure{core::errc::waiting, fmt::format("{}: another process is still opening it", path_)};
}

}  // namespace taskbarge::ledger
