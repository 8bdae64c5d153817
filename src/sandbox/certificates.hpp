// The sandbox's own certificate authority, for loopback names only.
#pragma once

#include <string>

#include "taskbarge/core/error.hpp"

namespace taskbarge::sandbox {

struct certificate_files {
    std::string ca;      // PEM, for clients to trust
    std::string server;  // PEM, for localhost, 127.0.0.1 and ::1
    std::string key;     // PEM, mode 0600
};

// The files in `folder`: those that an earlier call left there if they are still good for a day, else new ones. The
// authority's own key is thrown away, so nothing else can ever be signed with it. Fails with errc::io.
core::result<certificate_files> provide_certificates(const std::string& folder);

}  // namespace taskbarge::sandbox
