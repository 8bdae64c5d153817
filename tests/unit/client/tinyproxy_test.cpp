// The client behind a proxy that others wrote.
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "unit/client/client_fixture.hpp"

extern char** environ;

namespace taskbarge::client {
namespace {

using namespace taskbarge::testing;
using boost::asio::ip::tcp;
using ::testing::HasSubstr;

constexpr const char* binary = "/usr/bin/tinyproxy";

// A tinyproxy on a free loopback port that wants the user "alice" with the password "s3cret".
class tinyproxy {
 public:
    tinyproxy()
        : port_(free_port()),
          settings_("Listen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogLevel Critical\nBasicAuth alice s3cret\nPort " +
                    std::to_string(port_) + "\n") {
        std::string name = binary, foreground = "-d", option = "-c", file = settings_.path();
        char* arguments[] = {name.data(), foreground.data(), option.data(), file.data(), nullptr};
        if (posix_spawn(&process_, binary, nullptr, nullptr, arguments, environ) != 0) process_ = 0;
    }
    ~tinyproxy() {
        if (process_ == 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    tinyproxy(const tinyproxy&) = delete;
    tinyproxy& operator=(const tinyproxy&) = delete;

    bool wait_until_it_listens() const {
        using clock = std::chrono::steady_clock;
        const auto give_up = clock::now() + std::chrono::seconds(20);
        boost::asio::io_context io;
        while (process_ != 0 && clock::now() < give_up) {
            boost::system::error_code ec;
            tcp::socket(io).connect({boost::asio::ip::address_v4::loopback(), port_}, ec);
            if (!ec) return true;
            if (::waitpid(process_, nullptr, WNOHANG) == process_) return false;
            boost::asio::steady_timer(io, std::chrono::milliseconds(5)).wait();
        }
        return false;
    }
    std::string url(const std::string& user) const { return "http://" + user + "127.0.0.1:" + std::to_string(port_); }

 private:
    static std::uint16_t free_port() {
        boost::asio::io_context io;
        return tcp::acceptor(io, {boost::asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
    }

    std::uint16_t port_;
    temporary_file settings_;
    pid_t process_ = 0;
};

class Tinyproxy : public client_fixture {
 protected:
    void SetUp() override {
        if (::access(binary, X_OK) != 0) GTEST_SKIP() << binary << " is not installed";
        ASSERT_TRUE(proxy_.emplace().wait_until_it_listens());
    }
    std::optional<tinyproxy> proxy_;
};

TEST_F(Tinyproxy, RequestsPassThroughItsTunnel) {
    scripted_server server(tls_server());
    auto o = options_for(server, "https", "localhost");
    o.proxy = proxy_->url("alice:s3cret@");
    auto client = make(std::move(o));
    for (int i = 0; i < 3; ++i) {
        const exchange x = create(*client);
        EXPECT_EQ(x.status, 200) << x.error_text;
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(Tinyproxy, MissingCredentialsAreToldAsSuch) {
    scripted_server server(tls_server());
    auto o = options_for(server);
    o.proxy = proxy_->url("");
    auto client = make(std::move(o));
    const exchange x = create(*client);
    EXPECT_EQ(x.reach, reach::not_sent);
    EXPECT_EQ(x.error_code, "proxy_failed");
    EXPECT_THAT(x.error_text, HasSubstr("status 407"));
    EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace taskbarge::client
