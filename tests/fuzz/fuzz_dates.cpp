// Due dates: whatever is understood can be written as RFC 3339 and read back as the same instant. Where there are two
// lines the first is a format of its own.
#include <cstdlib>
#include <string>
#include <string_view>

#include "reader/due_dates.hpp"

namespace {

using namespace taskbarge;

void read_by_format(const std::string& format, const std::string& text) {
    const auto made = reader::date_format::make(format);
    if (!made) {
        if (made.error().code != core::errc::settings || made.error().text.find('\n') != std::string::npos)
            std::abort();
        return;
    }
    const auto found = made->parse(text);
    if (!found) return;
    using namespace std::chrono_literals;
    if (found->time && (*found->time < 0ms || *found->time >= 24h)) std::abort();
    if (found->offset && (*found->offset < -24h || *found->offset > 24h)) std::abort();
    if (!std::chrono::year_month_day(found->day).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto dates = reader::due_dates::make(
        {"America/New_York", "09:00", {"%m/%d/%Y %H:%M", "%d.%m.%Y", "%A %d %B %Y %I %p", "%Y%j %T %z", "%s"}},
        *core::parse_rfc3339("2025-03-07T12:00:00Z"));
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto first = text.find('\n'); first != std::string_view::npos) {
        read_by_format(std::string(text.substr(0, first)), std::string(text.substr(first + 1)));
        return 0;
    }
    core::instant at{};
    if (dates->read(text, at)) return 0;
    if (core::parse_rfc3339(core::to_rfc3339(at)) != at) std::abort();
    return 0;
}
