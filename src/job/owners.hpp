// E-mail addresses of task owners, by /users/search.
#pragma once

#include "job/planning.hpp"
#include "taskbarge/job/job.hpp"

namespace taskbarge::job {

// A directory that asks Apollo when it is first called, on the calling thread. The environment outlives it.
owner_directory ask_apollo_for_owners(const environment& env);

}  // namespace taskbarge::job
