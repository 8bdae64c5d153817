#include <gtest/gtest.h>
#include <simdjson.h>

#include "taskbarge/client/apollo_client.hpp"

namespace {

namespace core = taskbarge::core;
using taskbarge::client::bulk_create_body;

core::task_view details() {
    core::task_view d;
    d.user_id = "66302798d03b9601c7934ebf";
    d.type = core::task_type::action_item;
    d.priority = core::task_priority::low;
    d.status = core::task_status::scheduled;
    d.due_at = *core::parse_rfc3339("2025-02-15T10:00:00Z");
    return d;
}

TEST(RequestBody, NamesEveryFieldAndEachContactInOrder) {
    EXPECT_EQ(bulk_create_body(details(), {"a1", "b2"}),
              R"({"user_id":"66302798d03b9601c7934ebf","contact_ids":["a1","b2"],"type":"action_item",)"
              R"("priority":"low","status":"scheduled","due_at":"2025-02-15T10:00:00.000Z"})");
}

TEST(RequestBody, NoteIsEscapedAndOnlySentWhenThereIsOne) {
    auto d = details();
    d.note = "say \"hi\"\\\n\ttab \x01 caf\xc3\xa9 </x>";
    const std::string body = bulk_create_body(d, {"a"});
    simdjson::dom::parser parser;
    std::string_view note;
    ASSERT_EQ(parser.parse(body)["note"].get(note), simdjson::SUCCESS);
    EXPECT_EQ(note, d.note);
    EXPECT_EQ(body.find('\n'), std::string::npos);
}

TEST(RequestBody, ContactIdsThatAreNotPlainAreEscaped) {
    const std::string body = bulk_create_body(details(), {"a\"],\"x\":[\""});
    simdjson::dom::parser parser;
    std::string_view id;
    ASSERT_EQ(parser.parse(body)["contact_ids"].at(0).get(id), simdjson::SUCCESS);
    EXPECT_EQ(id, "a\"],\"x\":[\"");
}

TEST(RequestBody, BytesThatAreNotUtf8DoNotBreakTheRequest) {
    auto d = details();
    d.note = "caf\xe9 au lait";
    const std::string body = bulk_create_body(d, {"a"});
    simdjson::dom::parser parser;
    std::string_view note;
    ASSERT_EQ(parser.parse(body)["note"].get(note), simdjson::SUCCESS);
    EXPECT_EQ(note, "caf\xef\xbf\xbd au lait");
}

}  // namespace
