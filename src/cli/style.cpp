#include "cli/style.hpp"

#include <date/tz.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

// "2026-11-23 02:31:22" in the zone. The settings were checked, so that it is known; were it not, UTC does.
std::string local_text(core::instant t, const std::string& zone) {
    if (zone.empty()) return {};
    try {
        const auto local = date::locate_zone(zone)->to_local(std::chrono::floor<std::chrono::seconds>(t));
        return date::format("%F %T", local);
    } catch (const std::exception&) {
        return {};
    }
}

std::string_view day_of(std::string_view stamp) {
    return stamp.substr(0, 10);
}

// The local time in brackets, with its day unless that is the one which the reader has in mind.
std::string beside(const std::string& local, std::string_view day, const std::string& zone) {
    if (local.empty()) return {};
    return fmt::format(" ({} {})", day_of(local) == day ? local.substr(11) : local, zone);
}

bool is_variable_set(const char* name) {
    const char* value = std::getenv(name);
    return value && *value != '\0';
}

}  // namespace

std::string style::bad(std::string_view text) const {
    return colours ? fmt::format("\x1b[31m{}\x1b[0m", text) : std::string(text);
}

std::string style::bad_if(std::uint64_t count, std::string_view text) const {
    return count == 0 ? std::string(text) : bad(text);
}

std::string style::time(core::instant t, core::instant now) const {
    return clock_time(t, now) + beside(local_text(t, zone), day_of(local_text(now, zone)), zone);
}

std::string style::stamp(core::instant t) const {
    const auto utc = core::to_rfc3339_seconds(t);
    return utc + beside(local_text(t, zone), day_of(utc), zone);
}

std::string style::local_stamp(core::instant t) const {
    return local_text(t, zone);
}

std::string style::explained(std::string_view head, std::size_t width, std::string_view message) const {
    constexpr std::size_t below = 13;
    if (columns == 0 || width + 2 + message.size() <= columns) return fmt::format("{}  {}\n", head, message);
    return fmt::format("{}\n{}{}\n", head, std::string(below, ' '), wrapped(message, columns, below));
}

std::string style::fitted(std::string_view line) const {
    constexpr std::size_t dots = 3;
    if (columns == 0 || line.size() <= columns) return std::string(line);
    return printable(line, columns > dots ? columns - dots : columns);
}

bool can_redraw(int descriptor) {
    const char* terminal = std::getenv("TERM");
    return terminal && std::string_view(terminal) != "dumb" && ::isatty(descriptor) != 0;
}

std::size_t columns_of(int descriptor) {
    if (::isatty(descriptor) == 0) return 0;
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

style style_of(int descriptor, const std::string& zone) {
    return {columns_of(descriptor), can_redraw(descriptor) && !is_variable_set("NO_COLOR"), zone};
}

}  // namespace taskbarge::cli
