// The groups of an input, found by their details.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "grouper/hash_index.hpp"
#include "grouper/temporary_file.hpp"
#include "grouper/text_arena.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::grouper {

// Numbers details from 1 in the order in which they are first seen. A hash only narrows the search: fields are always
// compared in full. The first `memory` bytes of details are kept in memory; later ones go to a temporary file and are
// read back when a row may have them, so that memory is bounded however long the notes are. About 20 bytes a group come
// on top.
//
// Where there are many groups, notes mostly differ in a few words, as they are made from one text. In memory, details
// are therefore kept as what differs from others of the same owner and type, where that is less than half of the note:
// most then need no file, and each is one place to fetch.
class details_table {
 public:
    details_table(std::uint64_t memory, const std::string& spill_folder);
    details_table(const details_table&) = delete;
    details_table& operator=(const details_table&) = delete;

    // What find_or_add() looks for them by.
    static std::uint64_t hash_of(const core::task_view& details);
    // Begins to fetch what find_or_add() will look at, of all these hashes together. Saves work where there are many
    // groups, costs nothing where there are few.
    void fetch(std::span<const std::uint64_t> hashes) const;

    struct answer {
        core::group_number group;
        bool is_new;
    };
    core::result<answer> find_or_add(const core::task_view& details, std::uint64_t hash);
    core::result<answer> find_or_add(const core::task_view& details) { return find_or_add(details, hash_of(details)); }

    // A group's details, from wherever they are kept.
    core::result<core::task_details> details(core::group_number group) const;

    std::uint64_t groups() const { return places_.size(); }
    std::uint64_t memory() const;

 private:
    static constexpr std::size_t most_bases = 4096;  // few, so that they stay in the processor's cache

    bool equal(core::group_number group, const core::task_view& details);
    bool equal_in_file(std::uint64_t place, const core::task_view& details);
    core::result<std::uint64_t> keep(const core::task_view& details);
    bool write_short(const core::task_view& details, std::uint16_t base);
    std::string_view base_of(std::string_view short_record) const;
    core::task_details details_in_memory(std::string_view record) const;
    bool has_room_for(std::string_view record) const { return texts_.size() + record.size() <= memory_; }

    std::uint64_t memory_;
    text_arena texts_;
    temporary_file file_;
    std::deque<std::uint64_t> places_;  // by group number: in texts_ or, with the highest bit, in file_
    hash_index index_;
    std::vector<std::uint64_t> bases_;               // places in texts_ of details that others may lean on
    std::array<std::uint16_t, 256> latest_bases_{};  // by owner and type: one more than an index of bases_; 0: none
    std::string record_;                             // details as one text, to be kept or compared
    std::string read_;                               // what equal() read back
    std::optional<core::failure> trouble_;           // of a read in equal(), which has no other way to say so
};

}  // namespace taskbarge::grouper
