// What became of contacts that were found by a key and whose tasks Apollo refused to create.
#pragma once

#include "taskbarge/job/environment.hpp"

namespace taskbarge::job {

// A contact that was deleted or merged since it was found is refused like any other. Its key is looked up once more;
// where it is another contact's now, that is told, and no more: that one may have the task already.
void propose_contacts(const environment& env, ledger::ledger& book, core::job_id job);

}  // namespace taskbarge::job
