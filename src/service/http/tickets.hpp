// Short-lived words that stand in for a token where a browser cannot send one: event streams and downloads.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"

namespace taskbarge::service::http {

// A ticket lets in one GET of one path, once, within half a minute. Whoever may ask for the path may have one, so it
// is worth no more than a look at it. Kept in memory only. Used by one thread.
class tickets {
 public:
    static constexpr std::chrono::seconds lifetime{30};
    static constexpr std::size_t most = 1024;  // at once; more push out the oldest

    explicit tickets(const core::clock& clock) : clock_(clock) {}

    struct issued {
        std::string ticket;  // 64 hex digits
        core::instant expires_at;
    };
    issued issue(std::string path);
    // Whether it is good for that path; it is not good again.
    bool redeem(std::string_view ticket, std::string_view path);
    // None is good any more: who could have one may not be let in now.
    void forget() { valid_.clear(); }

 private:
    struct entry {
        std::string ticket, path;
        std::chrono::steady_clock::time_point until;
    };
    void drop_old();

    const core::clock& clock_;
    std::deque<entry> valid_;  // the oldest first
};

}  // namespace taskbarge::service::http
