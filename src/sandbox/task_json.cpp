#include "sandbox/task_json.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "sandbox/seeded.hpp"

namespace taskbarge::sandbox {

namespace {

constexpr std::array<std::string_view, 16> first_names{"John",   "Jane",   "Maria", "Ahmed", "Wei",   "Olga",
                                                       "Pierre", "Aisha",  "Lars",  "Chloe", "Diego", "Hannah",
                                                       "Kenji",  "Fatima", "Tom",   "Ines"};
constexpr std::array<std::string_view, 16> last_names{"Smith",  "Doe",    "Garcia", "Hassan", "Zhang",  "Ivanova",
                                                      "Martin", "Okafor", "Berg",   "Dubois", "Moreno", "Fischer",
                                                      "Tanaka", "Khan",   "Baker",  "Silva"};
constexpr std::array<std::string_view, 8> companies{"Example Corp",    "Northwind",   "Contoso",      "Fabrikam",
                                                    "Adventure Works", "Blue Yonder", "Wingtip Toys", "Tailspin"};
constexpr std::array<std::string_view, 8> titles{
    "VP of Sales", "Director of Marketing", "Head of Operations", "Account Executive",
    "Founder",     "Procurement Manager",   "Chief of Staff",     "Sales Engineer"};

std::string object_id(std::uint64_t mixed) {
    constexpr char digits[] = "0123456789abcdef";
    std::string id = "66e34b81";
    for (int i = 0; i < 16; ++i)
        id.push_back(digits[(mixed >> (4 * i)) & 15u]);
    return id;
}

std::string due_text(core::instant due) {
    std::string text = core::to_rfc3339(due);
    text.pop_back();
    return text += "+00:00";
}

// The person and company that a contact id stands for: always the same for the same id.
struct persona {
    std::string_view first, last, company, title;
    std::string name, mail_name, person_id, account_id, organization_id;

    explicit persona(std::string_view contact_id) {
        const std::uint64_t h = mix(hash_text(contact_id));
        first = first_names[h % 16];
        last = last_names[(h >> 8) % 16];
        company = companies[(h >> 16) % 8];
        title = titles[(h >> 24) % 8];
        name.append(first).append(" ").append(last);
        mail_name.append(first).append(".").append(last).append(std::to_string(h % 1000));
        person_id = object_id(mix(h, 1));
        account_id = object_id(mix(h, 2));
        organization_id = object_id(mix(h, 3));
    }
};

void append_contact(std::string& out, const persona& who, std::string_view contact_id, std::string_view user_id) {
    out += "{\"id\":";
    append_json(out, contact_id);
    out += ",";
    append_plain(out, "first_name", who.first);
    append_plain(out, "last_name", who.last);
    append_plain(out, "name", who.name);
    append_plain(out, "linkedin_url", "https://www.linkedin.com/in/" + who.mail_name);
    append_plain(out, "title", who.title);
    append_plain(out, "email", who.mail_name + "@example.com");
    append_plain(out, "organization_name", who.company);
    append_plain(out, "headline", std::string(who.title) + " at " + std::string(who.company));
    out += R"("photo_url":null,"twitter_url":null,"github_url":null,"facebook_url":null,"contact_stage_id":null,)";
    append_plain(out, "account_id", who.account_id);
    append_plain(out, "person_id", who.person_id);
    append_plain(out, "organization_id", who.organization_id);
    out.append("\"owner_id\":").append(user_id);
    out +=
        R"(,"created_at":"2024-09-12T18:45:21.456Z","updated_at":"2024-11-02T07:12:44.120Z",)"
        R"("present_raw_address":"San Francisco, CA","city":"San Francisco","state":"California",)"
        R"("country":"United States","time_zone":"America/Los_Angeles","email_status":"verified",)"
        R"("email_unsubscribed":null,"email_from_customer":null,"source":"api","original_source":"api",)"
        R"("salesforce_id":null,"salesforce_lead_id":null,"salesforce_contact_id":null,"salesforce_account_id":null,)"
        R"("hubspot_vid":null,"hubspot_company_id":null,"crm_id":null,"crm_owner_id":null,"merged_crm_ids":null,)"
        R"("label_ids":[],"emailer_campaign_ids":[],"contact_emails":[],"contact_campaign_statuses":[],)"
        R"("phone_numbers":[{"raw_number":"+1 (555) 555-0164","sanitized_number":"+15555550164","type":"work_hq",)"
        R"("position":0,"status":"no_status"}],"typed_custom_fields":{},"custom_field_errors":{},)"
        R"("last_activity_date":null,"queued_for_crm_push":null,"free_domain":false})";
}

void append_account(std::string& out, const persona& who, std::string_view user_id) {
    out += "{";
    append_plain(out, "id", who.account_id);
    append_plain(out, "name", who.company);
    append_plain(out, "organization_id", who.organization_id);
    out.append("\"owner_id\":").append(user_id);
    out += R"(,"domain":"example.com","website_url":"http://www.example.com","team_id":"6095a710bd01d100a506d4ac",)"
           R"("account_stage_id":null,"created_at":"2021-09-01T15:34:04.371Z","phone":"+1 (555) 555-0164",)"
           R"("sanitized_phone":"+15555550164","phone_status":"no_status","source":"api","original_source":"api",)"
           R"("linkedin_url":"https://www.linkedin.com/company/example-corp","linkedin_uid":"18511550",)"
           R"("industry":"information technology & services","estimated_num_employees":910,"label_ids":[],)"
           R"("hubspot_id":null,"salesforce_id":null,"crm_owner_id":null,"parent_account_id":null,)"
           R"("typed_custom_fields":{},"account_queues":[],"intent_strength":null,"show_intent":false})";
}

bool needs_escape(char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

}  // namespace

void append_plain(std::string& out, std::string_view key, std::string_view text) {
    out.append("\"").append(key).append("\":\"").append(text).append("\",");
}

void append_json(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    out.push_back('"');
    while (!text.empty()) {
        const auto plain = std::find_if(text.begin(), text.end(), needs_escape) - text.begin();
        out.append(text.substr(0, static_cast<std::size_t>(plain)));
        text.remove_prefix(static_cast<std::size_t>(plain));
        if (text.empty()) break;
        const char c = text.front();
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else {
            out.append("\\u00");
            out.push_back(digits[c >> 4]);
            out.push_back(digits[c & 15]);
        }
        text.remove_prefix(1);
    }
    out.push_back('"');
}

task_writer::task_writer(task_shape shape, const core::task_view& details, core::instant created_at,
                         std::string_view created_from)
    : shape_(shape), type_(core::to_string(details.type)) {
    append_json(user_id_, details.user_id);
    if (shape == task_shape::ids) {
        head_ = R"(","contact_id":)";
        tail_ = "}";
        return;
    }
    write_head(details, core::to_rfc3339(created_at));
    tail_ += ",";
    append_plain(tail_, "created_from", created_from);
    if (shape == task_shape::full) {
        tail_ += R"("persona_ids":[],"subject":null,"salesforce_type":null,"playbook_step_ids":[],"playbook_id":null,)"
                 R"("needs_playbook_autoprospecting":null,"starred_by_user_ids":[],"salesforce_id":null,)"
                 R"("hubspot_id":null,"opportunity_id":null,"rule_config_id":null,"creator_id":)";
        tail_ += user_id_;
    } else {
        tail_.back() = '}';
    }
}

void task_writer::write_head(const core::task_view& details, const std::string& created) {
    const auto finished = [&](core::task_status status) {
        return details.status == status ? "\"" + created + "\"" : std::string("null");
    };
    std::string note;
    append_json(note, details.note);
    head_.append(R"(","user_id":)").append(user_id_).append(",");
    append_plain(head_, "created_at", created);
    if (shape_ == task_shape::full) {
        head_.append(R"("completed_at":)").append(finished(core::task_status::completed));
        head_.append(R"(,"skipped_at":)").append(finished(core::task_status::skipped)).append(",");
    }
    head_.append("\"note\":").append(details.note.empty() ? "null" : note).append(",");
    append_plain(head_, "due_at", due_text(details.due_at));
    append_plain(head_, "type", type_);
    append_plain(head_, "priority", core::to_string(details.priority));
    append_plain(head_, "status", core::to_string(details.status));
    if (shape_ == task_shape::full) head_ += R"("answered":null,)";
    head_ += "\"contact_id\":";
}

void task_writer::append(std::string& out, std::string_view task_id, std::string_view contact_id,
                         contact_mention mention) const {
    out.append(shape_ == task_shape::full ? R"({"emailer_campaign_id":null,"id":")" : R"({"id":")");
    out.append(task_id).append(head_);
    if (mention == contact_mention::named) {
        append_json(out, contact_id);
    } else {
        out += "null";
    }
    out += tail_;
    if (shape_ == task_shape::full) append_full_tail(out, contact_id, mention);
}

void task_writer::append_full_tail(std::string& out, std::string_view contact_id, contact_mention mention) const {
    if (mention == contact_mention::left_out || contact_id.empty()) {
        out += R"(,"person_id":null,"account_id":null,"organization_id":null,"title":null})";
        return;
    }
    const persona who(contact_id);
    out += ",";
    append_plain(out, "person_id", who.person_id);
    append_plain(out, "account_id", who.account_id);
    append_plain(out, "organization_id", who.organization_id);
    append_plain(out, "title", "Task (" + type_ + ") for " + who.name);
    out += "\"contact\":";
    append_contact(out, who, contact_id, user_id_);
    out += ",\"account\":";
    append_account(out, who, user_id_);
    out += "}";
}

void append_task_line(std::string& out, std::string_view task_id, std::string_view contact_id,
                      const core::task_view& details, core::instant created_at) {
    out += "{";
    append_plain(out, "id", task_id);
    out += "\"contact_id\":";
    append_json(out, contact_id);
    out += ",\"user_id\":";
    append_json(out, details.user_id);
    out += ",";
    append_plain(out, "type", core::to_string(details.type));
    append_plain(out, "priority", core::to_string(details.priority));
    append_plain(out, "status", core::to_string(details.status));
    append_plain(out, "due_at", core::to_rfc3339(details.due_at));
    out += "\"note\":";
    append_json(out, details.note);
    out += ",";
    append_plain(out, "created_at", core::to_rfc3339(created_at));
    out.back() = '}';
    out += "\n";
}

}  // namespace taskbarge::sandbox
