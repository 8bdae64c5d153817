// A ledger that may not be what it was: an older copy of itself, or damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

// What going on with a ledger that may be an older copy has changed.
struct accepted_ledger {
    std::uint64_t jobs = 0;    // unfinished ones with rows that were not sent, as far as the ledger knew
    std::uint64_t chunks = 0;  // of them, now in doubt
    std::uint64_t rows = 0;
};

// What is not as it was written, after looking through all of the ledger.
struct ledger_condition {
    std::uint64_t rows = 0;     // of all tables that were looked at
    std::uint64_t damages = 0;  // 0: it is whole
    struct damage {
        std::string what;  // "chunk 12 of job 3"
        std::string text;
    };
    std::vector<damage> named;  // the first of them
};

class upkeep_book : public virtual transactions {
 public:
    // Every planned chunk of an unfinished job comes in doubt, with code ledger_accepted: it may have been sent. So do
    // the chunks of all inputs that are planned from now on and of those that are taken up again, until trust(), since
    // a job of theirs may be lost. The ledger is the newest from then on. errc::job_held while a process works on any
    // job.
    virtual result<accepted_ledger> accept() = 0;
    // Nothing that is missing here was sent before: what is planned from now on can be sent without a look-up.
    virtual result<void> trust() = 0;
    // Whether it was accepted and is not trusted yet.
    virtual result<bool> suspect() = 0;

    // Compares every row with its checksum, and looks for rows that are missing and jobs that do not add up. Reads all
    // of the file. `go_on` is asked now and then; false: errc::interrupted.
    virtual result<ledger_condition> inspect(const std::function<bool()>& go_on) = 0;
};

}  // namespace taskbarge::ledger
