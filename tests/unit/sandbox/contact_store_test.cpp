// Contacts that are made up, and the orders in which they are found.
#include "sandbox/contact_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sandbox/contact_maker.hpp"

using namespace std::chrono_literals;
using namespace taskbarge::sandbox;
using testing::ElementsAre;
using testing::StartsWith;
using testing::UnorderedElementsAre;

namespace {

constexpr contact_store::time_point opening{};

std::vector<std::string> ids_in(const contact_store& store, const contact_store::found& found) {
    std::vector<std::string> ids;
    for (const auto i : found.contacts)
        ids.push_back(store.at(i).id);
    return ids;
}

stored_contact person(std::string id, std::string email, int day = 1) {
    stored_contact c;
    c.id = std::move(id);
    c.email = std::move(email);
    c.created_at = c.updated_at = std::chrono::sys_days(std::chrono::year(2024) / 1 / day);
    return c;
}

contact_query by_creation(bool ascending = true) {
    contact_query q;
    q.order = contact_order::created_at;
    q.ascending = ascending;
    return q;
}

contact_query about(std::string keywords) {
    contact_query q;
    q.keywords = std::move(keywords);
    return q;
}

TEST(ContactMaker, MakesPeopleWhoShareNoIdOfAnyKind) {
    const contact_maker maker(7, 0);
    constexpr std::size_t many = 20000;
    std::set<std::string> ids, emails, salesforce, hubspot, profiles;
    for (std::size_t n = 0; n < many; ++n) {
        const stored_contact c = maker.make(n);
        ids.insert(c.id);
        emails.insert(core::lower_case(c.email));
        for (const std::string& e : c.other_emails)
            emails.insert(e + " again");
        salesforce.insert(c.salesforce_contact_id.substr(0, 15));
        hubspot.insert(c.hubspot_vid);
        profiles.insert(c.linkedin_url);
    }
    EXPECT_EQ(ids.size(), many);
    EXPECT_GT(emails.size(), many);
    EXPECT_EQ(salesforce.size(), many);
    EXPECT_EQ(hubspot.size(), many);
    EXPECT_EQ(profiles.size(), many);
}

TEST(ContactMaker, SalesforceIdsHaveTheSuffixOfTheirCapitals) {
    const contact_maker maker(7, 0);
    // The letters of each five characters, from the right, are the bits of one digit.
    EXPECT_EQ(maker.make(0).salesforce_contact_id, "0035g0000000000AAA");
    EXPECT_EQ(maker.make(10).salesforce_contact_id, "0035g000000000AAAQ");
}

TEST(ContactMaker, TheSameSeedMakesTheSamePeople) {
    EXPECT_EQ(contact_maker(7, 0).make(3).email, contact_maker(7, 0).make(3).email);
    EXPECT_NE(contact_maker(7, 0).make(3).email, contact_maker(8, 0).make(3).email);
}

TEST(ContactMaker, ImportsLeaveManyOfOneInstant) {
    const contact_maker maker(7, 0);
    std::map<taskbarge::core::instant, int> at;
    for (std::size_t n = 0; n < 10000; ++n)
        ++at[maker.make(n).created_at];
    const auto most = std::ranges::max_element(at, {}, [](const auto& entry) { return entry.second; });
    EXPECT_GT(most->second, 200);  // more than two pages
    EXPECT_GT(at.size(), 1000u);
}

TEST(ContactMaker, SoManyPercentShareAnAddress) {
    const contact_maker maker(7, 10);
    std::map<std::string, int> at;
    for (std::size_t n = 0; n < 10000; ++n)
        ++at[maker.make(n).email];
    int sharing = 0;
    for (const auto& [email, count] : at)
        sharing += count > 1 ? count : 0;
    EXPECT_NEAR(sharing, 1000, 150);
}

TEST(ContactStore, KeepsEveryField) {
    contact_store store(1);
    stored_contact c = contact_maker(7, 0).make(7);
    c.other_emails = {"one@home.example", "two@home.example"};
    c.label_ids = {"a", "b"};
    c.merged_crm_ids = {"003"};
    const auto i = store.add(c).value();
    const stored_contact back = store.at(i);
    for (const contact_field& field : contact_fields)
        EXPECT_EQ(back.*field.text, c.*field.text) << field.name;
    EXPECT_EQ(back.other_emails, c.other_emails);
    EXPECT_EQ(back.label_ids, c.label_ids);
    EXPECT_EQ(back.merged_crm_ids, c.merged_crm_ids);
    EXPECT_EQ(back.created_at, c.created_at);
    EXPECT_EQ(back.updated_at, c.updated_at);
    EXPECT_EQ(back.last_activity_at, c.last_activity_at);
}

TEST(ContactStore, OrdersHoldWhileContactsComeAndGo) {
    contact_store store(1);
    const auto all = [&] { return ids_in(store, store.search(by_creation(), 0, 100, opening)); };
    store.add(person("c", "c@x.example", 3));
    const auto a = store.add(person("a", "a@x.example", 1)).value();
    EXPECT_THAT(all(), ElementsAre("a", "c"));
    store.add(person("b", "b@x.example", 2));
    EXPECT_THAT(all(), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids_in(store, store.search(by_creation(false), 0, 2, opening)), ElementsAre("c", "b"));
    stored_contact changed = store.at(a);
    changed.created_at += 24h * 5;
    store.change(a, changed);
    EXPECT_THAT(all(), ElementsAre("b", "c", "a"));
    store.remove(store.find("c").value());
    EXPECT_THAT(all(), ElementsAre("b", "a"));
    EXPECT_EQ(store.size(), 2u);
    EXPECT_FALSE(store.find("c"));
    EXPECT_FALSE(store.add(person("a", "other@x.example")));
}

TEST(ContactStore, TiesOfAnImportAreReadOnceEach) {
    contact_store store(1);
    for (int i = 0; i < 350; ++i)
        store.add(person("id" + std::to_string(i), "x@x.example"));
    std::set<std::string> seen;
    for (std::uint64_t offset = 0; offset < 350; offset += 100) {
        for (const std::string& id : ids_in(store, store.search(by_creation(), offset, 100, opening)))
            seen.insert(id);
    }
    EXPECT_EQ(seen.size(), 350u);
}

TEST(ContactStore, WhatLagsIsThereButNotFound) {
    contact_store store(1);
    store.add(person("late", "late@x.example"), opening + 30s);
    EXPECT_TRUE(store.find("late"));
    EXPECT_EQ(store.search(by_creation(), 0, 10, opening).total, 0u);
    EXPECT_FALSE(store.same_as(person("", "late@x.example"), opening));
    EXPECT_EQ(store.search(by_creation(), 0, 10, opening + 30s).total, 1u);
    EXPECT_TRUE(store.same_as(person("", "late@x.example"), opening + 30s));
}

TEST(ContactStore, FiltersByStageAndLabel) {
    contact_store store(1);
    stored_contact a = person("a", ""), b = person("b", ""), none = person("none", "");
    a.contact_stage_id = "new";
    b.contact_stage_id = "old";
    b.label_ids = {"fair", "news"};
    for (const auto& c : {a, b, none})
        store.add(c);
    contact_query q;
    q.stages = {"new"};
    EXPECT_THAT(ids_in(store, store.search(q, 0, 10, opening)), ElementsAre("a"));
    q.stages = {"new", "old"};
    EXPECT_THAT(ids_in(store, store.search(q, 0, 10, opening)), UnorderedElementsAre("a", "b"));
    q.labels = {"news"};
    EXPECT_THAT(ids_in(store, store.search(q, 0, 10, opening)), ElementsAre("b"));
    q.stages = {""};  // those without a stage cannot be asked for
    q.labels = {};
    EXPECT_THAT(ids_in(store, store.search(q, 0, 10, opening)), ElementsAre());
    EXPECT_EQ(store.count_labels().at("fair"), 1u);
}

class Keywords : public testing::Test {
 protected:
    void SetUp() override {
        stored_contact jane = person("jane", "Jane.Doe@acme.example");
        jane.first_name = "Jane";
        jane.last_name = "Doe";
        jane.other_emails = {"jd@home.example"};
        jane.salesforce_contact_id = "0035g00000000A0AAA";
        jane.hubspot_vid = "77";
        stored_contact colleague = person("colleague", "k@other.example");
        colleague.organization_name = "ACME Foods";
        stored_contact namesake = person("namesake", "n@third.example");
        namesake.last_name = "Doe";
        namesake.title = "Head of Müll";
        for (const auto& c : {jane, colleague, namesake, person("nobody", "jane@doeacme.example")})
            store.add(c);
    }
    std::vector<std::string> find(std::string keywords) {
        return ids_in(store, store.search(about(std::move(keywords)), 0, 10, opening));
    }

    contact_store store{1};
};

TEST_F(Keywords, AnAddressAlsoFindsWhoHasAWordOfIt) {
    EXPECT_THAT(find("jane.doe@ACME.example"), UnorderedElementsAre("jane", "colleague", "namesake"));
    EXPECT_THAT(find("k@other.example"), ElementsAre("colleague"));
}

TEST_F(Keywords, AdditionalAddressesOnlyWhenAskedFor) {
    EXPECT_THAT(find("jd@home.example"), ElementsAre());
    contact_query q = about("jd@home.example");
    q.in_all_addresses = true;
    EXPECT_THAT(ids_in(store, store.search(q, 0, 10, opening)), ElementsAre("jane"));
}

TEST_F(Keywords, AllWordsMustBeThere) {
    EXPECT_THAT(find("doe jane"), ElementsAre("jane"));
    EXPECT_THAT(find("Doe"), UnorderedElementsAre("jane", "namesake"));
    EXPECT_THAT(find("müll"), ElementsAre("namesake"));
    EXPECT_THAT(find("acm"), ElementsAre());
    EXPECT_THAT(find("..."), ElementsAre());
}

TEST_F(Keywords, IdsAreNotFound) {
    EXPECT_THAT(find("0035g00000000A0AAA"), ElementsAre());
    EXPECT_THAT(find("77"), ElementsAre());
    EXPECT_THAT(find("namesake"), ElementsAre());
}

TEST_F(Keywords, TheSamePersonIsKnownByIdThenCrmThenAddress) {
    const auto same = [&](stored_contact c) {
        const auto i = store.same_as(c, opening);
        return i ? store.at(*i).id : "(none)";
    };
    EXPECT_EQ(same(person("colleague", "jane.doe@acme.example")), "colleague");
    stored_contact c = person("", "k@other.example");
    c.salesforce_id = "0035g00000000A0";  // 15 characters are the same id
    EXPECT_EQ(same(c), "jane");
    c.salesforce_id = "0035g00000000a0";
    EXPECT_EQ(same(c), "colleague");
    EXPECT_EQ(same(person("", "JD@home.example")), "jane");
    EXPECT_EQ(same(person("", "jane.doe+x@acme.example")), "(none)");
}

}  // namespace
