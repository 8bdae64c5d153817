#include <unistd.h>

#include <csignal>
#include <new>
#include <random>
#include <stdexcept>

#include "cli/api_key.hpp"
#include "cli/commands.hpp"
#include "cli/observer.hpp"
#include "cli/output_file.hpp"
#include "cli/signals.hpp"

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> all;
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return all;
}

cli::exit_code dispatch(const cli::options& o, const cli::program& p) {
    using cli::command;
    switch (o.command) {
        case command::import:
            return cli::import_command(o, p);
        case command::plan:
            return cli::plan_command(o, p);
        case command::resume:
            return cli::resume_command(o, p);
        case command::retry:
        case command::verify:
        case command::cancel:
            return cli::job_command(o, p);
        case command::jobs:
            return cli::jobs_command(o, p);
        case command::status:
            return cli::status_command(o, p);
        case command::prune:
            return cli::prune_command(o, p);
        case command::results:
            return cli::results_command(o, p);
        case command::doctor:
            return cli::doctor_command(o, p);
        case command::ledger_check:
            return cli::ledger_check_command(o, p);
        case command::ledger_accept:
        case command::ledger_trust:
            return cli::ledger_command(o, p);
        case command::serve:
            return cli::serve_command(o, p);
        case command::sandbox:
            return cli::sandbox_command(o);
    }
    throw std::logic_error("a command without a function");
}

// An exception that came this far has no better place to be told.
cli::exit_code run(const cli::options& o, const cli::program& p) {
    core::failure why;
    try {
        return dispatch(o, p);
    } catch (const core::failure_exception& e) {
        why = e.why();
    } catch (const std::bad_alloc&) {
        why = {core::errc::internal, "out of memory; the ledger is whole, and the job can go on"};
    } catch (const std::exception& e) {
        why = {core::errc::internal, e.what()};
    }
    return cli::end(o, p, nullptr, why);
}

int end_early(const cli::early_end& end) {
    cli::write_stderr(end.err);
    return static_cast<int>(cli::deliver(end.out, static_cast<cli::exit_code>(end.code)));
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto parsed = cli::parse_options({argv + 1, argv + argc});
    if (const auto* end = std::get_if<cli::early_end>(&parsed)) return end_early(*end);
    const auto& options = std::get<cli::options>(parsed);
    taskbarge::job::stop_control stop;
    const cli::program program{cli::take_key_from_environment(),
                               cli::take_token_from_environment(),
                               environment(),
                               core::system_clock(),
                               stop,
                               std::random_device{}()};
    // These wait for the signals themselves.
    if (options.command == cli::command::sandbox || options.command == cli::command::serve)
        return static_cast<int>(run(options, program));
    const cli::signal_watch watch(stop);
    return static_cast<int>(run(options, program));
}
