// Items that a process keeps for itself without holding a descriptor for each: one byte of one file is locked for each
// of them. Like the locks of notes they die with their process.
#pragma once

#include <mutex>
#include <string>

#include "service/inbox/files.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

// Thread-safe. The file is made for the first claim.
class claims {
 public:
    explicit claims(std::string path) : path_(std::move(path)) {}
    // False: another process has it, or this file system has no such locks.
    core::result<bool> claim(const std::string& id);
    void let_go(const std::string& id);
    // Whether another process has it.
    core::result<bool> is_anothers(const std::string& id);

 private:
    core::result<bool> open(int flags);  // with the mutex held; false: it is not there

    const std::string path_;
    std::mutex mutex_;
    core::owned_fd fd_;
};

}  // namespace taskbarge::service::inbox
