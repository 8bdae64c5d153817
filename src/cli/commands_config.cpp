// config check and config show: the settings alone.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output_config.hpp"
#include "taskbarge/job/settings_check.hpp"

namespace taskbarge::cli {

exit_code config_command(const options& o, const program& p) {
    const auto found = job::examine_settings(sources_of(o, p), p.clock.now());
    for (const auto& warning : found.loaded.warnings)
        complain("warning: " + warning);
    for (const auto& problem : found.problems)
        complain(problem.text);
    const auto code = found.problems.empty() ? exit_code::done : exit_code_of(found.problems.front().code);
    if (o.command == command::config_show) {
        // What is in force where a value is wrong is nothing: no command would go on.
        if (code != exit_code::done) return code;
        return deliver(o.json ? settings_json(found.loaded, code) : settings_text(core::show_settings(found.loaded)),
                       code);
    }
    if (o.json) return deliver(config_check_json(found, code), code);
    if (o.quiet || code != exit_code::done) return code;
    const auto& file = found.loaded.file;
    return deliver(file.empty() ? std::string("The settings are good. There is no settings file.\n")
                                : fmt::format("The settings are good: {}\n", file),
                   code);
}

}  // namespace taskbarge::cli
