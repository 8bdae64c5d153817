// Tells webhook and monitor of a run of this command, where [notify] asks for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/invocation.hpp"
#include "taskbarge/notification/notification.hpp"

namespace taskbarge::cli {

// One try for each, of some seconds at most. What cannot be told is a warning, and changes no exit code: nobody is here
// later to try again, and the next run tells of itself.
class teller {
 public:
    teller(const options& o, const program& p, const core::settings& settings)
        : options_(o), program_(p), settings_(settings) {}

    // A run begins.
    void begun() const;
    // It has ended, with a report for each job. Nothing to tell without one.
    void ended(const std::vector<job::report>& reports) const;

 private:
    void send(std::string_view event, const std::string& id, const std::string& body) const;
    void tell_webhook(const job::report& r, core::instant now) const;

    const options& options_;
    const program& program_;
    const core::settings& settings_;
};

}  // namespace taskbarge::cli
