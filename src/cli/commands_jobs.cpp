// jobs and status: what the ledger knows of jobs. They only read it.
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "cli/commands.hpp"
#include "cli/observer.hpp"
#include "cli/output_jobs.hpp"
#include "cli/output_summary.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::cli {

namespace {

constexpr const char* routes[] = {"tasks/bulk_create", "tasks/search"};

core::result<job_line> read_job(ledger::report_book& ledger, const ledger::job_record& record) {
    const auto totals = ledger.totals(record.id);
    if (!totals) return totals.error();
    return job_line{record, *totals};
}

struct job_list {
    std::unique_ptr<ledger::ledger> book;  // null: there is none yet
    std::vector<job_line> lines;
};

// The jobs in these states; in all where none is named.
core::result<job_list> read_jobs(const core::settings& settings, const std::vector<job_word>& states) {
    auto book = existing_ledger(settings, ledger::witness_check::ignored);
    if (!book) return book.error();
    job_list out{std::move(*book), {}};
    if (!out.book) return out;
    const auto records = out.book->jobs();
    if (!records) return records.error();
    for (const auto& record : *records) {
        if (!is_wanted(record, states)) continue;
        auto line = read_job(*out.book, record);
        if (!line) return line.error();
        out.lines.push_back(std::move(*line));
    }
    return out;
}

// The jobs as --json tells them.
core::result<std::vector<job::report>> reports_of(const program& p, const invocation& s, const job_list& jobs) {
    std::vector<job::report> out;
    if (!jobs.book) return out;
    const auto unfinished = jobs.book->unfinished_jobs();
    if (!unfinished) return unfinished.error();
    terminal_observer nobody({progress_style::none, write_stderr, {}, p.clock});
    const job::environment environment{s.settings, s.key, p.clock, p.stop, nobody, p.seed};
    for (const auto& line : jobs.lines) {
        auto& report = out.emplace_back(job::report_listed(environment, *jobs.book, line.record));
        report.reasons = reasons_of(*jobs.book, report, report::most_reasons);
        for (const auto& other : *unfinished)
            if (other.id != line.record.id) report.unfinished_jobs.push_back(other.id);
    }
    return out;
}

// Requests that the pending rows will take, in proportion.
std::uint64_t requests_left(const job_line& job) {
    const auto& rows = job.totals.rows;
    const auto to_create = rows.rows - rows.rejected - rows.duplicate;
    if (rows.pending == 0 || to_create == 0) return 0;
    const auto least = static_cast<double>(job.totals.requests.minimum_requests);
    const auto share = static_cast<double>(rows.pending) / static_cast<double>(to_create);
    return static_cast<std::uint64_t>(least * share) + 1;
}

core::result<void> add_windows(job_status& status, ledger::window_store& ledger, const core::settings& settings,
                               core::instant now) {
    const auto& identity = status.job.record.identity;
    for (const char* route : routes) {
        auto book = ledger.load_book({identity.base_url, identity.team, route});
        if (!book) return book.error();
        client::tidy(*book, settings.limits, now);
        status.books.emplace_back(route, *book);
    }
    const auto left = requests_left(status.job);
    if (left != 0)
        status.expected_end = client::forecast_end(status.books.front().second, settings.limits, left, now).end;
    return {};
}

core::result<job_status> read_status(const options& o, const core::settings& settings, core::instant now) {
    constexpr std::size_t most_attempts = 100'000;
    const auto id = o.job.value();
    auto ledger = ledger_of(id, settings, ledger::witness_check::ignored);
    if (!ledger) return ledger.error();
    const auto record = (*ledger)->job(id);
    if (!record) return record.error();
    auto job = read_job(**ledger, *record);
    if (!job) return job.error();
    job_status status{std::move(*job), {}, {}, {}, {}};
    auto reasons = (*ledger)->reasons(id, most_reasons_in_status + 1);
    if (!reasons) return reasons.error();
    status.reasons = std::move(*reasons);
    const auto windows = add_windows(status, **ledger, settings, now);
    if (!windows) return windows.error();
    if (!o.attempts) return status;
    auto attempts = (*ledger)->attempts(id, most_attempts, 0);
    if (!attempts) return attempts.error();
    status.attempts = std::move(*attempts);
    return status;
}

// What a person is shown of a job, and what its command ends with.
struct looked_at {
    job_status status;
    job::report report;
};

core::result<looked_at> look_at(const options& o, const program& p, const invocation& s) {
    auto status = read_status(o, s.settings, p.clock.now());
    if (!status) return status.error();
    terminal_observer nobody({progress_style::none, write_stderr, {}, p.clock});
    auto report = job::report_job({s.settings, s.key, p.clock, p.stop, nobody, p.seed}, status->job.record.id);
    report.reasons = status->reasons;
    if (report.reasons.size() > report::most_reasons) report.reasons.resize(report::most_reasons);
    status->steps = next_steps(report, repeated_options(o));
    return looked_at{std::move(*status), std::move(report)};
}

// Waits that end early when a stop is asked for.
class pause {
 public:
    explicit pause(job::stop_control& stop) : stop_(stop) {
        stop_.listen([this](job::stop_level) {
            const std::lock_guard lock(mutex_);
            changed_.notify_all();
        });
    }
    pause(const pause&) = delete;
    pause& operator=(const pause&) = delete;
    ~pause() { stop_.listen({}); }

    // False when a stop was asked for.
    bool wait(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        const auto stopped = [this] { return stop_.level() != job::stop_level::none; };
        return !changed_.wait_for(lock, time, stopped);
    }

 private:
    job::stop_control& stop_;
    std::mutex mutex_;
    std::condition_variable changed_;
};

// Nothing goes on by itself: it is finished, or needs a person.
bool is_over(const ledger::job_record& job) {
    return !job.held && (job.state == core::job_state::completed || job.state == core::job_state::failed);
}

// status --watch: until the job is over or Ctrl-C. On a terminal the page is drawn anew, elsewhere each change is a
// line.
exit_code watch_job(const options& o, const program& p, const invocation& s) {
    constexpr std::chrono::milliseconds least{1000}, most{60'000};
    constexpr int rest = 10;  // looking at a large job takes time: of a process that works, too
    pause pause(p.stop);
    const bool redraws = can_redraw(STDOUT_FILENO);
    std::string shown;
    while (true) {
        const auto began = p.clock.steady_now();
        const auto job = look_at(o, p, s);
        if (!job) return end(o, p, &s.settings, job.error());
        const auto now = p.clock.now();
        const auto text = redraws ? "\x1b[H\x1b[2J" + status_text(job->status, now, stdout_style(s.settings))
                                  : change_line(job->status);
        const auto code = exit_code_of(job->report);
        if (text != shown)
            if (const auto printed = deliver(redraws ? text : core::to_rfc3339_seconds(now) + ' ' + text, code);
                printed != code)
                return printed;
        shown = text;
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(p.clock.steady_now() - began);
        if (is_over(job->status.job.record) || !pause.wait(std::clamp(took * rest, least, most))) return code;
    }
}

}  // namespace

exit_code jobs_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const auto jobs = read_jobs(s->settings, o.states);
    if (!jobs) return end(o, p, &s->settings, jobs.error());
    if (o.json) {
        const auto reports = reports_of(p, *s, *jobs);
        if (!reports) return end(o, p, &s->settings, reports.error());
        return deliver(report::reports_json(*reports, s->settings.ledger.path, exit_code::done), exit_code::done);
    }
    if (jobs->lines.empty() && !o.states.empty()) return deliver("No job is in such a state.\n", exit_code::done);
    return deliver(jobs_table(jobs->lines, p.clock.now(), stdout_style(s->settings)), exit_code::done);
}

exit_code status_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    if (o.watch) return watch_job(o, p, *s);
    const auto job = look_at(o, p, *s);
    if (!job) return end(o, p, &s->settings, job.error());
    const auto code = exit_code_of(job->report);
    if (o.json) return deliver(report::report_json(job->report, s->settings.ledger.path, code), code);
    return deliver(status_text(job->status, p.clock.now(), stdout_style(s->settings)), code);
}

}  // namespace taskbarge::cli
