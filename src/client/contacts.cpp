#include "taskbarge/client/contacts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "client/json_values.hpp"
#include "client/list_page.hpp"
#include "client/server_message.hpp"
#include "client/text.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::client {

namespace dom = simdjson::dom;
using core::key_kind;

namespace {

void add_key(seen_contact& contact, key_kind kind, std::string_view text, bool primary = true) {
    if (text.empty()) return;
    // What Apollo keeps there may be anything.
    auto key = core::comparable_key(kind, text);
    if (!key) return;
    const auto known = std::find_if(contact.keys.begin(), contact.keys.end(),
                                    [&](const seen_contact::key& k) { return k.kind == kind && k.text == *key; });
    if (known == contact.keys.end()) contact.keys.push_back({kind, std::move(*key), primary});
}

// HubSpot's numbers come as texts and as numbers.
std::string number_or_text(const dom::object& object, std::string_view key) {
    if (const auto text = text_member(object, key); !text.empty()) return std::string(text);
    const auto number = number_member(object, key);
    return number ? fmt::format("{}", *number) : std::string();
}

seen_contact read_one(const dom::object& object) {
    seen_contact contact;
    contact.id = core::canonical_id(text_member(object, "id"));
    contact.owner_id = text_member(object, "owner_id");
    contact.created_at = time_member(object, "created_at");
    contact.updated_at = time_member(object, "updated_at");
    contact.active_at = time_member(object, "last_activity_date");
    add_key(contact, key_kind::email, text_member(object, "email"));
    dom::array emails;
    if (!object.at_key("contact_emails").get_array().get(emails))
        for_each_object(emails, [&](const dom::object& one) {
            add_key(contact, key_kind::email, text_member(one, "email"), false);
        });
    for (const std::string_view key : {"salesforce_id", "salesforce_contact_id", "salesforce_lead_id"})
        add_key(contact, key_kind::salesforce_id, text_member(object, key));
    for (const std::string_view key : {"hubspot_vid", "hubspot_id"})
        add_key(contact, key_kind::hubspot_id, number_or_text(object, key));
    add_key(contact, key_kind::linkedin_url, text_member(object, "linkedin_url"));
    return contact;
}

bool names(const dom::array& breadcrumbs, std::string_view filter, std::string_view value) {
    bool found = false;
    for_each_object(breadcrumbs, [&](const dom::object& one) {
        const auto shown = text_member(one, "value");
        found = found || (text_member(one, "signal_field_name") == filter && (shown.empty() || shown == value));
    });
    return found;
}

bool all_understood(const dom::object& body, const contact_search& asked) {
    dom::array breadcrumbs;
    if (!asked.filtered()) return true;
    if (body.at_key("breadcrumbs").get_array().get(breadcrumbs)) return false;
    const auto understood = [&](std::string_view filter, const std::string& value) {
        return value.empty() || names(breadcrumbs, filter, value);
    };
    return understood("q_keywords", asked.keywords) && understood("contact_stage_ids", asked.stage_id) &&
           understood("contact_label_ids", asked.label_id);
}

core::result<std::vector<seen_contact>> contacts_in(const dom::array& array, std::string_view what) {
    std::vector<seen_contact> out;
    out.reserve(array.size());
    bool all_have_ids = true;
    for_each_object(array, [&](const dom::object& one) {
        out.push_back(read_one(one));
        all_have_ids = all_have_ids && !out.back().id.empty();
    });
    if (!all_have_ids || out.size() != array.size())
        return not_readable(what, "an answer with a contact that has no id");
    return out;
}

}  // namespace

core::result<contacts_page> read_contacts(const exchange& x, const contact_search& asked) {
    constexpr std::string_view what = "contacts/search";
    const json_use in_use;
    const auto body = body_of(x, what);
    if (!body) return body.error();
    const asked_page page{asked.page, asked.per_page};
    const auto entries = entries_of(*body, what, "contacts", page);
    if (!entries) return entries.error();
    dom::object pagination;
    if (body->at_key("pagination").get_object().get(pagination))
        return not_readable(what, "an answer without pagination");
    if (const auto other = other_page(pagination, page)) return not_readable(what, *other);
    const auto total = number_member(pagination, "total_entries");
    if (!total) return not_readable(what, "an answer without its number of contacts");
    contacts_page out;
    auto contacts = contacts_in(*entries, what);
    if (!contacts) return contacts.error();
    out.contacts = std::move(*contacts);
    out.total_entries = *total;
    bool partial = false;
    out.partial = !body->at_key("partial_results_only").get_bool().get(partial) && partial;
    out.understood = all_understood(*body, asked);
    return out;
}

core::result<std::optional<seen_contact>> read_contact(const exchange& x, std::string_view id) {
    constexpr std::string_view what = "contacts/{id}";
    using found = std::optional<seen_contact>;
    const json_use in_use;
    if (x.reach == reach::answered && x.status == 422 && respondent_of(x) == respondent::apollo) {
        // That the key may not see it does not say that it is not there.
        if (lower_case(message_or(x, "")).find("authorized") == std::string::npos) return found();
        seen_contact hidden;
        hidden.id = core::canonical_id(id);
        hidden.hidden = true;
        return found(std::move(hidden));
    }
    const auto body = body_of(x, what);
    if (!body) return body.error();
    dom::object object;
    if (body->at_key("contact").get_object().get(object)) return not_readable(what, "an answer without a contact");
    auto contact = read_one(object);
    if (contact.id != core::canonical_id(id))
        return not_readable(what, fmt::format("the answer is contact {}, {} was asked for", contact.id, id));
    return found(std::move(contact));
}

core::result<std::vector<std::string>> read_ids(const exchange& x, std::string_view list) {
    // Apollo gives labels as a bare array, stages within an object.
    constexpr std::uint64_t most = 10'000;
    const json_use in_use;
    dom::array entries;
    if (x.reach == reach::answered && x.status == 200 && !parse_json(x.body).get_array().get(entries)) {
        if (entries.size() > most) return not_readable(list, "more entries than any team has");
    } else {
        const auto body = body_of(x, list);
        if (!body) return body.error();
        auto found = entries_of(*body, list, list, {1, most});
        if (!found) return found.error();
        entries = *found;
    }
    std::vector<std::string> ids;
    for_each_object(entries, [&](const dom::object& one) {
        if (const auto id = text_member(one, "id"); !id.empty()) ids.emplace_back(id);
    });
    return ids;
}

std::string create_contacts_body(std::span<const new_contact> contacts, std::string_view label) {
    std::string out;
    core::json_object body(out);
    body.truth("run_dedupe", true);
    std::string labels = "[";
    core::append_json_string(labels, label);
    body.raw("append_label_names", labels + "]");
    body.raw("contacts", core::json_list(contacts, [](std::string& to, const new_contact& contact) {
                 core::json_object one(to);
                 const auto add = [&](std::string_view key, const std::string& value) {
                     if (!value.empty()) one.text(key, value);
                 };
                 add("email", contact.email);
                 add("salesforce_contact_id", contact.salesforce_contact_id);
                 add("salesforce_lead_id", contact.salesforce_lead_id);
                 add("hubspot_id", contact.hubspot_id);
                 one.close();
             }));
    body.close();
    return out;
}

core::result<std::vector<seen_contact>> read_created_contacts(const exchange& x) {
    constexpr std::string_view what = "contacts/bulk_create";
    const json_use in_use;
    const auto body = body_of(x, what);
    if (!body) return body.error();
    std::vector<seen_contact> out;
    bool any = false;
    for (const std::string_view list : {"created_contacts", "existing_contacts"}) {
        dom::array entries;
        if (body->at_key(list).get_array().get(entries)) continue;
        any = true;
        auto contacts = contacts_in(entries, what);
        if (!contacts) return contacts.error();
        std::move(contacts->begin(), contacts->end(), std::back_inserter(out));
    }
    if (!any) return not_readable(what, "an answer without contacts");
    return out;
}

}  // namespace taskbarge::client
