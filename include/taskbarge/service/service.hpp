// The daemon: watches a folder, answers a control API, and brings every job as far as it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/doctor.hpp"
#include "taskbarge/service/configuration.hpp"

namespace taskbarge::service {

// How it is begun.
struct serve_options {
    // Reads settings, key and token anew. Called from one thread at a time.
    std::function<core::result<configuration>()> load;
    const core::clock& clock;
    std::uint64_t seed = 0;  // for jitter
    std::string version;
    // Told once, when the service can be asked: "127.0.0.1:8642".
    std::function<void(const std::string& where)> ready;
};

// Runs until SIGINT or SIGTERM (a second one forces), reloads at SIGHUP; handles these signals while it runs. Fails
// with errc::settings (no token on an address that others reach, the inbox cannot be used), errc::no_key, errc::ledger,
// errc::unreachable (cannot listen). What fails later is logged and tried again; nothing but a signal ends the service.
core::result<void> serve(const serve_options& options);

// Adds to the report what would stop the service: token, address, inbox. For `doctor`; starts nothing.
void examine(const configuration& c, job::doctor_report& report);

}  // namespace taskbarge::service
