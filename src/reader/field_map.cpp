#include "reader/field_map.hpp"

#include <fmt/format.h>

#include <algorithm>

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
    {"apollocontactid", field::contact_id},  // Apollo's export
    {"apolloid", field::contact_id},         // fields of other CRMs that Apollo fills
    {"contactidapollo", field::contact_id},
    {"apollouserid", field::user_id},
};

// Normalised names, as Apollo's, HubSpot's and Salesforce's exports and their APIs have them.
constexpr known_name aliases[] = {
    {"recordid", field::contact_id},            // HubSpot: "Record ID"
    {"recordidcontact", field::contact_id},     // HubSpot: "Record ID - Contact"
    {"hsobjectid", field::contact_id},          // HubSpot: internal name
    {"whoid", field::contact_id},               // Salesforce: "WhoId"
    {"contactrecordid", field::contact_id},     //
    {"ownerid", field::user_id},                // Salesforce: "OwnerId", "Owner ID"
    {"taskownerid", field::user_id},            //
    {"hubspotownerid", field::user_id},         // HubSpot: internal name
    {"assignedtoid", field::user_id},           // Salesforce reports: "Assigned To ID"
    {"assigneeid", field::user_id},             //
    {"useremail", field::owner_email},          //
    {"taskowneremail", field::owner_email},     //
    {"contactowneremail", field::owner_email},  //
    {"contactowner", field::owner_email},       // Apollo and HubSpot: "Contact Owner"
    {"taskowner", field::owner_email},          //
    {"assignedto", field::owner_email},         // HubSpot and Salesforce: "Assigned to"
    {"assignedtoemail", field::owner_email},    //
    {"assigneeemail", field::owner_email},      //
    {"tasktype", field::type},                  // HubSpot: "Task type"
    {"hstasktype", field::type},                // HubSpot: internal name
    {"tasksubtype", field::type},               // Salesforce: "TaskSubtype"
    {"taskpriority", field::priority},          //
    {"hstaskpriority", field::priority},        // HubSpot: internal name
    {"taskstatus", field::status},              // HubSpot: "Task status"
    {"hstaskstatus", field::status},            // HubSpot: internal name
    {"due", field::due_at},                     //
    {"duedate", field::due_at},                 // HubSpot and Salesforce: "Due date"
    {"duedatetime", field::due_at},             //
    {"duedateonly", field::due_at},             // Salesforce: "Due Date Only"
    {"taskduedate", field::due_at},             // Apollo
    {"activitydate", field::due_at},            // Salesforce: "ActivityDate"
    {"hstimestamp", field::due_at},             // HubSpot: internal name
    {"notes", field::note},                     // HubSpot: "Notes"
    {"tasknote", field::note},                  // Apollo
    {"tasknotes", field::note},                 // HubSpot: "Task notes"
    {"hstaskbody", field::note},                // HubSpot: internal name
    {"description", field::note},               // Salesforce: "Description"
    {"comments", field::note},                  // Salesforce: "Comments"
    {"fullcomments", field::note},              // Salesforce reports: "Full Comments"
};

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
    header_mapper(std::span<const std::string> names, const name_rules& rules, const std::string& file)
        : names_(names), rules_(rules), file_(file) {
        for (const std::string& n : names)
            matches_.push_back(n.empty() ? std::nullopt : rules.match(n));
    }

    core::result<header_map> run() {
        for (const field f : all_fields)
            if (auto placed = place(f); !placed) return placed.error();
        // Our own name or a setting means it; a mere alias must not override what is said about the owner elsewhere.
        if (map_.how[field::owner_email] == name_match::alias &&
            (map_.column[field::user_id] || rules_.has_default(field::user_id)))
            map_.column[field::owner_email].reset();
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
            if (found.size() > 1) return ambiguous(f, found);
            if (found.size() == 1) {
                map_.column[f] = found.front();
                map_.how[f] = how;
                return {};
            }
        }
        return {};
    }

    // The very name first; a header may hold both "Notes" and "notes".
    core::result<void> place_configured(field f) {
        const std::string& wanted = rules_.configured(f);
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
        map_.column[f] = found.front();
        map_.how[f] = name_match::settings;
        return {};
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

    core::result<void> require_fields() const {
        if (!map_.column[field::contact_id])
            return unusable(file_,
                            fmt::format("no contact column (contact_id); it has {}; if one of them holds the Apollo "
                                        "contact id, {}",
                                        columns_found(names_), setting_hint("it", field::contact_id, "its name")));
        std::vector<std::string> absent;
        if (!present(field::user_id) && !present(field::owner_email)) absent.emplace_back("user_id");
        for (const field f : {field::type, field::status, field::due_at})
            if (!present(f)) absent.emplace_back(to_string(f));
        if (absent.empty()) return {};
        return unusable(file_,
                        fmt::format("no column for {}; it has {}; name the column under [columns], or one value for "
                                    "all rows under [defaults]",
                                    listed(absent), columns_found(names_)));
    }

    bool present(field f) const { return map_.column[f].has_value() || rules_.has_default(f); }

    void list_unused() {
        std::vector<bool> used(names_.size(), false);
        for (const field f : all_fields)
            if (map_.column[f]) used[*map_.column[f]] = true;
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (!used[i] && !names_[i].empty() && !name_rules::is_error_column(names_[i]))
                map_.unused.push_back(names_[i]);
    }

    std::span<const std::string> names_;
    const name_rules& rules_;
    const std::string& file_;
    std::vector<std::optional<matched_field>> matches_;
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
    std::string out = lower(trimmed(name));
    std::erase_if(out, [](char c) { return c == ' ' || c == '-' || c == '_' || c == '\t'; });
    return out;
}

core::result<name_rules> name_rules::make(const source_options& options) {
    name_rules rules;
    for (const auto& [name, column] : options.columns) {
        const auto f = std::find_if(all_fields.begin(), all_fields.end(),
                                    [&name = name](field candidate) { return to_string(candidate) == name; });
        if (f == all_fields.end())
            return core::failure{core::errc::settings, fmt::format("columns.{}: there is no such field", name)};
        rules.configured_[*f] = column;
    }
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

std::optional<matched_field> name_rules::match(std::string_view name) const {
    const std::string plain = normalised(name);
    for (const field f : all_fields)
        if (!configured_[f].empty() && (configured_[f] == name || normalised(configured_[f]) == plain))
            return matched_field{f, name_match::settings};
    // What the settings place elsewhere is not looked for by name.
    const auto free = [this](field f) { return configured_[f].empty(); };
    for (const field f : all_fields)
        if (free(f) && normalised(to_string(f)) == plain) return matched_field{f, name_match::name};
    for (const known_name& a : names_of_apollo)
        if (free(a.at) && a.normalised == plain) return matched_field{a.at, name_match::name};
    for (const known_name& a : aliases)
        if (free(a.at) && a.normalised == plain) return matched_field{a.at, name_match::alias};
    return std::nullopt;
}

bool name_rules::is_error_column(std::string_view name) {
    return normalised(name) == "error";
}

core::result<header_map> map_header(std::span<const std::string> names, const name_rules& rules,
                                    const std::string& file) {
    return header_mapper(names, rules, file).run();
}

mapped_column from_default(field f) {
    return {std::string(to_string(f)), "", "default"};
}

}  // namespace taskbarge::reader
