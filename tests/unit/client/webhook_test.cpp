// One POST to a webhook: what is sent, and how each way of failing is told.
#include "taskbarge/client/webhook.hpp"

#include <gmock/gmock.h>

#include "support/connect_relay.hpp"
#include "unit/client/client_fixture.hpp"

namespace taskbarge::client {
namespace {

using namespace std::chrono_literals;
using namespace taskbarge::testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Webhook : public client_fixture {
 protected:
    static webhook to(const scripted_server& server, const std::string& path = "/hook",
                      const std::string& host = "127.0.0.1") {
        webhook w;
        w.url = "https://" + host + ":" + std::to_string(server.port()) + path;
        w.ca_file = ca_file();
        w.timeout = 20s;
        return w;
    }
    static exchange sent(const webhook& w, const header_fields& headers = {}) {
        auto x = post(w, headers, "{}");
        if (!x) throw std::runtime_error(x.error().text);
        return std::move(*x);
    }
    static std::string refusal(const webhook& w, const header_fields& headers = {}) {
        const auto x = post(w, headers, "{}");
        if (x) return "none";
        EXPECT_EQ(x.error().code, core::errc::settings);
        return x.error().text;
    }
};

TEST_F(Webhook, PathIsKeptAsItIs) {
    scripted_server server(tls_server());
    for (const char* path : {"/a/", "/a?b=c%20d&e", "/%2F?x=/y"})
        EXPECT_EQ(sent(to(server, path)).status, 200);
    EXPECT_EQ(sent(to(server, "")).status, 200);
    const auto seen = server.requests();
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen[0].target, "/a/");
    EXPECT_EQ(seen[1].target, "/a?b=c%20d&e");
    EXPECT_EQ(seen[2].target, "/%2F?x=/y");
    EXPECT_EQ(seen[3].target, "/");
    EXPECT_EQ(seen[0].header("host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(seen[0].header("content-length"), "2");
    EXPECT_EQ(seen[0].header("connection"), "close");
    EXPECT_EQ(seen[0].header("user-agent"), "taskbarge");
}

TEST_F(Webhook, ServerThatDoesNotAnswerEndsWithTheTimeout) {
    scripted_server server(tls_server());
    server.script({stall()});
    auto w = to(server);
    w.timeout = 3s;  // enough for the handshake, whatever else the machine does
    const auto x = sent(w);
    EXPECT_EQ(x.reach, reach::no_answer);
    EXPECT_EQ(x.error_code, "request_timeout") << x.error_text;
}

TEST_F(Webhook, ServerThatDoesNotShakeHandsEndsWithTheTimeout) {
    scripted_server server(tls_server());
    server.greet({greeting::stall_on_accept});
    auto w = to(server);
    w.timeout = 200ms;
    const auto x = sent(w);
    EXPECT_EQ(x.reach, reach::not_sent);
    EXPECT_THAT(x.error_code, ::testing::AnyOf("connect_timeout", "tls_timeout")) << x.error_text;
}

TEST_F(Webhook, StatusCountsThoughTheBodyBreaksOff) {
    scripted_server server(tls_server());
    const std::string wire = http_answer(202, std::string(1000, 'x'));
    server.script({{wire, wire.size() - 500, farewell::abrupt}});
    const auto x = sent(to(server));
    EXPECT_EQ(x.reach, reach::answered);
    EXPECT_EQ(x.status, 202);
}

TEST_F(Webhook, BodyThatEndsWithTheConnectionIsFine) {
    scripted_server server(tls_server());
    server.script({{"HTTP/1.0 200 OK\r\n\r\nok", std::nullopt, farewell::abrupt}});
    EXPECT_EQ(sent(to(server)).status, 200);
}

TEST_F(Webhook, AnswerWithoutAWholeHeadIsNone) {
    scripted_server server(tls_server());
    server.script({{"HTTP/1.1 200 OK\r\nContent-Le", std::nullopt, farewell::abrupt}});
    const auto x = sent(to(server));
    EXPECT_EQ(x.reach, reach::no_answer);
    EXPECT_EQ(x.status, 0);
}

TEST_F(Webhook, GoesThroughTheProxy) {
    scripted_server server(tls_server());
    connect_relay relay;
    auto w = to(server);
    w.proxy = "http://u:p@127.0.0.1:" + std::to_string(relay.port());
    EXPECT_EQ(sent(w).status, 200);
    ASSERT_EQ(relay.heads().size(), 1U);
    EXPECT_THAT(relay.heads().front(), HasSubstr("CONNECT 127.0.0.1:" + std::to_string(server.port())));
}

TEST_F(Webhook, UnknownHostIsToldAsSuch) {
    webhook w;
    w.url = "https://no-such-host.invalid/?token=t0ken";
    w.ca_file = ca_file();
    const auto x = sent(w);
    EXPECT_EQ(x.error_code, "dns_failed");
    EXPECT_THAT(x.error_text, Not(HasSubstr("t0ken")));
}

TEST_F(Webhook, UnusableUrlsAndHeadersAreRefusedWithoutRepeatingThem) {
    webhook w;
    for (const char* url : {"", "t0ken", "ftp://example.com/t0ken", "https://u:t0ken@example.com/", "https:///t0ken",
                            "https://example.com/#t0ken", "https://example.com:99999/t0ken", "http://example.com/t0ken",
                            "https://example.com/t0 ken", "https://example.com/t0ken\r\nX: y"}) {
        w.url = url;
        EXPECT_THAT(refusal(w), HasSubstr("notify.url")) << url;
        EXPECT_THAT(refusal(w), Not(HasSubstr("t0ken"))) << url;
    }
    w.url = "http://127.0.0.1:1/";
    EXPECT_THAT(refusal(w, {{"X-Id", "a\r\nX-Other: b"}}), HasSubstr("header"));
    EXPECT_THAT(refusal(w, {{"X-Id\n", "a"}}), HasSubstr("header"));
    w.proxy = "socks5://t0ken";
    EXPECT_THAT(refusal(w), HasSubstr("proxy"));
}

}  // namespace
}  // namespace taskbarge::client
