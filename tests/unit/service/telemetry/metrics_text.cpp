// Prints the metrics of a service to which everything has happened once, and which has a hostile label value.
#include <chrono>
#include <cstdio>

#include "service/telemetry/metrics.hpp"

int main() {
    using namespace taskbarge;
    using namespace std::chrono_literals;
    service::metrics m("0.1.0\"a\\b\nc");
    m.http_served("GET /v1/jobs/{job}", 200, 3ms);
    m.http_served("GET /v1/jobs/{job}", 404, 20us);
    m.http_served("other", 431, 1ms);
    core::row_counts rows;
    rows.rows = 107;
    rows.created = 100;
    rows.duplicate = 3;
    rows.rejected = 2;
    rows.failed = 1;
    rows.unknown = 1;
    m.add_rows(rows);
    m.add_requests(7, 2, 1);
    for (const auto* state : {"completed", "parked", "failed"})
        m.run_ended(state, 90s);
    m.waited(1500ms);
    m.item_taken("inbox");
    m.item_finished("done");
    m.notification("delivered");
    m.contacts_refreshed("completed");
    m.ledger_commit(700us);
    m.answer(200, 400ms);
    m.answer(0, 60s);

    service::gauges now;
    now.now = core::instant(1'790'000'000'000ms);
    rows.pending = 5;
    now.rows_by_job_state = {{"parked", rows}, {"completed", {}}};
    now.jobs_by_state = {{"parked", 1}, {"completed", 12}};
    now.items_waiting = 4;
    now.items_processing = 2;
    now.items_failed = 1;
    now.ready = true;
    now.oldest_unfinished = now.last_finished = core::instant(1'789'999'000'000ms);
    now.connections = 9;
    now.event_streams = 3;
    core::rate_book book;
    book[core::window_kind::minute].limit = 200;
    book[core::window_kind::minute].used = 150;
    book[core::window_kind::hour].unlimited = true;
    now.contacts = {48'120, true, core::instant(1'789'998'000'000ms)};
    now.windows = {{"tasks/bulk_create", book}};
    return std::fputs(m.text(now).c_str(), stdout) < 0 ? 1 : 0;
}
