#include "cli/style.hpp"

#include <gtest/gtest.h>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;

core::instant instant_of(const char* text) {
    return *core::parse_rfc3339(text);
}

TEST(Style, IsPlainUnlessAskedOtherwise) {
    const cli::style plain;
    EXPECT_EQ(plain.bad("failed"), "failed");
    EXPECT_EQ(plain.fitted(std::string(500, 'x')), std::string(500, 'x'));
    EXPECT_EQ(plain.time(instant_of("2026-11-23T07:31:22Z"), instant_of("2026-11-23T07:00:00Z")), "07:31:22 UTC");
    EXPECT_EQ(plain.stamp(instant_of("2026-11-23T07:31:22Z")), "2026-11-23T07:31:22Z");
    EXPECT_EQ(plain.local_stamp(instant_of("2026-11-23T07:31:22Z")), "");
}

TEST(Style, ColoursWhatIsThere) {
    const cli::style coloured{0, true, ""};
    EXPECT_EQ(coloured.bad("failed"), "\x1b[31mfailed\x1b[0m");
    EXPECT_EQ(coloured.bad_if(2, "failed 2"), "\x1b[31mfailed 2\x1b[0m");
    EXPECT_EQ(coloured.bad_if(0, "failed 0"), "failed 0");
}

TEST(Style, CutsALineAtTheLastColumn) {
    const cli::style narrow{10, false, ""};
    EXPECT_EQ(narrow.fitted("0123456789"), "0123456789");
    EXPECT_EQ(narrow.fitted("0123456789a"), "0123456...");
}

TEST(Style, ShowsTheTimeOfTheZoneBesideUtc) {
    const cli::style look{0, false, "America/New_York"};
    const auto now = instant_of("2026-11-23T07:00:00Z");
    EXPECT_EQ(look.time(instant_of("2026-11-23T07:31:22Z"), now), "07:31:22 UTC (02:31:22 America/New_York)");
    EXPECT_EQ(look.time(instant_of("2026-11-24T02:00:00Z"), now), "2026-11-24 02:00:00 UTC (21:00:00 America/New_York)")
        << "tomorrow there, today here";
    EXPECT_EQ(look.time(instant_of("2026-11-24T09:00:00Z"), now),
              "2026-11-24 09:00:00 UTC (2026-11-24 04:00:00 America/New_York)");
    EXPECT_EQ(look.stamp(instant_of("2026-11-23T07:31:22Z")), "2026-11-23T07:31:22Z (02:31:22 America/New_York)");
    EXPECT_EQ(look.stamp(instant_of("2026-11-23T02:00:00Z")),
              "2026-11-23T02:00:00Z (2026-11-22 21:00:00 America/New_York)");
    EXPECT_EQ(look.local_stamp(instant_of("2026-07-01T12:00:00Z")), "2026-07-01 08:00:00") << "summer";
}

TEST(Style, OfAZoneThatTheMachineDoesNotKnowIsUtc) {
    const cli::style look{0, false, "Nowhere/At_All"};
    EXPECT_EQ(look.stamp(instant_of("2026-11-23T07:31:22Z")), "2026-11-23T07:31:22Z");
}

}  // namespace
