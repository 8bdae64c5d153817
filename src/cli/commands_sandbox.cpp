#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

// Lines that can be pasted into a shell; scripts read them up to the empty line.
std::string ready_text(const sandbox::sandbox_ready& ready) {
    auto out = fmt::format("base_url={}\n", shell_word(ready.base_url));
    if (!ready.ca_file.empty()) out += fmt::format("ca_file={}\n", shell_word(ready.ca_file));
    return out + fmt::format("APOLLO_API_KEY={}\n\n", shell_word(ready.api_key));
}

}  // namespace

exit_code sandbox_command(const options& o) {
    const auto done = sandbox::run_sandbox(o.sandbox, [](const sandbox::sandbox_ready& ready) {
        const auto printed = print(ready_text(ready));
        if (!printed) complain(printed.error().text);
    });
    if (done) return exit_code::done;
    complain(done.error().text);
    return exit_code_of(done.error().code);
}

}  // namespace taskbarge::cli
