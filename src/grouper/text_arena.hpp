// Texts that stay until the end, one after the other in large blocks.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "grouper/fetch_ahead.hpp"

namespace taskbarge::grouper {

class text_arena {
 public:
    // Keeps a copy; the place names it from now on.
    std::uint64_t add(std::string_view text);
    // The view lives as long as the arena.
    std::string_view at(std::uint64_t place) const {
        const char* const from = begin_of(place);
        length count = 0;
        std::memcpy(&count, from, sizeof count);
        return {from + sizeof count, count};
    }
    // Begins to fetch a text: two lines of the processor's cache, which is the most of a short one.
    void fetch(std::uint64_t place) const {
        const char* const begin = begin_of(place);
        fetch_ahead(begin);
        // The block may end before that, where no pointer may be made by adding.
        fetch_ahead(reinterpret_cast<const void*>(  // NOLINT(performance-no-int-to-ptr)
            reinterpret_cast<std::uintptr_t>(begin) + 64));
    }
    // Bytes in use, block ends that were too short for a text included.
    std::uint64_t size() const { return size_; }

 private:
    using length = std::uint32_t;  // stands before each text
    const char* begin_of(std::uint64_t place) const { return blocks_[place >> 32].get() + (place & 0xffffffffu); }

    static constexpr std::size_t block_size = 64 << 10;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t left_ = 0;  // in the last block
    std::size_t used_ = 0;  // of the last block
    std::uint64_t size_ = 0;
};

}  // namespace taskbarge::grouper
