#include <map>
#include <string>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

using http::request;
using http::response;

gauges metrics_route::gather() const {
    gauges now;
    now.now = parts_.clock.now();
    const auto [waiting, processing] = parts_.intake.sizes();
    now.items_waiting = waiting;
    now.items_processing = processing;
    if (const auto failed = parts_.store.count(inbox::item_place::failed)) now.items_failed = *failed;
    now.ready = why_not_ready(parts_).empty();
    parts_.board.count_waits();
    const auto configuration = parts_.configuration.get();
    auto book = ledger::open_ledger(configuration->settings.ledger.path);
    if (!book) return now;
    std::map<std::string, std::uint64_t> jobs{{"completed", 0}, {"parked", 0}, {"failed", 0}, {"paused", 0}};
    std::map<std::string, core::row_counts> rows;
    for (const auto& [state, count] : jobs)
        rows[state] = {};
    if (const auto ends = (*book)->ends_of_jobs()) {
        now.oldest_unfinished = ends->oldest_unfinished;
        now.last_finished = ends->last_finished;
    }
    const auto all = (*book)->sums_by_state();
    if (!all) return now;  // no sums are better than wrong ones
    for (const auto& sums : *all) {
        const std::string state(sums.paused ? "paused" : core::to_string(sums.state));
        jobs[state] += sums.jobs;
        rows[state] += sums.rows;
    }
    now.jobs_by_state.assign(jobs.begin(), jobs.end());
    now.rows_by_job_state.assign(rows.begin(), rows.end());
    const auto& s = configuration->settings;
    now.windows = known_windows(task_windows, **book, s, now.now);
    for (auto& one : known_windows(contact_windows, **book, s, now.now))
        now.windows.push_back(std::move(one));
    if (const auto known = parts_.contacts.known(**book))
        now.contacts = {known->contacts, known->index.complete(), known->index.as_of};
    return now;
}

awaitable<void> metrics_route::show(request& x, const path_values&) {
    auto look = [this] { return gather(); };
    auto now = co_await parts_.readers.run(look);
    now.connections = parts_.connections();
    now.event_streams = parts_.events.listeners();
    response a;
    a.content_type = "text/plain; version=0.0.4; charset=utf-8";
    a.body = parts_.board.counts().text(now);
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
