// All settings of the program in checked form, with their defaults. docs/settings.md describes each one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::core {

// "5%" or "200": a share of a whole, or a count.
struct share_or_count {
    double percent = 0;  // used when `count` is empty
    std::optional<std::uint64_t> count;
    friend bool operator==(const share_or_count&, const share_or_count&) = default;
};

enum class dedupe_scope { file, ledger };         // within the input only | also against earlier jobs
enum class unverifiable_policy { hold, resend };  // rows whose fate cannot be looked up: keep unknown | send again

struct apollo_settings {
    std::string base_url = "https://api.apollo.io/api/v1";  // http only to loopback
    std::string team = "default";                           // whose rate windows these are
    std::string api_key_file;
    std::string ca_file;  // PEM; empty: the system's store
    friend bool operator==(const apollo_settings&, const apollo_settings&) = default;
};

// Our field -> the header or key in the file; empty: none holds it, whatever its name says. For the note also a text
// with headers in braces. Only what the settings name; the reader knows the usual names itself.
using column_settings = std::map<std::string, std::string>;

// A file's word -> ours; empty: as if the cell were empty. "*" is every word that is not known.
using word_map = std::map<std::string, std::string>;

struct value_settings {
    word_map type, priority, status;
    word_map owner;  // to a user's id, address or full name
    friend bool operator==(const value_settings&, const value_settings&) = default;
};

enum class note_form : std::uint8_t { text, html };  // as it stands | HTML, of which the text is taken

// Where a column is absent or a cell empty: raw texts, checked by the reader like cells.
struct default_settings {
    std::string user_id, owner_email, type, priority, status, due_at, note;
    friend bool operator==(const default_settings&, const default_settings&) = default;
};

struct date_settings {
    std::string timezone;              // IANA name; empty: local times are rejected
    std::string time;                  // "09:00", for a date without a time; empty: such dates are rejected
    std::vector<std::string> formats;  // strptime-like, tried in order after RFC 3339 and ISO 8601
    friend bool operator==(const date_settings&, const date_settings&) = default;
};

struct import_settings {
    std::uint32_t chunk_size = 100;
    dedupe_scope dedupe = dedupe_scope::ledger;
    task_fields dedupe_by;  // two tasks of one contact are the same where these are equal
    share_or_count max_rejects{5.0, std::nullopt};
    std::string id_pattern = "[0-9a-fA-F]{24}";
    std::uint64_t memory = 64ull << 20;       // bytes, for open groups
    std::uint64_t record_limit = 1ull << 20;  // bytes of one record
    std::uint64_t note_limit = 0;             // characters; 0: none
    std::string format;                       // csv | jsonl; empty: found out
    std::string delimiter;                    // one character; empty: found out
    std::vector<std::string> ignore_columns;  // headers and keys that are not looked at
    note_form notes = note_form::text;
    std::uint32_t skip_lines = 0;             // of a CSV file, above its header
    bool short_rows = false;                  // cells may be left out at the ends of CSV rows
    std::chrono::milliseconds oldest_due{0};  // how long past a scheduled task may be due; 0: it is only told
    friend bool operator==(const import_settings&, const import_settings&) = default;
};

enum class missing_contact : std::uint8_t { reject, create };                  // of which Apollo has none
enum class several_contacts : std::uint8_t { reject, owner, active, oldest };  // that have one key: none | the one ...

// How contacts are found that the input names by something else than Apollo's id.
struct contact_settings {
    std::uint32_t budget = 2000;                                          // requests that one run may spend on it
    std::chrono::milliseconds max_age = std::chrono::hours(24);           // of what is known, until it is read again
    std::chrono::milliseconds reread_after = std::chrono::hours(7 * 24);  // of the whole list, not its changes
    bool check = true;                                                    // ids too, where a complete index is at hand
    missing_contact missing = missing_contact::reject;
    several_contacts several = several_contacts::reject;
    bool additional_emails = true;  // count as much as the primary one
    bool keep_keys = true;          // of each row with its job, for `results`; false: only of which kind they were
    std::chrono::milliseconds refresh{0};  // how often a service takes in what has changed; 0: never
    friend bool operator==(const contact_settings&, const contact_settings&) = default;
};

struct send_settings {
    std::uint32_t connections = 32;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds request_timeout = std::chrono::seconds(60);
    std::uint32_t max_attempts = 8;
    std::chrono::milliseconds max_wait = std::chrono::minutes(65);
    std::chrono::milliseconds settle_time = std::chrono::minutes(2);
    std::chrono::milliseconds backoff_base = std::chrono::milliseconds(500);
    std::chrono::milliseconds backoff_cap = std::chrono::seconds(60);
    std::chrono::milliseconds grace_time = std::chrono::seconds(70);  // for requests in flight after a signal
    unverifiable_policy when_unverifiable = unverifiable_policy::hold;
    std::optional<share_or_count> isolation_budget;   // nothing: what the windows leave over
    share_or_count retry_budget{10.0, std::nullopt};  // of minimum_requests, at least 50, for the whole job
    std::uint32_t refused_alike = 10;                 // groups, before anything was created; 0: no matter how many
    std::uint64_t answer_limit = 64ull << 20;         // bytes of one answer
    std::string proxy;                                // empty: none; loading takes it from HTTPS_PROXY and the like
    std::string proxy_from = "send.proxy";            // what named it
    friend bool operator==(const send_settings&, const send_settings&) = default;
};

struct limit_settings {
    double reserve_percent = 0;                        // of each window, left for the team's other programs
    std::array<std::optional<std::uint64_t>, 3> caps;  // limits.minute|hour|day: stay at or below, by window_kind
    // The windows' lengths. Apollo's are these; other lengths are for tests against a sandbox.
    std::array<std::chrono::milliseconds, 3> lengths{std::chrono::minutes(1), std::chrono::hours(1),
                                                     std::chrono::hours(24)};
    std::uint32_t search_visible = 50'000;  // tasks that tasks/search shows: Apollo documents 500 pages of 100
    friend bool operator==(const limit_settings&, const limit_settings&) = default;
};

struct ledger_settings {
    std::string path;  // resolved: never empty after loading
    friend bool operator==(const ledger_settings&, const ledger_settings&) = default;
};

struct serve_settings {
    std::string listen = "127.0.0.1:8642";
    std::string inbox = "/var/lib/taskbarge/inbox";
    std::string token_file;                  // the bearer token that the control API asks for; empty: none
    std::string read_token_file;             // another one, with which it can only be read; empty: none
    std::vector<std::string> allowed_hosts;  // further names under which the service is reached
    std::vector<std::string> allowed_paths;  // folders from which files may be submitted by their path
    std::uint64_t upload_limit = 4ull << 30;
    std::uint32_t connections = 256;
    std::chrono::milliseconds settle =
        std::chrono::seconds(5);                                // a dropped file that is unchanged for so long is whole
    std::chrono::milliseconds poll = std::chrono::seconds(10);  // looks at the inbox, the ledger and the token file
    friend bool operator==(const serve_settings&, const serve_settings&) = default;
};

enum class notify_body : std::uint8_t { json, text };  // the report as --json has it | {"text": "..."}, for chats

struct notify_settings {
    std::string url;  // a webhook; empty: nobody is told
    std::string secret_file;
    std::string ca_file;
    std::vector<std::string> events{"completed", "parked", "failed"};
    notify_body body = notify_body::json;
    std::string ping_url;  // of a monitor that expects URL/start, then URL or URL/fail; empty: none
    std::chrono::milliseconds stale_after = std::chrono::hours(24);  // zero: no job is ever stale
    friend bool operator==(const notify_settings&, const notify_settings&) = default;
};

enum class log_form : std::uint8_t { plain, json };
enum class log_level : std::uint8_t { debug, info, warning, error };

struct log_settings {
    log_form format = log_form::plain;
    log_level level = log_level::info;
    friend bool operator==(const log_settings&, const log_settings&) = default;
};

struct settings {
    apollo_settings apollo;
    column_settings columns;
    value_settings values;
    default_settings defaults;
    date_settings dates;
    import_settings import;
    contact_settings contacts;
    send_settings send;
    limit_settings limits;
    ledger_settings ledger;
    serve_settings serve;
    notify_settings notify;
    log_settings log;
    friend bool operator==(const settings&, const settings&) = default;
};

// Where settings come from, later entries of the same source winning. Precedence, highest first: `named` (from command
// line options), `sets` (--set section.key=value), environment TASKBARGE_SECTION_KEY, the file, the defaults.
// The words of [values] add up: a later source wins word by word.
struct settings_sources {
    std::optional<std::string> file;  // --config; without it ./taskbarge.toml, else /etc/taskbarge/taskbarge.toml
    std::vector<std::pair<std::string, std::string>> named;  // section.key -> value text
    std::vector<std::string> sets;
    std::map<std::string, std::string> environment;
};

struct loaded_settings {
    settings value;
    std::string file;                            // the settings file in use; empty: none
    std::vector<std::string> warnings;           // one line each, such as an unknown TASKBARGE_ variable
    std::map<std::string, std::string> origins;  // section.key -> where its value stands; without an entry: the default
};

// All that is wrong with the settings. A value that breaks a rule is not in force: the one beneath it is.
struct examined_settings {
    loaded_settings loaded;
    std::vector<failure> problems;
};

// Reads all settings and checks each by itself. A problem is errc::settings and names the key, where it stands, and the
// rule; an unknown key names the nearest known one. What it takes a reader or a client to know is checked by
// job::examine_settings().
examined_settings examine_settings(const settings_sources& sources);

// The same for whom one problem is enough: the first.
result<loaded_settings> load_settings(const settings_sources& sources);

// The settings of `base` with those of a file that comes with an input. It may say how the input is to be read, in
// [columns], [values], [defaults], [dates] and [import], and nothing else: whoever may drop a file must not choose
// where the key goes. A failure is errc::settings, as from load_settings(). The origins are those of the file alone.
result<loaded_settings> with_input_settings(const settings& base, const std::string& file);

// A value that is well formed but cannot be used.
struct setting_fault {
    std::string name;  // section.key
    std::string text;  // "section.key: " and what is wrong with it, and what is right
};

// The fault with the place where the value stands.
failure at_origin(const loaded_settings& loaded, const setting_fault& fault);

// A value in force, and where it comes from.
struct setting_value {
    std::string section, key;
    std::string value;   // as a settings file would have it; empty: not set. URLs that may hold a secret are cut short
    std::string origin;  // "default", "FILE:LINE:COLUMN", "environment variable NAME", "--set NAME", "command line"
};
// Of every setting there is, in the order of docs/settings.md.
std::vector<setting_value> show_settings(const loaded_settings& loaded);

// One setting, for help texts and documentation.
struct setting_info {
    std::string name;      // section.key
    std::string variable;  // TASKBARGE_SECTION_KEY
    std::string form;      // how its value is written: "duration", "count", ...
    std::string fallback;  // the default; empty: none, or told by `help`
    std::string help;      // what it does, one or two sentences
};
// Every setting there is, in the order of docs/settings.md.
std::vector<setting_info> list_settings();

// The settings that make a job's identity (those that say what a row means, and import.chunk_size) as one canonical
// text.
std::string identity_text(const settings& s);

// Lower case without blanks, dashes, underscores and dots: words of [values] that differ in nothing else are the same.
std::string plain_word(std::string_view word);

// A text as a settings file has it, in quotes.
std::string toml_text(std::string_view text);

// "250ms", "90s", "65m", "2h", "90d" <-> duration. A number without a unit is refused.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds d);

}  // namespace taskbarge::core
