#include "taskbarge/core/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "core/settings_file.hpp"
#include "core/settings_table.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::core {

namespace {

using detail::raw_value;
using detail::value_origin;

failure wrong(const std::string& where, const std::string& what) {
    return {errc::settings, fmt::format("{}: {}", where, what)};
}

std::string environment_value(const settings_sources& sources, const char* name) {
    const auto found = sources.environment.find(name);
    return found == sources.environment.end() ? "" : found->second;
}

// --config, else the first of the usual places that is there; empty: none.
std::string choose_file(const settings_sources& sources) {
    if (sources.file) return *sources.file;
    for (const char* usual : {"./taskbarge.toml", "/etc/taskbarge/taskbarge.toml"}) {
        std::error_code ignored;
        if (std::filesystem::exists(usual, ignored)) return usual;
    }
    return "";
}

std::string unknown_setting(const std::string& name, bool section_only) {
    const auto section = name.substr(0, name.find('.'));
    if (section_only || (name.find('.') == std::string::npos && detail::is_section(name))) {
        return fmt::format("unknown section [{}]; the nearest is [{}]", name, detail::nearest_section(section));
    }
    return fmt::format("unknown setting {}; the nearest is {}", name, detail::nearest_setting(name));
}

// Applies sources to settings, one after the other; a later one wins.
class loader {
 public:
    explicit loader(const settings_sources& sources) : sources_(sources) {
        home_ = environment_value(sources, "HOME");
        text_origin_.home = home_;
    }

    examined_settings examine() {
        apply_file();
        apply_environment();
        apply_sets();
        apply_named();
        check_together();
        resolve_ledger();
        return std::move(out_);
    }

 private:
    void problem(failure why) { out_.problems.push_back(std::move(why)); }

    void apply(const std::string& where, const detail::setting& s, const raw_value& v) {
        if (const auto broken = s.value.set(out_.loaded.value, v))
            problem(wrong(where, fmt::format("{} {}", s.name(), *broken)));
        else
            out_.loaded.origins[s.name()] = where;
    }

    void apply_text(const std::string& where, const std::string& name, const std::string& text) {
        if (const auto* s = detail::find_setting(name))
            apply(where, *s, {detail::read_value_text(text), &text_origin_});
        else if (const auto* words = table_of(name))
            apply(where, *words,
                  {std::map<std::string, std::string>{{name.substr(words->name().size() + 1), text}}, &text_origin_});
        else
            problem(wrong(where, unknown_setting(name, false)));
    }

    // The table that a name such as values.type.TODO stands in.
    static const detail::setting* table_of(const std::string& name) {
        const auto key = name.find('.');
        const auto word = key == std::string::npos ? key : name.find('.', key + 1);
        if (word == std::string::npos || !name.starts_with("values.")) return nullptr;
        return detail::find_setting(std::string_view(name).substr(0, word));
    }

    void apply_file() {
        const auto path = choose_file(sources_);
        if (path.empty()) return;
        out_.loaded.file = path;
        const auto entries = detail::read_settings_file(path);
        if (!entries) return problem(entries.error());
        const value_origin origin{true, std::filesystem::absolute(path).parent_path().string(), home_};
        for (const auto& entry : *entries) {
            const auto where = fmt::format("{}:{}:{}", path, entry.line, entry.column);
            const auto* s = detail::find_setting(entry.name);
            if (s)
                apply(where, *s, {entry.data, &origin});
            else if (!entry.is_empty_section || !detail::is_section(entry.name))
                problem(wrong(where, unknown_setting(entry.name, entry.is_empty_section)));
        }
    }

    void apply_environment() {
        for (const auto& [variable, text] : sources_.environment) {
            if (variable.rfind("TASKBARGE_", 0) != 0) continue;
            const auto* s = detail::find_setting_of_variable(variable);
            if (!s) {
                out_.loaded.warnings.push_back(
                    fmt::format("environment variable {} is not a setting; the nearest is {}", variable,
                                detail::nearest_variable(variable)));
                continue;
            }
            // Set but empty is how a container passes on a variable that nobody gave.
            if (text.empty()) continue;
            apply("environment variable " + variable, *s, {detail::read_value_text(text), &text_origin_});
        }
    }

    void apply_sets() {
        for (const auto& entry : sources_.sets) {
            const auto equals = entry.find('=');
            // What stands there may be a secret in the wrong place: it is not repeated.
            if (equals == std::string::npos) {
                problem(wrong("--set", "needs section.key=value"));
                continue;
            }
            const auto name = entry.substr(0, equals);
            apply_text("--set " + name, name, entry.substr(equals + 1));
        }
    }

    void apply_named() {
        for (const auto& [name, text] : sources_.named)
            apply_text("command line", name, text);
    }

    void check_together() {
        const auto& send = out_.loaded.value.send;
        if (send.backoff_base > send.backoff_cap)
            problem(
                {errc::settings, fmt::format("send.backoff_base ({}) must not be longer than send.backoff_cap ({})",
                                             format_duration(send.backoff_base), format_duration(send.backoff_cap))});
    }

    void resolve_ledger() {
        auto& path = out_.loaded.value.ledger.path;
        if (!path.empty()) return;
        const auto state_home = environment_value(sources_, "XDG_STATE_HOME");
        // The XDG rules: a relative path there is invalid and ignored.
        if (!state_home.empty() && state_home.front() == '/')
            path = state_home + "/taskbarge/ledger.db";
        else if (!home_.empty())
            path = home_ + "/.local/state/taskbarge/ledger.db";
        else
            problem({errc::settings, "ledger.path is not set, and there is no HOME to put the ledger under"});
    }

    const settings_sources& sources_;
    std::string home_;
    value_origin text_origin_;
    examined_settings out_;
};

// A text between double quotes in which every line break and quote is escaped: no two settings read alike.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace

examined_settings examine_settings(const settings_sources& sources) {
    return loader(sources).examine();
}

result<loaded_settings> load_settings(const settings_sources& sources) {
    auto found = examine_settings(sources);
    if (!found.problems.empty()) return std::move(found.problems.front());
    return std::move(found.loaded);
}

result<loaded_settings> with_input_settings(const settings& base, const std::string& file) {
    const auto entries = detail::read_settings_file(file);
    if (!entries) return entries.error();
    loaded_settings changed;
    changed.value = base;
    changed.file = file;
    const value_origin origin{true, std::filesystem::absolute(file).parent_path().string(), ""};
    for (const auto& entry : *entries) {
        const auto where = fmt::format("{}:{}:{}", file, entry.line, entry.column);
        const auto section = entry.name.substr(0, entry.name.find('.'));
        const auto* s = detail::find_setting(entry.name);
        const bool known = s || (entry.is_empty_section && detail::is_section(entry.name));
        if (!known) return wrong(where, unknown_setting(entry.name, entry.is_empty_section));
        constexpr std::array about_rows{"columns", "values", "defaults", "dates", "import"};
        if (std::find(about_rows.begin(), about_rows.end(), section) == about_rows.end())
            return wrong(where,
                         fmt::format("a file beside an input may set [columns], [values], [defaults], [dates] and "
                                     "[import]; {} belongs into the settings of the service",
                                     entry.name));
        if (!s) continue;
        if (const auto broken = s->value.set(changed.value, {entry.data, &origin}))
            return wrong(where, fmt::format("{} {}", s->name(), *broken));
        changed.origins[s->name()] = where;
    }
    return changed;
}

failure at_origin(const loaded_settings& loaded, const setting_fault& fault) {
    const auto origin = loaded.origins.find(fault.name);
    return origin == loaded.origins.end() ? failure{errc::settings, fault.text} : wrong(origin->second, fault.text);
}

std::vector<setting_value> show_settings(const loaded_settings& loaded) {
    std::vector<setting_value> all;
    for (const auto& s : detail::settings_table()) {
        const auto origin = loaded.origins.find(s.name());
        all.push_back({s.section, s.key, s.value.show(loaded.value),
                       origin == loaded.origins.end() ? "default" : origin->second});
    }
    return all;
}

std::vector<setting_info> list_settings() {
    std::vector<setting_info> all;
    for (const auto& s : detail::settings_table()) {
        all.push_back({s.name(), s.variable(), s.form, s.fallback, s.help});
    }
    return all;
}

std::string identity_text(const settings& s) {
    std::string out;
    const auto line = [&](const std::string& name, const std::string& value) {
        if (!value.empty()) out += fmt::format("{} = {}\n", name, quoted(value));
    };
    for (const auto& [field, column] : s.columns)
        out += fmt::format("columns.{} = {}\n", field, quoted(column));
    const auto words = [&](const char* field, const word_map& map) {
        word_map alike;
        for (const auto& [word, meaning] : map)
            alike.emplace(lower_case(word), meaning);
        for (const auto& [word, meaning] : alike)
            out += fmt::format("values.{}.{} = {}\n", field, quoted(word), quoted(meaning));
    };
    words("type", s.values.type);
    words("priority", s.values.priority);
    words("status", s.values.status);
    words("owner", s.values.owner);
    line("defaults.user_id", s.defaults.user_id);
    line("defaults.owner_email", s.defaults.owner_email);
    line("defaults.type", s.defaults.type);
    line("defaults.priority", s.defaults.priority);
    line("defaults.status", s.defaults.status);
    line("defaults.due_at", s.defaults.due_at);
    line("defaults.note", s.defaults.note);
    line("dates.timezone", s.dates.timezone);
    line("dates.time", s.dates.time);
    for (const auto& format : s.dates.formats) {
        line("dates.formats", format);
    }
    std::set<std::string> ignored;
    for (const auto& column : s.import.ignore_columns)
        ignored.insert(lower_case(column));
    for (const auto& column : ignored)
        line("import.ignore_columns", column);
    if (s.import.notes == note_form::html) line("import.notes", "html");
    out += fmt::format("import.chunk_size = {}\n", s.import.chunk_size);
    if (s.import.skip_lines != 0) out += fmt::format("import.skip_lines = {}\n", s.import.skip_lines);
    if (s.import.short_rows) out += "import.short_rows = true\n";
    // Which contacts rows mean, not how they are found.
    const contact_settings usual;
    if (s.contacts.missing != usual.missing) out += "contacts.missing = create\n";
    if (s.contacts.several != usual.several)
        out += fmt::format("contacts.several = {}\n", static_cast<int>(s.contacts.several));
    if (!s.contacts.additional_emails) out += "contacts.additional_emails = false\n";
    if (s.import.oldest_due.count() != 0)
        out += fmt::format("import.oldest_due = {}\n", format_duration(s.import.oldest_due));
    return out;
}

}  // namespace taskbarge::core
