// Looking at 64 bytes at once: which of them are of a kind, as a bit mask.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace taskbarge::reader {

// Bytes that must be readable (and are ignored) behind the end of whatever is scanned.
inline constexpr std::size_t scan_padding = 64;

// Bit i is set when byte i is of the kind.
struct byte_masks {
    std::uint64_t delimiter = 0;
    std::uint64_t line_end = 0;  // LF or CR
    std::uint64_t quote = 0;
    std::uint64_t nul = 0;
    std::uint64_t control = 0;  // below the blank: LF, CR and NUL as well
    std::uint64_t high = 0;     // not ASCII

    friend bool operator==(const byte_masks&, const byte_masks&) = default;
};

// The ways to do it. They give the same; the processor decides which is used.
using byte_look = void (*)(const char* p, char delimiter, byte_masks& out);
enum class scan_way : std::uint8_t { bytewise, sse2, avx2, avx512 };
// Null where this processor, or this build, does not have it.
byte_look look_of(scan_way way);
// The widest that there is.
byte_look best_look();

class byte_scanner {
 public:
    explicit byte_scanner(char delimiter) : delimiter_(delimiter) {}
    byte_masks look(const char* p) const {
        byte_masks m;
        look_(p, delimiter_, m);
        return m;
    }

 private:
    byte_look look_ = best_look();
    char delimiter_;
};

// The bits below the lowest one set in `m`; all when none is.
inline std::uint64_t below_lowest(std::uint64_t m) {
    return m == 0 ? ~std::uint64_t{0} : (m & (~m + 1)) - 1;
}

}  // namespace taskbarge::reader
