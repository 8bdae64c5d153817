#include "reader/due_dates.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "reader/invisible.hpp"
#include "reader/text.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {
namespace {

using std::chrono::milliseconds;
using local_time = date::local_time<milliseconds>;

fault bad_date(std::string code, std::string message) {
    return {std::move(code), std::move(message), field::due_at};
}

// A local time as RFC 3339 with the offset that `info` gives.
std::string with_offset(local_time t, const date::sys_info& info) {
    const auto offset = std::chrono::floor<std::chrono::minutes>(info.offset);
    const auto size = std::chrono::abs(offset);
    return date::format("%FT%T", std::chrono::floor<std::chrono::seconds>(t)) +
           fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', size.count() / 60, size.count() % 60);
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), core::is_digit);
}

// The whole part of a number of digits, with a fraction perhaps; empty: it is none.
std::string_view whole_part(std::string_view text) {
    const auto point = text.find_first_of(".,");
    if (point == std::string_view::npos) return all_digits(text) ? text : std::string_view();
    const std::string_view whole = text.substr(0, point);
    return all_digits(whole) && all_digits(text.substr(point + 1)) ? whole : std::string_view();
}

std::string day_text(std::chrono::sys_days day) {
    return core::to_rfc3339_seconds(core::instant(day)).substr(0, 10);
}

// What a number that is no date most likely is.
std::string number_hint(std::string_view text) {
    constexpr std::size_t day_number = 5, seconds = 10, milli = 13, micro = 16, nano = 19;
    const std::string_view whole = whole_part(text);
    std::int64_t number = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), number);
    using namespace std::chrono;
    if (whole.size() == day_number && number >= 20'000)
        return fmt::format("it looks like a spreadsheet's day number ({}); format its column as dates and export again",
                           day_text(sys_days{year{1899} / December / 30} + days{number}));
    if (whole.size() == seconds)
        return fmt::format("it looks like seconds since 1970 ({}); name \"%s\" in dates.formats",
                           core::to_rfc3339_seconds(core::instant(std::chrono::seconds(number))));
    if (whole.size() == milli)
        return "it looks like milliseconds since 1970, but of no year from 2001 to 2100; correct it";
    if (whole.size() == micro || whole.size() == nano)
        return fmt::format("it looks like {} since 1970; write milliseconds (13 digits)",
                           whole.size() == micro ? "microseconds" : "nanoseconds");
    const auto is_power = [](char c) { return c == 'E' || c == 'e'; };
    if (const auto power = std::find_if(text.begin(), text.end(), is_power);
        power != text.end() && !whole_part({text.begin(), power}).empty())
        return "it looks like a number that a spreadsheet has rounded; format its column as text and export again";
    return {};
}

fault not_understood(std::string_view text, const std::vector<std::string>& formats) {
    if (const auto hint = number_hint(text); !hint.empty())
        return bad_date("invalid_due_at", fmt::format("{} is no date; {}", shown(text), hint));
    std::string where;
    if (formats.empty()) where = ", or name its form in dates.formats, such as \"%m/%d/%Y %H:%M\"";
    std::vector<std::string> all;
    for (const std::string& format : formats)
        all.push_back(shown(format));
    if (!all.empty()) where = fmt::format("; it fits none of dates.formats: {}", listed(all));
    return bad_date(
        "invalid_due_at",
        fmt::format("{} is no date that is understood; write it like 2025-02-15T10:00:00Z or with an offset{}",
                    shown(text), where));
}

fault no_date(std::string_view text) {
    return bad_date("invalid_due_at",
                    fmt::format("{} is how programs write that there is no date; empty the cell, then defaults.due_at "
                                "counts",
                                shown(text)));
}

// The days from which programs count: the first of all, 1753, 1900 and its eve (spreadsheets), 1970; and the last of
// all. No task is due before 1902.
bool stands_for_no_date(core::instant at) {
    using namespace std::chrono;
    return at < sys_days{year{1902} / January / 1} || at == core::instant{} ||
           at >= sys_days{year{9999} / December / 31};
}

// Such dates written so that they are none: "0000-00-00 00:00:00", "1900-01-00", "1/0/1900", "0".
bool written_as_no_date(std::string_view text) {
    const std::string_view day = text.substr(0, text.find_first_of(" T"));
    std::array<int, 3> numbers{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < day.size(); ++count) {
        const auto end = std::min(day.find_first_of("-/.", i), day.size());
        const std::string_view part = day.substr(i, end - i);
        constexpr std::size_t longest = 8;
        if (count == numbers.size() || !all_digits(part) || part.size() > longest) return false;
        std::from_chars(part.data(), part.data() + part.size(), numbers[count]);
        i = end + 1;
    }
    std::sort(numbers.begin(), numbers.end());
    constexpr std::array<std::array<int, 3>, 4> none{{{0, 0, 0}, {1, 1, 1}, {0, 0, 1900}, {0, 1, 1900}}};
    return count > 0 && std::find(none.begin(), none.end(), numbers) != none.end();
}

// Of the beginning, the middle and the end, which is all of most dates.
std::size_t hash_of(std::string_view text) {
    const char* const p = text.data();
    std::uint64_t h = text.size();
    if (text.size() < 8) {
        for (const char c : text)
            h = h * 31 + static_cast<unsigned char>(c);
    } else {
        constexpr std::uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xe7037ed1a0b428dbu, k2 = 0x8ebc6af09c88c6e3u;
        h = (h + eight_bytes(p)) * k0 ^ eight_bytes(p + text.size() / 2 - 4) * k1 ^
            eight_bytes(p + text.size() - 8) * k2;
    }
    return static_cast<std::size_t>(h ^ h >> 32) * 0x9e3779b97f4a7c15u >> 32;
}

std::string nearest_zone(std::string_view unknown) {
    std::vector<std::string> names;
    for (const auto& zone : date::get_tzdb().zones)
        names.push_back(zone.name());
    const auto found = nearest(unknown, names);
    return found.empty() ? "" : "; the nearest is " + shown(found);
}

}  // namespace

core::result<due_dates> due_dates::make(const core::date_settings& settings, core::instant now) {
    due_dates d;
    d.settings_ = settings;
    d.now_ = now;
    if (!settings.timezone.empty()) {
        try {
            d.zone_ = date::locate_zone(settings.timezone);
        } catch (const std::exception&) {
            return core::failure{
                core::errc::settings,
                fmt::format("dates.timezone: {} is no zone of this machine's time zone database; write an "
                            "IANA name such as \"America/New_York\" (package tzdata){}",
                            shown(settings.timezone), nearest_zone(settings.timezone))};
        }
    }
    if (!settings.time.empty()) {
        d.time_ = parse_time_of_day(settings.time);
        if (!d.time_)
            return core::failure{
                core::errc::settings,
                fmt::format("dates.time: {} is no time of day; write it like \"09:00\"", shown(settings.time))};
    }
    for (const std::string& text : settings.formats) {
        auto format = date_format::make(text);
        if (!format) return format.error();
        d.formats_.push_back(std::move(*format));
    }
    return d;
}

std::optional<fault> due_dates::read(std::string_view text, core::instant& out) {
    if (text.size() > sizeof(remembered::text)) return read_uncached(text, out);
    remembered& slot = (*memory_)[hash_of(text) % remembered_count];
    if (slot.size == text.size() && !text.empty() && same_bytes(slot.text.data(), text.data(), text.size())) {
        out = slot.at;
        return std::nullopt;
    }
    if (auto f = read_uncached(text, out)) return f;
    std::memcpy(slot.text.data(), text.data(), text.size());
    slot.size = text.size();
    slot.at = out;
    return std::nullopt;
}

std::optional<fault> due_dates::read_uncached(std::string_view text, core::instant& out) {
    // A blank of another kind is a blank, and what does not show is nothing: both come from dates for people.
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        const std::string plain = plain_name(text);
        if (plain.size() < text.size()) return read_uncached(plain, out);
    }
    if (const auto t = core::parse_rfc3339(text)) {
        out = *t;
        return stands_for_no_date(out) ? std::optional(no_date(text)) : std::nullopt;
    }
    if (const auto d = parse_iso_date(text)) return place(text, *d, out);
    if (text.starts_with('+')) return read_relative(text, out);
    if (const auto d = read_by_formats(std::string(text))) return place(text, *d, out);
    if (read_milliseconds(text, out)) return std::nullopt;
    if (written_as_no_date(text)) return no_date(text);
    return not_understood(text, settings_.formats);
}

// 13 digits, as HubSpot and JavaScript write times: from 2001 to 2100 nothing else looks like that.
bool due_dates::read_milliseconds(std::string_view text, core::instant& out) {
    constexpr std::size_t digits = 13;
    const std::string_view whole = whole_part(text);
    std::int64_t number = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), number);
    const core::instant at{milliseconds(number)};
    using namespace std::chrono;
    if (whole.size() != digits || whole.front() == '0' || at >= sys_days{year{2101} / January / 1}) return false;
    out = at;
    return true;
}

std::optional<fault> due_dates::place(std::string_view text, const written_date& d, core::instant& out) const {
    const auto time = d.time ? d.time : time_;
    const core::instant written = core::instant(d.day.time_since_epoch()) + d.time.value_or(milliseconds(0));
    if (stands_for_no_date(written - d.offset.value_or(std::chrono::minutes(0))) || stands_for_no_date(written))
        return no_date(text);
    if (d.time && d.offset) {
        out = core::instant(d.day.time_since_epoch()) + *d.time - *d.offset;
        return std::nullopt;
    }
    if (!zone_)
        return bad_date(
            "due_at_without_zone",
            fmt::format("{} does not say in which time zone it is; write it like 2025-02-15T10:00:00-05:00, or "
                        "set dates.timezone, such as \"America/New_York\"{}",
                        shown(text), time ? "" : ", and dates.time"));
    if (!time)
        return bad_date(
            "due_at_without_time",
            fmt::format("{} has no time of day; write it like 2025-02-15T10:00:00Z, or set dates.time, such as "
                        "\"09:00\"",
                        shown(text)));
    return place_local(text, d.day, *time, out);
}

std::optional<fault> due_dates::place_local(std::string_view text, std::chrono::local_days day, milliseconds time,
                                            core::instant& out) const {
    const local_time local{day.time_since_epoch() + time};
    const date::local_info info = zone_->get_info(local);
    if (info.result == date::local_info::unique) {
        out = core::instant(local.time_since_epoch() - info.first.offset);
        return std::nullopt;
    }
    const bool skipped = info.result == date::local_info::nonexistent;
    return bad_date(skipped ? "due_at_skipped" : "due_at_ambiguous",
                    fmt::format("{} {} in {}, where the clocks change then; write {} or {}", shown(text),
                                skipped ? "does not exist" : "is there twice", settings_.timezone,
                                with_offset(local, info.first), with_offset(local, info.second)));
}

std::optional<fault> due_dates::read_relative(std::string_view text, core::instant& out) {
    int count = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + 1, last, count);
    constexpr int farthest = 36500;  // a hundred years: more is a mistake
    if (error != std::errc() || end + 1 != last || (*end != 'd' && *end != 'D') || count < 0 || count > farthest)
        return bad_date(
            "invalid_due_at",
            fmt::format("{} is no date that is understood; relative ones are whole days, such as +3d", shown(text)));
    if (!zone_ || !time_)
        return bad_date("relative_due_at_needs_settings",
                        fmt::format("{} needs both dates.timezone and dates.time; set them, such as "
                                    "\"America/New_York\" and \"09:00\"",
                                    shown(text)));
    used_relative_ = true;
    const auto today = std::chrono::floor<date::days>(zone_->to_local(now_));
    return place_local(text, std::chrono::local_days{today.time_since_epoch()} + date::days{count}, *time_, out);
}

std::optional<written_date> due_dates::read_by_formats(const std::string& text) const {
    for (const date_format& format : formats_)
        if (const auto found = format.parse(text)) return found;
    return std::nullopt;
}

std::string day_of(const core::date_settings& dates, core::instant now) {
    // An unknown zone is refused when the input is opened; until then the day is UTC's.
    const date::time_zone* zone = nullptr;
    try {
        if (!dates.timezone.empty()) zone = date::locate_zone(dates.timezone);
    } catch (const std::runtime_error&) {
        zone = nullptr;
    }
    return zone != nullptr ? date::format("%F", std::chrono::floor<date::days>(zone->to_local(now)))
                           : date::format("%F", std::chrono::floor<date::days>(now));
}

}  // namespace taskbarge::reader
