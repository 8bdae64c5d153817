#include "service/http/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace taskbarge::service::http;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

request_target parsed(std::string_view text) {
    auto target = parse_target(text);
    if (target) return *target;
    ADD_FAILURE() << text << ": " << target.error().text;
    return {};
}

TEST(Target, PathAndQueryAreDecoded) {
    const auto t = parsed("/v1/jobs/caf%C3%A9%20%2B+?state=done&name=a+b%2Bc%26&flag&empty=&a=b=c");
    EXPECT_EQ(t.path, "/v1/jobs/caf\xC3\xA9 ++");
    EXPECT_THAT(t.query, ElementsAre(Pair("state", "done"), Pair("name", "a b+c&"), Pair("flag", ""), Pair("empty", ""),
                                     Pair("a", "b=c")));
    EXPECT_EQ(t.host, "");
}

TEST(Target, EmptyPartsOfAQueryAreLeftOut) {
    EXPECT_THAT(parsed("/?").query, IsEmpty());
    EXPECT_THAT(parsed("/?&&a=1&").query, ElementsAre(Pair("a", "1")));
    EXPECT_EQ(parsed("/").path, "/");
}

TEST(Target, AnAbsoluteUrlGivesItsHost) {
    const auto t = parsed("http://[::1]:8642/v1/jobs?x=1");
    EXPECT_EQ(t.path, "/v1/jobs");
    EXPECT_EQ(t.host, "[::1]:8642");
    EXPECT_THAT(t.query, ElementsAre(Pair("x", "1")));
    EXPECT_EQ(parsed("https://example.com").path, "/");
    EXPECT_EQ(parsed("https://example.com").host, "example.com");
}

TEST(Target, WhatCouldMeanAnotherPathIsRefused) {
    for (const std::string text :
         {"/v1/../etc", "/v1/%2e%2e/etc", "/v1/%2E./etc", "/v1/.%2e", "/./v1", "/%2e", "//v1", "/v1//jobs", "/v1/jobs/",
          "//", "/v1%2fjobs", "/v1/..%2fetc", "http://h/v1/../x", "http://h//x"}) {
        EXPECT_FALSE(parse_target(text)) << text;
    }
    // Dots that are part of a name are a name.
    EXPECT_EQ(parsed("/v1/...").path, "/v1/...");
    EXPECT_EQ(parsed("/v1/a..b").path, "/v1/a..b");
}

TEST(Target, WhatIsNoTextIsRefused) {
    for (const std::string text :
         {"/a%00b",       "/a%0d%0ab", "/%7f",  "/%c2%85", "/%c3",    "/%ff",   "/%c0%ae%c0%ae", "/%ed%a0%80",
          "/a%",          "/a%2",      "/a%zz", "/?a=%00", "/?%ff=1", "/?a=%",  "/?a=%0a",       "/?a=\xC3\xA9",
          "/caf\xC3\xA9", "/a b",      "/a\tb", "/<x>",    "/#top",   "/?a#top"}) {
        EXPECT_FALSE(parse_target(text)) << text;
    }
}

TEST(Target, WhatIsNoPathAndNoWebUrlIsRefused) {
    for (const std::string text :
         {"", "*", "v1/jobs", "example.com:443", "ftp://h/x", "http:/x", "http:x", "mailto:a@b", "http://user@h/x",
          "http://u:p@h/x", "http://h/x#y", "?a=b", "file:///etc"}) {
        EXPECT_FALSE(parse_target(text)) << text;
    }
}

}  // namespace
