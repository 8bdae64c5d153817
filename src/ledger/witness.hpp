// What the ledger's lock file says of the ledger: a second place that knows how far it had come.
#pragma once

#include <optional>
#include <string>

#include "ledger/job_locks.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

// Which ledger it was, and the greatest event whose request may have left.
struct witness_line {
    std::string ledger;
    event_number events = 0;
    friend bool operator==(const witness_line&, const witness_line&) = default;
};

// A line of fixed size at the beginning of the lock file. It is written after the commit of an intent and before its
// request, so it is never ahead of what is committed; and never behind by more than what did not leave. Several
// processes write it: each write is made under a lock of its own and only ever raises the number.
class witness {
 public:
    explicit witness(core::owned_fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    // Nothing: there is none (an empty lock file). errc::ledger: there is something, and it cannot be understood.
    core::result<std::optional<witness_line>> read() const;
    // Where there is none, or one of another ledger that nothing was sent with, it becomes this one's. Synced then
    // only: after a power failure it may be behind, which makes it a weaker witness and never a wrong one.
    core::result<void> raise(const witness_line& to) const;
    // Whatever it said before. Durable when it returns.
    core::result<void> replace(const witness_line& by) const;

 private:
    core::result<std::optional<witness_line>> read_locked() const;
    core::result<void> write_locked(const witness_line& line) const;
    core::result<void> sync() const;
    core::failure trouble(const char* what) const;

    core::owned_fd fd_;
    std::string path_;
};

}  // namespace taskbarge::ledger
