#include "taskbarge/core/sha256.hpp"

#include <gtest/gtest.h>

#include "taskbarge/core/text.hpp"

namespace taskbarge::core {
namespace {

// FIPS 180-2, appendix B.
constexpr std::string_view of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsThatOfTheStandard) {
    EXPECT_EQ(hex(sha256_of("abc")), of_abc);
    EXPECT_EQ(hex(sha256_of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, BytesComeInPiecesAndGoOnAfterALook) {
    sha256 sum;
    sum.add("a");
    EXPECT_EQ(sum.digest(), sha256_of("a"));
    sum.add("bc");
    EXPECT_EQ(hex(sum.digest()), of_abc);
}

}  // namespace
}  // namespace taskbarge::core
