#include "service/http/crowding.hpp"

#include <algorithm>
#include <utility>

namespace taskbarge::service::http {

namespace {

using duration = std::chrono::steady_clock::duration;

// What the queue as a whole may take to be let in, at the longest.
constexpr duration queue_turn = std::chrono::milliseconds(100);
// Fewer than one place in so many are too few: the queue would wait for them alone.
constexpr std::size_t few = 8;

// With so many places that change hands the whole queue has had its turn in time.
duration patience(std::size_t places, std::size_t queued) {
    const auto fair = queue_turn * static_cast<duration::rep>(places) / static_cast<duration::rep>(queued);
    return std::min<duration>(crowded_patience, fair);
}

}  // namespace

giving_way who_gives_way(const std::vector<place_holder>& holders, std::size_t queued) {
    giving_way out;
    out.look_again = crowded_patience;
    if (queued == 0) return out;
    std::vector<std::pair<duration, std::size_t>> silent, all;
    for (std::size_t i = 0; i < holders.size(); ++i) {
        if (holders[i].what == holding::work) continue;
        all.emplace_back(holders[i].waited, i);
        if (holders[i].what == holding::silence) silent.push_back(all.back());
    }
    auto& candidates = silent.size() * few >= holders.size() ? silent : all;
    if (candidates.empty()) return out;
    // The oldest first; of equals the one that came first.
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto limit = patience(candidates.size(), queued);
    for (const auto& [waited, who] : candidates) {
        if (waited < limit) {
            if (out.who.empty()) out.look_again = limit - waited;
            break;
        }
        if (out.who.size() == queued) break;
        out.who.push_back(who);
    }
    return out;
}

}  // namespace taskbarge::service::http
