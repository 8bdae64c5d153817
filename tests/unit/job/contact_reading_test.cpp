// Reading a list that moves: whatever happens to it, an index is not called complete that misses a contact.
#include "job/contacts/contact_reading.hpp"
#include "support/case_names.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace taskbarge::job {
namespace {

using namespace std::chrono_literals;
using client::contact_search;
using core::instant;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t start_of_day = 1'790'000'000'000;
instant at_ms(std::int64_t ms) {
    return instant(std::chrono::milliseconds(ms));
}

// A team's contacts, by number. Numbers and times of creation grow together.
class moving_list {
 public:
    struct contact {
        std::int64_t created = 0, updated = 0;
        std::uint32_t tie = 0;  // its place among those created or changed at one time
        int stage = 0;          // 0: none
        std::set<int> labels;
    };

    moving_list(std::uint32_t contacts, std::uint64_t seed) : chance_(seed) {
        by_creation_.reserve(contacts);
        for (std::uint32_t i = 0; i < contacts; ++i)
            add(start_of_day - 10'000'000'000 + std::int64_t{i} * 50'000);
    }
    void add(std::int64_t created) {
        const auto number = static_cast<std::uint32_t>(all_.size());
        all_.push_back({created, created, static_cast<std::uint32_t>(chance_()), 1 + static_cast<int>(number % 7), {}});
        by_creation_.push_back(number);
        changed_ = true;
        alive_.push_back(true);
    }
    void arrive() { add(now); }
    void remove(std::uint32_t number) {
        if (!alive_[number]) return;
        alive_[number] = false;
        changed_ = true;
        by_creation_.erase(std::lower_bound(by_creation_.begin(), by_creation_.end(), number));
    }
    void remove_any() {
        if (!by_creation_.empty()) remove(by_creation_[chance_() % by_creation_.size()]);
    }
    void remove_near(double share) {
        if (by_creation_.empty()) return;
        const auto at = static_cast<std::size_t>(share * static_cast<double>(by_creation_.size()));
        remove(by_creation_[std::min(at, by_creation_.size() - 1)]);
    }
    void touch(std::uint32_t number) {
        all_[number].updated = now;
        changed_ = true;
    }
    void touch_any() {
        if (!by_creation_.empty()) touch(by_creation_[chance_() % by_creation_.size()]);
    }
    bool exists(std::uint32_t number) const { return alive_[number]; }
    std::uint64_t size() const { return by_creation_.size(); }
    contact& at(std::uint32_t number) {
        changed_ = true;
        return all_[number];
    }
    const contact& look_at(std::uint32_t number) const { return all_[number]; }
    const std::vector<std::uint32_t>& numbers() const { return by_creation_; }
    std::uint64_t draw(std::uint64_t below) { return chance_() % below; }

    // Contacts created at one time stand in another order each time.
    bool unstable_ties = false;
    std::int64_t now = start_of_day;

    struct shown {
        std::vector<std::uint32_t> numbers;
        std::uint64_t total = 0;
    };
    shown page(const contact_search& ask) {
        const auto* list = &by_creation_;
        const bool by_change = ask.order == client::contact_order::updated_at;
        if (!ask.stage_id.empty() || by_change || unstable_ties) list = &part_of(ask, by_change);
        shown out;
        out.total = list->size();
        const auto first = std::uint64_t{ask.page - 1} * ask.per_page;
        for (auto i = first; i < list->size() && i < first + ask.per_page; ++i)
            out.numbers.push_back(ask.ascending ? (*list)[i] : (*list)[list->size() - 1 - i]);
        return out;
    }

 private:
    // Made once, until something changes.
    const std::vector<std::uint32_t>& part_of(const contact_search& ask, bool by_change) {
        const auto name = ask.stage_id + ' ' + ask.label_id + (by_change ? '+' : '-');
        if (changed_ || unstable_ties) parts_.clear();
        changed_ = false;
        const auto [at, fresh] = parts_.try_emplace(name);
        auto& part = at->second;
        if (!fresh) return part;
        for (const auto n : by_creation_) {
            if (!ask.stage_id.empty() && fmt::format("s{}", all_[n].stage) != ask.stage_id) continue;
            if (!ask.label_id.empty() && all_[n].labels.count(std::stoi(ask.label_id.substr(1))) == 0) continue;
            part.push_back(n);
        }
        if (by_change)
            std::sort(part.begin(), part.end(),
                      [this](auto a, auto b) { return std::pair(all_[a].updated, a) < std::pair(all_[b].updated, b); });
        if (unstable_ties) {
            const auto turn = static_cast<std::uint32_t>(chance_());
            std::sort(part.begin(), part.end(), [&](auto a, auto b) {
                return std::pair(all_[a].created, all_[a].tie ^ turn) < std::pair(all_[b].created, all_[b].tie ^ turn);
            });
        }
        return part;
    }

    std::mt19937_64 chance_;
    std::map<std::string, std::vector<std::uint32_t>> parts_;
    bool changed_ = true;
    std::vector<contact> all_;
    std::vector<bool> alive_;
    std::vector<std::uint32_t> by_creation_;
};

// What happens between two requests, and to answers.
struct weather {
    std::function<void(moving_list&)> before_request = [](moving_list&) {};
    std::function<void(moving_list::shown&, const contact_search&)> answer = [](moving_list::shown&,
                                                                                const contact_search&) {};
    std::chrono::milliseconds clock_ahead = 0ms;  // that of the answers' dates
    std::size_t together = 4;
    bool shuffled = false;   // requests that are made together are served in any order
    std::uint64_t lost = 0;  // one in so many answers does not come
    bool killed = false;     // after each answer the reading is another process's
    std::uint64_t most_requests = 4000;
};

// Reads as the finder does; counts as the store does.
class reader_of {
 public:
    reader_of(moving_list& list, weather w) : list_(list), w_(std::move(w)) {}

    contact_reading read(reading_kind kind, std::optional<std::int64_t> since = {}) {
        auto r =
            contact_reading::begin(kind, at_ms(list_.now + 1), since ? std::optional(at_ms(*since)) : std::nullopt);
        existed = list_.numbers();
        while (r.wants() != contact_reading::wanted::nothing && !r.too_many_changes()) {
            if (r.wants() == contact_reading::wanted::stages) {
                r.take_stages({"s1", "s2", "s3", "s4", "s5", "s6", "s7"});
            } else if (r.wants() == contact_reading::wanted::labels) {
                r.take_labels({"l1", "l2", "l3"});
            } else {
                ask(r);
                if (testing::Test::HasFatalFailure()) break;
            }
            if (requests > w_.most_requests) {
                ADD_FAILURE() << "no end after " << requests << " requests";
                break;
            }
            if (w_.killed) {
                const auto text = r.write();
                auto again = contact_reading::read(text);
                EXPECT_TRUE(again) << text;
                EXPECT_EQ(again->write(), text);
                r = *again;
            }
        }
        return r;
    }

    // Of those that were there at the begin and still are.
    std::vector<std::uint32_t> missed() const {
        std::vector<std::uint32_t> out;
        for (const auto n : existed)
            if (list_.exists(n) && seen_.count(n) == 0) out.push_back(n);
        return out;
    }
    bool saw(std::uint32_t number) const { return seen_.count(number) > 0; }
    void see(std::uint32_t number, std::int64_t when) { seen_[number] = when; }

    std::vector<std::uint32_t> existed;
    std::uint64_t requests = 0, lost = 0;

 private:
    void ask(contact_reading& r) {
        const auto asked = r.next(w_.together);
        ASSERT_FALSE(asked.empty());
        ASSERT_LE(asked.size(), w_.together);
        std::vector<std::size_t> order(asked.size());
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = i;
        if (w_.shuffled)
            for (std::size_t i = order.size(); i > 1; --i)
                std::swap(order[i - 1], order[list_.draw(i)]);
        std::vector<moving_list::shown> answers(asked.size());
        for (const auto i : order) {
            ++requests;
            list_.now += 20;
            w_.before_request(list_);
            ASSERT_GE(asked[i].page, 1u);
            ASSERT_LE(asked[i].page, contact_search::most_pages);
            answers[i] = list_.page(asked[i]);
            w_.answer(answers[i], asked[i]);
        }
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (w_.lost > 0 && list_.draw(w_.lost) == 0)
                ++lost;
            else
                take(r, asked[i], answers[i]);
        }
    }
    void take(contact_reading& r, const contact_search& asked, const moving_list::shown& shown) {
        client::contacts_page page;
        page.total_entries = shown.total;
        std::uint64_t fresh = 0;
        const auto began = r.began().time_since_epoch().count();
        for (const auto n : shown.numbers) {
            auto& c = page.contacts.emplace_back();
            c.created_at = at_ms(list_.look_at(n).created);
            c.updated_at = at_ms(list_.look_at(n).updated);
            const auto known = seen_.find(n);
            const bool existed_then = !r.began_there() || *c.created_at < *r.began_there();
            if (existed_then && (known == seen_.end() || known->second < began)) ++fresh;
            seen_[n] = std::max(list_.now, began);
        }
        const auto date = at_ms((list_.now + w_.clock_ahead.count()) / 1000 * 1000);
        r.take(asked, page, at_ms(list_.now), date, fresh);
    }

    moving_list& list_;
    weather w_;
    std::unordered_map<std::uint32_t, std::int64_t> seen_;
};

class ContactReadingOf : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ContactReadingOf, AListAtRestTakesARequestForEachHundred) {
    const auto contacts = GetParam();
    moving_list list(contacts, 1);
    reader_of reader(list, {});
    const auto r = reader.read(reading_kind::all);
    EXPECT_EQ(reader.requests, std::max(1u, (contacts + 99) / 100));
    EXPECT_EQ(reader.requests, contact_reading::requests_for(contacts));
    EXPECT_EQ(r.requests(), reader.requests);
    EXPECT_THAT(r.gap(), IsEmpty());
    EXPECT_EQ(r.total(), contacts);
    EXPECT_EQ(r.seen(), contacts);
    EXPECT_THAT(reader.missed(), IsEmpty());
}

TEST_P(ContactReadingOf, AListIsReadToTheSameEndByManyProcesses) {
    moving_list list(GetParam(), 1);
    weather w;
    w.killed = true;
    w.together = 1;
    reader_of reader(list, w);
    const auto r = reader.read(reading_kind::all);
    EXPECT_EQ(reader.requests, contact_reading::requests_for(GetParam()));
    EXPECT_THAT(r.gap(), IsEmpty());
    EXPECT_THAT(reader.missed(), IsEmpty());
}

TEST_P(ContactReadingOf, AnAnswerThatDoesNotComeCostsItsOwnRequestAlone) {
    moving_list list(GetParam(), 1);
    weather w;
    w.killed = true;
    w.lost = 5;
    reader_of reader(list, w);
    const auto r = reader.read(reading_kind::all);
    EXPECT_EQ(reader.requests, contact_reading::requests_for(GetParam()) + reader.lost);
    EXPECT_THAT(r.gap(), IsEmpty());
    EXPECT_THAT(reader.missed(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Sizes, ContactReadingOf,
                         testing::Values(0u, 1u, 99u, 100u, 101u, 199u, 200u, 201u, 5000u, 49'999u, 50'000u, 50'001u,
                                         50'100u, 50'101u, 99'900u, 99'999u, 100'000u),
                         taskbarge::test::by_value());

// The first page tells that there are more than both ends show; then each stage is a list of its own.
TEST(ContactReading, MoreThanBothEndsShowAreReadByStage) {
    moving_list list(105'000, 1);
    reader_of reader(list, {});
    const auto r = reader.read(reading_kind::all);
    EXPECT_EQ(reader.requests, 1 + 7 * 150u);
    EXPECT_THAT(r.gap(), IsEmpty());
    EXPECT_THAT(reader.missed(), IsEmpty());
}

TEST(ContactReading, ContactsWithoutAStageAreAGapWhereStagesAreRead) {
    moving_list list(105'000, 1);
    list.at(17).stage = 0;
    reader_of reader(list, {});
    const auto r = reader.read(reading_kind::all);
    EXPECT_EQ(r.unseen(), 1u);
    EXPECT_THAT(r.gap(), HasSubstr("1 of 105000 contacts were not shown: more than 100,000"));
    EXPECT_THAT(reader.missed(), testing::ElementsAre(17u));
}

TEST(ContactReading, AStageWithTooManyIsReadByLabel) {
    moving_list list(230'000, 1);
    for (const auto n : list.numbers()) {
        auto& c = list.at(n);
        c.stage = n % 10 == 0 ? 2 : 1;
        if (c.stage == 1) c.labels = {1 + static_cast<int>(n % 3), 1};
    }
    weather w;
    w.killed = true;
    reader_of reader(list, w);
    const auto r = reader.read(reading_kind::all);
    // Label 1 is that of all 207,000: only both its ends are shown. The other two bring 69,000 each.
    EXPECT_THAT(r.gap(), HasSubstr("a stage and label has more contacts than Apollo shows"));
    EXPECT_EQ(r.unseen(), 0 + reader.missed().size());

    for (const auto n : list.numbers())
        if (list.at(n).stage == 1) list.at(n).labels = {1 + static_cast<int>(n / 2 % 3)};
    reader_of second(list, w);
    const auto whole = second.read(reading_kind::all);
    EXPECT_THAT(whole.gap(), IsEmpty());
    EXPECT_THAT(second.missed(), IsEmpty());
}

TEST(ContactReading, ATeamWithoutStagesThatIsTooLargeIsAGap) {
    moving_list list(105'000, 1);
    auto r = contact_reading::begin(reading_kind::all, at_ms(1));
    client::contacts_page page;
    page.total_entries = 105'000;
    r.take({}, page, at_ms(2), {}, 100);
    ASSERT_EQ(r.wants(), contact_reading::wanted::stages);
    r.take_stages({});
    EXPECT_EQ(r.wants(), contact_reading::wanted::nothing);
    EXPECT_EQ(r.unseen(), 104'900u);
    EXPECT_NE(r.gap(), "");
}

// One promise for all that can happen to a list.
void never_complete_with_a_hole(std::uint64_t seed, std::uint32_t contacts, weather w, std::uint64_t& whole) {
    moving_list list(contacts, seed);
    w.shuffled = seed % 2 == 1;
    w.together = 1 + seed % 4;
    w.killed = seed % 3 == 0;
    w.lost = seed % 5 == 0 ? 10 : 0;
    reader_of reader(list, w);
    const auto r = reader.read(reading_kind::all);
    if (r.gap().empty()) {
        ++whole;
        EXPECT_THAT(reader.missed(), IsEmpty()) << "seed " << seed;
    }
    EXPECT_LE(reader.requests, contact_reading::requests_for(contacts) * 2 + 100 + reader.lost) << "seed " << seed;
}

TEST(ContactReading, DeletionsNeverHideAContact) {
    std::uint64_t whole = 0;
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        weather w;
        w.before_request = [seed](moving_list& l) {
            if (l.draw(10 + seed) == 0) l.remove_any();
        };
        never_complete_with_a_hole(seed, 3000 + static_cast<std::uint32_t>(seed * 7), w, whole);
    }
    EXPECT_GT(whole, 30u) << "what is deleted after it was read is no gap";
}

TEST(ContactReading, DeletionsOfWhatWasReadNeedNoSecondReading) {
    // The newest are read first: they move up what is behind them.
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        moving_list list(60'000, seed);
        weather w;
        w.together = 1 + seed % 4;
        w.before_request = [n = std::uint64_t{0}](moving_list& l) mutable {
            if (++n > 8 && n % 20 == 0 && n < 90) l.remove_near(0.9999);
        };
        reader_of reader(list, w);
        const auto r = reader.read(reading_kind::all);
        EXPECT_THAT(r.gap(), IsEmpty()) << "seed " << seed;
        EXPECT_THAT(reader.missed(), IsEmpty());
        EXPECT_LE(reader.requests, 600u + 5 * 4);
    }
}

TEST(ContactReading, ArrivalsAreNoGap) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        moving_list list(2000 + static_cast<std::uint32_t>(seed * 31), seed);
        weather w;
        w.together = 1 + seed % 4;
        w.shuffled = seed % 2 == 0;
        w.before_request = [](moving_list& l) {
            if (l.draw(2) == 0) l.arrive();
        };
        reader_of reader(list, w);
        const auto r = reader.read(reading_kind::all);
        EXPECT_THAT(r.gap(), IsEmpty()) << "seed " << seed;
        EXPECT_THAT(reader.missed(), IsEmpty()) << "seed " << seed;
    }
}

TEST(ContactReading, AnythingAtOnceNeverHidesAContact) {
    std::uint64_t whole = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        weather w;
        w.clock_ahead = seed % 5 == 0 ? 1h : seed % 5 == 1 ? -1h : 0s;
        w.before_request = [seed](moving_list& l) {
            if (l.draw(5 + seed % 40) == 0) l.remove_any();
            if (l.draw(3 + seed % 50) == 0) l.arrive();
            if (l.draw(4) == 0) l.touch_any();
        };
        w.answer = [seed, n = seed](moving_list::shown& s, const contact_search&) mutable {
            ++n;
            // Entries are missing, or the total is that of a while ago.
            if (seed % 4 == 1 && n % 17 == 0 && s.numbers.size() > 3) s.numbers.resize(s.numbers.size() - 2);
            if (seed % 4 == 2 && n % 5 == 0 && s.total > 3) s.total += n % 3;
        };
        never_complete_with_a_hole(seed, 2000 + static_cast<std::uint32_t>(seed * 7), w, whole);
    }
    EXPECT_GT(whole, 5u);
}

TEST(ContactReading, BothEndsOfALongListNeverHideAContact) {
    std::uint64_t whole = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        weather w;
        w.clock_ahead = seed % 3 == 0 ? 1h : 0s;
        w.before_request = [seed](moving_list& l) {
            if (l.draw(20 + seed * 20) == 0) l.remove_near(seed % 2 == 0 ? 0.999 : 0.3);
            if (l.draw(20) == 0) l.arrive();
        };
        w.answer = [seed, n = seed](moving_list::shown& s, const contact_search&) mutable {
            if (seed % 4 == 0 && ++n % 200 == 0 && s.numbers.size() > 3) s.numbers.resize(s.numbers.size() - 2);
        };
        never_complete_with_a_hole(seed, 50'050 + static_cast<std::uint32_t>(seed * 2000), w, whole);
    }
    EXPECT_GT(whole, 0u);
}

// Others delete as long as it is read, and more than one in a request.
TEST(ContactReading, AListThatFallsAllTheTimeIsReadToAnEnd) {
    for (const std::uint32_t contacts : {99'000u, 60'000u, 5000u}) {
        moving_list list(contacts, 3);
        weather w;
        w.before_request = [](moving_list& l) {
            for (int i = 0; i < 20; ++i)
                l.remove_any();
        };
        reader_of reader(list, w);
        const auto r = reader.read(reading_kind::all);
        EXPECT_NE(r.gap(), "");
        EXPECT_LE(reader.requests, contact_reading::requests_for(contacts) + 120);
    }
}

// One import creates many contacts at one time, and nothing says in which order they stand in either direction.
TEST(ContactReading, ContactsOfOneTimeMayStandInAnyOrder) {
    std::uint64_t whole = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        moving_list list(0, seed);
        const auto contacts = 500 + list.draw(1000);
        for (std::uint64_t i = 0; i < contacts; ++i)
            list.add(start_of_day - 1'000'000 + static_cast<std::int64_t>(i / 60) * 1000);
        list.unstable_ties = true;
        reader_of reader(list, {});
        const auto r = reader.read(reading_kind::all);
        if (r.gap().empty()) {
            ++whole;
            EXPECT_THAT(reader.missed(), IsEmpty()) << "seed " << seed;
        }
    }
    RecordProperty("whole", static_cast<int>(whole));
}

// Newest first in one order, oldest first in the same: those of one time are not turned round.
TEST(ContactReading, WhereNewestAndOldestMeetTiesAreNoGap) {
    for (const std::uint32_t contacts : {1000u, 50'000u, 60'000u}) {
        moving_list list(contacts, 1);
        // Those at the seam, from the last of the oldest to the first of the newest, are of one time.
        const auto seam = contacts <= 50'000 ? contacts - 100 : 50'000;
        for (auto n = seam - 50; n < seam + 40; ++n)
            list.at(n).created = list.at(seam - 50).created;
        weather w;
        std::vector<std::uint32_t> group;
        for (auto n = seam - 50; n < seam + 40; ++n)
            group.push_back(n);
        w.answer = [group](moving_list::shown& s, const contact_search& asked) {
            if (asked.ascending) return;
            // Descending, the group stands as it does in the other direction.
            for (auto& n : s.numbers)
                if (n >= group.front() && n <= group.back()) n = group.front() + group.back() - n;
        };
        reader_of reader(list, w);
        const auto r = reader.read(reading_kind::all);
        EXPECT_THAT(r.gap(), IsEmpty()) << contacts;
        EXPECT_THAT(reader.missed(), IsEmpty());
        EXPECT_LE(reader.requests, contact_reading::requests_for(contacts) + 1);
    }
}

TEST(ContactReading, WhatASearchHasShownMeanwhileIsNoGap) {
    moving_list list(1000, 1);
    reader_of reader(list, {});
    auto r = contact_reading::begin(reading_kind::all, at_ms(list.now + 1));
    for (const std::uint32_t n : {3u, 4u})
        reader.see(n, list.now + 2);
    client::contacts_page first;
    first.total_entries = 1000;
    r.take({}, first, at_ms(list.now + 2), {}, 100);
    const auto before = r.seen();
    r.saw_elsewhere(2);
    EXPECT_EQ(r.seen(), before + 2);
    EXPECT_EQ(contact_reading::read(r.write())->seen(), before + 2);
}

TEST(ContactReading, WhatApolloSaysOfItsListIsBelieved) {
    auto r = contact_reading::begin(reading_kind::all, at_ms(5));
    client::contacts_page page;
    page.total_entries = 1;
    page.partial = true;
    page.contacts.resize(1);
    r.take({}, page, at_ms(5), {}, 1);
    EXPECT_EQ(r.wants(), contact_reading::wanted::nothing);
    EXPECT_THAT(r.gap(), HasSubstr("a part of the list only"));
    r = contact_reading::begin(reading_kind::all, at_ms(5));
    page.partial = false;
    page.understood = false;
    r.take({}, page, at_ms(5), {}, 1);
    EXPECT_EQ(r.wants(), contact_reading::wanted::nothing);
    EXPECT_THAT(r.gap(), HasSubstr("did not understand the filter"));
}

TEST(ContactReading, WhatIsNotItsOwnIsNotTakenForAReading) {
    const auto text = contact_reading::begin(reading_kind::all, at_ms(5)).write();
    ASSERT_TRUE(contact_reading::read(text));
    for (std::size_t n = 0; n + 8 < text.size(); ++n)
        EXPECT_FALSE(contact_reading::read(text.substr(0, n))) << n;
    EXPECT_FALSE(contact_reading::read("reading-1" + text.substr(9)));
    EXPECT_FALSE(contact_reading::read("something else"));
}

// ---- changes

// Every contact that changed between `since` and the begin was shown as it was then, or later.
struct changes_case {
    std::uint64_t requests = 0;
    bool proven = false, too_many = false;
    std::vector<std::uint32_t> missed;
};
changes_case read_changes(moving_list& list, const weather& w) {
    const auto since = list.now;
    list.now += 7'200'000;
    std::set<std::uint32_t> changed;
    const auto count = list.draw(600);
    for (std::uint64_t i = 0; i < count && list.size() > 0; ++i) {
        list.now += 50;
        const auto n = list.numbers()[list.draw(list.size())];
        list.touch(n);
        changed.insert(n);
    }
    list.now += 1000;
    reader_of reader(list, w);
    const auto r = reader.read(reading_kind::changes, since);
    changes_case out;
    out.requests = reader.requests;
    out.proven = r.gap().empty() && !r.too_many_changes();
    out.too_many = r.too_many_changes();
    for (const auto n : changed)
        if (list.exists(n) && !reader.saw(n)) out.missed.push_back(n);
    return out;
}

TEST(ContactReading, ChangesOfAListAtRestTakeAPageForEachHundred) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        moving_list list(5000, seed);
        const auto got = read_changes(list, {});
        EXPECT_TRUE(got.proven);
        EXPECT_THAT(got.missed, IsEmpty());
        EXPECT_LE(got.requests, 7u);
    }
}

TEST(ContactReading, ChangesAreAllTakenInWhateverMoves) {
    std::uint64_t proven = 0;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        moving_list list(3000 + static_cast<std::uint32_t>(seed % 7 * 1000), seed);
        weather w;
        w.killed = seed % 3 == 0;
        w.clock_ahead = seed % 4 == 1 ? -3h : 0h;
        w.before_request = [seed](moving_list& l) {
            if (seed % 2 == 0)
                for (std::uint64_t i = 0; i < 1 + seed % 5; ++i)
                    l.touch_any();
            if (seed % 5 < 2 && l.draw(3) == 0) l.remove_any();
            if (seed % 3 == 1) l.arrive();
        };
        const auto got = read_changes(list, w);
        if (!got.proven) continue;
        ++proven;
        EXPECT_THAT(got.missed, IsEmpty()) << "seed " << seed;
    }
    EXPECT_GT(proven, 100u) << "a busy list needs no whole reading each time";
}

TEST(ContactReading, PagesOfChangesThatHideSomeAreNoProof) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        moving_list list(5000, seed);
        weather w;
        std::vector<std::uint32_t> before;
        w.answer = [seed, &before](moving_list::shown& s, const contact_search& asked) {
            if (seed % 2 == 0 && asked.page == 1) s.numbers.erase(s.numbers.begin() + 3);
            if (seed % 2 == 1 && asked.page == 2) std::copy_n(before.begin(), 4, s.numbers.begin());
            before = s.numbers;
        };
        const auto got = read_changes(list, w);
        EXPECT_TRUE(!got.proven || got.missed.empty()) << "seed " << seed;
    }
}

TEST(ContactReading, MoreChangesThanTheListIsWorthAreReadAsAWhole) {
    moving_list list(120'000, 1);
    const auto since = list.now;
    list.now += 7'200'000;
    for (const auto n : list.numbers())
        list.touch(n);
    weather w;
    w.killed = true;
    reader_of reader(list, w);
    EXPECT_TRUE(reader.read(reading_kind::changes, since).too_many_changes());
    EXPECT_LE(reader.requests, 501u);
}

}  // namespace
}  // namespace taskbarge::job
