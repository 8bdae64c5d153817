// Which notification goes next, and what becomes of it. The thread is the notifier's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/notify/notifier.hpp"
#include "service/notify/outbox.hpp"

namespace taskbarge::service::notify {

// tell() and waiting() from any thread, work() from one.
class courier {
 public:
    // Goes on with what the outbox holds.
    static core::result<std::unique_ptr<courier>> make(notifier::options o);

    core::result<void> tell(const std::string& id, std::string_view event, const std::string& body);
    std::size_t waiting() const;

    // Makes the one try that is due longest, if one is. Then says for how long there is nothing to do: zero for "look
    // again", nothing for "until something is told".
    std::optional<std::chrono::milliseconds> work();

 private:
    using steady = std::chrono::steady_clock::time_point;
    // Times of waits are on the monotonic clock; those in the file are for the next process.
    struct entry {
        letter what;
        steady due, deadline;
        std::uint64_t number = 0;  // order of telling
        bool under_way = false;
    };
    using entries = std::map<std::string, entry>;
    struct remark {
        std::string_view outcome;
        std::string id, text;
    };

    courier(notifier::options o, outbox box) : options_(std::move(o)), box_(std::move(box)) {}
    void take_up(letter l);
    void drop_waiting_pings();
    entries::iterator next();
    std::optional<remark> give_up_oldest();
    remark settle(entry& e, const delivery& d);
    std::string without(const std::string& id);
    void say(const remark& r) const {
        if (options_.note) options_.note(r.outcome, r.id, r.text);
    }

    notifier::options options_;
    outbox box_;
    mutable std::mutex mutex_;  // for what follows
    entries entries_;
    std::uint64_t told_ = 0;
};

}  // namespace taskbarge::service::notify
