// Due dates: whatever is understood can be written as RFC 3339 and read back as the same instant.
#include <cstdlib>
#include <string_view>

#include "reader/due_dates.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace taskbarge;
    static auto dates = reader::due_dates::make(
        {"America/New_York", "09:00", {"%m/%d/%Y %H:%M", "%d.%m.%Y", "%A %d %B %Y %I %p", "%Y%j %T %z", "%s"}},
        *core::parse_rfc3339("2025-03-07T12:00:00Z"));
    core::instant at{};
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (dates->read(text, at)) return 0;
    if (core::parse_rfc3339(core::to_rfc3339(at)) != at) std::abort();
    return 0;
}
