// The runs that are going on in this process, as the control API and the metrics see them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/telemetry/log.hpp"
#include "service/telemetry/metrics.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/report.hpp"

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
    board(log& lines, metrics& counts, announce tell, const core::clock& clock = core::system_clock())
        : log_(lines), metrics_(counts), tell_(std::move(tell)), clock_(clock) {}

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
        friend class board;
        using steady = std::chrono::steady_clock::time_point;
        void count(const core::row_counts& rows, const core::request_counts& requests);
        void log_wait(const job::progress& p);
        void count_wait(steady now);
        board& board_;
        core::job_id job_;
        const core::instant begun_at_;
        std::optional<core::row_counts> rows_;
        core::request_counts requests_;
        // Under the board's mutex:
        std::optional<steady> waited_until_;  // the run waits, and this much is counted
        job::progress last_;
        std::optional<steady> told_;  // when the log had a line of the run last; nothing: it has told of nothing yet
        // What the log was told it waits for.
        std::optional<core::instant> logged_wait_;
    };

    // A line of the log for each run that the log has heard nothing of for some minutes. To be called now and then.
    void log_progress();
    // Counts the waits under way as far as they have come.
    void count_waits();

    // A run under way.
    struct going {
        job::progress last;
        core::instant begun_at{};
    };
    std::optional<going> run_of(core::job_id job) const;
    log& lines() { return log_; }
    metrics& counts() { return metrics_; }
    void tell(std::string type, core::job_id job, std::string json) { tell_(std::move(type), job, std::move(json)); }

 private:
    log& log_;
    metrics& metrics_;
    announce tell_;
    const core::clock& clock_;
    mutable std::mutex mutex_;
    std::map<core::job_id, going> running_;
    std::set<run*> runs_;
};

}  // namespace taskbarge::service
