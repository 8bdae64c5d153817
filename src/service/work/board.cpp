#include "service/work/board.hpp"

#include <chrono>
#include <utility>

#include "service/telemetry/event_json.hpp"

namespace taskbarge::service {

namespace {

std::uint64_t more(std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
}

// A shorter wait is part of sending: the minute's window shuts and opens all the time.
constexpr std::chrono::milliseconds worth_a_line = std::chrono::seconds(10);
constexpr std::chrono::milliseconds longest_silence = std::chrono::minutes(5);

}  // namespace

board::run::run(board& b, core::job_id job) : board_(b), job_(job), begun_at_(b.clock_.now()) {
    const std::lock_guard lock(board_.mutex_);
    told_ = board_.clock_.steady_now();
    board_.runs_.insert(this);
}

board::run::~run() {
    const std::lock_guard lock(board_.mutex_);
    board_.runs_.erase(this);
    board_.running_.erase(job_);
}

void board::run::count_wait(steady now) {
    if (!waited_until_) return;
    board_.metrics_.waited(std::chrono::duration_cast<std::chrono::milliseconds>(now - *waited_until_));
    waited_until_ = now;
}

void board::run::on_progress(const job::progress& p) {
    {
        const std::lock_guard lock(board_.mutex_);
        if (job_ == 0) job_ = p.job;
        board_.running_[job_] = {p, begun_at_};
        last_ = p;
        const auto now = board_.clock_.steady_now();
        count_wait(now);
        waited_until_.reset();
        if (p.phase == job::phase::waiting) waited_until_ = now;
    }
    if (p.phase != job::phase::reading) count(p.rows, p.requests);
    log_wait(p);
    board_.tell("progress", p.job, progress_json(p));
}

// One line a wait: the same one is told of again and again.
void board::run::log_wait(const job::progress& p) {
    if (p.phase != job::phase::waiting || !p.waiting_until) return;
    {
        const std::lock_guard lock(board_.mutex_);
        if (*p.waiting_until - board_.clock_.now() < worth_a_line) return;
        if (logged_wait_ && std::chrono::abs(*logged_wait_ - *p.waiting_until) < worth_a_line) return;
        logged_wait_ = p.waiting_until;
        told_ = board_.clock_.steady_now();
    }
    board_.log_.info("job_waiting", {{"job", job_},
                                     {"for", p.waiting_for},
                                     {"until", core::to_rfc3339_seconds(*p.waiting_until)},
                                     {"pending", p.rows.pending}});
}

void board::log_progress() {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady_now();
    for (auto* one : runs_) {
        if (one->job_ == 0 || now - *one->told_ < longest_silence) continue;
        one->told_ = now;
        const auto& p = one->last_;
        log_.info("job_progress", {{"job", one->job_},
                                   {"phase", to_string(p.phase)},
                                   {"rows", p.rows.rows},
                                   {"created", p.rows.created},
                                   {"failed", p.rows.failed},
                                   {"pending", p.rows.pending},
                                   {"requests", p.requests.requests}});
    }
}

void board::count_waits() {
    const std::lock_guard lock(mutex_);
    for (auto* one : runs_)
        one->count_wait(clock_.steady_now());
}

void board::run::on_notice(const std::string& line) {
    if (job_ == 0)
        board_.log_.info("notice", {}, line);
    else
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

std::optional<board::going> board::run_of(core::job_id job) const {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(job);
    if (found == running_.end()) return std::nullopt;
    return found->second;
}

}  // namespace taskbarge::service
