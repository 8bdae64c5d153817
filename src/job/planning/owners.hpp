// The users of the team, by /users/search.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "job/online/session.hpp"
#include "job/planning/planning.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::job {

// A directory that asks Apollo when it is first called, on the calling thread. The environment outlives it.
owner_directory ask_apollo_for_owners(const environment& env);

// All pages.
boost::asio::awaitable<core::result<std::vector<reader::team_user>>> read_owners(session& s);

}  // namespace taskbarge::job
