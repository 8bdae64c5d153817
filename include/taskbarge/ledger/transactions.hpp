// What every face of the ledger has: its errors, its threads, and transactions.
//
// The ledger is the hand-over between reading and sending, and the only truth about what became of every row. Its store
// (SQLite today) is hidden behind faces, one for each user: plan_book, job_book, send_book, task_book, report_book,
// window_store, contact_store, prune_book and upkeep_book. `ledger` is all of them.
//
// Of all faces holds: calls block. One ledger object belongs to one thread at a time; several, of several processes
// too, may be open on one store. A writing call outside begin()/commit() is a transaction of its own: kept whole,
// durably, or not at all. Failures are
//   errc::ledger       the store cannot be used, or a row that was read is not as it was written (its checksum is
//                      wrong): nothing of it is used. Also where a transaction that records an intent, or
//                      set_job_state(), finds that the paths do not name the files any more that were opened
//   errc::ledger_full  no room; nothing of the transaction is kept
//   errc::waiting      others were writing for minutes
//   errc::job_held, errc::no_such_job
//   errc::internal     the call would break a promise, such as losing a row: a bug of the caller
#pragma once

#include <cstdint>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::ledger {

using core::attempt_id;
using core::chunk_id;
using core::instant;
using core::job_id;
using core::result;

// The ledger counts what happens to requests: every intent and every outcome takes the next number, in the transaction
// that records it. So it orders events, whatever becomes of clocks. 0: before all of them.
using event_number = std::uint64_t;

// Everything between begin() and commit() is kept together, durably, or not at all. The first failure of the store
// inside dooms the whole transaction: what follows fails the same way until commit(), which fails too, or rollback().
// Afterwards the object is usable again.
class transactions {
 public:
    virtual ~transactions() = default;

    virtual result<void> begin() = 0;   // takes the write lock at once
    virtual result<void> commit() = 0;  // durable when it returns
    virtual void rollback() noexcept = 0;
    // Whether another writer of this process waits for this transaction to end: one that can be parted should be.
    virtual bool others_wait() const = 0;
};

}  // namespace taskbarge::ledger
