// Where planning puts rows: through the grouper into the ledger, in short transactions, so that other processes of the
// ledger are never kept waiting by a slow input.
#pragma once

#include <vector>

#include "job/planning.hpp"
#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class ledger_sink final : public row_sink, private grouper::chunk_sink {
 public:
    ledger_sink(ledger::ledger& book, core::job_id job, grouper::grouper_options options);

    void expect(std::uint64_t rows) override { grouper_.expect(rows); }
    core::result<void> on_rows(std::span<const core::row> rows) override { return grouper_.add(rows); }
    core::result<void> on_reject(const core::rejected_row& row) override;
    // Writes what is left.
    core::result<void> finish();
    const grouper::grouper_stats& stats() const { return grouper_.stats(); }

 private:
    core::result<void> on_group(core::group_number number, const core::task_view& details) override;
    core::result<void> on_chunk(core::planned_chunk&& chunk) override;
    core::result<void> on_duplicate(const core::duplicate_row& row) override;
    core::result<void> flush_if_full(std::size_t contacts);
    core::result<void> flush();
    core::result<void> write_all();

    ledger::ledger& ledger_;
    const core::job_id job_;
    std::vector<std::pair<core::group_number, core::task_details>> groups_;
    std::vector<core::planned_chunk> chunks_;
    std::vector<core::duplicate_row> duplicates_;
    std::vector<core::rejected_row> rejects_;
    std::size_t weight_ = 0;  // contacts and rows waiting to be written
    grouper::grouper grouper_;
};

}  // namespace taskbarge::job
