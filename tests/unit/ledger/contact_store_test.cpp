// What the ledger knows of contacts: keys that come, go and move, teams apart, the key of the hashes lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "contract/ledger_fixture.hpp"
#include "taskbarge/ledger/contact_store.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::ledger {
namespace {

using namespace std::chrono_literals;
using core::key_kind;
using testing::ElementsAre;
using testing::IsEmpty;

const contact_team ours{"https://api.example/api/v1", "default"};
const contact_team theirs{"https://api.example/api/v1", "other"};

contact_record::key email(const std::string& text, bool primary = true) {
    return {key_kind::email, text, primary};
}
contact_record::key salesforce(const std::string& text) {
    return {key_kind::salesforce_id, text, true};
}

class ContactStore : public testing::Test {
 protected:
    void open(witness_check how = witness_check::required) {
        book_.reset();
        book_ = must(open_ledger(path(), how));
    }
    std::string path() const { return folder_.file("state/ledger.db"); }
    std::vector<std::string> files() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.file("state")))
            out.push_back(entry.path().string());
        return out;
    }
    // Of the hashes.
    std::string key_file() const {
        for (const auto& file : files())
            if (std::filesystem::file_size(file) == 32) return file;
        ADD_FAILURE() << "no key file";
        return "";
    }
    contact_store& store() { return book_->contacts(); }

    std::uint64_t put(const std::string& id, std::vector<contact_record::key> keys, instant seen, bool whole = true,
                      const contact_team& team = ours) {
        contact_record one;
        one.id = id;
        one.keys = std::move(keys);
        one.whole = whole;
        return must(store().put(team, std::vector{one}, seen, {seen, std::nullopt}));
    }
    std::vector<std::string> holders(key_kind kind, const std::string& key, const contact_team& team = ours) {
        std::vector<std::string> out;
        for (const auto& match : must(store().find(team, kind, key)))
            out.push_back(match.id);
        return out;
    }
    std::vector<std::string> of(const std::string& address) { return holders(key_kind::email, address); }
    void drop_unseen(instant since) {
        int steps = 0;
        while (must(store().drop_some_unseen(ours, since)))
            ASSERT_LT(++steps, 100);
    }

    const std::string a = contact_id(1), b = contact_id(2), c = contact_id(3);
    temporary_folder folder_;
    std::unique_ptr<ledger> book_;
};

TEST_F(ContactStore, KeysMoveFromOneContactToAnother) {
    open();
    put(a, {email("info@x.example"), salesforce("0035g0000000001")}, at_second(10));
    put(b, {email("bob@x.example")}, at_second(10));
    EXPECT_THAT(of("info@x.example"), ElementsAre(a));
    put(a, {salesforce("0035g0000000001")}, at_second(20));
    put(b, {email("bob@x.example"), email("info@x.example", false)}, at_second(20));
    EXPECT_THAT(of("info@x.example"), ElementsAre(b));
    EXPECT_FALSE(must(store().find(ours, key_kind::email, "info@x.example")).front().primary);
    EXPECT_THAT(holders(key_kind::salesforce_id, "0035g0000000001"), ElementsAre(a));
    EXPECT_THAT(holders(key_kind::hubspot_id, "0035g0000000001"), IsEmpty()) << "kinds are apart";
    // Removed, and given back.
    put(a, {email("info@x.example"), salesforce("0035g0000000001")}, at_second(30));
    EXPECT_THAT(of("info@x.example"), ElementsAre(a, b));
    put(b, {email("info@x.example"), email("info@x.example", false)}, at_second(40));
    EXPECT_THAT(of("bob@x.example"), IsEmpty());
    for (const auto& match : must(store().find(ours, key_kind::email, "info@x.example")))
        EXPECT_TRUE(match.primary);
    EXPECT_EQ(must(store().count(ours)), 2u);
}

TEST_F(ContactStore, WhatIsNotWholeAddsToWhatIsKnown) {
    open();
    put(a, {email("ada@x.example"), salesforce("0035g0000000001")}, at_second(10));
    put(a, {email("ada@home.example", false)}, at_second(20), false);
    EXPECT_THAT(of("ada@x.example"), ElementsAre(a));
    EXPECT_THAT(of("ada@home.example"), ElementsAre(a));
    // And what Apollo shows afterwards is all that there is.
    put(a, {email("ada@x.example"), salesforce("0035g0000000001")}, at_second(30));
    EXPECT_THAT(of("ada@home.example"), IsEmpty());
    EXPECT_THAT(holders(key_kind::salesforce_id, "0035g0000000001"), ElementsAre(a));
    put(b, {}, at_second(10), false);
    put(b, {email("bob@x.example")}, at_second(11), false);
    put(b, {email("bob@x.example")}, at_second(12));
    EXPECT_THAT(of("bob@x.example"), ElementsAre(b));
    put(b, {}, at_second(13));
    EXPECT_THAT(of("bob@x.example"), IsEmpty());
}

TEST_F(ContactStore, CountsWhatIsNewAndExistedThen) {
    open();
    const auto counted = [&](const std::string& id, int seen, int since, std::optional<int> created,
                             std::optional<int> before) {
        contact_record one;
        one.id = id;
        if (created) one.created_at = at_second(*created);
        return must(store().put(ours, std::vector{one}, at_second(seen),
                                {at_second(since), before ? std::optional(at_second(*before)) : std::nullopt}));
    };
    EXPECT_EQ(counted(a, 10, 5, 1, 9), 1u);
    EXPECT_EQ(counted(a, 11, 5, 1, 9), 0u) << "seen since";
    EXPECT_EQ(counted(a, 12, 12, 1, 9), 1u) << "of another reading";
    EXPECT_EQ(counted(b, 12, 12, 9, 9), 0u) << "created since";
    EXPECT_EQ(counted(b, 13, 12, 9, std::nullopt), 0u) << "and seen";
    EXPECT_EQ(counted(c, 13, 12, std::nullopt, 9), 1u);
    // What was seen later is not seen earlier by an older answer.
    EXPECT_EQ(counted(a, 3, 2, 1, 9), 0u);
    EXPECT_EQ(must(store().seen(ours, a)), at_second(12));
}

TEST_F(ContactStore, TwoContactsAtOnceInOnePageAreOneWhereTheyAreOne) {
    open();
    contact_record one;
    one.id = a;
    one.keys = {email("ada@x.example")};
    EXPECT_EQ(must(store().put(ours, std::vector{one, one}, at_second(10), {at_second(10), std::nullopt})), 1u);
    EXPECT_EQ(must(store().count(ours)), 1u);
}

TEST_F(ContactStore, TeamsDoNotSeeEachOther) {
    open();
    put(a, {email("ada@x.example")}, at_second(10));
    must(store().note_absent(ours, key_kind::email, "nobody@x.example", at_second(10)));
    EXPECT_THAT(holders(key_kind::email, "ada@x.example", theirs), IsEmpty());
    EXPECT_FALSE(must(store().seen(theirs, a)));
    EXPECT_FALSE(must(store().absent_since(theirs, key_kind::email, "nobody@x.example")));
    put(a, {email("other@x.example")}, at_second(20), true, theirs);
    EXPECT_THAT(of("ada@x.example"), ElementsAre(a));
    EXPECT_THAT(of("other@x.example"), IsEmpty());
    must(store().drop(theirs, a));
    EXPECT_THAT(of("ada@x.example"), ElementsAre(a));
    while (must(store().drop_some_unseen(theirs, at_second(100)))) {
    }
    EXPECT_THAT(of("ada@x.example"), ElementsAre(a));
    EXPECT_TRUE(must(store().absent_since(ours, key_kind::email, "nobody@x.example")));
}

TEST_F(ContactStore, WhatIsAbsentIsRememberedByKindAndForgottenWithTheNextReading) {
    open();
    must(store().note_absent(ours, std::nullopt, a, at_second(10)));
    must(store().note_absent(ours, key_kind::email, "nobody@x.example", at_second(10)));
    must(store().note_absent(ours, key_kind::email, "nobody@x.example", at_second(30)));
    EXPECT_EQ(must(store().absent_since(ours, std::nullopt, a)), at_second(10));
    EXPECT_EQ(must(store().absent_since(ours, key_kind::email, "nobody@x.example")), at_second(30));
    EXPECT_FALSE(must(store().absent_since(ours, key_kind::email, a)));
    drop_unseen(at_second(20));
    EXPECT_FALSE(must(store().absent_since(ours, std::nullopt, a)));
    EXPECT_TRUE(must(store().absent_since(ours, key_kind::email, "nobody@x.example")));
}

// A contact's number is never another's: else the keys of one that is gone would be those of the next.
TEST_F(ContactStore, KeysOfAContactThatIsGoneAreNobodys) {
    open();
    put(a, {email("ada@x.example")}, at_second(10));
    put(b, {email("bob@x.example")}, at_second(10));
    must(store().drop(ours, b));
    EXPECT_FALSE(must(store().seen(ours, b)));
    put(c, {email("cay@x.example")}, at_second(20));
    EXPECT_THAT(of("bob@x.example"), IsEmpty());
    drop_unseen(at_second(15));
    EXPECT_THAT(of("ada@x.example"), IsEmpty());
    EXPECT_THAT(of("cay@x.example"), ElementsAre(c));
    EXPECT_EQ(must(store().count(ours)), 1u);
    must(store().forget_all());
    EXPECT_EQ(must(store().count(ours)), 0u);
    put(b, {}, at_second(30));
    EXPECT_THAT(of("cay@x.example"), IsEmpty());
}

TEST_F(ContactStore, ManyThatWereNotSeenGoInSteps) {
    open();
    std::vector<contact_record> all;
    for (std::uint64_t i = 0; i < 2200; ++i) {
        auto& one = all.emplace_back();
        one.id = contact_id(i + 1);
        one.keys = {email("p" + std::to_string(i) + "@x.example")};
    }
    must(store().put(ours, all, at_second(10), {at_second(10), std::nullopt}));
    all.resize(100);
    must(store().put(ours, all, at_second(20), {at_second(20), std::nullopt}));
    EXPECT_TRUE(must(store().drop_some_unseen(ours, at_second(20))));
    EXPECT_GT(must(store().count(ours)), 100u);
    drop_unseen(at_second(20));
    EXPECT_EQ(must(store().count(ours)), 100u);
    EXPECT_THAT(of("p99@x.example"), ElementsAre(contact_id(100)));
    EXPECT_THAT(of("p100@x.example"), IsEmpty());
}

TEST_F(ContactStore, IdsThatAreNoObjectIdsAreKeptAsTheyAre) {
    open();
    for (const std::string id : {"c1", "66e34b81740c50074e3d1bd", "66E34B81740C50074E3D1BD4", "abc def"}) {
        put(id, {email(id + "@x.example")}, at_second(10));
        EXPECT_THAT(of(id + "@x.example"), ElementsAre(id));
        EXPECT_TRUE(must(store().seen(ours, id)));
    }
    EXPECT_EQ(must(store().count(ours)), 4u);
}

TEST_F(ContactStore, AnIndexIsKeptAsItWasSaved) {
    open();
    EXPECT_EQ(must(store().index(ours)), contact_index());
    contact_index index;
    index.read_at = at_second(5);
    index.as_of = at_second(6);
    index.total = 7;
    index.unseen = 1;
    index.gap = "1 of 7 contacts were not shown";
    index.reading = "anything";
    must(store().save_index(ours, index));
    open();
    EXPECT_EQ(must(store().index(ours)), index);
    EXPECT_EQ(must(store().index(theirs)), contact_index());
    EXPECT_FALSE(index.complete());
}

TEST_F(ContactStore, NoKeyStandsInTheFilesOfTheLedger) {
    open();
    std::vector<std::string> words;
    for (std::uint64_t i = 0; i < 30; ++i) {
        const auto name = "unlikely-" + std::to_string(i * 7919);
        put(contact_id(i + 1),
            {email(name + "@x.example"),
             salesforce("0035g0000" + std::to_string(100'000 + i)),
             {key_kind::hubspot_id, std::to_string(90'000'000 + i), true},
             {key_kind::linkedin_url, "in/" + name, true}},
            at_second(10));
        must(store().note_absent(ours, key_kind::email, name + "@nowhere.example", at_second(10)));
        words.insert(words.end(), {name, "0035g0000" + std::to_string(100'000 + i), std::to_string(90'000'000 + i)});
    }
    const auto key = key_file();
    struct stat state {};
    ASSERT_EQ(::stat(key.c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0600u);
    std::string secret;
    for (const auto& file : files()) {
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        if (file == key) {
            secret = bytes;
            continue;
        }
        for (const auto& word : words)
            ASSERT_EQ(bytes.find(word), std::string::npos) << word << " in " << file;
        EXPECT_EQ(bytes.find("x.example"), std::string::npos) << file;
    }
    for (const auto& file : files()) {
        if (file == key) continue;
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        EXPECT_EQ(bytes.find(secret), std::string::npos);
    }
}

TEST_F(ContactStore, WithALostKeyContactsAreReadAgain) {
    open();
    put(a, {email("ada@x.example")}, at_second(10));
    contact_index index;
    index.read_at = index.as_of = at_second(10);
    must(store().save_index(ours, index));
    const auto key = key_file();
    book_.reset();
    std::filesystem::remove(key);
    // Who only looks finds nothing.
    open(witness_check::ignored);
    EXPECT_THAT(of("ada@x.example"), IsEmpty());
    EXPECT_EQ(must(store().index(ours)), contact_index()) << "a complete index without keys would call all missing";
    EXPECT_EQ(must(store().count(ours)), 0u);
    open();
    EXPECT_EQ(must(store().index(ours)), contact_index());
    EXPECT_THAT(of("ada@x.example"), IsEmpty());
    EXPECT_FALSE(must(store().seen(ours, a)));
    put(b, {email("ada@x.example")}, at_second(20));
    EXPECT_THAT(of("ada@x.example"), ElementsAre(b));
    EXPECT_EQ(must(store().count(ours)), 1u);
}

TEST_F(ContactStore, WithAnothersKeyContactsAreReadAgain) {
    open();
    put(a, {email("ada@x.example")}, at_second(10));
    must(store().note_absent(ours, key_kind::email, "nobody@x.example", at_second(10)));
    const auto key = key_file();
    book_.reset();
    std::ofstream(key, std::ios::binary | std::ios::trunc) << std::string(32, 'k');
    open();
    EXPECT_THAT(of("ada@x.example"), IsEmpty());
    put(b, {}, at_second(20));
    EXPECT_FALSE(must(store().absent_since(ours, key_kind::email, "nobody@x.example")));
    EXPECT_EQ(must(store().count(ours)), 1u);
    book_.reset();
    std::ofstream(key, std::ios::binary | std::ios::trunc) << "short";
    open();
    const auto damaged = store().find(ours, key_kind::email, "ada@x.example");
    ASSERT_FALSE(damaged);
    EXPECT_THAT(damaged.error().text, testing::HasSubstr("is damaged; move it away"));
}

TEST_F(ContactStore, WhoOnlyLooksSeesWhatIsKnown) {
    open();
    put(a, {email("ada@x.example")}, at_second(10));
    open(witness_check::ignored);
    EXPECT_THAT(of("ada@x.example"), ElementsAre(a));
    EXPECT_EQ(must(store().count(ours)), 1u);
}

}  // namespace
}  // namespace taskbarge::ledger
