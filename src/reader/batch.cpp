#include "reader/batch.hpp"

namespace taskbarge::reader {

row_batch::row_batch() : storage_(std::make_unique<storage>()) {}
row_batch::~row_batch() = default;
row_batch::row_batch(row_batch&&) noexcept = default;
row_batch& row_batch::operator=(row_batch&&) noexcept = default;

void row_batch::clear() {
    rows.clear();
    rejects.clear();
    keys.clear();
    storage_->clear();
}

}  // namespace taskbarge::reader
