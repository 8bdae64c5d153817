#include "job/sending/isolation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <random>
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
    std::string details_words = "user is invalid";
    bool names_them = false;
    std::size_t most_contacts = 0;                  // 0: any number
    std::string limit_words = "too many contacts";  // hints are taken from a few of them
    bool limit_is_hinted = true;

    enum class kind { created, refused, too_many };
    std::pair<kind, std::string> answer(const chunk_record& chunk) const {
        if (most_contacts > 0 && chunk.contacts.size() > most_contacts)
            return {limit_is_hinted ? kind::too_many : kind::refused, limit_words};
        if (bad_details) return {limit_is_hinted ? kind::too_many : kind::refused, details_words};
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
            planned_[c.id] = c;
            ready_.push_back(std::move(c));
        }
    }

    // As a run does: clean chunks first, then the latest search. `kills`: the process forgets all now and then.
    void run(std::optional<std::uint64_t> budget = std::nullopt, std::size_t kill_every = 0) {
        search_.emplace(budget);
        search_->recall_limit(limit_, {});
        while (!ready_.empty()) {
            if (kill_every > 0 && ++steps_ % kill_every == 0) kill(budget);
            const auto next = next_ready();
            const auto chunk = *next;
            ready_.erase(next);
            if (auto change = search_->before_send(chunk, {})) {
                apply(chunk, *change);
                if (auto rest = search_->release_rest(chunk)) ready_.push_back(*rest);
                continue;
            }
            search_->sending(chunk);
            send(chunk);
        }
        EXPECT_TRUE(planned_.empty()) << "a chunk is forgotten";
        limit_ = search_->limit();
    }

    // Another job.
    void begin_anew() {
        requests_ = 0;
        created_.clear();
        failed_.clear();
        learnt_ = {};
        planned_.clear();
        ended_.clear();
    }

    std::deque<chunk_record> take_planned() {
        planned_.clear();
        return std::exchange(ready_, {});
    }

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

    std::optional<ledger::contact_limit> limit_;  // as the ledger keeps it for the team

 private:
    std::deque<chunk_record>::iterator next_ready() {
        auto latest = ready_.end(), doomed = ready_.end();
        for (auto at = ready_.begin(); at != ready_.end(); ++at) {
            if (at->code == isolating)
                latest = at;
            else if (!search_->better_later(*at))
                return at;
            else if (doomed == ready_.end())
                doomed = at;
        }
        return latest != ready_.end() ? latest : doomed;
    }

    // What is planned is read again, and what was learnt.
    void kill(std::optional<std::uint64_t> budget) {
        ready_.clear();
        const auto limit = search_->limit();
        search_.emplace(budget);
        learnt_.created_rows = created_.size();
        learnt_.open_sets = learnt_.open_contacts = 0;
        for (auto& refused : learnt_.refused_alone)
            refused.proven = !created_.empty();
        for (const auto& [id, chunk] : planned_) {
            learnt_.open_sets += chunk.mark.suspects > 0 ? 1 : 0;
            learnt_.open_contacts += chunk.mark.suspects;
        }
        search_->recall(learnt_);
        search_->recall_limit(limit, {});
        for (auto [id, chunk] : planned_) {
            if (chunk.partner != 0)
                chunk.partner_state =
                    planned_.contains(chunk.partner) ? chunk_state::planned : ended_.at(chunk.partner);
            take_in(std::move(chunk));
        }
    }

    void take_in(chunk_record chunk) {
        if (auto next = search_->take_in(std::move(chunk))) ready_.push_back(std::move(*next));
    }

    void send(const chunk_record& chunk) {
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
            learnt_.most_created = std::max(learnt_.most_created, static_cast<std::uint32_t>(chunk.contacts.size()));
        } else {
            v.what = consequence::refusal;
            v.update = search_->after_refusal(chunk, v, what == refusing_apollo::kind::too_many, !created_.empty(), {});
            if (chunk.contacts.size() == 1)
                learnt_.refused_alone.push_back({std::string(chunk.contacts.contact_ids.front()), chunk.group,
                                                 chunk.details.user_id, words, !created_.empty()});
        }
        const auto children = settle_update(chunk, v.update);
        if (auto rest = search_->outcome(chunk, v, {})) ready_.push_back(*rest);
        for (const auto& child : children)
            take_in(child);
        if (v.update.state != chunk_state::planned) return;
        auto again = chunk;
        again.code = v.update.code;
        again.mark = v.update.mark.value_or(chunk.mark);
        planned_[again.id] = again;
        ready_.push_back(std::move(again));
    }

    void apply(const chunk_record& chunk, const chunk_update& update) {
        for (auto& child : settle_update(chunk, update))
            take_in(std::move(child));
    }

    // As the ledger does. Gives the planned children.
    std::vector<chunk_record> settle_update(const chunk_record& chunk, const chunk_update& update) {
        planned_.erase(chunk.id);
        ended_[chunk.id] = update.state;
        std::vector<chunk_record> children;
        if (update.state == chunk_state::planned) return children;
        std::size_t placed = 0;
        if (update.state != chunk_state::split) placed = settle(chunk, update.state, update.code);
        for (const auto& child : update.children) {
            const bool last = &child == &update.children.back();
            chunk_record c;
            c.id = next_id_++;
            c.parent = chunk.id;
            c.group = chunk.group;
            c.details = chunk.details;
            c.code = child.code;
            c.mark = child.mark;
            if (update.pairs && (last || &child + 1 == &update.children.back())) {
                c.partner = last ? c.id - 1 : c.id + 1;
                c.partner_state = chunk_state::planned;
            }
            const auto add = [&c](const core::chunk_rows& from, std::size_t i) {
                c.contacts.contact_ids.push_back(from.contact_ids[i]);
                c.contacts.rows.push_back(from.rows[i]);
                c.contacts.lines.push_back(from.lines[i]);
            };
            for (const auto i : child.indexes)
                add(chunk.contacts, i);
            placed += child.indexes.size();
            if (last && update.joined != 0) {
                const auto rest = planned_.extract(update.joined).mapped();
                EXPECT_EQ(rest.partner, chunk.id);
                EXPECT_GT(rest.contacts.rows.front(), c.contacts.rows.back());
                for (std::size_t i = 0; i < rest.contacts.size(); ++i)
                    add(rest.contacts, i);
                ended_[rest.id] = chunk_state::split;
            }
            if (child.state == chunk_state::refused) {
                settle(c, child.state, child.code);
            } else {
                planned_[c.id] = c;
                children.push_back(std::move(c));
            }
        }
        EXPECT_EQ(placed, chunk.contacts.size()) << "every row goes to one place";
        return children;
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

    std::optional<isolation> search_;
    std::size_t steps_ = 0;
    std::map<core::chunk_id, chunk_record> planned_;  // what the ledger has
    std::map<core::chunk_id, chunk_state> ended_;
    ledger::learnt_refusals learnt_;
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
        begin_anew();
        apollo_.bad_contacts = {contact(bad)};
        plan(1000, 100);
        run();
        EXPECT_EQ(failed(), apollo_.bad_contacts);
        EXPECT_EQ(created_.size(), 999u);
        // Seven halvings of a hundred, the contact alone and what is left.
        EXPECT_LE(requests_, 10u + 10u) << "contact " << bad;
    }
}

TEST_F(Isolation, TheVeryFirstContactIsProbedAloneBecauseTheDetailsAreUnproven) {
    apollo_.bad_contacts = {contact(1)};
    plan(100, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    // All of them, the first alone, the last alone (which proves the details), the rest in two.
    EXPECT_LE(requests_, 5u);
}

TEST_F(Isolation, AContactThatTheTextNamesCostsTwoRequests) {
    apollo_.bad_contacts = {contact(150)};
    apollo_.names_them = true;
    plan(1000, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(requests_, 12u) << "the refused request is repeated without the contact, and the contact asked for alone";
}

TEST_F(Isolation, ContactsThatTheTextNamesCostNothingOfTheBudget) {
    apollo_.bad_contacts = {contact(150), contact(160), contact(199)};
    apollo_.names_them = true;
    plan(1000, 100);
    run(0);
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(created_.size(), 997u);
    EXPECT_EQ(requests_, 10u + 1u + 3u) << "the others again, and each that is named alone";
}

TEST_F(Isolation, SeveralBadContactsAreAllFound) {
    apollo_.bad_contacts = {contact(1), contact(110), contact(111), contact(199), contact(1000)};
    plan(1000, 100);
    run();
    EXPECT_EQ(failed(), apollo_.bad_contacts);
    EXPECT_EQ(created_.size(), 995u);
}

TEST_F(Isolation, BadDetailsCostFiveRequestsForTheWholeGroup) {
    for (const char* words : {"user is invalid", "You have reached the limit of open tasks of your plan",
                              "Insufficient credits", "due_at exceeds the maximum allowed date 20", ""}) {
        for (const bool hinted : {false, true}) {
            begin_anew();
            apollo_.bad_details = true;
            apollo_.details_words = words;
            apollo_.limit_is_hinted = hinted;
            plan(1000, 100);
            run();
            EXPECT_EQ(failed_.size(), 1000u);
            EXPECT_LE(requests_, 2u + 3u) << words << ": two chunks, and three contacts alone condemn the details";
            EXPECT_FALSE(limit_) << words;
        }
    }
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

struct limit_case {
    std::size_t most, rows;
    bool hinted;
    std::string words;
    std::size_t requests;
};

TEST_F(Isolation, ALimitOfContactsIsLearntFromWhatHappensWhateverTheWords) {
    const std::vector<limit_case> cases{{25, 2000, false, "", 80 + 14},
                                        {25, 2000, false, "contact_ids is too long (maximum is 25)", 80 + 14},
                                        {25, 2000, true, "at most 25 contacts", 80 + 7},
                                        {50, 1000, true, "too many contacts", 20 + 3},
                                        {30, 1000, true, "", 40 + 7},
                                        {1, 100, true, "too many contacts", 100 + 9},
                                        {13, 1300, false, "no", 100 + 45}};
    for (const auto& c : cases) {
        begin_anew();
        limit_.reset();
        apollo_.most_contacts = c.most;
        apollo_.limit_words = c.words;
        apollo_.limit_is_hinted = c.hinted;
        plan(c.rows, 100);
        run();
        EXPECT_EQ(created_.size(), c.rows) << c.words;
        EXPECT_LE(requests_, c.requests) << c.most << " " << c.words;
        ASSERT_TRUE(limit_);
        EXPECT_LE(limit_->passes, c.most);
        EXPECT_GT(limit_->refused, c.most);
        // The next job of the team knows.
        const auto first_job = requests_;
        begin_anew();
        plan(c.rows, 100);
        run();
        EXPECT_EQ(created_.size(), c.rows);
        EXPECT_LE(requests_, first_job) << c.most << " " << c.words;
    }
}

TEST_F(Isolation, ALimitThatWasLiftedIsForgottenAfterAWeek) {
    limit_ = ledger::contact_limit{25, 50, core::instant{} - std::chrono::hours(7 * 24)};
    plan(1000, 100);
    run();
    EXPECT_EQ(created_.size(), 1000u);
    EXPECT_EQ(requests_, 10u);
    EXPECT_FALSE(limit_);
}

TEST_F(Isolation, ALimitThatStillHoldsCostsOneRequestAWeek) {
    apollo_.most_contacts = 25;
    limit_ = ledger::contact_limit{25, 26, core::instant{} - std::chrono::hours(7 * 24)};
    plan(1000, 100);
    run();
    EXPECT_EQ(created_.size(), 1000u);
    EXPECT_EQ(requests_, 41u);
    EXPECT_EQ(limit_->shown_at, core::instant{});
}

TEST_F(Isolation, ARefusalThatWasAWhimIsNoLimitForLong) {
    isolation search(std::nullopt);
    plan(300, 100);
    const auto chunks = take_planned();
    verdict refused, created;
    refused.what = consequence::refusal;
    created.what = consequence::progress;
    created.update.state = chunk_state::created;
    refused.update = search.after_refusal(chunks[0], refused, false, true, {});
    EXPECT_EQ(refused.update.state, chunk_state::planned);
    (void)search.outcome(chunks[0], refused, {});
    // All parts of it pass.
    auto last = chunks[0];
    last.contacts = first_rows(chunks[0], 50);
    last.code = isolating;
    last.mark = {0, 100};
    (void)search.outcome(last, created, {});
    ASSERT_TRUE(search.limit());
    EXPECT_FALSE(search.before_send(chunks[1], {})) << "one more of that size";
    search.sending(chunks[1]);
    EXPECT_TRUE(search.before_send(chunks[2], {})) << "and no other meanwhile";
    (void)search.outcome(chunks[1], created, {});
    EXPECT_FALSE(search.limit());
    EXPECT_FALSE(search.before_send(chunks[2], {}));
}

std::set<std::string> some_of(std::size_t rows, double share, bool clustered, unsigned seed) {
    std::mt19937 random(seed);
    std::set<std::string> out;
    const auto count = static_cast<std::size_t>(std::lround(static_cast<double>(rows) * share));
    while (out.size() < count) {
        const std::size_t first = 1 + random() % rows;
        const std::size_t run = clustered ? 1 + random() % 9 : 1;
        for (std::size_t i = first; i < first + run && i <= rows && out.size() < count; ++i)
            out.insert(contact(i));
    }
    return out;
}

// For each chunk the refused request and a yes or no for each halving of the possibilities, rounded up.
std::size_t least_requests(const std::set<std::string>& bad, std::size_t rows) {
    double sum = 0;
    for (std::size_t from = 1; from <= rows; from += 100) {
        int k = 0;
        for (std::size_t i = from; i < from + 100; ++i)
            k += bad.contains(contact(i)) ? 1 : 0;
        const double ways = std::lgamma(101.0) - std::lgamma(k + 1.0) - std::lgamma(101.0 - k);
        sum += 1 + std::ceil(ways / std::log(2.0) - 1e-9);
    }
    return static_cast<std::size_t>(sum);
}

TEST_F(Isolation, OneBadRowCostsOneRowHoweverManyThereAre) {
    for (const double share : {0.005, 0.01, 0.03}) {
        for (const bool clustered : {false, true}) {
            for (const std::size_t kills : {0u, 100u}) {
                begin_anew();
                apollo_.bad_contacts = some_of(20000, share, clustered, 7);
                plan(20000, 100);
                run(std::nullopt, kills);
                EXPECT_EQ(failed(), apollo_.bad_contacts);
                EXPECT_EQ(created_.size() + failed_.size(), 20000u);
                const auto least = least_requests(apollo_.bad_contacts, 20000);
                EXPECT_LE(requests_, least * 5 / 4) << share << " " << clustered << " " << kills;
                if (kills == 0)
                    RecordProperty(fmt::format("requests_{}_{}", share, clustered ? "clustered" : "random"),
                                   fmt::format("{} of {}", requests_, least));
            }
        }
    }
}

TEST_F(Isolation, AContactRefusedBeforeTheDetailsWereProvenIsNotAskedForAgain) {
    isolation search(std::nullopt);
    plan(2, 1);
    const auto chunks = take_planned();
    verdict refused;
    refused.what = consequence::refusal;
    refused.report.message = "not found";
    refused.update = search.after_refusal(chunks[0], refused, false, false, {});
    (void)search.outcome(chunks[0], refused, {});
    auto elsewhere = chunks[0];
    elsewhere.id = 50;
    elsewhere.group = 2;
    EXPECT_FALSE(search.before_send(elsewhere, {})) << "it may have been the details";
    verdict created;
    created.what = consequence::progress;
    created.update.state = chunk_state::created;
    (void)search.outcome(chunks[1], created, {});
    const auto change = search.before_send(elsewhere, {});
    ASSERT_TRUE(change);
    EXPECT_EQ(change->state, chunk_state::refused);
    EXPECT_EQ(change->code, "contact_refused");
}

TEST_F(Isolation, AnOwnerThatIsRefusedIsNotAskedForWithOtherDetails) {
    for (const char* words : {"User not found", "owner 66302798d03b9601c7934ebf is deactivated"}) {
        isolation search(std::nullopt);
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
        isolation search(std::nullopt);
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
    search.recall({10, 0, 0, 0, 0, {{contact(3), 1, "66302798d03b9601c7934ebf", "not found", true}}});
    search.recall_limit(ledger::contact_limit{40, 41, {}}, {});
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
    EXPECT_EQ(search.before_send(chunk, {})->children.size(), 3u) << "34, 34 and 32";
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
