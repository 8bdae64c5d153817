// One POST to a receiver of notifications, over the same connections as Apollo's.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::client {

struct webhook {
    std::string url;      // https, or http to loopback; may have a query; no user name, password or fragment
    std::string ca_file;  // PEM, trusted instead of the system's store; empty: the system's
    std::string proxy;    // as in client_options
    std::chrono::milliseconds timeout = std::chrono::seconds(10);  // for all of it, from the look-up of the name on
    std::string content_type = "application/json";
    std::string setting = "notify.url";  // that the URL comes from, for messages
    std::string user_agent;              // empty: "taskbarge"
};

using header_fields = std::vector<std::pair<std::string, std::string>>;

// Sends `body` with these headers besides, once, and blocks until the answer is there or the time
// is up. (A name look-up of the system's cannot be cut short: at the worst its own limit is added.) Redirects are not
// followed: a 3xx is an answer like another. What happens on the way is told by the exchange, with the codes listed at
// apollo_client; only errc::settings is a failure: URL, proxy or header malformed, CA file unreadable. No text repeats
// the URL. Any thread.
core::result<exchange> post(const webhook& to, const header_fields& headers, std::string_view body);

// Whether post() can use the URL, which the setting of that name holds: errc::settings else.
core::result<void> check_webhook_url(const std::string& setting, const std::string& url);

}  // namespace taskbarge::client
