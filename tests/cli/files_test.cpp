// Files as people have them, through the real program.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/against_sandbox.hpp"

namespace {

namespace sandbox = taskbarge::sandbox;
using taskbarge::test::against_sandbox;
using testing::HasSubstr;

std::string id(int n) {
    return fmt::format("{:024x}", n);
}

class Files : public against_sandbox {};

TEST_F(Files, PlanShowsColumnsGroupsRejectsCostAndTime) {
    start({}, false);  // 200 requests a minute, 400 an hour, 2,000 a day
    std::string text = "Contact ID,Priority,Notes,City\n";
    for (int i = 0; i < 4900; ++i)
        text += fmt::format("{},high,hello {},x\n", id(i), i);
    for (int i = 4900; i < 5000; ++i)
        text += fmt::format("{},high,hello,x\n", id(i));
    text += "bad,high,hello,x\n" + id(1) + ",urgent,hello,x\n";
    const auto file = p.file("contacts.csv", text);
    const auto o = run({"plan", file, "--set", owner});
    EXPECT_EQ(o.code, 2) << o.err;
    const std::vector<std::string> parts{
        "contact_id    \"Contact ID\" (name)\n",
        "note          \"Notes\" (alias)\n",
        "status        from default\n",
        "not used      City\n",
        "4,901 groups make 4,901 requests at least\n",
        "  4,900 groups of 1 row: 4,900 requests\n",
        "  1 group of 100 to 999 rows: 1 request\n",
        "  note differs in 98 % of rows: 4,901 requests, 2d ",
        "h, instead of 50 requests",
        "e.g. " + file + ":5002, column Contact ID: \"bad\" is no Apollo id",
        "e.g. " + file + ":5003, column Priority: \"urgent\" is no priority; write high, medium or low",
        "row 1      000000000000000000000000: scheduled high call due ",
        "note \"hello 0\"",
        "of 2,000 used",
        "Begun now, it would end about ",
        "Nothing was sent.\n"};
    for (const auto& part : parts)
        EXPECT_THAT(o.out, HasSubstr(part));
    EXPECT_EQ(server_->stats().tasks, 0u);
}

TEST_F(Files, OwnersAreLookedUpOnceAndAnUnknownOneNamesTheNearest) {
    std::string text = "contact_id,owner_email\n";
    for (int i = 0; i < 300; ++i)
        text += fmt::format("{},{}\n", id(i), i % 2 ? "Dana.Reyes@example.com" : "sam.okafor@example.com");
    text += id(300) + ",dana.reye@example.com\n" + id(301) + ",dana.reye@example.com\n";
    const auto o = run({"import", "--json", p.file("contacts.csv", text)});
    EXPECT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "created"), 300u);
    EXPECT_EQ(number(o, "groups"), 2u);
    const auto rejected = run({"results", "1", "--only", "rejected"});
    EXPECT_THAT(rejected.out, HasSubstr("unknown_owner"));
    EXPECT_THAT(rejected.out, HasSubstr("the nearest is dana.reyes@example.com"));
    EXPECT_EQ(server_->stats().routes.at("users").requests(), 1u);
}

TEST_F(Files, OwnersNeedTheKeyInAPlanToo) {
    p.environment.erase("APOLLO_API_KEY");
    const auto o =
        run({"plan", p.file("contacts.csv", "contact_id,owner_email\n" + id(1) + ",sam.okafor@example.com\n")});
    EXPECT_EQ(o.code, 77);
    EXPECT_THAT(o.err, HasSubstr("APOLLO_API_KEY"));
}

TEST_F(Files, ColumnsThatAreNotUsedAreNamedOnceByAnImport) {
    const auto file = p.file("contacts.csv", "contact_id,City,Phone\n" + id(1) + ",x,y\n" + id(2) + ",x,y\n");
    EXPECT_EQ(run({"import", file, "--set", owner}).err, "taskbarge: " + file + ": not used: City, Phone\n");
    EXPECT_EQ(run({"import", "--again", "--quiet", file, "--set", owner}).err, "");
}

TEST_F(Files, WhatIsPassedOverIsToldOnceByPlanAndImport) {
    const auto file =
        p.file("contacts.csv", "contact_id,note\n" + id(1) + ",x\n,\n,\"\"\ncontact_id,note\n" + id(2) + ",x\n");
    const auto empty = p.file("empty.csv", "\n");
    const auto plan = run({"plan", file, empty, "--set", owner});
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_THAT(plan.out, HasSubstr("remark        2 rows without any content skipped, the first on line 3\n"));
    EXPECT_THAT(plan.out, HasSubstr("remark        a header like the first skipped, on line 5\n"));
    EXPECT_THAT(plan.out, HasSubstr("remark        is empty and was passed over\n"));
    EXPECT_EQ(run({"import", file, empty, "--set", owner}).err,
              "taskbarge: " + file + ": 2 rows without any content skipped, the first on line 3\n" +
                  "taskbarge: " + file + ": a header like the first skipped, on line 5\n" + "taskbarge: " + empty +
                  ": is empty and was passed over\n");
    EXPECT_EQ(server_->stats().tasks, 2u);
}

// The command that the message names, run by a shell, makes a file that goes in.
TEST_F(Files, TheCommandForJsonThatIsNoLinesMakesLines) {
    if (std::system("command -v jq > /dev/null") != 0) GTEST_SKIP() << "there is no jq";
    int contact = 0;
    const auto next = [&] { return id(++contact); };
    const auto object = [&] { return "{\"contact_id\": \"" + next() + "\"}"; };
    const std::string mongo = "{\"contact_id\": {\"$oid\": \"" + id(100) + "\"}}\n";
    std::vector<std::string> texts;
    texts.push_back("[\n" + object() + ",\n" + object() + "\n]\n");
    texts.push_back("{\"data\": {\"the contacts\": [" + object() + ", " + object() + "]}}");
    texts.push_back("{\n\"contacts\": [\n" + object() + ",\n" + object() + "\n]\n}\n");
    texts.push_back("{\n\"contact_id\":\n\"" + next() + "\"}\n" + object());
    texts.push_back(object() + object());
    texts.push_back(object() + ",\n" + object() + ",\n");
    texts.push_back(object() + ", " + object());
    texts.push_back("\x1E" + object() + "\n\x1E" + object() + "\n");
    texts.push_back("{\"contact_id\": \"" + next() + "\", \"score\": NaN}\n{\"contact_id\": \"" + next() +
                    "\", \"score\":-Infinity}\n");
    texts.push_back(mongo + "{\"contact_id\": \"" + next() + "\", \"x\": {\"y\": 1}}\n");
    std::size_t number_of_file = 0;
    for (const auto& text : texts) {
        const auto name = fmt::format("it's {}.jsonl", ++number_of_file);
        const auto refused = run({"plan", p.file(name, text), "--set", owner});
        const std::string told = refused.out + refused.err, before = "convert it with: ";
        const auto at = told.find(before);
        ASSERT_NE(at, std::string::npos) << told;
        const auto command = told.substr(at + before.size(), told.find('\n', at) - at - before.size());
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
        const auto o = run({"import", "--json", p.path(name) + ".jsonl", "--set", owner});
        EXPECT_EQ(o.code, 0) << command << "\n" << o.err;
        EXPECT_EQ(number(o, "created"), 2u) << command;
    }
}

TEST_F(Files, AFileThatCannotBeUsedGivesSixtyFiveAndTheRemedy) {
    const std::string utf16("c\0o\0n\0t\0a\0c\0t\0_\0i\0d\0\n\0", 22);
    EXPECT_THAT(run({"import", p.file("wide.csv", utf16), "--set", owner}).err,
                HasSubstr("iconv -f UTF-16LE -t UTF-8"));
    EXPECT_EQ(run({"import", p.file("wide.csv", utf16), "--set", owner}).code, 65);
    EXPECT_EQ(run({"import", p.file("a.csv.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10)), "--set", owner}).code,
              65);
    EXPECT_EQ(run({"import", p.file("a.json", "[{}]"), "--set", owner}).code, 65);
    EXPECT_EQ(run({"import", p.path("missing.csv"), "--set", owner}).code, 65);
    EXPECT_EQ(run({"import", p.file("names.csv", "name\nJane\n"), "--set", owner}).code, 65);
    const auto format =
        run({"import", p.file("a.csv", "contact_id\n"), "--set", owner, "--set", "dates.formats=[\"%H:%M\"]"});
    EXPECT_EQ(format.code, 78);
    EXPECT_THAT(format.err, HasSubstr("year, month and day"));
    EXPECT_EQ(server_->stats().tasks, 0u);
}

TEST_F(Files, SeveralFilesAndStandardInputAreOneJob) {
    const auto o = run({"import", "--json", p.file("a.csv", "contact_id\n" + id(1) + "\n"), "-",
                        p.file("c.jsonl", "{\"contact_id\":\"" + id(3) + "\"}"), "--set", owner},
                       "contact_id;note\r" + id(2) + ";\r");
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(number(o, "created"), 3u);
    EXPECT_EQ(number(o, "requests"), 1u);
}

}  // namespace
