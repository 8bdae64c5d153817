#include "service/telemetry/event_hub.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

namespace taskbarge::service {
namespace {

using namespace std::chrono_literals;

class EventHub : public ::testing::Test {
 protected:
    void publish(const std::string& data) {
        hub.publish("job", 1, data);
        loop.restart();
        loop.run();
    }
    std::optional<event> next(event_hub::listener& ear, std::chrono::milliseconds patience = 0ms) {
        std::optional<event> out;
        auto wait = [&]() -> boost::asio::awaitable<void> { out = co_await ear.next(patience); };
        std::exception_ptr error;
        boost::asio::co_spawn(loop, wait(), [&](std::exception_ptr e) { error = e; });
        loop.restart();
        loop.run();
        if (error) std::rethrow_exception(error);
        return out;
    }

    boost::asio::io_context loop{1};
    event_hub hub{loop.get_executor()};
};

TEST_F(EventHub, AListenerHearsWhatComesInOrder) {
    publish("before");
    event_hub::listener ear(hub, std::nullopt);
    publish("a");
    publish("b");
    EXPECT_EQ(next(ear)->data, "a");
    const auto second = next(ear);
    EXPECT_EQ(second->data, "b");
    EXPECT_EQ(second->id, 3u);
    EXPECT_FALSE(next(ear));
}

TEST_F(EventHub, AListenerThatWaitsIsWokenByAnotherThread) {
    event_hub::listener ear(hub, std::nullopt);
    std::thread teller([&] { hub.publish("job", 1, "from afar"); });
    const auto heard = next(ear, 30s);
    teller.join();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->data, "from afar");
}

TEST_F(EventHub, OneThatComesBackGoesOnWhereItWas) {
    for (const char* data : {"a", "b", "c"})
        publish(data);
    event_hub::listener ear(hub, 1);
    EXPECT_EQ(next(ear)->data, "b");
    EXPECT_EQ(next(ear)->data, "c");
    EXPECT_EQ(ear.take_lost(), 0u);
}

TEST_F(EventHub, AnIdOfAnEarlierProcessMeansFromTheBeginning) {
    publish("a");
    event_hub::listener ear(hub, 4711);
    EXPECT_EQ(next(ear)->data, "a");
    EXPECT_EQ(ear.take_lost(), 0u);
}

TEST_F(EventHub, OneThatDoesNotKeepUpIsToldHowManyItLost) {
    event_hub::listener ear(hub, std::nullopt);
    for (int i = 1; i <= 1003; ++i)
        publish(std::to_string(i));
    EXPECT_EQ(next(ear)->data, "4");
    EXPECT_EQ(ear.take_lost(), 3u);
    EXPECT_EQ(ear.take_lost(), 0u);
    event_hub::listener late(hub, 1);
    EXPECT_EQ(next(late)->data, "4");
    EXPECT_EQ(late.take_lost(), 2u);
}

TEST_F(EventHub, NothingIsKeptOfAListenerThatWent) {
    { const event_hub::listener ear(hub, std::nullopt); }
    EXPECT_EQ(hub.listeners(), 0u);
    publish("to nobody");
    EXPECT_EQ(hub.last_id(), 1u);
}

}  // namespace
}  // namespace taskbarge::service
