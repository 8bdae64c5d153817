// A name server that does not answer: a program of its own, as it stands in for the C library's look-up.
#include "client/resolve.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

class silent_name_server {
 public:
    void ask() {
        std::unique_lock lock(mutex_);
        ++asked_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return answers_; });
        ++answered_;
        changed_.notify_all();
    }
    // Lets all go on, and waits until they have.
    void answer() {
        std::unique_lock lock(mutex_);
        answers_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return answered_ == asked_; });
        answers_ = false;
        asked_ = answered_ = 0;
    }
    int asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool answers_ = false;
    int asked_ = 0, answered_ = 0;
};
silent_name_server silent;

}  // namespace

// In place of the C library's.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
    if (host != nullptr && std::string_view(host) == "silent.test") {
        silent.ask();
        return EAI_AGAIN;
    }
    using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(host, service, hints, found);
}

namespace taskbarge::client {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

resolved look_up(const std::string& host, std::chrono::milliseconds limit) {
    resolved out;
    asio::io_context loop;
    const host_port at{host, 443};  // named: GCC 12 destroys some temporaries within a co_await twice
    const auto work = [&]() -> asio::awaitable<void> { out = co_await resolve(at, limit); };
    asio::co_spawn(loop, work(), asio::detached);
    loop.run();
    return out;
}

TEST(Resolve, NobodyWaitsForANameServerThatDoesNotAnswer) {
    // Neither the look-up nor the end of its event loop.
    const auto found = look_up("silent.test", 20ms);
    EXPECT_EQ(found.error, asio::error::timed_out);
    EXPECT_TRUE(found.endpoints.empty());
    silent.answer();  // meets nobody
}

TEST(Resolve, AnEventLoopThatEndsMeanwhileIsNotTouchedAnyMore) {
    {
        const host_port at{"silent.test", 443};
        asio::io_context loop;
        const auto work = [&]() -> asio::awaitable<void> { (void)co_await resolve(at, 1h); };
        asio::co_spawn(loop, work(), asio::detached);
        loop.poll();
        while (silent.asked() == 0)
            std::this_thread::yield();
    }
    silent.answer();
}

TEST(Resolve, AnAddressIsItsOwnAnswer) {
    const auto found = look_up("127.0.0.1", 1s);
    ASSERT_EQ(found.endpoints.size(), 1u);
    EXPECT_EQ(found.endpoints[0].port(), 443);
}

TEST(Resolve, NamesAreLookedUp) {
    const auto found = look_up("localhost", 10s);
    ASSERT_FALSE(found.endpoints.empty()) << found.error.message();
    EXPECT_TRUE(found.endpoints[0].address().is_loopback());
    EXPECT_EQ(found.endpoints[0].port(), 443);
}

TEST(Resolve, ANameThatNobodyHasIsToldAsSuch) {
    const auto found = look_up("no-such-host.invalid", 10s);
    EXPECT_TRUE(found.error);
    EXPECT_TRUE(found.endpoints.empty());
}

}  // namespace
}  // namespace taskbarge::client
