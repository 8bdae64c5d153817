#include "reader/row_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using ::testing::HasSubstr;

field_texts good() {
    field_texts t;
    t[field::contact_id] = "66e8a1b2c3d4e5f6a7b8c9d0";
    t[field::user_id] = testing::owner_id;
    t[field::type] = "call";
    t[field::priority] = "high";
    t[field::status] = "scheduled";
    t[field::due_at] = "2025-02-15T10:00:00Z";
    t[field::note] = "hello";
    return t;
}

struct checked {
    std::string fault_code;  // "good" for none
    std::string message;
    core::task_details details;
};

// As a reader does with a record of its own.
std::optional<fault> look(row_checks& checks, const field_texts& texts) {
    text_arena arena;
    core::task_view view;
    auto wrong = checks.details(texts, arena, view);
    if (wrong) checks.count_unknown_words(texts, *wrong);
    return wrong;
}

checked check(const field_texts& texts, const source_options& options = {}) {
    auto checks = row_checks::make(options);
    EXPECT_TRUE(checks) << checks.error().text;
    text_arena arena;
    core::task_view view;
    const auto wrong = checks->details(texts, arena, view);
    if (wrong) return {wrong->code, wrong->message, {}};
    return {"good", "", core::task_details(view)};
}

std::string check_contact(std::string_view text, const std::string& pattern = core::import_settings{}.id_pattern) {
    source_options options;
    options.import.id_pattern = pattern;
    auto checks = row_checks::make(options);
    text_arena arena;
    std::string_view out;
    const auto wrong = checks->contact_id(text, arena, out);
    return wrong ? wrong->code : std::string(out);
}

TEST(RowChecks, GoodRowPasses) {
    const checked c = check(good());
    EXPECT_EQ(c.fault_code, "good");
    EXPECT_EQ(c.details.user_id, testing::owner_id);
    EXPECT_EQ(c.details.priority, core::task_priority::high);
    EXPECT_EQ(c.details.note, "hello");
}

TEST(RowChecks, ContactIdsAre24HexDigitsInOneSpelling) {
    EXPECT_EQ(check_contact("66e8a1b2c3d4e5f6a7b8c9d0"), "66e8a1b2c3d4e5f6a7b8c9d0");
    EXPECT_EQ(check_contact(" 66E8A1B2C3D4E5F6A7B8C9D0\t"), "66e8a1b2c3d4e5f6a7b8c9d0");
    EXPECT_EQ(check_contact("66e8a1b2c3d4e5f6a7b8c9d"), "invalid_contact_id");
    EXPECT_EQ(check_contact("66e8a1b2c3d4e5f6a7b8c9d00"), "invalid_contact_id");
    EXPECT_EQ(check_contact("66e8a1b2c3d4e5f6a7b8c9dg"), "invalid_contact_id");
    EXPECT_EQ(check_contact("  "), "missing_value");
}

TEST(RowChecks, IdPatternIsASetting) {
    EXPECT_EQ(check_contact("003AB", "[0-9A-Z]{5}"), "003AB");
    EXPECT_EQ(check_contact("003ABC", "[0-9A-Z]{5}"), "invalid_contact_id");
    EXPECT_EQ(check_contact(std::string(100'000, 'a'), "[a]+"), "invalid_contact_id");
    EXPECT_EQ(check_contact("66E8A1B2C3D4E5F6A7B8C9D0", ".*"), "66e8a1b2c3d4e5f6a7b8c9d0");
}

TEST(RowChecks, AbsentPriorityIsMedium) {
    field_texts t = good();
    t[field::priority] = "";
    EXPECT_EQ(check(t).details.priority, core::task_priority::medium);
}

TEST(RowChecks, EachWordIsChecked) {
    const auto with = [](field f, std::string_view text) {
        field_texts t = good();
        t[f] = text;
        return check(t);
    };
    EXPECT_EQ(with(field::type, "meeting").fault_code, "invalid_type");
    EXPECT_THAT(with(field::type, "meeting").message, HasSubstr("call, outreach_manual_email"));
    EXPECT_THAT(with(field::type, "meeting").message, HasSubstr("[values.type]"));
    EXPECT_EQ(with(field::type, " action_item ").details.type, core::task_type::action_item);
    EXPECT_EQ(with(field::priority, "urgent").fault_code, "invalid_priority");
    EXPECT_EQ(with(field::status, "open").fault_code, "invalid_status");
    EXPECT_EQ(with(field::user_id, "jane").fault_code, "invalid_user_id");
    EXPECT_EQ(with(field::due_at, "soon").fault_code, "invalid_due_at");
}

TEST(RowChecks, WordsDifferInNothingButCaseAndBlanks) {
    field_texts t = good();
    t[field::type] = "Outreach Manual-Email";
    t[field::priority] = " HIGH ";
    t[field::status] = "Scheduled";
    const checked c = check(t);
    EXPECT_EQ(c.details.type, core::task_type::outreach_manual_email);
    EXPECT_EQ(c.details.priority, core::task_priority::high);
    EXPECT_EQ(c.details.status, core::task_status::scheduled);
}

TEST(RowChecks, WordsOfTheCrmsExportsAreKnown) {
    const auto type_of = [](std::string_view word) {
        field_texts t = good();
        t[field::type] = word;
        return check(t).details.type;
    };
    EXPECT_EQ(type_of("CALL"), core::task_type::call);
    EXPECT_EQ(type_of("EMAIL"), core::task_type::outreach_manual_email);
    EXPECT_EQ(type_of("TODO"), core::task_type::action_item);
    EXPECT_EQ(type_of("To-do"), core::task_type::action_item);
    EXPECT_EQ(type_of("LINKED_IN_MESSAGE"), core::task_type::linkedin_step_message);
    for (const char* word : {"NOT_STARTED", "Not Started", "not started"}) {
        field_texts t = good();
        t[field::status] = word;
        EXPECT_EQ(check(t).details.status, core::task_status::scheduled) << word;
    }
    for (const char* word : {"NONE", "Normal", "Medium"}) {
        field_texts t = good();
        t[field::priority] = word;
        EXPECT_EQ(check(t).details.priority, core::task_priority::medium) << word;
    }
}

TEST(RowChecks, TheSettingsSayWhatOtherWordsMean) {
    source_options o;
    o.values.type = {{"Demo", "call"}, {"call", "action_item"}, {"Lunch", ""}, {"*", "outreach_manual_email"}};
    o.values.priority = {{"Urgent", "HIGH"}};
    o.defaults.type = "linkedin_step_connect";
    const auto type_of = [&](std::string_view word) {
        field_texts t = good();
        t[field::type] = word;
        t[field::priority] = "urgent";
        const checked c = check(t, o);
        EXPECT_EQ(c.fault_code, "good") << c.message;
        EXPECT_EQ(c.details.priority, core::task_priority::high);
        return c.details.type;
    };
    EXPECT_EQ(type_of("demo"), core::task_type::call);
    EXPECT_EQ(type_of("CALL"), core::task_type::action_item) << "what is set goes before what is known";
    EXPECT_EQ(type_of("Lunch"), core::task_type::linkedin_step_connect) << "as an empty cell";
    EXPECT_EQ(type_of(""), core::task_type::linkedin_step_connect);
    EXPECT_EQ(type_of("TODO"), core::task_type::action_item) << "a known word is no other word";
    EXPECT_EQ(type_of("Golf"), core::task_type::outreach_manual_email);
    o.defaults.type.clear();
    EXPECT_EQ(type_of(""), core::task_type::outreach_manual_email);
    EXPECT_EQ(type_of("Lunch"), core::task_type::outreach_manual_email);
}

TEST(RowChecks, AMeaningThatIsNoneIsASettingsFault) {
    source_options o;
    o.values.status = {{"Waiting", "later"}};
    const auto faults = row_checks::faults_of(o);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults.front().name, "values.status");
    EXPECT_THAT(faults.front().text, HasSubstr("\"Waiting\" is to mean \"later\", which is no status"));
    EXPECT_FALSE(row_checks::make(o));
}

TEST(RowChecks, AllUnknownWordsOfARowAreCounted) {
    auto checks = row_checks::make({});
    field_texts t = good();
    t[field::type] = "Meeting";
    t[field::status] = "In Progress";
    EXPECT_TRUE(look(*checks, t));
    t[field::type] = "call";
    EXPECT_TRUE(look(*checks, t));
    EXPECT_FALSE(look(*checks, good()));
    const auto words = checks->unknown().list();
    ASSERT_EQ(words.size(), 2u);
    EXPECT_EQ(words[0].field + words[0].word, "statusIn Progress");
    EXPECT_EQ(words[0].rows, 2u);
    EXPECT_EQ(words[1].field + words[1].word, "typeMeeting");
    EXPECT_EQ(words[1].rows, 1u);
}

TEST(RowChecks, UnknownWordsAreNotKeptWithoutEnd) {
    auto checks = row_checks::make({});
    for (int i = 0; i < 2000; ++i) {
        const std::string word = "word " + std::to_string(i);
        field_texts t = good();
        t[field::type] = word;
        EXPECT_TRUE(look(*checks, t));
    }
    EXPECT_EQ(checks->unknown().list().size(), 200u);
}

TEST(RowChecks, IdsOfOtherCrmsAreCalledThat) {
    const auto message = [](std::string_view id) {
        auto checks = row_checks::make({});
        text_arena arena;
        std::string_view out;
        return checks->contact_id(id, arena, out)->message;
    };
    EXPECT_THAT(message("0035g0000ezO3NeAAK"), HasSubstr("no Apollo id but Salesforce's"));
    EXPECT_THAT(message("0035g0000ezO3Ne"), HasSubstr("no Apollo id but Salesforce's"));
    EXPECT_THAT(message("58210000035"), HasSubstr("no Apollo id but perhaps HubSpot's"));
    EXPECT_THAT(message("jane"), HasSubstr("\"jane\" is no Apollo id; an id is"));
}

TEST(RowChecks, HtmlNotesBecomeTextWhereTheSettingsSaySo) {
    source_options o;
    text_arena arena;
    EXPECT_EQ(row_checks::make(o)->note_text("<p>a</p>", arena), "<p>a</p>");
    o.import.notes = core::note_form::html;
    EXPECT_EQ(row_checks::make(o)->note_text("<p>a &amp; b</p><p>c</p>", arena), "a & b\nc");
    EXPECT_EQ(row_checks::make(o)->note_text("plain", arena), "plain");
}

TEST(RowChecks, WhatIsEmptyWithoutDefaultIsMissing) {
    for (const field f : {field::user_id, field::type, field::status, field::due_at}) {
        field_texts t = good();
        t[f] = " ";
        const checked c = check(t);
        EXPECT_EQ(c.fault_code, "missing_value");
        EXPECT_THAT(c.message, HasSubstr(std::string("defaults.") + std::string(to_string(f))));
    }
}

TEST(RowChecks, DefaultsFillEmptyCells) {
    source_options o;
    o.defaults = {"66302798D03B9601C7934EBF", "",          "action_item", "low", "skipped",
                  "2025-01-01T00:00:00Z",     "usual note"};
    const checked c = check({}, o);
    EXPECT_EQ(c.fault_code, "good");
    EXPECT_EQ(c.details.user_id, "66302798d03b9601c7934ebf");
    EXPECT_EQ(c.details.type, core::task_type::action_item);
    EXPECT_EQ(c.details.priority, core::task_priority::low);
    EXPECT_EQ(c.details.status, core::task_status::skipped);
    EXPECT_EQ(c.details.note, "usual note");
    EXPECT_EQ(check(good(), o).details.note, "hello");
}

TEST(RowChecks, WrongDefaultsAreFoundAtOnce) {
    const auto failure = [](auto change) {
        source_options o;
        change(o);
        const auto made = row_checks::make(o);
        return made ? std::string("none") : made.error().text;
    };
    EXPECT_THAT(failure([](auto& o) { o.defaults.type = "phone"; }), HasSubstr("defaults.type: \"phone\" is no type"));
    EXPECT_THAT(failure([](auto& o) { o.defaults.user_id = "me"; }), HasSubstr("defaults.user_id: "));
    EXPECT_THAT(failure([](auto& o) { o.defaults.due_at = "2025-01-01"; }), HasSubstr("defaults.due_at: "));
    EXPECT_THAT(failure([](auto& o) { o.defaults.priority = "top"; }), HasSubstr("defaults.priority: "));
    EXPECT_THAT(failure([](auto& o) { o.defaults.status = "done"; }), HasSubstr("defaults.status: "));
    EXPECT_THAT(failure([](auto& o) { o.import.id_pattern = "[a"; }), HasSubstr("import.id_pattern: "));
}

TEST(RowChecks, LookingAtARelativeDefaultIsNotUsingIt) {
    source_options o;
    o.dates = {"UTC", "09:00", {}};
    o.defaults.due_at = "+1d";
    auto checks = row_checks::make(o);
    EXPECT_FALSE(checks->used_relative_dates());
    text_arena arena;
    core::task_view view;
    field_texts t = good();
    t[field::due_at] = "";
    EXPECT_FALSE(checks->details(t, arena, view));
    EXPECT_TRUE(checks->used_relative_dates());
}

TEST(RowChecks, NotesKeepEverythingButCarriageReturns) {
    field_texts t = good();
    t[field::note] = "  a\r\nb\rc\nd \xF0\x9F\x98\x80  ";
    EXPECT_EQ(check(t).details.note, "  a\nb\nc\nd \xF0\x9F\x98\x80  ");
    t[field::note] = "   ";
    EXPECT_EQ(check(t).details.note, "");
}

TEST(RowChecks, NoteLimitCountsCharacters) {
    source_options o;
    o.import.note_limit = 3;
    field_texts t = good();
    t[field::note] = "\xC3\xBC\xC3\xBC\xC3\xBC";
    EXPECT_EQ(check(t, o).fault_code, "good");
    t[field::note] = "four";
    EXPECT_EQ(check(t, o).fault_code, "note_too_long");
}

TEST(RowChecks, OwnerIsFoundByAddress) {
    source_options o;
    int calls = 0;
    o.owners = [&calls]() -> core::result<std::vector<team_user>> {
        ++calls;
        return std::vector<team_user>{{"66302798D03B9601C7934EBF", "Ann@example.com", "Ann Lee"}};
    };
    auto checks = row_checks::make(o);
    text_arena arena;
    core::task_view view;
    EXPECT_FALSE(checks->details(good(), arena, view));
    EXPECT_EQ(calls, 0) << "nobody needed the owners so far";
    field_texts t = good();
    t[field::user_id] = "";
    t[field::owner_email] = " ANN@Example.com ";
    EXPECT_FALSE(checks->details(t, arena, view));
    EXPECT_EQ(view.user_id, "66302798d03b9601c7934ebf");
    t[field::owner_email] = "anne@example.com";
    const auto wrong = checks->details(t, arena, view);
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->code, "unknown_owner");
    EXPECT_EQ(wrong->at, field::owner_email);
    EXPECT_THAT(wrong->message, HasSubstr("nearest is ann@example.com"));
    EXPECT_EQ(calls, 1);
}

TEST(RowChecks, UserIdOfTheRowWinsOverItsOwnerAndBothOverDefaults) {
    source_options o;
    o.owners = []() -> core::result<std::vector<team_user>> {
        return std::vector<team_user>{{"aaaaaaaaaaaaaaaaaaaaaaaa", "a@x.org", "Sam Poe"},
                                      {"bbbbbbbbbbbbbbbbbbbbbbbb", "b@x.org", "Sam Poe"}};
    };
    o.defaults.user_id = "cccccccccccccccccccccccc";
    o.defaults.owner_email = "b@x.org";
    field_texts t = good();
    t[field::owner_email] = "a@x.org";
    EXPECT_EQ(check(t, o).details.user_id, testing::owner_id);
    t[field::user_id] = "";
    EXPECT_EQ(check(t, o).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
    t[field::owner_email] = "";
    EXPECT_EQ(check(t, o).details.user_id, "cccccccccccccccccccccccc");
    o.defaults.user_id = "";
    EXPECT_EQ(check(t, o).details.user_id, "bbbbbbbbbbbbbbbbbbbbbbbb");
}

source_options team() {
    source_options o;
    o.owners = []() -> core::result<std::vector<team_user>> {
        return std::vector<team_user>{{"aaaaaaaaaaaaaaaaaaaaaaaa", "dana@example.com", "Dana Reyes"},
                                      {"bbbbbbbbbbbbbbbbbbbbbbbb", "sam@example.com", "Sam Poe"},
                                      {"cccccccccccccccccccccccc", "sam.poe@example.com", "Sam Poe"},
                                      {"dddddddddddddddddddddddd", "", "No Address"}};
    };
    return o;
}

checked owner_is(std::string_view text, const source_options& o = team()) {
    field_texts t = good();
    t[field::user_id] = "";
    t[field::owner_email] = text;
    return check(t, o);
}

TEST(RowChecks, OwnerIsFoundByFullNameAndByAnAddressInBrackets) {
    for (const char* text : {"Dana Reyes", " dana  REYES", "Dana Reyes (dana@example.com)",
                             "Somebody Else <DANA@example.com>", "[dana@example.com]", "aaaaaaaaaaaaaaaaaaaaaaaa"})
        EXPECT_EQ(owner_is(text).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa") << text;
    EXPECT_THAT(owner_is("Sam Poe").message,
                HasSubstr("2 Apollo users are called \"Sam Poe\": sam@example.com and sam.poe@example.com"));
    EXPECT_THAT(owner_is("Dana Reyas").message,
                HasSubstr("no Apollo user is called \"Dana Reyas\"; the nearest is dana"));
    EXPECT_EQ(owner_is("Dana Reyes (dana.reyes@example.com)").fault_code, "unknown_owner")
        << "an address that nobody has is not mended by the name beside it";
    EXPECT_EQ(owner_is("No Address").details.user_id, "dddddddddddddddddddddddd");
    EXPECT_EQ(owner_is("Dana Reyes (dana@example.com), Sam Poe (sam@example.com)").fault_code, "unknown_owner");
    EXPECT_EQ(owner_is("Dana\xC2\xA0Reyes").details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST(RowChecks, AUserWithoutAnAddressCountsAmongThoseOfAName) {
    source_options o = team();
    o.owners = []() -> core::result<std::vector<team_user>> {
        return std::vector<team_user>{{"aaaaaaaaaaaaaaaaaaaaaaaa", "dana@example.com", "Dana Reyes"},
                                      {"aaaaaaaaaaaaaaaaaaaaaaaa", "dana@example.com", "Dana Reyes"},
                                      {"bbbbbbbbbbbbbbbbbbbbbbbb", "", "Sam Poe"},
                                      {"cccccccccccccccccccccccc", "sam.poe@example.com", "Sam Poe"}};
    };
    EXPECT_EQ(owner_is("Dana Reyes", o).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(owner_is("Sam Poe", o).fault_code, "unknown_owner");
}

TEST(RowChecks, APatternOfOnesOwnMakesNoAddressAnId) {
    source_options o = team();
    o.import.id_pattern = ".+";
    EXPECT_EQ(owner_is("dana@example.com", o).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(owner_is("nobody@example.com", o).fault_code, "unknown_owner");
    EXPECT_EQ(owner_is("No Body", o).fault_code, "unknown_owner");
    EXPECT_EQ(owner_is("U-17", o).details.user_id, "U-17");
}

TEST(RowChecks, ADashIsAWordAndNoEmptyCell) {
    source_options o;
    o.values.priority = {{"-", "low"}};
    field_texts t = good();
    t[field::priority] = "-";
    EXPECT_EQ(check(t, o).details.priority, core::task_priority::low);
    t[field::priority] = "";
    EXPECT_EQ(check(t, o).details.priority, core::task_priority::medium);
}

TEST(RowChecks, AWordForNoneIsNotExplained) {
    source_options o;
    o.values.priority = {{"NULL", "low"}};
    const auto faults = row_checks::faults_of(o);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_THAT(faults.front().text, HasSubstr("\"NULL\" stands for an empty cell"));
}

TEST(RowChecks, TheSettingsSayWhoAnOwnerIs) {
    source_options o = team();
    o.values.owner = {{"Dana", "dana@example.com"},
                      {"0055g0000D6UpEmAQK", "Dana Reyes"},
                      {"Left the company", ""},
                      {"*", "bbbbbbbbbbbbbbbbbbbbbbbb"}};
    EXPECT_EQ(owner_is("dana", o).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(owner_is("Nobody", o).details.user_id, "bbbbbbbbbbbbbbbbbbbbbbbb");
    EXPECT_EQ(owner_is("", o).details.user_id, "bbbbbbbbbbbbbbbbbbbbbbbb");
    field_texts t = good();
    t[field::user_id] = "0055g0000D6UpEmAQK";
    EXPECT_EQ(check(t, o).details.user_id, "aaaaaaaaaaaaaaaaaaaaaaaa");
    t[field::user_id] = "0055g0000OBTyY9AQL";
    EXPECT_EQ(check(t, o).details.user_id, "bbbbbbbbbbbbbbbbbbbbbbbb");
    o.defaults.user_id = "cccccccccccccccccccccccc";
    EXPECT_EQ(owner_is("Left the company", o).details.user_id, "cccccccccccccccccccccccc");
}

TEST(RowChecks, UnknownOwnersAreCounted) {
    auto checks = row_checks::make(team());
    field_texts t = good();
    t[field::user_id] = "";
    t[field::owner_email] = " Nobody ";
    EXPECT_TRUE(look(*checks, t));
    const auto words = checks->unknown().list();
    ASSERT_EQ(words.size(), 1u);
    EXPECT_EQ(words[0].field, "owner");
    EXPECT_EQ(words[0].word, "Nobody");
}

TEST(RowChecks, FailureToFindOwnersIsKept) {
    source_options o;
    o.owners = []() -> core::result<std::vector<team_user>> {
        return core::failure{core::errc::unreachable, "no answer"};
    };
    auto checks = row_checks::make(o);
    text_arena arena;
    core::task_view view;
    field_texts t = good();
    t[field::user_id] = "";
    t[field::owner_email] = "a@x.org";
    EXPECT_TRUE(checks->details(t, arena, view));
    ASSERT_TRUE(checks->owners_failure());
    EXPECT_EQ(checks->owners_failure()->code, core::errc::unreachable);
}

}  // namespace
}  // namespace taskbarge::reader
