// Blocks of bytes as a window that slides over a file, and where its lines end.
#pragma once

#include <cstddef>
#include <cstdint>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "reader/batch.hpp"
#include "reader/byte_source.hpp"

namespace taskbarge::reader {

// Blocks that nobody holds any more, for the next reads: fresh memory costs more than reading into it. Any thread may
// let go of the last hold.
class spare_blocks : public std::enable_shared_from_this<spare_blocks> {
 public:
    spare_blocks() { spare_.reserve(most_spare); }
    block take(std::size_t size);

 private:
    struct spare {
        std::unique_ptr<char[]> bytes;
        std::size_t room = 0;
    };
    static constexpr std::size_t most_spare = 16;
    void give_back(std::unique_ptr<char[]> bytes, std::size_t room) noexcept;

    std::mutex mutex_;
    std::vector<spare> spare_;
};

// What was read and not yet used. The bytes stay in their block; extend() goes on in a new one, so texts found before
// hold as long as somebody holds their block. At least scan_padding readable bytes follow end().
class byte_window {
 public:
    byte_window(byte_source source, std::size_t block_size);

    const char* begin() const { return begin_; }
    const char* end() const { return end_; }
    std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
    // True when nothing comes behind end().
    bool at_end() const { return at_end_; }
    const block& current() const { return block_; }
    void use_up_to(const char* p) { begin_ = p; }
    // Moves what is left to a new block and reads behind it, at least as much as there already is, so that a record of
    // n bytes costs O(n) however small the blocks.
    core::result<void> extend();
    // The first bytes of all, up to `most` of them, which extend() will give out. Before the first extend(), once.
    core::result<std::string_view> look_ahead(std::size_t most);
    // Moves over byte order marks at the beginning.
    core::result<void> pass_marks();

    const byte_source& source() const { return source_; }
    byte_source& source() { return source_; }

 private:
    std::size_t block_size_;
    std::shared_ptr<spare_blocks> spare_ = std::make_shared<spare_blocks>();
    block block_;
    std::shared_ptr<char[]> ahead_;  // read and not yet in a block, from taken_ to ahead_size_
    std::size_t taken_ = 0, ahead_size_ = 0;
    byte_source source_;
    const char* begin_;
    const char* end_;
    bool at_end_ = false;
};

// Where the line at `begin` ends (LF, CRLF or a lone CR) and the next one begins. Not found: both null. When a CR is
// the last byte and more may come, it is not found yet: an LF may belong to it.
struct line_end {
    const char* end = nullptr;
    const char* next = nullptr;
    explicit operator bool() const { return end != nullptr; }
};
enum class input_rest { more_may_come, complete };
// With complete input the end of the bytes ends a line, too. Needs scan_padding readable bytes behind `end`.
line_end find_line_end(const char* begin, const char* end, input_rest rest);
// The line end at `p`, which is an LF or a CR before `end`.
line_end line_end_at(const char* p, const char* end, input_rest rest);
// How many line ends [begin, end) holds; CRLF is one.
std::uint64_t count_line_ends(const char* begin, const char* end);

}  // namespace taskbarge::reader
