// The words of a text, and marks that tell quickly which contacts cannot have a word.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/seeded.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::sandbox {

// Runs of letters and digits, in lower case. What is beyond ASCII counts as letters.
template <class Take>
void for_each_word(std::string_view text, Take&& take) {
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? core::lower(text[i]) : ' ';
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) {
            word.push_back(c);
        } else if (!word.empty()) {
            take(std::string_view(word));
            word.clear();
        }
    }
}

// A Bloom filter of what a contact can be found by. A contact that lacks a mark has not the text; one that has it may.
class text_marks {
 public:
    enum class kind : std::uint8_t { word, address, salesforce, hubspot };

    text_marks() = default;
    text_marks(kind k, std::string_view text) { add(k, text); }
    void add(kind k, std::string_view text) {
        std::uint64_t h = mix(hash_text(text), static_cast<std::uint64_t>(k));
        for (int i = 0; i < 3; ++i, h >>= 8)
            bits_[h % 4] |= std::uint64_t{1} << (h / 4 % 64);
    }
    bool has(const text_marks& others) const {
        std::uint64_t lacking = 0;
        for (std::size_t i = 0; i < bits_.size(); ++i)
            lacking |= others.bits_[i] & ~bits_[i];
        return lacking == 0;
    }

 private:
    std::array<std::uint64_t, 4> bits_{};
};

}  // namespace taskbarge::sandbox
