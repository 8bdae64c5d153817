// What Prometheus asks for at /metrics. docs/service.md lists every metric.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::service {

// What is true at the moment of asking, collected by the service just before text().
struct gauges {
    std::vector<std::pair<std::string, core::row_counts>>
        rows_by_job_state;                                             // "parked", ...: rows of jobs in that state
    std::vector<std::pair<std::string, std::uint64_t>> jobs_by_state;  // completed, parked, failed, paused
    std::uint64_t items_waiting = 0;                                   // taken, not planned yet
    std::uint64_t items_processing = 0;                                // planned, not finished
    std::optional<std::uint64_t> items_failed;                         // in failed/; nothing: it could not be looked at
    bool ready = false;
    std::optional<core::instant> oldest_unfinished, last_finished;  // jobs, as far as there are any
    std::uint64_t connections = 0, event_streams = 0;
    std::vector<std::pair<std::string, core::rate_book>> windows;  // by route
    struct contact_knowledge {
        std::uint64_t known = 0;
        bool complete = false;
        std::optional<core::instant> as_of;
    };
    std::optional<contact_knowledge> contacts;  // nothing: it could not be looked at
    core::instant now{};
};

// Any thread. Counters only go up while the process lives.
class metrics {
 public:
    explicit metrics(std::string_view version);
    ~metrics();
    metrics(const metrics&) = delete;
    metrics& operator=(const metrics&) = delete;

    // HTTP served: the route's name ("GET /v1/jobs/{job}"; "other" for unknown ones), status, time.
    void http_served(std::string_view route, int status, std::chrono::microseconds took);
    // What a run told: differences since its last progress, so that sums grow while it runs.
    void add_rows(const core::row_counts& more);
    void add_requests(std::uint64_t sent, std::uint64_t retries, std::uint64_t rate_limited);
    void run_ended(std::string_view state, std::chrono::milliseconds took);  // completed, parked, failed
    void waited(std::chrono::milliseconds time);
    void item_taken(std::string_view origin);
    void item_finished(std::string_view place);
    void notification(std::string_view outcome);        // delivered, retried, given_up
    void contacts_refreshed(std::string_view outcome);  // completed, waited, failed
    void ledger_commit(std::chrono::microseconds took);
    void answer(int status, std::chrono::microseconds took);  // of Apollo on bulk_create; 0: none

    // The exposition format, text version 0.0.4.
    std::string text(const gauges& now);

 private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::service
