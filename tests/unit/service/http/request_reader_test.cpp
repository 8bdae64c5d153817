#include "service/http/request_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using namespace taskbarge::service::http;
using testing::HasSubstr;

constexpr read_limits small{.header = 200, .body = 40};

// Everything that is read from some bytes, as one text, so that ways to cut the bytes can be compared.
std::string story_of(std::string_view bytes, std::size_t step, read_limits limits = small) {
    request_reader reader(limits);
    std::string story, piece, body;
    const auto tell = [&] {
        for (;;) {
            const progress p = reader.read_head();
            if (p == progress::more) return true;
            if (p == progress::refused) {
                story += "refused " + std::to_string(reader.refusal().status);
                return false;
            }
            const progress b = reader.read_body(piece);
            body += piece;
            if (b == progress::more) return true;
            if (b == progress::refused) {
                story += "body failed " + std::to_string(static_cast<int>(reader.body_failure()));
                return false;
            }
            if (!piece.empty()) continue;
            story += reader.head().method + " " + reader.head().path + " [" + body + "]";
            story += reader.keep_alive() ? "\n" : " close\n";
            body.clear();
            reader.next();
        }
    };
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        reader.append(bytes.substr(at, step));
        if (!tell()) return story;
    }
    return story + (reader.begun() ? "begun" : "idle");
}

std::string story_of(std::string_view bytes) {
    const std::string at_once = story_of(bytes, bytes.size());
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}})
        EXPECT_EQ(story_of(bytes, step), at_once) << "in steps of " << step << ": " << bytes;
    return at_once;
}

std::string get(std::string_view headers = "", std::string_view target = "/") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

std::string post(std::string_view headers, std::string_view body) {
    return "POST /p HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(RequestReader, ReadsHeadsWithNamesInLowerCase) {
    request_reader reader(small);
    reader.append("GET /v1/jobs?state=done HTTP/1.1\r\nHOST: h:1\r\nX-Thing:  a b \t\r\nx-empty:\r\n\r\n");
    ASSERT_EQ(reader.read_head(), progress::ready);
    EXPECT_EQ(reader.head().method, "GET");
    EXPECT_EQ(reader.head().path, "/v1/jobs");
    EXPECT_EQ(reader.head().parameter("state"), "done");
    EXPECT_EQ(reader.head().header("host"), "h:1");
    EXPECT_EQ(reader.head().header("x-thing"), "a b");
    EXPECT_EQ(reader.head().header("x-empty"), "");
    EXPECT_EQ(reader.head().content_length, std::nullopt);
    EXPECT_TRUE(reader.keep_alive());
    EXPECT_TRUE(reader.body_ended());
}

TEST(RequestReader, PipelinedRequestsComeInOrderHoweverTheBytesAreCut) {
    const std::string bytes =
        get("", "/1") + post("Content-Length: 3\r\n", "abc") +
        post("Transfer-Encoding: chunked\r\n", "2\r\nde\r\n1;x=y\r\nf\r\n0\r\nTrailer: t\r\n\r\n") +
        post("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n") + get("", "/2");
    EXPECT_EQ(story_of(bytes), "GET /1 []\nPOST /p [abc]\nPOST /p [def]\nPOST /p []\nGET /2 []\nidle");
}

TEST(RequestReader, ABlankLineBeforeARequestIsLetPassOnce) {
    EXPECT_EQ(story_of("\r\n" + get() + "\r\n" + get() + "\r\n"), "GET / []\nGET / []\nidle");
    EXPECT_EQ(story_of("\r\n\r\n" + get()), "refused 400");
}

TEST(RequestReader, VersionsAndConnectionDecideWhetherItStays) {
    EXPECT_EQ(story_of("GET / HTTP/1.0\r\nHost: h\r\n\r\n"), "GET / [] close\nidle");
    EXPECT_EQ(story_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "GET / []\nidle");
    EXPECT_EQ(story_of(get("Connection: x, Close\r\n")), "GET / [] close\nidle");
    EXPECT_EQ(story_of("GET / HTTP/2.0\r\n\r\n"), "refused 505");
    EXPECT_EQ(story_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "refused 505");
    EXPECT_EQ(story_of("GET / HTTP/1.2\r\n\r\n"), "refused 505");
    EXPECT_EQ(story_of("GET / HTTP/0.9\r\n\r\n"), "refused 505");
}

TEST(RequestReader, WhatIsNoHttpIsRefused) {
    for (const std::string bytes :
         {"\x16\x03\x01\x02", "hello\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
          "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/11\r\n\r\n", "GET / http/1.1\r\n\r\n",
          "GET / HTTP/1.1x\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n", "GET / /b HTTP/1.1\r\n\r\n",
          "GET /a\tb HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\n: empty\r\n\r\n",
          "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\r\nA b: c\r\n\r\n",
          "GET / HTTP/1.1\r\n\tHost: h\r\n\r\n"}) {
        EXPECT_EQ(story_of(bytes), "refused 400") << bytes;
    }
}

TEST(RequestReader, ControlCharactersAndNulAreRefused) {
    EXPECT_EQ(story_of(std::string("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 27)), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nX: a\x1b[2J\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("GET /\x7f HTTP/1.1\r\n\r\n"), "refused 400");
}

TEST(RequestReader, LineEndsOtherThanCrLfAreRefused) {
    EXPECT_EQ(story_of("GET / HTTP/1.1\nHost: h\n\n"), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nHost: h\r\n\n"), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\rHost: h\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nX: a\rb\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("\n" + get()), "refused 400");
}

TEST(RequestReader, FoldedHeadersAreRefused) {
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n"), "refused 400");
}

TEST(RequestReader, ABodyWhoseEndIsSaidTwiceOrUnclearlyIsRefused) {
    for (const std::string headers :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
          "Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\nContent-Length: 3\r\n",
          "Content-Length: 3, 3\r\n", "Content-Length: 3,\r\n", "Content-Length: +3\r\n", "Content-Length: -3\r\n",
          "Content-Length: 0x3\r\n", "Content-Length: 3 \x0b\r\n", "Content-Length:\r\n", "Content-Length: 1e1\r\n",
          "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
          "Content_Length: 3\r\nContent-Length: 3\r\ncontent-length: 5\r\n"}) {
        EXPECT_THAT(story_of(post(headers, "0\r\n\r\n")), testing::AnyOf("refused 400", "refused 501")) << headers;
    }
    EXPECT_EQ(story_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "refused 400");
}

TEST(RequestReader, TransferCodingsOtherThanChunkedAreRefused) {
    for (const std::string coding : {"gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "\"chunked\"",
                                     "", "chunked;q=1", "chunked,"}) {
        EXPECT_THAT(story_of(post("Transfer-Encoding: " + coding + "\r\n", "0\r\n\r\n")),
                    testing::AnyOf("refused 501", "refused 400"))
            << coding;
    }
}

TEST(RequestReader, HeadersThatMeanOneThingAreThereOnce) {
    EXPECT_EQ(story_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of(get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n")), "refused 400");
    EXPECT_EQ(story_of(get("Origin: http://a\r\nOrigin: http://b\r\n")), "refused 400");
    EXPECT_EQ(story_of(get("Accept: a\r\nAccept: b\r\n")), "GET / []\nidle");
}

TEST(RequestReader, BadChunksFailTheBody) {
    const std::string malformed = "body failed " + std::to_string(static_cast<int>(body_error::malformed));
    for (const std::string body :
         {"zz\r\nab\r\n0\r\n\r\n", "-1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "1\nab\r\n0\r\n\r\n",
          "1 \r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n12345", "\r\n1\r\na\r\n0\r\n\r\n",
          "1;\r\na\r\n0\r\n\r\n", "1;a=\"\n\"\r\na\r\n0\r\n\r\n", "1;a=b c\r\na\r\n0\r\n\r\n", "ffffffffffffffffff\r\n",
          ";a\r\n0\r\n\r\n", "1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n", "1\r\na\r\n0\r\nno trailer\r\n\r\n",
          "1\r\na\r\n0\nx\r\n\r\n12345"}) {
        EXPECT_EQ(story_of(post("Transfer-Encoding: chunked\r\n", body)), malformed) << body;
    }
}

TEST(RequestReader, AChunkLineOrTrailerWithoutEndFailsTheBody) {
    const std::string malformed = "body failed " + std::to_string(static_cast<int>(body_error::malformed));
    const std::string head = post("Transfer-Encoding: chunked\r\n", "");
    EXPECT_EQ(story_of(head + "1;" + std::string(300, 'x'), 50), malformed);
    EXPECT_EQ(story_of(head + "0\r\nT: " + std::string(300, 'x'), 50), malformed);
}

TEST(RequestReader, AnUnfinishedChunkLineIsLookedAtAgainWithoutCountingItsChunkTwice) {
    const std::string head = post("Transfer-Encoding: chunked\r\n", "");
    EXPECT_EQ(story_of(head + "14;a=\"b\r\nwhat comes then\r\nis within the quotes"), "begun");
    const std::string malformed = "body failed " + std::to_string(static_cast<int>(body_error::malformed));
    EXPECT_EQ(story_of(head + "1;" + std::string(small.header, 'x') + "\r\na\r\n0\r\n\r\n"), malformed);
}

TEST(RequestReader, ABodyOverTheLimitFails) {
    const std::string too_large = "body failed " + std::to_string(static_cast<int>(body_error::too_large));
    EXPECT_EQ(story_of(post("Content-Length: 40\r\n", std::string(40, 'x'))),
              "POST /p [" + std::string(40, 'x') + "]\nidle");
    EXPECT_EQ(story_of(post("Content-Length: 41\r\n", std::string(41, 'x'))), too_large);
    const std::string chunk = "14\r\n" + std::string(20, 'x') + "\r\n";
    EXPECT_EQ(story_of(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n")),
              "POST /p [" + std::string(40, 'x') + "]\nidle");
    EXPECT_EQ(story_of(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "1\r\nx\r\n0\r\n\r\n")), too_large);
    EXPECT_EQ(story_of(post("Transfer-Encoding: chunked\r\n", "29\r\n")), too_large);
}

TEST(RequestReader, HeadsOverTheLimitAreRefused) {
    EXPECT_EQ(story_of(get("X: " + std::string(300, 'x') + "\r\n")), "refused 431");
    EXPECT_EQ(story_of(get("", "/" + std::string(300, 'x'))), "refused 414");
    const std::string fits = get("X: " + std::string(small.header - get().size() - 5, 'x') + "\r\n");
    ASSERT_EQ(fits.size(), small.header);
    EXPECT_EQ(story_of(fits), "GET / []\nidle");
    EXPECT_EQ(story_of(get("X: " + std::string(small.header - get().size() - 4, 'x') + "\r\n")), "refused 431");
}

TEST(RequestReader, TargetsAreChecked) {
    EXPECT_EQ(story_of(get("", "/%2e%2e/x")), "refused 400");
    EXPECT_EQ(story_of(get("", "//x")), "refused 400");
    EXPECT_EQ(story_of(get("", "/a%00")), "refused 400");
    EXPECT_EQ(story_of(get("", "/a?b=%ff")), "refused 400");
    EXPECT_EQ(story_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
    EXPECT_EQ(story_of("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 501");
    EXPECT_EQ(story_of("CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 501");
}

TEST(RequestReader, TheHostOfAnAbsoluteTargetCountsForMoreThanTheHeader) {
    request_reader reader(small);
    reader.append("GET http://attacker.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    ASSERT_EQ(reader.read_head(), progress::ready);
    EXPECT_EQ(reader.head().path, "/x");
    EXPECT_EQ(reader.head().header("host"), "attacker.example");
}

TEST(RequestReader, TellsWhetherTheClientWaitsForContinue) {
    request_reader reader(small);
    reader.append(post("Content-Length: 3\r\nExpect: 100-Continue\r\n", ""));
    ASSERT_EQ(reader.read_head(), progress::ready);
    EXPECT_EQ(reader.head().content_length, 3u);
    EXPECT_TRUE(reader.awaits_continue());
    reader.append("a");
    EXPECT_FALSE(reader.awaits_continue());
    std::string piece;
    ASSERT_EQ(reader.read_body(piece), progress::ready);
    EXPECT_FALSE(reader.awaits_continue());

    request_reader empty(small);
    empty.append(post("Content-Length: 0\r\nExpect: 100-continue\r\n", ""));
    ASSERT_EQ(empty.read_head(), progress::ready);
    EXPECT_FALSE(empty.awaits_continue());
    EXPECT_EQ(story_of(get("Expect: a-pony\r\n")), "refused 417");
    EXPECT_EQ(story_of("GET / HTTP/1.0\r\nExpect: a-pony\r\n\r\n"), "GET / [] close\nidle");
}

TEST(RequestReader, TheNextRequestComesOnlyAfterTheWholeBody) {
    request_reader reader(small);
    reader.append(post("Content-Length: 3\r\n", "ab"));
    ASSERT_EQ(reader.read_head(), progress::ready);
    EXPECT_THROW(reader.next(), std::logic_error);
}

TEST(RequestReader, CountsTheBytesOfARequestAlone) {
    request_reader reader(small);
    const std::string first = post("Content-Length: 3\r\n", "abc");
    reader.append(first + get());
    ASSERT_EQ(reader.read_head(), progress::ready);
    std::string piece;
    ASSERT_EQ(reader.read_body(piece), progress::ready);
    EXPECT_EQ(reader.taken(), first.size());
    reader.next();
    ASSERT_EQ(reader.read_head(), progress::ready);
    EXPECT_EQ(reader.taken(), get().size());
}

TEST(RequestReader, ARefusalSaysWhatIsWrong) {
    request_reader reader(small);
    reader.append("GET / HTTP/1.1\nHost: h\n\n");
    ASSERT_EQ(reader.read_head(), progress::refused);
    EXPECT_THAT(reader.refusal().body, HasSubstr("write CR LF"));
    EXPECT_EQ(reader.read_head(), progress::refused);
}

}  // namespace
