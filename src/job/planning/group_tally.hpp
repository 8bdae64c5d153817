// What `plan` tells about groups: how large they are, and which field keeps rows from sharing requests.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "taskbarge/core/row.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/job/plan_report.hpp"

namespace taskbarge::job {

// Memory: four bytes a group, and a hash of each field for the first of them only, however long their texts are. Past
// those the fields' costs are reckoned from the groups that were looked at: a report, not a promise.
class group_tally {
 public:
    explicit group_tally(std::uint32_t chunk_size) : chunk_size_(chunk_size) {}

    // Groups come in the order of their numbers.
    void add_group(const core::task_view& details);
    void add_rows(core::group_number group, std::uint64_t rows);

    struct sized_group {
        core::group_number group = 0;
        std::uint64_t rows = 0;
        std::uint64_t requests = 0;
    };
    // The largest first; of equals the earlier. Whoever grouped the rows has the details.
    std::vector<sized_group> largest(std::size_t most) const;
    // Smallest sizes first; only those that occur.
    std::vector<plan_report::group_size> sizes() const;
    // Fields that have more than one value, the most expensive first.
    std::vector<plan_report::splitter> splitters() const;

 private:
    static constexpr std::size_t field_count = 6;
    using field_hashes = std::array<std::uint64_t, field_count>;

    std::uint64_t requests(std::uint64_t rows) const { return (rows + chunk_size_ - 1) / chunk_size_; }
    plan_report::splitter cost_of(std::size_t field) const;

    std::uint32_t chunk_size_;
    std::deque<std::uint32_t> rows_;  // by group
    std::vector<field_hashes> compared_;
};

}  // namespace taskbarge::job
