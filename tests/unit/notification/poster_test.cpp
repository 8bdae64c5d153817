// The real poster against servers on loopback.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "support/scripted_server.hpp"
#include "support/test_authority.hpp"
#include "taskbarge/notification/notification.hpp"

namespace taskbarge::notification {
namespace {

using namespace taskbarge::testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Poster : public ::testing::Test {
 protected:
    static const test_authority& authority() {
        static const test_authority one;
        return one;
    }
    static const std::string& ca_file() {
        static const temporary_file file(authority().pem());
        return file.path();
    }
    static server_options tls_server(const std::vector<std::string>& names = {"IP:127.0.0.1"},
                                     validity when = validity::now) {
        server_options o;
        o.identity = authority().issue(names, when);
        return o;
    }
    static core::notify_settings settings_for(const scripted_server& server, const std::string& scheme = "https") {
        core::notify_settings s;
        s.url = scheme + "://127.0.0.1:" + std::to_string(server.port()) + "/hook/?token=t0ken";
        s.ca_file = ca_file();
        return s;
    }
    static delivery post(const core::notify_settings& s) {
        return make_poster(s)({s.url, "job-7", "completed", "{\"rows\":3}", "t=1,v1=ab"});
    }
    static delivery answered(int status, const header_list& headers = {}) {
        scripted_server server(tls_server());
        server.script({answer_with(status, "", headers)});
        auto d = post(settings_for(server));
        EXPECT_EQ(server.requests().size(), 1U);
        return d;
    }
};

TEST_F(Poster, PostsTheBodyWithWhatAReceiverNeeds) {
    scripted_server server(tls_server());
    server.script({answer_with(204, "")});
    const auto d = post(settings_for(server));
    EXPECT_TRUE(d.delivered) << d.what;
    EXPECT_EQ(d.what, "204");
    ASSERT_EQ(server.requests().size(), 1U);
    const auto seen = server.requests().front();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/hook/?token=t0ken");
    EXPECT_EQ(seen.body, "{\"rows\":3}");
    EXPECT_EQ(seen.header("content-type"), "application/json");
    EXPECT_EQ(seen.header("x-taskbarge-id"), "job-7");
    EXPECT_EQ(seen.header("x-taskbarge-event"), "completed");
    EXPECT_EQ(seen.header("x-taskbarge-signature"), "t=1,v1=ab");
}

TEST_F(Poster, SendsNoSignatureWithoutOne) {
    scripted_server server(tls_server());
    server.script({answer_with(200, "ok")});
    const auto s = settings_for(server);
    EXPECT_TRUE(make_poster(s)({s.url, "i", "parked", "{}", ""}).delivered);
    EXPECT_EQ(server.requests().front().header("x-taskbarge-signature"), "");
}

TEST_F(Poster, RefusalsAreFinalAndTroublesAreNot) {
    for (const int status : {400, 401, 403, 404, 410, 413, 422}) {
        const auto d = answered(status);
        EXPECT_FALSE(d.delivered || d.worth_repeating) << status;
        EXPECT_EQ(d.what, std::to_string(status));
    }
    for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
        const auto d = answered(status);
        EXPECT_FALSE(d.delivered) << status;
        EXPECT_TRUE(d.worth_repeating) << status;
    }
}

TEST_F(Poster, RedirectIsNotFollowed) {
    scripted_server elsewhere(tls_server());
    const auto d = answered(307, {{"Location", "https://127.0.0.1:" + std::to_string(elsewhere.port()) + "/"}});
    EXPECT_FALSE(d.delivered);
    EXPECT_THAT(d.what, HasSubstr("redirects are not followed"));
    EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(Poster, CertificateOfAnotherNameIsRefused) {
    scripted_server server(tls_server({"DNS:elsewhere.example"}));
    const auto d = post(settings_for(server));
    EXPECT_FALSE(d.delivered);
    EXPECT_TRUE(d.worth_repeating);
    EXPECT_THAT(d.what, HasSubstr("check notify.url"));
    EXPECT_TRUE(server.requests().empty()) << "nothing was told to it";
}

TEST_F(Poster, CertificateOfAnUnknownAuthorityIsRefused) {
    scripted_server server(tls_server());
    auto s = settings_for(server);
    s.ca_file.clear();
    const auto d = post(s);
    EXPECT_FALSE(d.delivered);
    EXPECT_THAT(d.what, HasSubstr("notify.ca_file"));
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(Poster, ExpiredCertificateIsRefused) {
    scripted_server server(tls_server({"IP:127.0.0.1"}, validity::expired));
    EXPECT_FALSE(post(settings_for(server)).delivered);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(Poster, RefusedConnectionIsTriedAgain) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket bound(io);
    bound.open(boost::asio::ip::tcp::v4());
    bound.bind({boost::asio::ip::address_v4::loopback(), 0});
    core::notify_settings s;
    s.url = "http://127.0.0.1:" + std::to_string(bound.local_endpoint().port()) + "/?token=t0ken";
    const auto d = post(s);
    EXPECT_FALSE(d.delivered);
    EXPECT_TRUE(d.worth_repeating);
    EXPECT_THAT(d.what, HasSubstr("refused"));
    EXPECT_THAT(d.what, Not(HasSubstr("t0ken")));
}

TEST_F(Poster, LostAnswerIsTriedAgain) {
    scripted_server server(tls_server());
    server.script({drop(farewell::reset)});
    const auto d = post(settings_for(server));
    EXPECT_FALSE(d.delivered);
    EXPECT_TRUE(d.worth_repeating);
}

TEST_F(Poster, PlainHttpGoesToLoopbackOnly) {
    server_options plain;
    plain.tls = false;
    scripted_server server(plain);
    server.script({answer_with(200, "")});
    EXPECT_TRUE(post(settings_for(server, "http")).delivered);
    core::notify_settings s;
    s.url = "http://example.com/?token=t0ken";
    const auto d = post(s);
    EXPECT_FALSE(d.delivered);
    EXPECT_THAT(d.what, HasSubstr("notify.url: plain http is used to loopback only"));
    EXPECT_THAT(d.what, Not(HasSubstr("t0ken")));
}

TEST_F(Poster, MissingFileOfCertificatesIsNamed) {
    scripted_server server(tls_server());
    auto s = settings_for(server);
    s.ca_file = "/nonexistent/ca.pem";
    const auto d = post(s);
    EXPECT_FALSE(d.delivered);
    EXPECT_TRUE(d.worth_repeating);
    EXPECT_THAT(d.what, HasSubstr("notify.ca_file /nonexistent/ca.pem"));
}

}  // namespace
}  // namespace taskbarge::notification
