#include "grouper/text_arena.hpp"

#include <algorithm>
#include <cstring>

namespace taskbarge::grouper {

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

}  // namespace taskbarge::grouper
