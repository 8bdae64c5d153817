// Which (details, contact) pairs have occurred, exactly, in few bytes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "grouper/text_arena.hpp"
#include "taskbarge/core/chunk.hpp"

namespace taskbarge::grouper {

// A contact id in 12 bytes: 24 hex digits packed or, for any other id, where its text is kept.
struct contact_key {
    std::array<unsigned char, 12> bytes{};
    bool text = false;
};

// The set of all pairs of group and contact seen, with the first row of each.
//
// An open-addressing table of 20-byte entries in 64 shards. boost::unordered_flat_set was looked at first: it doubles,
// so that right after growing it holds 48 bytes a pair, and for a moment the old half besides. Here a shard grows by a
// quarter when it is 13/16 full: 25 to 31 bytes a pair, and only one shard at a time exists twice. Shards are mapped,
// not allocated, so that what is freed goes back to the system and cannot fragment the heap.
class contact_set {
 public:
    contact_set() = default;
    ~contact_set();
    contact_set(const contact_set&) = delete;
    contact_set& operator=(const contact_set&) = delete;

    struct answer {
        contact_key key;
        std::uint32_t first_row;  // where the pair occurred first; 0: it is new, and `row` is its first
    };
    // `group` below 2^31, `row` not 0.
    answer find_or_add(core::group_number group, std::string_view contact, std::uint32_t row);

    // The id that a key of this set stands for, written to `out`.
    void text_of(const contact_key& key, std::string& out) const;

    // Bytes of the table and of the ids that are not packed.
    std::uint64_t memory() const;

 private:
    struct entry {
        std::array<unsigned char, 12> id;
        std::uint32_t group;  // 0: empty; the highest bit: `id` is the place of a text
        std::uint32_t row;
    };
    static_assert(sizeof(entry) == 20);
    struct shard {
        entry* entries = nullptr;
        std::uint32_t capacity = 0;
        std::uint32_t used = 0;
    };
    static constexpr std::size_t shard_count = 64;

    void grow(shard& s);
    std::uint64_t hash_of_entry(const entry& e) const;
    entry* place_of(const shard& s, std::uint64_t hash) const;
    bool matches(const entry& e, const entry& wanted, std::string_view text) const;

    std::array<shard, shard_count> shards_{};
    text_arena texts_;
};

}  // namespace taskbarge::grouper
