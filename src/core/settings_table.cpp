#include "core/settings_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <regex>
#include <utility>

#include "taskbarge/core/edit_distance.hpp"

namespace taskbarge::core::detail {

namespace {

using std::chrono::milliseconds;
using broken_rule = std::optional<std::string>;

// Nothing for an empty text, which is as good as none.
std::string shown_text(const std::string& text) {
    return text.empty() ? "" : toml_text(text);
}

std::string shown_list(const std::vector<std::string>& words) {
    std::string out = "[";
    for (const auto& word : words) {
        if (out.size() > 1) out += ", ";
        out += toml_text(word);
    }
    return out + "]";
}

std::string shown_fields(task_fields fields) {
    std::vector<std::string> words{"contact_id"};
    for (const auto field : all_task_fields)
        if (fields.has(field)) words.emplace_back(to_string(field));
    return shown_list(words);
}

std::string shown_duration(milliseconds d) {
    return shown_text(format_duration(d));
}

std::string shown_share(const share_or_count& share) {
    return share.count ? fmt::format("{}", *share.count) : fmt::format("\"{}%\"", share.percent);
}

std::string shown_size(std::uint64_t bytes) {
    constexpr std::array<std::pair<int, const char*>, 3> units{{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}}};
    for (const auto& [bits, name] : units)
        if (bytes != 0 && bytes % (1ull << bits) == 0) return fmt::format("\"{}{}\"", bytes >> bits, name);
    return fmt::format("{}", bytes);
}

// What may hold a secret is shown as far as its host: receivers put theirs into the path, and proxies before the host.
std::string shown_place(const std::string& url) {
    if (url.empty()) return "";
    const auto scheme = std::min(url.find("://"), url.size());
    const auto host = std::min(scheme + 3, url.size());
    const auto end = std::min(url.find_first_of("/?#", host), url.size());
    const auto at = url.substr(0, end).rfind('@');
    const bool credentials = at != std::string::npos && at >= host;
    const auto shown = credentials ? url.substr(0, host) + "..." + url.substr(at, end - at) : url.substr(0, end);
    return shown_text(shown + (end < url.size() && url.substr(end) != "/" ? "/..." : ""));
}

// "; the nearest is "file"", of the words that a setting can have.
std::string nearest_of(const std::string& text, const std::vector<std::string>& words) {
    return fmt::format("; the nearest is \"{}\"", core::nearest(text, words));
}

// Reading and showing of one kind of value in one member of one section.

template <class Section>
access text(Section settings::*section, std::string Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_text(v);
        if (!value) return "must be text, in quotes";
        (s.*section).*member = *value;
        return {};
    };
    return {set, [=](const settings& s) { return shown_text((s.*section).*member); }};
}

template <class Section>
access path(Section settings::*section, std::string Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_text(v);
        if (!value) return "must be a path, in quotes";
        const auto resolved = resolve_path(*value, *v.origin);
        if (!resolved) return "begins with ~/ but HOME is not set: write the whole path";
        (s.*section).*member = *resolved;
        return {};
    };
    return {set, [=](const settings& s) { return shown_text((s.*section).*member); }};
}

template <class Section>
access count(Section settings::*section, std::uint32_t Section::*member, std::uint32_t least, std::uint32_t most) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_count(v);
        if (!value || *value < least || *value > most)
            return fmt::format("must be a whole number from {} to {}, without quotes", least, most);
        (s.*section).*member = static_cast<std::uint32_t>(*value);
        return {};
    };
    return {set, [=](const settings& s) { return fmt::format("{}", (s.*section).*member); }};
}

template <class Section>
access duration(Section settings::*section, milliseconds Section::*member, milliseconds least) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_duration(v);
        if (!value) return "must be a duration with its unit (ms, s, m, h, d), such as \"90s\"";
        if (*value < least) return fmt::format("must be at least {}", format_duration(least));
        (s.*section).*member = *value;
        return {};
    };
    return {set, [=](const settings& s) { return shown_duration((s.*section).*member); }};
}

template <class Section>
access flag(Section settings::*section, bool Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto text = v.origin->typed ? std::nullopt : read_text(v);
        const auto* const value = std::get_if<bool>(&v.data);
        if (!value && text != "true" && text != "false") return "must be true or false, without quotes";
        (s.*section).*member = value ? *value : text == "true";
        return {};
    };
    return {set, [=](const settings& s) { return std::string((s.*section).*member ? "true" : "false"); }};
}

template <class Section>
access size(Section settings::*section, std::uint64_t Section::*member, std::uint64_t least, const char* least_text) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_size(v);
        if (!value) return "must be a size such as \"64MiB\" (B, KiB, MiB, GiB, kB, MB, GB)";
        if (*value < least) return fmt::format("must be at least {}", least_text);
        (s.*section).*member = *value;
        return {};
    };
    return {set, [=](const settings& s) { return shown_size((s.*section).*member); }};
}

template <class Section>
access share(Section settings::*section, share_or_count Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_share(v);
        if (!value) return "must be a percentage from 0% to 100%, such as \"5%\", or a count, such as 200";
        (s.*section).*member = *value;
        return {};
    };
    return {set, [=](const settings& s) { return shown_share((s.*section).*member); }};
}

template <class Section>
access share_or_auto(Section settings::*section, std::optional<share_or_count> Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_share(v);
        const bool automatic = read_text(v) == "auto";
        if (!value && !automatic)
            return "must be \"auto\", a percentage from 0% to 100%, such as \"5%\", or a count, such as 200";
        (s.*section).*member = value;
        return {};
    };
    return {set, [=](const settings& s) {
                const auto& value = (s.*section).*member;
                return value ? shown_share(*value) : shown_text("auto");
            }};
}

template <class Section, class Enum>
access choice(Section settings::*section, Enum Section::*member, std::vector<std::pair<std::string, Enum>> words) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_text(v);
        std::string rule = "must be one of";
        std::vector<std::string> known;
        for (const auto& [word, meaning] : words) {
            if (value == word) {
                (s.*section).*member = meaning;
                return {};
            }
            rule += (known.empty() ? " \"" : ", \"") + word + '"';
            known.push_back(word);
        }
        return value ? rule + nearest_of(*value, known) : rule;
    };
    const auto show = [=](const settings& s) {
        const auto is = [&](const auto& word) { return word.second == (s.*section).*member; };
        const auto found = std::find_if(words.begin(), words.end(), is);
        return found == words.end() ? std::string() : shown_text(found->first);
    };
    return {set, show};
}

std::vector<std::string> split_at_commas(const std::string& joined) {
    std::vector<std::string> parts;
    for (std::size_t from = 0, comma = 0; comma != std::string::npos; from = comma + 1) {
        comma = joined.find(',', from);
        parts.push_back(joined.substr(from, comma == std::string::npos ? comma : comma - from));
    }
    return parts;
}

// A list of texts, which where all is text may be written with commas.
std::optional<std::vector<std::string>> read_words(const raw_value& v) {
    auto list = read_list(v);
    if (!list) return std::nullopt;
    std::vector<std::string> words;
    for (const auto& entry : *list)
        for (auto& word : v.origin->typed ? std::vector<std::string>{entry} : split_at_commas(entry))
            if (!word.empty()) words.push_back(std::move(word));
    return words;
}

template <class Section>
access list(Section settings::*section, std::vector<std::string> Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        auto words = read_words(v);
        if (!words) return "must be a list of texts, such as [\"a\", \"b\"]";
        (s.*section).*member = std::move(*words);
        return {};
    };
    return {set, [=](const settings& s) { return shown_list((s.*section).*member); }};
}

template <class Section>
access paths(Section settings::*section, std::vector<std::string> Section::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        auto words = read_words(v);
        if (!words) return "must be a list of folders, such as [\"/srv/crm\"]";
        for (auto& word : *words) {
            const auto resolved = resolve_path(word, *v.origin);
            if (!resolved) return "begins with ~/ but HOME is not set: write the whole path";
            word = *resolved;
        }
        (s.*section).*member = std::move(*words);
        return {};
    };
    return {set, [=](const settings& s) { return shown_list((s.*section).*member); }};
}

// A column's name in the file: an entry of the map. An empty name is none.
access column(const char* field) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = is_false(v) ? std::string() : read_text(v);
        if (!value) return "must be the column's name in the file, in quotes, or false where no column holds it";
        s.columns[field] = *value;
        return {};
    };
    const auto show = [=](const settings& s) {
        const auto found = s.columns.find(field);
        if (found == s.columns.end()) return std::string();
        return found->second.empty() ? "false" : shown_text(found->second);
    };
    return {set, show};
}

word_map::iterator find_alike(word_map& words, const std::string& word) {
    return std::find_if(words.begin(), words.end(),
                        [plain = plain_word(word)](const auto& w) { return plain_word(w.first) == plain; });
}

// The words of one field. Those of several sources add up, as the keys of a section do.
access words(word_map value_settings::*member, const char* example) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto table = read_table(v);
        if (!table) return fmt::format("must be a table of texts, such as {}", example);
        word_map fresh;
        for (const auto& [word, meaning] : *table) {
            const auto alike = find_alike(fresh, word);
            if (alike != fresh.end() && alike->second != meaning)
                return fmt::format("says two things of {} and {}, which are one word", toml_text(alike->first),
                                   toml_text(word));
            if (alike == fresh.end()) fresh.emplace(word, meaning);
        }
        auto& words = s.values.*member;
        for (auto& [word, meaning] : fresh) {
            if (const auto alike = find_alike(words, word); alike != words.end()) words.erase(alike);
            words.emplace(word, meaning);
        }
        return {};
    };
    const auto show = [=](const settings& s) {
        std::string out;
        for (const auto& [word, meaning] : s.values.*member)
            out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", toml_text(word), toml_text(meaning));
        return out.empty() ? out : "{" + out + "}";
    };
    return {set, show};
}

broken_rule read_base_url(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    if (!value) return "must be a URL, in quotes";
    auto checked = check_base_url(*value);
    if (!checked.rule.empty()) return std::move(checked.rule);
    s.apollo.base_url = std::move(checked.url);
    return {};
}

broken_rule read_team(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    if (!value || value->empty()) return "must be a name, in quotes";
    s.apollo.team = *value;
    return {};
}

broken_rule read_time(settings& s, const raw_value& v) {
    static const std::regex form("([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?");
    const auto value = read_text(v);
    if (!value || !(value->empty() || std::regex_match(*value, form)))
        return "must be a time of day such as \"09:00\", in quotes";
    s.dates.time = *value;
    return {};
}

broken_rule read_formats(settings& s, const raw_value& v) {
    const auto value = read_list(v);
    const auto is_format = [](const std::string& f) { return f.find('%') != std::string::npos; };
    if (!value || !std::all_of(value->begin(), value->end(), is_format))
        return "must be a list of date formats such as [\"%m/%d/%Y %H:%M\"]";
    s.dates.formats = *value;
    return {};
}

// The contact always counts, and may be named.
broken_rule read_dedupe_by(settings& s, const raw_value& v) {
    const auto words = read_words(v);
    if (!words || words->empty())
        return "must be a list of the fields that make two tasks the same, such as [\"contact_id\", \"type\"]";
    auto fields = task_fields::none();
    for (auto word : *words) {
        word.erase(0, std::min(word.find_first_not_of(' '), word.size()));
        if (word == "contact_id") continue;
        const auto field = parse_task_field(word);
        if (!field)
            return fmt::format(
                "must list fields of a task: contact_id, user_id, type, priority, status, due_at, note; "
                "\"{}\" is none",
                word);
        fields = fields.with(*field);
    }
    s.import.dedupe_by = fields;
    return {};
}

broken_rule read_id_pattern(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    if (!value || value->empty()) return "must be a regular expression, in quotes";
    try {
        const std::regex checked(*value);
    } catch (const std::regex_error& e) {
        return fmt::format("must be a regular expression (ECMAScript): {}", e.what());
    }
    s.import.id_pattern = *value;
    return {};
}

broken_rule read_format(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    if (!value || !(value->empty() || *value == "csv" || *value == "jsonl"))
        return "must be one of \"csv\", \"jsonl\"; leave it out to have it found out" +
               (value ? nearest_of(*value, {"csv", "jsonl"}) : "");
    s.import.format = *value;
    return {};
}

broken_rule read_delimiter(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    const std::string one = value == "tab" || value == "\\t" ? "\t" : value.value_or("too long");
    if (one.size() > 1 || one.find_first_of("\"\r\n") != std::string::npos || one == std::string(1, '\0'))
        return "must be one character, such as \";\", or \"tab\"; leave it out to have it found out";
    s.import.delimiter = one;
    return {};
}

broken_rule read_proxy(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    // The value may hold a password, so it is not repeated in the message.
    if (!value || !(value->empty() || value->rfind("http://", 0) == 0))
        return "must be the URL of an HTTP proxy, such as \"http://proxy.example:3128\"";
    s.send.proxy = *value;
    return {};
}

broken_rule read_reserve(settings& s, const raw_value& v) {
    const auto value = read_percentage(v);
    if (!value || *value >= 100) return "must be a percentage from 0% to less than 100%, such as \"20%\"";
    s.limits.reserve_percent = *value;
    return {};
}

access cap(window_kind kind) {
    const auto at = static_cast<std::size_t>(kind);
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_count(v);
        if (!value || *value == 0) return "must be a whole number of requests, at least 1, without quotes";
        s.limits.caps[at] = *value;
        return {};
    };
    const auto show = [=](const settings& s) {
        const auto& value = s.limits.caps[at];
        return value ? fmt::format("{}", *value) : std::string();
    };
    return {set, show};
}

broken_rule read_window_lengths(settings& s, const raw_value& v) {
    const std::string rule = "must be three rising durations, such as [\"60s\", \"1h\", \"24h\"]";
    auto list = read_list(v).value_or(std::vector<std::string>{});
    if (list.size() == 1) list = split_at_commas(list.front());
    if (list.size() != s.limits.lengths.size()) return rule;
    auto lengths = s.limits.lengths;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const auto length = parse_duration(list[i]);
        if (!length || length->count() <= 0 || (i > 0 && *length <= lengths[i - 1])) return rule;
        lengths[i] = *length;
    }
    s.limits.lengths = lengths;
    return {};
}

std::string show_window_lengths(const settings& s) {
    std::vector<std::string> lengths;
    for (const auto length : s.limits.lengths)
        lengths.push_back(format_duration(length));
    return shown_list(lengths);
}

broken_rule read_listen(settings& s, const raw_value& v) {
    const auto value = read_text(v);
    const auto colon = value ? value->rfind(':') : std::string::npos;
    const std::string port = colon == std::string::npos ? "" : value->substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || colon == 0 || std::stoi(port) > 65535) return "must be address:port, such as \"127.0.0.1:8642\"";
    s.serve.listen = *value;
    return {};
}

access webhook(std::string notify_settings::*member) {
    const auto set = [=](settings& s, const raw_value& v) -> broken_rule {
        const auto value = read_text(v);
        if (!value) return "must be a URL, in quotes";
        // The value may hold a secret of the receiver's, so it is not repeated in the message. Unlike Apollo's it may
        // have a query, by which receivers tell their senders apart: one more part of the path, as far as the rules go.
        std::string as_path = *value;
        std::replace(as_path.begin(), as_path.end(), '?', '/');
        if (!value->empty() && !check_base_url(as_path).rule.empty())
            return "must be an https URL, or an http one to a loopback address, without user name and #";
        s.notify.*member = *value;
        return {};
    };
    return {set, [=](const settings& s) { return shown_place(s.notify.*member); }};
}

broken_rule read_notify_events(settings& s, const raw_value& v) {
    static const std::vector<std::string> known{"completed", "parked", "failed"};
    const std::string rule = "must be a list of \"completed\", \"parked\", \"failed\"";
    auto words = read_words(v);
    if (!words) return rule;
    for (const auto& word : *words)
        if (std::find(known.begin(), known.end(), word) == known.end()) return rule + nearest_of(word, known);
    s.notify.events = std::move(*words);
    return {};
}

using table = std::vector<setting>;

void add_apollo(table& t) {
    using S = apollo_settings;
    t.push_back({"apollo",
                 "base_url",
                 "URL",
                 "https://api.apollo.io/api/v1",
                 "Routes are appended. https, or http to loopback only. Redirects are not followed.",
                 {read_base_url, [](const settings& s) { return shown_text(s.apollo.base_url); }}});
    t.push_back({"apollo",
                 "team",
                 "text",
                 "default",
                 "Whose rate windows and tasks these are. Never derived from the key.",
                 {read_team, [](const settings& s) { return shown_text(s.apollo.team); }}});
    t.push_back({"apollo", "api_key_file", "path", "",
                 "File that holds the API key; read when APOLLO_API_KEY is not set. Keep it at mode 0600.",
                 path(&settings::apollo, &S::api_key_file)});
    t.push_back({"apollo", "ca_file", "path", "", "PEM file of the authorities to trust instead of the system's store.",
                 path(&settings::apollo, &S::ca_file)});
}

void add_columns(table& t) {
    const std::pair<const char*, const char*> fields[] = {
        {"contact_id", "the contact's Apollo id"},
        {"email", "the contact's e-mail address, by which it is found where there is no Apollo id"},
        {"salesforce_id", "the contact's or lead's id in Salesforce, in the same way"},
        {"hubspot_id", "the contact's record id in HubSpot, in the same way"},
        {"linkedin_url", "the contact's profile on LinkedIn, in the same way"},
        {"user_id", "the task owner's Apollo id"},
        {"owner_email", "the task owner's e-mail address, looked up where there is no user id"},
        {"type", "the kind of task"},
        {"priority", "the priority: high, medium or low"},
        {"status", "the status: scheduled, completed or skipped"},
        {"due_at", "the due date"},
        {"note", "the note"}};
    for (const auto& [field, help] : fields) {
        t.push_back({"columns", field, "text or false", "", fmt::format("The header or key in the file of {}.", help),
                     column(field)});
    }
}

void add_values(table& t) {
    using S = value_settings;
    const auto add = [&](const char* key, word_map S::*member, const char* example, const char* help) {
        t.push_back({"values", key, "table", "", help, words(member, example)});
    };
    add("type", &S::type, "{\"Demo\" = \"call\"}",
        "What the file's words for the kind of task mean; \"*\" is every other word.");
    add("priority", &S::priority, "{\"Urgent\" = \"high\"}", "What the file's words for the priority mean.");
    add("status", &S::status, "{\"In Progress\" = \"scheduled\"}", "What the file's words for the status mean.");
    add("owner", &S::owner, "{\"Dana\" = \"dana@example.com\"}",
        "Which user the file's owners are: an id, an address or a full name.");
}

void add_defaults(table& t) {
    using S = default_settings;
    const auto add = [&](const char* key, std::string S::*member, const char* help) {
        t.push_back({"defaults", key, "text", "", help, text(&settings::defaults, member)});
    };
    add("user_id", &S::user_id, "The task owner where the file names none.");
    add("owner_email", &S::owner_email, "The task owner's e-mail address where the file names none.");
    add("type", &S::type, "The kind of task where the file names none.");
    add("priority", &S::priority, "The priority where the file names none; without it, medium.");
    add("status", &S::status, "The status where the file names none.");
    add("due_at", &S::due_at, "When tasks are due where the file does not say.");
    add("note", &S::note, "The note where the file has none.");
}

void add_dates(table& t) {
    t.push_back({"dates", "timezone", "text", "",
                 "IANA name, such as America/New_York, for local times. Without it local times are rejected.",
                 text(&settings::dates, &date_settings::timezone)});
    t.push_back({"dates",
                 "time",
                 "time of day",
                 "",
                 "For a date without a time, such as 09:00. Without it such dates are rejected.",
                 {read_time, [](const settings& s) { return shown_text(s.dates.time); }}});
    t.push_back({"dates",
                 "formats",
                 "list",
                 "",
                 "Formats of the file's dates (as in strptime), tried in order after RFC 3339 and ISO 8601.",
                 {read_formats, [](const settings& s) { return shown_list(s.dates.formats); }}});
}

void add_import(table& t) {
    using S = import_settings;
    t.push_back({"import", "chunk_size", "count", "100", "Contacts in one request at most.",
                 count(&settings::import, &S::chunk_size, 1, 100'000)});
    t.push_back({"import", "dedupe", "file | ledger", "ledger",
                 "Where the same task for the same contact is looked for: in the input, or also in earlier jobs.",
                 choice<S, dedupe_scope>(&settings::import, &S::dedupe,
                                         {{"file", dedupe_scope::file}, {"ledger", dedupe_scope::ledger}})});
    t.push_back(
        {"import",
         "dedupe_by",
         "list",
         "contact_id, user_id, type, priority, status, due_at, note",
         "The fields that make two tasks the same. Without due_at, say, a contact has such a task whatever its date.",
         {read_dedupe_by, [](const settings& s) { return shown_fields(s.import.dedupe_by); }}});
    t.push_back(
        {"import", "max_rejects", "percentage or count", "5%",
         "Above it nothing is sent. A percentage counts from 20 rejected rows on. Not for files of mended rejects.",
         share(&settings::import, &S::max_rejects)});
    t.push_back({"import",
                 "id_pattern",
                 "regular expression",
                 "[0-9a-fA-F]{24}",
                 "What ids look like.",
                 {read_id_pattern, [](const settings& s) { return shown_text(s.import.id_pattern); }}});
    t.push_back({"import", "memory", "size", "64MiB", "For open groups; past it they are spilled to disk.",
                 size(&settings::import, &S::memory, 1u << 20, "1MiB")});
    t.push_back({"import", "record_limit", "size", "1MiB", "The longest record; longer ones are rejected.",
                 size(&settings::import, &S::record_limit, 64, "64 bytes")});
    t.push_back({"import", "note_limit", "count", "0", "Characters of a note at most; 0: no limit of ours.",
                 size(&settings::import, &S::note_limit, 0, "0")});
    t.push_back({"import",
                 "format",
                 "csv | jsonl",
                 "",
                 "The input's format; without it found out.",
                 {read_format, [](const settings& s) { return shown_text(s.import.format); }}});
    t.push_back({"import",
                 "delimiter",
                 "one character",
                 "",
                 "Between CSV cells; without it found out.",
                 {read_delimiter, [](const settings& s) { return shown_text(s.import.delimiter); }}});
    t.push_back({"import", "ignore_columns", "list", "", "Headers and keys that are not looked at, whatever they mean.",
                 list(&settings::import, &S::ignore_columns)});
    t.push_back(
        {"import", "notes", "text | html", "text", "What notes are written in; of HTML the text is taken.",
         choice<S, note_form>(&settings::import, &S::notes, {{"text", note_form::text}, {"html", note_form::html}})});
    t.push_back({"import", "skip_lines", "count", "0",
                 "Lines above the header of a CSV file, such as a report's title.",
                 count(&settings::import, &S::skip_lines, 0, 1000)});
    t.push_back({"import", "short_rows", "true | false", "false",
                 "Whether cells may be left out at the ends of CSV rows; they count as empty then.",
                 flag(&settings::import, &S::short_rows)});
    t.push_back({"import", "oldest_due", "duration", "0s",
                 "How long past a scheduled task may be due; older ones are rejected. 0s: they are only told.",
                 duration(&settings::import, &S::oldest_due, milliseconds{0})});
}

void add_send(table& t) {
    using S = send_settings;
    const auto wait = [&](const char* key, milliseconds S::*member, milliseconds least, const char* fallback,
                          const char* help) {
        t.push_back({"send", key, "duration", fallback, help, duration(&settings::send, member, least)});
    };
    const milliseconds none{0}, some{1};
    t.push_back(
        {"send", "connections", "count", "32",
         "Connections to Apollo at most. More than 8 are used only where answers come within 2 s and each rate window "
         "has 300 requests left.",
         count(&settings::send, &S::connections, 1, 256)});
    wait("connect_timeout", &S::connect_timeout, some, "10s", "For each step of opening a connection.");
    wait("request_timeout", &S::request_timeout, some, "60s", "From a request's first byte to its answer's last.");
    t.push_back({"send", "max_attempts", "count", "8", "Attempts for one chunk at most; a 429 is none.",
                 count(&settings::send, &S::max_attempts, 1, 1000)});
    wait("max_wait", &S::max_wait, none, "65m", "A longer wait, whatever for, parks the job.");
    wait("settle_time", &S::settle_time, none, "2m", "How long a task must stay absent before that is believed.");
    wait("backoff_base", &S::backoff_base, none, "500ms", "The first wait after a failed attempt; it doubles.");
    wait("backoff_cap", &S::backoff_cap, none, "60s", "The longest wait between two attempts.");
    wait("grace_time", &S::grace_time, none, "70s", "For requests in flight after a signal to stop.");
    t.push_back({"send", "when_unverifiable", "hold | resend", "hold",
                 "Rows whose fate cannot be looked up: kept unknown, or sent again and marked possible_duplicate.",
                 choice<S, unverifiable_policy>(
                     &settings::send, &S::when_unverifiable,
                     {{"hold", unverifiable_policy::hold}, {"resend", unverifiable_policy::resend}})});
    t.push_back({"send", "isolation_budget", "auto, percentage or count", "auto",
                 "Requests for finding bad contacts: what the day's windows leave over, or a share of the minimum (at "
                 "least 50), past which rows fail.",
                 share_or_auto(&settings::send, &S::isolation_budget)});
    t.push_back({"send", "retry_budget", "percentage or count", "10%",
                 "Requests for repeating failed ones, of the minimum of requests (at least 50).",
                 share(&settings::send, &S::retry_budget)});
    t.push_back(
        {"send", "refused_alike", "count", "10",
         "Groups, or single contacts of several groups, that Apollo refuses with the same words before it has created "
         "anything of a job, until the run stops. 0: it goes on.",
         count(&settings::send, &S::refused_alike, 0, 1'000'000)});
    t.push_back({"send", "answer_limit", "size", "64MiB",
                 "The longest answer that is read. Long ones that come together share it.",
                 size(&settings::send, &S::answer_limit, 1024, "1KiB")});
    t.push_back({"send",
                 "proxy",
                 "URL",
                 "",
                 "HTTP proxy; without it HTTPS_PROXY, ALL_PROXY and NO_PROXY count.",
                 {read_proxy, [](const settings& s) { return shown_place(s.send.proxy); }}});
}

void add_limits(table& t) {
    t.push_back({"limits",
                 "reserve",
                 "percentage",
                 "0%",
                 "Of each rate window, left for the team's other programs.",
                 {read_reserve, [](const settings& s) { return fmt::format("\"{}%\"", s.limits.reserve_percent); }}});
    t.push_back({"limits", "minute", "count", "", "Requests a minute at most.", cap(window_kind::minute)});
    t.push_back({"limits", "hour", "count", "", "Requests an hour at most.", cap(window_kind::hour)});
    t.push_back({"limits", "day", "count", "", "Requests a day at most.", cap(window_kind::day)});
    t.push_back({"limits",
                 "window_lengths",
                 "list of three durations",
                 "1m,1h,24h",
                 "Lengths of the three windows. Apollo's are these; others are for tests against a sandbox.",
                 {read_window_lengths, show_window_lengths}});
    t.push_back({"limits", "search_visible", "count", "50000",
                 "Tasks that Apollo's search shows; what lies behind them cannot be looked up. More is for an account "
                 "that is known to show more.",
                 count(&settings::limits, &limit_settings::search_visible, 100, 1'000'000'000)});
}

void add_places(table& t) {
    t.push_back({"ledger", "path", "path", "",
                 "The ledger file. Without it $XDG_STATE_HOME/taskbarge/ledger.db, else "
                 "~/.local/state/taskbarge/ledger.db.",
                 path(&settings::ledger, &ledger_settings::path)});
}

void add_serve(table& t) {
    using S = serve_settings;
    t.push_back({"serve",
                 "listen",
                 "address:port",
                 "127.0.0.1:8642",
                 "Where the service listens. Any other than a loopback address needs a token.",
                 {read_listen, [](const settings& s) { return shown_text(s.serve.listen); }}});
    t.push_back({"serve", "inbox", "path", "/var/lib/taskbarge/inbox",
                 "The folder that the service watches; processing, done and failed are made in it.",
                 path(&settings::serve, &S::inbox)});
    t.push_back(
        {"serve", "token_file", "path", "",
         "File that holds the bearer token of the control API; TASKBARGE_TOKEN in the environment goes before it.",
         path(&settings::serve, &S::token_file)});
    t.push_back({"serve", "read_token_file", "path", "",
                 "File that holds a second token, with which the control API and the dashboard can only be read; "
                 "TASKBARGE_READ_TOKEN in the environment goes before it.",
                 path(&settings::serve, &S::read_token_file)});
    t.push_back({"serve", "allowed_hosts", "list", "",
                 "Further host names, with or without port, under which the service is reached.",
                 list(&settings::serve, &S::allowed_hosts)});
    t.push_back({"serve", "allowed_paths", "list", "",
                 "Folders from which files may be submitted by their path. Without it none.",
                 paths(&settings::serve, &S::allowed_paths)});
    t.push_back({"serve", "upload_limit", "size", "4GiB", "The largest upload.",
                 size(&settings::serve, &S::upload_limit, 1024, "1KiB")});
    t.push_back({"serve", "connections", "count", "256", "Connections to the control API at most.",
                 count(&settings::serve, &S::connections, 1, 10'000)});
    t.push_back({"serve", "settle", "duration", "5s",
                 "A dropped file that has not changed for so long is whole. One renamed into place is whole at once.",
                 duration(&settings::serve, &S::settle, milliseconds{0})});
    t.push_back({"serve", "poll", "duration", "10s",
                 "How often the service looks at the inbox and the ledger without being told.",
                 duration(&settings::serve, &S::poll, milliseconds{10})});
}

void add_contacts(table& t) {
    using S = contact_settings;
    t.push_back({"contacts", "budget", "count", "2000",
                 "Requests that one run may spend on finding contacts by what is not Apollo's id.",
                 count(&settings::contacts, &S::budget, 0, 10'000'000)});
    t.push_back({"contacts", "max_age", "duration", "1d",
                 "How old what is known of contacts may be; older than that, what has changed is read from Apollo. "
                 "Less than ten minutes counts as ten.",
                 duration(&settings::contacts, &S::max_age, milliseconds{0})});
    t.push_back({"contacts", "reread_after", "duration", "7d",
                 "After how long the whole list is read again, not only what has changed.",
                 duration(&settings::contacts, &S::reread_after, milliseconds{0})});
    t.push_back({"contacts", "check", "index | never", "index",
                 "Whether ids in the input are looked for before they are sent, where a complete index is at hand.",
                 choice<S, bool>(&settings::contacts, &S::check, {{"index", true}, {"never", false}})});
    t.push_back(
        {"contacts", "missing", "reject | create", "reject",
         "What becomes of a row whose contact Apollo does not have.",
         choice<S, missing_contact>(&settings::contacts, &S::missing,
                                    {{"reject", missing_contact::reject}, {"create", missing_contact::create}})});
    t.push_back({"contacts", "several", "reject | owner | active | oldest", "reject",
                 "Which of several contacts with one key is meant: none, the one of the task's owner, the one that was "
                 "active last, the oldest.",
                 choice<S, several_contacts>(&settings::contacts, &S::several,
                                             {{"reject", several_contacts::reject},
                                              {"owner", several_contacts::owner},
                                              {"active", several_contacts::active},
                                              {"oldest", several_contacts::oldest}})});
    t.push_back({"contacts", "additional_emails", "true | false", "true",
                 "Whether a contact's additional e-mails count as much as its primary one.",
                 flag(&settings::contacts, &S::additional_emails)});
    t.push_back({"contacts", "keep_keys", "true | false", "true",
                 "Whether the ledger keeps by which e-mail or CRM id each row named its contact, for results. If not, "
                 "only of which kind it was.",
                 flag(&settings::contacts, &S::keep_keys)});
    t.push_back({"contacts", "refresh", "duration", "0s",
                 "How often the service takes in what has changed in Apollo's contacts; 0s: only when an input needs "
                 "it.",
                 duration(&settings::contacts, &S::refresh, milliseconds{0})});
}

void add_notify(table& t) {
    using S = notify_settings;
    t.push_back({"notify", "url", "URL", "",
                 "Webhook to be told when a job is completed, parked, or needs a person. https, or http to loopback.",
                 webhook(&S::url)});
    t.push_back({"notify", "secret_file", "path", "", "File that holds the key by which notifications are signed.",
                 path(&settings::notify, &S::secret_file)});
    t.push_back({"notify", "ca_file", "path", "",
                 "PEM file of the authorities to trust for the webhook instead of the system's store.",
                 path(&settings::notify, &S::ca_file)});
    t.push_back({"notify", "body", "json | text", "json",
                 "What the webhook gets: the report as --json has it, or {\"text\": ...} as chats take it.",
                 choice<S, notify_body>(&settings::notify, &S::body,
                                        {{"json", notify_body::json}, {"text", notify_body::text}})});
    t.push_back({"notify", "ping_url", "URL", "",
                 "A monitor of scheduled jobs that is told URL/start, then URL for success or URL/fail.",
                 webhook(&S::ping_url)});
    t.push_back({"notify", "stale_after", "duration", "1d",
                 "A job that is unfinished for longer is told as a problem, also with --quiet; 0s: never.",
                 duration(&settings::notify, &S::stale_after, milliseconds{0})});
    t.push_back({"notify",
                 "events",
                 "list",
                 "completed,parked,failed",
                 "What is told.",
                 {read_notify_events, [](const settings& s) { return shown_list(s.notify.events); }}});
}

void add_log(table& t) {
    using S = log_settings;
    t.push_back(
        {"log", "format", "plain | json", "plain", "How the service writes its log.",
         choice<S, log_form>(&settings::log, &S::format, {{"plain", log_form::plain}, {"json", log_form::json}})});
    t.push_back({"log", "level", "debug | info | warning | error", "info", "Lines of less weight are not written.",
                 choice<S, log_level>(&settings::log, &S::level,
                                      {{"debug", log_level::debug},
                                       {"info", log_level::info},
                                       {"warning", log_level::warning},
                                       {"error", log_level::error}})});
}

table make_table() {
    table t;
    add_apollo(t);
    add_columns(t);
    add_values(t);
    add_defaults(t);
    add_dates(t);
    add_import(t);
    add_contacts(t);
    add_send(t);
    add_limits(t);
    add_places(t);
    add_serve(t);
    add_notify(t);
    add_log(t);
    return t;
}

// The name among the candidates with the fewest edits; the first of equals.
template <class Name, class Distance>
std::string nearest(Name name_of, Distance distance_of) {
    std::string best;
    auto fewest = std::numeric_limits<std::size_t>::max();
    for (const auto& s : settings_table()) {
        const auto edits = distance_of(s);
        if (edits >= fewest) continue;
        fewest = edits;
        best = name_of(s);
    }
    return best;
}

}  // namespace

std::string setting::variable() const {
    std::string out = "TASKBARGE_" + section + "_" + key;
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

const std::vector<setting>& settings_table() {
    static const table all = make_table();
    return all;
}

const setting* find_setting(std::string_view name) {
    const auto& all = settings_table();
    const auto found = std::find_if(all.begin(), all.end(), [&](const setting& s) { return s.name() == name; });
    return found == all.end() ? nullptr : &*found;
}

const setting* find_setting_of_variable(std::string_view variable) {
    const auto& all = settings_table();
    const auto found = std::find_if(all.begin(), all.end(), [&](const setting& s) { return s.variable() == variable; });
    return found == all.end() ? nullptr : &*found;
}

std::string nearest_setting(std::string_view unknown_name) {
    const auto dot = unknown_name.rfind('.');
    const auto section = dot == std::string_view::npos ? std::string_view{} : unknown_name.substr(0, dot);
    const auto key = dot == std::string_view::npos ? unknown_name : unknown_name.substr(dot + 1);
    return nearest([](const setting& s) { return s.name(); },
                   [&](const setting& s) {
                       // The right key under a wrong section is closer than it looks: one edit for the section.
                       const auto sections = std::min<std::size_t>(edit_distance(section, s.section), 2);
                       return 2 * edit_distance(key, s.key) + sections;
                   });
}

std::string nearest_section(std::string_view unknown_section) {
    return nearest([](const setting& s) { return s.section; },
                   [&](const setting& s) { return edit_distance(unknown_section, s.section); });
}

std::string nearest_variable(std::string_view unknown_variable) {
    return nearest([](const setting& s) { return s.variable(); },
                   [&](const setting& s) { return edit_distance(unknown_variable, s.variable()); });
}

bool is_section(std::string_view name) {
    const auto& all = settings_table();
    return std::any_of(all.begin(), all.end(), [&](const setting& s) { return s.section == name; });
}

}  // namespace taskbarge::core::detail
