#include "reader/date_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <string_view>

#include "reader/invisible.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

using std::chrono::milliseconds;

// What strptime() is trusted with. Left out: what depends on the locale (%c, %x, %X, %E.., %O..), what names no day
// alone (weeks, centuries), and names of time zones, which it skips.
constexpr std::string_view known_conversions = "YymdebBhaAjHIMSpzTRDFnt%";

// What a format says about a time.
struct contents {
    bool year = false, month = false, day = false, day_of_year = false;
    bool hour = false, half_hour_count = false, half_of_day = false, minute = false, second = false, offset = false;

    void add(char conversion) {
        switch (conversion) {
            case 'D':
            case 'F':
                year = month = day = true;
                break;
            case 'Y':
            case 'y':
                year = true;
                break;
            case 'm':
            case 'b':
            case 'B':
            case 'h':
                month = true;
                break;
            case 'd':
            case 'e':
                day = true;
                break;
            case 'j':
                day_of_year = true;
                break;
            case 'T':
                second = true;
                [[fallthrough]];
            case 'R':
                hour = minute = true;
                break;
            case 'H':
                hour = true;
                break;
            case 'I':
                half_hour_count = true;
                break;
            case 'p':
                half_of_day = true;
                break;
            case 'M':
                minute = true;
                break;
            case 'S':
                second = true;
                break;
            case 'z':
                offset = true;
                break;
            default:
                break;
        }
    }

    // What texts of the format would leave open.
    std::string_view problem() const {
        const bool whole_day = year && ((month && day) || day_of_year);
        const bool any_hour = hour || half_hour_count;
        if (!whole_day) return "it must name year, month and day";
        if (half_of_day && !half_hour_count) return "%p (AM, PM) goes with %I, not with %H";
        if (half_hour_count && !half_of_day) return "%I (12 hours) needs %p (AM, PM); 24 hours are %H";
        if ((minute || second || offset) && !any_hour) return "minutes, seconds and offsets need an hour";
        if (second && !minute) return "seconds need minutes";
        return {};
    }
};

std::string_view unknown_conversion_hint(char conversion) {
    switch (conversion) {
        case 'Z':
            return "names of zones are not understood; an offset such as +01:00 is %z, for the same zone everywhere "
                   "set dates.timezone";
        case 'f':
        case 'L':
            return "a fraction of a second is read with %S";
        case 'Q':
            return "milliseconds since 1970 need no format";
        default:
            return "conversions are %Y %y %m %d %b %B %j %H %I %p %M %S %z and %a";
    }
}

core::failure wrong_format(const std::string& format, std::string_view why) {
    return {core::errc::settings, fmt::format("dates.formats: {}: {}", shown(format), why)};
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool begins_fraction(std::string_view text) {
    return text.size() > 1 && (text[0] == '.' || text[0] == ',') && is_digit(text[1]);
}

bool names_utc(std::string_view format) {
    for (const std::string_view zone : {"UTC", "GMT", "Z"}) {
        if (!format.ends_with(zone)) continue;
        const std::string_view before = format.substr(0, format.size() - zone.size());
        return before.size() > 1 && (!is_letter(before.back()) || before[before.size() - 2] == '%');
    }
    return false;
}

}  // namespace

core::result<date_format> date_format::make(const std::string& text) {
    // A blank is a blank, in the date as well.
    const std::string format = plain_name(text);
    date_format made;
    made.format_ = format;
    if (format == "%s") {
        made.unix_time_ = true;
        return made;
    }
    contents found;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') continue;
        ++i;
        if (i == format.size()) return wrong_format(format, "it ends within a conversion; a percent sign is %%");
        const char conversion = format[i];
        if (known_conversions.find(conversion) == std::string_view::npos)
            return wrong_format(
                format, fmt::format("%{} is not understood; {}", conversion, unknown_conversion_hint(conversion)));
        found.add(conversion);
        if (conversion == 'S' || conversion == 'T') made.up_to_seconds_ = format.substr(0, i + 1);
    }
    if (const auto problem = found.problem(); !problem.empty()) return wrong_format(format, problem);
    // "%S.000" spells the fraction out.
    if (begins_fraction(std::string_view(format).substr(made.up_to_seconds_.size()))) made.up_to_seconds_.clear();
    made.in_utc_ = names_utc(format);
    if (made.in_utc_ && (found.offset || !(found.hour || found.half_hour_count)))
        return wrong_format(format, "a zone needs a time of day, and goes there once");
    return made;
}

milliseconds date_format::take_fraction(std::string& text) const {
    milliseconds fraction{0};
    if (up_to_seconds_.empty()) return fraction;
    std::tm ignored{};
    const char* const found = ::strptime(text.c_str(), up_to_seconds_.c_str(), &ignored);
    if (!found) return fraction;
    const auto begin = static_cast<std::size_t>(found - text.c_str());
    if (!begins_fraction(std::string_view(text).substr(begin))) return fraction;
    std::size_t end = begin + 1;
    for (int scale = 100; end < text.size() && is_digit(text[end]); ++end, scale /= 10)
        fraction += milliseconds((text[end] - '0') * scale);
    text.erase(begin, end - begin);
    return fraction;
}

// A number before the year 2000 is a spreadsheet's day number, or none.
std::optional<written_date> date_format::parse_unix_time(const std::string& text) {
    constexpr std::size_t most_digits = 11;  // the year 5138
    constexpr std::int64_t year_2000 = 946684800;
    const std::size_t digits =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    if (digits == 0 || digits > most_digits) return std::nullopt;
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + digits, seconds);
    milliseconds fraction{0};
    if (begins_fraction(std::string_view(text).substr(digits))) {
        std::size_t end = digits + 1;
        for (int scale = 100; end < text.size() && is_digit(text[end]); ++end, scale /= 10)
            fraction += milliseconds((text[end] - '0') * scale);
        if (end < text.size()) return std::nullopt;
    } else if (digits < text.size()) {
        return std::nullopt;
    }
    if (seconds < year_2000) return std::nullopt;
    const std::chrono::local_seconds at{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    return written_date{day, at - day + fraction, std::chrono::minutes(0)};
}

// strptime() and not the date library's parser: that one computes with a number that was never set when the text ends
// before the seconds.
std::optional<written_date> date_format::parse(const std::string& text) const {
    if (unix_time_) return parse_unix_time(text);
    std::string plain = text;
    const milliseconds fraction = take_fraction(plain);

    // Values that no text has stand for what the text does not give.
    constexpr int none = std::numeric_limits<int>::min();
    constexpr long no_offset = std::numeric_limits<long>::min();
    std::tm t{};
    t.tm_year = t.tm_mon = t.tm_hour = t.tm_wday = none;
    t.tm_gmtoff = no_offset;
    const char* const end = ::strptime(plain.c_str(), format_.c_str(), &t);
    if (!end || end != plain.c_str() + plain.size()) return std::nullopt;

    // A year of fewer digits than four is one that should have been read with %y.
    if (t.tm_year < 1000 - 1900 || t.tm_year > 9999 - 1900 || t.tm_mon < 0 || t.tm_mday < 1 || t.tm_sec > 59)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{t.tm_year + 1900},
                                           std::chrono::month{static_cast<unsigned>(t.tm_mon) + 1},
                                           std::chrono::day{static_cast<unsigned>(t.tm_mday)}};
    if (!date.ok()) return std::nullopt;
    const std::chrono::local_days day{date};
    if (t.tm_wday != none && std::chrono::weekday(day).c_encoding() != static_cast<unsigned>(t.tm_wday))
        return std::nullopt;
    written_date found{day, std::nullopt, std::nullopt};
    if (t.tm_hour != none)
        found.time =
            std::chrono::hours{t.tm_hour} + std::chrono::minutes{t.tm_min} + std::chrono::seconds{t.tm_sec} + fraction;
    if (in_utc_)
        found.offset = std::chrono::minutes(0);
    else if (t.tm_gmtoff != no_offset)
        found.offset = std::chrono::floor<std::chrono::minutes>(std::chrono::seconds{t.tm_gmtoff});
    // strptime() takes +67:45 for an offset.
    if (found.offset && std::chrono::abs(*found.offset) >= std::chrono::hours(24)) return std::nullopt;
    return found;
}

}  // namespace taskbarge::reader
