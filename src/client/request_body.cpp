#include <simdjson.h>

#include "taskbarge/client/apollo_client.hpp"

namespace taskbarge::client {

namespace {

void append_escaped(std::string& out, unsigned char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            constexpr const char* hex = "0123456789abcdef";
            out += "\\u00";
            out += hex[c >> 4U];
            out += hex[c & 0xfU];
    }
}

// Appends `text` as a JSON string. Texts were checked to be UTF-8 when they were read; should one not be, its bytes
// are kept apart from the request's syntax all the same: each byte that is not ASCII becomes U+FFFD.
void append_string(std::string& out, std::string_view text) {
    const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
    out += '"';
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool plain = c >= 0x20 && c != '"' && c != '\\' && (c < 0x80 || utf8);
        if (plain) continue;
        out.append(text, copied, i - copied);
        copied = i + 1;
        if (c >= 0x80) {
            out += "\xef\xbf\xbd";
        } else {
            append_escaped(out, c);
        }
    }
    out.append(text, copied);
    out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
    append_string(out, value);
}

}  // namespace

std::string bulk_create_body(const core::task_view& details, const std::vector<std::string>& contact_ids) {
    constexpr std::size_t fixed_part = 256, id_with_quotes = 27;
    std::string out;
    out.reserve(fixed_part + details.note.size() + contact_ids.size() * id_with_quotes);
    out += '{';
    append_member(out, "user_id", details.user_id);
    out += ",\"contact_ids\":[";
    for (std::size_t i = 0; i < contact_ids.size(); ++i) {
        if (i != 0) out += ',';
        append_string(out, contact_ids[i]);
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
