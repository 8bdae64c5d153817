// The rows that wait for their chunk to become full, by group.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "grouper/temporary_file.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::grouper {

// A row in 12 bytes. Its contact is kept elsewhere.
struct open_row {
    std::uint32_t row;
    std::uint32_t line_low;
    std::uint32_t line_high;

    std::uint64_t line() const { return std::uint64_t{line_high} << 32 | line_low; }
};

// Every group's rows since its last full chunk. Past its memory all of them are written to a temporary file, as one run
// in order of group and row. A group of which rows are in the file hands out nothing more until drain(), which merges
// the runs: its chunks come later then, but hold the same rows.
class open_rows {
 public:
    explicit open_rows(const std::string& spill_folder) : file_(spill_folder) {}

    // The next group, by number.
    void add_group() { groups_.emplace_back(); }

    // Begins to fetch what add() will look at, of all these groups together.
    void fetch(std::span<const core::group_number> groups) const;
    // Adds a row to its group. Rows of a group come in ascending order.
    void add(core::group_number group, std::uint32_t row, std::uint64_t line);
    // The group's rows since the last take(), all in memory; 0 for a group with rows in the file.
    std::uint32_t waiting(core::group_number group) const;
    // Moves the waiting rows to `out` in order.
    void take(core::group_number group, std::vector<open_row>& out);

    // Writes all waiting rows to the file.
    core::result<void> spill();
    // Gives out what is left, group by group in ascending order, rows in order, `most` at once and fewer only at the
    // group's end. `memory` is for reading the runs.
    using visitor = std::function<core::result<void>(core::group_number, const std::vector<open_row>&)>;
    core::result<void> drain(std::uint32_t most, std::uint64_t memory, const visitor& visit);

    // Bytes taken for rows, until the next spill() gives them back, and with what is kept for each group.
    std::uint64_t memory() const;
    std::uint64_t row_memory() const { return segments_.size() * sizeof(segment); }
    std::uint64_t spilled_rows() const { return spilled_; }

 private:
    static constexpr std::uint32_t none = 0xffffffffu;
    static constexpr std::size_t segment_size = 1024;
    static constexpr std::uint32_t rows_a_node = 5;

    // As many rows as a line of the processor's cache holds: reading them one by one from all over memory would be a
    // wait for each.
    struct alignas(64) node {
        std::array<open_row, rows_a_node> rows;  // filled from the front
        std::uint32_t next;
    };
    static_assert(sizeof(node) == 64);
    // Nodes form a ring per group: the last one knows the first.
    struct group_state {
        std::uint32_t last = none;
        std::uint32_t count : 31 = 0;  // of rows in memory
        std::uint32_t spilled : 1 = 0;
    };
    struct run {
        std::uint64_t begin, end;  // in the file
    };
    class run_reader;

    node& at(std::uint32_t index) const { return (*segments_[index / segment_size])[index % segment_size]; }
    std::uint32_t new_node();
    void read_out(group_state& state, std::vector<open_row>& out);

    using segment = std::array<node, segment_size>;
    std::vector<std::unique_ptr<segment>> segments_;
    std::uint32_t free_ = none;  // the first of a chain of unused nodes
    std::uint32_t fresh_ = 0;    // nodes from here on were never used
    std::deque<group_state> groups_;
    temporary_file file_;
    std::vector<run> runs_;
    std::uint64_t spilled_ = 0;
};

}  // namespace taskbarge::grouper
