// The ledger as a whole, and how it is opened. Whoever needs one face of it includes that face.
#pragma once

#include <memory>
#include <string>

#include "taskbarge/ledger/contact_store.hpp"
#include "taskbarge/ledger/job_book.hpp"
#include "taskbarge/ledger/plan_book.hpp"
#include "taskbarge/ledger/prune_book.hpp"
#include "taskbarge/ledger/report_book.hpp"
#include "taskbarge/ledger/send_book.hpp"
#include "taskbarge/ledger/task_book.hpp"
#include "taskbarge/ledger/transactions.hpp"
#include "taskbarge/ledger/upkeep_book.hpp"
#include "taskbarge/ledger/window_store.hpp"

namespace taskbarge::ledger {

// What a store has to do, and nothing besides. What a call of one face writes, calls of all others see, in the same
// transaction too. tests/contract holds any implementation to that.
class ledger : public plan_book,
               public job_book,
               public send_book,
               public task_book,
               public report_book,
               public window_store,
               public prune_book,
               public upkeep_book {
 public:
    // What is known of teams' contacts. Lives as long as the ledger.
    virtual contact_store& contacts() = 0;
};

// What opening does with the lock file's word of how far the ledger had come.
enum class witness_check : std::uint8_t {
    required,  // a ledger behind it, another one, or none is errc::ledger: it would be sent again what was sent
    ignored,   // for looking only: such a ledger opens too, also for who may only read it; nothing is made, and no
               // intent can be recorded
    accepting  // for accept(): what there is will do, and where there is nothing a ledger is made
};

// Opens or makes the ledger file (mode 0600, its folder 0700 when made); symbolic links are followed first. Fails with
// errc::ledger, naming path and remedy: not writable, not a ledger, another schema, an older copy, a file with a second
// name (hard link), a file system without working locks. ":memory:" gives a ledger for tests.
result<std::unique_ptr<ledger>> open_ledger(const std::string& path, witness_check how = witness_check::required);

// Whether this user may write the ledger's files, those of it that are there, and its folder. Without all of that it
// can be opened for looking only.
bool may_write(const std::string& path);

// Whether there is a ledger file; makes none. errc::ledger when there is none, or an empty one, though the lock file
// knows that something was sent with it.
result<bool> has_ledger(const std::string& path);

}  // namespace taskbarge::ledger
