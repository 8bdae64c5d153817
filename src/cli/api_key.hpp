// Where the API key, and the secrets of the service, come from.
#pragma once

#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::cli {

// The value of APOLLO_API_KEY, which is wiped from the environment (also from what other processes can see of it).
// Empty when it is not set. Call once, before any thread.
core::secret take_key_from_environment();

// The key from the environment, else from apollo.api_key_file; empty when neither is there. Fails with errc::no_key
// when what is there is not usable. Adds a warning when others can read the file.
core::result<core::secret> load_key(const core::secret& from_environment, const core::settings& settings,
                                    std::vector<std::string>& warnings);

// The control API's tokens; each may be empty.
struct service_tokens {
    core::secret all;      // TASKBARGE_TOKEN or serve.token_file: may do everything
    core::secret reading;  // TASKBARGE_READ_TOKEN or serve.read_token_file: may only read
};
// The same for these, and for the key that notifications are signed with, notify.secret_file. What is there but
// unusable is errc::settings.
service_tokens take_tokens_from_environment();
core::result<service_tokens> load_tokens(const service_tokens& from_environment, const core::settings& settings,
                                         std::vector<std::string>& warnings);
core::result<core::secret> load_notify_secret(const core::settings& settings, std::vector<std::string>& warnings);

// What to tell somebody who gave no key.
core::failure no_key_failure();

}  // namespace taskbarge::cli
