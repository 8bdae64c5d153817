// The groups of an input, found by their details.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "grouper/temporary_file.hpp"
#include "grouper/text_arena.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::grouper {

// Numbers details from 1 in the order in which they are first seen. A hash only narrows the search: fields are always
// compared in full. The first `memory` bytes of details are kept in memory; later ones go to a temporary file and are
// read back when a row may have them, so that memory is bounded however long the notes are. About 30 bytes a group come
// on top.
class details_table {
 public:
    details_table(std::uint64_t memory, const std::string& spill_folder);
    details_table(const details_table&) = delete;
    details_table& operator=(const details_table&) = delete;

    struct answer {
        core::group_number group;
        bool is_new;
    };
    core::result<answer> find_or_add(const core::task_view& details);

    std::uint64_t groups() const { return entries_.size(); }
    std::uint64_t memory() const;

 private:
    struct entry {
        std::uint64_t hash;
        std::uint64_t place;  // in texts_ or, with the highest bit, in file_
    };
    // Details that are looked for.
    struct probe {
        std::uint64_t hash;
        const core::task_view& details;
    };
    struct hasher {
        using is_transparent = void;
        using is_avalanching = void;
        const details_table* table;
        std::size_t operator()(core::group_number group) const { return table->entries_[group - 1].hash; }
        std::size_t operator()(const probe& p) const { return p.hash; }
    };
    struct equality {
        using is_transparent = void;
        const details_table* table;
        bool operator()(core::group_number a, core::group_number b) const { return a == b; }
        bool operator()(const probe& p, core::group_number group) const { return table->equal(group, p.details); }
        bool operator()(core::group_number group, const probe& p) const { return table->equal(group, p.details); }
    };

    bool equal(core::group_number group, const core::task_view& details) const;
    bool equal_in_file(std::uint64_t place, const core::task_view& details) const;
    core::result<std::uint64_t> keep(std::string_view record);

    std::uint64_t memory_;
    text_arena texts_;
    temporary_file file_;
    std::deque<entry> entries_;  // by group number
    boost::unordered_flat_set<core::group_number, hasher, equality> index_;
    mutable std::string record_;                    // details as one text, to be kept or compared
    mutable std::string read_;                      // what equal() read back
    mutable std::optional<core::failure> trouble_;  // of a read in equal(), which has no other way to say so
};

}  // namespace taskbarge::grouper
