// The same rows in every form that a file may have.
#include <gtest/gtest.h>

#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;

struct sample {
    std::string contact_id, user_id, type, priority, status, due_at, note;
};

std::vector<sample> samples() {
    const std::vector<std::string> notes{
        "hello", "", "a, b; c|d\te", "two\nlines", "\"quoted\"", "\xC3\xBC\xF0\x9F\x98\x80", "5\" x 6\""};
    const std::vector<std::string> dues{"2025-02-15T10:00:00Z", "2025-02-15T05:00:00-05:00", "never"};
    std::vector<sample> out;
    for (unsigned i = 0; i < 300; ++i)
        out.push_back({i % 50 == 49 ? "no id" : contact(i), std::string(owner_id), i % 2 ? "call" : "action_item",
                       i % 3 ? "high" : "", "scheduled", dues[i % 40 == 39 ? 2 : i % 2], notes[i % notes.size()]});
    return out;
}

std::string delimited(const std::vector<sample>& rows, char d) {
    const auto quoted = [](const std::string& text) {
        std::string out = "\"";
        for (const char c : text)
            out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + "\"";
    };
    const std::string s(1, d);
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

// Without the line, which differs between the forms.
std::vector<owned_row> without_lines(std::vector<owned_row> rows) {
    for (owned_row& r : rows)
        r.at.line = 0;
    return rows;
}

TEST(SameRows, EveryFormGivesTheSameRowsAndRejects) {
    const auto rows = samples();
    const auto expected = read_text("list.csv", delimited(rows, ','));
    ASSERT_GT(expected.rows.size(), 280u);
    ASSERT_GT(expected.rejects.size(), 10u);
    const auto expect_same = [&](std::string_view name, const std::string& bytes) {
        const auto out = read_text(name, bytes);
        ASSERT_FALSE(out.failure) << name << ": " << out.failure->text;
        EXPECT_EQ(without_lines(out.rows), without_lines(expected.rows)) << name;
        EXPECT_EQ(out.summary(), expected.summary()) << name;
    };
    expect_same("list.tsv", delimited(rows, '\t'));
    expect_same("semicolons.csv", delimited(rows, ';'));
    expect_same("pipes.csv", delimited(rows, '|'));
    expect_same("list.jsonl", json_lines(rows));
    expect_same("list.csv.gz", gzipped(delimited(rows, ',')));
    expect_same("list.csv.zst", zstandard(delimited(rows, ',')));
    expect_same("list.ndjson.gz", gzipped(json_lines(rows)));
    expect_same("no extension", json_lines(rows));
    expect_same("no extension", delimited(rows, ';'));
}

TEST(SameRows, LineEndsDoNotMatter) {
    const auto rows = samples();
    const std::string lf = delimited(rows, ',');
    const auto expected = read_text("list.csv", lf);
    for (const std::string end : {"\r\n", "\r"}) {
        std::string text;
        for (const char c : lf)
            text += c == '\n' ? end : std::string(1, c);
        const auto out = read_text("list.csv", text);
        EXPECT_EQ(out.rows, expected.rows);
        text.resize(text.size() - end.size());
        EXPECT_EQ(read_text("list.csv", text).rows, expected.rows) << "also without the last line end";
    }
}

}  // namespace
}  // namespace taskbarge::reader
