// What goes wrong with contacts on demand.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/case_names.hpp"
#include "unit/sandbox/support.hpp"

using namespace std::chrono_literals;
using namespace sandbox_tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::string page_of(int page, std::string_view more = {}) {
    return fmt::format("sort_by_field=contact_created_at&sort_ascending=true&per_page=100&page={}{}", page, more);
}

std::string create_body(int from, int count, bool dedupes = false) {
    std::string contacts;
    for (int i = from; i < from + count; ++i)
        contacts += fmt::format(R"({}{{"email":"made{}@x.example"}})", contacts.empty() ? "" : ",", i);
    return fmt::format(R"({{"contacts":[{}],"run_dedupe":{}}})", contacts, dedupes);
}

constexpr const char* create_contacts_path = "/api/v1/contacts/bulk_create";

class AnyContactRoute : public testing::TestWithParam<const char*> {};

TEST_P(AnyContactRoute, TheGeneralFaultsStrikeThem) {
    running_sandbox apollo({.contacts = 10},
                           {fmt::format("{}/500@1", GetParam()), fmt::format("{}/cut@2", GetParam()),
                            fmt::format("{}/429=7@3", GetParam()), fmt::format("{}/html@4", GetParam()),
                            fmt::format("{}/reset@5", GetParam())});
    auto c = apollo.connect();
    const std::string_view route = GetParam();
    const auto ask = [&] {
        if (route == "contacts_search") return c.search_contacts("");
        if (route == "contacts_create") return c.post(create_contacts_path, create_body(1, 1));
        if (route == "contact") return c.get("/api/v1/contacts/x");
        return c.get(route == "labels" ? "/api/v1/labels" : "/api/v1/contact_stages");
    };
    EXPECT_EQ(ask().status, 500);
    EXPECT_FALSE(ask().whole());
    EXPECT_EQ(ask().header("retry-after"), "7");
    EXPECT_THAT(ask().body, HasSubstr("<html>"));
    EXPECT_FALSE(ask().whole());
    for (const auto& [fault, strikes] : apollo->stats().faults)
        EXPECT_EQ(strikes, 1u) << fault;
}

INSTANTIATE_TEST_SUITE_P(OfEachRoute, AnyContactRoute,
                         testing::Values("contacts_search", "contacts_create", "contact", "labels", "stages"),
                         taskbarge::test::by_value());

TEST(ContactFaults, PagesShiftWhileOthersDelete) {
    running_sandbox apollo({.contacts = 300}, {"contacts_search/gone=40@2"});
    auto c = apollo.connect();
    std::set<std::string> seen;
    for (int page = 1; page <= 3; ++page) {
        const reply r = c.search_contacts(page_of(page));
        EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), page == 1 ? 300 : 260);
        for (const std::string& id : ids_of_contacts(r.body))
            seen.insert(id);
    }
    std::uint64_t never_seen = 0;
    apollo->for_each_contact([&](const sandbox::stored_contact& left) { never_seen += seen.count(left.id) == 0; });
    EXPECT_GT(never_seen, 0u);  // they moved back to the page that was read already
    EXPECT_EQ(apollo->stats().contacts, 260u);
}

TEST(ContactFaults, NewOnesArriveAtTheEndAndChangedOnesMove) {
    running_sandbox apollo({.contacts = 90}, {"contacts_search/arrive=5@2", "contacts_search/touch=3@3"});
    auto c = apollo.connect();
    const auto before = ids_of_contacts(c.search_contacts(page_of(1)).body);
    const auto after = ids_of_contacts(c.search_contacts(page_of(1)).body);
    ASSERT_EQ(after.size(), 95u);
    EXPECT_TRUE(std::ranges::equal(before, std::vector(after.begin(), after.begin() + 90)));
    const auto updated =
        strings_in(c.search_contacts("sort_by_field=contact_updated_at&per_page=9").body, "contacts", "updated_at");
    EXPECT_GE(std::ranges::count(updated, "2026-09-21T14:13:20.000Z"), 7);
}

TEST(ContactFaults, OthersWorkBeforeAnyRequest) {
    running_sandbox apollo(
        {.contacts_json = {R"({"id":"one","email":"a@x.example"})", R"({"id":"two"})"}, .known_contacts_only = true},
        {"merge=one:two@2", "500@3"});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"one"}).status, 200);
    EXPECT_EQ(c.create({"one"}).status, 422);
    EXPECT_EQ(c.create({"two"}).status, 500);
    EXPECT_EQ(c.get("/api/v1/contacts/one").status, 422);
    EXPECT_THAT(c.get("/api/v1/contacts/two").body, HasSubstr("a@x.example"));
}

TEST(ContactFaults, APageLeavesOutWhatItCounts) {
    running_sandbox apollo({.contacts = 200}, {"contacts_search/short=7@1-2"});
    auto c = apollo.connect();
    const reply once = c.search_contacts(page_of(2)), again = c.search_contacts(page_of(2));
    EXPECT_EQ(ids_of_contacts(once.body).size(), 93u);
    EXPECT_EQ(ids_of_contacts(once.body), ids_of_contacts(again.body));
    EXPECT_EQ(number_at(once.body, "/pagination/total_entries"), 200);
    EXPECT_EQ(ids_of_contacts(c.search_contacts(page_of(2)).body).size(), 100u);
}

TEST(ContactFaults, AnUnstableOrderShowsSomeAgainAndOthersNever) {
    running_sandbox apollo({.contacts = 200}, {"contacts_search/again=4@2"});
    auto c = apollo.connect();
    const auto first = ids_of_contacts(c.search_contacts(page_of(1)).body);
    const auto second = ids_of_contacts(c.search_contacts(page_of(2)).body);
    ASSERT_EQ(second.size(), 100u);
    EXPECT_TRUE(
        std::ranges::equal(std::vector(first.end() - 4, first.end()), std::vector(second.begin(), second.begin() + 4)));
}

TEST(ContactFaults, PartialResultsSaySo) {
    running_sandbox apollo({.contacts = 200}, {"contacts_search/partial=150@2-"});
    auto c = apollo.connect();
    EXPECT_THAT(c.search_contacts("").body, HasSubstr(R"("partial_results_only":false)"));
    const reply r = c.search_contacts(page_of(2));
    EXPECT_THAT(r.body, HasSubstr(R"("partial_results_only":true)"));
    EXPECT_EQ(number_at(r.body, "/partial_results_limit"), 150);
    EXPECT_EQ(ids_of_contacts(r.body).size(), 50u);
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 150);
}

TEST(ContactFaults, ADeafSearchKnowsNoFilter) {
    running_sandbox apollo({.contacts = 20}, {"contacts_search/deaf@1"});
    auto c = apollo.connect();
    const reply r = c.search_contacts("q_keywords=nobody@nowhere.example");
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 20);
    EXPECT_THAT(r.body, HasSubstr(R"("breadcrumbs":[])"));
    EXPECT_EQ(number_at(c.search_contacts("q_keywords=nobody@nowhere.example").body, "/pagination/total_entries"), 0);
}

TEST(ContactFaults, NumbersMayBeTextsAndContactsOthers) {
    running_sandbox apollo({.contacts_json = {R"({"id":"one"})", R"({"id":"two"})"}},
                           {"contacts_search/texts", "contact/other"});
    auto c = apollo.connect();
    EXPECT_THAT(c.search_contacts("").body,
                HasSubstr(R"("pagination":{"page":"1","per_page":"25","total_entries":"2","total_pages":"1"})"));
    EXPECT_THAT(c.get("/api/v1/contacts/one").body, HasSubstr(R"("id":"two")"));
    EXPECT_THAT(c.get("/api/v1/contacts/two").body, HasSubstr(R"("id":"one")"));
}

TEST(ContactFaults, ARefusalToShowAContactIsNoWordOnWhetherItExists) {
    running_sandbox apollo({.contacts_json = {R"({"id":"one"})"}}, {"contact/422@1"});
    auto c = apollo.connect();
    const reply r = c.get("/api/v1/contacts/one");
    EXPECT_EQ(r.status, 422);
    EXPECT_THAT(r.body, HasSubstr("not authorized to view this page"));
    EXPECT_EQ(c.get("/api/v1/contacts/one").status, 200);
}

TEST(ContactFaults, CreationHasItsMoments) {
    running_sandbox apollo({}, {"contacts_create/500@1", "contacts_create/500:after@2",
                                "contacts_create/500:later:30s@3", "contacts_create/missing=2@4"});
    auto c = apollo.connect();
    const auto there = [&] { return apollo->stats().contacts; };
    const auto create = [&](int from, int count) { return c.post(create_contacts_path, create_body(from, count)); };
    EXPECT_EQ(create(1, 1).status, 500);
    EXPECT_EQ(there(), 0u);
    EXPECT_EQ(create(2, 1).status, 500);
    EXPECT_EQ(there(), 1u);
    EXPECT_EQ(create(3, 1).status, 500);
    EXPECT_EQ(there(), 1u);
    apollo.clock.advance(30s);
    EXPECT_EQ(there(), 2u);
    EXPECT_EQ(strings_in(create(10, 5).body, "created_contacts", "id").size(), 3u);
    EXPECT_EQ(there(), 7u);
}

TEST(ContactFaults, WhatIsNewShowsLateAndIsMadeTwice) {
    running_sandbox apollo({}, {"contacts_create/lag=30s@1"});
    auto c = apollo.connect();
    const auto id = strings_in(c.post(create_contacts_path, create_body(1, 1, true)).body, "created_contacts", "id");
    EXPECT_THAT(ids_of_contacts(c.search_contacts("q_keywords=made1@x.example").body), IsEmpty());
    EXPECT_EQ(c.get("/api/v1/contacts/" + id.at(0)).status, 200);
    const reply second = c.post(create_contacts_path, create_body(1, 1, true));
    EXPECT_EQ(strings_in(second.body, "created_contacts", "id").size(), 1u);
    apollo.clock.advance(30s);
    EXPECT_EQ(ids_of_contacts(c.search_contacts("q_keywords=made1@x.example").body).size(), 2u);
    EXPECT_EQ(strings_in(c.post(create_contacts_path, create_body(1, 1, true)).body, "existing_contacts", "id").size(),
              1u);
}

TEST(ContactFaults, SomeContactsShareAnAddress) {
    running_sandbox apollo({.contacts = 1000, .contacts_alike = 20});
    std::map<std::string, int> by_address;
    apollo->for_each_contact([&](const sandbox::stored_contact& contact) { ++by_address[contact.email]; });
    EXPECT_NEAR(static_cast<double>(by_address.size()), 900, 30);
    EXPECT_FALSE(sandbox::server::start({.contacts_alike = 101}));
    EXPECT_FALSE(sandbox::server::start({.contacts = static_cast<std::uint64_t>(-3)}));
    EXPECT_FALSE(sandbox::server::start({.existing_tasks = static_cast<std::uint64_t>(-3)}));
}

TEST(ContactFaults, WrongOnesSayWhatWouldBeRight) {
    const auto error_of = [](const std::string& fault) {
        const auto started = sandbox::server::start({.faults = {fault}});
        return started ? std::string("(none)") : started.error().text;
    };
    EXPECT_THAT(error_of("short=2"), HasSubstr("write contacts_search/short"));
    EXPECT_THAT(error_of("contacts_search/other"), HasSubstr("write contact/other"));
    EXPECT_THAT(error_of("contacts_search/hides"), HasSubstr("write search/hides"));
    EXPECT_THAT(error_of("contacts_search/lag=3s"), HasSubstr("contacts_create/lag"));
    EXPECT_THAT(error_of("merge=one"), HasSubstr("write for example"));
    EXPECT_THAT(error_of("nowhere/500"), HasSubstr("contacts_search, contact, contacts_create, labels, stages"));
}

}  // namespace
