// What a batch of rows keeps alive: the blocks as they were read, and texts that had to be rewritten.
#pragma once

#include <memory>
#include <vector>

#include "reader/text.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

// Bytes as read. Never changed after they were filled, so that batches on other threads may look at them.
struct block {
    std::shared_ptr<char[]> bytes;
    std::size_t size = 0;
};

struct row_batch::storage {
    std::vector<block> blocks;
    text_arena texts;

    // True when the block was not held before.
    bool hold(const block& b) {
        if (!blocks.empty() && blocks.back().bytes == b.bytes) return false;
        blocks.push_back(b);
        return true;
    }
    void clear() {
        blocks.clear();
        texts.clear();
    }
};

}  // namespace taskbarge::reader
