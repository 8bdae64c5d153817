// Object ids of 24 hex digits, looked at and packed 16 characters at once: every row has two.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace taskbarge::core {

inline constexpr std::size_t object_id_size = 24;

// The digits' values, two a byte.
using packed_id = std::array<unsigned char, object_id_size / 2>;

enum class id_spelling : std::uint8_t {
    canonical,      // 24 hex digits as canonical_id() writes them
    with_capitals,  // 24 hex digits, some of them capital letters
    other           // anything else
};

namespace detail {

#if defined(__SSE2__)

// 16 characters: what they are, and what they stand for.
class hex_digits {
 public:
    explicit hex_digits(const char* from) {
        const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        const __m128i as_digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
        const __m128i as_letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        const __m128i is_digit = up_to(as_digit, 9), is_letter = up_to(as_letter, 5);
        all_hex_ = bits(_mm_or_si128(is_digit, is_letter)) == 0xffff;
        // Bit 5 tells small letters; shifted to bit 7 it is what bits() collects.
        small_or_digit_ = bits(_mm_or_si128(is_digit, _mm_slli_epi16(text, 2))) == 0xffff;
        values_ = _mm_or_si128(_mm_and_si128(is_digit, as_digit),
                               _mm_and_si128(is_letter, _mm_add_epi8(as_letter, _mm_set1_epi8(10))));
    }
    bool all_hex() const { return all_hex_; }
    bool no_capitals() const { return small_or_digit_; }
    // Eight bytes.
    void pack(unsigned char* to) const {
        const __m128i pairs =
            _mm_and_si128(_mm_or_si128(_mm_slli_epi16(values_, 4), _mm_srli_epi16(values_, 8)), _mm_set1_epi16(0xff));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(pairs, pairs));
    }

 private:
    static __m128i up_to(__m128i v, char most) { return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(most)), v); }
    static int bits(__m128i v) { return _mm_movemask_epi8(v); }
    __m128i values_;
    bool all_hex_, small_or_digit_;
};

#else

class hex_digits {
 public:
    explicit hex_digits(const char* from) {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            const char c = from[i];
            const bool digit = c >= '0' && c <= '9', small = c >= 'a' && c <= 'f', capital = c >= 'A' && c <= 'F';
            all_hex_ = all_hex_ && (digit || small || capital);
            no_capitals_ = no_capitals_ && !capital;
            values_[i] = static_cast<unsigned char>(digit ? c - '0' : small ? c - 'a' + 10 : c - 'A' + 10);
        }
    }
    bool all_hex() const { return all_hex_; }
    bool no_capitals() const { return no_capitals_; }
    void pack(unsigned char* to) const {
        for (std::size_t i = 0; i < values_.size() / 2; ++i)
            to[i] = static_cast<unsigned char>(values_[2 * i] << 4 | values_[2 * i + 1]);
    }

 private:
    std::array<unsigned char, 16> values_;
    bool all_hex_ = true, no_capitals_ = true;
};

#endif

}  // namespace detail

inline id_spelling spelling_of(std::string_view id) {
    if (id.size() != object_id_size) return id_spelling::other;
    const detail::hex_digits front(id.data()), back(id.data() + 8);  // they overlap
    if (!front.all_hex() || !back.all_hex()) return id_spelling::other;
    return front.no_capitals() && back.no_capitals() ? id_spelling::canonical : id_spelling::with_capitals;
}

// False, and nothing written, unless the spelling is canonical: different texts never become the same bytes.
inline bool pack_object_id(std::string_view id, packed_id& out) {
    if (id.size() != object_id_size) return false;
    const detail::hex_digits front(id.data()), back(id.data() + 8);
    if (!front.all_hex() || !back.all_hex() || !front.no_capitals() || !back.no_capitals()) return false;
    front.pack(out.data());
    back.pack(out.data() + 4);
    return true;
}

// The canonical text, 24 characters.
inline void unpack_object_id(const packed_id& id, char* out) {
    static constexpr auto pairs = [] {
        std::array<std::array<char, 2>, 256> all{};
        constexpr std::string_view digits = "0123456789abcdef";
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = {digits[i >> 4], digits[i & 15]};
        return all;
    }();
    for (std::size_t i = 0; i < id.size(); ++i)
        std::memcpy(out + 2 * i, pairs[id[i]].data(), 2);
}

}  // namespace taskbarge::core
