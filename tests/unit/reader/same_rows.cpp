#include "unit/reader/same_rows.hpp"

#include "unit/reader/support.hpp"

namespace taskbarge::reader::testing {

std::vector<sample> samples(unsigned count) {
    const std::vector<std::string> notes{
        "hello", "", "a, b; c|d\te", "two\nlines", "\"quoted\"", "\xC3\xBC\xF0\x9F\x98\x80", "5\" x 6\""};
    const std::vector<std::string> dues{"2025-02-15T10:00:00Z", "2025-02-15T05:00:00-05:00", "never"};
    std::vector<sample> out;
    for (unsigned i = 0; i < count; ++i)
        out.push_back({i % 50 == 49 ? "no id" : contact(i), std::string(owner_id), i % 2 ? "call" : "action_item",
                       i % 3 ? "high" : "", "scheduled", dues[i % 40 == 39 ? 2 : i % 2], notes[i % notes.size()]});
    return out;
}

std::string delimited(const std::vector<sample>& rows, char delimiter) {
    const auto quoted = [](const std::string& text) {
        std::string out = "\"";
        for (const char c : text)
            out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + "\"";
    };
    const std::string s(1, delimiter);
    std::string out =
        "contact_id" + s + "user_id" + s + "type" + s + "priority" + s + "status" + s + "due_at" + s + "note\n";
    for (const sample& r : rows)
        out += r.contact_id + s + r.user_id + s + r.type + s + r.priority + s + r.status + s + r.due_at + s +
               (r.note.find_first_of("\",;|\t\n") == std::string::npos ? r.note : quoted(r.note)) + "\n";
    return out;
}

std::string json_lines(const std::vector<sample>& rows) {
    const auto escaped = [](const std::string& text) {
        std::string out = "\"";
        for (const char c : text)
            out += c == '"' ? "\\\"" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
        return out + "\"";
    };
    std::string out;
    for (const sample& r : rows)
        out += "{\"note\":" + escaped(r.note) + ",\"contact_id\":" + escaped(r.contact_id) +
               ",\"user_id\":" + escaped(r.user_id) + ",\"type\":" + escaped(r.type) +
               ",\"priority\":" + (r.priority.empty() ? "null" : escaped(r.priority)) +
               ",\"status\":" + escaped(r.status) + ",\"due_at\":" + escaped(r.due_at) + "}\n";
    return out;
}

std::vector<written_form> every_form_of(const std::vector<sample>& rows) {
    std::vector<written_form> forms{{"list.csv", delimited(rows, ',')}, {"list.tsv", delimited(rows, '\t')},
                                    {"list.csv", delimited(rows, ';')}, {"list.psv", delimited(rows, '|')},
                                    {"list.jsonl", json_lines(rows)},   {"no extension", delimited(rows, ',')},
                                    {"no extension", json_lines(rows)}};
    const std::size_t plain = forms.size();
    for (std::size_t i = 0; i < plain; ++i) {
        const bool tells = forms[i].name.find('.') != std::string::npos;
        forms.push_back({forms[i].name + (tells ? ".gz" : ""), gzipped(forms[i].bytes)});
        forms.push_back({forms[i].name + (tells ? ".zst" : ""), zstandard(forms[i].bytes)});
    }
    return forms;
}

}  // namespace taskbarge::reader::testing
