// A ledger that one thread keeps open between its uses: opening one costs more than most of what is asked of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

// One thread at a time.
class kept_ledger {
 public:
    // The ledger that stands at the path now: opened again when another file does.
    core::result<ledger::ledger*> at(const std::string& path);
    // Whether the last at() found another file than the one before.
    bool was_replaced() const { return replaced_; }
    // After a failure: what was begun in it must not go on.
    void let_go() { book_.reset(); }

 private:
    using file = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
    static file file_at(const std::string& path);
    std::unique_ptr<ledger::ledger> book_;
    std::string path_;
    file file_;
    bool replaced_ = false;
};

}  // namespace taskbarge::service
