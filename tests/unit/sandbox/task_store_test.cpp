#include "sandbox/task_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace std::chrono_literals;
namespace core = taskbarge::core;
using taskbarge::sandbox::search_order;
using taskbarge::sandbox::task_origin;
using taskbarge::sandbox::task_store;

namespace {

const core::instant created{1'770'000'000'123ms};
const task_store::time_point start{10h};

core::task_details due(std::chrono::hours after, core::task_priority priority = core::task_priority::medium) {
    core::task_details d;
    d.user_id = "66302798d03b9601c7934ebf";
    d.priority = priority;
    d.due_at = created + after;
    return d;
}

std::vector<std::string> ids(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back("contact " + std::to_string(i));
    return all;
}

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
    return {texts.begin(), texts.end()};
}

TEST(TaskStore, GivesBackWhatWasPutIn) {
    task_store store(1, 7);
    const std::vector<std::string_view> contacts{"66E34B81740C50074E3D1BD4", "no hex at all",
                                                 "66e34b81740c50074e3d1bd5"};
    const auto first = store.add(due(1h).view(), contacts, created, start);
    EXPECT_EQ(store.at(first).contact_id, "66e34b81740c50074e3d1bd4");
    EXPECT_EQ(store.at(first + 1).contact_id, "no hex at all");
    EXPECT_EQ(store.at(first + 2).contact_id, "66e34b81740c50074e3d1bd5");
    EXPECT_EQ(store.at(first + 2).created_at, created);
    EXPECT_EQ(*store.at(first).details, due(1h));
}

TEST(TaskStore, IdsAre24HexDigitsAndNeverTheSame) {
    task_store store(1, 7);
    const auto contacts = ids(50);
    for (int request = 0; request < 20; ++request)
        store.add(due(1h).view(), views(contacts), created, start);
    std::set<std::string> seen;
    for (task_store::index i = 0; i < store.size(); ++i) {
        const std::string id = store.id_of(i);
        EXPECT_EQ(id.size(), 24u);
        EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
        seen.insert(id);
    }
    EXPECT_EQ(seen.size(), 1000u);
}

TEST(TaskStore, NeverDeduplicatesAndCountsPairsWithSeveralTasks) {
    task_store store(1, 7);
    const auto contacts = ids(3);
    store.add(due(1h).view(), views(contacts), created, start);
    store.add(due(1h).view(), {{"contact 1"}}, created, start);
    store.add(due(2h).view(), {{"contact 2"}}, created, start);
    store.add(due(1h).view(), {{"contact 1"}}, created, start, task_origin::existing);
    EXPECT_EQ(store.size(), 6u);
    EXPECT_EQ(store.count_pairs().pairs, 4u);
    EXPECT_EQ(store.count_pairs().twice, 1u);
}

TEST(TaskStore, SearchShowsTheMostFutureDueDateFirst) {
    task_store store(1, 7);
    store.add(due(5h).view(), {{"b"}}, created, start);
    store.add(due(9h).view(), {{"a"}}, created, start);
    store.add(due(1h).view(), {{"c"}}, created, start);
    const auto found = store.search(search_order::due_at, {}, 0, 10, start);
    ASSERT_EQ(found.tasks.size(), 3u);
    EXPECT_EQ(found.total, 3u);
    EXPECT_EQ(store.at(found.tasks[0]).contact_id, "a");
    EXPECT_EQ(store.at(found.tasks[1]).contact_id, "b");
    EXPECT_EQ(store.at(found.tasks[2]).contact_id, "c");
}

TEST(TaskStore, TiesKeepAnOrderThatIsNotThatOfCreation) {
    task_store store(1, 7);
    const auto contacts = ids(200);
    store.add(due(1h).view(), views(contacts), created, start);
    const auto before = store.search(search_order::due_at, {}, 0, 200, start).tasks;
    EXPECT_FALSE(std::ranges::is_sorted(before));
    store.add(due(1h).view(), views(contacts), created, start);
    auto after = store.search(search_order::due_at, {}, 0, 400, start).tasks;
    std::erase_if(after, [](task_store::index i) { return i >= 200; });
    EXPECT_EQ(after, before);
}

TEST(TaskStore, PagesTogetherShowEveryTaskOnce) {
    task_store store(3, 7);
    const auto contacts = ids(130);
    for (int h = 0; h < 4; ++h)
        store.add(due(std::chrono::hours(h)).view(), views(contacts), created, start);
    std::set<task_store::index> seen;
    for (std::uint64_t page = 0; page < 6; ++page) {
        for (const auto i : store.search(search_order::due_at, {}, page * 100, 100, start).tasks) {
            EXPECT_TRUE(seen.insert(i).second);
        }
    }
    EXPECT_EQ(seen.size(), 520u);
}

TEST(TaskStore, TasksShowOnlyAfterTheirTime) {
    task_store store(1, 7);
    store.add(due(1h).view(), {{"a"}}, created, start + 30s);
    store.add(due(1h).view(), {{"b"}}, created, start);
    EXPECT_EQ(store.search(search_order::due_at, {}, 0, 10, start).total, 1u);
    EXPECT_EQ(store.search(search_order::due_at, {}, 0, 10, start + 29s).total, 1u);
    EXPECT_EQ(store.search(search_order::due_at, {}, 0, 10, start + 30s).total, 2u);
}

TEST(TaskStore, PriorityOrderAndFiltersSelectAcrossDueDates) {
    task_store store(1, 7);
    store.add(due(9h, core::task_priority::low).view(), {{"a", "b"}}, created, start);
    store.add(due(1h, core::task_priority::high).view(), {{"a"}}, created, start);
    const auto by_priority = store.search(search_order::priority, {}, 0, 1, start);
    EXPECT_EQ(by_priority.total, 3u);
    EXPECT_EQ(by_priority.tasks, (std::vector<task_store::index>{2}));
    const auto second_page = store.search(search_order::priority, {}, 1, 2, start).tasks;
    EXPECT_EQ(second_page.size(), 2u);
    const auto of_a = store.search(search_order::due_at, {"a", ""}, 0, 10, start);
    EXPECT_EQ(of_a.tasks, (std::vector<task_store::index>{0, 2}));
    EXPECT_EQ(of_a.total, 2u);
    EXPECT_EQ(store.search(search_order::due_at, {"a", "somebody"}, 0, 10, start).total, 0u);
}

TEST(TaskStore, RestoredTasksKeepTheirIdsAndNewOnesDoNotCollide) {
    task_store old(1, 7);
    const auto contacts = ids(5);
    old.add(due(1h).view(), views(contacts), created, start);
    task_store store(1, 8);
    for (task_store::index i = 0; i < old.size(); ++i) {
        const auto task = old.at(i);
        EXPECT_TRUE(store.restore(task.id, task.details->view(), task.contact_id, task.created_at));
    }
    EXPECT_FALSE(store.restore("not an id", due(1h).view(), "a", created));
    store.add(due(1h).view(), views(contacts), created, start);
    std::set<std::string> seen;
    for (task_store::index i = 0; i < store.size(); ++i)
        seen.insert(store.id_of(i));
    EXPECT_EQ(seen.size(), 10u);
    EXPECT_EQ(store.id_of(4), old.id_of(4));
    EXPECT_EQ(store.search(search_order::due_at, {}, 0, 100, start).total, 10u);
}

}  // namespace
