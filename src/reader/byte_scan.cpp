#include "reader/byte_scan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace taskbarge::reader {
namespace {

constexpr char last_control = '\x1F';

void look_bytewise(const char* p, char delimiter, byte_masks& out) {
    out = {};
    for (unsigned i = 0; i < 64; ++i) {
        const std::uint64_t bit = std::uint64_t{1} << i;
        const auto byte = static_cast<unsigned char>(p[i]);
        if (p[i] == delimiter) out.delimiter |= bit;
        if (p[i] == '\n' || p[i] == '\r') out.line_end |= bit;
        if (p[i] == '"') out.quote |= bit;
        if (p[i] == '\0') out.nul |= bit;
        if (byte <= last_control) out.control |= bit;
        if (byte >= 0x80) out.high |= bit;
    }
}

#if defined(__x86_64__)

void look_sse2(const char* p, char delimiter, byte_masks& out) {
    const auto bits = [](__m128i v) { return std::uint64_t{static_cast<std::uint16_t>(_mm_movemask_epi8(v))}; };
    byte_masks m;
    for (unsigned lane = 0; lane < 4; ++lane) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + lane);
        const auto equal = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
        const unsigned shift = lane * 16;
        m.delimiter |= bits(equal(delimiter)) << shift;
        m.line_end |= bits(_mm_or_si128(equal('\n'), equal('\r'))) << shift;
        m.quote |= bits(equal('"')) << shift;
        m.nul |= bits(equal('\0')) << shift;
        m.control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(last_control)), bytes)) << shift;
        m.high |= bits(bytes) << shift;
    }
    out = m;
}

__attribute__((target("avx2"))) void look_avx2(const char* p, char delimiter, byte_masks& out) {
    byte_masks m;
    for (unsigned lane = 0; lane < 2; ++lane) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + lane);
        const unsigned shift = lane * 32;
        // Lambdas would not be compiled for the same processor.
#define TASKBARGE_BITS(v) (std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(v))} << shift)
#define TASKBARGE_EQUAL(c) _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c))
        m.delimiter |= TASKBARGE_BITS(TASKBARGE_EQUAL(delimiter));
        m.line_end |= TASKBARGE_BITS(_mm256_or_si256(TASKBARGE_EQUAL('\n'), TASKBARGE_EQUAL('\r')));
        m.quote |= TASKBARGE_BITS(TASKBARGE_EQUAL('"'));
        m.nul |= TASKBARGE_BITS(TASKBARGE_EQUAL('\0'));
        m.control |= TASKBARGE_BITS(_mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(last_control)), bytes));
        m.high |= TASKBARGE_BITS(bytes);
#undef TASKBARGE_BITS
#undef TASKBARGE_EQUAL
    }
    out = m;
}

__attribute__((target("avx512bw"))) void look_avx512(const char* p, char delimiter, byte_masks& out) {
    const __m512i bytes = _mm512_loadu_si512(p);
    out.delimiter = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(delimiter));
    out.line_end =
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n')) | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\r'));
    out.quote = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"'));
    out.nul = _mm512_cmpeq_epi8_mask(bytes, _mm512_setzero_si512());
    out.control = _mm512_cmple_epu8_mask(bytes, _mm512_set1_epi8(last_control));
    out.high = _mm512_movepi8_mask(bytes);
}

#endif

}  // namespace

byte_look look_of(scan_way way) {
    switch (way) {
        case scan_way::bytewise:
            return look_bytewise;
#if defined(__x86_64__)
        case scan_way::sse2:
            return look_sse2;
        case scan_way::avx2:
            return __builtin_cpu_supports("avx2") ? look_avx2 : nullptr;
        case scan_way::avx512:
            return __builtin_cpu_supports("avx512bw") ? look_avx512 : nullptr;
#endif
        default:
            return nullptr;
    }
}

byte_look best_look() {
    static const byte_look best = [] {
        byte_look look = look_of(scan_way::avx512);
        if (!look) look = look_of(scan_way::avx2);
        if (!look) look = look_of(scan_way::sse2);
        return look ? look : look_of(scan_way::bytewise);
    }();
    return best;
}

}  // namespace taskbarge::reader
