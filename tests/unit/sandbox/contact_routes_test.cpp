// The routes of contacts as a client meets them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "unit/sandbox/support.hpp"

using namespace std::chrono_literals;
using namespace sandbox_tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr const char* oldest_first = "sort_by_field=contact_created_at&sort_ascending=true&per_page=100";
constexpr const char* create_contacts = "/api/v1/contacts/bulk_create";

const std::vector<std::string> three{
    R"({"id":"aaaaaaaaaaaaaaaaaaaaaaa1","email":"ann@acme.example","contact_stage_id":"6095a710bd01d100a506d4af",)"
    R"("created_at":"2024-01-01T00:00:00Z","title":null,"contact_emails":[{"email":"ann@acme.example"},)"
    R"({"email":"ann@home.example"}]})",
    R"({"id":"aaaaaaaaaaaaaaaaaaaaaaa2","email":"bob@acme.example","contact_stage_id":null,"hubspot_vid":42,)"
    R"("created_at":"2024-01-02T00:00:00Z","name":"Bob Acme Smith"})",
    R"({"id":"aaaaaaaaaaaaaaaaaaaaaaa3","email":"cy@acme.example","contact_stage_id":"own-stage",)"
    R"("label_ids":["6660862c078cf0038abedb60","own-list"],"created_at":"2024-01-03T00:00:00Z"})"};

TEST(ContactsSearch, PagesHoldEachContactOnceInOrder) {
    running_sandbox apollo({.contacts = 350});
    auto c = apollo.connect();
    std::vector<std::string> ids, created;
    for (int page = 1; page <= 4; ++page) {
        const reply r = c.search_contacts(fmt::format("{}&page={}", oldest_first, page));
        ASSERT_EQ(r.status, 200);
        EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 350);
        EXPECT_EQ(number_at(r.body, "/pagination/total_pages"), 4);
        EXPECT_EQ(number_at(r.body, "/pagination/page"), page);
        std::ranges::copy(ids_of_contacts(r.body), std::back_inserter(ids));
        std::ranges::copy(strings_in(r.body, "contacts", "created_at"), std::back_inserter(created));
    }
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 350u);
    EXPECT_TRUE(std::ranges::is_sorted(created));
    EXPECT_EQ(apollo->stats().routes.at("contacts_search").by_status.at(200), 4u);
    EXPECT_EQ(apollo->stats().contacts, 350u);
}

TEST(ContactsSearch, TheSameSeedHasTheSameContacts) {
    running_sandbox one({.seed = 5, .contacts = 100}), same({.seed = 5, .contacts = 100}),
        other({.seed = 6, .contacts = 100});
    const auto ids = [](running_sandbox& s) { return ids_of_contacts(s.connect().search_contacts(oldest_first).body); };
    EXPECT_EQ(ids(one), ids(same));
    EXPECT_NE(ids(one), ids(other));
}

TEST(ContactsSearch, ContactsAreOfRealSizeOrMinimal) {
    running_sandbox full({.contacts = 100}), minimal({.minimal_answers = true, .contacts = 100});
    const reply r = full.connect().search_contacts(oldest_first);
    EXPECT_GT(r.body.size(), 100u * 3000);
    EXPECT_THAT(r.body, HasSubstr(R"("organization":{)"));
    EXPECT_THAT(r.body, HasSubstr(R"("existence_level":"full")"));
    const reply m = minimal.connect().search_contacts(oldest_first);
    EXPECT_LT(m.body.size(), 100u * 1600);
    EXPECT_EQ(ids_of_contacts(m.body), ids_of_contacts(r.body));
}

TEST(ContactsSearch, BreadcrumbsNameTheFiltersThatAreKnown) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    const reply r = c.search_contacts(
        "q_keywords=acme&contact_stage_ids[]=6095a710bd01d100a506d4af&contact_label_ids%5B%5D=nope&x=1");
    EXPECT_THAT(strings_in(r.body, "breadcrumbs", "signal_field_name"),
                ElementsAre("q_keywords", "contact_stage_ids", "contact_label_ids"));
    EXPECT_THAT(strings_in(r.body, "breadcrumbs", "value"), ElementsAre("acme", "6095a710bd01d100a506d4af", "nope"));
    EXPECT_THAT(strings_in(r.body, "breadcrumbs", "display_name"),
                ElementsAre("acme", "Approaching", "[Deleted List]"));
    EXPECT_THAT(ids_of_contacts(r.body), IsEmpty());
}

TEST(ContactsSearch, UnknownFiltersAreIgnoredInSilence) {
    running_sandbox apollo({.contacts_json = three});
    const reply r = apollo.connect().search_contacts("email=ann@acme.example&contact_stage_ids=own-stage");
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 3);
    EXPECT_THAT(r.body, HasSubstr(R"("breadcrumbs":[])"));
}

TEST(ContactsSearch, ParametersMayStandInTheBody) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    const reply r = c.search_contacts("per_page=1", R"({"sort_by_field":"contact_created_at","sort_ascending":true,)"
                                                    R"("page":2,"contact_stage_ids":["own-stage",)"
                                                    R"("6095a710bd01d100a506d4af"]})");
    EXPECT_THAT(ids_of_contacts(r.body), ElementsAre("aaaaaaaaaaaaaaaaaaaaaaa3"));
    EXPECT_EQ(number_at(r.body, "/pagination/total_entries"), 2);
    EXPECT_EQ(c.search_contacts("", "{").status, 400);
}

TEST(ContactsSearch, OnlySoManyAreShown) {
    running_sandbox apollo({.contacts = 50, .contacts_visible = 25});
    auto c = apollo.connect();
    EXPECT_EQ(ids_of_contacts(c.search_contacts("per_page=10&page=3").body).size(), 5u);
    EXPECT_EQ(c.search_contacts("per_page=10&page=4").status, 422);
    EXPECT_EQ(c.search_contacts("per_page=1&page=501").status, 422);
    EXPECT_EQ(c.search_contacts("per_page=101").status, 422);
    EXPECT_EQ(number_at(c.search_contacts("").body, "/pagination/total_entries"), 50);
}

TEST(ContactsSearch, AnAddressFindsColleaguesToo) {
    running_sandbox apollo({.contacts = 500});
    auto c = apollo.connect();
    const auto some = c.search_contacts(oldest_first).body;
    const std::string email = strings_in(some, "contacts", "email").at(40);
    const auto found = strings_in(c.search_contacts("per_page=100&q_keywords=" + email).body, "contacts", "email");
    EXPECT_THAT(found, testing::Contains(email));
    EXPECT_GT(found.size(), 15u);
}

TEST(ContactsShow, HasTheContactOrSaysWhyNot) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    const reply r = c.get("/api/v1/contacts/AAAAAAAAAAAAAAAAAAAAAAA2");
    EXPECT_EQ(r.status, 200);
    EXPECT_THAT(r.body, StartsWith(R"({"contact":{"id":"aaaaaaaaaaaaaaaaaaaaaaa2","first_name":"Bob",)"
                                   R"("last_name":"Acme Smith")"));
    EXPECT_THAT(r.body, HasSubstr(R"("hubspot_vid":"42")"));
    const reply unknown = c.get("/api/v1/contacts/search");
    EXPECT_EQ(unknown.status, 422);
    EXPECT_THAT(unknown.body, HasSubstr("This contact does not exist in Apollo"));
    EXPECT_TRUE(apollo->remove_contact("aaaaaaaaaaaaaaaaaaaaaaa2"));
    EXPECT_FALSE(apollo->remove_contact("aaaaaaaaaaaaaaaaaaaaaaa2"));
    EXPECT_THAT(c.get("/api/v1/contacts/aaaaaaaaaaaaaaaaaaaaaaa2").body, HasSubstr("has been deleted"));
    EXPECT_EQ(apollo->stats().routes.at("contact").by_status.at(422), 2u);
}

TEST(ContactLists, ShowAllStagesAndLabelsThatContactsHave) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    EXPECT_THAT(strings_in(c.get("/api/v1/contact_stages").body, "contact_stages", "id"),
                IsSupersetOf({"6095a710bd01d100a506d4af", "own-stage"}));
    const reply labels = c.get("/api/v1/labels");
    EXPECT_THAT(labels.body, StartsWith("[{"));
    EXPECT_THAT(labels.body, HasSubstr(R"({"_id":"own-list","cached_count":1)"));
    EXPECT_EQ(apollo->stats().routes.at("labels").requests(), 1u);
    EXPECT_EQ(apollo->stats().routes.at("stages").requests(), 1u);
}

TEST(ContactsCreate, CreatesWithoutLookingUnlessAskedTo) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    const reply r = c.post(create_contacts, R"({"contacts":[{"email":"ann@acme.example"}]})");
    EXPECT_THAT(strings_in(r.body, "created_contacts", "email"), ElementsAre("ann@acme.example"));
    EXPECT_EQ(apollo->stats().contacts, 4u);
    EXPECT_EQ(apollo->stats().contacts_created, 1u);
}

TEST(ContactsCreate, DeduplicationFindsTheSamePersonAndChangesNothing) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    const reply r =
        c.post(create_contacts, R"({"run_dedupe":true,"append_label_names":["taskbarge 1","Newsletter"],"contacts":[)"
                                R"({"email":"new@x.example","salesforce_contact_id":"0035g00000000A0AAA"},)"
                                R"({"email":"Ann@Home.example","title":"Other"},{"hubspot_id":"42"},)"
                                R"({"email":"new@x.example"}]})");
    EXPECT_THAT(strings_in(r.body, "created_contacts", "email"), ElementsAre("new@x.example"));
    const auto created = strings_in(r.body, "created_contacts", "id");
    EXPECT_THAT(strings_in(r.body, "existing_contacts", "id"),
                ElementsAre("aaaaaaaaaaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaaaaaaaaaa2", created.at(0)));
    EXPECT_THAT(strings_in(r.body, "existing_contacts", "title").at(0), "(none)");
    EXPECT_THAT(c.get("/api/v1/labels").body, HasSubstr(R"("name":"taskbarge 1")"));
    EXPECT_THAT(c.get("/api/v1/contacts/" + created.at(0)).body,
                HasSubstr(R"("created_at":"2026-09-21T14:13:20.000Z")"));
    EXPECT_THAT(c.search_contacts("contact_label_ids[]=6660862c078cf0038abedb61").body, HasSubstr(created.at(0)));
}

TEST(ContactsCreate, BadRequestsAreRefused) {
    running_sandbox apollo;
    auto c = apollo.connect();
    std::string many = R"({"email":"a@x.example"})";
    for (int i = 0; i < 100; ++i)
        many += R"(,{"email":"a@x.example"})";
    EXPECT_EQ(c.post(create_contacts, "{").status, 400);
    EXPECT_EQ(c.post(create_contacts, R"({"contacts":[]})").status, 422);
    EXPECT_THAT(c.post(create_contacts, R"({"contacts":[)" + many + "]}").body, HasSubstr("100 contacts or fewer"));
    EXPECT_EQ(c.post(create_contacts, R"({"contacts":[{"email":[]}]})").status, 422);
    EXPECT_EQ(apollo->stats().contacts, 0u);
}

TEST(ContactWindows, EachRouteHasItsOwn) {
    running_sandbox apollo({.contacts_search_limits = {1, 5, 0}, .contact_limits = {2, 5, 0}, .contacts = 1});
    auto c = apollo.connect();
    EXPECT_EQ(c.search_contacts("").header("x-minute-requests-left"), "0");
    const reply shut = c.search_contacts("");
    EXPECT_EQ(shut.status, 429);
    EXPECT_THAT(shut.body, HasSubstr("api/v1/contacts/search is 1 times per minute"));
    EXPECT_EQ(c.get("/api/v1/contacts/x").header("x-minute-requests-left"), "1");
    EXPECT_EQ(c.get("/api/v1/contacts/y").status, 422);
    EXPECT_EQ(c.get("/api/v1/contacts/z").status, 429);
    EXPECT_EQ(c.get("/api/v1/labels").status, 200);
    const reply usage = c.post("/api/v1/usage_stats/api_usage_stats", "");
    EXPECT_THAT(usage.body, HasSubstr(R"("[\"api/v1/contacts\", \"search\"]":{"day":{"limit":null,"consumed":1)"));
    EXPECT_THAT(usage.body, HasSubstr(R"("[\"api/v1/contacts\", \"show\"]")"));
    EXPECT_THAT(usage.body, HasSubstr(R"("[\"api/v1/contacts\", \"bulk_create\"]")"));
    EXPECT_THAT(usage.body, HasSubstr(R"("[\"api/v1/labels\", \"index\"]")"));
}

TEST(ContactRights, AForbiddenRouteSaysSo) {
    running_sandbox apollo({.contacts = 1, .forbid = {"contacts_search", "contact"}});
    auto c = apollo.connect();
    const reply search = c.search_contacts("");
    EXPECT_EQ(search.status, 403);
    EXPECT_THAT(search.body, HasSubstr("paid plans"));
    EXPECT_THAT(c.get("/api/v1/contacts/x").body, HasSubstr("not authorized to access api/v1/contacts/show"));
    EXPECT_EQ(c.get("/api/v1/labels").status, 200);
}

TEST(KnownContacts, TasksForOthersAreRefused) {
    running_sandbox apollo({.contacts_json = three, .known_contacts_only = true});
    auto c = apollo.connect();
    EXPECT_EQ(c.create({"AAAAAAAAAAAAAAAAAAAAAAA1", "aaaaaaaaaaaaaaaaaaaaaaa2"}).status, 200);
    EXPECT_EQ(c.create({"aaaaaaaaaaaaaaaaaaaaaaa1", "bbbbbbbbbbbbbbbbbbbbbbb2"}).status, 422);
    EXPECT_TRUE(apollo->merge_contacts("aaaaaaaaaaaaaaaaaaaaaaa2", "aaaaaaaaaaaaaaaaaaaaaaa1"));
    EXPECT_EQ(c.create({"aaaaaaaaaaaaaaaaaaaaaaa2"}).status, 422);
    EXPECT_EQ(apollo->stats().tasks, 2u);
}

TEST(ContactAdmin, ContactsAreListedAddedRemovedAndMerged) {
    running_sandbox apollo({.contacts_json = three});
    auto c = apollo.connect();
    EXPECT_EQ(occurrences(c.get("/sandbox/contacts").body, "\n"), 3u);
    EXPECT_EQ(c.remove("/sandbox/contacts/aaaaaaaaaaaaaaaaaaaaaaa3").body, R"({"changed":1,"contacts":2})");
    EXPECT_EQ(c.post("/sandbox/contacts/merge", "aaaaaaaaaaaaaaaaaaaaaaa2 aaaaaaaaaaaaaaaaaaaaaaa1\n").body,
              R"({"changed":1,"contacts":1})");
    EXPECT_EQ(c.post("/sandbox/contacts", "{\"id\":\"n1\"}\n{\"id\":\"n2\"}\n").body, R"({"changed":2,"contacts":3})");
    EXPECT_EQ(c.post("/sandbox/contacts", "{\"id\":\"n1\"}").status, 422);
    EXPECT_EQ(c.post("/sandbox/contacts/remove", "n1\nn2\nn3").body, R"({"changed":2,"contacts":1})");
    std::vector<sandbox::stored_contact> left;
    apollo->for_each_contact([&](const sandbox::stored_contact& contact) { left.push_back(contact); });
    ASSERT_EQ(left.size(), 1u);
    EXPECT_THAT(left[0].other_emails, ElementsAre("ann@home.example", "bob@acme.example"));
    EXPECT_FALSE(left[0].merged_crm_ids.empty());
    EXPECT_EQ(apollo->add_contact(R"({"email":"x@x.example"})").value().size(), 24u);
    EXPECT_FALSE(apollo->add_contact("[]"));
}

TEST(ContactFiles, LinesOfJsonBecomeContactsAndAWrongOneIsNamed) {
    const temporary_folder folder;
    const std::string path = folder.file("contacts.jsonl");
    std::ofstream(path) << three[0] << "\n\n"
                        << R"({"email":"only@x.example"})"
                        << "\n";
    running_sandbox apollo({.contacts = 10, .contacts_file = path});
    EXPECT_EQ(apollo->stats().contacts, 12u);
    const auto found = apollo.connect().search_contacts("q_keywords=only@x.example").body;
    EXPECT_THAT(strings_in(found, "contacts", "salesforce_contact_id").at(0), StartsWith("003"));

    std::ofstream(path, std::ios::app) << "{\"label_ids\":7}\n";
    const auto failed = sandbox::server::start({.contacts_file = path});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().text, HasSubstr("\"label_ids\" has no value of its kind (line 4 of " + path));
    EXPECT_FALSE(sandbox::server::start({.contacts_file = folder.file("none")}));
}

}  // namespace
