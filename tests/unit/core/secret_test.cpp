#include "taskbarge/core/secret.hpp"

#include <gtest/gtest.h>

namespace taskbarge::core {
namespace {

TEST(Secret, IsTakenOutOfATextThatRepeatsIt) {
    const secret key("s3cr3t");
    std::string text = "key s3cr3t is wrong: s3cr3ts3cr3t";
    key.erase_from(text);
    EXPECT_EQ(text, "key *** is wrong: ******");
    std::string other = "nothing here: s3cr3";
    key.erase_from(other);
    EXPECT_EQ(other, "nothing here: s3cr3");
    secret().erase_from(other);
    EXPECT_EQ(other, "nothing here: s3cr3") << "no key, nothing to take out";
}

}  // namespace
}  // namespace taskbarge::core
