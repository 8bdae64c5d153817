#include "job/isolation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

namespace taskbarge::job {
namespace {

using core::chunk_state;
using ledger::chunk_record;
using ledger::chunk_update;

// What Apollo refuses, and in which words.
struct refusing_apollo {
    std::set<std::string> bad_contacts;
    bool bad_details = false;
    bool names_them = false;
    std::size_t most_contacts = 0;  // 0: any number

    enum class kind { created, refused, too_many };
    std::pair<kind, std::string> answer(const chunk_record& chunk) const {
        if (most_contacts > 0 && chunk.contacts.size() > most_contacts) return {kind::too_many, "too many contacts"};
        if (bad_details) return {kind::refused, "user is invalid"};
        std::string named;
        for (const auto listed : chunk.contacts.contact_ids) {
            const std::string id(listed);
            if (bad_contacts.contains(id)) named += " " + id;
        }
        if (named.empty()) return {kind::created, ""};
        return {kind::refused, names_them ? "contacts not found:" + named : "contacts not found"};
    }
};

core::chunk_rows first_rows(const chunk_record& chunk, std::ptrdiff_t count) {
    const auto& all = chunk.contacts;
    return {{all.contact_ids.begin(), all.contact_ids.begin() + count},
            {all.rows.begin(), all.rows.begin() + count},
            {all.lines.begin(), all.lines.begin() + count}};
}

std::string contact(std::size_t i) {
    return fmt::format("{:024x}", i);
}

// Drives one group's chunks to their ends as a run does, counting the requests.
class Isolation : public ::testing::Test {
 protected:
    void plan(std::size_t rows, std::size_t chunk_size) {
        for (std::size_t from = 1; from <= rows; from += chunk_size) {
            chunk_record c;
            c.id = next_id_++;
            c.group = 1;
            c.details.user_id = "66302798d03b9601c7934ebf";
            for (std::size_t i = from; i < std::min(from + chunk_size, rows + 1); ++i) {
                c.contacts.contact_ids.push_back(contact(i));
                c.contacts.rows.push_back(i);
                c.contacts.lines.push_back(i + 1);
            }
            ready_.push_back(std::move(c));
        }
    }

    void run(std::uint64_t budget = 1000) {
        isolation search(budget);
        while (!ready_.empty()) {
            const auto chunk = ready_.front();
            ready_.pop_front();
            if (auto change = search.before_send(chunk, {})) {
                apply(search, chunk, *change);
                if (auto sibling = search.release_sibling(chunk)) ready_.push_back(*sibling);
                continue;
            }
            search.sending(chunk);
            send(search, chunk);
        }
    }

    std::deque<chunk_record> take_planned() { return std::exchange(ready_, {}); }

    std::set<std::string> failed() const {
        std::set<std::string> out;
        for (const auto& [id, code] : failed_)
            out.insert(id);
        return out;
    }

    refusing_apollo apollo_;
    std::size_t requests_ = 0;
    std::set<std::string> created_;
    std::map<std::string, std::string> failed_;  // contact -> code

 private:
    void send(isolation& search, const chunk_record& chunk) {
        ++requests_;
        const auto [what, words] = apollo_.answer(chunk);
        verdict v;
        v.update.chunk = chunk.id;
        v.update.attempts = chunk.attempts + 1;
        v.report.message = words;
        v.report.code = "refused_422";
        if (what == refusing_apollo::kind::created) {
            v.what = consequence::progress;
            v.update.state = chunk_state::created;
        } else {
            v.what = consequence::refusal;
            v.update = search.after_refusal(chunk, v, what == refusing_apollo::kind::too_many, !created_.empty(), {});
        }
        apply(search, chunk, v.update);
        if (auto sibling = search.outcome(chunk, v)) ready_.push_back(*sibling);
    }

    void apply(isolation& search, const chunk_record& chunk, const chunk_update& update) {
        std::size_t placed = 0;
        if (update.state != chunk_state::split) placed = settle(chunk, update.state, update.code);
        for (const auto& child : update.children) {
            chunk_record c;
            c.id = next_id_++;
            c.parent = chunk.id;
            c.group = chunk.group;
            c.details = chunk.details;
            c.code = child.code;
            for (const auto i : child.indexes) {
                c.contacts.contact_ids.push_back(chunk.contacts.contact_ids[i]);
                c.contacts.rows.push_back(chunk.contacts.rows[i]);
                c.contacts.lines.push_back(chunk.contacts.lines[i]);
            }
            placed += child.indexes.size();
            if (child.state == chunk_state::refused)
                settle(c, child.state, child.code);
            else if (!search.keep_back(c))
                ready_.push_back(std::move(c));
        }
        EXPECT_EQ(placed, chunk.contacts.size()) << "every row goes to one place";
    }

    std::size_t settle(const chunk_record& chunk, chunk_state state, const std::string& code) {
        for (const auto listed : chunk.contacts.contact_ids) {
            const std::string id(listed);
            EXPECT_FALSE(created_.contains(id) || failed_.contains(id)) << id << " is settled twice";
            if (state == chunk_state::created)
                created_.insert(id);
            else
                failed_.emplace(id, code);
        }
        return chunk.contacts.size();
    }

    core::chunk_id next_id_ = 1;
    std::deque<chunk_record> ready_;
};

TEST_F(Isolation, WithoutRefusalsNothingIsAdded) {
    plan(1000, 100);
    run();
    EXPECT_EQ(requests_, 10u);
    EXPECT_EQ(created_.size(), 1000u);
}

TEST_F(Isolation, OneBadContactAmongGoodOnesIsFoundByHalving) {
    for (const std::size_t bad : {101u, 137u, 150u, 200u}) {
        requests_ = 0;
        created_.clear();
        failed_.clear();
        apollo_.bad_contacts = {contact(bad)};
        plan(1000, 100);
        run();
        EXPECT_EQ(failed(), apollo_.bad_contacts);
        EXPECT_EQ(created_.size(), 999u);
        // At most two for each of the seven halvings of a hundred, and the contact alone.
        EXPECT_LE(requests_, 10u + 15u) << "contact " << bad;
    }
}

TEST_F(Isolation, TheVeryFirstContactIsProbedAloneBecauseTheDetailsAreUnproven) {
    apollo_.bad_contacts = {contact(1)};
    plan(100, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    // All of them, the first alone, the second alone (which proves the details), the rest.
    EXPECT_EQ(requests_, 4u);
}

TEST_F(Isolation, AContactThatTheTextNamesCostsTwoRequests) {
    apollo_.bad_contacts = {contact(150)};
    apollo_.names_them = true;
    plan(1000, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(requests_, 12u) << "the refused request is repeated without the contact, and the contact asked for alone";
}

TEST_F(Isolation, SeveralBadContactsAreAllFound) {
    apollo_.bad_contacts = {contact(1), contact(110), contact(111), contact(199), contact(1000)};
    plan(1000, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(created_.size(), 995u);
}

TEST_F(Isolation, BadDetailsCostFourRequestsForTheWholeGroup) {
    apollo_.bad_details = true;
    plan(1000, 100);
    run();
    EXPECT_EQ(failed_.size(), 1000u);
    EXPECT_LE(requests_, 10u + 3u) << "ten were on their way at once; three contacts alone condemn the details";
}

TEST_F(Isolation, BadContactsAtTheBeginningDoNotCondemnTheDetails) {
    for (std::size_t i = 1; i <= 10; ++i)
        apollo_.bad_contacts.insert(contact(i));
    for (std::size_t chunk = 1; chunk < 10; ++chunk)
        apollo_.bad_contacts.insert(contact(100 * chunk + 1));
    plan(1000, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(created_.size(), 981u);
}

TEST_F(Isolation, ACapOnContactsHalvesTheRequestsForTheRestOfTheJob) {
    apollo_.most_contacts = 30;
    plan(200, 100);
    run();
    EXPECT_EQ(created_.size(), 200u);
    // 100 and 50 are refused; the others are cut to 25 before they are sent.
    EXPECT_LE(requests_, 8u + 4u);
}

TEST_F(Isolation, ALargerRequestStillUnderWayDoesNotRaiseTheCap) {
    isolation search(1000);
    plan(300, 100);
    const auto chunks = take_planned();
    verdict v;
    (void)search.after_refusal(chunks[0], v, true, false, {});
    auto half = chunks[1];
    half.contacts = first_rows(half, 50);
    (void)search.after_refusal(half, v, true, false, {});
    const auto late = search.after_refusal(chunks[2], v, true, false, {});
    EXPECT_EQ(late.children.size(), 4u) << "of 25 contacts each";
}

TEST_F(Isolation, AContactRefusedBeforeTheDetailsWereProvenIsNotAskedForAgain) {
    isolation search(1000);
    plan(2, 1);
    const auto chunks = take_planned();
    verdict refused;
    refused.what = consequence::refusal;
    refused.report.message = "not found";
    refused.update = search.after_refusal(chunks[0], refused, false, false, {});
    (void)search.outcome(chunks[0], refused);
    auto elsewhere = chunks[0];
    elsewhere.id = 50;
    elsewhere.group = 2;
    EXPECT_FALSE(search.before_send(elsewhere, {})) << "it may have been the details";
    verdict created;
    created.what = consequence::progress;
    created.update.state = chunk_state::created;
    (void)search.outcome(chunks[1], created);
    const auto change = search.before_send(elsewhere, {});
    ASSERT_TRUE(change);
    EXPECT_EQ(change->state, chunk_state::refused);
    EXPECT_EQ(change->code, "contact_refused");
}

TEST_F(Isolation, AnOwnerThatIsRefusedIsNotAskedForWithOtherDetails) {
    for (const char* words : {"User not found", "owner 66302798d03b9601c7934ebf is deactivated"}) {
        isolation search(1000);
        ledger::learnt_refusals learnt;
        for (std::size_t i = 1; i <= 3; ++i)
            learnt.refused_alone.push_back({contact(i), 1, "66302798d03b9601c7934ebf", words, false});
        search.recall(learnt);
        plan(1, 1);
        auto chunk = take_planned().front();
        chunk.group = 9;
        const auto change = search.before_send(chunk, {});
        ASSERT_TRUE(change) << words;
        EXPECT_EQ(change->code, "details_refused");
    }
}

TEST_F(Isolation, AnOwnerIsNotBlamedForOtherFieldsNorWhereSomethingWasCreatedForHim) {
    plan(1, 1);
    auto chunk = take_planned().front();
    chunk.group = 9;
    for (const bool created_before : {false, true}) {
        isolation search(1000);
        ledger::learnt_refusals learnt;
        if (created_before) learnt.refused_alone.push_back({contact(9), 2, chunk.details.user_id, "x", true});
        for (std::size_t i = 1; i <= 3; ++i)
            learnt.refused_alone.push_back({contact(i), 1, chunk.details.user_id,
                                            created_before ? "User not found" : "user may not have tasks of this type",
                                            false});
        search.recall(learnt);
        chunk.contacts.contact_ids = {contact(77)};
        EXPECT_FALSE(search.before_send(chunk, {}));
    }
}

TEST_F(Isolation, WhatAnEarlierRunHasLearntIsNotAskedAgain) {
    isolation search(10);
    search.recall({40, 10, {{contact(3), 1, "66302798d03b9601c7934ebf", "not found", true}}});
    plan(100, 100);
    auto chunk = take_planned().front();
    const auto dropped = search.before_send(chunk, {});
    ASSERT_TRUE(dropped);
    ASSERT_EQ(dropped->children.size(), 2u);
    EXPECT_EQ(dropped->children[0].indexes, std::vector<std::uint32_t>{2});
    EXPECT_EQ(dropped->children[0].state, chunk_state::refused);
    const auto& ids = chunk.contacts.contact_ids;
    std::vector<std::string> others(ids.begin(), ids.end());
    others[2] = contact(3000);
    chunk.contacts.contact_ids = {others.begin(), others.end()};
    EXPECT_EQ(search.before_send(chunk, {})->children.size(), 3u) << "40, 40 and 20";
    chunk.code = isolating;
    chunk.contacts = first_rows(chunk, 30);
    EXPECT_EQ(search.before_send(chunk, {})->code, "not_isolated") << "the budget is that of the job";
}

TEST_F(Isolation, PastItsBudgetRowsFailAsNotIsolated) {
    apollo_.bad_contacts = {contact(150)};
    plan(1000, 100);
    run(2);
    EXPECT_TRUE(failed().contains(contact(150)));
    std::size_t not_isolated = 0;
    for (const auto& [id, code] : failed_)
        not_isolated += code == "not_isolated" ? 1 : 0;
    EXPECT_GT(not_isolated, 0u);
    EXPECT_EQ(created_.size() + failed_.size(), 1000u);
}

}  // namespace
}  // namespace taskbarge::job
