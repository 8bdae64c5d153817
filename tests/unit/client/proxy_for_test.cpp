#include <gtest/gtest.h>

#include "taskbarge/client/apollo_client.hpp"

namespace {

using environment = std::map<std::string, std::string>;

std::string proxy_for(const std::string& url, const environment& variables) {
    return taskbarge::client::proxy_for(url, variables).url;
}

constexpr const char* apollo = "https://api.apollo.io/api/v1";

TEST(ProxyFor, HttpsProxyIsTakenInEitherCase) {
    EXPECT_EQ(proxy_for(apollo, {}), "");
    EXPECT_EQ(proxy_for(apollo, {{"HTTPS_PROXY", "http://p:1"}}), "http://p:1");
    EXPECT_EQ(proxy_for(apollo, {{"https_proxy", "http://low:1"}, {"HTTPS_PROXY", "http://up:1"}}), "http://low:1");
    EXPECT_EQ(proxy_for(apollo, {{"https_proxy", ""}, {"HTTPS_PROXY", "http://up:1"}}), "http://up:1");
    EXPECT_EQ(proxy_for(apollo, {{"HTTP_PROXY", "http://p:1"}}), "");
    EXPECT_EQ(proxy_for(apollo, {{"HTTPS_PROXY", "user:pw@p:1"}}), "http://user:pw@p:1");
}

TEST(ProxyFor, AllProxyCountsWhereNoneIsNamedForHttps) {
    EXPECT_EQ(proxy_for(apollo, {{"ALL_PROXY", "http://all:1"}}), "http://all:1");
    EXPECT_EQ(proxy_for(apollo, {{"all_proxy", "http://all:1"}, {"HTTPS_PROXY", "http://p:1"}}), "http://p:1");
    EXPECT_EQ(proxy_for(apollo, {{"all_proxy", "http://all:1"}, {"no_proxy", "apollo.io"}}), "");
}

TEST(ProxyFor, SaysWhichVariableItIsFrom) {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
        EXPECT_EQ(taskbarge::client::proxy_for(apollo, {{name, "p:1"}}).from, name);
}

TEST(ProxyFor, PasswordIsNotShown) {
    using taskbarge::client::without_password;
    EXPECT_EQ(without_password("http://user:pa@ss@p:1/"), "http://p:1/");
    EXPECT_EQ(without_password("http://p:1/a@b"), "http://p:1/a@b");
    EXPECT_EQ(without_password("http://p:1"), "http://p:1");
}

TEST(ProxyFor, NoProxyExemptsHostsAndDomains) {
    const auto with = [](const std::string& no_proxy, const std::string& url = apollo) {
        return proxy_for(url, {{"HTTPS_PROXY", "http://p:1"}, {"NO_PROXY", no_proxy}});
    };
    for (const char* exempting : {"*", "api.apollo.io", "API.Apollo.IO", "apollo.io", ".apollo.io", "*.apollo.io",
                                  "a.example, apollo.io", "a.example apollo.io", "api.apollo.io:443", ",,io"})
        EXPECT_EQ(with(exempting), "") << exempting;
    for (const char* other : {"", "pollo.io", "xapi.apollo.io", "api.apollo.io:8443", "apollo", ".", ",", "example"})
        EXPECT_EQ(with(other), "http://p:1") << other;
    EXPECT_EQ(with("10.1.2.3", "https://10.1.2.3/x"), "");
    EXPECT_EQ(with("[2001:db8::1]", "https://[2001:db8::1]/x"), "");
    EXPECT_EQ(with("2001:db8::1", "https://[2001:db8::1]/x"), "");
    EXPECT_EQ(with("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/x"), "");
    EXPECT_EQ(with("[2001:db8::1]:443", "https://[2001:db8::1]:8443/x"), "http://p:1");
    EXPECT_EQ(with("10.0.0.0/8", "https://10.1.2.3/x"), "");
    EXPECT_EQ(with("10.0.0.0/16", "https://10.1.2.3/x"), "http://p:1");
    EXPECT_EQ(with("2001:db8::/32", "https://[2001:db8::1]/x"), "");
    EXPECT_EQ(with("0.0.0.0/0"), "http://p:1") << "a name is in no network";
    EXPECT_EQ(proxy_for(apollo, {{"HTTPS_PROXY", "http://p:1"}, {"no_proxy", "apollo.io"}}), "");
}

TEST(ProxyFor, LoopbackAndPlainHttpGoStraight) {
    const environment all{{"HTTPS_PROXY", "http://p:1"}, {"HTTP_PROXY", "http://p:1"}};
    EXPECT_EQ(proxy_for("https://example.com/hook?token=t", all), "http://p:1") << "a webhook may have a query";
    for (const char* url : {"https://localhost:8443/x", "https://127.0.0.1/x", "https://[::1]/x", "http://127.0.0.1/x"})
        EXPECT_EQ(proxy_for(url, all), "") << url;
}

}  // namespace
