// Puts records into a batch: numbers them, keeps the batch's bounds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reader/batch.hpp"
#include "reader/fields.hpp"

namespace taskbarge::reader {

class record_sink {
 public:
    // At most `first_rows` records in all (0: no limit), `batch_rows` records and about `batch_bytes` bytes a batch.
    record_sink(std::uint64_t first_rows, std::size_t batch_rows, std::size_t batch_bytes);

    // Later records go to this cleared batch.
    void start(row_batch& batch);
    // No further record fits into this batch.
    bool full() const { return room_ == 0 || bytes_ + batch_->bytes().texts.bytes() >= batch_bytes_; }
    // first_rows records were given out: no further record is wanted at all.
    bool satisfied() const { return left_ == 0; }

    // The row's texts point into `from` or into texts(), and so do those of its keys, if any are given.
    void add(core::source_position at, std::string_view contact_id, const core::task_view& details, const block& from,
             const row_keys* keys = nullptr);
    void reject(core::source_position at, fault why, std::string column, std::string_view contact_id,
                std::string_view raw);
    core::row_number next_number() const { return last_ + 1; }
    text_arena& texts() { return batch_->bytes().texts; }
    // A column's name, kept with the batch; once, as each row has the same.
    std::string_view name(std::string_view column);

 private:
    core::row_number count();

    std::size_t batch_rows_;
    std::size_t batch_bytes_;
    std::uint64_t left_;
    row_batch* batch_ = nullptr;
    std::size_t room_ = 0;
    std::size_t bytes_ = 0;
    core::row_number last_ = 0;
    std::vector<std::string_view> names_;  // kept with the batch
};

}  // namespace taskbarge::reader
