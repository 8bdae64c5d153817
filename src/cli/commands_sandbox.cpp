#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/text.hpp"

namespace taskbarge::cli {

namespace {

// Lines that can be pasted into a shell; scripts read them up to the empty line. With `env` they set what the other
// commands read.
std::string ready_text(const sandbox::sandbox_ready& ready, bool env) {
    const auto line = [](std::string_view name, const std::string& value) {
        return fmt::format("{}={}\n", name, shell_word(value));
    };
    auto out = line(env ? "export TASKBARGE_APOLLO_BASE_URL" : "base_url", ready.base_url);
    if (!ready.ca_file.empty()) out += line(env ? "export TASKBARGE_APOLLO_CA_FILE" : "ca_file", ready.ca_file);
    return out + line(env ? "export APOLLO_API_KEY" : "APOLLO_API_KEY", ready.api_key) + '\n';
}

}  // namespace

exit_code sandbox_command(const options& o) {
    const auto done = sandbox::run_sandbox(o.sandbox, [&o](const sandbox::sandbox_ready& ready) {
        const auto printed = print(ready_text(ready, o.sandbox_env));
        if (!printed) complain(printed.error().text);
    });
    if (done) return exit_code::done;
    complain(done.error().text);
    return exit_code_of(done.error().code);
}

}  // namespace taskbarge::cli
