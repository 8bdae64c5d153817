// serve: the service, until it is asked to stop.
#include <fmt/format.h>

#include "cli/api_key.hpp"
#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "taskbarge/job/settings_check.hpp"
#include "taskbarge/service/service.hpp"

namespace taskbarge::cli {

namespace {

core::result<service::configuration> load_configuration(const options& o, const program& p) {
    auto loaded = load(o, p);
    if (!loaded) return loaded.error();
    service::configuration c;
    c.settings = std::move(loaded->value);
    c.warnings = std::move(loaded->warnings);
    auto key = load_key(p.key, c.settings, c.warnings);
    if (!key) return key.error();
    auto tokens = load_tokens(p.tokens, c.settings, c.warnings);
    if (!tokens) return tokens.error();
    auto secret = load_notify_secret(c.settings, c.warnings);
    if (!secret) return secret.error();
    c.key = std::move(*key);
    c.token = std::move(tokens->all);
    c.read_token = std::move(tokens->reading);
    c.notify_secret = std::move(*secret);
    return c;
}

}  // namespace

exit_code serve_command(const options& o, const program& p) {
    const service::serve_options options{[&] { return load_configuration(o, p); }, p.clock, p.seed, TASKBARGE_VERSION,
                                         [](const std::string& where) {
                                             const auto printed = print(fmt::format("listen={}\n\n", where));
                                             if (!printed) complain(printed.error().text);
                                         }};
    const auto done = service::serve(options);
    if (done) return exit_code::done;
    complain(done.error().text);
    return exit_code_of(done.error().code);
}

}  // namespace taskbarge::cli
