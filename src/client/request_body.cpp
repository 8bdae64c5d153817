#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::client {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
    core::append_json_string(out, value);
}

}  // namespace

std::string bulk_create_body(const core::task_view& details, const core::id_list& contact_ids) {
    constexpr std::size_t fixed_part = 256, id_with_quotes = 27;
    std::string out;
    out.reserve(fixed_part + details.note.size() + contact_ids.size() * id_with_quotes);
    out += '{';
    append_member(out, "user_id", details.user_id);
    out += ",\"contact_ids\":[";
    for (std::size_t i = 0; i < contact_ids.size(); ++i) {
        if (i != 0) out += ',';
        core::append_json_string(out, contact_ids[i]);
    }
    out += ']';
    append_member(out, "type", core::to_string(details.type));
    append_member(out, "priority", core::to_string(details.priority));
    append_member(out, "status", core::to_string(details.status));
    append_member(out, "due_at", core::to_rfc3339(details.due_at));
    if (!details.note.empty()) append_member(out, "note", details.note);
    out += '}';
    return out;
}

}  // namespace taskbarge::client
