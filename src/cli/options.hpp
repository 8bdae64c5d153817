// The command line: what was asked for, or what to tell the person who asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "taskbarge/core/state.hpp"
#include "taskbarge/report/results_writer.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::cli {

enum class command {
    init,
    import,
    plan,
    jobs,
    status,
    results,
    resume,
    retry,
    verify,
    cancel,
    prune,
    doctor,
    contacts_load,
    contacts_refresh,
    contacts_status,
    contacts_find,
    ledger_check,
    ledger_accept,
    ledger_trust,
    config_check,
    config_show,
    serve,
    sandbox
};

// By which words jobs are listed: that of their state as people see it, or `unfinished`.
enum class job_word { planning, running, parked, completed, failed, pruned, unfinished };

struct results_options {
    report::results_format format = report::results_format::csv;
    std::vector<core::row_state> only;  // empty: all
    std::string output;                 // empty: standard output
    bool rejects = false;
};

struct prune_options {
    std::chrono::milliseconds older_than{0};
    bool forget_keys = false;
    bool with_unknown = false;
    bool jobs = true;       // those that are old enough
    bool contacts = false;  // forgets what is known of Apollo's contacts
};

struct options {
    cli::command command = command::import;

    // where settings come from
    std::optional<std::string> config;
    std::vector<std::pair<std::string, std::string>> named;  // section.key, value
    std::vector<std::string> sets;

    bool json = false;
    bool quiet = false;

    // import, plan
    std::vector<std::string> files;
    std::uint64_t first_rows = 0;
    bool again = false;
    std::string settings_output;  // init: where the settings go
    bool replace = false;         // init: an earlier file there
    bool dry_run = false;         // import: then `command` is plan; prune

    bool whole_list = false;  // contacts refresh
    std::string contact_key;  // contacts find

    std::optional<core::job_id> job;
    std::vector<job_word> states;  // jobs; empty: all
    bool attempts = false;         // status
    bool watch = false;            // status
    bool resend_unknown = false;   // retry
    results_options results;       // plan: its rejects and their file
    prune_options prune;
    sandbox::sandbox_options sandbox;
    bool sandbox_env = false;  // what it prints can be sourced
};

// The program ends at once: text for standard output (help, version) or standard error (a usage error).
struct early_end {
    int code = 0;
    std::string out;
    std::string err;
};

// Reads the arguments without the program's name. Touches nothing outside.
std::variant<options, early_end> parse_options(const std::vector<std::string>& arguments);

// The names of all commands, for tests of their help.
std::vector<std::string> command_names();

}  // namespace taskbarge::cli
