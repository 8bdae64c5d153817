#include "job/look_up/task_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "unit/job/session_fixture.hpp"

namespace taskbarge::job {
namespace {

namespace asio = boost::asio;
using ::testing::AllOf;
using testing::fake_apollo;
using ::testing::Ge;
using ::testing::Le;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// What one reading of one due date gave.
struct reading {
    doubt_reason problem = doubt_reason::none;
    std::set<std::string> ids;
    reading_end end;
};

class TaskList : public SessionFixture {
 protected:
    static core::instant day(int n) { return at_second(std::int64_t{86400} * (20'000 + n)); }

    std::string add_task(core::instant due, std::uint64_t contact = 1) {
        client::seen_task t;
        t.contact_id = contact_id(contact);
        t.due_at = due;
        return apollo.add(std::move(t));
    }
    // `each` tasks on each of `days` days.
    void fill(int days, int each) {
        for (int d = 0; d < days; ++d)
            for (int i = 0; i < each; ++i)
                add_task(day(d));
    }

    reading read(core::instant due, task_list::filter_list filters = {}) {
        return run<reading>([&](session& s) { return read_with(s, due, filters); });
    }
    task_list::contact_set in_doubt{contact_id(1)};

    asio::awaitable<reading> read_with(session& s, core::instant due, task_list::filter_list filters) {
        task_list list(s, std::move(filters), in_doubt);
        reading r;
        const auto keep = [&](const client::seen_task& t) {
            EXPECT_EQ(t.due_at, due);
            r.ids.insert(t.id);
            return true;
        };
        r.problem = co_await list.read_span(due, keep);
        if (r.problem == doubt_reason::none) r.problem = co_await list.confirm_unchanged();
        r.end = list.end();
        co_return r;
    }
};

// ------------------------------------------------------------------------------------------- finding the span

TEST_F(TaskList, ADueDateAmongThousandsIsFoundByBisection) {
    fill(400, 100);  // 40,000 tasks on 400 pages
    for (const int wanted : {0, 1, 199, 200, 398, 399}) {
        const auto before = apollo.search_requests();
        const auto r = read(day(wanted));
        EXPECT_EQ(r.problem, doubt_reason::none);
        EXPECT_THAT(r.ids, SizeIs(100));
        EXPECT_THAT(apollo.search_requests() - before, AllOf(Ge(2u), Le(14u))) << "day " << wanted;
    }
}

TEST_F(TaskList, ADueDateThatNobodyHasIsShownToBeEmpty) {
    fill(50, 70);
    for (const auto due : {day(25) + 1h, day(51), day(-1)}) {
        const auto r = read(due);
        EXPECT_EQ(r.problem, doubt_reason::none);
        EXPECT_THAT(r.ids, SizeIs(0));
    }
}

TEST_F(TaskList, AnEmptyListIsSeenWhole) {
    const auto r = read(day(1));
    EXPECT_EQ(r.problem, doubt_reason::none);
    EXPECT_THAT(r.ids, SizeIs(0));
}

TEST_F(TaskList, TasksOfOneDueDateAreFoundOverManyPages) {
    fill(3, 130);
    for (int i = 0; i < 2345; ++i)
        add_task(day(1));
    const auto r = read(day(1));
    EXPECT_EQ(r.problem, doubt_reason::none);
    EXPECT_THAT(r.ids, SizeIs(2345 + 130));
    EXPECT_THAT(apollo.search_requests(), Le(26u + 8u)) << "no page twice";
}

TEST_F(TaskList, ASpanThatEndsWithAPageIsReadNoFurtherThanItMust) {
    fill(3, 100);
    EXPECT_THAT(read(day(0)).ids, SizeIs(100)) << "the last of the list";
    EXPECT_THAT(read(day(1)).ids, SizeIs(100));
    EXPECT_THAT(read(day(2)).ids, SizeIs(100)) << "the first of the list";
}

TEST_F(TaskList, TasksWithoutADueDateLieBehindAllOthers) {
    fill(2, 150);
    for (int i = 0; i < 250; ++i)
        apollo.add({});
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::none);
    EXPECT_THAT(r.ids, SizeIs(150));
}

TEST_F(TaskList, DueDatesAreComparedToTheMillisecond) {
    add_task(day(1));
    add_task(day(1) + 1ms);
    add_task(day(1) - 1ms);
    EXPECT_THAT(read(day(1)).ids, SizeIs(1));
}

// ------------------------------------------------------------------------------------------- lists that prove nothing

TEST_F(TaskList, ATaskCreatedBetweenTwoPagesSpoilsTheReading) {
    fill(4, 200);
    apollo.on_search = [&](std::uint64_t request) {
        if (request == 3) add_task(day(3));
    };
    EXPECT_EQ(read(day(1)).problem, doubt_reason::list_changing);
}

TEST_F(TaskList, ATaskThatVanishesAfterTheLastPageSpoilsTheReading) {
    fill(1, 50);
    const auto gone = add_task(day(0));
    apollo.on_search = [&](std::uint64_t request) {
        if (request == 2) apollo.remove(gone);
    };
    EXPECT_EQ(read(day(0)).problem, doubt_reason::list_changing);
}

TEST_F(TaskList, AListThatMovesWithoutGrowingIsNoticedByTheTaskSeenTwice) {
    fill(1, 150);
    const auto last = add_task(day(0));
    apollo.on_search = [&](std::uint64_t request) {
        if (request != 2) return;
        apollo.remove(last);
        add_task(day(5));
    };
    EXPECT_EQ(read(day(0)).problem, doubt_reason::list_changing);
}

TEST_F(TaskList, AnotherFirstPageIsNoticedThoughTheListIsAsLong) {
    fill(1, 20);
    const auto last = add_task(day(0));
    apollo.on_search = [&](std::uint64_t request) {
        if (request != 2) return;
        apollo.remove(last);
        add_task(day(5));
    };
    EXPECT_EQ(read(day(0)).problem, doubt_reason::list_changing);
}

TEST_F(TaskList, AListThatIsNotSortedIsNotBelieved) {
    apollo.sorted = fake_apollo::order::anyhow;
    for (int i = 0; i < 1000; ++i)
        add_task(day((i * 7919) % 40));
    EXPECT_EQ(read(day(20)).problem, doubt_reason::not_sorted);
}

TEST_F(TaskList, AListInTheOppositeOrderIsNotBelieved) {
    apollo.sorted = fake_apollo::order::oldest_due_first;
    fill(30, 100);
    for (const int wanted : {0, 15, 29}) {
        const auto r = read(day(wanted));
        EXPECT_EQ(r.problem, doubt_reason::not_sorted) << "day " << wanted;
    }
}

TEST_F(TaskList, WhatLiesBehindTheDisplayLimitIsNotVisible) {
    apollo.visible = 1000;
    fill(30, 100);
    EXPECT_EQ(read(day(25)).problem, doubt_reason::none);
    EXPECT_EQ(read(day(3)).problem, doubt_reason::not_visible);
    EXPECT_THAT(apollo.search_requests(), Le(24u)) << "pages behind the limit are not asked for one by one";
}

TEST_F(TaskList, ASpanThatReachesTheDisplayLimitIsNotSeenWhole) {
    apollo.visible = 1000;
    fill(2, 900);
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::not_visible);
    EXPECT_THAT(r.ids, SizeIs(100)) << "what was seen is told all the same";
}

TEST_F(TaskList, AListOfExactlyTheDisplayLimitMayGoOnBehindIt) {
    fill(500, 100);
    EXPECT_EQ(read(day(1)).problem, doubt_reason::none);
    EXPECT_EQ(read(day(0)).problem, doubt_reason::not_visible);
}

TEST_F(TaskList, APageWithFewerTasksThanTheLengthSaysHasAGap) {
    fill(3, 100);
    const auto hidden = add_task(day(1));
    EXPECT_EQ(read(day(1)).problem, doubt_reason::none);
    apollo.hides = [&](const client::seen_task& t) { return t.id == hidden; };
    EXPECT_EQ(read(day(1)).problem, doubt_reason::not_visible);
    EXPECT_EQ(read(day(0)).problem, doubt_reason::not_visible) << "nobody knows where the hidden one belongs";
}

TEST_F(TaskList, OfTasksOfOtherContactsNoTextIsKept) {
    client::seen_task t;
    t.due_at = t.created_at = day(1);
    t.note = "a long note";
    for (const std::uint64_t contact : {1u, 2u}) {
        t.contact_id = contact_id(contact);
        apollo.add(t);
    }
    const auto notes = [&](session& s) -> asio::awaitable<std::set<std::string>> {
        task_list list(s, {}, {contact_id(1)});
        std::set<std::string> seen;
        (void)co_await list.read_span(day(1), [&](const client::seen_task& task) {
            seen.insert(task.contact_id.substr(23) + task.note);
            return true;
        });
        EXPECT_THAT(list.shown(), SizeIs(2));
        for (const auto& shown : list.shown())
            EXPECT_EQ(shown.created_at, day(1));
        co_return seen;
    };
    EXPECT_EQ(run<std::set<std::string>>(notes), (std::set<std::string>{"1a long note", "2"}));
}

// ------------------------------------------------------------------------------------------- answers that are none

TEST_F(TaskList, AForbiddenSearchEndsTheReading) {
    apollo.search_status = 403;
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::search_failing);
    EXPECT_TRUE(r.end.ended);
    EXPECT_TRUE(r.end.forbidden);
    EXPECT_FALSE(r.end.trouble);
    EXPECT_EQ(apollo.search_requests(), 1u);
}

TEST_F(TaskList, AWrongKeyEndsTheReadingWithAFailure) {
    apollo.search_status = 401;
    const auto r = read(day(0));
    ASSERT_TRUE(r.end.failed);
    EXPECT_EQ(r.end.failed->code, core::errc::unauthorized);
}

TEST_F(TaskList, AnErrorInTheMiddleEndsTheReading) {
    fill(20, 100);
    apollo.on_search = [&](std::uint64_t request) { apollo.search_status = request == 4 ? 502 : 0; };
    const auto r = read(day(10));
    EXPECT_EQ(r.problem, doubt_reason::search_failing);
    EXPECT_TRUE(r.end.trouble);
    EXPECT_EQ(apollo.search_requests(), 4u);
}

// ------------------------------------------------------------------------------------------- the search's windows

// A due date of more pages than a window has requests would otherwise never be read to its end.
TEST_F(TaskList, AReadingWaitsForTheNextWindowAndGoesOnWhereItWas) {
    apollo.search_limit = 5;
    apollo.search_window = 200ms;
    settings.limits.lengths[0] = 200ms;
    fill(1, 1500);
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::none);
    EXPECT_THAT(r.ids, SizeIs(1500));
    EXPECT_THAT(apollo.search_requests() - apollo.search_refusals(), Le(15u + 2u)) << "no page twice";
}

TEST_F(TaskList, AReadingDoesNotWaitLongerThanARunMay) {
    apollo.search_limit = 3;
    apollo.search_window = 1h;
    settings.send.max_wait = 10s;
    fill(1, 1500);
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::search_failing);
    EXPECT_TRUE(r.end.ended);
    ASSERT_TRUE(r.end.wait_until);
    EXPECT_GT(*r.end.wait_until, clock.now());
}

TEST_F(TaskList, AStopEndsAWaitingReading) {
    apollo.search_limit = 3;
    apollo.search_window = 50s;
    fill(1, 1500);
    apollo.on_search = [&](std::uint64_t request) {
        if (request == 3) stop.request();
    };
    const auto began = clock.now();
    EXPECT_TRUE(read(day(0)).end.ended);
    EXPECT_EQ(clock.now(), began) << "it waited for its window";
}

TEST_F(TaskList, AStopEndsAReadingBetweenTwoPages) {
    fill(1, 5000);
    apollo.on_search = [&](std::uint64_t request) {
        if (request == 7) stop.request();
    };
    const auto r = read(day(0));
    EXPECT_EQ(r.problem, doubt_reason::search_failing);
    EXPECT_TRUE(r.end.ended);
    EXPECT_FALSE(r.end.trouble);
    EXPECT_EQ(apollo.search_requests(), 7u);
}

// ------------------------------------------------------------------------------------------- filters

TEST_F(TaskList, OnlyAFilterThatWorksShowsTasksOfOneContactAlone) {
    for (std::uint64_t c = 1; c <= 30; ++c)
        add_task(day(1), c);
    const auto only_of_seven = [&](session& s) -> asio::awaitable<bool> {
        task_list list(s, {{"contact_id", contact_id(7)}}, {});
        (void)co_await list.read_span(day(1), [](const client::seen_task&) { return true; });
        co_return list.only_of(contact_id(7));
    };
    EXPECT_FALSE(run<bool>(only_of_seven)) << "an unknown filter is ignored";
    apollo.honours_contact_filter = true;
    EXPECT_TRUE(run<bool>(only_of_seven));
}

}  // namespace
}  // namespace taskbarge::job
