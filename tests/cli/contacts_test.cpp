// Files whose contacts are named by e-mail or by a CRM's ids: the real program with a team of contacts beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/against_sandbox.hpp"
#include "support/case_names.hpp"

namespace {

using taskbarge::sandbox::sandbox_options;
using taskbarge::sandbox::stored_contact;
using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

using words = std::vector<std::string>;

class Contacts : public against_sandbox {
 protected:
    void SetUp() override {}

    static sandbox_options team_of(std::uint64_t contacts) {
        sandbox_options o;
        o.contacts = contacts;
        o.minimal_answers = true;
        o.contacts_search_limits = o.contact_limits = o.lists_limits = o.contacts_create_limits = {0, 0, 0};
        return o;
    }
    std::vector<stored_contact> all() const {
        std::vector<stored_contact> out;
        server_->for_each_contact([&](const stored_contact& c) { out.push_back(c); });
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        return out;
    }
    outcome do_it(const words& arguments, const words& settings = {}, const std::string& input = "") const {
        auto all_words = arguments;
        for (const auto& s : settings) {
            all_words.emplace_back("--set");
            all_words.push_back(s);
        }
        all_words.emplace_back("--set");
        all_words.emplace_back(owner);
        return run(all_words, input);
    }
    std::uint64_t requests(const std::string& route) const {
        auto stats = server_->stats();
        return stats.routes[route].requests();
    }
    // How many tasks each contact has.
    std::map<std::string, int> tasks() const {
        std::map<std::string, int> out;
        server_->for_each_task([&](const auto& t) { ++out[t.contact_id]; });
        return out;
    }
    // How many rows were rejected for a reason.
    int rejected(const std::string& code) const {
        const auto o = do_it({"results", "1", "--only", "rejected"});
        int n = 0;
        for (auto at = o.out.find(code); at != std::string::npos; at = o.out.find(code, at + 1))
            ++n;
        return n;
    }
    static std::string digits(std::uint64_t n) { return fmt::format("{}", n); }
};

std::uint64_t pages(std::uint64_t contacts) {
    return (contacts + 99) / 100;
}

// Of 5,000 rows 2 % have keys that no contact has, and 1 % keys that two contacts have.
class ExportsOfACrm : public Contacts {
 protected:
    static constexpr std::uint64_t made = 5100, twins = 50, missing = 100, rows = 5000;

    void begin(const std::string& crm_key) {
        auto options = team_of(made);
        {
            // What a sandbox makes of a number it makes of it always.
            start(options);
            people_ = all();
            server_.reset();
        }
        for (std::uint64_t i = 0; i < twins; ++i) {
            const auto& c = people_[i];
            options.contacts_json.push_back(
                fmt::format(R"({{"id":"{:024x}","email":"{}","{}":"{}"}})", 0xfeed0000 + i, c.email, crm_key,
                            crm_key == "hubspot_vid" ? c.hubspot_vid : c.salesforce_contact_id));
        }
        start(options);
    }
    void import_by_two_commands(const std::string& text) {
        const auto file = p.file("export.csv", text);
        const auto planned = do_it({"plan", "--json", file});
        EXPECT_EQ(planned.code, 0) << planned.err;
        EXPECT_THAT(planned.out, HasSubstr(fmt::format("\"requests\":{}", pages(made + twins))));
        // It keeps nothing, so the one by which it learns how many contacts there are is one of its own.
        EXPECT_EQ(requests("contacts_search"), 1u);
        const auto o = do_it({"import", "--json", file});
        ASSERT_EQ(o.code, 2) << o.err;
        EXPECT_EQ(number(o, "rows"), rows);
        EXPECT_EQ(number(o, "rejected"), twins + missing);
        EXPECT_EQ(number(o, "created"), rows - twins - missing);
        EXPECT_EQ(rejected("contact_not_found"), missing);
        EXPECT_EQ(rejected("contact_ambiguous"), twins);

        std::map<std::string, int> expected;
        for (auto i = twins; i < rows - missing; ++i)
            ++expected[people_[i].id];
        EXPECT_EQ(tasks(), expected) << "each of those contacts has one task, and no other has any";

        EXPECT_EQ(requests("contacts_search"), 1 + pages(made + twins));
        EXPECT_EQ(requests("bulk_create"), pages(rows - twins - missing));
        EXPECT_EQ(requests("contact"), 0u);
        EXPECT_EQ(requests("labels") + requests("stages") + requests("contacts_create"), 0u);

        const auto again = do_it({"import", "--json", file});
        EXPECT_EQ(again.code, 2);
        EXPECT_EQ(requests("contacts_search"), 1 + pages(made + twins)) << "the same input finds its job";
        EXPECT_EQ(requests("bulk_create"), pages(rows - twins - missing));
    }
    std::vector<stored_contact> people_;
};

TEST_F(ExportsOfACrm, OfSalesforce) {
    begin("salesforce_contact_id");
    std::string text = "\"SalesforceId\",\"LASTNAME\"\n";
    for (std::uint64_t i = 0; i < rows - missing; ++i)
        text += fmt::format("\"{}\",\"{}\"\n", people_[i].salesforce_contact_id, people_[i].last_name);
    for (std::uint64_t i = 0; i < missing; ++i)
        text += fmt::format("\"0035g00009{:05}\",\"Nobody\"\n", i);
    import_by_two_commands(text);
}

TEST_F(ExportsOfACrm, OfHubSpot) {
    begin("hubspot_vid");
    std::string text = "Record ID - Contact,Email\n";
    for (std::uint64_t i = 0; i < rows - missing; ++i) {
        // Some have one of the two alone, and addresses are as people type them.
        auto email = people_[i].email;
        if (i % 3 == 0) std::transform(email.begin(), email.end(), email.begin(), ::toupper);
        text += fmt::format("{},{}\n", i % 7 == 1 ? "" : people_[i].hubspot_vid, i % 7 == 2 ? "" : email);
    }
    for (std::uint64_t i = 0; i < missing; ++i)
        text += fmt::format("{},nobody.{}@nowhere.example\n", i % 2 == 0 ? digits(900'000'000 + i) : "", i);
    import_by_two_commands(text);
}

// A thousand of fifty thousand ids are dead: where the index is complete they cost no create request.
TEST_F(Contacts, DeadIdsCostNoIsolation) {
    constexpr std::uint64_t alive = 49'000, dead = 1000;
    auto options = team_of(alive);
    options.known_contacts_only = true;
    start(options);
    std::string text = "contact_id\n";
    std::uint64_t n = 0;
    for (const auto& c : all()) {
        text += c.id + '\n';
        if (++n % (alive / dead) == 0) text += fmt::format("{:024x}\n", 0xdead0000 + n);
    }
    const auto file = p.file("ids.csv", text);
    const auto refreshed = do_it({"contacts", "refresh"});
    ASSERT_EQ(refreshed.code, 0) << refreshed.err;
    EXPECT_EQ(requests("contacts_search"), pages(alive));
    const auto o = do_it({"import", "--json", file});
    ASSERT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "created"), alive);
    EXPECT_EQ(number(o, "rejected"), dead);
    EXPECT_EQ(requests("bulk_create"), pages(alive));
    EXPECT_EQ(requests("contact"), dead);
    EXPECT_EQ(requests("contacts_search"), pages(alive));
    EXPECT_EQ(server_->stats().tasks_twice, 0u);
    EXPECT_EQ(server_->stats().tasks, alive);
}

TEST_F(Contacts, AReadingThatHasToWaitIsParkedAndGoneOnWith) {
    start(team_of(2000));
    const auto people = all();
    const auto file = p.file("s.csv", "salesforce_id\n" + people[7].salesforce_contact_id + "\n");
    ASSERT_TRUE(server_->set_faults({"contacts_search/429:minute=2@10"}));
    const auto parked = do_it({"import", "--json", file}, {"send.max_wait=10ms"});
    ASSERT_EQ(parked.code, 75) << parked.err;
    EXPECT_THAT(parked.err, HasSubstr("which has to wait for the minute window of contacts/search until"));
    EXPECT_THAT(parked.out, HasSubstr("\"resume_at\":\"2"));
    EXPECT_EQ(requests("bulk_create"), 0u);
    EXPECT_LT(requests("contacts_search"), 14u);
    // Where it may wait it does.
    const auto o = do_it({"import", "--json", file});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(requests("contacts_search"), pages(2000) + server_->stats().throttled);
    EXPECT_EQ(server_->stats().throttled, 1u);
    EXPECT_EQ(tasks(), (std::map<std::string, int>{{people[7].id, 1}}));
}

TEST_F(Contacts, TheBudgetIsNotPassed) {
    start(team_of(2000));
    const auto people = all();
    std::string text = "email\n";
    for (std::size_t i = 0; i < 100; ++i)
        text += people[i].email + '\n';
    const auto file = p.file("e.csv", text);
    auto o = do_it({"import", file}, {"contacts.budget=5"});
    EXPECT_EQ(o.code, 65);
    EXPECT_THAT(o.err, HasSubstr("contacts.budget=20"));
    EXPECT_LE(requests("contacts_search"), 5u);
    EXPECT_EQ(requests("bulk_create"), 0u);
    o = do_it({"import", file}, {"contacts.budget=20"});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(requests("contacts_search"), pages(2000)) << "what was read stays read";
    EXPECT_EQ(tasks().size(), 100u);
}

TEST_F(Contacts, WhereAKeyMayNotSearchTheRemedyIsNamed) {
    auto options = team_of(200);
    options.forbid = {"contacts_search"};
    start(options);
    const auto file = p.file("e.csv", "email\n" + all()[3].email + "\n");
    const auto o = do_it({"import", file});
    EXPECT_EQ(o.code, 65);
    EXPECT_THAT(o.err, HasSubstr("contacts/search"));
    EXPECT_THAT(o.err, HasSubstr("taskbarge contacts load FILE"));
    EXPECT_EQ(requests("bulk_create"), 0u);
}

TEST_F(Contacts, FewAddressesInALargeTeamAreSearchedFor) {
    start(team_of(3000));
    const auto people = all();
    const auto file = p.file("e.csv", "email\n" + people[1].email + "\n" + people[2].email + "\n");
    const auto o = do_it({"import", file}, {"contacts.additional_emails=false"});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_LE(requests("contacts_search"), 3u);
    EXPECT_EQ(tasks(), (std::map<std::string, int>{{people[1].id, 1}, {people[2].id, 1}}));

    // One that no search shows: by a list of all it is told for certain, where additional addresses count.
    const auto nobody = p.file("n.csv", "email\nnobody@nowhere.example\n");
    const auto none = do_it({"import", "--json", nobody});
    EXPECT_EQ(none.code, 2) << none.err;
    EXPECT_EQ(number(none, "rejected"), 1u);
    EXPECT_LE(requests("contacts_search"), 3 + 1 + pages(3000));
}

TEST_F(Contacts, AnAdditionalAddressIsFoundThoughNoSearchLooksAtIt) {
    start(team_of(500));
    const auto people = all();
    const auto c =
        std::find_if(people.begin(), people.end(), [](const auto& one) { return !one.other_emails.empty(); });
    ASSERT_NE(c, people.end());
    const auto file = p.file("e.csv", "email\n" + c->other_emails.front() + "\n");
    EXPECT_EQ(do_it({"import", file}).code, 0);
    EXPECT_EQ(tasks(), (std::map<std::string, int>{{c->id, 1}}));
    EXPECT_LE(requests("contacts_search"), 1 + pages(500));
    const auto o = do_it({"import", "--again", file}, {"contacts.additional_emails=false"});
    EXPECT_EQ(o.code, 2) << o.err;
}

TEST_F(Contacts, StandardInputIsReadOnceAlone) {
    start(team_of(200));
    const auto text = "email\n" + all()[3].email + "\n";
    auto o = do_it({"import", "-"}, {}, text);
    EXPECT_EQ(o.code, 65);
    EXPECT_THAT(o.err, HasSubstr("taskbarge contacts refresh"));
    EXPECT_EQ(requests("bulk_create"), 0u);
    EXPECT_EQ(do_it({"contacts", "refresh"}).code, 0);
    o = do_it({"import", "-"}, {}, text);
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(server_->stats().tasks, 1u);
}

TEST_F(Contacts, AnExportOfApolloCostsNoRequest) {
    start(team_of(0));
    const auto exported = std::string(TASKBARGE_SOURCE_DIR) + "/sample_data/exports/apollo_contacts.csv";
    const auto loaded = do_it({"contacts", "load", exported});
    ASSERT_EQ(loaded.code, 0) << loaded.err;
    const auto file = p.file("e.csv", "email\naiko.abebe@example.com\nAMELIE.ITO@Example.Com\n");
    const auto o = do_it({"import", "--json", file}, {"contacts.max_age=3650d"});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(tasks(), (std::map<std::string, int>{{"66e8ce8fac4d8d98a07fac5f", 1}, {"66e87c3f07b284f93c7723c9", 1}}));
    EXPECT_EQ(requests("contacts_search") + requests("contact"), 0u);
    EXPECT_EQ(do_it({"contacts", "find", "aiko.abebe@example.com"}).code, 0);
}

TEST_F(Contacts, TwoKeysOfOneContactAreOneTask) {
    start(team_of(300));
    const auto people = all();
    const auto c =
        std::find_if(people.begin(), people.end(), [](const auto& one) { return !one.other_emails.empty(); });
    ASSERT_NE(c, people.end());
    const auto file = p.file("e.csv", "email,salesforce_id,contact_id\n" + c->email + ",,\n" + c->other_emails.front() +
                                          ",,\n," + c->salesforce_contact_id + ",\n,," + c->id + "\n");
    const auto o = do_it({"import", "--json", file});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(number(o, "created"), 1u);
    EXPECT_EQ(number(o, "duplicate"), 3u);
    EXPECT_EQ(tasks(), (std::map<std::string, int>{{c->id, 1}}));
}

// Of 400 rows 250 name somebody whom Apollo does not have: three requests of a hundred.
class Creating : public Contacts {
 protected:
    void begin(const words& faults) {
        auto options = team_of(150);
        start(options);
        ASSERT_TRUE(server_->set_faults(faults));
        std::string text = "email,salesforce_id\n";
        for (const auto& c : all())
            text += c.email + ",\n";
        for (int i = 0; i < 250; ++i)
            text += fmt::format("New.{}@Example.org,{}\n", i, i == 7 ? "0035g0000000zzz" : "");
        file_ = p.file("new.csv", text);
    }
    outcome import_until_done(const words& more = {}) const {
        auto settings = more;
        for (const char* one : {"contacts.missing=create", "send.settle_time=1s", "send.request_timeout=2s"})
            settings.emplace_back(one);
        outcome o;
        for (int run = 0; run < 6 && (run == 0 || o.code == 75); ++run)
            o = do_it({"import", "--json", file_}, settings);
        return o;
    }
    // Everybody is there once and has one task.
    void expect_each_once() {
        std::map<std::string, int> addresses;
        for (const auto& c : all())
            ++addresses[c.email];
        EXPECT_EQ(addresses.size(), 400u);
        EXPECT_EQ(all().size(), 400u) << "no contact was made twice";
        EXPECT_EQ(tasks().size(), 400u);
        for (const auto& [id, count] : tasks())
            EXPECT_EQ(count, 1) << id;
    }
    std::string file_;
};

TEST_F(Creating, OnlyWhereItIsAskedFor) {
    begin({});
    const auto refused = do_it({"import", file_});
    EXPECT_EQ(refused.code, 65) << "more rows are rejected than import.max_rejects allows";
    EXPECT_EQ(requests("contacts_create"), 0u);
    const auto planned = do_it({"plan", file_}, {"contacts.missing=create"});
    EXPECT_THAT(planned.out, HasSubstr("150 rows found (150 by email), 250 to be created in Apollo."));
    EXPECT_THAT(planned.out, HasSubstr("250 contacts are created that Apollo does not have: 3 requests"));
    EXPECT_EQ(requests("contacts_create"), 0u);
    const auto o = import_until_done();
    ASSERT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(requests("contacts_create"), 3u);
    expect_each_once();
    EXPECT_EQ(import_until_done().code, 0);
    EXPECT_EQ(requests("contacts_create"), 3u) << "the same input has its job";
}

TEST_F(Creating, WhatMayHaveBeenCreatedIsNotCreatedAgain) {
    for (const char* fault : {"contacts_create/500:after@1", "contacts_create/500:before@1", "contacts_create/cut@2",
                              "contacts_create/reset:after@1", "contacts_create/stall:after@1",
                              "contacts_create/html:after@2", "contacts_create/429=1@1"}) {
        SCOPED_TRACE(fault);
        begin({fault});
        const auto o =
            import_until_done({"ledger.path=" + p.path(fmt::format("{}.db", std::hash<std::string>()(fault)))});
        EXPECT_EQ(o.code, 0) << o.err;
        expect_each_once();
    }
}

TEST_F(Creating, AContactThatApolloRefusesCostsItselfAlone) {
    begin({"contacts_create/422%40"});
    const auto o = import_until_done({"import.max_rejects=100%"});
    ASSERT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "created") + number(o, "rejected"), 400u);
    EXPECT_EQ(static_cast<std::uint64_t>(rejected("contact_not_created")), number(o, "rejected"));
    EXPECT_EQ(all().size(), number(o, "created"));
}

TEST_F(Contacts, IdsThatCannotBeCheckedAreSent) {
    auto options = team_of(300);
    options.forbid = {"contact"};
    start(options);
    ASSERT_EQ(do_it({"contacts", "refresh"}).code, 0);
    const auto o = do_it({"import", "--json", contacts(50)});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_THAT(o.err, HasSubstr("50 ids are not in the index of contacts and sent without a check"));
    EXPECT_EQ(number(o, "created"), 50u);
    const auto few = do_it({"import", "--json", contacts(60)}, {"contacts.budget=10"});
    EXPECT_EQ(number(few, "created"), 10u) << few.err;
}

// Found by its address, merged into another before its task is created.
TEST_F(Contacts, WhomAKeyMeansNowIsSaidAndNotSentTo) {
    auto options = team_of(300);
    options.known_contacts_only = true;
    start(options);
    ASSERT_EQ(do_it({"contacts", "refresh"}).code, 0);
    const auto people = all();
    const auto file = p.file("e.csv", "email\n" + people[3].email + "\n" + people[4].email + "\n");
    server_->merge_contacts(people[3].id, people[200].id);
    const auto o = do_it({"import", "--json", file});
    EXPECT_EQ(o.code, 2) << o.err;
    EXPECT_EQ(number(o, "created"), 1u);
    EXPECT_EQ(number(o, "failed"), 1u);
    EXPECT_THAT(o.err, HasSubstr("1 of the refused rows name by their key another contact now: row 1 that of contact " +
                                 people[200].id));
    EXPECT_EQ(tasks().count(people[200].id), 0u);
    EXPECT_THAT(do_it({"contacts", "find", people[3].email}).out, HasSubstr(people[200].id));
}

TEST_F(Contacts, AddressesAreInNoFileOfTheLedgerButWhereRowsAreKept) {
    start(team_of(300));
    const auto people = all();
    ASSERT_EQ(do_it({"contacts", "refresh"}).code, 0);
    const auto bytes = p.read("l.db") + p.read("l.db-wal");
    ASSERT_GT(bytes.size(), 10'000u);
    for (const auto& c : people) {
        for (const auto& key :
             {c.email, c.salesforce_contact_id, c.salesforce_contact_id.substr(0, 15), c.linkedin_url})
            ASSERT_EQ(bytes.find(key), std::string::npos) << key;
    }
}

// What was counted before is not there any more: the list is read anew, not called complete without it.
TEST_F(Contacts, WhatIsForgottenWhileTheListIsReadIsReadAgain) {
    auto options = team_of(3000);
    options.latency = std::chrono::milliseconds(60);
    start(options);
    const auto reading = p.start(with_server({"contacts", "refresh"}));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (requests("contacts_search") < 9 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    const auto forgotten = p.run({"prune", "--contacts", "--ledger", p.path("l.db")});
    EXPECT_EQ(forgotten.code, 0) << forgotten.err;
    const auto o = p.finish(reading);
    EXPECT_EQ(o.code, 0) << o.err;
    const auto status = do_it({"contacts", "status"});
    EXPECT_THAT(status.out, HasSubstr("complete: 3,000 contacts known")) << status.out;
    EXPECT_LE(requests("contacts_search"), 2 * pages(3000));
}

// Whatever the search does: no wrong contact, no contact called missing that is there, no task twice.
class UnderFaults : public Contacts, public testing::WithParamInterface<const char*> {
 protected:
    using holders = std::map<std::string, std::set<std::string>>;  // contacts by their keys
    static void note(holders& into, const stored_contact& c) {
        for (const auto& key : {c.email, c.salesforce_contact_id})
            into[key].insert(c.id);
        for (const auto* more : {&c.other_emails, &c.merged_crm_ids})
            for (const auto& key : *more)
                into[key].insert(c.id);
    }
    void import_under(const std::string& faults, std::uint64_t contacts) {
        start(team_of(contacts));
        holders had;
        std::vector<std::string> keys;
        std::string text = "salesforce_id,email\n";
        for (const auto& c : all()) {
            note(had, c);
            if (had.size() % 5 != 0) continue;
            const bool by_email = keys.size() % 2 == 0;
            keys.push_back(by_email ? c.email : c.salesforce_contact_id);
            text += by_email ? "," + c.email + "\n" : c.salesforce_contact_id + ",\n";
        }
        wanted_ = keys.size();
        const auto file = p.file("keys.csv", text);
        words list;
        for (std::size_t at = 0; at < faults.size();) {
            const auto end = std::min(faults.find(' ', at), faults.size());
            list.push_back("contacts_search/" + faults.substr(at, end - at));
            at = end + 1;
        }
        const auto set = server_->set_faults(list);
        ASSERT_TRUE(set) << set.error().text;
        outcome o;
        for (int round = 0; round < 4; ++round) {
            o = do_it({"import", "--json", file},
                      {"send.backoff_base=1ms", "send.request_timeout=500ms", "import.max_rejects=100%"});
            if (o.code != 75) break;
        }
        EXPECT_THAT(o.code, AnyOf(0, 2, 65, 69, 75)) << o.err;
        holders has;
        for (const auto& c : all()) {
            note(had, c);
            note(has, c);
        }
        std::set<std::string> right;
        for (const auto& key : keys)
            right.insert(had[key].begin(), had[key].end());
        for (const auto& [id, count] : tasks()) {
            EXPECT_EQ(count, 1) << id;
            EXPECT_EQ(right.count(id), 1u) << id;
        }
        // Read twice at the most, and searches for what is left.
        EXPECT_LE(requests("contacts_search"), 2 * pages(contacts) + 4 * 30 + keys.size());
        if (o.code != 0 && o.code != 2) {
            EXPECT_THAT(tasks(), IsEmpty());
            EXPECT_THAT(o.err, AnyOf(HasSubstr("contacts"), HasSubstr("contact"))) << "what is missing is said";
            return;
        }
        const auto results = do_it({"results", "1", "--only", "rejected"});
        std::istringstream lines(results.out);
        int told = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.find("contact_not_found") == std::string::npos) continue;
            ++told;
            for (const auto& key : keys)
                EXPECT_TRUE(line.find(key) == std::string::npos || has[key].empty()) << key << " is there: " << line;
        }
        std::uint64_t really = 0;
        for (const auto& key : keys)
            really += has[key].empty() ? 1 : 0;
        EXPECT_LE(told, static_cast<int>(really));
        EXPECT_LE(number(o, "rejected"), really) << results.out;
    }
    std::size_t wanted_ = 0;
};

TEST_P(UnderFaults, NoWrongContactAndNoneMissingThatIsThere) {
    import_under(GetParam(), 1530);
}

INSTANTIATE_TEST_SUITE_P(Search, UnderFaults,
                         testing::Values("short=1", "short=1%20", "again=1", "again=5%30", "partial=500",
                                         "partial=1000@1", "gone=1", "gone=3@2-6", "gone=1@16", "gone=40@4",
                                         "gone=2 arrive=2", "gone=1 arrive=1 short=1%20", "touch=3 gone=1 arrive=1",
                                         "500%30", "500", "html%20", "success_false", "cut",
                                         "skew=-2h arrive=1 gone=1"),
                         taskbarge::test::by_value());

// What a second look or none at all gets over.
class UnderHarmlessFaults : public UnderFaults {};

TEST_P(UnderHarmlessFaults, EachRowGetsItsTask) {
    import_under(GetParam(), 1530);
    EXPECT_EQ(tasks().size(), wanted_);
    EXPECT_LE(requests("contacts_search"), 2 * pages(1530) + 20);
}

INSTANTIATE_TEST_SUITE_P(Search, UnderHarmlessFaults,
                         testing::Values("short=1@1", "short=2@3", "again=3@2", "deaf", "texts", "arrive=1",
                                         "arrive=30@2-9", "touch=20", "500@2,3", "cut%30", "429=0@2,5", "429=missing@3",
                                         "stall:before@4", "reset%20", "success_false%20", "garbage@3", "length=-20@2",
                                         "no_date", "skew=+2h", "skew=-2h"),
                         taskbarge::test::by_value());

// Merged while they are read: the one that stays has the keys of both.
TEST_F(Contacts, MergedContactsAreTheOneThatStays) {
    start(team_of(1200));
    const auto people = all();
    const auto& from = people[600];
    const auto& into = people[20];
    ASSERT_TRUE(server_->set_faults({fmt::format("contacts_search/merge={}:{}@5", from.id, into.id)}))
        << server_->set_faults({fmt::format("contacts_search/merge={}:{}@5", from.id, into.id)}).error().text;
    const auto file = p.file("e.csv", "email\n" + from.email + "\n");
    outcome o;
    for (int round = 0; round < 3; ++round) {
        o = do_it({"import", "--json", file}, {"contacts.additional_emails=true"});
        if (o.code != 75) break;
    }
    EXPECT_THAT(o.code, AnyOf(0, 65)) << o.err << o.out;
    for (const auto& [id, count] : tasks())
        EXPECT_THAT(id, AnyOf(from.id, into.id));
}

}  // namespace
