// Which files a ledger is made of, and whether its paths still name those.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "ledger/job_locks.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::ledger {

// The path behind all symbolic links: a ledger has one name, so that its lock has one too. What is not there yet is
// taken as it stands.
std::string resolved(const std::string& path);

// One file of the ledger has a second name (a hard link), by which it would have a second lock and a second log.
core::result<void> check_only_name(const std::string& path);

// The files that were opened, by device and inode.
class ledger_file {
 public:
    // The database, its log and its shared memory must be open, the lock file too.
    static core::result<ledger_file> watch(const std::string& path, const job_locks& locks);

    // errc::ledger when a path names another file than the one that was opened, or none: whoever comes next would work
    // on that other file, or lock it, while we write to one that nobody will read again.
    core::result<void> check() const;

 private:
    struct part {
        std::string path;
        dev_t device = 0;
        ino_t inode = 0;
    };
    ledger_file(std::string path, std::vector<part> parts) : path_(std::move(path)), parts_(std::move(parts)) {}

    std::string path_;
    std::vector<part> parts_;
};

// A file that is read without locks, since nobody works with it. What was read holds only if it was not written
// meanwhile.
class unchanged_file {
 public:
    static core::result<unchanged_file> look(const std::string& path);
    core::result<void> check() const;

 private:
    struct state {
        dev_t device = 0;
        ino_t inode = 0;
        off_t size = 0;
        timespec modified{};
    };
    static core::result<state> state_of(const std::string& path);
    unchanged_file(std::string path, const state& then) : path_(std::move(path)), then_(then) {}

    std::string path_;
    state then_;
};

}  // namespace taskbarge::ledger
