// Which process works on which job: one byte of a lock file per job, held by an open-file-description lock.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/job_book.hpp"

namespace taskbarge::ledger {

// The locks of one ledger. Open-file-description locks belong to the descriptor, so that two ledgers in one process
// exclude each other like two processes, and closing one does not drop the other's (as classic record locks would).
class job_locks {
 public:
    // Beyond the bytes of all jobs: whoever writes the witness holds this one.
    static constexpr off_t witness_byte = (off_t{1} << 60) + 2;

    // Makes the lock file (mode 0600) and checks that locks really exclude on its file system.
    static core::result<job_locks> open(const std::string& path);
    // For who may only read: nothing can be locked, only asked for. Without a lock file nobody holds anything.
    static core::result<job_locks> open_for_looking(const std::string& path);
    // Locks for a ledger that lives in memory.
    static core::result<job_locks> open_in_memory();

    // errc::job_held when it is held, by whomever; errc::ledger when the path names another lock file by now.
    core::result<std::unique_ptr<job_lock>> lock(core::job_id id) const;
    core::result<bool> held(core::job_id id) const;
    core::result<bool> any_held() const;

    // Keeps others from opening the ledger while its file is made; waits up to a minute for its turn.
    core::result<std::unique_ptr<job_lock>> lock_opening() const;

    // One more descriptor of the lock file; errc::ledger when the path names another file by now.
    core::result<core::owned_fd> reopen() const;
    // Which file it is.
    core::result<struct stat> file() const;

 private:
    job_locks(std::string path, core::owned_fd probe) : path_(std::move(path)), probe_(std::move(probe)) {}
    core::result<void> check() const;
    core::failure trouble(const char* what) const;

    std::string path_;
    core::owned_fd probe_;  // for asking only: holds no lock
};

}  // namespace taskbarge::ledger
