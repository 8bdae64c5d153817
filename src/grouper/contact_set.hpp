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
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::grouper {

// A contact id in 12 bytes: 24 hex digits packed or, for any other id, where its text is kept.
struct contact_key {
    core::packed_id bytes{};
    bool text = false;
};

// The set of all pairs of group and contact seen, with the first row of each.
//
// An open-addressing table of 20-byte entries in 16 shards. boost::unordered_flat_set was looked at first: it doubles,
// so that right after growing it holds 48 bytes a pair, and for a moment the old half besides. Here a shard grows by a
// quarter when it is 13/16 full: 25 to 31 bytes a pair (27 where their number was known), and only one shard at a time
// exists twice. Shards are mapped, not allocated, so that what is freed goes back to the system and cannot fragment the
// heap, and on huge pages where the system has them: with small ones each look is two waits for memory, the second for
// where the first page is.
class contact_set {
 public:
    contact_set() = default;
    ~contact_set();
    contact_set(const contact_set&) = delete;
    contact_set& operator=(const contact_set&) = delete;

    // A pair that is about to be looked for.
    struct probe {
        contact_key key;  // of a text: its hash
        core::group_number group = 0;
        std::uint64_t hash = 0;
        std::string_view contact;
    };
    // Begins to fetch the memory that find_or_add() will look at. Several probes at once take no longer than one: in a
    // large table the wait for memory is nearly all of the time. `group` below 2^31.
    probe prepare(core::group_number group, std::string_view contact) const;

    struct answer {
        contact_key key;
        std::uint32_t first_row;  // where the pair occurred first; 0: it is new, and `row` is its first
    };
    // About how many pairs there will be. The table then grows towards that in a few large steps: growing is a third of
    // the work otherwise.
    void expect(std::uint64_t pairs) { expected_ = pairs; }

    // `row` not 0. The probe's contact must still be there.
    answer find_or_add(const probe& wanted, std::uint32_t row);
    answer find_or_add(core::group_number group, std::string_view contact, std::uint32_t row) {
        return find_or_add(prepare(group, contact), row);
    }

    // Adds the id that a key of this set stands for.
    void append_text(const contact_key& key, core::id_list& out) const;

    // Bytes of the table and of the ids that are not packed.
    std::uint64_t memory() const;

 private:
    struct entry {
        core::packed_id id;
        std::uint32_t group;  // 0: empty; the highest bit: `id` is the place of a text
        std::uint32_t row;
    };
    static_assert(sizeof(entry) == 20);
    struct shard {
        entry* entries = nullptr;
        std::uint32_t capacity = 0;
        std::uint32_t used = 0;
    };
    static constexpr std::size_t shard_count = 16;

    static std::uint32_t stored_group(const probe& p);
    std::uint32_t next_capacity(std::uint32_t capacity) const;
    void grow(shard& s);
    std::uint64_t hash_of_entry(const entry& e) const;
    entry* place_of(const shard& s, std::uint64_t hash) const;
    bool matches(const entry& e, const entry& wanted, std::string_view text) const;

    std::array<shard, shard_count> shards_{};
    std::uint64_t expected_ = 0;
    text_arena texts_;
};

}  // namespace taskbarge::grouper
