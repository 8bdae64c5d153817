#include "reader/framing.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "reader/byte_scan.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

// The text with readable bytes behind it.
class padded_text {
 public:
    explicit padded_text(std::string_view text)
        : bytes_(std::string(text) + std::string(scan_padding, '\n')), size_(text.size()) {}
    const char* begin() const { return bytes_.data(); }
    const char* end() const { return bytes_.data() + size_; }
    line_end find(input_rest rest) const { return find_line_end(begin(), end(), rest); }

 private:
    std::string bytes_;
    std::size_t size_;
};

std::pair<long, long> ends(std::string_view text, input_rest rest = input_rest::complete) {
    const padded_text padded(text);
    const line_end e = padded.find(rest);
    if (!e) return {-1, -1};
    return {e.end - padded.begin(), e.next - padded.begin()};
}

TEST(LineEnd, LineFeedCarriageReturnAndBothEndALine) {
    EXPECT_EQ(ends("ab\ncd"), std::pair(2L, 3L));
    EXPECT_EQ(ends("ab\rcd"), std::pair(2L, 3L));
    EXPECT_EQ(ends("ab\r\ncd"), std::pair(2L, 4L));
    EXPECT_EQ(ends("ab\n\rcd"), std::pair(2L, 3L));
}

TEST(LineEnd, LastLineNeedsNoLineEnd) {
    EXPECT_EQ(ends("abc"), std::pair(3L, 3L));
    EXPECT_EQ(ends("abc\r"), std::pair(3L, 4L));
}

TEST(LineEnd, WhatMayGoOnIsNotFoundYet) {
    EXPECT_EQ(ends("abc", input_rest::more_may_come), std::pair(-1L, -1L));
    EXPECT_EQ(ends("abc\r", input_rest::more_may_come), std::pair(-1L, -1L));
    EXPECT_EQ(ends("abc\n", input_rest::more_may_come), std::pair(3L, 4L));
}

TEST(LineEnd, FoundAtEveryDistance) {
    for (std::size_t n = 0; n < 300; ++n)
        EXPECT_EQ(ends(std::string(n, 'x') + "\ny").first, static_cast<long>(n));
}

TEST(LineEnd, CountTakesCrlfAsOne) {
    const std::string_view text = "a\r\nb\rc\n\n";
    EXPECT_EQ(count_line_ends(text.data(), text.data() + text.size()), 4u);
}

TEST(ByteScanner, EachKindHasItsBits) {
    std::string bytes(64, 'x');
    bytes[0] = ',';
    bytes[15] = '\n';
    bytes[16] = '\r';
    bytes[33] = '"';
    bytes[47] = '\0';
    bytes[63] = '\xFF';
    const byte_masks m = byte_scanner(',').look(bytes.data());
    EXPECT_EQ(m.delimiter, 1ull);
    EXPECT_EQ(m.line_end, 1ull << 15 | 1ull << 16);
    EXPECT_EQ(m.quote, 1ull << 33);
    EXPECT_EQ(m.nul, 1ull << 47);
    EXPECT_EQ(m.control, 1ull << 15 | 1ull << 16 | 1ull << 47);
    EXPECT_EQ(m.high, 1ull << 63);
}

TEST(ByteScanner, EveryWayToLookSeesTheSame) {
    std::mt19937 random(3);
    std::string bytes(64, 'x');
    for (int round = 0; round < 2000; ++round) {
        for (char& c : bytes)
            c = random() % 2 ? "\n\r\"\\,\x1F \x7F"[random() % 8] : static_cast<char>(random());
        byte_masks expected;
        look_of(scan_way::bytewise)(bytes.data(), ',', expected);
        for (const scan_way way : {scan_way::sse2, scan_way::avx2, scan_way::avx512}) {
            const byte_look look = look_of(way);
            if (!look) continue;  // not on this processor
            byte_masks m;
            look(bytes.data(), ',', m);
            EXPECT_EQ(m, expected) << static_cast<int>(way);
        }
        EXPECT_EQ(byte_scanner(',').look(bytes.data()), expected);
    }
}

TEST(ByteScanner, BelowLowestIsEverythingBeforeTheFirst) {
    EXPECT_EQ(below_lowest(0), ~0ull);
    EXPECT_EQ(below_lowest(0b101000), 0b111ull);
    EXPECT_EQ(below_lowest(1), 0ull);
}

TEST(ByteWindow, KeepsWhatIsLeftInFrontOfWhatIsRead) {
    const testing::memory_file file("0123456789");
    input_digest_builder digest;
    byte_window window(*byte_source::open(file.path(), digest), 4);
    ASSERT_TRUE(window.extend());
    EXPECT_EQ(std::string(window.begin(), window.end()), "0123");
    window.use_up_to(window.begin() + 3);
    const block before = window.current();
    ASSERT_TRUE(window.extend());
    EXPECT_EQ(std::string(window.begin(), window.end()), "34567");
    EXPECT_EQ(before.bytes[0], '0') << "the former block is untouched";
    EXPECT_FALSE(window.at_end());
    ASSERT_TRUE(window.extend());
    EXPECT_EQ(std::string(window.begin(), window.end()), "3456789");
    EXPECT_TRUE(window.at_end());
}

TEST(SpareBlocks, WhatIsHeldIsNeverGivenOutAgain) {
    const auto spare = std::make_shared<spare_blocks>();
    constexpr std::size_t size = 100'000;
    std::vector<block> held;
    std::set<const char*> places;
    for (int i = 0; i < 10; ++i) {
        held.push_back(spare->take(size + static_cast<std::size_t>(i)));
        std::fill_n(held.back().bytes.get(), held.back().size, static_cast<char>(i));
        places.insert(held.back().bytes.get());
    }
    EXPECT_EQ(places.size(), held.size());
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(held[static_cast<std::size_t>(i)].bytes[size - 1], static_cast<char>(i));
    const block other = held.back();
    held.clear();
    EXPECT_EQ(other.bytes[size - 1], 9);
    const block again = spare->take(size);
    EXPECT_TRUE(places.contains(again.bytes.get())) << "let go, so used again";
    EXPECT_NE(again.bytes.get(), other.bytes.get());
    EXPECT_FALSE(places.contains(spare->take(20 * size).bytes.get())) << "too small for this";
}

}  // namespace
}  // namespace taskbarge::reader
