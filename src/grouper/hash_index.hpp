// Numbers found by a hash, for things that are kept elsewhere.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "grouper/fetch_ahead.hpp"
#include "grouper/mapped_memory.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace taskbarge::grouper {

// For hashes: every bit of both reaches every bit of the result.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using wide = unsigned __int128;
    const auto product = static_cast<wide>(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// A table of the numbers of things and of 36 bits of each thing's hash. A hash only narrows the search: whoever looks
// compares the things themselves. 9 to 14 bytes a number (10 where their count was known).
//
// Eight entries fill a line of the processor's cache and are looked at together: most searches are one wait for memory.
// The table is in 16 shards, of which only one at a time exists twice, when it grows. It grows by what it keeps of the
// hashes, so the things are not read again.
class hash_index {
 public:
    // Begins to fetch the memory that look() needs.
    void fetch(std::uint64_t hash) const {
        const auto& s = shards_[shard_of(hash)];
        if (s.count != 0) fetch_ahead(s.home_of(mark_of(hash)));
    }

    // To be called when what fetch() began has arrived. Begins to fetch what look() needs besides, where that is more.
    // The number that look() will ask about first, if any; else 0.
    std::uint32_t fetch_more(std::uint64_t hash) const {
        const auto& s = shards_[shard_of(hash)];
        if (s.count == 0) return 0;
        const auto mark = mark_of(hash);
        bucket* const home = s.home_of(mark);
        if (const auto agree = home->equal_to(mark); agree != 0)
            return home->numbers[static_cast<std::size_t>(std::countr_zero(agree))];
        if (home->marks[width - 1] != 0) fetch_ahead(s.after(home));
        return 0;
    }

    // What a search came to: a number, or 0 and where it would be.
    struct spot {
        std::uint32_t number;
        std::uint32_t* mark_at;
        std::uint32_t* number_at;
    };
    // Looks for a number that `same(number)` is true for, among those of that hash.
    template <typename Same>
    spot look(std::uint64_t hash, Same&& same);
    // Puts a number, not 0, where a search for its hash has just ended with none.
    void put(const spot& at, std::uint64_t hash, std::uint32_t number) {
        *at.mark_at = mark_of(hash);
        *at.number_at = number;
        ++shards_[shard_of(hash)].used;
    }

    // About how many numbers there will be. The table then grows towards that in a few large steps: growing is a third
    // of the work otherwise.
    void expect(std::uint64_t numbers) { expected_ = numbers; }

    std::uint64_t memory() const;

 private:
    static constexpr std::size_t shard_count = 16;
    static constexpr std::uint32_t width = 8;

    struct alignas(64) bucket {
        std::array<std::uint32_t, width> marks;  // filled from the front; 0: free
        std::array<std::uint32_t, width> numbers;

        // A bit for each mark.
        std::uint32_t equal_to(std::uint32_t mark) const {
#if defined(__SSE2__)
            const __m128i wanted = _mm_set1_epi32(static_cast<int>(mark));
            const auto four = [&](const std::uint32_t* from) {
                const __m128i some = _mm_load_si128(reinterpret_cast<const __m128i*>(from));
                return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(some, wanted))));
            };
            return four(marks.data()) | four(marks.data() + 4) << 4;
#else
            std::uint32_t out = 0;
            for (std::uint32_t i = 0; i < width; ++i)
                out |= (marks[i] == mark ? 1u : 0u) << i;
            return out;
#endif
        }
    };
    static_assert(sizeof(bucket) == 64);

    struct shard {
        mapped_memory memory;
        std::uint32_t count = 0;  // of buckets
        std::uint64_t used = 0;   // entries

        bucket* begin() const { return static_cast<bucket*>(memory.data()); }
        bucket* home_of(std::uint32_t mark) const { return begin() + (std::uint64_t{mark} * count >> 32); }
        bucket* after(bucket* b) const { return ++b == begin() + count ? begin() : b; }
        bool is_full() const { return used >= std::uint64_t{count} * (width - 1); }
    };

    static std::size_t shard_of(std::uint64_t hash) {
        return hash % shard_count;
    }
    static std::uint32_t mark_of(std::uint64_t hash) {
        const auto high = static_cast<std::uint32_t>(hash >> 32);
        return high == 0 ? 1 : high;
    }
    std::uint32_t next_count(std::uint32_t count) const;
    void grow(shard& s);

    std::array<shard, shard_count> shards_{};
    std::uint64_t expected_ = 0;
};

template <typename Same>
hash_index::spot hash_index::look(std::uint64_t hash, Same&& same) {
    auto& s = shards_[shard_of(hash)];
    if (s.is_full()) grow(s);
    const auto mark = mark_of(hash);
    for (bucket* b = s.home_of(mark);; b = s.after(b)) {
        for (auto agree = b->equal_to(mark); agree != 0; agree &= agree - 1) {
            const auto number = b->numbers[static_cast<std::size_t>(std::countr_zero(agree))];
            if (same(number)) return {number, nullptr, nullptr};
        }
        if (const auto free = b->equal_to(0); free != 0) {
            const auto i = static_cast<std::size_t>(std::countr_zero(free));
            return {0, &b->marks[i], &b->numbers[i]};
        }
    }
}

}  // namespace taskbarge::grouper
