#include "grouper/hash_index.hpp"

#include <algorithm>
#include <utility>

namespace taskbarge::grouper {

std::uint32_t hash_index::next_count(std::uint32_t count) const {
    constexpr std::uint32_t a_page = 64;
    if (count == 0) return a_page;
    const std::uint64_t half_more = count + count / 2;
    // What is expected takes 13/16 of the room. The steps are bounded, as expectations may be wrong.
    const std::uint64_t expected = std::min<std::uint64_t>(expected_ / shard_count * 16 / 13 / width, count * 4ULL);
    return static_cast<std::uint32_t>(std::max(half_more, expected));
}

void hash_index::grow(shard& s) {
    const std::uint32_t count = next_count(s.count);
    // Fresh memory is zero: every entry is free.
    const shard old = std::exchange(s, {mapped_memory(count * sizeof(bucket)), count, s.used});
    for (const bucket* from = old.begin(); from != old.begin() + old.count; ++from) {
        for (std::uint32_t i = 0; i < width && from->marks[i] != 0; ++i) {
            bucket* to = s.home_of(from->marks[i]);
            auto free = to->equal_to(0);
            for (; free == 0; free = to->equal_to(0))
                to = s.after(to);
            const auto at = static_cast<std::size_t>(std::countr_zero(free));
            to->marks[at] = from->marks[i];
            to->numbers[at] = from->numbers[i];
        }
    }
}

std::uint64_t hash_index::memory() const {
    std::uint64_t out = 0;
    for (const auto& s : shards_)
        out += s.memory.size();
    return out;
}

}  // namespace taskbarge::grouper
