// What is told of the end of a run, and one try to tell it: to a webhook, and to a monitor that waits for pings.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/report.hpp"

namespace taskbarge::notification {

// What is told of a run.
struct news {
    std::string_view event;  // "completed", "parked", "failed"
    std::string id;          // the same whenever the same is told
    const job::report& report;
    std::string text;                      // for people
    std::string ledger_path, import = {};  // `import`: the folder of a file that never became a job
    core::instant now{};
};

// "completed", "parked", "failed"; empty for what only makes room for another run: stopped on request, held, paused.
std::string_view event_of(const job::report& r);
// Of a job's end: the same whenever it is told.
std::string id_of(const job::report& r, std::string_view event, core::instant now);
// Whether the settings want a webhook to hear of it.
bool is_wanted(const core::notify_settings& settings, std::string_view event);
// What the webhook gets, as notify.body says.
std::string body_of(const core::notify_settings& settings, const news& n);

// A monitor learns that a run began, and how it ended; of one that waits for a rate window it learns nothing yet.
enum class ping { start, success, fail };
std::optional<ping> ping_of(const job::report& r, bool stale);
// "ping-start", ...: as an event among the others. And back.
std::string_view to_string(ping p);
std::optional<ping> parse_ping(std::string_view event);
// notify.ping_url for that ping: "/start" or "/fail" is put to its path, before a query.
std::string ping_address(const std::string& ping_url, ping p);

// The value of the header X-Taskbarge-Signature: "t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">".
std::string signature(const core::secret& key, core::instant at, std::string_view body);

struct delivery {
    bool delivered = false;
    bool worth_repeating = true;  // not after a 4xx other than 408, 425 and 429
    std::string what;             // for the log: "204", "connection refused"
};
// What goes out: the body, and in the headers X-Taskbarge-Id, X-Taskbarge-Event and X-Taskbarge-Signature (empty: none)
// what a receiver needs to drop repeats, to sort, and to trust it.
struct posting {
    std::string url, id, event, body, signature;
};
// To the address that its event belongs to, signed unless the key is empty or it is a ping.
posting address(const core::notify_settings& settings, const core::secret& key, const std::string& id,
                const std::string& event, const std::string& body, core::instant now);
// Posts it; blocks. Passed in, so that tests need no network.
using poster = std::function<delivery(const posting&)>;
// The real one: HTTPS with verified certificates (plain http to loopback only), 10 s of time, no redirects, through the
// proxy that the environment names (https_proxy, no_proxy).
poster make_poster(const core::notify_settings& settings);

}  // namespace taskbarge::notification
