#include "reader/field_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskbarge::reader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

source_options with_defaults() {
    source_options o;
    o.defaults.user_id = "66302798d03b9601c7934ebf";
    o.defaults.type = "call";
    o.defaults.status = "scheduled";
    o.defaults.due_at = "2025-02-15T10:00:00Z";
    return o;
}

core::result<header_map> map(const std::vector<std::string>& names, const source_options& options = with_defaults()) {
    const auto rules = name_rules::make(options);
    return map_header(names, *rules, "list.csv");
}

std::string failure(const std::vector<std::string>& names, const source_options& options = with_defaults()) {
    const auto m = map(names, options);
    if (m) return "none";
    EXPECT_EQ(m.error().code, core::errc::input);
    EXPECT_THAT(m.error().text, ::testing::StartsWith("list.csv: "));
    return m.error().text;
}

TEST(FieldMap, NamesMatchWithoutCaseSpacesDashesAndUnderscores) {
    for (const char* name : {"contact_id", "Contact ID", "CONTACT-ID", "contactId", " contact  id "}) {
        const auto m = map({"x", name});
        ASSERT_TRUE(m) << name;
        EXPECT_EQ(m->column[field::contact_id], 1u);
        EXPECT_EQ(m->how[field::contact_id], name_match::name);
    }
}

TEST(FieldMap, AliasesOfExportsAreKnown) {
    const auto apollo = map({"First Name", "Apollo Contact Id", "Contact Owner"});
    ASSERT_TRUE(apollo);
    EXPECT_EQ(apollo->column[field::contact_id], 1u);
    EXPECT_EQ(apollo->how[field::contact_id], name_match::name);
    const auto hubspot = map({"Record ID - Contact", "Task type", "Task notes", "Due date", "Task status"});
    ASSERT_TRUE(hubspot);
    EXPECT_EQ(hubspot->column[field::note], 2u);
    EXPECT_EQ(hubspot->column[field::due_at], 3u);
    const auto salesforce =
        map({"WhoId", "OwnerId", "ActivityDate", "Description", "TaskSubtype", "Priority", "Status"});
    ASSERT_TRUE(salesforce);
    EXPECT_EQ(salesforce->column[field::user_id], 1u);
    EXPECT_EQ(salesforce->column[field::type], 4u);
}

TEST(FieldMap, NameThatSaysApolloIsNotTakenForAnotherCrmsColumn) {
    const auto hubspot = map({"Record ID", "Apollo Contact Id"});
    ASSERT_TRUE(hubspot);
    EXPECT_EQ(hubspot->column[field::contact_id], 1u);
    const auto salesforce = map({"Contact ID", "Apollo Contact Id"});
    ASSERT_FALSE(salesforce);
    EXPECT_NE(salesforce.error().text.find("\"Contact ID\" (column 1) and \"Apollo Contact Id\" (column 2)"),
              std::string::npos);
}

TEST(FieldMap, OurOwnNameWinsOverAnAlias) {
    const auto m = map({"Notes", "note", "contact_id"});
    ASSERT_TRUE(m);
    EXPECT_EQ(m->column[field::note], 1u);
    EXPECT_THAT(m->unused, ElementsAre("Notes"));
}

TEST(FieldMap, AliasForTheOwnerDoesNotOverrideWhatIsSaidElsewhere) {
    EXPECT_FALSE(map({"contact_id", "Contact Owner"})->column[field::owner_email]);
    EXPECT_EQ(map({"contact_id", "Owner Email"})->column[field::owner_email], 1u);
    source_options without_owner = with_defaults();
    without_owner.defaults.user_id.clear();
    EXPECT_EQ(map({"contact_id", "Contact Owner"}, without_owner)->column[field::owner_email], 1u);
    EXPECT_FALSE(map({"contact_id", "Contact Owner", "user_id"}, without_owner)->column[field::owner_email]);
}

TEST(FieldMap, SettingsWinOverNames) {
    source_options o = with_defaults();
    o.columns["note"] = "Remarks";
    o.columns["contact_id"] = "external id";
    const auto m = map({"contact_id", "note", "remarks", "External ID"}, o);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->column[field::note], 2u);
    EXPECT_EQ(m->column[field::contact_id], 3u);
    EXPECT_EQ(m->how[field::contact_id], name_match::settings);
    EXPECT_THAT(m->unused, ElementsAre("contact_id", "note"));
}

TEST(FieldMap, TheVeryNameOfTheSettingsComesFirst) {
    source_options o = with_defaults();
    o.columns["note"] = "notes";
    EXPECT_EQ(map({"contact_id", "Notes", "notes"}, o)->column[field::note], 2u);
}

TEST(FieldMap, MissingConfiguredColumnIsNamedWithTheNearest) {
    source_options o = with_defaults();
    o.columns["note"] = "Remarks";
    EXPECT_THAT(failure({"contact_id", "Remark"}, o),
                HasSubstr("there is no column \"Remarks\", which [columns] names for note"));
    EXPECT_THAT(failure({"contact_id", "Remark"}, o), HasSubstr("nearest is \"Remark\""));
}

TEST(FieldMap, NoContactColumnNamesWhatIsThere) {
    EXPECT_THAT(failure({"First Name", "Email"}), HasSubstr("no contact column"));
    EXPECT_THAT(failure({"First Name", "Email"}), HasSubstr("\"First Name\" and \"Email\""));
}

TEST(FieldMap, FieldsWithoutColumnAndDefaultAreNamed) {
    EXPECT_THAT(failure({"contact_id"}, {}), HasSubstr("no column for user_id, type, status and due_at"));
}

TEST(FieldMap, TwoColumnsForOneFieldAreNamed) {
    EXPECT_THAT(
        failure({"Contact ID", "x", "contact_id"}),
        HasSubstr("more than one column is contact_id: \"Contact ID\" (column 1) and \"contact_id\" (column 3)"));
    EXPECT_THAT(failure({"contact_id", "Notes", "Description"}), HasSubstr("[columns]: note = \"Notes\""));
    EXPECT_THAT(failure({"contact_id", "contact_id"}), HasSubstr("remove or rename"));
}

TEST(FieldMap, TwiceTheSameUnusedColumnDoesNotMatter) {
    EXPECT_TRUE(map({"contact_id", "Email", "Email"}));
}

TEST(FieldMap, ErrorColumnOfARejectsFileIsNotUnused) {
    EXPECT_THAT(map({"contact_id", "error", "Email"})->unused, ElementsAre("Email"));
}

TEST(FieldMap, UnknownFieldInTheSettingsIsRefused) {
    source_options o;
    o.columns["contact"] = "x";
    const auto rules = name_rules::make(o);
    ASSERT_FALSE(rules);
    EXPECT_EQ(rules.error().code, core::errc::settings);
}

}  // namespace
}  // namespace taskbarge::reader
