#include "reader/record_sink.hpp"

#include <algorithm>
#include <limits>

namespace taskbarge::reader {

record_sink::record_sink(std::uint64_t first_rows, std::size_t batch_rows, std::size_t batch_bytes)
    : batch_rows_(std::max<std::size_t>(batch_rows, 1)),
      batch_bytes_(batch_bytes),
      left_(first_rows == 0 ? std::numeric_limits<std::uint64_t>::max() : first_rows) {}

void record_sink::start(row_batch& batch) {
    batch_ = &batch;
    batch.rows.reserve(batch_rows_);
    room_ = static_cast<std::size_t>(std::min<std::uint64_t>(batch_rows_, left_));
    bytes_ = 0;
}

core::row_number record_sink::count() {
    --room_;
    --left_;
    return ++last_;
}

void record_sink::add(core::source_position at, std::string_view contact_id, const core::task_view& details,
                      const block& from) {
    if (batch_->bytes().hold(from)) bytes_ += from.size;
    batch_->rows.push_back({count(), at, contact_id, details});
}

void record_sink::reject(core::source_position at, fault why, std::string column, std::string_view contact_id,
                         std::string_view raw) {
    bytes_ += raw.size() + why.message.size();
    batch_->rejects.push_back({count(), at, std::string(contact_id), std::move(column), std::move(why.code),
                               std::move(why.message), std::string(raw)});
}

}  // namespace taskbarge::reader
