#include "service/inbox/item_names.hpp"

#include <gtest/gtest.h>

#include <string>

#include "service/inbox/note_file.hpp"

namespace taskbarge::service::inbox {
namespace {

using namespace std::string_literals;

core::instant evening() {
    return *core::parse_rfc3339("2026-11-25T19:01:02.345Z");
}

TEST(ItemNames, AnyOrdinaryNameIsAccepted) {
    for (const char* name :
         {"contacts.csv", "with space.csv", "контакты.csv", "連絡先.jsonl", "-x", "a", "job.csv", "~"})
        EXPECT_TRUE(check_name(name)) << name;
    EXPECT_TRUE(check_name(std::string(200, 'x')));
}

TEST(ItemNames, WhatCannotBeAFileBesideOursIsRefused) {
    const std::string wrong[] = {"",
                                 ".",
                                 "..",
                                 ".hidden",
                                 "a/b",
                                 "/a",
                                 "a\0b"s,
                                 "a\nb",
                                 "a\x7F",
                                 "\xFF.csv",
                                 "\xC3",
                                 "item.json",
                                 "job",
                                 "results.csv",
                                 "rejects.csv",
                                 "summary.json",
                                 "error.txt",
                                 "settings.toml",
                                 "folder-settings.toml",
                                 std::string(201, 'x')};
    for (const auto& name : wrong) {
        const auto ok = check_name(name);
        ASSERT_FALSE(ok) << name;
        EXPECT_EQ(ok.error().code, core::errc::usage);
        EXPECT_EQ(ok.error().text.find('\n'), std::string::npos);
    }
}

TEST(ItemNames, DroppedNamesAreMadeFit) {
    EXPECT_EQ(fit_name("contacts.csv"), "contacts.csv");
    EXPECT_EQ(fit_name("контакты.csv"), "контакты.csv");
    EXPECT_EQ(fit_name("a\nb.csv"), "a_b.csv");
    EXPECT_EQ(fit_name("a\xFF.csv"), "a_.csv");
    EXPECT_EQ(fit_name("results.csv"), "input-results.csv");
    EXPECT_EQ(fit_name("rejects.jsonl"), "input-rejects.jsonl");
    EXPECT_EQ(fit_name(std::string(250, 'x') + ".csv"), std::string(196, 'x') + ".csv");
    std::string wide;
    for (int i = 0; i < 84; ++i)
        wide += "連";
    EXPECT_EQ(fit_name(wide), wide.substr(0, 198)) << "cut between characters";
    for (int first = 1; first < 256; ++first) {
        const std::string name = std::string(1, static_cast<char>(first)) + "x";
        const bool possible = first != '/';
        EXPECT_TRUE(!possible || check_name(fit_name(name))) << first;
    }
}

TEST(ItemNames, IdsNeedNoEscapes) {
    EXPECT_EQ(make_id("contacts.csv", evening()).text(), "contacts.csv.20261125T190102Z.1");
    EXPECT_EQ(make_id("a b%?.csv", evening()).text(), "a_b__.csv.20261125T190102Z.1");
    EXPECT_EQ(make_id("連絡.csv", evening()).text(), "__.csv.20261125T190102Z.1");
}

TEST(ItemNames, IdsAreReadBack) {
    for (const char* name : {"contacts.csv", "a", "-", "x.20251125T190102Z.7", "連絡.csv"}) {
        auto id = make_id(name, evening());
        id.number = 12;
        const auto back = parse_id(id.text());
        ASSERT_TRUE(back) << id.text();
        EXPECT_EQ(back->text(), id.text());
        EXPECT_EQ(back->number, 12u);
        EXPECT_EQ(back->time, *core::parse_rfc3339("2026-11-25T19:01:02Z"));
    }
}

TEST(ItemNames, NothingElseIsAnId) {
    const std::string wrong[] = {"",
                                 "..",
                                 "../../etc/passwd",
                                 "contacts.csv",
                                 "contacts.csv.20261125T190102Z",
                                 "contacts.csv.20261125T190102Z.",
                                 "contacts.csv.20261125T190102Z.x",
                                 "contacts.csv.20261125T190102Z.1x",
                                 "contacts.csv.20261125T190102Z.01",
                                 "contacts.csv.20261125T190102Z.-1",
                                 "contacts.csv.20261125T190102Z.99999999999999999999",
                                 "contacts.csv.20261325T190102Z.1",
                                 "contacts.csv.20261125 190102Z.1",
                                 ".20261125T190102Z.1",
                                 ".x.20261125T190102Z.1",
                                 "a/b.20261125T190102Z.1",
                                 "../b.20261125T190102Z.1",
                                 "a\0b.20261125T190102Z.1"s,
                                 "a%2Fb.20261125T190102Z.1",
                                 "é.20261125T190102Z.1",
                                 std::string(240, 'x') + ".20261125T190102Z.1"};
    for (const auto& text : wrong)
        EXPECT_FALSE(parse_id(text)) << text;
}

TEST(ItemNames, IdsAreOrderedByTimeAndNotByName) {
    const auto older = *parse_id("z.csv.20261125T190102Z.1"), newer = *parse_id("a.csv.20261125T190103Z.1");
    EXPECT_TRUE(is_older(older, newer));
    EXPECT_FALSE(is_older(newer, older));
    EXPECT_TRUE(is_older(*parse_id("a.20261125T190102Z.9"), *parse_id("a.20261125T190102Z.10")));
}

TEST(NoteFile, IsReadAsItWasWritten) {
    stored_note stored;
    stored.note = {"連絡 \"a\".csv", "inbox", evening(), 5'000'000'000, true};
    stored.dropped_as = "連絡 \"a\"%\n\xFF.csv";
    stored.ticket = "00112233445566778899aabbccddeeff";
    const auto back = parse_note(note_text(stored));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(*back, stored);
    stored.dropped_as.clear();
    EXPECT_EQ(*parse_note(note_text(stored)), stored);
}

TEST(NoteFile, BrokenOnesAreToldAndNeverLeadElsewhere) {
    const std::string good =
        R"({"name":"a.csv","origin":"inbox","taken_at":"2026-11-25T19:01:02Z","first_rows":0,"again":false)";
    const std::string ticket = R"(,"ticket":"00112233445566778899aabbccddeeff"})";
    ASSERT_TRUE(parse_note(good + ticket));
    const std::string wrong[] = {
        "",
        good + "}",
        good,
        "[]",
        "{}",
        R"({"name":"../a","origin":"inbox","taken_at":"2026-11-25T19:01:02Z","first_rows":0,"again":false)" + ticket,
        R"({"name":"a.csv","origin":"moon","taken_at":"2026-11-25T19:01:02Z","first_rows":0,"again":false)" + ticket,
        R"({"name":"a.csv","origin":"inbox","taken_at":"yesterday","first_rows":0,"again":false)" + ticket,
        R"({"name":"a.csv","origin":"inbox","taken_at":"2026-11-25T19:01:02Z","first_rows":-1,"again":false)" + ticket,
        R"({"name":"a.csv","origin":"inbox","taken_at":"2026-11-25T19:01:02Z","first_rows":0,"again":1)" + ticket,
        good + R"(,"dropped_as":"../a")" + ticket,
        good + R"(,"dropped_as":"..%2Fa")" + ticket,
        good + R"(,"dropped_as":"a%0")" + ticket,
        good + R"(,"dropped_as":"a%zz")" + ticket,
        good + R"(,"dropped_as":"a%00")" + ticket,
        good + R"(,"ticket":"","again":false})",
        good + R"(,"ticket":7})",
        good + R"(,"ticket":"00112233445566778899aabbccddeef"})",
        good + R"(,"ticket":"00112233445566778899AABBCCDDEEFF"})"};
    for (const auto& text : wrong) {
        const auto note = parse_note(text);
        ASSERT_FALSE(note) << text;
        EXPECT_NE(note.error().text.find("item.json"), std::string::npos);
    }
}

}  // namespace
}  // namespace taskbarge::service::inbox
