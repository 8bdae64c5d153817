#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <random>
#include <stdexcept>

#include "cli/api_key.hpp"
#include "cli/commands.hpp"
#include "cli/observer.hpp"
#include "cli/output_file.hpp"
#include "cli/signals.hpp"
#include "taskbarge/core/files.hpp"
#include "taskbarge/core/shortage.hpp"

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;

// A core dump would hold the API key and people's contacts, and lie about in a folder, or be sent in with a crash
// report. The limit keeps it from being a file; only the flag keeps it from a program to which
// /proc/sys/kernel/core_pattern pipes it, for which the limit does not count. The flag also keeps other processes of
// the same user from reading this one's memory, and makes its files in /proc root's for all but itself: /proc/self,
// which the ledger in memory and the metrics use, goes on to work for any user, and so does systemd. Only root can
// attach a debugger.
void keep_memory_private() {
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);  // lowering cannot fail
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Some supervisors start a program without standard descriptors. The next file that it opens, perhaps the ledger's lock
// or results, would then be taken for one of them and get its messages. Read-only for 1 and 2: what is written there is
// lost, and a result that was to be printed is an error, not a success.
void open_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(descriptor, F_GETFD) != -1) continue;
        // The lowest number that is free, which is this one.
        if (::open("/dev/null", O_RDONLY) != descriptor) ::_exit(static_cast<int>(cli::exit_code::bug));
    }
}

// What an exception ends in that no caller is left for: one of a thread, or one before run(). The ledger is as whole as
// after a kill. Allocates nothing: memory may be what is missing.
[[noreturn]] void end_at_once() {
    try {
        if (const auto what = std::current_exception()) std::rethrow_exception(what);
    } catch (const std::exception& e) {
        const auto shortage = core::shortage_text(e);
        const bool bug = shortage.empty();
        for (const std::string_view text : {std::string_view("taskbarge: "), bug ? e.what() : shortage,
                                            std::string_view(bug ? " (this is a bug)\n" : "\n")})
            (void)core::write_all(STDERR_FILENO, text);
        if (!bug) ::_exit(static_cast<int>(cli::exit_code::parked));
    } catch (...) {
    }
    std::abort();
}

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
        case command::init:
            return cli::init_command(o, p);
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
        case command::contacts_load:
        case command::contacts_refresh:
        case command::contacts_status:
        case command::contacts_find:
            return cli::contacts_command(o, p);
        case command::doctor:
            return cli::doctor_command(o, p);
        case command::ledger_check:
            return cli::ledger_check_command(o, p);
        case command::ledger_accept:
        case command::ledger_trust:
            return cli::ledger_command(o, p);
        case command::config_check:
        case command::config_show:
            return cli::config_command(o, p);
        case command::serve:
            return cli::serve_command(o, p);
        case command::sandbox:
            return cli::sandbox_command(o);
    }
    throw std::logic_error("a command without a function");
}

// An exception that came this far has no better place to be told.
cli::exit_code run(const cli::options& o, const cli::program& p, taskbarge::job::stop_control& stop) {
    std::optional<cli::signal_watch> watch;
    core::failure why;
    try {
        // These two wait for the signals themselves.
        if (o.command != cli::command::sandbox && o.command != cli::command::serve) watch.emplace(stop);
        return dispatch(o, p);
    } catch (const std::exception& e) {
        why = core::failure_of(e);
    }
    return cli::end(o, p, nullptr, why);
}

int end_early(const cli::early_end& end) {
    cli::write_stderr(end.err);
    return static_cast<int>(cli::deliver(end.out, static_cast<cli::exit_code>(end.code)));
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_descriptors();
    keep_memory_private();
    std::set_terminate(end_at_once);
    std::signal(SIGPIPE, SIG_IGN);
    // A write past the limit of a file's size (ulimit -f) then fails, and parks as one to a full disk does.
    std::signal(SIGXFSZ, SIG_IGN);
    const auto parsed = cli::parse_options({argv + 1, argv + argc});
    if (const auto* end = std::get_if<cli::early_end>(&parsed)) return end_early(*end);
    const auto& options = std::get<cli::options>(parsed);
    taskbarge::job::stop_control stop;
    const cli::program program{cli::take_key_from_environment(),
                               cli::take_tokens_from_environment(),
                               environment(),
                               core::system_clock(),
                               stop,
                               std::random_device{}()};
    return static_cast<int>(run(options, program, stop));
}
