// Where planning puts rows: through the grouper into the ledger, in short transactions, so that other processes of the
// ledger are never kept waiting by a slow input. A transaction is written, and made durable, beside the reading and
// grouping of the next.
#pragma once

#include <future>
#include <vector>

#include "job/planning/row_sink.hpp"
#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/ledger/plan_book.hpp"

namespace taskbarge::job {

// The ledger is the sink's until finish() has returned, or wait(), or the sink is gone.
class ledger_sink final : public row_sink, private grouper::chunk_sink {
 public:
    ledger_sink(ledger::plan_rows& book, core::job_id job, grouper::grouper_options options);

    void expect(std::uint64_t rows) override { grouper_.expect(rows); }
    core::result<void> on_rows(std::span<const core::row> rows) override { return grouper_.add(rows); }
    core::result<void> on_reject(const core::rejected_row& row, const ledger::file_note& file) override;
    core::result<void> on_keys(std::span<const std::pair<core::row_number, std::string>> keys) override;
    // Writes what is left and waits for it.
    core::result<void> finish();
    // Returns when nothing is being written.
    core::result<void> wait();
    const grouper::grouper_stats& stats() const { return grouper_.stats(); }

 private:
    core::result<void> on_group(core::group_number number, const core::task_view& details) override;
    core::result<void> on_chunk(core::planned_chunk&& chunk) override;
    core::result<void> on_duplicate(const core::duplicate_row& row) override;
    core::result<void> flush_if_full(std::size_t contacts);
    core::result<void> flush();

    // What goes into one transaction.
    struct part {
        std::vector<std::pair<core::group_number, core::task_details>> groups;
        std::vector<core::planned_chunk> chunks;  // those past chunk_count are memory to be used again
        std::size_t chunk_count = 0;
        std::vector<core::duplicate_row> duplicates;
        std::vector<core::rejected_row> rejects;
        std::vector<std::pair<core::row_number, std::string>> keys;
        void clear();
    };
    core::result<void> write();
    core::result<void> write_all();
    core::result<void> written(std::size_t& since_begin);

    ledger::plan_rows& ledger_;
    const core::job_id job_;
    part filling_, writing_;
    std::size_t weight_ = 0;  // of what is being filled: contacts and rows
    grouper::grouper grouper_;
    std::future<core::result<void>> written_;  // of what is being written; the last member, as its end is awaited first
};

}  // namespace taskbarge::job
