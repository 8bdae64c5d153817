#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "cli/help.hpp"
#include "cli/help_page.hpp"
#include "cli/text.hpp"
#include "cli/usage.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/report/exit_code.hpp"

#ifndef TASKBARGE_VERSION
#error "the build gives the version"
#endif

namespace taskbarge::cli {

namespace {

constexpr const char* from_settings = "Settings";
// As wide as any terminal is.
constexpr std::size_t help_columns = 80;

// An option that is a setting: its value goes to load_settings under the setting's name.
CLI::Option* add_named(CLI::App& app, options& o, const std::string& flag, const std::string& setting,
                       const std::string& what) {
    return app
        .add_option_function<std::string>(
            flag, [&o, setting](const std::string& value) { o.named.emplace_back(setting, value); }, what)
        ->group(from_settings);
}

// A value that cannot be used, in our words.
[[noreturn]] void refuse(const std::string& text) {
    throw CLI::ValidationError(text);
}

// From 1.
std::int64_t read_number(const std::string& text, std::string_view what) {
    std::int64_t n = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, n);
    if (error != std::errc() || stop != end || n < 1)
        refuse(fmt::format("\"{}\" is no {}: a whole number from 1", text, what));
    return n;
}

std::string check_format(const std::string& text) {
    return text == "csv" || text == "jsonl" ? "" : fmt::format("\"{}\" is no format; csv or jsonl", text);
}

std::string check_set(const std::string& text) {
    const auto equals = text.find('=');
    const bool named = equals != std::string::npos && text.find('.') < equals;
    return named ? "" : "needs section.key=value";
}

std::string check_duration(const std::string& text) {
    return core::parse_duration(text) ? "" : "must be a duration with its unit, such as 90s or 65m";
}

// A look-up tells tasks of its own time from others by what the ledger knows of the last hours.
constexpr std::chrono::milliseconds least_age = std::chrono::hours(24);

std::string check_age(const std::string& text) {
    const auto age = core::parse_duration(text);
    if (!age) return check_duration(text);
    return *age >= least_age ? "" : "must be at least 1d";
}

void add_settings(CLI::App& app, options& o) {
    app.add_option_function<std::string>(
           "--config", [&o](const std::string& value) { o.config = value; },
           "Settings file, instead of ./taskbarge.toml or /etc/taskbarge/taskbarge.toml")
        ->type_name("FILE")
        ->group(from_settings);
    app.add_option("--set", o.sets, "A setting, as section.key=value; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->check(check_set)
        ->group(from_settings);
    add_named(app, o, "--ledger", "ledger.path", "The ledger file (ledger.path)")->type_name("FILE");
    add_named(app, o, "--base-url", "apollo.base_url", "Where the API is (apollo.base_url)")->type_name("URL");
    add_named(app, o, "--ca-file", "apollo.ca_file", "PEM file of the authorities to trust (apollo.ca_file)")
        ->type_name("PEM");
    add_named(app, o, "--max-wait", "send.max_wait", "A longer wait parks the job (send.max_wait)")
        ->type_name("DURATION")
        ->check(check_duration);
}

void add_reporting(CLI::App& app, options& o) {
    app.add_flag("--json", o.json, "One JSON object on standard output; all else goes to standard error");
    app.add_flag("-q,--quiet", o.quiet, "No progress and no summary; problems are still told");
}

void add_input(CLI::App& app, options& o) {
    app.add_option("FILE", o.files, "Input files, in this order; - is standard input")->required()->type_name("");
    app.add_option_function<std::string>(
           "--first",
           [&o](const std::string& text) {
               o.first_rows = static_cast<std::uint64_t>(read_number(text, "number of rows"));
           },
           "Only the first N rows, as a job of its own")
        ->type_name("N");
    add_named(app, o, "--format", "import.format", "csv or jsonl; without it found out (import.format)")
        ->type_name("csv|jsonl")
        ->check(check_format);
    app.add_flag_callback(
        "--accept-rejects", [&o] { o.named.emplace_back("import.max_rejects", "100%"); },
        "However many rows are rejected, the others count (import.max_rejects)");
}

void add_job(CLI::App& app, options& o, bool required) {
    app.add_option_function<std::string>(
           "JOB", [&o](const std::string& text) { o.job = read_number(text, "job number"); },
           "The job's number, as `taskbarge jobs` lists it")
        ->required(required)
        ->type_name("");
}

// Adds the command; its options go to `o` when it is the one that was given.
CLI::App& add_command(CLI::App& app, options& o, command c, const std::string& name, const std::string& what,
                      std::string_view footer) {
    CLI::App& sub = *app.add_subcommand(name, what);
    sub.footer(std::string(footer));
    sub.callback([&o, c] { o.command = c; });
    if (c != command::sandbox) add_settings(sub, o);
    return sub;
}

void add_init(CLI::App& app, options& o) {
    auto& init = add_command(app, o, command::init, "init", "Write settings for a kind of file, by what is in it",
                             help::init_footer);
    init.add_option("FILE", o.files, "The file; of several, the settings follow the first")->required()->type_name("");
    add_named(init, o, "--format", "import.format", "csv or jsonl; without it found out (import.format)")
        ->type_name("csv|jsonl")
        ->check(check_format);
    init.add_option("-o,--output", o.settings_output, "Where the settings go; without it ./taskbarge.toml")
        ->type_name("FILE");
    init.add_flag("--force", o.replace, "Replace the settings file that is there");
    init.add_flag("-q,--quiet", o.quiet, "No plan; problems are still told");
}

// The same options as of `results`.
void add_plan_rejects(CLI::App& plan, options& o) {
    auto* rejects = plan.add_flag("--rejects", o.results.rejects,
                                  "Write the rows that would be rejected plus an error column, to be mended");
    plan.add_option("-o,--output", o.results.output, "Write the rejects to this file, mode 0600")
        ->type_name("FILE")
        ->needs(rejects);
}

// On standard output there is room for the rejects of one sheet, and for nothing else.
std::string wrong_together(const options& o) {
    if (o.command != command::plan || !o.results.rejects || (!o.results.output.empty() && o.results.output != "-"))
        return "";
    if (o.json) return "--json and --rejects both need standard output; write the rejects with -o FILE";
    if (o.files.size() > 1) return "the rejects of several files need -o FILE: files with other columns get one each";
    return "";
}

void add_import_and_plan(CLI::App& app, options& o) {
    auto& loading = add_command(app, o, command::import, "import",
                                "Read files, group their rows, send them, finish; or go on with what was begun",
                                help::import_footer);
    add_input(loading, o);
    loading.add_flag("--again", o.again, "Make a new job although the same input has a finished one");
    add_reporting(loading, o);
    loading.add_flag("--dry-run", o.dry_run, "Only plan: the same as `taskbarge plan`");
    loading.callback([&o] { o.command = o.dry_run ? command::plan : command::import; });
    auto& plan =
        add_command(app, o, command::plan, "plan",
                    "Say what an import would do: rows, groups, requests, time; send nothing", help::plan_footer);
    add_input(plan, o);
    add_reporting(plan, o);
    add_plan_rejects(plan, o);
}

void add_doctor(CLI::App& app, options& o) {
    auto& doctor = add_command(app, o, command::doctor, "doctor",
                               "Check settings, key, rights, limits and clock against the API; create nothing",
                               help::doctor_footer);
    add_reporting(doctor, o);
}

void add_contacts(CLI::App& app, options& o) {
    CLI::App& group = *app.add_subcommand("contacts", "What is known of Apollo's contacts, for inputs without its ids");
    group.footer(std::string(help::contacts_footer));
    group.require_subcommand(1);
    auto& load =
        add_command(group, o, command::contacts_load, "load",
                    "Take in contacts that Apollo exported as CSV; asks Apollo nothing", help::contacts_load_footer);
    load.add_option("FILE", o.files, "Exports of contacts from Apollo; - is standard input")->required()->type_name("");
    add_reporting(load, o);
    auto& refresh = add_command(group, o, command::contacts_refresh, "refresh",
                                "Read from Apollo what has changed, or the whole list", help::contacts_refresh_footer);
    refresh.add_flag("--all", o.whole_list, "Read the whole list, not only what has changed");
    add_reporting(refresh, o);
    add_reporting(add_command(group, o, command::contacts_status, "status",
                              "How many contacts are known, how old that is, whether it is complete",
                              help::contacts_status_footer),
                  o);
    auto& find = add_command(group, o, command::contacts_find, "find",
                             "What is known of an e-mail, a CRM id or Apollo's id; asks Apollo nothing",
                             help::contacts_find_footer);
    find.add_option("KEY", o.contact_key, "An e-mail, an id of Salesforce, HubSpot or Apollo, a LinkedIn profile")
        ->required()
        ->type_name("");
    add_reporting(find, o);
}

void add_ledger(CLI::App& app, options& o) {
    CLI::App& group = *app.add_subcommand("ledger", "Look through the ledger, or go on with an older copy of it");
    group.footer(std::string(help::ledger_footer));
    group.require_subcommand(1);
    add_reporting(add_command(group, o, command::ledger_check, "check",
                              "Compare every row with its checksum; change nothing", help::ledger_check_footer),
                  o);
    add_reporting(
        add_command(group, o, command::ledger_accept, "accept",
                    "Go on with a ledger that is older than what was sent with it", help::ledger_accept_footer),
        o);
    add_reporting(add_command(group, o, command::ledger_trust, "trust",
                              "Send new inputs without a look-up again, after an accept", help::ledger_trust_footer),
                  o);
}

void add_config(CLI::App& app, options& o) {
    CLI::App& group = *app.add_subcommand("config", "Check the settings without network, or show those in force");
    group.footer(std::string(help::config_footer));
    group.require_subcommand(1);
    add_reporting(add_command(group, o, command::config_check, "check",
                              "Check all settings; names every mistake at once", help::config_check_footer),
                  o);
    auto& show = add_command(group, o, command::config_show, "show",
                             "Every setting with the value in force and where it comes from", help::config_show_footer);
    show.add_flag("--json", o.json, "One JSON object on standard output; all else goes to standard error");
}

std::optional<job_word> parse_job_word(std::string_view text) {
    constexpr std::pair<std::string_view, job_word> words[] = {
        {"planning", job_word::planning},    {"running", job_word::running}, {"parked", job_word::parked},
        {"completed", job_word::completed},  {"failed", job_word::failed},   {"pruned", job_word::pruned},
        {"unfinished", job_word::unfinished}};
    for (const auto& [word, value] : words)
        if (word == text) return value;
    return std::nullopt;
}

// "parked,failed" -> states of jobs.
void read_job_words(const std::string& list, std::vector<job_word>& states) {
    for (const auto& text : CLI::detail::split(list, ',')) {
        const auto word = parse_job_word(text);
        if (!word)
            refuse(
                fmt::format("--state: \"{}\" is no state of a job; there are unfinished, running, parked, failed, "
                            "completed, pruned, planning",
                            text));
        states.push_back(*word);
    }
}

void add_job_commands(CLI::App& app, options& o) {
    auto& jobs = add_command(app, o, command::jobs, "jobs", "List all jobs", help::jobs_footer);
    jobs.add_option_function<std::string>(
            "--state", [&o](const std::string& list) { read_job_words(list, o.states); },
            "Only jobs in these states, separated by commas: unfinished, running, parked, failed, completed, pruned, "
            "planning")
        ->type_name("STATE[,STATE]");
    add_reporting(jobs, o);
    auto& status =
        add_command(app, o, command::status, "status",
                    "One job: counts, commonest reasons, rate windows, what it waits for", help::status_footer);
    add_job(status, o, true);
    status.add_flag("--attempts", o.attempts, "Also list the job's requests");
    status.add_flag("--watch", o.watch, "Show it again and again until the job is over, or Ctrl-C");
    add_reporting(status, o);
    status.callback([&o] {
        o.command = command::status;
        if (o.json && (o.watch || o.attempts))
            refuse(fmt::format("{} and --json do not go together", o.watch ? "--watch" : "--attempts"));
    });
    auto& resume = add_command(app, o, command::resume, "resume",
                               "Go on with a job; without JOB finish every unfinished one", help::resume_footer);
    add_job(resume, o, false);
    add_reporting(resume, o);
    auto& retry = add_command(app, o, command::retry, "retry", "Send a job's failed rows again", help::retry_footer);
    add_job(retry, o, true);
    retry.add_flag("--resend-unknown", o.resend_unknown,
                   "Also send unknown rows that cannot be looked up; may make second tasks");
    add_reporting(retry, o);
    auto& verify = add_command(app, o, command::verify, "verify",
                               "Look up a job's unknown rows and settle what can be settled", help::verify_footer);
    add_job(verify, o, true);
    add_reporting(verify, o);
    auto& cancel = add_command(app, o, command::cancel, "cancel", "Give up a job's unsent rows", help::cancel_footer);
    add_job(cancel, o, true);
    add_reporting(cancel, o);
}

void add_prune(CLI::App& app, options& o) {
    auto& prune = add_command(app, o, command::prune, "prune",
                              "Drop rows, texts and requests of jobs that finished long ago", help::prune_footer);
    auto* age = prune.add_option_function<std::string>(
        "--older-than",
        [&o](const std::string& text) { o.prune.older_than = core::parse_duration(text).value_or(least_age); },
        "Only jobs that finished so long ago, such as 90d; at least 1d");
    age->type_name("DURATION")->check(check_age);
    prune.add_flag("--contacts", o.prune.contacts,
                   "Forget what is known of Apollo's contacts; it can be read from there again");
    prune.callback([&o, age] {
        o.command = command::prune;
        if (age->count() == 0 && !o.prune.contacts) refuse("--older-than is needed, such as --older-than 90d");
        o.prune.jobs = age->count() > 0;
    });
    prune.add_flag("--forget-keys", o.prune.forget_keys,
                   "Forget identity and de-duplication keys too: the same input is then new");
    prune.add_flag("--with-unknown", o.prune.with_unknown, "Also jobs with rows that are unknown");
    prune.add_flag("--dry-run", o.dry_run, "Only say what would be dropped");
    add_reporting(prune, o);
}

// "failed,unknown" -> states.
void read_states(const std::string& list, std::vector<core::row_state>& states) {
    for (const auto& word : CLI::detail::split(list, ',')) {
        const auto state = core::parse_row_state(word);
        if (!state)
            refuse(fmt::format(
                "--only: \"{}\" is no state; there are created, duplicate, rejected, failed, unknown, pending", word));
        states.push_back(*state);
    }
}

void add_results(CLI::App& app, options& o) {
    auto& results =
        add_command(app, o, command::results, "results", "One line per input record of a job", help::results_footer);
    add_job(results, o, true);
    results
        .add_option_function<std::string>(
            "--format",
            [&o](const std::string& text) {
                o.results.format = text == "jsonl" ? report::results_format::jsonl : report::results_format::csv;
            },
            "csv (default) or jsonl")
        ->type_name("csv|jsonl")
        ->check(check_format);
    results
        .add_option_function<std::string>(
            "--only", [&o](const std::string& list) { read_states(list, o.results.only); },
            "Only rows in these states, separated by commas")
        ->type_name("STATE[,STATE]");
    results.add_option("-o,--output", o.results.output, "Write to this file, mode 0600, instead of standard output")
        ->type_name("FILE");
    results.add_flag("--rejects", o.results.rejects,
                     "The rejected rows' original text plus an error column, to be mended and imported again");
    results.add_flag("-q,--quiet", o.quiet, "Tell nothing but problems");
    results.callback([&o, &results] {
        o.command = command::results;
        if (!o.results.rejects) return;
        if (std::any_of(o.results.only.begin(), o.results.only.end(),
                        [](core::row_state state) { return state != core::row_state::rejected; }))
            refuse("--rejects writes the rejected rows alone: leave --only out");
        if (results.count("--format") != 0)
            refuse("--rejects writes the rows in the format of their file: leave --format out");
    });
}

void add_serve(CLI::App& app, options& o) {
    auto& sub = add_command(app, o, command::serve, "serve", "The service: a watched folder, a control API and metrics",
                            help::serve_footer);
    sub.add_option_function<std::string>(
           "--listen", [&o](const std::string& v) { o.named.emplace_back("serve.listen", v); },
           "Where the control API listens")
        ->type_name("ADDRESS:PORT");
    sub.add_option_function<std::string>(
           "--inbox", [&o](const std::string& v) { o.named.emplace_back("serve.inbox", v); }, "The folder to watch")
        ->type_name("FOLDER");
}

// Three numbers or durations, for the minute, hour and day window.
template <class T, class Read>
void add_three(CLI::App& app, const std::string& flag, std::array<T, 3>& into, const std::string& what, Read read) {
    app.add_option_function<std::string>(
           flag,
           [&into, flag, read](const std::string& list) {
               const auto parts = CLI::detail::split(list, ',');
               if (parts.size() != into.size()) refuse(flag + " needs three values: minute,hour,day");
               for (std::size_t i = 0; i < parts.size(); ++i) {
                   const std::optional<T> value = read(parts[i]);
                   if (!value) refuse(fmt::format("{}: cannot read \"{}\"", flag, parts[i]));
                   into[i] = *value;
               }
           },
           what)
        ->type_name("M,H,D");
}

void add_duration(CLI::App& app, const std::string& flag, std::chrono::milliseconds& into, const std::string& what) {
    app.add_option_function<std::string>(
           flag, [&into](const std::string& text) { into = core::parse_duration(text).value_or(into); }, what)
        ->type_name("DURATION")
        ->check(check_duration);
}

void add_sandbox(CLI::App& app, options& o) {
    auto& s = o.sandbox;
    auto& sub =
        add_command(app, o, command::sandbox, "sandbox",
                    "A local Apollo with TLS, rate windows and faults, for trying out and tests", help::sandbox_footer);
    const auto number = [](const std::string& text) -> std::optional<std::uint64_t> {
        std::uint64_t n = 0;
        return CLI::detail::lexical_cast(text, n) ? std::optional(n) : std::nullopt;
    };
    const auto duration = [](const std::string& text) { return core::parse_duration(text); };
    const auto several = [&sub](const std::string& flag, std::vector<std::string>& into, const std::string& what,
                                const std::string& type) {
        sub.add_option(flag, into, what)->type_name(type)->allow_extra_args(false);
    };
    sub.add_option("--listen", s.listen, "Loopback address and port; port 0: any free one")->type_name("ADDRESS:PORT");
    sub.add_flag("--env", o.sandbox_env,
                 "Print lines that a shell can source, so that commands need no options for it");
    sub.add_option("--state", s.state_folder, "Folder for CA, certificate and key files; without it a temporary one")
        ->type_name("FOLDER");
    sub.add_option("--api-key", s.api_key, "The key it accepts; without it one made from the seed")->type_name("KEY");
    sub.add_option("--seed", s.seed, "For everything it chooses at random")->type_name("N");
    sub.add_flag_callback(
        "--no-tls", [&s] { s.tls = false; }, "Plain HTTP");
    sub.add_flag_callback(
        "--no-gzip", [&s] { s.gzip = false; }, "Never compress answers");
    add_three(sub, "--limits", s.limits, "Requests a minute, hour and day on bulk_create; 0: unlimited", number);
    add_three(sub, "--search-limits", s.search_limits, "The same for tasks/search", number);
    add_three(sub, "--users-limits", s.users_limits, "The same for users/search", number);
    add_three(sub, "--usage-limits", s.usage_limits, "The same for usage_stats", number);
    add_three(sub, "--contacts-search-limits", s.contacts_search_limits, "The same for contacts/search", number);
    add_three(sub, "--contact-limits", s.contact_limits, "The same for contacts/ID", number);
    add_three(sub, "--contacts-create-limits", s.contacts_create_limits, "The same for contacts/bulk_create", number);
    add_three(sub, "--lists-limits", s.lists_limits, "The same for labels and for contact_stages", number);
    add_three(sub, "--window-lengths", s.lengths, "Lengths of the three windows, such as 2s,10s,1m", duration);
    sub.add_flag("--minimal-answers", s.minimal_answers, "Answers hold only what a client must have");
    add_duration(sub, "--latency", s.latency, "Wait before each answer");
    add_duration(sub, "--latency-jitter", s.latency_jitter, "And up to so much more");
    sub.add_option("--search-visible", s.search_visible, "Tasks that the search can show")->type_name("N");
    sub.add_flag("--search-filters", s.search_filters, "Let the search honour contact_id and user_id");
    sub.add_flag("--search-hides-finished", s.search_hides_finished, "Do not list completed and skipped tasks");
    sub.add_option("--existing-tasks", s.existing_tasks, "Other people's tasks in the list")->type_name("N");
    sub.add_option("--contacts", s.contacts, "Contacts of the team, made up from the seed")->type_name("N");
    sub.add_option("--contacts-file", s.contacts_file, "Contacts as lines of JSON; what they lack is made up")
        ->type_name("FILE");
    sub.add_option("--contacts-alike", s.contacts_alike, "So many of those made up share their address with another")
        ->type_name("PERCENT");
    sub.add_option("--contacts-visible", s.contacts_visible, "Contacts that one search can show")->type_name("N");
    sub.add_flag("--keywords-find-additional", s.keywords_find_additional,
                 "Let keywords find contacts by additional addresses");
    sub.add_flag("--known-contacts-only", s.known_contacts_only, "Refuse tasks for contacts that are not there");
    sub.add_option("--max-contacts", s.max_contacts, "Contacts per request; more are refused; 0: no limit")
        ->type_name("N");
    several("--bad-contact", s.bad_contacts, "A contact id that is refused; may be repeated", "ID");
    several("--forbid", s.forbid, "A route answered 403, such as bulk_create or contacts_search", "ROUTE");
    several("--fault", s.faults, "A fault, as docs/sandbox.md describes; may be repeated", "FAULT");
    sub.add_option("--journal", s.journal, "File for one JSON line per task created")->type_name("FILE");
    sub.add_flag("--journal-reload", s.journal_reload, "Begin with the tasks that the journal holds");
    sub.add_flag("-q,--quiet", s.quiet, "Do not report each request");
}

const std::string version_line = std::string("taskbarge ") + TASKBARGE_VERSION;

// What these two do is done before, or while, the words are read: see parse_options().
void add_help_and_version(CLI::App& app) {
    auto& help = *app.add_subcommand("help", "What a command does, and its options: the same as COMMAND --help");
    help.add_option("COMMAND")
        ->type_name("")
        ->description("A command, such as import or `ledger check`")
        ->expected(0, 2);
    help.footer(std::string(help::help_footer));
    auto& version = *app.add_subcommand("version", "The program's version: the same as --version");
    version.footer(std::string(help::version_footer));
    version.callback([] { throw CLI::CallForVersion(version_line, 0); });
}

void build(CLI::App& app, options& o) {
    app.require_subcommand(1);
    app.footer(std::string(help::program_footer));
    app.set_version_flag("--version", version_line);
    add_init(app, o);
    add_import_and_plan(app, o);
    add_job_commands(app, o);
    add_results(app, o);
    add_prune(app, o);
    add_doctor(app, o);
    add_config(app, o);
    add_contacts(app, o);
    add_ledger(app, o);
    add_serve(app, o);
    add_sandbox(app, o);
    add_help_and_version(app);
}

// `help import` is `import --help`.
std::vector<std::string> without_help_command(std::vector<std::string> words) {
    if (words.empty() || words.front() != "help" || (words.size() > 1 && words[1] == "--help")) return words;
    words.erase(words.begin());
    words.emplace_back("--help");
    return words;
}

early_end refused(const named_command& command, const std::string& problem) {
    return {static_cast<int>(report::exit_code::usage), "",
            fmt::format("{0}: {1}; see {0} --help\n", command.name, printable(problem))};
}

early_end usage_error(const CLI::App& app, const CLI::ParseError& e) {
    const auto at = innermost(app);
    const auto problem = usage_problem(app, e);
    if (!problem.empty()) return refused(at, problem);
    return {static_cast<int>(report::exit_code::usage), "", overview(*at.app, at.name, help_columns)};
}

}  // namespace

std::variant<options, early_end> parse_options(const std::vector<std::string>& arguments) {
    options parsed;
    CLI::App app{std::string(help::program), "taskbarge"};
    build(app, parsed);
    // CLI11 takes the arguments from the back.
    auto reversed = without_help_command(arguments);
    std::reverse(reversed.begin(), reversed.end());
    try {
        app.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        const auto at = innermost(app);
        if (const auto problem = no_command(*at.app); !problem.empty()) return refused(at, problem);
        return early_end{0, help_page(*at.app, at.name, help_columns), ""};
    } catch (const CLI::CallForVersion& e) {
        return early_end{0, std::string(e.what()) + "\n", ""};
    } catch (const CLI::ParseError& e) {
        return usage_error(app, e);
    }
    if (const auto wrong = wrong_together(parsed); !wrong.empty())
        return early_end{static_cast<int>(report::exit_code::usage), "", "taskbarge plan: " + wrong + "\n"};
    return parsed;
}

std::vector<std::string> command_names() {
    options ignored;
    CLI::App app{"", "taskbarge"};
    build(app, ignored);
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands({})) {
        names.push_back(sub->get_name());
    }
    return names;
}

}  // namespace taskbarge::cli
