#include "service/http/tickets.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/manual_clock.hpp"

namespace {

using namespace taskbarge::service::http;
using namespace std::chrono_literals;

struct Tickets : testing::Test {
    taskbarge::testing::manual_clock clock;
    tickets office{clock};
};

TEST_F(Tickets, AreGoodOnceForTheirPath) {
    const auto one = office.issue("/v1/events"), other = office.issue("/v1/events");
    EXPECT_EQ(one.ticket.size(), 64u);
    EXPECT_NE(one.ticket, other.ticket);
    EXPECT_EQ(one.expires_at, clock.now() + 30s);
    EXPECT_FALSE(office.redeem(one.ticket, "/v1/jobs/1/results"));
    EXPECT_TRUE(office.redeem(one.ticket, "/v1/events"));
    EXPECT_FALSE(office.redeem(one.ticket, "/v1/events"));
    EXPECT_TRUE(office.redeem(other.ticket, "/v1/events"));
    EXPECT_FALSE(office.redeem("", "/v1/events"));
}

TEST_F(Tickets, LastHalfAMinuteWhateverTheWallClockDoes) {
    const auto one = office.issue("/v1/events"), other = office.issue("/v1/events");
    clock.jump(24h);
    clock.advance(29s);
    EXPECT_TRUE(office.redeem(one.ticket, "/v1/events"));
    clock.jump(-48h);
    clock.advance(1s);
    EXPECT_FALSE(office.redeem(other.ticket, "/v1/events"));
}

TEST_F(Tickets, AreWorthNothingOnceForgotten) {
    const auto one = office.issue("/v1/events");
    office.forget();
    EXPECT_FALSE(office.redeem(one.ticket, "/v1/events"));
    EXPECT_TRUE(office.redeem(office.issue("/v1/events").ticket, "/v1/events"));
}

TEST_F(Tickets, AreKeptInBoundedNumber) {
    const auto first = office.issue("/v1/events");
    std::string last;
    for (std::size_t i = 0; i < tickets::most; ++i)
        last = office.issue("/v1/events").ticket;
    EXPECT_FALSE(office.redeem(first.ticket, "/v1/events"));
    EXPECT_TRUE(office.redeem(last, "/v1/events"));
}

}  // namespace
