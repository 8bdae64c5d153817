#include "sandbox/contact_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sandbox/contact_store.hpp"
#include "sandbox/seeded.hpp"
#include "sandbox/task_json.hpp"

namespace taskbarge::sandbox {

namespace {

void append_text_or_null(std::string& out, std::string_view key, std::string_view text) {
    out.append("\"").append(key).append("\":");
    if (text.empty()) {
        out += "null";
    } else {
        append_json(out, text);
    }
    out.push_back(',');
}

void append_texts(std::string& out, std::string_view key, const std::vector<std::string>& texts) {
    out.append("\"").append(key).append("\":[");
    for (const std::string& text : texts) {
        append_json(out, text);
        out.push_back(',');
    }
    if (out.back() == ',') out.pop_back();
    out += "],";
}

void append_addresses(std::string& out, const stored_contact& c) {
    int position = 0;
    const auto append = [&](std::string_view address, std::string_view status, std::string_view source) {
        out += R"({"email":)";
        append_json(out, address);
        fmt::format_to(std::back_inserter(out),
                       R"(,"email_md5":null,"email_sha256":null,"email_status":"{}","email_source":null,)"
                       R"("source":"{}","position":{},"free_domain":false}},)",
                       status, source, position++);
    };
    out += R"("contact_emails":[)";
    if (!c.email.empty()) append(c.email, c.email_status.empty() ? "unverified" : c.email_status, "crm_csv");
    for (const std::string& address : c.other_emails)
        append(address, "user_managed", "user_managed");
    if (out.back() == ',') out.pop_back();
    out += "],";
}

void append_company(std::string& out, const stored_contact& c) {
    const std::uint64_t h = mix(hash_text(c.organization_name));
    append_text_or_null(out, "id", c.account_id);
    append_text_or_null(out, "name", c.organization_name);
    fmt::format_to(
        std::back_inserter(out),
        R"("website_url":"http://www.company-{0:x}.example","blog_url":null,"angellist_url":null,)"
        R"("linkedin_url":"http://www.linkedin.com/company/company-{0:x}","twitter_url":null,"facebook_url":null,)"
        R"("primary_phone":{{"number":"+1 555-555-0164","source":"Owler","sanitized_number":"+15555550164"}},)"
        R"("languages":[],"alexa_ranking":null,"phone":"+1 (555) 555-0164","linkedin_uid":"{1}",)"
        R"("founded_year":{2},"publicly_traded_symbol":null,"publicly_traded_exchange":null,"logo_url":)"
        R"("https://images.example/pictures/{0:016x}/picture","crunchbase_url":null,)"
        R"("primary_domain":"company-{0:x}.example",)",
        h % 0xffffff, h % 90000000, 1950 + h % 70);
}

void append_rest(std::string& out, const stored_contact& c) {
    append_text_or_null(out, "source", "api");
    out +=
        R"("contact_roles":[],"creator_id":null,"email_needs_tickling":null,"original_source":"crm","headline":null,)"
        R"("photo_url":null,"present_raw_address":"San Francisco, CA","linkedin_uid":null,)"
        R"("extrapolated_email_confidence":null,"crm_owner_id":null,"emailer_campaign_ids":[],)"
        R"("direct_dial_status":null,"direct_dial_enrichment_failed_at":null,"email_source":null,)"
        R"("sanitized_phone":"+15555550164","queued_for_crm_push":false,"suggested_from_rule_engine_config_id":null,)"
        R"("email_unsubscribed":null,"has_pending_email_arcgate_request":false,"has_email_arcgate_request":false,)"
        R"("email_from_customer":true,"typed_custom_fields":{},"custom_field_errors":{},"crm_record_url":null,)"
        R"("email_status_unavailable_reason":null,"email_true_status":"User Managed",)"
        R"("updated_email_true_status":true,"contact_rule_config_statuses":[],"source_display_name":"Imported from CRM",)"
        R"("twitter_url":null,"contact_campaign_statuses":[],"account":{)";
    append_company(out, c);
    append_text_or_null(out, "salesforce_id", c.salesforce_account_id);
    append_text_or_null(out, "hubspot_id", c.hubspot_company_id);
    append_text_or_null(out, "owner_id", c.owner_id);
    out += R"("team_id":"6095a710bd01d100a506d4ac","account_stage_id":null,"source":"csv_import","creator_id":null,)"
           R"("created_at":"2023-02-21T21:43:26.351Z","phone_status":"no_status","crm_owner_id":"11750983",)"
           R"("parent_account_id":null,"account_playbook_statuses":[],"account_rule_config_statuses":[],)"
           R"("existence_level":"full","label_ids":[],"typed_custom_fields":{},"modality":"account",)"
           R"("source_display_name":"Uploaded from CSV","crm_record_url":null},"organization":{)";
    append_company(out, c);
    out.back() = '}';
    out += R"(,"show_intent":false,"phone_numbers":[{"raw_number":"+1 (555) 555-0164","sanitized_number":)"
           R"("+15555550164","type":"work_hq","position":0,"status":"no_status"}],"account_phone_note":null,)"
           R"("free_domain":false,"is_likely_to_engage":false,"email_domain_catchall":false,)"
           R"("contact_job_change_event":null})";
}

using simdjson::dom::element;

// A text, or a number as one.
bool read_text(const element& value, std::string& into) {
    std::string_view text;
    std::int64_t number = 0;
    if (value.is_null()) return into.clear(), true;
    if (value.get(text) == simdjson::SUCCESS) return into = text, true;
    if (value.get(number) == simdjson::SUCCESS) return into = std::to_string(number), true;
    return false;
}

bool read_texts(const element& value, std::vector<std::string>& into) {
    simdjson::dom::array entries;
    into.clear();
    if (value.is_null()) return true;
    if (value.get(entries) != simdjson::SUCCESS) return false;
    for (const element entry : entries) {
        std::string_view text;
        if (entry.get(text) != simdjson::SUCCESS) return false;
        into.emplace_back(text);
    }
    return true;
}

// The addresses in their order.
bool read_addresses(const element& value, std::vector<std::string>& into) {
    simdjson::dom::array entries;
    into.clear();
    if (value.is_null()) return true;
    if (value.get(entries) != simdjson::SUCCESS) return false;
    for (const element entry : entries) {
        std::string_view address;
        if (entry["email"].get(address) != simdjson::SUCCESS) return false;
        into.emplace_back(address);
    }
    return true;
}

bool read_time(const element& value, core::instant& into) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return false;
    const auto t = core::parse_rfc3339(text);
    if (t) into = *t;
    return t.has_value();
}

bool read_field(std::string_view key, const element& value, stored_contact& into) {
    if (key == "hubspot_id") key = "hubspot_vid";
    if (const auto field = std::ranges::find(contact_fields, key, &contact_field::name); field != contact_fields.end())
        return read_text(value, into.*field->text);
    if (key == "contact_emails") return read_addresses(value, into.other_emails);
    if (key == "label_ids") return read_texts(value, into.label_ids);
    if (key == "created_at") return read_time(value, into.created_at);
    if (key == "updated_at") return read_time(value, into.updated_at);
    if (key == "last_activity_date") {
        into.last_activity_at.reset();
        return value.is_null() || read_time(value, into.last_activity_at.emplace());
    }
    return true;
}

}  // namespace

void append_contact(std::string& out, const stored_contact& c, contact_shape shape) {
    out.push_back('{');
    for (const contact_field& field : contact_fields)
        append_text_or_null(out, field.name, c.*field.text);
    append_text_or_null(out, "name", c.first_name + (c.last_name.empty() ? "" : " ") + c.last_name);
    append_addresses(out, c);
    append_texts(out, "label_ids", c.label_ids);
    if (c.merged_crm_ids.empty()) {
        out += R"("merged_crm_ids":null,)";
    } else {
        append_texts(out, "merged_crm_ids", c.merged_crm_ids);
    }
    append_plain(out, "existence_level", "full");
    append_plain(out, "created_at", core::to_rfc3339(c.created_at));
    append_plain(out, "updated_at", core::to_rfc3339(c.updated_at));
    append_text_or_null(out, "last_activity_date", c.last_activity_at ? core::to_rfc3339(*c.last_activity_at) : "");
    if (shape == contact_shape::full) {
        append_rest(out, c);
    } else {
        out.back() = '}';
    }
}

std::string read_contact(const simdjson::dom::object& object, stored_contact& into) {
    bool has_created = false, has_updated = false, has_names = false;
    std::string name;
    for (const auto& [key, value] : object) {
        if (!read_field(key, value, into)) return fmt::format("\"{}\" has no value of its kind", key);
        has_created = has_created || key == "created_at";
        has_updated = has_updated || key == "updated_at";
        has_names = has_names || key == "first_name" || key == "last_name";
        if (key == "name" && !read_text(value, name)) return "\"name\" has no value of its kind";
    }
    if (has_created && !has_updated) into.updated_at = into.created_at;
    if (!name.empty() && !has_names) {
        const auto blank = std::min(name.find(' '), name.size());
        into.first_name = name.substr(0, blank);
        into.last_name = name.substr(std::min(blank + 1, name.size()));
    }
    // The list has the primary address too, where there is one.
    element unused;
    if (object["contact_emails"].get(unused) == simdjson::SUCCESS) {
        const bool named = object["email"].get(unused) == simdjson::SUCCESS;
        if (!named && !into.other_emails.empty()) into.email = into.other_emails.front();
        std::erase(into.other_emails, into.email);
    }
    return {};
}

}  // namespace taskbarge::sandbox
