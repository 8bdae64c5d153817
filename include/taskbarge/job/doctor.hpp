// doctor: whether an import would work, found out without creating anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::job {

enum class health : std::uint8_t {
    good,
    doubtful,  // works, with less than is possible
    bad        // an import would fail
};

struct finding_line {
    std::string what;  // "ledger", "connection", "API key", "right to tasks/search", ...
    job::health health = job::health::good;
    std::string text;  // what was found, and the remedy where one is needed
};

struct doctor_report {
    std::vector<finding_line> lines;
    std::optional<core::rate_book> book;  // of tasks/bulk_create, when it is known
    std::optional<core::failure> why;     // the first that would stop an import; nothing: an import would work
    // The same of the service, where it is set up, and of notifications.
    bool has_service = false;
    std::optional<core::failure> why_no_service;
};

// Looks at the ledger and the room on its disk, the connection, the key, its rights on each route, the limits and the
// clocks. Costs one request on each route, and the pages of the users where defaults.owner_email is set; the one on
// tasks/bulk_create names neither contacts nor details, so that Apollo can only refuse it. Blocks; call it from any one
// thread.
doctor_report examine(const environment& env);

// Looks through all of the ledger: whether it is the newest, and as it was written. Needs neither key nor network.
doctor_report examine_ledger(const environment& env);

}  // namespace taskbarge::job
