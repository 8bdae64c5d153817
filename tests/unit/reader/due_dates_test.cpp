#include "reader/due_dates.hpp"

#include <gtest/gtest.h>

namespace taskbarge::reader {
namespace {

core::date_settings new_york() {
    return {"America/New_York", "09:00", {"%m/%d/%Y %H:%M", "%m/%d/%Y", "%d.%m.%Y %H:%M %z"}};
}

const core::instant now = *core::parse_rfc3339("2025-03-07T03:30:00Z");  // still the 6th in New York

// The instant as text, or the code of the fault.
std::string read(std::string_view text, const core::date_settings& settings = {}) {
    auto dates = due_dates::make(settings, now);
    core::instant at;
    // Twice: what is remembered is the same.
    for (int i = 0; i < 2; ++i)
        if (const auto wrong = dates->read(text, at)) {
            EXPECT_EQ(wrong->at, field::due_at);
            return wrong->code;
        }
    return core::to_rfc3339(at);
}

std::string message(std::string_view text, const core::date_settings& settings = {}) {
    core::instant at;
    return due_dates::make(settings, now)->read(text, at)->message;
}

TEST(DueDates, Rfc3339NeedsNoSettings) {
    EXPECT_EQ(read("2025-02-15T10:00:00Z"), "2025-02-15T10:00:00.000Z");
    EXPECT_EQ(read("2025-02-15T10:00:00.123456-05:00"), "2025-02-15T15:00:00.123Z");
}

TEST(DueDates, IsoWithAZoneNeedsNoSettings) {
    EXPECT_EQ(read("2025-02-15T10:00Z"), "2025-02-15T10:00:00.000Z");
    EXPECT_EQ(read("2025-02-15 10:00:00 +0100"), "2025-02-15T09:00:00.000Z");
    EXPECT_EQ(read("2025-02-15T10:00+01"), "2025-02-15T09:00:00.000Z");
}

TEST(DueDates, LocalTimeIsOfTheConfiguredZone) {
    EXPECT_EQ(read("2025-02-15 10:00", new_york()), "2025-02-15T15:00:00.000Z");
    EXPECT_EQ(read("2025-07-15T10:00:00.5", new_york()), "2025-07-15T14:00:00.500Z");
}

TEST(DueDates, LocalTimeWithoutAZoneIsRefusedWithTheRemedy) {
    EXPECT_EQ(read("2025-02-15T10:00:00"), "due_at_without_zone");
    EXPECT_NE(message("2025-02-15T10:00:00").find("dates.timezone"), std::string::npos);
    EXPECT_EQ(read("2025-02-15"), "due_at_without_zone");
    EXPECT_NE(message("2025-02-15").find("dates.time"), std::string::npos);
}

TEST(DueDates, DateAloneIsAtTheConfiguredTime) {
    EXPECT_EQ(read("2025-02-15", new_york()), "2025-02-15T14:00:00.000Z");
    EXPECT_EQ(read("2025-02-15", {"Europe/Berlin", "", {}}), "due_at_without_time");
}

TEST(DueDates, SkippedLocalTimeNamesBothReadings) {
    EXPECT_EQ(read("2025-03-09 02:30", new_york()), "due_at_skipped");
    const std::string text = message("2025-03-09 02:30", new_york());
    EXPECT_NE(text.find("2025-03-09T02:30:00-05:00 or 2025-03-09T02:30:00-04:00"), std::string::npos) << text;
}

TEST(DueDates, RepeatedLocalTimeNamesBothReadings) {
    EXPECT_EQ(read("2025-11-02 01:30", new_york()), "due_at_ambiguous");
    const std::string text = message("2025-11-02 01:30", new_york());
    EXPECT_NE(text.find("2025-11-02T01:30:00-04:00 or 2025-11-02T01:30:00-05:00"), std::string::npos) << text;
    EXPECT_EQ(read("2025-11-02 00:59", new_york()), "2025-11-02T04:59:00.000Z");
    EXPECT_EQ(read("2025-11-02 02:00", new_york()), "2025-11-02T07:00:00.000Z");
}

TEST(DueDates, ZonesWithOddOffsetsWork) {
    EXPECT_EQ(read("2025-02-15 10:00", {"Asia/Kathmandu", "", {}}), "2025-02-15T04:15:00.000Z");
    EXPECT_EQ(read("2025-02-15 10:00", {"UTC", "", {}}), "2025-02-15T10:00:00.000Z");
}

TEST(DueDates, FormatsAreTriedInOrder) {
    EXPECT_EQ(read("02/15/2025 10:00", new_york()), "2025-02-15T15:00:00.000Z");
    EXPECT_EQ(read("02/15/2025", new_york()), "2025-02-15T14:00:00.000Z");
    EXPECT_EQ(read("15.02.2025 10:00 +0100", new_york()), "2025-02-15T09:00:00.000Z");
}

TEST(DueDates, FormatMustTakeTheWholeText) {
    EXPECT_EQ(read("02/15/2025 10:00 sharp", new_york()), "invalid_due_at");
    EXPECT_EQ(read("02/30/2025", new_york()), "invalid_due_at");
    EXPECT_EQ(read("02/15/2025 25:00", new_york()), "invalid_due_at");
}

TEST(DueDates, TextThatFitsOnlyTheBeginningOfAFormatIsRefused) {
    // Found by fuzzing: no seconds where the format wants some.
    for (const char* text : {"20250-2-15T10:00:00.123+05:30", "2025046 10:00", "2025046 10:00:", "2025046 "})
        EXPECT_EQ(read(text, {"UTC", "09:00", {"%Y%j %T %z", "%Y%j %H:%M:%S"}}), "invalid_due_at") << text;
}

TEST(DueDates, FormatsMayNameMonthsHalvesOfTheDayAndDaysOfTheYear) {
    EXPECT_EQ(read("15 Feb 2025 3 PM", {"UTC", "", {"%d %b %Y %I %p"}}), "2025-02-15T15:00:00.000Z");
    EXPECT_EQ(read("15 february 2025 12:30 am", {"UTC", "", {"%d %B %Y %I:%M %p"}}), "2025-02-15T00:30:00.000Z");
    EXPECT_EQ(read("2/15/25", {"UTC", "09:00", {"%m/%d/%y"}}), "2025-02-15T09:00:00.000Z");
    EXPECT_EQ(read("2025046 10:00:30 +0100", {"UTC", "", {"%Y%j %T %z"}}), "2025-02-15T09:00:30.000Z");
}

TEST(DueDates, FormatsReadFractionsOfASecond) {
    const core::date_settings utc{"UTC", "", {"%m/%d/%Y %H:%M:%S", "%d.%m.%Y %T %z", "%d-%m-%Y %I:%M:%S %p"}};
    EXPECT_EQ(read("02/15/2025 10:00:00.000", utc), "2025-02-15T10:00:00.000Z");
    EXPECT_EQ(read("02/15/2025 10:00:00,5", utc), "2025-02-15T10:00:00.500Z");
    EXPECT_EQ(read("02/15/2025 10:00:00.1239999", utc), "2025-02-15T10:00:00.123Z");
    EXPECT_EQ(read("15.02.2025 10:00:00.25 +0100", utc), "2025-02-15T09:00:00.250Z");
    EXPECT_EQ(read("15-02-2025 3:00:00.75 PM", utc), "2025-02-15T15:00:00.750Z");
    for (const char* text : {"02/15/2025 10:00:00.", "02/15/2025 10:00:00.x", "02/15/2025 10:00.5", "02/15/2025.5"})
        EXPECT_EQ(read(text, utc), "invalid_due_at") << text;
    EXPECT_EQ(read("15.02.2025 10.00.00.0000000", {"UTC", "", {"%d.%m.%Y %H.%M.%S.0000000"}}),
              "2025-02-15T10:00:00.000Z");
}

TEST(DueDates, OffsetOfADayOrMoreIsRefused) {
    const core::date_settings utc{"UTC", "", {"%d.%m.%Y %H:%M %z"}};
    EXPECT_EQ(read("15.02.2025 10:00 -1145", utc), "2025-02-15T21:45:00.000Z");
    for (const char* text : {"15.02.2025 10:00 +6745", "15.02.2025 10:00 +24:00", "15.02.2025 10:00 +0160"})
        EXPECT_EQ(read(text, utc), "invalid_due_at") << text;
}

TEST(DueDates, FormatMayCountSecondsSince1970) {
    EXPECT_EQ(read("1739613600", {"Asia/Tokyo", "", {"%s"}}), "2025-02-15T10:00:00.000Z");
    EXPECT_EQ(read("1739613600.5", {"Asia/Tokyo", "", {"%s"}}), "2025-02-15T10:00:00.500Z");
    for (const char* text :
         {"", "-1", "17396136000000", "1739613600.", "1739613600.5x", "45703", "99999999999999999999"})
        EXPECT_EQ(read(text, {"UTC", "", {"%s"}}), "invalid_due_at") << text;
}

TEST(DueDates, MillisecondsSince1970NeedNoSettings) {
    EXPECT_EQ(read("1802685600123"), "2027-02-15T10:00:00.123Z");
    EXPECT_EQ(read("1802685600000.0"), "2027-02-15T10:00:00.000Z");
    EXPECT_EQ(read("1000000000000"), "2001-09-09T01:46:40.000Z");
    EXPECT_EQ(read("4133980799999"), "2100-12-31T23:59:59.999Z");
    EXPECT_EQ(read("4133980800000"), "invalid_due_at");
    EXPECT_EQ(read("0802685600123"), "invalid_due_at");
}

TEST(DueDates, FormatOfThirteenDigitsGoesBeforeMilliseconds) {
    EXPECT_EQ(read("2025046100000", {"UTC", "", {"%Y%j%H%M%S"}}), "2025-02-15T10:00:00.000Z");
}

TEST(DueDates, NamesOfUtcMeanWhatTheySay) {
    for (const char* zone : {" UTC", "UTC", " utc", " GMT", " Z", "+00", " +0000 UTC", " +00:00 GMT", "Z UTC"})
        EXPECT_EQ(read(std::string("2025-02-15 10:00:00") + zone, {"America/New_York", "", {}}),
                  "2025-02-15T10:00:00.000Z")
            << zone;
    for (const char* zone : {" EST", " UTC+1", " +0100 UTC", " UT", "  UTC", " UTCx"})
        EXPECT_EQ(read(std::string("2025-02-15 10:00:00") + zone), "invalid_due_at") << zone;
}

TEST(DueDates, FormatThatEndsWithTheNameOfUtcIsInUtc) {
    for (const char* zone : {" UTC", " GMT", "Z", " Z", ".000Z"})
        EXPECT_EQ(read(std::string("15.02.2025 10:00:00") + zone,
                       {"America/New_York", "", {std::string("%d.%m.%Y %H:%M:%S") + zone}}),
                  "2025-02-15T10:00:00.000Z")
            << zone;
}

TEST(DueDates, YearOfTwoDigitsIsNotTheYear25) {
    EXPECT_EQ(read("02/15/25", {"UTC", "09:00", {"%m/%d/%Y"}}), "invalid_due_at");
    EXPECT_EQ(read("02/15/25", {"UTC", "09:00", {"%m/%d/%Y", "%m/%d/%y"}}), "2025-02-15T09:00:00.000Z");
}

TEST(DueDates, DayOfTheWeekMustBeThatOfTheDate) {
    EXPECT_EQ(read("Saturday 15 February 2025", {"UTC", "09:00", {"%A %d %B %Y"}}), "2025-02-15T09:00:00.000Z");
    EXPECT_EQ(read("Mon 15 February 2025", {"UTC", "09:00", {"%a %d %B %Y"}}), "invalid_due_at");
}

TEST(DueDates, FormatThatLeavesSomethingOpenIsAWrongSetting) {
    const auto why = [](const std::string& format) {
        const auto made = due_dates::make({"UTC", "09:00", {"%d.%m.%Y", format}}, now);
        if (made) return std::string("understood");
        EXPECT_EQ(made.error().code, core::errc::settings);
        EXPECT_TRUE(made.error().text.starts_with("dates.formats: \"" + format + "\": ")) << made.error().text;
        return made.error().text;
    };
    const std::pair<const char*, const char*> wrong[] = {
        {"%H:%M", "year, month and day"},
        {"%m/%d", "year, month and day"},
        {"%Y", "year, month and day"},
        {"%Y-%m", "year, month and day"},
        {"literal", "year, month and day"},
        {"", "year, month and day"},
        {"%m/%d/%Y %H:%M %p", "goes with %I"},
        {"%m/%d/%Y %I:%M", "needs %p"},
        {"%m/%d/%Y %H:%M %Z", "%z"},
        {"%d.%m.%Y %z", "need an hour"},
        {"%d.%m.%Y %H:%M:%S.%f", "%S"},
        {"%c", "%c is not understood"},
        {"%Ey-%m-%d", "%E is not understood"},
        {"%Y-%m-%d %", "ends within a conversion"},
        {"%d.%m.%Y UTC", "needs a time of day"},
        {"%s %z", "%s is not understood"},
    };
    for (const auto& [format, part] : wrong)
        EXPECT_NE(why(format).find(part), std::string::npos) << format << ": " << why(format);
}

TEST(DueDates, RelativeDateCountsFromTheLocalDay) {
    EXPECT_EQ(read("+0d", new_york()), "2025-03-06T14:00:00.000Z");
    EXPECT_EQ(read("+3d", new_york()), "2025-03-09T13:00:00.000Z");  // the clocks changed that morning
    EXPECT_EQ(read("+3d", {"UTC", "09:00", {}}), "2025-03-10T09:00:00.000Z");
}

TEST(DueDates, RelativeDateNeedsZoneAndTime) {
    EXPECT_EQ(read("+3d"), "relative_due_at_needs_settings");
    EXPECT_EQ(read("+3d", {"UTC", "", {}}), "relative_due_at_needs_settings");
    EXPECT_EQ(read("+3d", {"", "09:00", {}}), "relative_due_at_needs_settings");
}

TEST(DueDates, RelativeDateMayFallIntoSkippedTime) {
    EXPECT_EQ(read("+3d", {"America/New_York", "02:30", {}}), "due_at_skipped");
}

TEST(DueDates, OnlyWholeDaysAreRelative) {
    for (const char* text : {"+", "+d", "+3", "+3h", "+3 d", "+-3d", "-3d", "+3dd", "+99999999999d", "+40000d"})
        EXPECT_EQ(read(text, new_york()), "invalid_due_at") << text;
}

TEST(DueDates, UseOfARelativeDateIsKnown) {
    auto dates = due_dates::make(new_york(), now);
    core::instant at;
    EXPECT_FALSE(dates->read("2025-02-15", at));
    EXPECT_FALSE(dates->used_relative());
    EXPECT_FALSE(dates->read("+1d", at));
    EXPECT_TRUE(dates->used_relative());
}

TEST(DueDates, WhatIsNoDateIsRefused) {
    for (const char* text :
         {"tomorrow", "2025-02-30T10:00:00Z", "2025-02-15T24:00:00Z", "2025-13-01", "1739613600", "45703",
          "2025-02-15T10:00:00Zulu", "2025-2-5", "15.02.2025", "10:00", "2025-02-15T10:00:00+25:00", "2025-02-15T",
          "2025-02-15T10:0", "2025-02-15T10:00:00.", "9999-12-31T23:59:59-01:00"})
        EXPECT_EQ(read(text, {"UTC", "09:00", {}}), "invalid_due_at") << text;
}

TEST(DueDates, WrongSettingsAreNamed) {
    const auto zone = due_dates::make({"America/Newyork", "", {}}, now);
    ASSERT_FALSE(zone);
    EXPECT_EQ(zone.error().code, core::errc::settings);
    EXPECT_TRUE(zone.error().text.starts_with("dates.timezone: "));
    const auto time = due_dates::make({"", "9 o'clock", {}}, now);
    ASSERT_FALSE(time);
    EXPECT_TRUE(time.error().text.starts_with("dates.time: "));
}

TEST(DueDates, ManyDifferentDatesDoNotDisturbEachOther) {
    auto dates = due_dates::make({"UTC", "00:00", {}}, now);
    for (int round = 0; round < 2; ++round)
        for (int minute = 0; minute < 1000; ++minute) {
            const core::instant expected = now + std::chrono::minutes(minute);
            core::instant at;
            ASSERT_FALSE(dates->read(core::to_rfc3339(expected), at));
            ASSERT_EQ(at, expected);
        }
}

}  // namespace
}  // namespace taskbarge::reader
