// A file without a name, for what is read quickly and given out slowly.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "service/inbox/files.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service {

// Bytes in, then the same bytes out. Gone with the object, or with the process. One thread.
class spool {
 public:
    // In that folder; where its file system knows no nameless files, a file is made there and unlinked at once.
    // Failures are errc::io, and errc::ledger_full when there is no room.
    static core::result<spool> make(const std::string& folder);

    core::result<void> write(std::string_view bytes);
    // All of it in blocks of at most that size, until `take` gives false.
    core::result<void> read(std::size_t block_size, const std::function<bool(std::string)>& take);

 private:
    explicit spool(core::owned_fd fd) : fd_(std::move(fd)) {}
    core::owned_fd fd_;
};

}  // namespace taskbarge::service
