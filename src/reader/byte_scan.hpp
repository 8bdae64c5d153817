// Looking at 64 bytes at once: which of them are of a kind, as a bit mask. SSE2 is part of every x86-64; elsewhere a
// plain loop does the same.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace taskbarge::reader {

// Bytes that must be readable (and are ignored) behind the end of whatever is scanned.
inline constexpr std::size_t scan_padding = 64;

// Bit i is set when byte i is of the kind.
struct byte_masks {
    std::uint64_t delimiter = 0;
    std::uint64_t line_end = 0;  // LF or CR
    std::uint64_t quote = 0;
    std::uint64_t nul = 0;
    std::uint64_t high = 0;  // not ASCII
};

#if defined(__SSE2__)

class byte_scanner {
 public:
    explicit byte_scanner(char delimiter) : delimiter_(_mm_set1_epi8(delimiter)) {}

    byte_masks look(const char* p) const {
        byte_masks m;
        for (unsigned lane = 0; lane < 4; ++lane) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + lane);
            const unsigned shift = lane * 16;
            m.delimiter |= bits(_mm_cmpeq_epi8(bytes, delimiter_)) << shift;
            m.line_end |= bits(_mm_or_si128(_mm_cmpeq_epi8(bytes, line_feed_), _mm_cmpeq_epi8(bytes, carriage_return_)))
                          << shift;
            m.quote |= bits(_mm_cmpeq_epi8(bytes, quote_)) << shift;
            m.nul |= bits(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())) << shift;
            m.high |= bits(bytes) << shift;
        }
        return m;
    }

 private:
    static std::uint64_t bits(__m128i v) { return static_cast<std::uint16_t>(_mm_movemask_epi8(v)); }
    __m128i delimiter_;
    __m128i line_feed_ = _mm_set1_epi8('\n');
    __m128i carriage_return_ = _mm_set1_epi8('\r');
    __m128i quote_ = _mm_set1_epi8('"');
};

#else

class byte_scanner {
 public:
    explicit byte_scanner(char delimiter) : delimiter_(delimiter) {}

    byte_masks look(const char* p) const {
        byte_masks m;
        for (unsigned i = 0; i < 64; ++i) {
            const std::uint64_t bit = std::uint64_t{1} << i;
            if (p[i] == delimiter_) m.delimiter |= bit;
            if (p[i] == '\n' || p[i] == '\r') m.line_end |= bit;
            if (p[i] == '"') m.quote |= bit;
            if (p[i] == '\0') m.nul |= bit;
            if (static_cast<unsigned char>(p[i]) >= 0x80) m.high |= bit;
        }
        return m;
    }

 private:
    char delimiter_;
};

#endif

// The bits below the lowest one set in `m`; all when none is.
inline std::uint64_t below_lowest(std::uint64_t m) {
    return m == 0 ? ~std::uint64_t{0} : (m & (~m + 1)) - 1;
}

}  // namespace taskbarge::reader
