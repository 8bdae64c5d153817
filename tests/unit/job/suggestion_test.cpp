// Settings that are proposed from a file alone: what names its contacts.
#include "taskbarge/job/suggestion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/manual_clock.hpp"

namespace taskbarge::job {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Suggestion : public ::testing::Test {
 protected:
    class nobody : public observer {
        void on_progress(const progress&) override {}
        void on_notice(const std::string&) override {}
    };

    ~Suggestion() override {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    settings_suggestion of(const std::string& text) {
        std::ofstream(path_) << text;
        auto found = suggest_settings(environment{settings, key_, clock_, stop_, watch_}, import_options{{path_}});
        EXPECT_TRUE(found) << found.error().text;
        return found ? std::move(*found) : settings_suggestion{};
    }
    static std::string exported(const std::string& name) {
        std::ifstream in(std::string(TASKBARGE_SOURCE_DIR) + "/sample_data/exports/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    core::settings settings;

 private:
    const std::string path_ =
        (std::filesystem::path(::testing::TempDir()) / ("suggestion-" + std::to_string(::getpid()) + ".csv")).string();
    const core::secret key_;
    testing::manual_clock clock_;
    stop_control stop_;
    nobody watch_;
};

constexpr const char* apollo_id = "66e8a1b2c3d4e5f6a7b8c9d0";

TEST_F(Suggestion, AnExportOfSalesforceNeedsNoChoiceOfTheContact) {
    const auto found = of(exported("salesforce_contacts.csv"));
    EXPECT_TRUE(found.can_plan);
    EXPECT_THAT(found.text, HasSubstr("# No column holds Apollo's contact ids: contacts are found by what follows.\n"));
    EXPECT_THAT(found.text, HasSubstr("salesforce_id = \"ID\"  # CHECK: its values are of that kind\n"));
    EXPECT_THAT(found.text, HasSubstr("email = \"EMAIL\""));
    EXPECT_THAT(found.text, Not(HasSubstr("contact_id =")));
    EXPECT_EQ(found.trial.columns.at("email"), "EMAIL");
    EXPECT_EQ(found.trial.columns.at("salesforce_id"), "ID");
    EXPECT_FALSE(found.trial.columns.contains("contact_id"));
}

TEST_F(Suggestion, KeysStandBesideApollosIds) {
    const auto found = of(exported("hubspot_contacts.csv"));
    EXPECT_THAT(found.text, HasSubstr("contact_id = \"Apollo ID\""));
    EXPECT_THAT(found.text, HasSubstr("hubspot_id = \"Record ID\""));
    EXPECT_THAT(found.text, HasSubstr("email = \"Email\""));
    EXPECT_THAT(found.text, Not(HasSubstr("No column holds")));
    const auto tasks = of(exported("hubspot_tasks.csv"));
    EXPECT_THAT(tasks.text, HasSubstr("contact_id = \"Apollo Contact ID\""));
    EXPECT_THAT(tasks.text, Not(HasSubstr("hubspot_id = \"Record ID\"\n"))) << "the task's";
    EXPECT_THAT(tasks.text, HasSubstr("hubspot_id = \"Associated Contact IDs\""));
}

TEST_F(Suggestion, AColumnOfTheContactIsTakenForWhatItHolds) {
    const std::string ids = "0035g0000ezO3NeAAK\n0035g0000BzyewmAQA\n";
    const auto report = of("Contact ID\n" + ids);
    EXPECT_TRUE(report.can_plan);
    EXPECT_THAT(report.text, HasSubstr("salesforce_id = \"Contact ID\"  # CHECK"));
    EXPECT_THAT(report.text, Not(HasSubstr("contact_id =")));
    const auto addresses = of("Contact ID\na@x.org\nb@x.org\n");
    EXPECT_THAT(addresses.text, HasSubstr("email = \"Contact ID\"  # CHECK"));
}

TEST_F(Suggestion, NumbersOfAnotherProgramAreNotTheContact) {
    const auto found = of("Contact ID,Email\n17,a@x.org\n18,b@x.org\n");
    EXPECT_THAT(found.text, HasSubstr("contact_id = false  # CHECK: \"Contact ID\" has no id of Apollo's kind\n"));
    EXPECT_THAT(found.text, HasSubstr("email = \"Email\""));
    EXPECT_EQ(found.trial.columns.at("contact_id"), "");
    settings.import.id_pattern = "[0-9]+";
    EXPECT_THAT(of("Contact ID,Email\n17,a@x.org\n18,b@x.org\n").text, HasSubstr("contact_id = \"Contact ID\""));
}

TEST_F(Suggestion, WhatMayBeAnyRecordsIdIsNotGuessed) {
    const auto accounts = of("Id,Name\n0015g0000ezO3NeAAK,Acme\n");
    EXPECT_FALSE(accounts.can_plan);
    EXPECT_THAT(accounts.text, HasSubstr("contact_id = \"CHOOSE\""));
    EXPECT_THAT(accounts.text, Not(HasSubstr("salesforce_id = \"Id\"\n")));
    const auto numbers = of("Id,Name\n17,Acme\n");
    EXPECT_FALSE(numbers.can_plan);
    EXPECT_THAT(numbers.text, HasSubstr("one with the contacts' addresses would do"));
    const auto account_ids = of(std::string("Email,Apollo Account Id\na@x.org,") + apollo_id + "\n");
    EXPECT_TRUE(account_ids.can_plan);
    EXPECT_THAT(account_ids.text, HasSubstr("Ids of that kind are in \"Apollo Account Id\"."));
}

}  // namespace
}  // namespace taskbarge::job
