// The runs that are going on in this process, as the control API and the metrics see them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/telemetry/log.hpp"
#include "service/telemetry/metrics.hpp"
#include "taskbarge/job/job.hpp"

namespace taskbarge::service {

// Told what happens to jobs and inputs: an event of that type with a JSON object. Any thread.
using announce = std::function<void(std::string type, core::job_id job, std::string json)>;

// For work that nobody watches.
class silence final : public job::observer {
 public:
    void on_progress(const job::progress&) override {}
    void on_notice(const std::string&) override {}
};

class board {
 public:
    board(log& lines, metrics& counts, announce tell) : log_(lines), metrics_(counts), tell_(std::move(tell)) {}

    // A run's observer: keeps its last progress, counts what it did, and passes its notices on. One run each.
    class run final : public job::observer {
     public:
        run(board& b, core::job_id job);
        ~run() override;
        run(const run&) = delete;
        run& operator=(const run&) = delete;
        void on_progress(const job::progress& p) override;
        void on_notice(const std::string& line) override;
        void on_answer(int status, std::chrono::milliseconds took) override;
        void on_commit(std::chrono::microseconds took) override;
        // The run's end, with the job's last sums.
        void ended(const job::report& r);

     private:
        void count(const core::row_counts& rows, const core::request_counts& requests);
        board& board_;
        core::job_id job_;
        std::optional<core::row_counts> rows_;
        core::request_counts requests_;
        std::optional<std::chrono::steady_clock::time_point> waited_until_;  // the run waits, and this much is counted
    };

    std::optional<job::progress> progress_of(core::job_id job) const;
    std::vector<job::progress> running() const;
    log& lines() { return log_; }
    metrics& counts() { return metrics_; }
    void tell(std::string type, core::job_id job, std::string json) { tell_(std::move(type), job, std::move(json)); }

 private:
    log& log_;
    metrics& metrics_;
    announce tell_;
    mutable std::mutex mutex_;
    std::map<core::job_id, job::progress> running_;
};

}  // namespace taskbarge::service
