// Runs a coroutine with everything that talking to Apollo needs: event loop, client, ledger thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "job/online/session.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// Blocks until `work` has ended. Fails where no client can be made (base URL, CA file); what `work` throws comes
// through.
core::result<void> run_online(const environment& env, ledger::ledger& book,
                              const std::function<boost::asio::awaitable<void>(session&)>& work);

// Says that Apollo is being asked: the first answer may be long in coming. For commands that have no rows to tell of.
inline void tell_connecting(const environment& env) {
    progress p;
    p.phase = phase::connecting;
    env.watch.on_progress(p);
}

}  // namespace taskbarge::job
