#include "reader/framing.hpp"

#include <algorithm>
#include <cstring>

#include "reader/byte_scan.hpp"
#include "reader/encoding.hpp"

namespace taskbarge::reader {

block spare_blocks::take(std::size_t size) {
    // Small ones are not worth it, and a giant line's would be kept for nothing. Rooms are rounded up, since a block
    // holds the rest of a line as well.
    constexpr std::size_t worth_keeping = 64 << 10, most_kept = 4 << 20, step = 64 << 10;
    if (size < worth_keeping || size > most_kept) return {std::make_shared_for_overwrite<char[]>(size), size};
    spare found;
    {
        const std::lock_guard lock(mutex_);
        // The last one is the likeliest to be in the cache.
        const auto fits = std::find_if(spare_.rbegin(), spare_.rend(),
                                       [&](const spare& s) { return s.room >= size && s.room / 2 <= size; });
        if (fits != spare_.rend()) {
            found = std::move(*fits);
            spare_.erase(std::next(fits).base());
        }
    }
    if (!found.bytes) {
        found.room = (size + step - 1) / step * step;
        found.bytes = std::make_unique_for_overwrite<char[]>(found.room);
    }
    const auto room = found.room;
    return {std::shared_ptr<char[]>(
                found.bytes.release(),
                [home = shared_from_this(), room](char* p) { home->give_back(std::unique_ptr<char[]>(p), room); }),
            size};
}

void spare_blocks::give_back(std::unique_ptr<char[]> bytes, std::size_t room) noexcept {
    const std::lock_guard lock(mutex_);
    if (spare_.size() == most_spare) spare_.erase(spare_.begin());
    spare_.push_back({std::move(bytes), room});
}

byte_window::byte_window(byte_source source, std::size_t block_size)
    : block_size_(std::max<std::size_t>(block_size, 1)),
      block_{std::make_shared<char[]>(scan_padding), scan_padding},
      source_(std::move(source)),
      begin_(block_.bytes.get()),
      end_(begin_) {}

core::result<void> byte_window::extend() {
    if (at_end_) return {};
    const std::size_t carried = size();
    const std::size_t wanted = std::max(block_size_, carried);
    const std::size_t size = carried + wanted + scan_padding;
    block fresh = spare_->take(size);
    char* const bytes = fresh.bytes.get();
    std::memcpy(bytes, begin_, carried);
    std::size_t got = std::min(wanted, ahead_size_ - taken_);
    if (got > 0) std::memcpy(bytes + carried, ahead_.get() + taken_, got);
    taken_ += got;
    if (got < wanted) {
        const auto more = source_.read(bytes + carried + got, wanted - got, fresh.bytes);
        if (!more) return more.error();
        got += *more;
    }
    std::memset(bytes + carried + got, 0, scan_padding);
    at_end_ = got < wanted;
    begin_ = bytes;
    end_ = begin_ + carried + got;
    block_ = std::move(fresh);
    return {};
}

core::result<std::string_view> byte_window::look_ahead(std::size_t most) {
    ahead_ = std::make_shared<char[]>(most);
    const auto got = source_.read(ahead_.get(), most, ahead_);
    if (!got) return got.error();
    ahead_size_ = *got;
    return std::string_view{ahead_.get(), *got};
}

core::result<void> byte_window::pass_marks() {
    for (;;) {
        const std::string_view text{begin_, std::min(size(), utf8_bom.size())};
        if (!utf8_bom.starts_with(text)) return {};
        if (text.size() == utf8_bom.size())
            begin_ += text.size();
        else if (at_end_)
            return {};
        else if (auto read = extend(); !read)
            return read.error();
    }
}

line_end line_end_at(const char* p, const char* end, input_rest rest) {
    if (*p == '\n') return {p, p + 1};
    if (p + 1 == end) return rest == input_rest::complete ? line_end{p, p + 1} : line_end{};
    return {p, p[1] == '\n' ? p + 2 : p + 1};
}

line_end find_line_end(const char* begin, const char* end, input_rest rest) {
    const byte_scanner scanner('\n');
    for (const char* p = begin; p < end; p += 64) {
        const std::uint64_t found = scanner.look(p).line_end;
        if (found == 0) continue;
        const char* const at = p + std::countr_zero(found);
        if (at >= end) break;
        return line_end_at(at, end, rest);
    }
    return rest == input_rest::complete ? line_end{end, end} : line_end{};
}

std::uint64_t count_line_ends(const char* begin, const char* end) {
    const auto size = static_cast<std::size_t>(end - begin);
    if (size == 0 || (!std::memchr(begin, '\n', size) && !std::memchr(begin, '\r', size))) return 0;
    std::uint64_t n = 0;
    for (const char* p = begin; p < end; ++p)
        if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) ++n;
    return n;
}

}  // namespace taskbarge::reader
