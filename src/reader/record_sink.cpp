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
    names_.clear();
}

core::row_number record_sink::count() {
    --room_;
    --left_;
    return ++last_;
}

void record_sink::add(core::source_position at, std::string_view contact_id, const core::task_view& details,
                      const block& from, const row_keys* keys) {
    if (batch_->bytes().hold(from)) bytes_ += from.size;
    batch_->rows.push_back({count(), at, contact_id, details});
    if (keys) {
        batch_->keys.resize(batch_->rows.size() - 1);
        batch_->keys.push_back(*keys);
    } else if (!batch_->keys.empty()) {
        batch_->keys.resize(batch_->rows.size());
    }
}

std::string_view record_sink::name(std::string_view column) {
    if (const auto known = std::find(names_.begin(), names_.end(), column); known != names_.end()) return *known;
    constexpr std::size_t most_known = 16;  // of lines of JSON, each may have others
    const std::string_view kept = texts().keep(column);
    if (names_.size() < most_known) names_.push_back(kept);
    return kept;
}

void record_sink::reject(core::source_position at, fault why, std::string column, std::string_view contact_id,
                         std::string_view raw) {
    bytes_ += raw.size() + why.message.size();
    batch_->rejects.push_back({count(), at, std::string(contact_id), std::move(column), std::move(why.code),
                               std::move(why.message), std::string(raw)});
}

}  // namespace taskbarge::reader
