// What the service runs with.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::service {

// Loaded at the start, and again at each reload.
struct configuration {
    core::settings settings;
    core::secret key;                   // Apollo's; never empty
    core::secret token;                 // the control API's; empty: none is asked for
    core::secret read_token;            // with which the control API can only be read; empty: there is none
    core::secret notify_secret;         // empty: notifications are not signed
    std::vector<std::string> warnings;  // of the settings, to be told once
};

}  // namespace taskbarge::service
