#include "taskbarge/report/brief.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace taskbarge::report {
namespace {

using namespace std::chrono_literals;

job::report ended(job::report_state state, std::optional<core::errc> why = std::nullopt) {
    job::report r;
    r.job = 7;
    r.state = state;
    r.created_at = core::instant(0ms);
    if (why) r.why = core::failure{*why, "the hour window is used up"};
    return r;
}

TEST(Brief, SaysWhatAndHowManyAndWhereToSeeThem) {
    auto r = ended(job::report_state::completed);
    r.rows.rows = 2100;
    r.rows.created = 500;
    r.rows.failed = 1558;
    r.rows.rejected = 42;
    EXPECT_EQ(brief_text(r, std::nullopt, " --config c.toml"),
              "job 7 is finished, with exceptions\n1558 failed, 42 rejected, 500 created of 2100 rows\n"
              "taskbarge results 7 --only failed,rejected --config c.toml\n");
}

TEST(Brief, OfASuccessIsShort) {
    auto r = ended(job::report_state::completed);
    r.rows.rows = r.rows.created = 3;
    EXPECT_EQ(brief_text(r, std::nullopt, ""), "job 7 is finished\n3 created of 3 rows\n");
}

TEST(Brief, IsAlwaysOneLineAnd3AtMost) {
    auto r = ended(job::report_state::failed, core::errc::forbidden);
    r.why->text = "a\nb";
    r.rows.rows = r.rows.pending = 1;
    for (const auto stale :
         {std::optional<std::chrono::milliseconds>(72h), std::optional<std::chrono::milliseconds>()}) {
        const auto text = brief_text(r, stale, "");
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
    }
    r.job.reset();
    EXPECT_EQ(brief_text(r, std::nullopt, ""), "a b\n");
}

TEST(News, IsEverythingButSuccessAndAJobThatWaitsForItsTurn) {
    EXPECT_TRUE(is_no_news(ended(job::report_state::completed), false));
    for (const auto why : {core::errc::waiting, core::errc::job_held, core::errc::paused}) {
        EXPECT_TRUE(is_no_news(ended(job::report_state::parked, why), false));
        EXPECT_FALSE(is_no_news(ended(job::report_state::parked, why), true)) << "stale";
    }
    for (const auto why : {core::errc::interrupted, core::errc::ledger_full, core::errc::io, core::errc::unreachable})
        EXPECT_FALSE(is_no_news(ended(job::report_state::parked, why), false));
    for (const auto why : {core::errc::no_key, core::errc::settings, core::errc::input, core::errc::internal})
        EXPECT_FALSE(is_no_news(ended(job::report_state::failed, why), false));
    auto partly = ended(job::report_state::completed);
    partly.rows.rows = partly.rows.unknown = 1;
    EXPECT_FALSE(is_no_news(partly, false));
}

TEST(Stale, CountsFromTheJobsBeginningOrItsLastEnd) {
    auto r = ended(job::report_state::parked, core::errc::waiting);
    EXPECT_EQ(stale_for(r, 24h, core::instant(24h)), std::nullopt);
    EXPECT_EQ(stale_for(r, 24h, core::instant(25h)), 25h);
    EXPECT_EQ(stale_for(r, 0h, core::instant(1000h)), std::nullopt) << "never";
    r.finished_at = core::instant(100h);  // and begun again by a retry
    EXPECT_EQ(stale_for(r, 24h, core::instant(110h)), std::nullopt);
    EXPECT_EQ(stale_for(r, 24h, core::instant(130h)), 30h);
    r.state = job::report_state::completed;
    r.why.reset();
    EXPECT_EQ(stale_for(r, 24h, core::instant(1000h)), std::nullopt);
}

}  // namespace
}  // namespace taskbarge::report
