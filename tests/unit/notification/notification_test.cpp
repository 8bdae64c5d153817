#include "taskbarge/notification/notification.hpp"

#include <gtest/gtest.h>

namespace taskbarge::notification {
namespace {

using namespace std::chrono_literals;

job::report report_of(core::row_counts rows, job::report_state state = job::report_state::completed,
                      std::optional<core::errc> why = std::nullopt) {
    job::report r;
    r.job = 7;
    r.state = state;
    r.rows = rows;
    if (why) r.why = core::failure{*why, "the hour window is used up"};
    return r;
}

// rows, created, duplicate, rejected, failed, unknown, pending
core::row_counts rows(std::uint64_t created, std::uint64_t failed, std::uint64_t pending) {
    core::row_counts c;
    c.rows = created + failed + pending;
    c.created = created;
    c.failed = failed;
    c.pending = pending;
    return c;
}

TEST(Ping, IsSuccessOnlyWhenEveryRowIsThere) {
    EXPECT_EQ(ping_of(report_of(rows(3, 0, 0)), false), ping::success);
    EXPECT_EQ(ping_of(report_of(rows(2, 1, 0)), false), ping::fail);
    EXPECT_EQ(ping_of(report_of({}, job::report_state::failed, core::errc::no_key), false), ping::fail);
}

TEST(Ping, OfAJobThatWaitsIsNoneUntilItIsStale) {
    const auto waits = report_of(rows(2, 0, 1), job::report_state::parked, core::errc::waiting);
    EXPECT_EQ(ping_of(waits, false), std::nullopt);
    EXPECT_EQ(ping_of(waits, true), ping::fail);
    EXPECT_EQ(ping_of(report_of({}, job::report_state::parked, core::errc::unreachable), false), std::nullopt);
}

TEST(Ping, GoesToThePathOfItsUrl) {
    EXPECT_EQ(ping_address("https://hc.example/abc", ping::success), "https://hc.example/abc");
    EXPECT_EQ(ping_address("https://hc.example/abc", ping::start), "https://hc.example/abc/start");
    EXPECT_EQ(ping_address("https://hc.example/abc/", ping::fail), "https://hc.example/abc/fail");
    EXPECT_EQ(ping_address("https://hc.example/abc?rid=1", ping::fail), "https://hc.example/abc/fail?rid=1");
    for (const auto p : {ping::start, ping::success, ping::fail})
        EXPECT_EQ(parse_ping(to_string(p)), p);
    EXPECT_EQ(parse_ping("completed"), std::nullopt);
}

TEST(News, OfARunThatOnlyMakesRoomForAnotherIsNone) {
    EXPECT_EQ(event_of(report_of(rows(3, 0, 0))), "completed");
    EXPECT_EQ(event_of(report_of(rows(2, 0, 1), job::report_state::parked, core::errc::waiting)), "parked");
    EXPECT_EQ(event_of(report_of({}, job::report_state::failed, core::errc::forbidden)), "failed");
    for (const auto why : {core::errc::interrupted, core::errc::job_held, core::errc::paused})
        EXPECT_EQ(event_of(report_of(rows(2, 0, 1), job::report_state::parked, why)), "");
}

TEST(News, IsTheReportOrATextForChats) {
    const auto r = report_of(rows(2, 1, 0));
    core::notify_settings s;
    const news n{"completed", "job-7", r, "job 7 is finished, with \"exceptions\"\n", "/l.db", "", core::instant(0ms)};
    EXPECT_NE(body_of(s, n).find("\"failed\":1"), std::string::npos);
    s.body = core::notify_body::text;
    EXPECT_EQ(body_of(s, n), "{\"text\":\"job 7 is finished, with \\\"exceptions\\\"\\n\"}\n");
}

TEST(Address, SignsForTheWebhookAlone) {
    core::notify_settings s;
    s.url = "https://hooks.example/x";
    s.ping_url = "https://hc.example/abc";
    const core::secret key(std::string("k"));
    const auto hook = address(s, key, "i", "failed", "{}", core::instant(0ms));
    EXPECT_EQ(hook.url, s.url);
    EXPECT_EQ(hook.signature.rfind("t=0,v1=", 0), 0u);
    const auto pinged = address(s, key, "i", "ping-fail", "text", core::instant(0ms));
    EXPECT_EQ(pinged.url, "https://hc.example/abc/fail");
    EXPECT_EQ(pinged.signature, "");
    EXPECT_EQ(address(s, {}, "i", "failed", "{}", core::instant(0ms)).signature, "");
}

}  // namespace
}  // namespace taskbarge::notification
