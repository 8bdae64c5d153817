#include "service/work/board.hpp"

#include <utility>

#include "service/telemetry/event_json.hpp"

namespace taskbarge::service {

namespace {

std::uint64_t more(std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
}

}  // namespace

board::run::run(board& b, core::job_id job) : board_(b), job_(job) {}

board::run::~run() {
    const std::lock_guard lock(board_.mutex_);
    board_.running_.erase(job_);
}

void board::run::on_progress(const job::progress& p) {
    {
        const std::lock_guard lock(board_.mutex_);
        board_.running_[job_ != 0 ? job_ : p.job] = p;
        if (job_ == 0) job_ = p.job;
    }
    if (p.phase != job::phase::reading) count(p.rows, p.requests);
    const auto now = std::chrono::steady_clock::now();
    if (waited_until_)
        board_.metrics_.waited(std::chrono::duration_cast<std::chrono::milliseconds>(now - *waited_until_));
    waited_until_.reset();
    if (p.phase == job::phase::waiting) waited_until_ = now;
    board_.tell("progress", p.job, progress_json(p));
}

void board::run::on_notice(const std::string& line) {
    board_.log_.info("notice", {{"job", job_}}, line);
    board_.tell("notice", job_, notice_json(job_, line));
}

void board::run::on_answer(int status, std::chrono::milliseconds took) {
    board_.metrics_.answer(status, took);
}

void board::run::on_commit(std::chrono::microseconds took) {
    board_.metrics_.ledger_commit(took);
}

void board::run::ended(const job::report& r) {
    if (r.job) count(r.rows, r.requests);
}

void board::run::count(const core::row_counts& rows, const core::request_counts& requests) {
    // The first sums are those that the run found.
    if (rows_) {
        core::row_counts grown;
        grown.created = more(rows.created, rows_->created);
        grown.failed = more(rows.failed, rows_->failed);
        grown.unknown = more(rows.unknown, rows_->unknown);
        board_.metrics_.add_rows(grown);
        board_.metrics_.add_requests(more(requests.requests, requests_.requests),
                                     more(requests.retries, requests_.retries),
                                     more(requests.rate_limited, requests_.rate_limited));
    }
    rows_ = rows;
    requests_ = requests;
}

std::optional<job::progress> board::progress_of(core::job_id job) const {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(job);
    if (found == running_.end()) return std::nullopt;
    return found->second;
}

std::vector<job::progress> board::running() const {
    const std::lock_guard lock(mutex_);
    std::vector<job::progress> all;
    for (const auto& [job, p] : running_)
        all.push_back(p);
    return all;
}

}  // namespace taskbarge::service
