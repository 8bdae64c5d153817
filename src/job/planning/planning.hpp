// From files to a committed job: everything is read, grouped and in the ledger before the first request.
#pragma once

#include <memory>

#include "job/planning/import_input.hpp"
#include "job/planning/input_reading.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// A job that this process holds.
struct held_job {
    ledger::job_record record;
    std::unique_ptr<ledger::job_lock> lock;
    bool found = false;  // made by an earlier run, not planned now
};

// Whether a job that was found must be held. A new one is, in any case.
enum class found_job { held, as_it_is };

// Finds the job that this input made before, or plans a new one. `summary` is filled where the input was read.
core::result<held_job> find_or_plan(ledger::ledger& book, import_input& input, found_job found, owner_directory owners,
                                    input_summary& summary);

}  // namespace taskbarge::job
