// Everything before the first byte of a request: names, connections, proxies, TLS. Whatever fails here is not_sent.
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>

#include "support/connect_relay.hpp"
#include "unit/client/client_fixture.hpp"

namespace taskbarge::client {
namespace {

using namespace std::chrono_literals;
using namespace taskbarge::testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Connect : public client_fixture {
 protected:
    exchange create_once(client_options o) {
        auto client = make(std::move(o));
        return create(*client);
    }
    static void expect_not_sent(const exchange& x, const std::string& code, const std::string& text) {
        EXPECT_EQ(x.reach, reach::not_sent);
        EXPECT_EQ(x.error_code, code) << x.error_text;
        EXPECT_THAT(x.error_text, HasSubstr(text));
        EXPECT_THAT(x.error_text, Not(HasSubstr(test_key)));
        EXPECT_EQ(x.bytes_sent, 0U);
    }
    // A loopback port that refuses connections: bound, but not listened on.
    std::uint16_t refusing_port() {
        closed_.open(boost::asio::ip::tcp::v4());
        closed_.bind({boost::asio::ip::address_v4::loopback(), 0});
        return closed_.local_endpoint().port();
    }

 private:
    boost::asio::ip::tcp::socket closed_{io_};
};

TEST_F(Connect, UnknownHostIsToldAsSuch) {
    scripted_server server(tls_server());
    auto o = options_for(server);
    o.base_url = "https://no-such-host.invalid/api/v1";
    const exchange x = create_once(o);
    expect_not_sent(x, "dns_failed", "no-such-host.invalid");
}

TEST_F(Connect, RefusedConnectionIsToldAsSuch) {
    scripted_server server(tls_server());
    auto o = options_for(server);
    o.base_url = "https://127.0.0.1:" + std::to_string(refusing_port());
    const exchange x = create_once(o);
    expect_not_sent(x, "connect_failed", "refused");
    EXPECT_FALSE(x.tls_or_name_problem);
}

TEST_F(Connect, ConnectionThatNobodyTakesEndsWithTheConnectTimeout) {
    // A listener whose queue is full: the system lets further connections hang.
    using tcp = boost::asio::ip::tcp;
    tcp::acceptor full(io_, tcp::v4());
    full.bind({boost::asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    boost::asio::io_context others;
    std::vector<tcp::socket> queued;
    for (int i = 0; i < 4; ++i)
        queued.emplace_back(others).async_connect(full.local_endpoint(), [](boost::system::error_code) {});
    client_options o;
    o.base_url = "https://127.0.0.1:" + std::to_string(full.local_endpoint().port());
    o.key = core::secret(test_key);
    o.connect_timeout = 30ms;
    expect_not_sent(create_once(std::move(o)), "connect_timeout", "within 30 ms");
}

TEST_F(Connect, EachAddressOfAHostIsTried) {
    // localhost is ::1 and 127.0.0.1 on most machines; the server listens on one of them only.
    scripted_server server(tls_server());
    const exchange x = create_once(options_for(server, "https", "localhost"));
    EXPECT_EQ(x.reach, reach::answered) << x.error_text;
}

TEST_F(Connect, ServerThatClosesOnAcceptWasSentNothing) {
    scripted_server server(tls_server());
    server.greet({greeting::close_on_accept});
    expect_not_sent(create_once(options_for(server)), "tls_failed", "handshake");
}

TEST_F(Connect, StalledHandshakeEndsWithTheConnectTimeout) {
    scripted_server server(tls_server());
    server.greet({greeting::stall_on_accept});
    auto o = options_for(server);
    o.connect_timeout = 30ms;
    expect_not_sent(create_once(std::move(o)), "tls_timeout", "30 ms");
}

TEST_F(Connect, CertificateOfAnUnknownAuthorityIsRefused) {
    const test_authority other("somebody else");
    server_options so;
    so.identity = other.issue({"IP:127.0.0.1"});
    scripted_server server(so);
    const exchange x = create_once(options_for(server));
    expect_not_sent(x, "tls_failed", "--ca-file");
    EXPECT_THAT(x.error_text, HasSubstr("127.0.0.1"));
    EXPECT_TRUE(x.tls_or_name_problem);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(Connect, SystemStoreDoesNotKnowTheTestAuthority) {
    scripted_server server(tls_server());
    auto o = options_for(server);
    o.ca_file.clear();
    expect_not_sent(create_once(std::move(o)), "tls_failed", "not trusted");
}

TEST_F(Connect, CertificateForAnotherNameIsRefused) {
    for (const char* name : {"DNS:other.example", "IP:127.0.0.2", "DNS:127.0.0.1"}) {
        server_options so;
        so.identity = authority().issue({name});
        scripted_server server(so);
        const exchange x = create_once(options_for(server));
        expect_not_sent(x, "tls_failed", "not made out to this name");
        EXPECT_TRUE(x.tls_or_name_problem);
    }
}

TEST_F(Connect, CertificateOutOfItsTimeIsRefused) {
    for (const validity when : {validity::expired, validity::not_yet}) {
        server_options so;
        so.identity = authority().issue({"IP:127.0.0.1"}, when);
        scripted_server server(so);
        const exchange x = create_once(options_for(server));
        expect_not_sent(x, "tls_failed", "not valid now");
        EXPECT_TRUE(x.tls_or_name_problem);
    }
}

TEST_F(Connect, TlsBelow12IsRefused) {
    auto so = tls_server();
    so.max_tls_version = TLS1_1_VERSION;
    scripted_server server(so);
    const exchange x = create_once(options_for(server));
    expect_not_sent(x, "tls_failed", "handshake");
    EXPECT_TRUE(x.tls_or_name_problem);
}

TEST_F(Connect, Tls12Serves) {
    auto so = tls_server();
    so.max_tls_version = TLS1_2_VERSION;
    scripted_server server(so);
    EXPECT_EQ(create_once(options_for(server)).status, 200);
}

TEST_F(Connect, SessionsAreResumedOnNewConnections) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto so = tls_server();
        so.max_tls_version = version;
        scripted_server server(so);
        auto o = options_for(server);
        o.connection_age = 0ms;
        auto client = make(std::move(o));
        for (int i = 0; i < 4; ++i)
            EXPECT_EQ(create(*client).status, 200);
        EXPECT_EQ(server.connections(), 4U);
        EXPECT_EQ(server.resumed_sessions(), 3U);
    }
}

TEST_F(Connect, PlainHttpToAnythingButLoopbackIsASettingsError) {
    for (const char* url : {"http://api.apollo.io/api/v1", "ftp://127.0.0.1", "https://", "api.apollo.io",
                            "https://user:pw@api.apollo.io", "https://api.apollo.io/?x=1", "https://h:99999"}) {
        client_options o;
        o.base_url = url;
        o.key = core::secret("k");
        const auto made = apollo_client::make(io_.get_executor(), std::move(o));
        ASSERT_FALSE(made) << url;
        EXPECT_EQ(made.error().code, core::errc::settings);
        EXPECT_THAT(made.error().text, Not(HasSubstr("pw")));
    }
}

TEST_F(Connect, MissingCaFileAndUnfitKeysAreSettingsErrors) {
    const auto code_of = [&](const std::string& ca, const std::string& key) {
        client_options o;
        o.base_url = "https://localhost";
        o.ca_file = ca;
        o.key = core::secret(key);
        return apollo_client::make(io_.get_executor(), std::move(o)).error().code;
    };
    const temporary_file no_pem("hello");
    EXPECT_EQ(code_of("/no/such/file.pem", "k"), core::errc::settings);
    EXPECT_EQ(code_of(no_pem.path(), "k"), core::errc::settings);
    EXPECT_EQ(code_of(ca_file(), "a\r\nb: c"), core::errc::settings);
    EXPECT_EQ(code_of(ca_file(), ""), core::errc::no_key);
}

TEST_F(Connect, StopWhileConnectingSendsNothing) {
    scripted_server server(tls_server());
    server.greet({greeting::stall_on_accept});
    auto client = make(options_for(server));
    auto p = start(creating(*client, "{}"));
    run_until([&] { return server.connections() == 1; });
    p->stop.emit(boost::asio::cancellation_type::terminal);
    finish();
    expect_not_sent(p->result, "stopped", "stopped");
    // The place was given back.
    EXPECT_EQ(create(*client).status, 200);
}

class Proxy : public Connect {
 protected:
    static client_options through(const connect_relay& relay, client_options o, const std::string& user = "") {
        o.proxy = "http://" + user + "127.0.0.1:" + std::to_string(relay.port());
        return o;
    }
};

TEST_F(Proxy, TunnelLeadsToTheServerAndTheProxySeesNoKey) {
    scripted_server server(tls_server());
    connect_relay relay;
    auto client = make(through(relay, options_for(server, "https", "localhost"), "al%40ice:s3cret@"));
    EXPECT_EQ(create(*client).status, 200);
    EXPECT_EQ(create(*client).status, 200);
    const auto heads = relay.heads();
    ASSERT_EQ(heads.size(), 1U);
    const std::string authority = "localhost:" + std::to_string(server.port());
    EXPECT_THAT(heads[0], HasSubstr("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n"));
    EXPECT_THAT(heads[0], HasSubstr("Proxy-Authorization: Basic YWxAaWNlOnMzY3JldA==\r\n"));
    EXPECT_THAT(heads[0], Not(HasSubstr(test_key)));
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(server.requests()[0].header("proxy-authorization"), "");
}

TEST_F(Proxy, CertificateIsTheServersAlsoBehindAProxy) {
    server_options so;
    so.identity = authority().issue({"DNS:other.example"});
    scripted_server server(so);
    connect_relay relay;
    expect_not_sent(create_once(through(relay, options_for(server))), "tls_failed", "not made out");
}

TEST_F(Proxy, RefusalIsToldWithItsReason) {
    scripted_server server(tls_server());
    connect_relay relay({"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", false});
    const exchange x = create_once(through(relay, options_for(server), "u:s3cret@"));
    expect_not_sent(x, "proxy_failed", "407 Proxy Authentication Required");
    EXPECT_THAT(x.error_text, Not(HasSubstr("s3cret")));
    connect_relay forbidding({"HTTP/1.1 403 Filtered\r\n\r\n", false});
    expect_not_sent(create_once(through(forbidding, options_for(server))), "proxy_failed", "403 Filtered");
    connect_relay babbling({"no http at all\r\n\r\n", false});
    expect_not_sent(create_once(through(babbling, options_for(server))), "proxy_failed", "the proxy");
}

TEST_F(Proxy, StalledProxyEndsWithTheConnectTimeout) {
    scripted_server server(tls_server());
    connect_relay relay({"", true});
    auto o = through(relay, options_for(server));
    o.connect_timeout = 30ms;
    expect_not_sent(create_once(std::move(o)), "proxy_failed", "within 30 ms");
}

TEST_F(Proxy, UnreachableProxyIsNamed) {
    scripted_server server(tls_server());
    auto o = options_for(server);
    o.proxy = "http://127.0.0.1:" + std::to_string(refusing_port());
    expect_not_sent(create_once(std::move(o)), "connect_failed", "the proxy 127.0.0.1");
}

TEST_F(Proxy, PlainHttpToLoopbackGoesStraight) {
    scripted_server server(plain_server());
    connect_relay relay;
    EXPECT_EQ(create_once(through(relay, options_for(server, "http"))).status, 200);
    EXPECT_TRUE(relay.heads().empty());
}

TEST_F(Proxy, MalformedProxyIsASettingsErrorThatHidesIt) {
    for (const char* url : {"https://u:s3cret@proxy:1", "s3cret", "http://u:s3cret@:1", "socks5://u:s3cret@h:1"}) {
        client_options o;
        o.base_url = "https://localhost";
        o.key = core::secret("k");
        o.proxy = url;
        const auto made = apollo_client::make(io_.get_executor(), std::move(o));
        ASSERT_FALSE(made) << url;
        EXPECT_EQ(made.error().code, core::errc::settings);
        EXPECT_THAT(made.error().text, Not(HasSubstr("s3cret")));
    }
}

}  // namespace
}  // namespace taskbarge::client
