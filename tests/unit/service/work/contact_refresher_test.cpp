#include "service/work/contact_refresher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>

#include "unit/service/work/workplace.hpp"

namespace taskbarge::service {
namespace {

using core::errc;
using namespace std::chrono_literals;
using kind = contact_refresher::state::kind;

constexpr core::instant noon{1'790'000'000'000ms};

// Both clocks are the test's.
class set_clock final : public core::clock {
 public:
    core::instant now() const override { return noon + past(); }
    std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::time_point(1h) + past();
    }
    void pass(std::chrono::milliseconds time) { past_ += time.count(); }

 private:
    std::chrono::milliseconds past() const { return std::chrono::milliseconds(past_); }
    std::atomic<std::int64_t> past_{0};
};

job::contacts_status read_at(core::instant whole, core::instant changes) {
    job::contacts_status s;
    s.index.read_at = whole;
    s.index.as_of = changes;
    return s;
}

core::contact_settings every(std::chrono::milliseconds time) {
    core::contact_settings s;
    s.refresh = time;
    return s;
}

TEST(DueRefresh, IsNeverWithoutTheSetting) {
    EXPECT_FALSE(due_refresh_of(read_at(noon, noon), every(0ms), noon));
    EXPECT_FALSE(due_refresh_of({}, every(0ms), noon));
}

TEST(DueRefresh, FollowsWhatIsKnownWhoeverBroughtIt) {
    const auto due = due_refresh_of(read_at(noon - 24h, noon - 10min), every(1h), noon);
    ASSERT_TRUE(due);
    EXPECT_EQ(due->at, noon + 50min);
    EXPECT_FALSE(due->all);
}

TEST(DueRefresh, IsOfTheWholeListWhereThatIsOldOrWasNeverRead) {
    EXPECT_TRUE(due_refresh_of({}, every(1h), noon)->all);
    EXPECT_EQ(due_refresh_of({}, every(1h), noon)->at, noon);
    const auto old = due_refresh_of(read_at(noon - 8 * 24h, noon), every(1h), noon);
    EXPECT_TRUE(old->all);
    EXPECT_EQ(old->at, noon + 1h);
}

TEST(DueRefresh, AListWithAHoleIsNotReadAnewEachTime) {
    auto holed = read_at(noon - 24h, noon - 2h);
    holed.index.gap = "a hole";
    const auto due = due_refresh_of(holed, every(1h), noon);
    EXPECT_EQ(due->at, noon + 6 * 24h);
    EXPECT_TRUE(due->all);
}

TEST(DueRefresh, WhatWasCutShortIsGoneOnWithAsItWas) {
    auto cut = read_at(noon - 1h, noon - 1h);
    cut.pages_left = 7;
    cut.reads_all = true;
    EXPECT_EQ(due_refresh_of(cut, every(2h), noon)->at, noon);
    EXPECT_TRUE(due_refresh_of(cut, every(2h), noon)->all);
    cut.reads_all = false;
    EXPECT_FALSE(due_refresh_of(cut, every(2h), noon)->all);
}

TEST(DueRefresh, AClockThatWasSetBackDoesNotPutItOff) {
    EXPECT_EQ(due_refresh_of(read_at(noon + 900h, noon + 900h), every(1h), noon)->at, noon + 1h);
}

class ContactRefresher : public Workplace {
 protected:
    struct call {
        bool all = false;
        std::string key, team;
        std::uint32_t budget = 0;
        std::chrono::milliseconds max_wait{};
    };

    // Answers as told; without a word it has read all, as of now.
    contact_refresher::parts parts() {
        return {configuration, time, runs, [this](const job::environment& env, bool all) {
                    calls.push_back({all, std::string(env.key.reveal()), env.settings.apollo.team,
                                     env.settings.contacts.budget, env.settings.send.max_wait});
                    if (meanwhile) meanwhile(env);
                    job::contacts_report r;
                    r.requests = 3;
                    if (!answers.empty()) {
                        r = answers.front();
                        answers.pop_front();
                    } else {
                        know(env);
                    }
                    return r;
                }};
    }
    void know(const job::environment& env) {
        const ledger::contact_team team{env.settings.apollo.base_url, env.settings.apollo.team};
        ledger::contact_index index;
        index.read_at = index.as_of = time.now();
        env.book->contacts().save_index(team, index).value();
    }
    static job::contacts_report ended(errc code, std::optional<core::instant> resume_at = {}) {
        job::contacts_report r;
        r.requests = 5;
        r.why = core::failure{code, "why"};
        r.resume_at = resume_at;
        return r;
    }
    void refresh_each(std::chrono::milliseconds period) {
        change([&](core::settings& s) {
            s.contacts.refresh = period;
            s.send.max_wait = 65min;
        });
    }
    // Works until nothing is due: how long that will be so.
    static std::optional<std::chrono::milliseconds> settle(contact_refresher& r) {
        std::optional<std::chrono::milliseconds> idle = 0ms;
        for (int turn = 0; turn < 20 && idle == 0ms; ++turn)
            idle = r.work();
        EXPECT_NE(idle, 0ms);
        return idle;
    }

    set_clock time;
    std::vector<call> calls;
    std::deque<job::contacts_report> answers;
    std::function<void(const job::environment&)> meanwhile;
};

TEST_F(ContactRefresher, WithoutTheSettingOnlyWhatAPersonAsksForIsDone) {
    contact_refresher r(parts());
    EXPECT_EQ(settle(r), std::nullopt);
    EXPECT_TRUE(calls.empty());
    EXPECT_EQ(r.now().next_at, std::nullopt);
    EXPECT_TRUE(r.ask(true));
    EXPECT_EQ(settle(r), std::nullopt);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_TRUE(calls[0].all);
    EXPECT_EQ(r.now().what, kind::idle);
    EXPECT_EQ(r.now().ended_at, noon);
}

TEST_F(ContactRefresher, IsDueAgainWhenThePeriodIsOver) {
    refresh_each(1h);
    contact_refresher r(parts());
    EXPECT_EQ(settle(r), 1h);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_TRUE(calls[0].all) << "the list was never read";
    EXPECT_EQ(r.now().next_at, noon + 1h);
    time.pass(59min);
    EXPECT_EQ(settle(r), 1min);
    EXPECT_EQ(calls.size(), 1u);
    time.pass(1min);
    EXPECT_EQ(settle(r), 1h);
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_FALSE(calls[1].all);
}

TEST_F(ContactRefresher, AfterARestartNothingIsReadThatIsFresh) {
    refresh_each(1h);
    contact_refresher first(parts());
    settle(first);
    contact_refresher second(parts());
    time.pass(20min);
    EXPECT_EQ(settle(second), 40min);
    EXPECT_EQ(calls.size(), 1u);
}

TEST_F(ContactRefresher, AWaitForAWindowIsNotSpentInTheRunAndIsOneRefresh) {
    refresh_each(1h);
    change([](core::settings& s) { s.contacts.budget = 7; });
    contact_refresher r(parts());
    answers = {ended(errc::waiting, noon + 30min), ended(errc::waiting, noon + 40min)};
    EXPECT_EQ(settle(r), 30min);
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_LE(calls[0].max_wait, 5s);
    EXPECT_EQ(r.now().what, kind::waiting);
    EXPECT_TRUE(r.now().all);
    EXPECT_EQ(r.now().next_at, noon + 30min);
    EXPECT_FALSE(r.ask(false)) << "one is under way";
    time.pass(30min);
    EXPECT_EQ(settle(r), 10min);
    time.pass(10min);
    settle(r);
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_TRUE(calls[2].all) << "it goes on as what it was";
    EXPECT_EQ(calls[0].budget, 7u);
    EXPECT_EQ(calls[1].budget, 2u);
    EXPECT_EQ(calls[2].budget, 0u);
    EXPECT_EQ(r.now().what, kind::idle);
    const auto text = runs.counts().text({});
    EXPECT_NE(text.find("taskbarge_contacts_refreshes_total{outcome=\"waited\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("taskbarge_contacts_refreshes_total{outcome=\"completed\"} 1\n"), std::string::npos) << text;
}

TEST_F(ContactRefresher, WhatFailsIsTriedAgainLessAndLessOften) {
    refresh_each(1s);
    contact_refresher r(parts());
    for (int i = 0; i < 9; ++i)
        answers.push_back(ended(errc::unreachable));
    std::vector<std::chrono::milliseconds> pauses;
    for (int i = 0; i < 9; ++i) {
        pauses.push_back(*settle(r));
        time.pass(pauses.back());
    }
    EXPECT_EQ(pauses[0], 1min);
    EXPECT_EQ(pauses[1], 2min);
    EXPECT_EQ(pauses[8], 1h);
    EXPECT_EQ(r.now().error, "why");
    EXPECT_TRUE(r.now().next_at);
    settle(r);
    EXPECT_EQ(r.now().error, "") << "it went well at last";
    answers = {ended(errc::unreachable)};
    time.pass(1s);
    EXPECT_EQ(settle(r), 1min) << "and its failures are forgotten";
}

TEST_F(ContactRefresher, WhatAPersonMustMendIsNotAskedForMoreOftenThanTheSettingSays) {
    refresh_each(6h);
    contact_refresher r(parts());
    answers = {ended(errc::input)};
    EXPECT_EQ(settle(r), 6h);
}

TEST_F(ContactRefresher, AFailureIsNoReasonToRefuseAPerson) {
    refresh_each(1h);
    contact_refresher r(parts());
    answers = {ended(errc::unreachable)};
    settle(r);
    EXPECT_TRUE(r.ask(false));
    settle(r);
    EXPECT_EQ(calls.size(), 2u);
    EXPECT_EQ(r.now().error, "");
}

TEST_F(ContactRefresher, AReloadTakesTheNewKeyAndTriesAtOnce) {
    refresh_each(1h);
    contact_refresher r(parts());
    answers = {ended(errc::unauthorized), ended(errc::waiting, noon + 20h)};
    EXPECT_EQ(settle(r), 1min);
    auto next = *configuration.get();
    next.key = core::secret("another-key");
    next.settings.apollo.team = "blue";
    configuration.set(next);
    r.reloaded();
    EXPECT_EQ(settle(r), 20h);
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_EQ(calls[1].key, "another-key");
    EXPECT_EQ(calls[1].team, "blue");
    refresh_each(0ms);
    r.reloaded();
    EXPECT_EQ(settle(r), std::nullopt) << "one that nobody asked for ends with the setting";
    EXPECT_EQ(r.now().what, kind::idle);
}

TEST_F(ContactRefresher, ABugInItEndsNothing) {
    refresh_each(1h);
    contact_refresher r(parts());
    meanwhile = [](const job::environment&) { throw std::runtime_error("a bug"); };
    EXPECT_EQ(settle(r), 1min);
    EXPECT_NE(r.now().error, "");
}

TEST_F(ContactRefresher, ALedgerThatCannotBeReadIsToldAndTriedAgain) {
    refresh_each(1h);
    std::filesystem::create_directory(ledger_path());
    contact_refresher r(parts());
    EXPECT_EQ(settle(r), 1min);
    EXPECT_TRUE(calls.empty());
    EXPECT_NE(r.now().error, "");
    std::filesystem::remove(ledger_path());
    time.pass(1min);
    EXPECT_EQ(settle(r), 1h);
    EXPECT_EQ(r.now().error, "");
}

TEST_F(ContactRefresher, OneAtATimeAndAStopEndsItAtOnce) {
    std::promise<void> entered;
    meanwhile = [&](const job::environment& env) {
        std::promise<void> stopped;
        env.stop.listen([&](job::stop_level level) {
            if (level != job::stop_level::none) stopped.set_value();
        });
        entered.set_value();
        stopped.get_future().wait();
        env.stop.listen({});
        answers = {ended(errc::interrupted)};
    };
    auto p = parts();
    contact_refresher r({configuration, core::system_clock(), runs, p.refresh});
    r.start();
    EXPECT_TRUE(r.ask(false));
    entered.get_future().wait();
    EXPECT_EQ(r.now().what, kind::running);
    EXPECT_FALSE(r.ask(true));
    r.close();
    EXPECT_EQ(calls.size(), 1u);
    EXPECT_EQ(r.now().error, "") << "to be stopped is no failure";
}

TEST_F(ContactRefresher, TellsWhatIsKnown) {
    refresh_each(1h);
    contact_refresher r(parts());
    settle(r);
    const auto known = r.known(*book());
    ASSERT_TRUE(known);
    EXPECT_TRUE(known->index.complete());
    EXPECT_EQ(known->index.as_of, noon);
}

}  // namespace
}  // namespace taskbarge::service
