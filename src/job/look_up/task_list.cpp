#include "job/look_up/task_list.hpp"

#include <algorithm>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using client::seen_task;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t per_page = 100;  // the most that Apollo gives
// How often a page is asked for again because its window was shut after all: others may use the same windows.
constexpr int most_tries = 20;

// A page that the list has by its length, but Apollo does not show.
bool is_beyond_the_display(const client::exchange& x, std::uint64_t number) {
    return x.status == 422 && number > 1 && client::respondent_of(x) == client::respondent::apollo;
}

}  // namespace

task_list::task_list(session& s, filter_list filters, contact_set wanted)
    : session_(s),
      filters_(std::move(filters)),
      wanted_(std::move(wanted)),
      most_shown_(s.env().settings.limits.search_visible) {}

std::uint64_t task_list::listed() const {
    return std::min(total_.value_or(0), most_shown_);
}

std::uint64_t task_list::last_page() const {
    return std::max<std::uint64_t>((listed() + per_page - 1) / per_page, 1);
}

// False: the wait is too long, or the run is to stop.
asio::awaitable<bool> task_list::pause_until(core::instant until) {
    const auto& env = session_.env();
    const auto wait = until - env.clock.now();
    if (wait > env.settings.send.max_wait) co_return false;
    co_return co_await session_.pause_until(env.clock.steady_now() + std::max<std::chrono::milliseconds>(wait, 10ms));
}

asio::awaitable<core::result<asked>> task_list::ask(std::uint64_t number) {
    core::result<asked> got = asked{};
    for (int tried = 0; tried < most_tries; ++tried) {
        core::fault_point("before_look_up");
        got = co_await session_.search_page(static_cast<std::uint32_t>(number), per_page, filters_);
        core::fault_point("after_look_up");
        if (!got || !got->wait_until || !co_await pause_until(*got->wait_until)) break;
    }
    co_return got;
}

asio::awaitable<std::optional<client::search_page>> task_list::fetch(std::uint64_t number) {
    if (end_.ended) co_return std::nullopt;
    if (session_.env().stop.level() != stop_level::none) {
        end_.ended = true;  // a reading may take minutes, and loses nothing by being begun anew
        co_return std::nullopt;
    }
    auto got = co_await ask(number);
    end_.ended = true;  // until the page is there
    if (!got) {
        end_.failed = got.error();
        co_return std::nullopt;
    }
    if (got->wait_until) {
        end_.wait_until = got->wait_until;
        co_return std::nullopt;
    }
    if (is_beyond_the_display(*got->answer, number)) {
        end_.ended = false;
        most_shown_ = std::min(most_shown_, (number - 1) * per_page);
        co_return client::search_page{};
    }
    auto read = client::read_search(*got->answer, number, per_page);
    if (!read) {
        end_.forbidden = read.error().code == core::errc::forbidden;
        if (read.error().code == core::errc::unauthorized) end_.failed = read.error();
        if (!end_.forbidden && !end_.failed) end_.trouble = read.error();
        co_return std::nullopt;
    }
    end_.ended = false;
    if (total_ && *total_ != read->total_entries) changed_ = true;
    total_ = read->total_entries;
    co_return std::move(*read);
}

task_list::page_view task_list::view_of(std::uint64_t number, client::search_page&& got) const {
    page_view view;
    const auto before = (number - 1) * per_page;
    view.whole = got.tasks.size() >= std::min<std::uint64_t>(per_page, listed() - std::min(before, listed()));
    for (auto& task : got.tasks) {
        if (!wanted_.contains(task.contact_id)) {
            client::seen_task other;
            other.id = std::move(task.id);
            other.contact_id = std::move(task.contact_id);
            other.status = std::move(task.status);
            other.due_at = task.due_at;
            other.created_at = task.created_at;
            task = std::move(other);
        }
        if (!task.due_at) continue;
        if (!view.first_due) view.first_due = task.due_at;
        if (view.last_due && *view.last_due < *task.due_at) view.sorted = false;
        view.last_due = task.due_at;
    }
    view.tasks = std::move(got.tasks);
    return view;
}

// A task on two pages has moved while they were read, and another may have slipped through between them.
void task_list::keep(std::uint64_t number, page_view view) {
    for (const auto& task : view.tasks)
        if (!task.id.empty() && !ids_.insert(task.id).second) changed_ = true;
    pages_.emplace(number, std::move(view));
}

asio::awaitable<const task_list::page_view*> task_list::page(std::uint64_t number) {
    if (!pages_.contains(number)) {
        auto got = co_await fetch(number);
        if (!got) co_return nullptr;
        keep(number, view_of(number, std::move(*got)));
    }
    co_return &pages_.at(number);
}

// The first page whose last task is due at `due` or earlier; the last visible page where none is.
asio::awaitable<std::uint64_t> task_list::first_page_reaching(core::instant due) {
    if (co_await page(1) == nullptr) co_return 0;
    std::uint64_t low = 1, high = last_page();
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const page_view* seen = co_await page(middle);
        if (seen == nullptr) co_return 0;
        // A page without any due date lies behind all that have one.
        if (!seen->last_due || *seen->last_due <= due)
            high = middle;
        else
            low = middle + 1;
    }
    co_return low;
}

// Whether what was read can be one list in the documented order, without gaps. Pages far apart show best whether it is.
doubt_reason task_list::problem_of_pages() const {
    if (changed_) return doubt_reason::list_changing;
    std::optional<core::instant> before;
    for (const auto& [number, view] : pages_) {
        if (!view.sorted || (before && view.first_due && *before < *view.first_due)) return doubt_reason::not_sorted;
        if (view.last_due) before = view.last_due;
    }
    // What the length counts and no page shows may be what is looked for.
    const auto has_gaps = [](const auto& entry) { return !entry.second.whole; };
    return std::any_of(pages_.begin(), pages_.end(), has_gaps) ? doubt_reason::not_visible : doubt_reason::none;
}

// Whether the last task that was shown is the last one there is.
bool task_list::all_shown() const {
    const auto total = total_.value_or(0);
    if (total >= most_shown_) return false;
    const auto last =
        std::find_if(pages_.rbegin(), pages_.rend(), [](const auto& entry) { return !entry.second.tasks.empty(); });
    const auto listed = last == pages_.rend() ? 0 : (last->first - 1) * per_page + last->second.tasks.size();
    return listed >= total;
}

asio::awaitable<doubt_reason> task_list::read_span(core::instant due, const visitor& visit) {
    auto number = co_await first_page_reaching(due);
    if (number == 0) co_return doubt_reason::search_failing;
    for (; number <= last_page(); ++number) {
        const page_view* seen = co_await page(number);
        if (seen == nullptr) co_return doubt_reason::search_failing;
        bool past = false;
        for (const auto& task : seen->tasks) {
            if (task.due_at == due && !visit(task)) co_return doubt_reason::none;
            past = past || (task.due_at && *task.due_at < due);
        }
        if (past) co_return problem_of_pages();
        if (changed_ || seen->tasks.empty()) break;
    }
    const auto problem = problem_of_pages();
    co_return problem != doubt_reason::none ? problem : all_shown() ? doubt_reason::none : doubt_reason::not_visible;
}

std::optional<core::instant> task_list::last_shown() const {
    for (auto at = pages_.rbegin(); at != pages_.rend(); ++at)
        if (at->second.last_due) return at->second.last_due;
    return std::nullopt;
}

bool task_list::only_of(const std::string& contact_id) const {
    return std::all_of(pages_.begin(), pages_.end(), [&](const auto& entry) {
        const auto& tasks = entry.second.tasks;
        return std::all_of(tasks.begin(), tasks.end(), [&](const seen_task& t) { return t.contact_id == contact_id; });
    });
}

std::vector<shown_task> task_list::shown() const {
    std::vector<shown_task> all;
    for (const auto& [number, view] : pages_)
        for (const auto& task : view.tasks)
            if (!task.id.empty()) all.push_back({task.id, task.status, task.due_at, task.created_at});
    return all;
}

asio::awaitable<doubt_reason> task_list::confirm_unchanged() {
    const auto again = co_await fetch(1);
    if (!again) co_return doubt_reason::search_failing;
    const auto same_id = [](const seen_task& a, const seen_task& b) { return a.id == b.id; };
    const auto first = pages_.find(1);
    if (first != pages_.end() && !std::equal(first->second.tasks.begin(), first->second.tasks.end(),
                                             again->tasks.begin(), again->tasks.end(), same_id))
        changed_ = true;
    co_return problem_of_pages();
}

}  // namespace taskbarge::job
