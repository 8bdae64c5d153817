#include "reader/field_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reader/invisible.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

struct known_name {
    std::string_view normalised;
    field at;
};

// Names that can mean nothing else: they count as much as our own. In an export of another CRM "Apollo Contact Id" must
// not give way to "Contact ID", which is that CRM's.
constexpr known_name names_of_apollo[] = {
    {"apollocontactid", field::contact_id},    // Apollo's export
    {"apolloid", field::contact_id},           // fields of other CRMs that Apollo fills
    {"contactidapollo", field::contact_id},    //
    {"apolloiocontactid", field::contact_id},  //
    {"apolloioid", field::contact_id},         //
    {"apollocontact", field::contact_id},      //
    {"apollouserid", field::user_id},         {"apolloownerid", field::user_id},
};

// Normalised names, as Apollo's, HubSpot's and Salesforce's exports and their APIs have them.
constexpr known_name aliases[] = {
    {"salesforcecontactid", field::salesforce_id},  // Apollo's API, and HubSpot's sync with Salesforce
    {"salesforceleadid", field::salesforce_id},     //
    {"salesforceid18", field::salesforce_id},       //
    {"sfdcid", field::salesforce_id},               //
    {"sfdccontactid", field::salesforce_id},        //
    {"sfdcleadid", field::salesforce_id},           //
    {"sfid", field::salesforce_id},                 //
    {"whoid", field::salesforce_id},                // Salesforce: "WhoId" of tasks
    {"contactid18", field::salesforce_id},          // formulas of CASESAFEID()
    {"contactid(18)", field::salesforce_id},        //
    {"contactcasesafeid", field::salesforce_id},    //
    {"leadid", field::salesforce_id},               // Salesforce reports: "Lead ID"
    {"leadid18", field::salesforce_id},             //
    {"leadid(18)", field::salesforce_id},           //
    {"leadcasesafeid", field::salesforce_id},       //
    {"recordidcontact", field::hubspot_id},         // HubSpot: "Record ID - Contact"
    {"contactrecordid", field::hubspot_id},         //
    {"hubspotvid", field::hubspot_id},              // Apollo's API
    {"hubspotcontactid", field::hubspot_id},        //
    {"hubspotrecordid", field::hubspot_id},         //
    {"vid", field::hubspot_id},                     // HubSpot's older API
    {"contactvid", field::hubspot_id},              // HubSpot's older exports: "Contact VID"
    {"associatedcontactid", field::hubspot_id},     //
    {"associatedcontactids", field::hubspot_id},    // HubSpot's exports of tasks
    {"emailaddress", field::email},                 // Outlook: "E-mail Address"
    {"workemail", field::email},                    // HubSpot: "Work email"
    {"primaryemail", field::email},                 //
    {"businessemail", field::email},                //
    {"contactemail", field::email},                 // Salesforce: "Contact.Email"
    {"contactemailaddress", field::email},          //
    {"whoemail", field::email},                     // Salesforce: "Who.Email"
    {"leademail", field::email},                    //
    {"personemail", field::email},                  //
    {"personlinkedinurl", field::linkedin_url},     // Apollo
    {"contactlinkedinurl", field::linkedin_url},    //
    {"linkedin", field::linkedin_url},              //
    {"linkedinprofile", field::linkedin_url},       //
    {"linkedinprofileurl", field::linkedin_url},    //
    {"linkedinbio", field::linkedin_url},           // HubSpot
    {"hslinkedinurl", field::linkedin_url},         // HubSpot: internal name
    {"taskownerid", field::user_id},                //
    {"assigneeid", field::user_id},                 //
    {"useremail", field::owner_email},              //
    {"taskowneremail", field::owner_email},         //
    {"contactowneremail", field::owner_email},      //
    {"contactowner", field::owner_email},           // Apollo and HubSpot: "Contact Owner"
    {"taskowner", field::owner_email},              //
    {"ownername", field::owner_email},              // Salesforce: "Owner.Name"
    {"owner", field::owner_email},                  //
    {"assignedto", field::owner_email},             // HubSpot and Salesforce: "Assigned to"
    {"assignedtoemail", field::owner_email},        //
    {"assigneeemail", field::owner_email},          //
    {"assignee", field::owner_email},               //
    {"tasktype", field::type},                      // HubSpot: "Task type"
    {"hstasktype", field::type},                    // HubSpot: internal name
    {"tasksubtype", field::type},                   // Salesforce: "TaskSubtype"
    {"taskpriority", field::priority},              //
    {"hstaskpriority", field::priority},            // HubSpot: internal name
    {"taskstatus", field::status},                  // HubSpot: "Task status"
    {"hstaskstatus", field::status},                // HubSpot: internal name
    {"due", field::due_at},                         //
    {"duedate", field::due_at},                     // HubSpot and Salesforce: "Due date"
    {"duedatetime", field::due_at},                 //
    {"duedateonly", field::due_at},                 // Salesforce: "Due Date Only"
    {"taskduedate", field::due_at},                 // Apollo
    {"activitydate", field::due_at},                // Salesforce: "ActivityDate"
    {"hstimestamp", field::due_at},                 // HubSpot: internal name
    {"notes", field::note},                         // HubSpot: "Notes"
    {"tasknote", field::note},                      // Apollo
    {"tasknotes", field::note},                     // HubSpot: "Task notes"
    {"hstaskbody", field::note},                    // HubSpot: internal name
    {"description", field::note},                   // Salesforce: "Description"
    {"comments", field::note},                      // Salesforce: "Comments"
    {"fullcomments", field::note},                  // Salesforce reports: "Full Comments"
};

// Names that look right and hold somebody else's ids, in the exports that have them.
struct foreign_name {
    std::string_view normalised;
    field at;
    std::string_view whose;
};
constexpr foreign_name foreign[] = {
    {"ownerid", field::user_id, "Salesforce"},       // "OwnerId"
    {"assignedtoid", field::user_id, "Salesforce"},  // reports: "Assigned To ID"
    {"hubspotownerid", field::user_id, "HubSpot"},   // internal name
};

// Names of a record's own id, of whatever kind the records are; the names decide of which.
constexpr std::string_view names_of_own_id[] = {"recordid", "hsobjectid"};  // HubSpot
// Exports of contacts have one of these, and none of those.
constexpr std::string_view names_of_contacts[] = {"firstname", "lastname"};
constexpr std::string_view names_of_others[] = {
    "tasktitle", "tasktype",  "taskstatus",  "hstasktype",   "hstaskstatus",      "hstasksubject",        "hstaskbody",
    "dealname",  "dealstage", "ticketname",  "ticketstatus", "associatedcontact", "associatedcontactids", "dealid",
    "ticketid",  "calltitle", "meetingname", "activitytype", "engagementtype"};

constexpr bool is_owner(field f) {
    return f == field::user_id || f == field::owner_email;
}

core::failure unusable(const std::string& file, std::string_view what) {
    return {core::errc::input, fmt::format("{}: {}", file, what)};
}

std::string quoted(std::string_view name) {
    return fmt::format("\"{}\"", name);
}

// What the file has, for messages; long headers are cut.
std::string columns_found(std::span<const std::string> names) {
    constexpr std::size_t enough = 20;
    std::vector<std::string> shown_names;
    for (const std::string& n : names.first(std::min(enough, names.size())))
        shown_names.push_back(shown(n));
    if (names.size() > enough) shown_names.push_back(fmt::format("{} more", names.size() - enough));
    return listed(shown_names);
}

std::string setting_hint(std::string_view which, field f, std::string_view column) {
    return fmt::format("name {} under [columns]: {} = {}", which, to_string(f), quoted(column));
}

// Works out one header; each step is about one field.
class header_mapper {
 public:
    header_mapper(std::span<const std::string> names, const name_rules& rules, const std::string& file,
                  needed_fields needed)
        : names_(names), rules_(rules), file_(file), needed_(needed) {
        for (const std::string& n : names)
            matches_.push_back(n.empty() ? std::nullopt : rules.match(n));
    }

    core::result<header_map> run() {
        for (const field f : all_fields)
            if (auto placed = place(f); !placed) return placed.error();
        place_own_id();
        if (auto settled = settle_doubled(); !settled) return settled.error();
        // Our own name or a setting means it; a mere alias must not override what is said about the owner elsewhere.
        for (const field f : {field::owner_email, field::user_id}) {
            const field other = f == field::user_id ? field::owner_email : field::user_id;
            if (map_.column[f] && map_.column[other] && map_.how[f] == name_match::alias &&
                map_.how[other] != name_match::alias)
                map_.column[f].reset();
        }
        if (auto placed = place_note(); !placed) return placed.error();
        if (needed_ == needed_fields::all)
            if (auto whole = require_fields(); !whole) return whole.error();
        list_unused();
        return std::move(map_);
    }

 private:
    core::result<void> place(field f) {
        if (!rules_.configured(f).empty()) return place_configured(f);
        for (const name_match how : {name_match::name, name_match::alias}) {
            std::vector<std::size_t> found;
            for (std::size_t i = 0; i < names_.size(); ++i)
                if (matches_[i] && matches_[i]->at == f && matches_[i]->how == how) found.push_back(i);
            if (found.size() > 1 && is_key(f)) {
                doubled_[f] = std::move(found);
                return {};
            }
            if (found.size() > 1) return ambiguous(f, found);
            if (found.size() == 1) {
                map_.column[f] = found.front();
                map_.how[f] = how;
                return {};
            }
        }
        return {};
    }

    core::result<void> place_configured(field f) {
        const auto found = find(rules_.configured(f), f);
        if (!found) return found.error();
        map_.column[f] = *found;
        map_.how[f] = name_match::settings;
        return {};
    }

    // A "Record ID" is a contact's in an export of contacts only: the same number may be a company's or a task's.
    void place_own_id() {
        const auto is_one_of = [&](const auto& known) {
            return [&known](const std::string& name) {
                return std::find(std::begin(known), std::end(known), normalised(name)) != std::end(known);
            };
        };
        constexpr field f = field::hubspot_id;
        if (map_.column[f] || doubled_[f] || !rules_.is_open(f)) return;
        if (std::none_of(names_.begin(), names_.end(), is_one_of(names_of_contacts)) ||
            std::any_of(names_.begin(), names_.end(), is_one_of(names_of_others)))
            return;
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (!matches_[i] && !rules_.ignores(names_[i]) && is_one_of(names_of_own_id)(names_[i])) {
                map_.column[f] = i;
                map_.how[f] = name_match::alias;
                return;
            }
    }

    // Where the contact is named by another column, neither of two that could be the same key is used.
    core::result<void> settle_doubled() {
        const bool named = names_a_contact();
        for (const field f : all_fields) {
            if (!doubled_[f]) continue;
            if (!named) return ambiguous(f, *doubled_[f]);
            for (const std::size_t i : *doubled_[f])
                map_.passed_over.push_back(
                    {names_[i], fmt::format("not used, as more than one column may be {}; columns.{} = {} uses it",
                                            to_string(f), to_string(f), quoted(names_[i]))});
        }
        return {};
    }

    bool names_a_contact() const {
        return std::any_of(all_fields.begin(), all_fields.end(),
                           [&](field f) { return names_contact(f) && map_.column[f]; });
    }

    core::result<void> place_note() {
        for (const auto& part : rules_.note().parts()) {
            map_.note.push_back({part.text, std::nullopt});
            if (!part.is_column) continue;
            const auto found = find(part.text, field::note);
            if (!found) return found.error();
            map_.note.back().column = *found;
        }
        return {};
    }

    // The column that the settings name. The very name first; a header may hold both "Notes" and "notes".
    core::result<std::size_t> find(const std::string& wanted, field f) const {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (names_[i] == wanted) found.push_back(i);
        for (std::size_t i = 0; found.empty() && i < names_.size(); ++i)
            if (normalised(names_[i]) == normalised(wanted)) found.push_back(i);
        if (found.empty())
            return unusable(
                file_,
                fmt::format("there is no column {}, which [columns] names for {}; it has {}; the nearest "
                            "is {}",
                            quoted(wanted), to_string(f), columns_found(names_), quoted(nearest(wanted, names_))));
        if (found.size() > 1) return ambiguous(f, found);
        return found.front();
    }

    core::failure ambiguous(field f, const std::vector<std::size_t>& found) const {
        std::vector<std::string> columns;
        bool same = true;
        for (const std::size_t i : found) {
            columns.push_back(fmt::format("{} (column {})", shown(names_[i]), i + 1));
            same = same && names_[i] == names_[found.front()];
        }
        return unusable(file_, fmt::format("more than one column is {}: {}; {}", to_string(f), listed(columns),
                                           same ? "remove or rename all but one"
                                                : setting_hint("the right one", f, names_[found.front()])));
    }

    // All that is missing at once, with the settings to paste.
    core::result<void> require_fields() const {
        std::vector<std::string> absent, settings;
        const auto want = [&](bool there, field f, std::string_view setting) {
            if (there) return;
            absent.emplace_back(to_string(f));
            settings.push_back(fmt::format("--set {}", setting));
        };
        const bool has_contact = names_a_contact();
        want(has_contact, field::contact_id, "columns.contact_id=\"NAME\"");
        want(present(field::user_id) || present(field::owner_email), field::user_id,
             "defaults.owner_email=jane@example.com");
        want(present(field::type), field::type, "defaults.type=call");
        want(present(field::status), field::status, "defaults.status=scheduled");
        want(present(field::due_at), field::due_at, "defaults.due_at=2027-02-15T10:00:00Z");
        if (absent.empty()) return {};
        std::string text =
            has_contact ? "" : "no contact column (contact_id, email, salesforce_id, hubspot_id or linkedin_url)";
        const auto others = std::span(absent).subspan(has_contact ? 0 : 1);
        if (!others.empty())
            text += fmt::format("{}no column and no default for {}", has_contact ? "" : ", ", listed(others));
        text += fmt::format("; it has {}", columns_found(names_));
        for (const auto& name : names_)
            if (const auto why = why_not(name); !why.empty()) text += fmt::format("; {}: {}", shown(name), why);
        text += fmt::format("; name what is missing, such as {}, or have `taskbarge init {}` write such settings",
                            fmt::join(settings, " "), shell_quoted(file_));
        return unusable(file_, text);
    }

    std::string why_not(const std::string& name) const {
        if (auto why = rules_.why_not(name); !why.empty()) return why;
        if (rules_.ignores(name) || rules_.match(name) || rules_.is_part_of_note(name)) return {};
        // The commonest name of all means nothing where the contact has a column of its own.
        const bool open = rules_.is_open(field::salesforce_id) && !map_.column[field::salesforce_id];
        if (normalised(name) != "id" || !open || map_.column[field::contact_id]) return {};
        return fmt::format(
            "may be the id of a contact or lead in Salesforce; if so, columns.salesforce_id = {} uses it",
            quoted(name));
    }

    bool present(field f) const { return map_.column[f].has_value() || rules_.has_default(f); }

    void list_unused() {
        std::vector<bool> used(names_.size(), false);
        for (const field f : all_fields)
            if (map_.column[f]) used[*map_.column[f]] = true;
        for (const field f : all_fields)
            if (doubled_[f])
                for (const std::size_t i : *doubled_[f])
                    used[i] = true;  // told already
        for (const auto& part : map_.note)
            if (part.column) used[*part.column] = true;
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (used[i] || names_[i].empty() || name_rules::is_error_column(names_[i]) || rules_.ignores(names_[i]))
                continue;
            if (auto why = why_not(names_[i]); !why.empty())
                map_.passed_over.push_back({names_[i], std::move(why)});
            else
                map_.unused.push_back(names_[i]);
        }
    }

    std::span<const std::string> names_;
    const name_rules& rules_;
    const std::string& file_;
    needed_fields needed_;
    std::vector<std::optional<matched_field>> matches_;
    per_field<std::optional<std::vector<std::size_t>>> doubled_;  // keys that several columns may be
    header_map map_;
};

}  // namespace

std::string_view to_string(name_match m) {
    switch (m) {
        case name_match::settings:
            return "settings";
        case name_match::name:
            return "name";
        case name_match::alias:
            break;
    }
    return "alias";
}

std::string normalised(std::string_view name) {
    std::string out = lower_case(plain_name(name));
    if (out.ends_with("__c")) out.resize(out.size() - 3);
    std::erase_if(out, [](char c) { return std::string_view(" -_\t.:").find(c) != std::string_view::npos; });
    return out;
}

core::result<name_rules> name_rules::make(const source_options& options) {
    name_rules rules;
    for (const auto& [name, column] : options.columns) {
        const auto f = std::find_if(all_fields.begin(), all_fields.end(),
                                    [&name = name](field candidate) { return to_string(candidate) == name; });
        if (f == all_fields.end())
            return core::failure{core::errc::settings, fmt::format("columns.{}: there is no such field", name)};
        if (*f == field::note && note_template::is_one(column)) {
            auto note = note_template::make(column);
            if (!note) return note.error();
            rules.note_ = std::move(*note);
            rules.configured_[*f] = "";
        } else {
            rules.configured_[*f] = column;
        }
    }
    for (const std::string& name : options.import.ignore_columns)
        rules.ignored_.push_back(normalised(name));
    const core::default_settings& d = options.defaults;
    rules.has_default_[field::user_id] = !d.user_id.empty();
    rules.has_default_[field::owner_email] = !d.owner_email.empty();
    rules.has_default_[field::type] = !d.type.empty();
    rules.has_default_[field::priority] = !d.priority.empty();
    rules.has_default_[field::status] = !d.status.empty();
    rules.has_default_[field::due_at] = !d.due_at.empty();
    rules.has_default_[field::note] = !d.note.empty();
    return rules;
}

bool name_rules::is_open(field f) const {
    if (configured_[f]) return false;
    const field other = f == field::user_id ? field::owner_email : field::user_id;
    return !is_owner(f) || configured_[other].value_or("").empty();
}

bool name_rules::has_default_in_either_form(field f) const {
    return has_default_[f] || (is_owner(f) && (has_default_[field::user_id] || has_default_[field::owner_email]));
}

std::optional<matched_field> name_rules::match(std::string_view name) const {
    const std::string plain = normalised(name);
    for (const field f : all_fields)
        if (configured_[f] && !configured_[f]->empty() &&
            (*configured_[f] == name || normalised(*configured_[f]) == plain))
            return matched_field{f, name_match::settings};
    if (ignores(name)) return std::nullopt;
    for (const field f : all_fields)
        if (is_open(f) && normalised(to_string(f)) == plain) return matched_field{f, name_match::name};
    for (const known_name& a : names_of_apollo)
        if (is_open(a.at) && a.normalised == plain) return matched_field{a.at, name_match::name};
    for (const known_name& a : aliases)
        if (is_open(a.at) && !has_default_in_either_form(a.at) && a.normalised == plain)
            return matched_field{a.at, name_match::alias};
    return std::nullopt;
}

std::string name_rules::why_not(std::string_view name) const {
    if (ignores(name) || is_part_of_note(name) || match(name)) return {};
    const std::string plain = normalised(name);
    const auto use_it = [&](field f) { return fmt::format("columns.{} = {} uses it", to_string(f), quoted(name)); };
    for (const foreign_name& other : foreign)
        if (other.normalised == plain && !configured_[other.at])
            return fmt::format("holds {}'s ids in its exports; if these are Apollo's, {}", other.whose,
                               use_it(other.at));
    for (const known_name& a : aliases) {
        if (a.normalised != plain || !is_open(a.at) || !has_default_in_either_form(a.at)) continue;
        const field set = has_default_[a.at] ? a.at : a.at == field::owner_email ? field::user_id : field::owner_email;
        return fmt::format("not used, as defaults.{} is set; {}", to_string(set), use_it(a.at));
    }
    const bool own_id =
        std::find(std::begin(names_of_own_id), std::end(names_of_own_id), plain) != std::end(names_of_own_id);
    if (own_id && is_open(field::hubspot_id))
        return fmt::format("holds HubSpot's ids in its exports, of whatever they list; if these are contacts, {}",
                           use_it(field::hubspot_id));
    return {};
}

bool name_rules::ignores(std::string_view name) const {
    return !ignored_.empty() && std::find(ignored_.begin(), ignored_.end(), normalised(name)) != ignored_.end();
}

bool name_rules::is_part_of_note(std::string_view name) const {
    return std::any_of(note_.parts().begin(), note_.parts().end(), [&](const note_template::part& p) {
        return p.is_column && (p.text == name || normalised(p.text) == normalised(name));
    });
}

bool name_rules::is_error_column(std::string_view name) {
    return normalised(name) == "error";
}

core::result<header_map> map_header(std::span<const std::string> names, const name_rules& rules,
                                    const std::string& file, needed_fields needed) {
    return header_mapper(names, rules, file, needed).run();
}

mapped_column from_default(field f) {
    return {std::string(to_string(f)), "", "default"};
}

}  // namespace taskbarge::reader
