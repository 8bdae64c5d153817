// Small helpers for texts: an arena for those that a batch keeps, and forms fit for messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/edit_distance.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::reader {

// Bytes that stay where they are until clear(): given out in order, freed together.
class text_arena {
 public:
    char* take(std::size_t size);
    std::string_view keep(std::string_view text);
    // Keeps the first chunk for the next use.
    void clear();
    std::size_t bytes() const { return bytes_; }

 private:
    static constexpr std::size_t chunk_size = 64 << 10;
    std::vector<std::unique_ptr<char[]>> chunks_;
    char* free_ = nullptr;
    std::size_t room_ = 0;
    std::size_t bytes_ = 0;
};

// Eight bytes from `p` as one number.
inline std::uint64_t eight_bytes(const char* p) {
    std::uint64_t v = 0;
    std::memcpy(&v, p, sizeof(v));
    return v;
}

// memcmp(a, b, size) == 0, for texts so short that the call would be most of it.
inline bool same_bytes(const char* a, const char* b, std::size_t size) {
    if (size < 8) return std::memcmp(a, b, size) == 0;
    std::uint64_t difference = eight_bytes(a + size - 8) ^ eight_bytes(b + size - 8);
    for (std::size_t at = 0; at + 8 < size; at += 8)
        difference |= eight_bytes(a + at) ^ eight_bytes(b + at);
    return difference == 0;
}

// Without blanks of any kind and characters that do not show at both ends.
std::string_view trimmed(std::string_view text);
// In double quotes, control characters as '.', what does not show as <U+200B>, cut after 60 bytes: for one-line
// messages.
std::string shown(std::string_view text);
// As one argument of a shell command.
std::string shell_quoted(std::string_view text);
// "a", "a and b", "a, b and c".
std::string listed(std::span<const std::string> items, std::string_view last_joint = " and ");
using core::is_digit;
using core::lower_case;
using core::nearest;
// Whether it is what a file of rejects says of a row: "invalid_type: ...".
bool says_why_rejected(std::string_view error);
// Code points of valid UTF-8.
std::size_t count_characters(std::string_view text);

}  // namespace taskbarge::reader
