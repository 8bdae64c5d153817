#include "reader/framing.hpp"

#include <algorithm>
#include <cstring>

#include "reader/byte_scan.hpp"

namespace taskbarge::reader {

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
    block fresh{std::make_shared_for_overwrite<char[]>(size), size};
    char* const bytes = fresh.bytes.get();
    std::memcpy(bytes, begin_, carried);
    auto got = source_.read(bytes + carried, wanted);
    if (!got) return got.error();
    std::memset(bytes + carried + *got, 0, scan_padding);
    at_end_ = *got < wanted;
    begin_ = bytes;
    end_ = begin_ + carried + *got;
    block_ = std::move(fresh);
    return {};
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
    std::uint64_t n = 0;
    for (const char* p = begin; p < end; ++p)
        if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) ++n;
    return n;
}

}  // namespace taskbarge::reader
