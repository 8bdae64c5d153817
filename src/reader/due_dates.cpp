#include "reader/due_dates.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

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

fault not_understood(std::string_view text, bool has_formats) {
    return bad_date(
        "invalid_due_at",
        fmt::format("{} is no date that is understood; write it like 2025-02-15T10:00:00Z or with an offset{}",
                    shown(text), has_formats ? "" : ", or name its form in dates.formats, such as \"%m/%d/%Y %H:%M\""));
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

// Only years that RFC 3339 can write.
bool in_range(core::instant t) {
    using namespace std::chrono;
    return t >= sys_days{year{0} / January / 1} && t < sys_days{year{9999} / December / 31} + days{1};
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
    if (const auto t = core::parse_rfc3339(text)) {
        out = *t;
        return in_range(out) ? std::nullopt : std::optional(not_understood(text, true));
    }
    if (const auto d = parse_iso_date(text)) return place(text, *d, out);
    if (text.starts_with('+')) return read_relative(text, out);
    if (const auto d = read_by_formats(std::string(text))) return place(text, *d, out);
    return not_understood(text, !settings_.formats.empty());
}

std::optional<fault> due_dates::place(std::string_view text, const written_date& d, core::instant& out) const {
    const auto time = d.time ? d.time : time_;
    if (d.time && d.offset) {
        out = core::instant(d.day.time_since_epoch()) + *d.time - *d.offset;
        return in_range(out) ? std::nullopt : std::optional(not_understood(text, true));
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
        return in_range(out) ? std::nullopt : std::optional(not_understood(text, true));
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
