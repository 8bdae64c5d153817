#include "cli/output_contacts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output_plan.hpp"
#include "cli/text.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::cli {

namespace {

using core::json_object;

std::string_view kind_text(const job::found_contact& found) {
    return found.kind ? core::to_string(*found.kind) : std::string_view("contact_id");
}

std::string ago(core::instant then, core::instant now) {
    return then >= now ? "just now" : spoken(now - then) + " ago";
}

void end_json(json_object& o, const std::string& ledger_path, report::exit_code code,
              const std::optional<core::failure>& why) {
    o.text_or_null("ledger", ledger_path);
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.text_or_null("error_code", why ? core::to_string(why->code) : "");
    o.text_or_null("error", why ? why->text : "");
    o.close();
}

}  // namespace

std::string contacts_text(const job::contacts_status& s, core::instant now, const style& look) {
    std::string out;
    const auto& index = s.index;
    if (index.complete())
        out = fmt::format("The index of Apollo's contacts is complete: {} known.\n",
                          counted(s.contacts, "contact", "contacts"));
    else if (index.read_at)
        out = fmt::format("The index of Apollo's contacts is not complete: {} known; {}.\n",
                          counted(s.contacts, "contact", "contacts"), index.gap);
    else
        out = fmt::format("There is no index of Apollo's contacts yet; {} known.\n",
                          counted(s.contacts, "contact", "contacts"));
    if (index.read_at)
        out += fmt::format("  whole list read   {} ({})\n", look.time(*index.read_at, now), ago(*index.read_at, now));
    if (index.as_of)
        out += fmt::format("  changes up to     {} ({})\n", look.time(*index.as_of, now), ago(*index.as_of, now));
    if (s.pages_left)
        out += fmt::format("  reading           cut short, about {} left\n",
                           counted(*s.pages_left, "request", "requests"));
    if (s.book) out += "Rate limits of contacts/search:\n" + windows_text(*s.book, now, "  ", look);
    return out;
}

std::string loaded_text(const job::loaded_contacts& l) {
    auto out = fmt::format("{} taken in from {}.\n", counted(l.contacts, "contact", "contacts"),
                           counted(l.records, "record", "records"));
    if (l.older > 0)
        out += fmt::format("{} left as known: Apollo showed them later than the file was written.\n",
                           counted(l.older, "contact was", "contacts were"));
    if (l.without_id > 0) out += fmt::format("{} no Apollo id.\n", counted(l.without_id, "record has", "records have"));
    if (l.without_key > 0)
        out +=
            fmt::format("{} neither an e-mail nor a CRM id.\n", counted(l.without_key, "contact has", "contacts have"));
    std::string columns;
    for (const auto& column : l.columns)
        columns += (columns.empty() ? "" : ", ") + printable(column, 60);
    return out + fmt::format("Columns used: {}\n", columns);
}

std::string found_text(const job::found_contact& f, core::instant now, const style& look) {
    std::string out;
    const auto about_index = [&]() -> std::string {
        if (f.absent_since) return fmt::format("Apollo had none {}", ago(*f.absent_since, now));
        if (f.index.complete()) return fmt::format("the complete index of {} has none", look.time(*f.index.as_of, now));
        return "what is known is not complete: `taskbarge contacts refresh` reads Apollo's list";
    };
    if (!f.kind) {
        if (f.id_seen_at) return fmt::format("contact {}: seen {}\n", f.key, ago(*f.id_seen_at, now));
        return fmt::format("contact {} is not known: {}\n", f.key, about_index());
    }
    if (f.contacts.empty())
        return fmt::format("no contact with {} {} is known: {}\n", kind_text(f), printable(f.key, 200), about_index());
    for (const auto& c : f.contacts) {
        out += fmt::format("{}  seen {}", c.id, ago(c.seen_at, now));
        if (!c.primary) out += ", by an additional e-mail";
        if (!c.owner_id.empty()) out += ", owner " + c.owner_id;
        if (c.created_at) out += ", created " + core::to_rfc3339_seconds(*c.created_at).substr(0, 10);
        out += "\n";
    }
    return out;
}

std::string contacts_json(const job::contacts_status& s, const std::string& ledger_path, report::exit_code code,
                          const std::optional<core::failure>& why) {
    std::string out;
    json_object o(out);
    o.raw("contacts", report::contacts_json(s));
    end_json(o, ledger_path, code, why);
    return out + '\n';
}

std::string loaded_json(const core::result<job::loaded_contacts>& loaded, const std::string& ledger_path,
                        report::exit_code code) {
    const auto l = loaded ? *loaded : job::loaded_contacts{};
    std::string out;
    json_object o(out);
    o.number("records", l.records);
    o.number("contacts", l.contacts);
    o.number("older", l.older);
    o.number("without_id", l.without_id);
    o.number("without_key", l.without_key);
    end_json(o, ledger_path, code, loaded ? std::nullopt : std::optional(loaded.error()));
    return out + '\n';
}

std::string found_json(const core::result<job::found_contact>& found, const std::string& ledger_path,
                       report::exit_code code) {
    std::string out;
    json_object o(out);
    if (found) {
        o.text("kind", kind_text(*found));
        o.text("key", found->key);
        o.raw("contacts", core::json_list(found->contacts, [](std::string& to, const ledger::contact_match& c) {
                  json_object one(to);
                  one.text("contact_id", c.id);
                  one.text_or_null("owner_id", c.owner_id);
                  one.truth("additional_email", !c.primary);
                  one.time_or_null("created_at", c.created_at);
                  one.time_or_null("seen_at", c.seen_at);
                  one.close();
              }));
        o.time_or_null("seen_at", found->id_seen_at);
        o.time_or_null("absent_since", found->absent_since);
        o.truth("index_complete", found->index.complete());
    }
    end_json(o, ledger_path, code, found ? std::nullopt : std::optional(found.error()));
    return out + '\n';
}

}  // namespace taskbarge::cli
