// Tells a webhook and a monitor what became of a job. What is to be told is kept in a folder until it was delivered, so
// that a restart tells it too.
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
#include "taskbarge/notification/notification.hpp"

namespace taskbarge::service::notify {

using notification::delivery;
using notification::poster;
using notification::posting;

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

    // `event`: "completed", "parked", "failed", and one that the settings do not name is not told; or that of a ping,
    // which takes the place of every ping that still waits. Told at least once; `id`
    // (visible ASCII, at most 400 characters) makes a repeat recognisable, and a second tell() of an id that is still
    // in the outbox is nothing. At most `most_waiting` wait; the oldest are given up, with a note. When this returns it
    // is on the disk; errc::io: it is not, and will not be told. Any thread.
    virtual core::result<void> tell(const std::string& id, std::string_view event, const std::string& body) = 0;
    virtual std::size_t waiting() const = 0;
};

}  // namespace taskbarge::service::notify
