#include "taskbarge/core/inflater.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace taskbarge::core {
namespace {

using outcome = inflater::outcome;

// gzip of "hello hello hello".
constexpr std::array<unsigned char, 28> hello_gzip_bytes{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
                                                         0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00,
                                                         0x80, 0x88, 0xf9, 0xe5, 0x11, 0x00, 0x00, 0x00};
const std::string hello_gzip(hello_gzip_bytes.begin(), hello_gzip_bytes.end());

struct inflated {
    std::string text;
    outcome last = outcome::going;
};

// With room for so many bytes at each step, and all that is left of `in` offered.
inflated inflate_some(inflater& with, std::string_view& in, std::size_t room_at_once) {
    inflated out;
    while (out.last == outcome::going) {
        std::array<char, 64> bytes;
        char* to = bytes.data();
        std::size_t room = room_at_once;
        out.last = with.step(in, to, room);
        out.text.append(bytes.data(), to);
    }
    return out;
}

TEST(Inflater, GivesWhatWasPackedHoweverLittleRoomThereIs) {
    for (const std::size_t room : {1u, 2u, 64u}) {
        inflater one;
        std::string_view in = hello_gzip;
        const auto out = inflate_some(one, in, room);
        EXPECT_EQ(out.text, "hello hello hello");
        EXPECT_EQ(out.last, outcome::member_end);
        EXPECT_TRUE(in.empty());
    }
}

TEST(Inflater, StopsBehindAMemberAndBeginsTheNextWhenTold) {
    inflater one;
    const std::string twice = hello_gzip + hello_gzip;
    std::string_view in = twice;
    EXPECT_EQ(inflate_some(one, in, 64).last, outcome::member_end);
    EXPECT_EQ(in, hello_gzip) << "the rest is untouched";
    one.begin_member();
    EXPECT_EQ(inflate_some(one, in, 64).text, "hello hello hello");
}

TEST(Inflater, IsStuckWhereTheDataStops) {
    inflater one;
    std::string_view in = std::string_view(hello_gzip).substr(0, hello_gzip.size() - 3);
    EXPECT_EQ(inflate_some(one, in, 64).last, outcome::stuck);
}

TEST(Inflater, SaysWhatIsWrong) {
    inflater one;
    std::string damaged = hello_gzip;
    damaged[damaged.size() - 6] ^= 1;  // the checksum
    std::string_view in = damaged;
    EXPECT_EQ(inflate_some(one, in, 64).last, outcome::broken);
    EXPECT_EQ(one.trouble(), "incorrect data check");
}

}  // namespace
}  // namespace taskbarge::core
