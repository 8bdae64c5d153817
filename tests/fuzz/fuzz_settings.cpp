// A settings file of any bytes is loaded or refused with a text.
#include <cstdlib>

#include "fuzz/memory_input.hpp"
#include "taskbarge/core/settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace taskbarge;
    const fuzz::memory_input file(data, size);
    core::settings_sources sources;
    sources.file = file.path();
    sources.environment["HOME"] = "/tmp";
    const auto loaded = core::load_settings(sources);
    if (!loaded && (loaded.error().code != core::errc::settings || loaded.error().text.empty())) std::abort();
    if (loaded && core::identity_text(loaded->value).empty()) std::abort();
    return 0;
}
