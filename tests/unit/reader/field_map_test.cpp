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
    const auto hubspot = map({"Apollo ID", "Task type", "Task notes", "Due date", "Task status", "Assigned to"}, {});
    ASSERT_TRUE(hubspot);
    EXPECT_EQ(hubspot->column[field::type], 1u);
    EXPECT_EQ(hubspot->column[field::note], 2u);
    EXPECT_EQ(hubspot->column[field::due_at], 3u);
    EXPECT_EQ(hubspot->column[field::owner_email], 5u);
    const auto salesforce = map({"Apollo_Contact_Id__c", "OwnerId", "Owner.Email", "ActivityDate", "Description",
                                 "TaskSubtype", "Priority", "Status"},
                                {});
    ASSERT_TRUE(salesforce);
    EXPECT_EQ(salesforce->column[field::contact_id], 0u);
    EXPECT_EQ(salesforce->column[field::owner_email], 2u);
    EXPECT_EQ(salesforce->column[field::type], 5u);
}

TEST(FieldMap, IdsOfAnotherCrmAreSaidToBeAndNotUsed) {
    const auto m = map({"Apollo ID", "Record ID", "OwnerId"});
    ASSERT_TRUE(m);
    EXPECT_FALSE(m->column[field::user_id]);
    EXPECT_FALSE(m->column[field::hubspot_id]);
    ASSERT_EQ(m->passed_over.size(), 2u);
    EXPECT_EQ(m->passed_over[0].column, "Record ID");
    EXPECT_THAT(m->passed_over[0].why, HasSubstr("holds HubSpot's ids in its exports"));
    EXPECT_THAT(m->passed_over[0].why, HasSubstr("columns.hubspot_id = \"Record ID\" uses it"));
    EXPECT_THAT(m->passed_over[1].why, HasSubstr("columns.user_id = \"OwnerId\" uses it"));
    EXPECT_THAT(failure({"Record ID", "Company name"}), HasSubstr("\"Record ID\": holds HubSpot's ids"));
    source_options o = with_defaults();
    o.columns["user_id"] = "OWNERID";
    EXPECT_EQ(map({"Apollo ID", "OwnerId"}, o)->column[field::user_id], 1u);
}

// The column that is the key of its kind; empty: none.
std::string column_of(field f, const std::vector<std::string>& names, const source_options& options = with_defaults()) {
    const auto m = map(names, options);
    EXPECT_TRUE(m) << m.error().text;
    return m && m->column[f] ? names[*m->column[f]] : std::string();
}

TEST(FieldMap, KeysOfContactsAreKnownByTheirNamesInExports) {
    const std::pair<field, std::vector<const char*>> known[] = {
        {field::email,
         {"email", "E-mail", "Email Address", "Work Email", "Primary Email", "Contact Email", "Contact.Email"}},
        {field::salesforce_id,
         {"salesforce_id", "Salesforce ID", "Salesforce Contact Id", "SFDC Id", "WhoId", "Contact ID (18)",
          "ContactId18", "Lead ID", "Salesforce_Lead_Id__c"}},
        {field::hubspot_id,
         {"hubspot_id", "HubSpot ID", "Record ID - Contact", "Contact record ID", "vid", "Hubspot Vid",
          "Associated Contact IDs"}},
        {field::linkedin_url,
         {"linkedin_url", "LinkedIn URL", "Person Linkedin Url", "LinkedIn Profile", "hs_linkedin_url",
          "LinkedIn Bio"}},
    };
    for (const auto& [f, names] : known)
        for (const char* name : names) {
            EXPECT_EQ(column_of(f, {"x", name}), name) << "instead of Apollo's id";
            EXPECT_EQ(column_of(f, {"contact_id", name}), name) << "beside Apollo's id";
        }
}

TEST(FieldMap, ColumnsOfOthersAreNoKeysOfTheContact) {
    for (const char* name : {"Contact Owner",
                             "Owner Email",
                             "Owner.Email",
                             "Assigned to Email",
                             "Assigned To",
                             "User Email",
                             "Manager Email",
                             "Secondary Email",
                             "Tertiary Email",
                             "Email Status",
                             "Email Sent",
                             "Company Email",
                             "Account ID",
                             "Salesforce Account Id",
                             "OwnerId",
                             "WhatId",
                             "Record ID - Company",
                             "Associated Company IDs",
                             "Company Linkedin Url",
                             "Id",
                             "Website"}) {
        const auto m = map({"contact_id", name});
        ASSERT_TRUE(m) << name;
        for (const core::key_kind kind : core::all_key_kinds)
            EXPECT_FALSE(m->column[field_of(kind)]) << name;
    }
    EXPECT_EQ(column_of(field::email, {"Tertiary Email", "Secondary Email", "Email"}), "Email");
}

// The number of a company, a task or a deal may be that of another contact.
TEST(FieldMap, RecordIdIsAContactsInAnExportOfContactsOnly) {
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "First Name", "Last Name", "Email"}), "Record ID");
    EXPECT_EQ(column_of(field::hubspot_id, {"hs_object_id", "firstname", "email"}), "hs_object_id");
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Record ID - Contact", "First Name"}), "Record ID - Contact");
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Task Title", "Associated Contact IDs", "First Name"}),
              "Associated Contact IDs");
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Email"}), "");
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Deal Name", "First Name", "Email"}), "");
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Company name", "contact_id"}), "");
    source_options o = with_defaults();
    o.columns["hubspot_id"] = "Record ID";
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "Task Title"}, o), "Record ID");
    o.columns["hubspot_id"] = "";
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "First Name", "Email"}, o), "");
    o = with_defaults();
    o.import.ignore_columns = {"Record ID"};
    EXPECT_EQ(column_of(field::hubspot_id, {"Record ID", "First Name", "Email"}, o), "");
}

TEST(FieldMap, PlainIdIsPassedOverWithTheSettingThatUsesIt) {
    const auto m = map({"ID", "EMAIL"});
    ASSERT_TRUE(m);
    ASSERT_EQ(m->passed_over.size(), 1u);
    EXPECT_EQ(m->passed_over[0].column, "ID");
    EXPECT_THAT(m->passed_over[0].why, HasSubstr("columns.salesforce_id = \"ID\" uses it"));
    EXPECT_THAT(failure({"Id", "Name"}), HasSubstr("columns.salesforce_id = \"Id\" uses it"));
    EXPECT_THAT(map({"id", "contact_id"})->passed_over, ::testing::IsEmpty());
    EXPECT_THAT(map({"id", "contact_id"})->unused, ElementsAre("id"));
    source_options o = with_defaults();
    o.columns["salesforce_id"] = "Contact ID";
    EXPECT_EQ(column_of(field::salesforce_id, {"Contact ID", "EMAIL"}, o), "Contact ID");
    EXPECT_EQ(column_of(field::contact_id, {"Contact ID", "EMAIL"}, o), "");
}

TEST(FieldMap, KeysCanBeTurnedOff) {
    source_options o = with_defaults();
    for (const core::key_kind kind : core::all_key_kinds)
        o.columns[std::string(to_string(kind))] = "";
    const auto m = map({"contact_id", "Email", "WhoId", "vid", "LinkedIn URL"}, o);
    ASSERT_TRUE(m);
    EXPECT_THAT(m->unused, ElementsAre("Email", "WhoId", "vid", "LinkedIn URL"));
    EXPECT_THAT(failure({"Email", "WhoId"}, o), HasSubstr("no contact column"));
}

TEST(FieldMap, TwoColumnsForOneKeyAreAnErrorOnlyWhereNothingElseNamesTheContact) {
    EXPECT_THAT(failure({"Work Email", "Primary Email"}),
                HasSubstr("more than one column is email: \"Work Email\" (column 1) and \"Primary Email\" (column 2)"));
    EXPECT_THAT(failure({"Work Email", "Primary Email"}), HasSubstr("[columns]: email = \"Work Email\""));
    for (const char* other : {"contact_id", "WhoId"}) {
        const auto m = map({"Work Email", other, "Primary Email"});
        ASSERT_TRUE(m) << m.error().text;
        EXPECT_FALSE(m->column[field::email]);
        ASSERT_EQ(m->passed_over.size(), 2u);
        EXPECT_THAT(m->passed_over[0].why,
                    HasSubstr("more than one column may be email; columns.email = \"Work Email\""));
        EXPECT_THAT(m->unused, ElementsAre());
    }
    EXPECT_EQ(column_of(field::email, {"Work Email", "Email", "Primary Email"}), "Email");
}

TEST(FieldMap, FieldsOfSalesforcesOwnAreKnownByTheirName) {
    for (const char* name : {"Apollo_Contact_Id__c", "APOLLO_CONTACT_ID__C", "Apollo_ID__c", "apollo.contact_id",
                             "Apollo: Contact Id", "Apollo.io Contact ID"})
        EXPECT_TRUE(map({name})) << name;
}

TEST(FieldMap, WhatIsSetGoesBeforeAGuessInEitherForm) {
    source_options o = with_defaults();
    EXPECT_FALSE(map({"contact_id", "Assignee ID"}, o)->column[field::user_id]);
    EXPECT_THAT(map({"contact_id", "Assignee ID"}, o)->passed_over.at(0).why, HasSubstr("defaults.user_id is set"));
    EXPECT_FALSE(map({"contact_id", "Task Type"}, o)->column[field::type]);
    EXPECT_THAT(map({"contact_id", "Task Type"}, o)->passed_over.at(0).why, HasSubstr("defaults.type is set"));
    EXPECT_EQ(map({"contact_id", "type"}, o)->column[field::type], 1u) << "our own name is no guess";
    o.defaults.user_id.clear();
    o.defaults.owner_email = "ann@example.com";
    EXPECT_FALSE(map({"contact_id", "Assignee ID"}, o)->column[field::user_id]);
    o.defaults.owner_email.clear();
    o.columns["owner_email"] = "OWNER.EMAIL";
    const auto m = map({"contact_id", "user_id", "Assignee ID", "OWNER.EMAIL"}, o);
    EXPECT_FALSE(m->column[field::user_id]) << "the owner's column was set";
    EXPECT_EQ(m->column[field::owner_email], 3u);
}

TEST(FieldMap, AnyColumnCanBeLeftOut) {
    source_options o = with_defaults();
    o.defaults.user_id.clear();
    o.columns["user_id"] = "";
    const auto m = map({"contact_id", "user_id", "owner_email"}, o);
    ASSERT_TRUE(m);
    EXPECT_FALSE(m->column[field::user_id]);
    EXPECT_EQ(m->column[field::owner_email], 2u);
    o = with_defaults();
    o.import.ignore_columns = {"NOTES", "Something"};
    const auto ignored = map({"contact_id", "Notes", "Description"}, o);
    ASSERT_TRUE(ignored) << "of two columns one is left out";
    EXPECT_EQ(ignored->column[field::note], 2u);
    EXPECT_THAT(ignored->unused, ElementsAre());
}

TEST(FieldMap, NoteOfSeveralColumns) {
    source_options o = with_defaults();
    o.columns["note"] = "{Task Title}: {notes} {{{{x";
    const auto m = map({"contact_id", "Notes", "Task Title"}, o);
    ASSERT_TRUE(m);
    EXPECT_FALSE(m->column[field::note]);
    ASSERT_EQ(m->note.size(), 4u);
    EXPECT_EQ(m->note[0].column, 2u);
    EXPECT_EQ(m->note[1].text, ": ");
    EXPECT_EQ(m->note[2].column, 1u);
    EXPECT_EQ(m->note[3].text, " {{x");
    EXPECT_THAT(m->unused, ElementsAre());
    EXPECT_THAT(failure({"contact_id", "Task Titles", "Notes"}, o),
                HasSubstr("there is no column \"Task Title\", which [columns] names for note"));
    for (const char* wrong : {"{Title", "{ }", "{{x}}"}) {
        o.columns["note"] = wrong;
        EXPECT_FALSE(name_rules::make(o)) << wrong;
    }
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
    EXPECT_THAT(failure({"First Name", "Phone"}),
                HasSubstr("no contact column (contact_id, email, salesforce_id, hubspot_id or linkedin_url); it has"));
    EXPECT_THAT(failure({"First Name", "Phone"}), HasSubstr("\"First Name\" and \"Phone\""));
}

TEST(FieldMap, FieldsWithoutColumnAndDefaultAreNamed) {
    const auto text = failure({"x"}, {});
    EXPECT_THAT(
        text, HasSubstr("hubspot_id or linkedin_url), no column and no default for user_id, type, status and due_at"));
    EXPECT_THAT(text, HasSubstr("--set columns.contact_id=\"NAME\" --set defaults.owner_email=jane@example.com --set "
                                "defaults.type=call --set defaults.status=scheduled --set defaults.due_at="));
    EXPECT_THAT(text, HasSubstr("`taskbarge init 'list.csv'`"));
    EXPECT_THAT(failure({"contact_id"}, {}), ::testing::Not(HasSubstr("columns.contact_id")));
    EXPECT_THAT(failure({"Email"}, {}), ::testing::Not(HasSubstr("columns.contact_id")));
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
    EXPECT_THAT(map({"contact_id", "error", "Phone"})->unused, ElementsAre("Phone"));
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
