#include "job/look_up/look_up.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/job/session_fixture.hpp"

namespace taskbarge::job {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using enum finding;

// A job of two chunks with the same details: the first is created, the second in doubt.
class LookUp : public SessionFixture {
 protected:
    static core::task_details on_day(int n) { return call_on_day(20'600 + n); }
    static std::vector<std::string> contacts(std::uint64_t first, std::size_t count) {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < count; ++i)
            out.push_back(contact_id(first + i));
        return out;
    }

    void plan_two(const core::task_details& of_control, const core::task_details& in_doubt) {
        const auto job = plan({{of_control, contacts(1000, 3)}, {in_doubt, contacts(1, 3)}});
        auto chunks = planned(job);
        ASSERT_THAT(chunks, SizeIs(2));
        control = chunks[0];
        d = doubt_of(chunks[1]);
    }

    // As if its request had ended before everything that the ledger has counted since.
    doubt doubt_of(ledger::chunk_record chunk) {
        doubt out;
        out.chunk = std::move(chunk);
        out.started_at = out.not_created_before = clock.now();
        return out;
    }

    // Other people's tasks, `each` on each of so many days around those of the tests.
    void fill(int days, int each) {
        for (int n = 0; n < days; ++n)
            for (int i = 0; i < each; ++i) {
                client::seen_task t;
                t.contact_id = contact_id(900'000u + static_cast<std::uint64_t>(i));
                t.due_at = on_day(n - days / 2).due_at + 1h;
                apollo.add(std::move(t));
            }
    }

    std::string create(std::size_t row, const ledger::chunk_record& chunk) {
        return apollo.add(task_for(chunk, row, "", clock.now() + apollo.skew));
    }

    pass_result scan() { return scan(std::vector{d}); }
    pass_result scan(const std::vector<doubt>& doubts) {
        return run<pass_result>([&](session& s) { return scan_with(s, doubts); });
    }
    static asio::awaitable<pass_result> scan_with(session& s, const std::vector<doubt>& doubts) {
        look_up reader(s);
        co_return co_await reader.scan(doubts);
    }
    const span_view& span_of(const pass_result& pass) const { return pass.spans.at(d.chunk.details.due_at); }
    std::vector<finding> judged(const pass_result& pass) const { return kinds(judge(d, span_of(pass), {&d})); }

    ledger::chunk_record control;
    doubt d;
};

TEST_F(LookUp, WhatExistsIsFoundAndTheRestIsAbsentAmongThousandsOfOtherTasks) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    fill(100, 100);
    const auto id = create(1, d.chunk);
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::none);
    EXPECT_THAT(judged(pass), ElementsAre(absent, present, absent));
    EXPECT_EQ(judge(d, span_of(pass), {&d})[1].task_id, id);
    EXPECT_THAT(apollo.search_requests(), Le(12u)) << "some ten requests for 10,000 tasks";
    EXPECT_FALSE(pass.end.ended);
}

// ------------------------------------------------------------------------------------------- the control

TEST_F(LookUp, WithoutAnyTaskKnownToExistAbsenceProvesNothing) {
    plan_two(on_day(1), on_day(1));
    fill(10, 10);
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven);
}

TEST_F(LookUp, ATaskKnownToExistThatDoesNotShowUpProvesTheIndexLate) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    for (const auto& contact : control.contacts.contact_ids)
        EXPECT_EQ(apollo.count_of(contact), 1u);
    const auto known = book().chunks(1, core::chunk_state::created, 0, 10).value();
    for (const auto& id : known.at(0).task_ids)
        apollo.remove(id);
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven);
}

TEST_F(LookUp, TheControlMayLieOnAnotherDueDate) {
    plan_two(on_day(-30), on_day(20));
    have_created(control);
    fill(100, 100);
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::none);
    EXPECT_THAT(judged(pass), ElementsAre(absent, absent, absent));
    EXPECT_THAT(apollo.search_requests(), Le(22u));
}

TEST_F(LookUp, AControlOfAnotherStatusIsNone) {
    auto finished = on_day(1);
    finished.status = core::task_status::completed;
    plan_two(finished, on_day(1));
    have_created(control);
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven)
        << "whether completed tasks are listed says nothing about scheduled ones";
}

TEST_F(LookUp, ATaskOfBeforeTheRequestProvesNothingOfTheSameDueDateOrAnother) {
    for (const int day : {1, -20}) {
        plan_two(on_day(day), on_day(1));
        have_created(control);
        d.ended = book().events().value();
        EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven);
        EXPECT_THAT(judged(scan()), ElementsAre(undecidable, undecidable, undecidable));
    }
}

TEST_F(LookUp, ATaskMadeAfterTheRequestProvesTheIndexWhereverItIsDue) {
    for (const int day : {1, -20}) {
        plan_two(on_day(2), on_day(1));
        have_created(control);
        d.ended = book().events().value();
        fill(100, 100);
        have_created(planned(plan({{on_day(day), contacts(3000, 2)}})).at(0));
        EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::none);
        EXPECT_THAT(judged(scan()), ElementsAre(absent, absent, absent));
    }
}

TEST_F(LookUp, ALateIndexIsFoundOutByTheTasksMadeAfterTheRequest) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    d.ended = book().events().value();
    const auto later = planned(plan({{on_day(1), contacts(3000, 2)}})).at(0);
    have_created(later);
    const auto known = book().chunk(later.id).value();
    for (const auto& id : known.task_ids)
        apollo.remove(id);
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven);
}

TEST_F(LookUp, AControlThatAPersonHasMovedSinceGivesWayToTheNewest) {
    plan_two(on_day(2), on_day(1));
    have_created(control);
    for (const auto& id : book().chunk(control.id).value().task_ids)
        apollo.remove(id);
    have_created(planned(plan({{on_day(-3), contacts(3000, 2)}})).at(0));
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::none);
}

TEST_F(LookUp, ASpanWithoutTheTasksKnownToBeInItIsNotThatSpan) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    have_created(planned(plan({{on_day(-3), contacts(3000, 2)}})).at(0));
    for (const auto& id : book().chunk(control.id).value().task_ids)
        apollo.remove(id);
    EXPECT_EQ(problem_of(d, span_of(scan())), doubt_reason::index_unproven);
}

TEST_F(LookUp, TheStampsOfKnownTasksTellWhatApollosClockIsWorth) {
    apollo.skew = -1h;
    plan_two(on_day(1), on_day(1));
    have_created(control);
    const auto id = create(1, d.chunk);
    const auto view = span_of(scan());
    ASSERT_TRUE(view.stamps_ahead);
    EXPECT_LT(*view.stamps_ahead, -59min);
    EXPECT_EQ(judge(d, view, {&d})[1].task_id, id)
        << "an hour older than the request, by a clock that is an hour behind";
}

// ------------------------------------------------------------------------------------------- a search that lies

TEST_F(LookUp, AnIdThatStandsForTwoContactsMakesTheWholeSpanNoEvidence) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    const auto id = create(1, d.chunk);
    for (int i = 0; i < 150; ++i)
        create(0, chunk_of(50'000, 1, 20'601));
    apollo.add(task_for(d.chunk, 2, id, clock.now()));
    const auto pass = scan();
    EXPECT_NE(span_of(pass).problem, doubt_reason::none);
    EXPECT_THAT(judged(pass), ElementsAre(undecidable, undecidable, undecidable));
}

TEST_F(LookUp, ATaskThatIsCountedAndNotShownMayBeTheOneLookedFor) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    const auto id = create(1, d.chunk);
    fill(3, 100);
    apollo.hides = [&](const client::seen_task& t) { return t.id == id; };
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::not_visible);
    EXPECT_THAT(judged(pass), ElementsAre(undecidable, undecidable, undecidable));
}

// ------------------------------------------------------------------------------------------- other tasks

TEST_F(LookUp, TasksThatTheLedgerKnowsAreMarked) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    d.chunk.contacts = control.contacts;
    const auto pass = scan();
    EXPECT_THAT(span_of(pass).recorded, SizeIs(3));
    EXPECT_THAT(judged(pass), ElementsAre(absent, absent, absent));
}

TEST_F(LookUp, ManyDoubtfulChunksAreSettledInOnePass) {
    std::vector<std::pair<core::task_details, std::vector<std::string>>> groups{{on_day(0), contacts(5000, 2)}};
    for (int n = 0; n < 6; ++n)
        groups.emplace_back(on_day(n % 2), contacts(1 + 10 * static_cast<std::uint64_t>(n), 4));
    const auto chunks = planned(plan(groups));
    have_created(chunks[0]);
    std::vector<doubt> all;
    for (std::size_t i = 1; i < chunks.size(); ++i) {
        all.push_back(doubt_of(chunks[i]));
        create(i % 4, chunks[i]);
    }
    fill(60, 100);
    const auto pass = scan(all);
    EXPECT_THAT(pass.spans, SizeIs(2)) << "one reading for each due date";
    EXPECT_THAT(apollo.search_requests(), Le(40u));
    std::vector<const doubt*> neighbours;
    for (const auto& each : all)
        neighbours.push_back(&each);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto f = kinds(judge(all[i], pass.spans.at(all[i].chunk.details.due_at), neighbours));
        EXPECT_EQ(std::count(f.begin(), f.end(), present), 1) << "chunk " << i;
        EXPECT_EQ(f[(i + 1) % 4], present);
    }
}

// ------------------------------------------------------------------------------------------- more tasks than are shown

class LookUpOfALargeTeam : public LookUp {
 protected:
    void SetUp() override {
        plan_two(on_day(-40), on_day(-45));
        have_created(control);
        fill(60, 100);
        apollo.visible = 1000;
    }

    // The only chunk of a job of its own with these details.
    ledger::chunk_record chunk_due(const core::task_details& details) {
        return planned(plan({{details, contacts(7000, 1)}})).at(0);
    }
};

TEST_F(LookUpOfALargeTeam, WithoutAFilterNothingIsDecided) {
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::not_visible);
    EXPECT_THAT(judged(pass), ElementsAre(undecidable, undecidable, undecidable));
    EXPECT_FALSE(pass.end.ended);
}

TEST_F(LookUpOfALargeTeam, ManyDueDatesThatAreNotVisibleCostNoMoreRequestsThanOne) {
    (void)scan();
    const auto for_one = apollo.search_requests();
    std::vector<doubt> many;
    for (int day = 45; day > 20; --day) {
        many.push_back(d);
        many.back().chunk.id = d.chunk.id + day;
        many.back().chunk.details.due_at = on_day(-day).due_at;
    }
    const auto pass = scan(many);
    EXPECT_THAT(apollo.search_requests(), Le(2 * for_one));
    EXPECT_THAT(pass.spans, SizeIs(25));
    for (const auto& [due, view] : pass.spans)
        EXPECT_EQ(view.problem, doubt_reason::not_visible);
}

TEST_F(LookUpOfALargeTeam, WhatIsVisibleIsReadBesideWhatIsNot) {
    auto visible = d;
    visible.chunk.id = d.chunk.id + 1;
    visible.chunk.details.due_at = on_day(25).due_at;
    create(1, visible.chunk);
    have_created(chunk_due(on_day(25)));
    const auto pass = scan({d, visible});
    EXPECT_EQ(span_of(pass).problem, doubt_reason::not_visible);
    EXPECT_EQ(pass.spans.at(visible.chunk.details.due_at).problem, doubt_reason::none);
}

TEST_F(LookUpOfALargeTeam, AFilterByContactThatWorksDecidesEachContact) {
    apollo.honours_contact_filter = true;
    create(2, d.chunk);
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::none);
    EXPECT_THAT(judged(pass), ElementsAre(absent, absent, present));
}

TEST_F(LookUpOfALargeTeam, AFilterThatIsIgnoredIsNotBelieved) {
    create(2, d.chunk);
    EXPECT_EQ(span_of(scan()).problem, doubt_reason::not_visible);
}

TEST_F(LookUpOfALargeTeam, AFilterThatHidesATaskKnownToExistIsNotBelieved) {
    apollo.honours_contact_filter = true;
    const auto known = book().chunks(1, core::chunk_state::created, 0, 10).value();
    for (const auto& id : known.at(0).task_ids)
        apollo.remove(id);
    EXPECT_EQ(span_of(scan()).problem, doubt_reason::not_visible);
}

TEST_F(LookUpOfALargeTeam, WhatTheListDoesShowIsAdoptedThoughTheRestIsNotVisible) {
    d.chunk.details.due_at = on_day(40).due_at;
    create(0, d.chunk);
    for (int i = 0; i < 1500; ++i) {
        auto later_in_the_span = task_for(d.chunk, 0, "", clock.now());
        later_in_the_span.contact_id = contact_id(70'000u);
        apollo.add(std::move(later_in_the_span));
    }
    const auto pass = scan();
    EXPECT_EQ(span_of(pass).problem, doubt_reason::not_visible);
    EXPECT_THAT(judged(pass), ElementsAre(present, undecidable, undecidable));
}

// ------------------------------------------------------------------------------------------- a search that fails

TEST_F(LookUp, AForbiddenSearchIsAskedOnceAPass) {
    const auto chunks =
        planned(plan({{on_day(0), contacts(1, 2)}, {on_day(1), contacts(1, 2)}, {on_day(2), contacts(1, 2)}}));
    std::vector<doubt> all;
    for (const auto& c : chunks)
        all.push_back(doubt_of(c));
    apollo.search_status = 403;
    const auto pass = scan(all);
    EXPECT_TRUE(pass.end.forbidden);
    EXPECT_THAT(pass.spans, SizeIs(3));
    for (const auto& [due, view] : pass.spans)
        EXPECT_EQ(view.problem, doubt_reason::forbidden);
    EXPECT_EQ(apollo.search_requests(), 1u);
}

TEST_F(LookUp, AnErrorOfTheSearchLeavesTheRestForAnotherPass) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    apollo.search_status = 500;
    const auto pass = scan();
    EXPECT_TRUE(pass.end.ended);
    EXPECT_TRUE(pass.end.trouble);
    EXPECT_THAT(pass.spans, IsEmpty());
}

TEST_F(LookUp, AListThatChangesMeanwhileProvesNothing) {
    plan_two(on_day(1), on_day(1));
    have_created(control);
    fill(30, 100);
    apollo.on_search = [&](std::uint64_t request) {
        if (request == 5) fill(1, 1);
    };
    EXPECT_EQ(span_of(scan()).problem, doubt_reason::list_changing);
}

}  // namespace
}  // namespace taskbarge::job
