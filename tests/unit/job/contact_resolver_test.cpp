// From keys to contacts, by what the ledger knows: one, none, several, disagreeing, and what cannot be known.
#include "job/contacts/contact_resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {
namespace {

using namespace std::chrono_literals;
using core::instant;
using core::key_kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char *ada = "66e34b81740c50074e3d1bd4", *bob = "66e34b81740c50074e3d1bd5",
                     *cay = "66e34b81740c50074e3d1bd6";
constexpr const char *own = "66302798d03b9601c7934ebf", *other = "66302798d03b9601c7934eb0";

class ContactResolver : public testing::Test {
 protected:
    struct line {
        std::string contact_id, email = {}, salesforce = {}, hubspot = {}, user = own;
    };

    void know(const std::string& id, std::vector<ledger::contact_record::key> keys, instant seen,
              const std::string& owner = own, std::optional<instant> created = {}, std::optional<instant> active = {}) {
        ledger::contact_record c;
        c.id = id;
        c.owner_id = owner;
        c.created_at = created;
        c.active_at = active;
        c.keys = std::move(keys);
        const auto put = store().put(team(), std::vector{c}, seen, {seen, std::nullopt});
        ASSERT_TRUE(put) << put.error().text;
    }
    static ledger::contact_record::key email(const std::string& text, bool primary = true) {
        return {key_kind::email, text, primary};
    }
    static ledger::contact_record::key salesforce(const std::string& text) {
        return {key_kind::salesforce_id, text, true};
    }
    // An index of the whole list, as old as this.
    void whole(std::chrono::milliseconds age) { index.read_at = index.as_of = now - age; }

    void resolve(const std::vector<line>& lines, unknown_contacts what = unknown_contacts::collect) {
        texts_.clear();
        batch = reader::row_batch();
        for (const auto& l : lines) {
            core::row row;
            row.number = batch.rows.size() + 1;
            row.contact_id = text(l.contact_id);
            row.details.user_id = text(l.user);
            reader::row_keys keys;
            keys.contact_column = "Contact";
            keys.raw = text("raw " + std::to_string(row.number));
            const auto add = [&](key_kind kind, const std::string& value, std::string_view column) {
                if (!value.empty()) keys.by_kind[static_cast<std::size_t>(kind)] = {text(value), column};
            };
            add(key_kind::email, l.email, "E-mail");
            add(key_kind::salesforce_id, l.salesforce, "SF");
            add(key_kind::hubspot_id, l.hubspot, "HS");
            batch.rows.push_back(row);
            batch.keys.push_back(keys);
        }
        const auto saved = store().save_index(team(), index);
        ASSERT_TRUE(saved) << saved.error().text;
        resolver.emplace(
            index, [this]() -> core::result<ledger::contact_store*> { return &store(); }, settings, now, what);
        const auto done = resolver->resolve(batch);
        ASSERT_TRUE(done) << done.error().text;
        stopped = !*done;
    }
    std::vector<std::string> ids() const {
        std::vector<std::string> out;
        for (const auto& row : batch.rows)
            out.emplace_back(row.contact_id);
        return out;
    }
    std::vector<std::string> codes() const {
        std::vector<std::string> out;
        for (const auto& reject : batch.rejects)
            out.push_back(reject.code);
        return out;
    }
    ledger::contact_store& store() { return book_->contacts(); }
    ledger::contact_team team() const { return contact_team_of(settings); }

    const instant now = instant(1'790'000'000s);
    core::settings settings;
    ledger::contact_index index;
    reader::row_batch batch;
    std::optional<contact_resolver> resolver;
    bool stopped = false;

 private:
    std::string_view text(const std::string& t) { return t.empty() ? std::string_view() : texts_.emplace_back(t); }
    std::deque<std::string> texts_;
    std::unique_ptr<ledger::ledger> book_ = std::move(*ledger::open_ledger(":memory:"));
};

TEST_F(ContactResolver, OneContactIsFoundByAnyOfItsKeys) {
    know(ada, {email("ada@x.example"), salesforce("0035g0000000001")}, now - 1h);
    resolve({{"", "ada@x.example"}, {"", "", "0035g0000000001"}, {"", "ada@x.example", "0035g0000000001"}});
    EXPECT_THAT(ids(), ElementsAre(ada, ada, ada));
    EXPECT_EQ(resolver->tally().found, 3u);
    EXPECT_THAT(resolver->found_by(), ElementsAre(testing::Pair(1u, "email:ada@x.example"),
                                                  testing::Pair(2u, "salesforce_id:0035g0000000001"),
                                                  testing::Pair(3u, "salesforce_id:0035g0000000001")));
    EXPECT_TRUE(resolver->wanted().empty());
}

TEST_F(ContactResolver, KeysAreNotKeptWhereTheyAreNotWanted) {
    settings.contacts.keep_keys = false;
    know(ada, {email("ada@x.example")}, now - 1h);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(resolver->found_by(), ElementsAre(testing::Pair(1u, "email")));
}

TEST_F(ContactResolver, NoneIsSaidOfAWholeAndFreshIndexAlone) {
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), IsEmpty());
    EXPECT_THAT(resolver->wanted().emails, ElementsAre("nobody@x.example"));

    whole(9min);
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), ElementsAre("contact_not_found"));
    EXPECT_EQ(batch.rejects[0].column, "E-mail");
    EXPECT_EQ(batch.rejects[0].raw, "raw 1");
    EXPECT_THAT(batch.rejects[0].message, Not(HasSubstr("nobody"))) << "messages go to logs";

    whole(11min);
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), IsEmpty()) << "others make contacts all the time";

    whole(1min);
    index.gap = "2 of 300 contacts were not shown";
    resolve({{"", "nobody@x.example"}, {"", "", "0035g0000000001"}});
    EXPECT_THAT(codes(), IsEmpty());
    EXPECT_EQ(resolver->wanted().other_keys, 1u);
    EXPECT_EQ(resolver->tally().unknown, 2u);
}

TEST_F(ContactResolver, TheFirstUnknownRowStopsAPlan) {
    know(ada, {email("ada@x.example")}, now - 1h);
    resolve({{"", "ada@x.example"}, {"", "nobody@x.example"}}, unknown_contacts::stop);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(resolver->tally().unknown, 1u);
}

TEST_F(ContactResolver, AKeyStandsInForAContactInAPreview) {
    resolve({{"", "nobody@x.example"}, {"", "nobody@x.example", "0035g0000000001"}}, unknown_contacts::stand_in);
    EXPECT_THAT(ids(), ElementsAre("email:nobody@x.example", "salesforce_id:0035g0000000001"));
}

TEST_F(ContactResolver, WhatWasSeenLongAgoIsNotBelieved) {
    know(ada, {email("ada@x.example")}, now - 25h);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(ids(), IsEmpty());
    EXPECT_THAT(resolver->wanted().emails, ElementsAre("ada@x.example"));
    // But for a whole index that has all changes since.
    whole(23h);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    whole(25h);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(ContactResolver, SeveralAreRejectedWithTheirIds) {
    know(ada, {email("info@x.example")}, now - 1h);
    know(bob, {email("info@x.example")}, now - 1h);
    resolve({{"", "info@x.example"}});
    EXPECT_THAT(codes(), ElementsAre("contact_ambiguous"));
    EXPECT_THAT(batch.rejects[0].message, HasSubstr(std::string(ada) + ", " + bob));
    EXPECT_EQ(batch.rejects[0].column, "E-mail");
    EXPECT_EQ(resolver->tally().ambiguous, 1u);
}

TEST_F(ContactResolver, OneOfSeveralIsToldByAnotherKeyOrByItsId) {
    know(ada, {email("info@x.example"), salesforce("0035g0000000001")}, now - 1h);
    know(bob, {email("info@x.example")}, now - 1h);
    resolve({{"", "info@x.example", "0035g0000000001"}, {bob, "info@x.example"}, {cay, "info@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada, bob));
    EXPECT_THAT(codes(), ElementsAre("contact_keys_disagree"));
    // Whatever the rule for those that nothing tells apart.
    settings.contacts.several = core::several_contacts::oldest;
    know(ada, {email("info@x.example")}, now - 1h, own, now - 100h);
    know(bob, {email("info@x.example")}, now - 1h, own, now - 50h);
    resolve({{bob, "info@x.example"}, {"", "info@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(bob, ada));
    EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(ContactResolver, TheRulesOfSeveral) {
    using core::several_contacts;
    know(ada, {email("info@x.example")}, now - 1h, own, now - 100h, now - 3h);
    know(bob, {email("info@x.example")}, now - 1h, other, now - 50h, now - 2h);
    settings.contacts.several = several_contacts::owner;
    resolve({{"", "info@x.example"}, {"", "info@x.example", "", "", other}, {"", "info@x.example", "", "", cay}});
    EXPECT_THAT(ids(), ElementsAre(ada, bob));
    EXPECT_THAT(codes(), ElementsAre("contact_ambiguous"));
    settings.contacts.several = several_contacts::oldest;
    resolve({{"", "info@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    settings.contacts.several = several_contacts::active;
    resolve({{"", "info@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(bob));
    // One that does not tell, and a draw, decide nothing.
    know(cay, {email("info@x.example")}, now - 1h, own);
    for (const auto rule : {several_contacts::oldest, several_contacts::active, several_contacts::owner}) {
        settings.contacts.several = rule;
        resolve({{"", "info@x.example"}});
        EXPECT_THAT(codes(), ElementsAre("contact_ambiguous"));
    }
    know(cay, {email("info@x.example")}, now - 1h, own, now - 100h, now - 2h);
    settings.contacts.several = several_contacts::oldest;
    resolve({{"", "info@x.example"}});
    EXPECT_THAT(codes(), ElementsAre("contact_ambiguous"));
}

TEST_F(ContactResolver, KeysOfDifferentContactsDisagree) {
    know(ada, {email("ada@x.example")}, now - 1h);
    know(bob, {salesforce("0035g0000000002")}, now - 1h);
    resolve({{"", "ada@x.example", "0035g0000000002"}, {bob, "ada@x.example"}, {ada, "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    EXPECT_THAT(codes(), ElementsAre("contact_keys_disagree", "contact_keys_disagree"));
    EXPECT_THAT(batch.rejects[1].message, HasSubstr(std::string("contact ") + ada + " in Apollo, not of " + bob));
    EXPECT_EQ(resolver->tally().disagree, 2u);
    EXPECT_THAT(resolver->found_by(), IsEmpty()) << "an id needs no key";
}

TEST_F(ContactResolver, AKeyThatNoContactHasSaysNothingAboutTheOthers) {
    whole(1min);
    know(ada, {email("ada@x.example")}, now - 1min);
    resolve({{"", "ada@x.example", "0035g0000000009", "77"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    EXPECT_THAT(resolver->found_by(), ElementsAre(testing::Pair(1u, "email:ada@x.example")));
}

// A row of a contact whose address is known and whose Salesforce id may be another's.
TEST_F(ContactResolver, AKeyThatGoesBeforeHasToBeKnown) {
    know(ada, {email("ada@x.example")}, now - 1min);
    resolve({{"", "ada@x.example", "0035g0000000009"}, {ada, "ada@x.example", "0035g0000000009"}});
    EXPECT_THAT(ids(), ElementsAre(ada)) << "the one that has the id of Apollo's";
    EXPECT_EQ(resolver->wanted().other_keys, 1u);
    EXPECT_THAT(resolver->wanted().emails, IsEmpty()) << "no search finds it";
}

TEST_F(ContactResolver, ContactsThatAreTooOldAreLookedForAgainNotCalledMissing) {
    settings.contacts.max_age = 0s;
    whole(9min);
    know(ada, {email("ada@x.example")}, now - 30min);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada)) << "what a run has read itself it believes";
    whole(11min);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(codes(), IsEmpty());
    EXPECT_EQ(resolver->tally().unknown, 1u);
}

// By a clock that was wrong then, or is now.
TEST_F(ContactResolver, TimesInTheFutureProveNothing) {
    whole(-2h);
    know(bob, {email("bob@x.example")}, now + 2h);
    resolve({{"", "nobody@x.example"}, {"", "bob@x.example"}});
    EXPECT_THAT(codes(), IsEmpty());
    EXPECT_THAT(ids(), IsEmpty());
    EXPECT_EQ(resolver->tally().unknown, 2u);
}

// Another process forgets all contacts while a plan is made.
TEST_F(ContactResolver, TheIndexIsThatOfTheMoment) {
    whole(1min);
    know(ada, {email("ada@x.example")}, now - 1min);
    resolve({{"", "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    ASSERT_TRUE(store().forget_all());
    batch.keys.push_back({});
    batch.keys[0].by_kind[static_cast<std::size_t>(key_kind::email)] = {"ada@x.example", "E-mail"};
    batch.rows[0].contact_id = {};
    ASSERT_TRUE(resolver->resolve(batch));
    EXPECT_THAT(codes(), IsEmpty());
    EXPECT_EQ(resolver->tally().unknown, 1u);
}

TEST_F(ContactResolver, RowsThatShareAKeyAreCreatedAsOneContact) {
    settings.contacts.missing = core::missing_contact::create;
    whole(1min);
    resolve({{"", "new@x.example", "0035g0000000009"}, {"", "", "0035g0000000009"}, {"", "new@x.example"}});
    ASSERT_EQ(resolver->wanted().create.size(), 1u);
    EXPECT_EQ(resolver->wanted().create[0].email, "new@x.example");
    EXPECT_EQ(resolver->wanted().create[0].salesforce_contact_id, "0035g0000000009");
    ASSERT_TRUE(
        store().note_creation(team(), key_kind::salesforce_id, "0035g0000000009", {now - 1min, "no such stage"}));
    resolve({{"", "new@x.example", "0035g0000000009"}});
    EXPECT_THAT(codes(), ElementsAre("contact_not_created"));
    ASSERT_TRUE(store().note_creation(team(), key_kind::salesforce_id, "0035g0000000009", {now - 1h, "no such stage"}));
    resolve({{"", "new@x.example", "0035g0000000009"}});
    EXPECT_THAT(codes(), IsEmpty()) << "Apollo's reason may be gone";
}

TEST_F(ContactResolver, AdditionalAddressesCountUnlessTheyAreNotToCount) {
    know(ada, {email("ada@x.example"), email("ada@home.example", false)}, now - 1h);
    know(bob, {email("ada@home.example")}, now - 1h);
    resolve({{"", "ada@home.example"}});
    EXPECT_THAT(codes(), ElementsAre("contact_ambiguous"));
    settings.contacts.additional_emails = false;
    resolve({{"", "ada@home.example"}});
    EXPECT_THAT(ids(), ElementsAre(bob));
}

TEST_F(ContactResolver, ThatASearchShowedNothingIsBelievedOfPrimaryAddressesAlone) {
    ASSERT_TRUE(store().note_absent(team(), key_kind::email, "nobody@x.example", now - 5min));
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), IsEmpty());
    settings.contacts.additional_emails = false;
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), ElementsAre("contact_not_found"));
    ASSERT_TRUE(store().note_absent(team(), key_kind::email, "nobody@x.example", now - 11min));
    resolve({{"", "nobody@x.example"}});
    EXPECT_THAT(codes(), IsEmpty());
}

// Else it would be searched for again and again, and never be told.
TEST_F(ContactResolver, WhatNoSearchCanTellIsNotSearchedFor) {
    settings.contacts.additional_emails = false;
    ASSERT_TRUE(store().note_absent(team(), key_kind::email, "nobody@x.example", now - 5min));
    resolve({{"", "nobody@x.example", "0035g0000000001"}});
    EXPECT_EQ(resolver->tally().unknown, 1u);
    EXPECT_THAT(resolver->wanted().emails, IsEmpty());
    EXPECT_EQ(resolver->wanted().other_keys, 1u);
}

TEST_F(ContactResolver, IdsAreCheckedWhereAWholeIndexIsAtHand) {
    know(ada, {}, now - 1h);
    resolve({{bob}});
    EXPECT_THAT(ids(), ElementsAre(bob)) << "no index, no check";
    whole(1h);
    resolve({{ada}, {bob}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    EXPECT_THAT(resolver->wanted().ids, ElementsAre(bob)) << "asked for once, never rejected by a guess";
    ASSERT_TRUE(store().note_absent(team(), std::nullopt, bob, now - 1min));
    resolve({{bob}, {ada}, {bob, "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada));
    EXPECT_THAT(codes(), ElementsAre("contact_not_found", "contact_not_found"));
    EXPECT_EQ(batch.rejects[0].column, "Contact");
    EXPECT_EQ(batch.rejects[0].contact_id, bob);
    settings.contacts.check = false;
    resolve({{bob}});
    EXPECT_THAT(ids(), ElementsAre(bob));
    EXPECT_FALSE(resolver->checks_ids());
}

TEST_F(ContactResolver, RejectsStandInTheOrderOfTheInput) {
    whole(1min);
    know(ada, {email("ada@x.example")}, now - 1min);
    batch = reader::row_batch();
    resolve({{"", "a@x.example"}, {"", "ada@x.example"}, {"", "b@x.example"}, {"", "ada@x.example"}});
    EXPECT_THAT(ids(), ElementsAre(ada, ada));
    EXPECT_EQ(batch.rejects[0].number, 1u);
    EXPECT_EQ(batch.rejects[1].number, 3u);
    EXPECT_EQ(batch.rows[1].number, 4u);
    EXPECT_THAT(batch.keys, IsEmpty());
}

TEST_F(ContactResolver, TheTallyIsALine) {
    contact_tally t;
    t.found = 3;
    t.found_by[static_cast<std::size_t>(key_kind::email)] = 3;
    t.none = 1;
    t.ambiguous = 2;
    EXPECT_EQ(text_of(t), "3 rows found (3 by email), 1 not in Apollo, 2 ambiguous");
}

}  // namespace
}  // namespace taskbarge::job
