#include "service/http/answer_head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "service/http/guard.hpp"

namespace {

using namespace taskbarge::service::http;
using testing::HasSubstr;
using testing::Not;

answer_frame frame(int status = 200) {
    return {status, body_framing::sized, 12, then::keep_alive,
            std::chrono::sys_days(std::chrono::year(2025) / 2 / 3) + std::chrono::hours(4)};
}

TEST(AnswerHead, CarriesDateIdLengthAndSecurityHeadersAndNamesNoServer) {
    const std::string text = answer_head(frame(), "text/plain", {}, "5f-000001");
    EXPECT_THAT(text, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nDate: Mon, 03 Feb 2025 04:00:00 GMT\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nX-Request-Id: 5f-000001\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 12\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nContent-Type: text/plain\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nConnection: keep-alive\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("\r\nServer:")));
    for (const auto& [name, value] : security_headers())
        EXPECT_THAT(text, HasSubstr("\r\n" + name + ": " + value + "\r\n"));
}

TEST(AnswerHead, AGivenSecurityHeaderTakesThePlaceOfTheUsualOne) {
    const std::string text =
        answer_head(frame(), "text/html", {{"content-security-policy", "default-src 'self'"}}, "1");
    EXPECT_THAT(text, HasSubstr("\r\ncontent-security-policy: default-src 'self'\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Content-Security-Policy")));
}

TEST(AnswerHead, AnAnswerWithoutBodyHasNoFramingAndNoType) {
    for (const int status : {204, 304}) {
        const std::string text = answer_head(frame(status), "application/json", {}, "1");
        EXPECT_THAT(text, Not(HasSubstr("Content-"
                                        "Length")));
        EXPECT_THAT(text, Not(HasSubstr("Content-Type:")));
    }
}

TEST(AnswerHead, AHeaderThatWouldEndItsLineOrIsTheServersOwnIsABug) {
    EXPECT_THROW(answer_head(frame(), "", {{"X-Name", "a\r\nSet-Cookie: b"}}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "", {{"X-Name", std::string("a\0b", 3)}}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "", {{"X Name", "a"}}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "", {{"", "a"}}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "a\r\nb: c", {}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "", {{"content-length", "3"}}, "1"), std::logic_error);
    EXPECT_THROW(answer_head(frame(), "", {{"Connection", "close"}}, "1"), std::logic_error);
}

}  // namespace
