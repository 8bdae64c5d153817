// Who asks Apollo for contacts: one run at a time, of any process that works with the ledger.
#pragma once

#include <memory>
#include <string>

#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/job_book.hpp"

namespace taskbarge::ledger {

// For the ledger at that path, which is open; errc::job_held at once when another run has it. A ledger in memory is
// shared with nobody.
core::result<std::unique_ptr<job_lock>> lock_contacts(const std::string& path);

}  // namespace taskbarge::ledger
