#include "taskbarge/job/stop_control.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace taskbarge::job {
namespace {

TEST(StopControl, IsAskedFirstAndForcedNext) {
    stop_control stop;
    EXPECT_EQ(stop.level(), stop_level::none);
    stop.request();
    EXPECT_EQ(stop.level(), stop_level::asked);
    EXPECT_TRUE(stop.process_ends());
    stop.request();
    EXPECT_EQ(stop.level(), stop_level::forced);
}

TEST(StopControl, OfARunInAProcessThatGoesOnIsNeverForced) {
    stop_control stop;
    stop.request(stop_haste::process_goes_on);
    stop.request(stop_haste::process_goes_on);
    EXPECT_EQ(stop.level(), stop_level::asked);
    EXPECT_FALSE(stop.process_ends()) << "no grace time runs";
}

TEST(StopControl, TheEndOfTheProcessIsASecondQuestionOnlyOnceItWasAsked) {
    stop_control stop;
    stop.request(stop_haste::process_goes_on);
    stop.request();
    EXPECT_EQ(stop.level(), stop_level::asked);
    EXPECT_TRUE(stop.process_ends());
    stop.request(stop_haste::process_goes_on);
    EXPECT_EQ(stop.level(), stop_level::asked);
    stop.request();
    EXPECT_EQ(stop.level(), stop_level::forced);
}

TEST(StopControl, ListenersHearOfEachQuestion) {
    stop_control stop;
    std::vector<stop_level> heard;
    stop.listen([&](stop_level level) { heard.push_back(level); });
    stop.request();
    stop.request();
    stop.listen({});
    EXPECT_EQ(heard, (std::vector{stop_level::asked, stop_level::forced}));
}

}  // namespace
}  // namespace taskbarge::job
