#include "job/look_up.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <set>

namespace taskbarge::job {

namespace asio = boost::asio;
using client::seen_task;

namespace {

// The filter by contact costs a request a contact: as many as one outage may leave in doubt on all connections, some
// two hour windows of the search.
constexpr std::size_t most_filtered_contacts = 800;

using contact_set = boost::unordered_flat_set<std::string_view>;

contact_set contacts_of(const std::vector<const doubt*>& doubts) {
    contact_set all;
    for (const doubt* d : doubts)
        all.insert(d->chunk.contacts.contact_ids.begin(), d->chunk.contacts.contact_ids.end());
    return all;
}

std::set<core::task_status> statuses_of(const std::vector<const doubt*>& doubts) {
    std::set<core::task_status> all;
    for (const doubt* d : doubts)
        all.insert(d->chunk.details.status);
    return all;
}

bool shows(const std::vector<seen_task>& tasks, const ledger::known_task& control) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const seen_task& t) { return t.id == control.task_id; });
}

}  // namespace

// A task that is known to be created must show up, or the list says nothing about tasks that do not.
asio::awaitable<doubt_reason> look_up::control_shows(task_list& list, core::task_status status, core::instant due,
                                                     const std::vector<seen_task>& due_then) {
    const auto& apollo = session_.env().settings.apollo;
    auto control =
        co_await session_.writer().ask<std::optional<ledger::known_task>>([&apollo, status, due](ledger::ledger& l) {
            return l.sample_created(apollo.base_url, apollo.team, status, due);
        });
    if (!control || !*control) co_return doubt_reason::index_unproven;
    const ledger::known_task& known = **control;
    if (known.details.due_at == due)
        co_return shows(due_then, known) ? doubt_reason::none : doubt_reason::index_unproven;
    bool seen = false;
    const auto find = [&](const seen_task& t) {
        seen = t.id == known.task_id;
        return !seen;
    };
    const auto problem = co_await list.read_span(known.details.due_at, find);
    if (list.end().ended) co_return doubt_reason::search_failing;
    if (seen) co_return doubt_reason::none;
    co_return problem == doubt_reason::not_visible ? problem : doubt_reason::index_unproven;
}

asio::awaitable<span_view> look_up::scan_span(task_list& list, core::instant due,
                                              const std::vector<const doubt*>& doubts) {
    const auto wanted = contacts_of(doubts);
    span_view view;
    std::vector<seen_task> due_then;  // all of the span, for the control
    const auto keep = [&](const seen_task& t) {
        due_then.push_back({t.id, {}, {}, {}, {}, {}, {}, {}, {}});
        if (wanted.contains(t.contact_id)) view.tasks.push_back(t);
        return true;
    };
    view.problem = co_await list.read_span(due, keep);
    for (const auto status : statuses_of(doubts)) {
        if (view.problem != doubt_reason::none) break;
        view.problem = co_await control_shows(list, status, due, due_then);
    }
    if (view.problem == doubt_reason::none) view.problem = co_await list.confirm_unchanged();
    co_return view;
}

// `contact_id` is no documented filter, and Apollo ignores what it does not know: it is believed only where it shows a
// task that is known to exist, and nothing of other contacts.
asio::awaitable<bool> look_up::contact_filter_works(core::task_status status, core::instant due, reading_end& end) {
    const auto& apollo = session_.env().settings.apollo;
    auto control =
        co_await session_.writer().ask<std::optional<ledger::known_task>>([&apollo, status, due](ledger::ledger& l) {
            return l.sample_created(apollo.base_url, apollo.team, status, due);
        });
    if (!control || !*control) co_return false;
    const ledger::known_task& known = **control;
    task_list list(session_, {{"contact_id", known.contact_id}});
    bool seen = false;
    const auto find = [&](const seen_task& t) {
        seen = seen || t.id == known.task_id;
        return true;
    };
    const auto problem = co_await list.read_span(known.details.due_at, find);
    if (list.end().ended) end = list.end();
    if (problem != doubt_reason::none) co_return false;
    co_return seen&& list.only_of(known.contact_id);
}

// For teams with more tasks than the list shows: one small list a contact. Nothing where that does not work.
asio::awaitable<std::optional<span_view>> look_up::try_contact_filter(core::instant due,
                                                                      const std::vector<const doubt*>& doubts,
                                                                      reading_end& end) {
    const auto wanted = contacts_of(doubts);
    if (filter_fails_ || wanted.size() > most_filtered_contacts) co_return std::nullopt;
    for (const auto status : statuses_of(doubts)) {
        if (co_await contact_filter_works(status, due, end)) continue;
        filter_fails_ = true;
        co_return std::nullopt;
    }
    span_view view;
    for (const auto contact : wanted) {
        const std::string id(contact);
        task_list list(session_, {{"contact_id", id}});
        const auto keep = [&](const seen_task& t) {
            view.tasks.push_back(t);
            return true;
        };
        const auto problem = co_await list.read_span(due, keep);
        if (list.end().ended) end = list.end();
        if (problem != doubt_reason::none || !list.only_of(id)) co_return std::nullopt;
    }
    co_return view;
}

asio::awaitable<void> look_up::mark_recorded(pass_result& out) {
    std::vector<std::string> ids;
    for (const auto& [due, view] : out.spans)
        for (const auto& task : view.tasks)
            ids.push_back(task.id);
    if (ids.empty()) co_return;
    const auto& apollo = session_.env().settings.apollo;
    auto known = co_await session_.writer().ask<std::vector<ledger::recorded_task>>(
        [&](ledger::ledger& l) { return l.recorded_tasks(apollo.base_url, apollo.team, ids); });
    if (!known) {
        out.end.ended = true;
        out.end.failed = known.error();
        co_return;
    }
    for (auto& [due, view] : out.spans)
        for (const auto& task : *known)
            view.recorded.insert(task.task_id);
}

// One due date, by the whole list or by contacts. A reading for each: a list that changes costs that due date's only.
asio::awaitable<span_view> look_up::view_of(core::instant due, const std::vector<const doubt*>& doubts,
                                            reading_end& end) {
    span_view view;
    if (hidden_before_ && due < *hidden_before_) {
        view.problem = doubt_reason::not_visible;
    } else {
        task_list list(session_, {});
        view = co_await scan_span(list, due, doubts);
        end = list.end();
        if (view.problem == doubt_reason::not_visible && !end.ended) hidden_before_ = list.last_shown();
    }
    if (view.problem == doubt_reason::not_visible)
        if (auto filtered = co_await try_contact_filter(due, doubts, end)) view = std::move(*filtered);
    co_return view;
}

asio::awaitable<pass_result> look_up::scan(const std::vector<doubt>& doubts) {
    std::map<core::instant, std::vector<const doubt*>> by_due;
    for (const auto& d : doubts)
        by_due[d.chunk.details.due_at].push_back(&d);
    pass_result out;
    for (const auto& [due, there] : by_due) {
        if (out.end.forbidden) {
            out.spans[due].problem = doubt_reason::forbidden;  // the next page would be too
            continue;
        }
        auto view = co_await view_of(due, there, out.end);
        if (out.end.forbidden)
            view.problem = doubt_reason::forbidden;
        else if (out.end.ended)
            break;
        out.spans.emplace(due, std::move(view));
    }
    co_await mark_recorded(out);
    co_return out;
}

}  // namespace taskbarge::job
