#include "taskbarge/core/object_id.hpp"

#include <gtest/gtest.h>

#include <string>

namespace taskbarge::core {
namespace {

constexpr std::string_view id = "66e8a1b2c3d4e5f6a7b8c9d0";

id_spelling expected(char c) {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) return id_spelling::canonical;
    return c >= 'A' && c <= 'F' ? id_spelling::with_capitals : id_spelling::other;
}

TEST(ObjectId, EveryCharacterCountsAtEveryPlace) {
    for (std::size_t place = 0; place < object_id_size; ++place) {
        for (int c = 0; c < 256; ++c) {
            std::string text(id);
            text[place] = static_cast<char>(c);
            ASSERT_EQ(spelling_of(text), expected(text[place])) << place << ' ' << c;
        }
    }
}

TEST(ObjectId, CanonicalIdsArePackedAndComeBack) {
    for (std::size_t place = 0; place < object_id_size; ++place) {
        for (const char c : std::string_view("0123456789abcdef")) {
            std::string text(id), back(object_id_size, '\0');
            text[place] = c;
            packed_id packed{};
            ASSERT_TRUE(pack_object_id(text, packed));
            unpack_object_id(packed, back.data());
            ASSERT_EQ(back, text);
        }
    }
}

TEST(ObjectId, NothingElseIsPacked) {
    packed_id packed{};
    for (const std::string_view text : {"", "66e8a1b2c3d4e5f6a7b8c9d", "66e8a1b2c3d4e5f6a7b8c9d00",
                                        "66E8a1b2c3d4e5f6a7b8c9d0", "66e8a1b2c3d4e5f6a7b8c9dg"}) {
        EXPECT_FALSE(pack_object_id(text, packed)) << text;
    }
    EXPECT_EQ(packed, packed_id{});
}

}  // namespace
}  // namespace taskbarge::core
