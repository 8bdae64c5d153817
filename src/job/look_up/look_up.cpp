#include "job/look_up/look_up.hpp"

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

task_list::contact_set contacts_of(const std::vector<const doubt*>& doubts) {
    task_list::contact_set all;
    for (const doubt* d : doubts)
        for (const auto contact : d->chunk.contacts.contact_ids)
            all.emplace(contact);
    return all;
}

std::set<core::task_status> statuses_of(const std::vector<const doubt*>& doubts) {
    std::set<core::task_status> all;
    for (const doubt* d : doubts)
        all.insert(d->chunk.details.status);
    return all;
}

// The ends of the requests in doubt with that status, latest first.
std::set<ledger::event_number, std::greater<>> ends_of(const std::vector<const doubt*>& doubts,
                                                       core::task_status status) {
    std::set<ledger::event_number, std::greater<>> ends;
    for (const doubt* d : doubts)
        if (d->chunk.details.status == status) ends.insert(d->ended);
    return ends;
}

// Takes in the tasks of one span, of the contacts in doubt. A task id that stands for two contacts is a lie, and
// whoever tells one is not believed in anything else.
class span_tasks {
 public:
    span_tasks(span_view& view, const task_list::contact_set& wanted) : view_(view), wanted_(wanted) {}

    void add(const seen_task& task) {
        const auto [at, fresh] = contact_of_.try_emplace(task.id, task.contact_id);
        lied_ = lied_ || (!fresh && at->second != task.contact_id) || task.id.empty();
        if (fresh && wanted_.contains(task.contact_id)) view_.tasks.push_back(task);
    }
    // False: nothing of the span is evidence.
    bool finish() {
        if (!lied_) return true;
        view_.tasks.clear();
        view_.problem = doubt_reason::search_failing;
        return false;
    }
    bool contains(const std::string& id) const { return contact_of_.contains(id); }

 private:
    span_view& view_;
    const task_list::contact_set& wanted_;
    boost::unordered_flat_map<std::string, std::string> contact_of_;
    bool lied_ = false;
};

}  // namespace

// A failure of the ledger ends the pass.
template <class T, class F>
asio::awaitable<std::optional<T>> look_up::ask_ledger(F question) {
    auto answer = co_await session_.writer().ask<T>(std::move(question));
    if (answer) co_return std::move(*answer);
    if (!ledger_failure_) ledger_failure_ = answer.error();
    co_return std::nullopt;
}

// Which of the tasks the ledger knows.
asio::awaitable<std::optional<std::vector<ledger::recorded_task>>> look_up::recorded_of(std::vector<std::string> ids) {
    auto question = [&apollo = session_.env().settings.apollo, ids = std::move(ids)](ledger::ledger& l) {
        return l.recorded_tasks(apollo.base_url, apollo.team, ids);
    };
    return ask_ledger<std::vector<ledger::recorded_task>>(std::move(question));
}

// A task that must show in the scan if the index has come further than `ended`. Of those that are known the oldest is
// asked for first: it has had the most time to show. It may have been moved or finished by a person since; then the
// newest serves.
asio::awaitable<std::vector<look_up::control>> look_up::controls_after(core::task_status status,
                                                                       ledger::event_number ended) {
    auto question = [&apollo = session_.env().settings.apollo, status,
                     ended](ledger::ledger& l) -> core::result<std::vector<control>> {
        std::vector<control> out;
        auto oldest = l.control_after(apollo.base_url, apollo.team, status, ended);
        if (!oldest) return oldest.error();
        if (!*oldest) return out;
        auto newest = l.sample_created(apollo.base_url, apollo.team, status, std::nullopt);
        if (!newest) return newest.error();
        for (const auto& task : {*oldest, *newest}) {
            if (!task || (!out.empty() && out.front().task.task_id == task->task_id)) continue;
            auto known = l.recorded_tasks(apollo.base_url, apollo.team, {task->task_id});
            if (!known) return known.error();
            if (!known->empty() && known->front().since > ended) out.push_back({*task, known->front().since});
        }
        return out;
    };
    auto found = co_await ask_ledger<std::vector<control>>(std::move(question));
    co_return found ? std::move(*found) : std::vector<control>();
}

// Looks at the list for a control where what was read anyway has shown none.
asio::awaitable<void> look_up::seek_control(task_list& list, core::task_status status,
                                            const std::vector<const doubt*>& doubts, span_view& view) {
    for (const auto ended : ends_of(doubts, status)) {
        if (view.proven_to[status] > ended) co_return;
        const auto controls = co_await controls_after(status, ended);
        for (const auto& c : controls) {
            bool seen = false;
            const auto find = [&](const seen_task& t) {
                seen = t.id == c.task.task_id;
                return !seen;
            };
            (void)co_await list.read_span(c.task.details.due_at, find);
            if (list.end().ended) co_return;
            if (!seen) continue;
            view.proven_to[status] = std::max(view.proven_to[status], c.since);
            co_return;
        }
    }
}

// Whether a task that the ledger knows to be due then is among those of the span, if it knows one: else what was read
// is not that span.
asio::awaitable<bool> look_up::own_task_shows(core::task_status status, core::instant due,
                                              const std::function<bool(const std::string&)>& in_span) {
    auto question = [&apollo = session_.env().settings.apollo, status, due](ledger::ledger& l) {
        return l.sample_created(apollo.base_url, apollo.team, status, due);
    };
    const auto known = co_await ask_ledger<std::optional<ledger::known_task>>(std::move(question));
    if (!known) co_return false;
    co_return !*known || (*known)->details.due_at != due || in_span((*known)->task_id);
}

asio::awaitable<span_view> look_up::scan_span(task_list& list, core::instant due,
                                              const std::vector<const doubt*>& doubts) {
    const auto wanted = contacts_of(doubts);
    span_view view;
    span_tasks span(view, wanted);
    const auto keep = [&](const seen_task& t) {
        span.add(t);
        return true;
    };
    view.problem = co_await list.read_span(due, keep);
    if (!span.finish() || view.problem != doubt_reason::none) co_return view;

    boost::unordered_flat_map<std::string, shown_task> shown;
    std::vector<std::string> ids;
    for (auto& task : list.shown()) {
        ids.push_back(task.id);
        shown.emplace(task.id, std::move(task));
    }
    const auto known = co_await recorded_of(std::move(ids));
    if (!known) co_return view;
    boost::unordered_flat_set<std::string> own;  // of this due date
    by_status<bool> own_shows{};
    for (const auto& task : *known) {
        const auto& seen = shown.at(task.task_id);
        auto& proven = view.proven_to[task.details.status];
        // A person may have finished it since: then it says nothing of those that are as it was.
        if (seen.status == core::to_string(task.details.status)) proven = std::max(proven, task.since);
        if (span.contains(task.task_id)) own_shows[task.details.status] = true;
        if (!seen.created_at || !task.answered_at) continue;
        const auto ahead = *seen.created_at - *task.answered_at;
        view.stamps_ahead = std::min(view.stamps_ahead.value_or(ahead), ahead);
    }
    const auto in_span = [&](const std::string& id) { return span.contains(id); };
    for (const auto status : statuses_of(doubts)) {
        if (!own_shows[status] && !co_await own_task_shows(status, due, in_span))
            view.proven_to[status] = 0;
        else
            co_await seek_control(list, status, doubts, view);
        if (list.end().ended) {
            view.problem = doubt_reason::search_failing;
            co_return view;
        }
    }
    view.problem = co_await list.confirm_unchanged();
    co_return view;
}

// `contact_id` is no documented filter, and Apollo ignores what it does not know: it is believed only where it shows a
// task that is known to exist, and nothing of other contacts. Gives how far that task proves the index; 0: it is not
// believed.
asio::awaitable<ledger::event_number> look_up::contact_filter_proves(core::task_status status,
                                                                     const std::vector<const doubt*>& doubts,
                                                                     reading_end& end) {
    std::vector<control> controls;
    for (const auto ended : ends_of(doubts, status)) {
        controls = co_await controls_after(status, ended);
        if (!controls.empty()) break;
    }
    // None is young enough to show that a task is not there; an older one shows whether what is there can be seen.
    if (controls.empty()) controls = co_await controls_after(status, 0);
    for (const auto& c : controls) {
        task_list list(session_, {{"contact_id", c.task.contact_id}}, {});
        bool seen = false;
        const auto find = [&](const seen_task& t) {
            seen = seen || t.id == c.task.task_id;
            return true;
        };
        const auto problem = co_await list.read_span(c.task.details.due_at, find);
        if (list.end().ended) {
            end = list.end();
            co_return 0;
        }
        if (problem == doubt_reason::none && seen && list.only_of(c.task.contact_id)) co_return c.since;
    }
    co_return 0;
}

// For teams with more tasks than the list shows: one small list a contact. Nothing where that does not work.
asio::awaitable<std::optional<span_view>> look_up::try_contact_filter(core::instant due,
                                                                      const std::vector<const doubt*>& doubts,
                                                                      reading_end& end) {
    const auto wanted = contacts_of(doubts);
    if (filter_fails_ || wanted.size() > most_filtered_contacts) co_return std::nullopt;
    span_view view;
    for (const auto status : statuses_of(doubts)) {
        view.proven_to[status] = co_await contact_filter_proves(status, doubts, end);
        if (view.proven_to[status] > 0) continue;
        filter_fails_ = true;
        co_return std::nullopt;
    }
    span_tasks span(view, wanted);
    for (const auto& contact : wanted) {
        task_list list(session_, {{"contact_id", contact}}, {contact});
        const auto keep = [&](const seen_task& t) {
            span.add(t);
            return true;
        };
        const auto problem = co_await list.read_span(due, keep);
        if (list.end().ended) end = list.end();
        if (problem != doubt_reason::none || !list.only_of(contact)) co_return std::nullopt;
    }
    (void)span.finish();
    co_return view;
}

asio::awaitable<void> look_up::mark_recorded(pass_result& out) {
    std::vector<std::string> ids;
    for (const auto& [due, view] : out.spans)
        for (const auto& task : view.tasks)
            ids.push_back(task.id);
    if (ids.empty()) co_return;
    const auto known = co_await recorded_of(std::move(ids));
    if (!known) co_return;
    boost::unordered_flat_map<std::string_view, const core::task_details*> rows;
    for (const auto& task : *known)
        rows.emplace(task.task_id, &task.details);
    for (auto& [due, view] : out.spans)
        for (const auto& task : view.tasks) {
            const auto row = rows.find(task.id);
            if (row != rows.end()) (same_details(task, *row->second) ? view.recorded : view.disputed).insert(task.id);
        }
}

// One due date, by the whole list or by contacts. A reading for each: a list that changes costs that due date's only.
asio::awaitable<span_view> look_up::view_of(core::instant due, const std::vector<const doubt*>& doubts,
                                            reading_end& end) {
    span_view view;
    if (hidden_before_ && due < *hidden_before_) {
        view.problem = doubt_reason::not_visible;
    } else {
        task_list list(session_, {}, contacts_of(doubts));
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
        else if (out.end.ended || ledger_failure_)
            break;
        out.spans.emplace(due, std::move(view));
    }
    co_await mark_recorded(out);
    if (ledger_failure_) {
        out.end.ended = true;
        out.end.failed = ledger_failure_;
    }
    co_return out;
}

}  // namespace taskbarge::job
