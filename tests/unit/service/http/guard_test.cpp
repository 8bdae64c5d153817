#include "service/http/guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/http/authority.hpp"

namespace {

using namespace taskbarge::service::http;
using taskbarge::core::secret;

constexpr auto token = "0123456789abcdef-token";

struct asking {
    std::string host = "127.0.0.1:8642";
    std::string origin, authorization, path = "/v1/jobs";
    std::string method = "GET";
};

request_head head_of(const asking& a) {
    request_head head;
    head.method = a.method;
    head.path = a.path;
    if (!a.host.empty()) head.headers.emplace_back("host", a.host);
    if (!a.origin.empty()) head.headers.emplace_back("origin", a.origin);
    if (!a.authorization.empty()) head.headers.emplace_back("authorization", a.authorization);
    return head;
}

// 0: let pass.
int status_of(const guard_options& options, const asking& a) {
    const auto refused = guard(options).refuse(head_of(a));
    return refused ? refused->status : 0;
}

guard_options on(std::string listen, std::vector<std::string> allowed = {}) {
    return {secret(), std::move(listen), std::move(allowed)};
}

int host_status(const guard_options& options, std::string host) {
    return status_of(options, {std::move(host), "", "", "/"});
}

int origin_status(const guard_options& options, std::string host, std::string origin) {
    return status_of(options, {std::move(host), std::move(origin), "", "/"});
}

TEST(GuardHost, ARequestWithoutAUsableHostIs400) {
    for (const std::string host : {"", " ", ":8642", "[::1", "::1", "a b", "a/b", "h:99999", "h:x", "h:-1", "user@h",
                                   "[127.0.0.1]", "h:80:80", "[::1]x"}) {
        EXPECT_EQ(host_status(on("127.0.0.1:8642"), host), 400) << host;
    }
}

TEST(GuardHost, OnLoopbackEveryLoopbackNameIsOurs) {
    for (const std::string listen : {"127.0.0.1:8642", "[::1]:8642", "localhost:8642"}) {
        for (const std::string host : {"127.0.0.1:8642", "localhost:8642", "LocalHost", "[::1]:8642", "127.0.0.2",
                                       "[0:0:0:0:0:0:0:1]:8642", "[::ffff:127.0.0.1]", "localhost:"}) {
            EXPECT_EQ(host_status(on(listen), host), 0) << listen << " " << host;
        }
    }
}

// A port of the Host header is where a tunnel or a container's mapping begins; it proves nothing.
TEST(GuardHost, ThePortDoesNotMatterForOurOwnAddress) {
    EXPECT_EQ(host_status(on("127.0.0.1:8642"), "localhost:9999"), 0);
    EXPECT_EQ(host_status(on("192.0.2.7:8642"), "192.0.2.7"), 0);
}

TEST(GuardHost, ANameThatIsNotOursIs421) {
    for (const std::string host :
         {"attacker.example:8642", "attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example",
          "localhost.", "192.0.2.7:8642", "[::2]", "0.0.0.0:8642", "2130706433", "127.1"}) {
        EXPECT_EQ(host_status(on("127.0.0.1:8642"), host), 421) << host;
    }
    EXPECT_EQ(host_status(on("192.0.2.7:8642"), "127.0.0.1:8642"), 421);
    EXPECT_EQ(host_status(on("192.0.2.7:8642"), "192.0.2.8:8642"), 421);
}

TEST(GuardHost, OnAllAddressesEveryAddressIsOursButNoOtherName) {
    for (const std::string listen : {"0.0.0.0:8642", "[::]:8642"}) {
        EXPECT_EQ(host_status(on(listen), "192.0.2.7:8642"), 0);
        EXPECT_EQ(host_status(on(listen), "[2001:db8::7]:8642"), 0);
        EXPECT_EQ(host_status(on(listen), "localhost:8642"), 0);
        EXPECT_EQ(host_status(on(listen), "attacker.example:8642"), 421);
    }
}

TEST(GuardHost, AFurtherNameHoldsForItsPortOrForAll) {
    const auto any_port = on("127.0.0.1:8642", {"Tasks.Example.com", "[2001:db8::1]"});
    EXPECT_EQ(host_status(any_port, "tasks.example.com"), 0);
    EXPECT_EQ(host_status(any_port, "tasks.example.COM:9000"), 0);
    EXPECT_EQ(host_status(any_port, "[2001:db8:0::1]:9000"), 0);
    EXPECT_EQ(host_status(any_port, "other.example.com"), 421);
    EXPECT_EQ(host_status(any_port, "tasks.example.com.attacker.example"), 421);

    const auto one_port = on("127.0.0.1:8642", {"tasks.example.com:9000", "secure.example.com:443"});
    EXPECT_EQ(host_status(one_port, "tasks.example.com:9000"), 0);
    EXPECT_EQ(host_status(one_port, "tasks.example.com:9001"), 421);
    EXPECT_EQ(host_status(one_port, "tasks.example.com"), 421);
    EXPECT_EQ(host_status(one_port, "secure.example.com"), 0);
}

TEST(GuardOrigin, APageOfTheSameOriginMayAsk) {
    EXPECT_EQ(origin_status(on("127.0.0.1:8642"), "127.0.0.1:8642", "http://127.0.0.1:8642"), 0);
    EXPECT_EQ(origin_status(on("127.0.0.1:8642"), "localhost:9999", "http://localhost:9999"), 0);
    EXPECT_EQ(origin_status(on("[::1]:8642"), "[::1]:8642", "http://[::1]:8642"), 0);
    EXPECT_EQ(origin_status(on("127.0.0.1:80"), "localhost", "http://localhost"), 0);
    EXPECT_EQ(origin_status(on("127.0.0.1:80"), "localhost:80", "http://localhost"), 0);
    const auto proxied = on("127.0.0.1:8642", {"tasks.example.com"});
    EXPECT_EQ(origin_status(proxied, "tasks.example.com", "https://tasks.example.com"), 0);
}

TEST(GuardOrigin, APageOfAnotherOriginIs403) {
    for (const std::string origin :
         {"http://attacker.example", "http://127.0.0.1:3000", "http://localhost:8642", "http://127.0.0.1", "null",
          "https://127.0.0.1", "file://", "ftp://127.0.0.1:8642", "127.0.0.1:8642", "http://127.0.0.1:8642/",
          "http://127.0.0.1:8642 http://attacker.example", "http://127.0.0.1:8642.attacker.example", "http://"}) {
        EXPECT_EQ(origin_status(on("127.0.0.1:8642"), "127.0.0.1:8642", origin), 403) << origin;
    }
}

TEST(GuardOrigin, APageOfAFurtherNameMayAskThroughAProxyThatChangesTheHost) {
    const auto options = on("127.0.0.1:8642", {"tasks.example.com", "ops.example.com:9443"});
    EXPECT_EQ(origin_status(options, "127.0.0.1:8642", "https://tasks.example.com"), 0);
    EXPECT_EQ(origin_status(options, "127.0.0.1:8642", "http://tasks.example.com:80"), 0);
    EXPECT_EQ(origin_status(options, "127.0.0.1:8642", "https://tasks.example.com:3000"), 403);
    EXPECT_EQ(origin_status(options, "127.0.0.1:8642", "https://ops.example.com:9443"), 0);
    EXPECT_EQ(origin_status(options, "127.0.0.1:8642", "https://ops.example.com"), 403);
}

guard_options with_token() {
    auto options = on("127.0.0.1:8642");
    options.token = secret(token);
    return options;
}

int token_status(std::string authorization, std::string path = "/v1/jobs") {
    return status_of(with_token(), {"127.0.0.1:8642", "", std::move(authorization), std::move(path)});
}

TEST(GuardToken, TheRightTokenPasses) {
    EXPECT_EQ(token_status("Bearer " + std::string(token)), 0);
    EXPECT_EQ(token_status("bearer  " + std::string(token)), 0);
}

TEST(GuardToken, AnyOtherIs401) {
    const std::string right = token;
    for (const std::string& given : std::vector<std::string>{
             std::string(), "Bearer", "Bearer ", "Bearer x", right, "Basic " + right, "Bearer" + right,
             "Bearer " + right + "x", "Bearer " + right.substr(1), "Bearer " + right.substr(0, right.size() - 1),
             "Bearer " + right + " ", "Bearer " + right + std::string(1, '\0'), "Bearer X" + right.substr(1),
             "Bearer " + right + right, "Bearer " + std::string(10'000, 'x')}) {
        EXPECT_EQ(token_status(given), 401) << given;
    }
    std::string upper = right;
    upper[10] = 'A';
    EXPECT_EQ(token_status("Bearer " + upper), 401);
}

TEST(GuardToken, TheAnswerTellsHowToSendOneAndNeverTheToken) {
    const auto missing = guard(with_token()).refuse(head_of({}));
    ASSERT_TRUE(missing);
    EXPECT_THAT(missing->headers,
                testing::ElementsAre(testing::Pair("WWW-Authenticate", R"(Bearer realm="taskbarge")")));
    EXPECT_THAT(missing->body, testing::HasSubstr("Authorization: Bearer TOKEN"));
    asking wrong;
    wrong.authorization = "Bearer wrong-wrong-wrong";
    const auto refused = guard(with_token()).refuse(head_of(wrong));
    ASSERT_TRUE(refused);
    EXPECT_THAT(refused->headers[0].second, testing::HasSubstr("invalid_token"));
    EXPECT_THAT(refused->body, testing::Not(testing::HasSubstr(token)));
}

TEST(GuardToken, HealthAndReadinessNeedNoneButTheRightHost) {
    EXPECT_EQ(token_status("", "/healthz"), 0);
    EXPECT_EQ(token_status("", "/readyz"), 0);
    EXPECT_EQ(token_status("", "/healthz/x"), 401);
    EXPECT_EQ(token_status("", "/metrics"), 401);
    EXPECT_EQ(status_of(with_token(), {"attacker.example", "", "", "/healthz"}), 421);
}

TEST(GuardToken, ThePageNeedsNoneForItHoldsNoData) {
    for (const char* path : {"/", "/assets/app.js", "/openapi.yaml"})
        EXPECT_EQ(token_status("", path), 0) << path;
    for (const char* path : {"/assets", "/v1/overview", "/v1/tickets", "/openapi.yaml/x"})
        EXPECT_EQ(token_status("", path), 401) << path;
}

guard_options with_read_token() {
    auto options = with_token();
    options.read_token = secret("another-token-for-reading");
    return options;
}

TEST(GuardReadToken, LooksAndChangesNothing) {
    const std::string reading = "Bearer another-token-for-reading", all = "Bearer " + std::string(token);
    for (const char* method : {"GET", "HEAD", "OPTIONS"})
        EXPECT_EQ(status_of(with_read_token(), {"127.0.0.1:8642", "", reading, "/v1/jobs", method}), 0) << method;
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "get"})
        EXPECT_EQ(status_of(with_read_token(), {"127.0.0.1:8642", "", reading, "/v1/jobs", method}), 403) << method;
    EXPECT_EQ(status_of(with_read_token(), {"127.0.0.1:8642", "", reading, "/v1/tickets", "POST"}), 0);
    EXPECT_EQ(status_of(with_read_token(), {"127.0.0.1:8642", "", reading, "/v1/tickets/x", "POST"}), 403);
    EXPECT_EQ(status_of(with_read_token(), {"127.0.0.1:8642", "", all, "/v1/jobs", "POST"}), 0);
    EXPECT_EQ(status_of(with_token(), {"127.0.0.1:8642", "", reading, "/v1/jobs", "GET"}), 401);
}

TEST(GuardReadToken, WhoMayWriteIsToldApart) {
    const guard g(with_read_token());
    EXPECT_TRUE(g.may_write(head_of({"127.0.0.1:8642", "", "Bearer " + std::string(token)})));
    EXPECT_FALSE(g.may_write(head_of({"127.0.0.1:8642", "", "Bearer another-token-for-reading"})));
    EXPECT_FALSE(g.may_write(head_of({})));
    EXPECT_TRUE(guard(on("127.0.0.1:8642")).may_write(head_of({})));
}

TEST(GuardTicket, StandsInForAMissingTokenAndForNothingElse) {
    const guard g(with_token());
    EXPECT_FALSE(g.refuse(head_of({}), true));
    EXPECT_TRUE(g.refuse(head_of({"127.0.0.1:8642", "", "Bearer wrong-wrong-wrong"}), true));
    EXPECT_TRUE(g.refuse(head_of({"attacker.example", "", "", "/v1/jobs"}), true));
    EXPECT_TRUE(g.refuse(head_of({"127.0.0.1:8642", "http://attacker.example", "", "/v1/jobs"}), true));
}

TEST(GuardToken, WithoutOneInTheSettingsNoneIsAskedFor) {
    EXPECT_EQ(status_of(on("127.0.0.1:8642"), {}), 0);
}

TEST(GuardToken, HostAndOriginAreCheckedBeforeTheToken) {
    const std::string right = "Bearer " + std::string(token);
    EXPECT_EQ(status_of(with_token(), {"attacker.example", "", right, "/"}), 421);
    EXPECT_EQ(status_of(with_token(), {"127.0.0.1:8642", "http://attacker.example", right, "/"}), 403);
}

TEST(CheckToken, IsSixteenVisibleCharactersOrMore) {
    EXPECT_TRUE(check_token(secret("0123456789abcdef")));
    EXPECT_TRUE(check_token(secret(std::string(500, '~'))));
    for (const std::string bad : {"", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\n",
                                  "0123456789abcde\xC3\xA9", "0123456789abcdef\x7f"}) {
        const auto checked = check_token(secret(bad));
        ASSERT_FALSE(checked) << bad;
        EXPECT_EQ(checked.error().code, taskbarge::core::errc::settings);
        EXPECT_THAT(checked.error().text, testing::HasSubstr("16 characters"));
    }
}

TEST(IsLoopback, TellsWhatOnlyThisMachineReaches) {
    for (const std::string listen :
         {"127.0.0.1:8642", "127.9.9.9:1", "[::1]:8642", "localhost:8642", "[::ffff:127.0.0.1]:1"})
        EXPECT_TRUE(is_loopback(listen)) << listen;
    for (const std::string listen :
         {"0.0.0.0:8642", "[::]:8642", "192.0.2.7:8642", "example.com:1", "", "127.0.0.1.example:1"})
        EXPECT_FALSE(is_loopback(listen)) << listen;
}

TEST(Authority, IsReadAndWritten) {
    const auto a = parse_authority("[2001:DB8:0::1]:443");
    ASSERT_TRUE(a && a->address && a->port);
    EXPECT_EQ(a->host, "2001:db8::1");
    EXPECT_EQ(to_text(*a->address, *a->port), "[2001:db8::1]:443");
    EXPECT_EQ(parse_authority("Example.com")->host, "example.com");
    EXPECT_FALSE(parse_authority("Example.com")->port);
    EXPECT_FALSE(parse_authority(std::string(300, 'a')));
}

}  // namespace
