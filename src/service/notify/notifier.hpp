// Tells a webhook what became of a job. What is to be told is kept in a folder until it was delivered, so that a
// restart tells it too.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::service::notify {

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
// Posts it; blocks. Passed in, so that tests need no network.
using poster = std::function<delivery(const posting&)>;
// The real one: HTTPS with verified certificates (plain http to loopback only), 10 s of time, no redirects, through the
// proxy that the environment names (https_proxy, no_proxy).
poster make_poster(const core::notify_settings& settings);

// When the next try after the n-th failure (from 1) is due: 5 s doubling to 1 h, until 24 h have passed since it was
// told.
std::chrono::milliseconds retry_delay(std::uint32_t failures);

class notifier {
 public:
    struct options {
        core::notify_settings settings;
        core::secret key;    // empty: not signed
        std::string folder;  // the outbox, mode 0700; its parent exists
        poster post;         // called on the notifier's thread, as is `note` (by start() and tell() on the caller's)
        const core::clock* clock = nullptr;
        std::size_t most_waiting = 1000;
        // `outcome`: delivered, retried, given_up. `text` is for the log.
        std::function<void(std::string_view outcome, const std::string& id, const std::string& text)> note;
    };
    // Starts its thread; goes on with what the outbox holds. errc::settings when the outbox cannot be used.
    static core::result<std::unique_ptr<notifier>> start(options o);
    virtual ~notifier() = default;  // stops after the current try

    // `event`: "completed", "parked", "failed"; one that the settings do not name is not told. Told at least once; `id`
    // (visible ASCII, at most 400 characters) makes a repeat recognisable, and a second tell() of an id that is still
    // in the outbox is nothing. At most `most_waiting` wait; the oldest are given up, with a note. When this returns it
    // is on the disk; errc::io: it is not, and will not be told. Any thread.
    virtual core::result<void> tell(const std::string& id, std::string_view event, const std::string& body) = 0;
    virtual std::size_t waiting() const = 0;
};

}  // namespace taskbarge::service::notify
