#include "taskbarge/job/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "job/planning/owners.hpp"
#include "job/planning/planning.hpp"
#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/edit_distance.hpp"
#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/text.hpp"
#include "taskbarge/reader/survey.hpp"

namespace taskbarge::job {

using core::result;
using core::toml_text;

namespace {

constexpr std::uint64_t rows_looked_at = 5000;
constexpr const char* words_of_types =
    "call, outreach_manual_email, linkedin_step_connect, linkedin_step_message, "
    "linkedin_step_view_profile, linkedin_step_interact_post, action_item";

std::string counted_rows(std::uint64_t rows) {
    return fmt::format("{} {}", rows, rows == 1 ? "row" : "rows");
}

// Comments are one line, whatever a file's names hold.
std::string comment_of(std::string_view text) {
    return core::printable(text, 200);
}

enum class mark { none, check, choose };

// The text of a settings file, section by section.
class settings_text {
 public:
    void section(const std::string& name) { section_ = name; }
    void set(const std::string& key, const std::string& value, mark m, const std::string& why) {
        begin_section();
        const auto* word = m == mark::choose ? to_choose : to_check;
        note_line(m);
        out_ += fmt::format("{} = {}{}\n", key, value,
                            m == mark::none && why.empty() ? ""
                            : m == mark::none              ? "  # " + comment_of(why)
                                                           : fmt::format("  # {}: {}", word, comment_of(why)));
        ++line_;
    }
    void remark(const std::string& text) {
        begin_section();
        out_ += "# " + comment_of(text) + "\n";
        ++line_;
    }
    void top(const std::string& text) {
        out_ += "# " + comment_of(text) + "\n";
        ++line_;
    }
    const std::string& text() const { return out_; }
    const std::vector<std::size_t>& choices() const { return choices_; }
    const std::vector<std::size_t>& checks() const { return checks_; }

 private:
    void begin_section() {
        if (section_.empty()) return;
        out_ += fmt::format("\n[{}]\n", std::exchange(section_, ""));
        line_ += 2;
    }
    void note_line(mark m) {
        if (m == mark::choose) choices_.push_back(line_);
        if (m == mark::check) checks_.push_back(line_);
    }

    std::string out_, section_;
    std::size_t line_ = 1;
    std::vector<std::size_t> choices_, checks_;
};

// Goes from what the file holds to the settings, field by field.
class suggester {
 public:
    suggester(const environment& env, const import_options& options) : env_(env), options_(options) {
        out_.trial = env.settings;
    }

    result<settings_suggestion> run() {
        for (std::size_t i = 0; i < options_.files.size(); ++i) {
            auto survey = survey_of(i);
            if (!survey) return survey.error();
            if (i == 0)
                survey_ = std::move(*survey);
            else
                more_files_ = true;
        }
        if (survey_.rows == 0)
            return core::failure{core::errc::input, fmt::format("{}: there is no row behind the header to learn from",
                                                                survey_.report.name)};
        find_columns();
        if (auto asked = ask_for_users(); !asked) return asked.error();
        write_top();
        write_columns();
        suggest_dates();
        suggest_defaults();
        if (auto words = suggest_words(); !words) return words.error();
        write_values();
        write_defaults();
        write_dates();
        write_import();
        out_.text = text_.text();
        out_.choices = text_.choices();
        out_.checks = text_.checks();
        return std::move(out_);
    }

 private:
    // A setting of which the value is a proposal, or to be chosen.
    struct proposal {
        std::string key, value;
        mark how = mark::none;
        std::string why;
    };

    result<reader::file_survey> survey_of(std::size_t file) const {
        import_options one = options_;
        one.files = {options_.files[file]};
        one.first_rows = options_.first_rows ? std::min(options_.first_rows, rows_looked_at) : rows_looked_at;
        auto so = source_options_of(env_, one, {}, env_.clock.now());
        // What stands in the settings already is looked at again.
        so.columns.clear();
        so.values = {};
        so.defaults = {};
        so.import.ignore_columns.clear();
        return reader::survey_file(one.files.front(), std::move(so));
    }

    const reader::surveyed_column* column(const std::string& field) const {
        const auto found = columns_.find(field);
        return found == columns_.end() ? nullptr : survey_.find(found->second);
    }

    void find_columns() {
        for (const auto& c : survey_.report.columns)
            if (!c.column.empty()) columns_[c.field] = c.column;
        // Ids of Apollo's kind are of many things; which column holds the contacts' is for somebody to say.
        for (const auto& c : survey_.columns)
            if (c.filled > 0 && c.object_ids * 10 >= c.filled * 9 && !is_mapped(c.name))
                like_contacts_ += (like_contacts_.empty() ? "" : ", ") + toml_text(c.name);
        find_keys();
    }

    // Ids of Salesforce's and addresses say what they are, whatever their column is called; HubSpot's are numbers like
    // any others. For an import names alone decide: here it is a proposal.
    void find_keys() {
        const auto* contact = column("contact_id");
        const bool usual_ids = env_.settings.import.id_pattern == core::import_settings{}.id_pattern;
        const bool of_others = usual_ids && contact != nullptr && contact->filled > 0 && contact->object_ids == 0;
        const auto is_free = [&](const reader::surveyed_column& c) {
            return (of_others && c.name == contact->name) || (!is_mapped(c.name) && core::lower_case(c.name) == "id");
        };
        for (const auto kind : {core::key_kind::salesforce_id, core::key_kind::email, core::key_kind::linkedin_url}) {
            const std::string field(to_string(kind));
            for (const auto& c : survey_.columns) {
                if (columns_.contains(field) || !is_free(c) || !holds_keys(c, kind)) continue;
                columns_[field] = c.name;
                proposed_keys_.insert(field);
            }
        }
        if (!of_others || !names_by_key()) return;
        if (!is_mapped_as_key(contact->name)) not_contact_ = contact->name;
        columns_.erase("contact_id");
    }

    static bool holds_keys(const reader::surveyed_column& c, core::key_kind kind) {
        const auto is_key = [kind](const std::string& value) { return core::comparable_key(kind, value).has_value(); };
        const auto keys = std::count_if(c.values.begin(), c.values.end(), is_key);
        return !c.values.empty() && static_cast<std::size_t>(keys) * 10 >= c.values.size() * 9;
    }

    bool names_by_key() const {
        return std::any_of(core::all_key_kinds.begin(), core::all_key_kinds.end(),
                           [&](core::key_kind kind) { return columns_.contains(std::string(to_string(kind))); });
    }
    bool is_mapped_as_key(const std::string& name) const {
        return std::any_of(core::all_key_kinds.begin(), core::all_key_kinds.end(), [&](core::key_kind kind) {
            const auto found = columns_.find(std::string(to_string(kind)));
            return found != columns_.end() && found->second == name;
        });
    }

    bool is_mapped(const std::string& column) const {
        return std::any_of(columns_.begin(), columns_.end(), [&](const auto& c) { return c.second == column; });
    }

    // Only where the file names owners, or nobody is named at all: one user alone is the owner then.
    result<void> ask_for_users() {
        if (env_.key.empty() || columns_.contains("user_id")) return {};
        auto users = ask_apollo_for_owners(env_)();
        if (!users && users.error().code == core::errc::interrupted) return users.error();
        if (users)
            users_ = std::move(*users);
        else
            env_.watch.on_notice("owners are not looked at: " + users.error().text);
        return {};
    }

    void write_top() {
        text_.top(fmt::format("Settings for files like {}, proposed from its header and its first {}.",
                              survey_.report.name, counted_rows(survey_.rows)));
        text_.top(fmt::format("Lines with {} need your word; lines with {} hold a proposal.", to_choose, to_check));
        if (more_files_) text_.top("The other files given were read as well; these settings follow the first.");
    }

    void write_columns() {
        text_.section("columns");
        const auto write = [&](const std::string& field, mark how, const std::string& why) {
            const auto& name = columns_.at(field);
            text_.set(field, toml_text(name), how, why);
            out_.trial.columns[field] = name;
        };
        out_.trial.columns.clear();
        if (columns_.contains("contact_id")) {
            write("contact_id", mark::none, filled(column("contact_id")));
        } else if (names_by_key()) {
            text_.remark("No column holds Apollo's contact ids: contacts are found by what follows." +
                         (like_contacts_.empty() ? "" : " Ids of that kind are in " + like_contacts_ + "."));
            if (!not_contact_.empty()) {
                text_.set("contact_id", "false", mark::check,
                          fmt::format("{} has no id of Apollo's kind", toml_text(not_contact_)));
                out_.trial.columns["contact_id"] = "";
            }
        } else {
            text_.set(
                "contact_id", toml_text(to_choose), mark::choose,
                "the column that holds Apollo's contact ids; " +
                    (like_contacts_.empty() ? std::string("no column has ids of that kind; one with the contacts' "
                                                          "addresses would do, as email = \"...\"")
                                            : "ids of that kind are in " + like_contacts_));
        }
        out_.can_plan = columns_.contains("contact_id") || names_by_key();
        for (const char* field : {"salesforce_id", "hubspot_id", "email", "linkedin_url"}) {
            if (!columns_.contains(field)) continue;
            const bool proposed = proposed_keys_.contains(field);
            auto why = filled(column(field));
            if (proposed) why = "its values are of that kind" + (why.empty() ? "" : "; " + why);
            write(field, proposed ? mark::check : mark::none, why);
        }
        for (const char* field : {"user_id", "owner_email", "type", "priority", "status", "due_at", "note"}) {
            if (!columns_.contains(field)) continue;
            const bool is_guess = field == std::string_view("note") && survey_.find(columns_.at(field)) != nullptr &&
                                  columns_.at(field) != "note";
            write(field, is_guess ? mark::check : mark::none,
                  is_guess ? fmt::format("becomes the task's note{}; false for none",
                                         filled(column(field)).empty() ? "" : " (" + filled(column(field)) + ")")
                           : filled(column(field)));
        }
        for (const auto& passed : survey_.report.passed_over)
            if (!is_mapped(passed.column)) text_.remark(fmt::format("{} {}", toml_text(passed.column), passed.why));
        const auto title = std::find_if(survey_.columns.begin(), survey_.columns.end(), [](const auto& c) {
            const auto name = core::lower_case(c.name);
            return name == "task title" || name == "subject" || name == "hs_task_subject";
        });
        if (title != survey_.columns.end())
            text_.remark(fmt::format(
                "To have the title in the note as well, instead (a title of each row's own makes a "
                "request of its own): note = {}",
                toml_text(columns_.contains("note") ? fmt::format("{{{}}}: {{{}}}", title->name, columns_.at("note"))
                                                    : fmt::format("{{{}}}", title->name))));
    }

    std::string filled(const reader::surveyed_column* c) const {
        if (!c || c->filled == survey_.rows) return {};
        return fmt::format("filled in {} of {}", c->filled, counted_rows(survey_.rows));
    }

    void suggest_dates() {
        const auto* due = column("due_at");
        if (!due) {
            dates_needed_ = {true, true, {}, {}};  // for "+1d"
            return;
        }
        dates_needed_ = reader::needs_of_dates(due->values, env_.clock.now());
    }

    // Where a column has gaps, nothing is put in: such rows are rejected, unless somebody wants them otherwise.
    void suggest_defaults() {
        auto& d = out_.trial.defaults;
        d = {};
        if (!column("type")) {
            defaults_.push_back({"type", to_choose, mark::choose, fmt::format("what to do: {}", words_of_types)});
            stand_in("defaults.type", "call", d.type);
        } else {
            tell_gaps("type", "type");
        }
        if (!column("status")) {
            d.status = "scheduled";
            defaults_.push_back({"status", d.status, mark::check, "the file has none"});
        } else {
            tell_gaps("status", "status");
        }
        if (!column("due_at")) {
            d.due_at = "+1d";
            defaults_.push_back({"due_at", d.due_at, mark::check,
                                 "the file has none; the day after the import, or a date such as 2027-02-15"});
        } else {
            tell_gaps("due_at", "due_at");
        }
        suggest_owner();
    }

    void tell_gaps(const std::string& field, const std::string& setting) {
        const auto* c = column(field);
        if (c->filled < survey_.rows)
            gaps_.push_back(fmt::format("{} have no {} and are rejected, unless you set: {} = \"...\"",
                                        counted_rows(survey_.rows - c->filled), field, setting));
    }

    void suggest_owner() {
        for (const char* field : {"user_id", "owner_email"})
            if (column(field)) return tell_gaps(field, "owner_email");
        auto& d = out_.trial.defaults;
        if (users_.size() == 1) {
            d.user_id = users_.front().id;
            defaults_.push_back(
                {"user_id", d.user_id, mark::check,
                 fmt::format("the file names no owner; the team's only user, {}", users_.front().email)});
            return;
        }
        std::string known;
        for (std::size_t i = 0; i < std::min<std::size_t>(users_.size(), 5); ++i)
            known += (known.empty() ? ", such as " : ", ") + users_[i].email;
        defaults_.push_back({"owner_email", to_choose, mark::choose,
                             fmt::format("the file names no owner: the address of a user of the team{}", known)});
        stand_in("defaults.user_id", users_.empty() ? std::string(24, '0') : users_.front().id, d.user_id);
    }

    void stand_in(const std::string& name, const std::string& value, std::string& at) {
        at = value;
        out_.stand_ins.push_back(fmt::format("{} = {}", name, value));
    }

    // A first reading by these settings shows the words that nobody knows.
    result<void> suggest_words() {
        auto& trial = out_.trial;
        trial.values = {};
        trial.import.ignore_columns.clear();
        if (dates_needed_.timezone || dates_needed_.time) {
            auto zone = reader::timezone_of_machine();
            trial.dates.timezone =
                env_.settings.dates.timezone.empty() ? (zone.empty() ? "UTC" : zone) : env_.settings.dates.timezone;
        }
        if (dates_needed_.time && trial.dates.time.empty()) trial.dates.time = "09:00";
        if (!dates_needed_.formats.empty()) trial.dates.formats = {dates_needed_.formats.front()};
        if (!out_.can_plan) return {};
        import_options one = options_;
        one.files = {options_.files.front()};
        one.first_rows = rows_looked_at;
        environment trial_env{trial, env_.key, env_.clock, env_.stop, env_.watch, env_.seed};
        const auto users = users_;
        auto so = source_options_of(
            trial_env, one, [users] { return result<std::vector<reader::team_user>>(users); }, env_.clock.now());
        auto source = reader::row_source::open(one.files, std::move(so));
        if (!source) return source.error();
        reader::row_batch batch;
        for (;;) {
            auto more = source->next(batch);
            if (!more) return more.error();
            if (!*more) break;
        }
        for (const auto& word : source->unknown_words()) {
            // Without a key no owner is known, whoever he is.
            if (word.field == "owner" && users_.empty()) continue;
            words_.push_back(word);
            take_for_trial(word);
        }
        return {};
    }

    void take_for_trial(const reader::unknown_word& word) {
        auto& values = out_.trial.values;
        const std::map<std::string, std::pair<core::word_map*, std::string>> stand_ins{
            {"type", {&values.type, "call"}},
            {"priority", {&values.priority, "medium"}},
            {"status", {&values.status, "scheduled"}},
            {"owner", {&values.owner, users_.empty() ? std::string() : users_.front().id}}};
        const auto& [map, meaning] = stand_ins.at(word.field);
        (*map)[word.word] = meaning;
        out_.stand_ins.push_back(fmt::format("values.{}.{} = {}", word.field, toml_text(word.word), meaning));
    }

    void write_values() {
        const std::map<std::string, const char*> meanings{
            {"type", words_of_types}, {"priority", "high, medium, low"}, {"status", "scheduled, completed, skipped"}};
        std::string field;
        for (const auto& word : words_) {
            if (word.field != field) text_.section("values." + (field = word.field));
            const auto known = meanings.find(field);
            text_.set(toml_text(word.word), toml_text(to_choose), mark::choose,
                      fmt::format("{}; {}", counted_rows(word.rows),
                                  known == meanings.end() ? nearest_user(word.word) : known->second));
        }
    }

    std::string nearest_user(const std::string& owner) const {
        std::vector<std::string> known;
        for (const auto& user : users_) {
            known.push_back(user.email);
            if (!user.name.empty()) known.push_back(user.name);
        }
        const auto found = core::nearest(owner, known);
        return "a user's address, id or full name" + (found.empty() ? "" : "; the nearest is " + found);
    }

    void write_defaults() {
        text_.section("defaults");
        for (const auto& p : defaults_)
            text_.set(p.key, toml_text(p.value), p.how, p.why);
        for (const auto& gap : gaps_)
            text_.remark(gap);
    }

    void write_dates() {
        text_.section("dates");
        const auto& dates = out_.trial.dates;
        if (dates_needed_.timezone || dates_needed_.time)
            text_.set("timezone", toml_text(dates.timezone), mark::check,
                      env_.settings.dates.timezone.empty() ? "the zone of this machine; in which the file's times are"
                                                           : "in which the file's times are");
        if (dates_needed_.time)
            text_.set("time", toml_text(dates.time), mark::check, "when a task is due that has a day alone");
        const auto& formats = dates_needed_.formats;
        if (formats.size() == 1) {
            text_.set("formats", fmt::format("[{}]", toml_text(formats.front())), mark::none,
                      fmt::format("as in {}", toml_text(dates_needed_.unread)));
        } else if (formats.size() > 1) {
            std::string all;
            for (const auto& f : formats)
                all += (all.empty() ? "" : " or ") + toml_text(f);
            text_.set("formats", fmt::format("[{}]", toml_text(to_choose)), mark::choose,
                      fmt::format("dates such as {} may be {}", toml_text(dates_needed_.unread), all));
            out_.stand_ins.push_back(fmt::format("dates.formats = {}", formats.front()));
        } else if (!dates_needed_.unread.empty()) {
            text_.set("formats", fmt::format("[{}]", toml_text(to_choose)), mark::choose,
                      fmt::format("how {} is written, such as %m/%d/%Y", toml_text(dates_needed_.unread)));
        }
    }

    void write_import() {
        text_.section("import");
        const auto* note = column("note");
        if (!note || note->html == 0) return;
        out_.trial.import.notes = core::note_form::html;
        text_.set("notes", toml_text("html"), mark::check,
                  fmt::format("{} of {} notes hold HTML; their text is taken. \"text\" keeps them as they are",
                              note->html, note->filled));
    }

    const environment& env_;
    const import_options& options_;
    settings_suggestion out_;
    reader::file_survey survey_;
    bool more_files_ = false;
    std::string like_contacts_;                   // columns that hold ids of Apollo's kind
    std::string not_contact_;                     // a column that is called like the contact's, and holds none
    std::set<std::string> proposed_keys_;         // fields whose column is known by its values
    std::map<std::string, std::string> columns_;  // by field
    std::vector<reader::team_user> users_;
    reader::date_needs dates_needed_;
    std::vector<proposal> defaults_;
    std::vector<std::string> gaps_;
    std::vector<reader::unknown_word> words_;
    settings_text text_;
};

}  // namespace

result<settings_suggestion> suggest_settings(const environment& env, const import_options& options) {
    return suggester(env, options).run();
}

}  // namespace taskbarge::job
