// Whose connection ends when all places are taken and others wait. Plain: what each does, and since when.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace taskbarge::service::http {

// What a place is held for.
enum class holding : std::uint8_t {
    work,     // a request that is worked on, or an answer that streams: never cut for others
    silence,  // no request yet, or half of one; or an answer was sent and the client does not leave
    slowness  // a body that comes, or an answer that is taken, slower than a request under way may be
};

struct place_holder {
    holding what = holding::work;
    std::chrono::steady_clock::duration waited{0};  // for the client, beyond what it earned by what it did
};

struct giving_way {
    std::vector<std::size_t> who;  // those that end, by their places in the list
    // When it is to be looked at again, where nobody ended.
    std::chrono::steady_clock::duration look_again{0};
};

// The longest that a client is given when others wait: longer than it needs to send what it connected for.
inline constexpr auto crowded_patience = std::chrono::seconds(1);

// `queued` connections wait to be let in. Those who say nothing go first, the oldest first; those who are slow with a
// request go only where the silent ones are too few to matter. How long each is given follows from the queue: a
// connection that waits shall be let in within a tenth of a second, however many keep coming, so that one that brings
// its request at once is always served.
giving_way who_gives_way(const std::vector<place_holder>& holders, std::size_t queued);

}  // namespace taskbarge::service::http
