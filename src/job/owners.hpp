// E-mail addresses of task owners, by /users/search.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>

#include "job/planning.hpp"
#include "job/session.hpp"
#include "taskbarge/job/job.hpp"

namespace taskbarge::job {

// A directory that asks Apollo when it is first called, on the calling thread. The environment outlives it.
owner_directory ask_apollo_for_owners(const environment& env);

// The user ids by address, all pages.
boost::asio::awaitable<core::result<std::map<std::string, std::string>>> read_owners(session& s);

}  // namespace taskbarge::job
