// Which (details, contact) pairs have occurred, exactly, in few bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "grouper/fetch_ahead.hpp"
#include "grouper/hash_index.hpp"
#include "grouper/mapped_memory.hpp"
#include "grouper/text_arena.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/id_list.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::grouper {

// The set of all pairs of group and contact seen, each known by the row in which it occurred first.
//
// A pair's 16 bytes stand where its row's number says, so they are written in order, never move, and are read only when
// the hashes agree; what is looked at in random places is an index of 8-byte entries. 25 to 30 bytes a row in all.
class contact_set {
 public:
    contact_set() = default;
    contact_set(const contact_set&) = delete;
    contact_set& operator=(const contact_set&) = delete;

    // A pair that is about to be looked for.
    struct probe {
        std::string_view contact;
        std::uint64_t hash = 0;
        core::packed_id id{};     // unless it is a text
        std::uint32_t group = 0;  // as in `pair`
    };
    // `group` below 2^31.
    static probe prepare(core::group_number group, std::string_view contact);
    // Begins to fetch the memory that find_or_add() will look at, a wait for which is nearly all of its time in a large
    // set. Many in a row, with nothing between them, take no longer than one.
    void fetch(const probe& p) const { index_.fetch(p.hash); }
    // The rest of it, once that has arrived.
    void fetch_more(const probe& p) const {
        if (const auto row = index_.fetch_more(p.hash); row != 0) fetch_ahead(&at(row));
    }

    // The row in which the pair occurred first; 0: it is new, and `row` is its first. `row` is not 0 and had no pair
    // yet. The probe's contact must still be there.
    std::uint32_t find_or_add(const probe& wanted, std::uint32_t row);
    std::uint32_t find_or_add(core::group_number group, std::string_view contact, std::uint32_t row) {
        return find_or_add(prepare(group, contact), row);
    }

    // Adds the contact id of a row whose pair was new.
    void append_contact(std::uint32_t row, core::id_list& out) const;
    // Begins to fetch what that needs.
    void fetch_contact(std::uint32_t row) const { fetch_ahead(&at(row)); }

    // About how many pairs there will be: saves work.
    void expect(std::uint64_t pairs) { index_.expect(pairs); }

    // Bytes of the index, of the pairs and of the ids that are not packed.
    std::uint64_t memory() const;

 private:
    struct pair {
        core::packed_id id;   // 24 hex digits packed or, for any other id, the place of its text
        std::uint32_t group;  // the highest bit: the id is a text
    };
    static_assert(sizeof(pair) == 16);
    static constexpr std::uint32_t block_size = 1u << 12;  // pairs; 64 KiB

    pair& at(std::uint32_t row) const { return static_cast<pair*>(blocks_[row / block_size].data())[row % block_size]; }
    bool same(const pair& kept, const probe& wanted) const;
    void keep(const probe& wanted, std::uint32_t row);

    hash_index index_;
    std::vector<mapped_memory> blocks_;  // by row
    text_arena texts_;
};

}  // namespace taskbarge::grouper
