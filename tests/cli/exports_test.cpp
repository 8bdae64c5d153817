// Exports as CRMs make them, by the real program: settings by `init`, at most one edit, import.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "cli/against_sandbox.hpp"

namespace {

using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using testing::HasSubstr;
using testing::Not;

std::string export_of(const std::string& name) {
    return std::string(TASKBARGE_SOURCE_DIR) + "/sample_data/exports/" + name;
}

class Exports : public against_sandbox {
 protected:
    // Without the defaults that other tests are made easy by.
    outcome run(std::vector<std::string> arguments) const {
        for (const auto& word : {std::string("--base-url"), server_->where().base_url, std::string("--ca-file"),
                                 server_->where().ca_file, std::string("--ledger"), p.path("l.db")})
            arguments.push_back(word);
        return p.run(arguments);
    }
    outcome init(const std::string& file) const {
        const auto o = run({"init", file});
        EXPECT_EQ(o.code, 0) << o.err;
        return o;
    }
    // The team's contacts, as the export of Apollo's has them.
    void start_with_contacts() {
        taskbarge::sandbox::sandbox_options options;
        std::ifstream in(export_of("apollo_contacts.csv"));
        for (std::string line; std::getline(in, line);) {
            const auto address = std::regex("[a-z.]+@example\\.com"), id = std::regex(",([0-9a-f]{24}),[0-9a-f]{24}");
            std::smatch email, contact;
            if (std::regex_search(line, email, address) && std::regex_search(line, contact, id))
                options.contacts_json.push_back(
                    fmt::format(R"({{"id":"{}","email":"{}"}})", contact.str(1), email.str()));
        }
        ASSERT_EQ(options.contacts_json.size(), 180);
        start(options);
    }
    // Those of any export that has Apollo's ids.
    void start_with_ids_of(const std::string& file) {
        taskbarge::sandbox::sandbox_options options;
        std::ifstream in(file);
        const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        const std::regex id("[0-9a-f]{24}");
        std::set<std::string> ids;
        for (std::sregex_iterator at(text.begin(), text.end(), id), end; at != end; ++at)
            ids.insert(at->str());
        for (const auto& one : ids)
            options.contacts_json.push_back(fmt::format(R"({{"id":"{}"}})", one));
        start(options);
    }
    // The one edit.
    void choose(const std::string& key, const std::string& value) const {
        auto text = p.read("taskbarge.toml");
        const auto line = key + " = \"CHOOSE\"";
        const auto at = text.find("\n" + line);
        ASSERT_NE(at, std::string::npos) << text;
        text.replace(at + 1, line.size(), key + " = \"" + value + "\"");
        p.file("taskbarge.toml", text);
    }
    void import(const std::string& file, std::uint64_t created, std::uint64_t rejected) const {
        const auto o = run({"import", "--json", file});
        EXPECT_EQ(o.code, rejected == 0 ? 0 : 2) << o.err;
        EXPECT_EQ(number(o, "created"), created) << p.read("taskbarge.toml");
        EXPECT_EQ(number(o, "rejected"), rejected);
    }
    std::string settings() const { return p.read("taskbarge.toml"); }
};

TEST_F(Exports, ContactsOfApolloNeedTheTypeAlone) {
    const auto file = export_of("apollo_contacts.csv");
    const auto o = init(file);
    EXPECT_THAT(o.err, HasSubstr("one value is yours to choose"));
    EXPECT_THAT(o.out, HasSubstr("180 = created 0")) << "the plan";
    EXPECT_THAT(settings(), HasSubstr("owner_email = \"Contact Owner\""));
    EXPECT_EQ(run({"import", file}).code, 78) << "what is to be chosen is not guessed";
    choose("type", "call");
    import(file, 180, 0);
}

TEST_F(Exports, TasksOfHubSpotGoInWithoutAnEdit) {
    const auto file = export_of("hubspot_tasks.csv");
    start_with_ids_of(file);
    EXPECT_THAT(init(file).err, Not(HasSubstr("to choose")));
    EXPECT_THAT(settings(), HasSubstr("notes = \"html\""));
    EXPECT_THAT(settings(), HasSubstr("note = \"{Task Title}: {Notes}\"")) << "as a remark";
    import(file, 118, 2);
    const auto results = run({"results", "1", "--only", "created"});
    EXPECT_THAT(results.out, Not(HasSubstr("<p>")));
}

TEST_F(Exports, ContactsOfHubSpotHaveOwnersByName) {
    const auto file = export_of("hubspot_contacts.csv");
    start_with_ids_of(file);
    init(file);
    EXPECT_THAT(settings(), HasSubstr("# 2 rows have no owner_email and are rejected"));
    EXPECT_THAT(settings(), HasSubstr("hubspot_id = \"Record ID\""));
    choose("type", "outreach_manual_email");
    import(file, 115, 5);
}

TEST_F(Exports, ContactsOfSalesforceWithApollosIds) {
    const auto file = export_of("salesforce_contacts_apollo_id.csv");
    start_with_ids_of(file);
    init(file);
    EXPECT_THAT(settings(), HasSubstr("contact_id = \"APOLLO_CONTACT_ID__C\""));
    EXPECT_THAT(settings(), HasSubstr("owner_email = \"OWNER.EMAIL\""));
    choose("type", "call");
    import(file, 118, 2);
}

// Salesforce's own ids are in a column "ID", which is not taken unasked; its addresses name the contacts. Of 120 rows
// 21 have one that no contact of Apollo's has, which is more than import.max_rejects.
TEST_F(Exports, ContactsOfSalesforceAreFoundByTheirAddresses) {
    start_with_contacts();
    const auto file = export_of("salesforce_contacts.csv");
    EXPECT_THAT(init(file).err, HasSubstr("one value is yours to choose"));
    EXPECT_THAT(settings(), HasSubstr("email = \"EMAIL\""));
    choose("type", "call");
    const auto refused = run({"import", file});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, HasSubstr("contact_not_found"));
    const auto asked = server_->stats().routes.at("contacts_search").requests();
    const auto o = run({"import", "--json", "--accept-rejects", file});
    EXPECT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "created"), 99);
    EXPECT_EQ(number(o, "rejected"), 21);
    EXPECT_EQ(server_->stats().routes.at("contacts_search").requests(), asked) << "what was read stays read";
}

TEST_F(Exports, AnExportOfApollosCostsNoRequest) {
    start_with_contacts();
    const auto loaded = run({"contacts", "load", export_of("apollo_contacts.csv")});
    EXPECT_EQ(loaded.code, 0) << loaded.err;
    EXPECT_THAT(loaded.out, HasSubstr("180 contacts taken in from 180 records."));
    const auto file = p.path("known.csv");
    std::ofstream(file) << "email,owner_email,type,status,due_at\n"
                           "Aiko.Abebe@example.com,dana.reyes@example.com,call,scheduled,2036-12-01T10:00:00Z\n"
                           "amelie.ito@example.com,dana.reyes@example.com,call,scheduled,2036-12-01T10:00:00Z\n";
    import(file, 2, 0);
    EXPECT_EQ(server_->stats().routes.at("contacts_search").requests(), 0);
    EXPECT_THAT(run({"results", "1"}).out, HasSubstr(",email:aiko.abebe@example.com\n"));
}

TEST_F(Exports, InitReplacesNothingUnasked) {
    const auto mine = p.file("taskbarge.toml", "[apollo]\nteam = \"mine\"\n");
    const auto file = export_of("apollo_contacts.csv");
    const auto refused = run({"init", file});
    EXPECT_EQ(refused.code, 78);
    EXPECT_THAT(refused.err, HasSubstr("taskbarge.toml is there already: give another name with -o, or --force"));
    EXPECT_THAT(settings(), HasSubstr("mine"));
    const auto beside = run({"init", "-o", "other.toml", file});
    EXPECT_EQ(beside.code, 0);
    EXPECT_THAT(beside.err, HasSubstr("taskbarge plan --config other.toml"));
    EXPECT_THAT(beside.err, HasSubstr("is not read: copy what it says of apollo.team"));
    EXPECT_THAT(run({"init", "-o", "-", file}).out, HasSubstr("contact_id = \"Apollo Contact Id\""));
    EXPECT_EQ(run({"init", "--force", file}).code, 0);
    EXPECT_EQ(run({"init", "--force", file}).code, 0) << "what is to be chosen in the old file does not stop it";
    EXPECT_EQ(run({"init", p.path("none.csv")}).code, 65);
}

TEST_F(Exports, InitNeedsNoAnswerOfApollos) {
    p.environment["APOLLO_API_KEY"] = "wrong";
    const auto o = run({"init", export_of("hubspot_contacts.csv")});
    EXPECT_EQ(o.code, 0);
    EXPECT_THAT(o.err, HasSubstr("owners are not looked at: "));
    EXPECT_THAT(o.err, Not(HasSubstr("wrong")));
    EXPECT_THAT(settings(), HasSubstr("owner_email = \"Contact owner\""));
}

TEST_F(Exports, InitReadsWhatCanBeReadAgain) {
    const auto o = run({"init", "-"});
    EXPECT_EQ(o.code, 64);
    EXPECT_THAT(o.err, HasSubstr("standard input can be read but once: save it as a file first"));
    const auto pipe = p.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(run({"init", pipe}).code, 64);
}

// Ids of Apollo's kind are of many things: none is taken for the contact's.
TEST_F(Exports, InitDoesNotGuessTheContact) {
    const auto file =
        p.file("a.csv", "Company,Apollo Account Id\nA,66e8a1b2c3d4e5f6a7b8c9d0\nB,66e8a1b2c3d4e5f6a7b8c9d1\n");
    init(file);
    EXPECT_THAT(settings(), HasSubstr("contact_id = \"CHOOSE\"  # CHOOSE: the column that holds Apollo's contact ids; "
                                      "ids of that kind are in \"Apollo Account Id\""));
}

TEST_F(Exports, UnknownWordsAreLinesToPaste) {
    const auto file = p.file("a.csv",
                             "contact_id,owner_email,type,status,due_at\n"
                             "66e8a1b2c3d4e5f6a7b8c9d0,Dana Reyes,Meeting,In \"Progress\",2027-02-15T10:00:00Z\n"
                             "66e8a1b2c3d4e5f6a7b8c9d1,Nobody,Meeting,Not Started,2027-02-15T10:00:00Z\n");
    const auto o = run({"plan", file});
    EXPECT_THAT(o.out, HasSubstr("  [values.owner]\n  \"Nobody\" = \"?\"  # 1 row\n"));
    EXPECT_THAT(o.out, HasSubstr("  [values.status]\n  \"In \\\"Progress\\\"\" = \"?\"  # 1 row\n"));
    EXPECT_THAT(o.out, HasSubstr("  [values.type]\n  \"Meeting\" = \"?\"  # 2 rows\n"));
    init(file);
    EXPECT_THAT(settings(), HasSubstr("[values.type]\n\"Meeting\" = \"CHOOSE\"  # CHOOSE: 2 rows; call,"));
    const auto refused =
        run({"import", "--set", "values.type.Meeting=call", "--set", "values.status.In \"Progress\"=scheduled", file});
    EXPECT_EQ(refused.code, 78);
    EXPECT_THAT(refused.err, HasSubstr("values.owner: whom \"Nobody\" means is still to be chosen"));
    const auto done =
        run({"import", "--json", "--set", "values.type.Meeting=call", "--set",
             "values.status.In \"Progress\"=scheduled", "--set", "values.owner.Nobody=sam.okafor@example.com", file});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(number(done, "created"), 2u);
}

}  // namespace
