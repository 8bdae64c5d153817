#include "grouper/text_arena.hpp"

#include <algorithm>
#include <cstring>

namespace taskbarge::grouper {

namespace {
using length = std::uint32_t;  // stands before each text
}

std::uint64_t text_arena::add(std::string_view text) {
    const std::size_t wanted = sizeof(length) + text.size();
    if (wanted > left_) {
        const auto size = std::max(block_size, wanted);
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        size_ += size;
        left_ = size;
        used_ = 0;
    }
    char* const to = blocks_.back().get() + used_;
    const auto count = static_cast<length>(text.size());
    std::memcpy(to, &count, sizeof count);
    if (!text.empty()) std::memcpy(to + sizeof count, text.data(), text.size());
    const auto place = static_cast<std::uint64_t>(blocks_.size() - 1) << 32 | used_;
    used_ += wanted;
    left_ -= wanted;
    return place;
}

std::string_view text_arena::at(std::uint64_t place) const {
    const char* const from = blocks_[place >> 32].get() + (place & 0xffffffffu);
    length count = 0;
    std::memcpy(&count, from, sizeof count);
    return {from + sizeof count, count};
}

}  // namespace taskbarge::grouper
