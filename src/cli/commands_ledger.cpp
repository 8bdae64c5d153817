// The commands that need the ledger alone: jobs and status, which only read it, ledger accept and trust.
#include "cli/commands.hpp"
#include "cli/observer.hpp"
#include "cli/output_jobs.hpp"
#include "cli/output_ledger.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::cli {

namespace {

constexpr const char* routes[] = {"tasks/bulk_create", "tasks/search"};

// The job as --json tells it.
job::report report_of(const program& p, const session& s, const ledger::job_record& job) {
    terminal_observer nobody({progress_style::none, write_stderr, {}, p.clock});
    return job::report_job({s.settings, s.key, p.clock, p.stop, nobody, p.seed}, job.id);
}

core::result<job_line> read_job(ledger::ledger& ledger, const ledger::job_record& record) {
    const auto totals = ledger.totals(record.id);
    if (!totals) return totals.error();
    return job_line{record, *totals};
}

core::result<std::vector<job_line>> read_jobs(const core::settings& settings) {
    auto ledger = existing_ledger(settings, ledger::witness_check::ignored);
    if (!ledger) return ledger.error();
    std::vector<job_line> lines;
    if (!*ledger) return lines;
    const auto records = (*ledger)->jobs();
    if (!records) return records.error();
    for (const auto& record : *records) {
        auto line = read_job(**ledger, record);
        if (!line) return line.error();
        lines.push_back(std::move(*line));
    }
    return lines;
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

core::result<void> add_windows(job_status& status, ledger::ledger& ledger, const core::settings& settings,
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
    constexpr std::size_t most_reasons = 10;
    constexpr std::size_t most_attempts = 100'000;
    const auto id = o.job.value();
    auto ledger = ledger_of(id, settings, ledger::witness_check::ignored);
    if (!ledger) return ledger.error();
    const auto record = (*ledger)->job(id);
    if (!record) return record.error();
    auto job = read_job(**ledger, *record);
    if (!job) return job.error();
    job_status status{std::move(*job), {}, {}, {}, {}};
    auto reasons = (*ledger)->reasons(id, most_reasons);
    if (!reasons) return reasons.error();
    status.reasons = std::move(*reasons);
    const auto windows = add_windows(status, **ledger, settings, now);
    if (!windows) return windows.error();
    if (!o.attempts) return status;
    auto attempts = (*ledger)->attempts(id, most_attempts);
    if (!attempts) return attempts.error();
    status.attempts = std::move(*attempts);
    return status;
}

core::failure no_ledger(const core::settings& settings) {
    return {core::errc::ledger, "there is no ledger " + settings.ledger.path};
}

core::result<ledger::accepted_ledger> accept(const core::settings& settings) {
    // Where none is, but one was, has_ledger() fails: then the one that is made is accepted.
    if (const auto there = ledger::has_ledger(settings.ledger.path); there && !*there) return no_ledger(settings);
    auto opened = ledger::open_ledger(settings.ledger.path, ledger::witness_check::accepting);
    if (!opened) return opened.error();
    return (*opened)->accept();
}

core::result<ledger::accepted_ledger> trust(const core::settings& settings) {
    auto opened = existing_ledger(settings);
    if (!opened) return opened.error();
    if (!*opened) return no_ledger(settings);
    if (auto done = (*opened)->trust(); !done) return done.error();
    return ledger::accepted_ledger{};
}

}  // namespace

exit_code ledger_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const bool accepts = o.command == command::ledger_accept;
    const auto done = accepts ? accept(s->settings) : trust(s->settings);
    const auto code = done ? exit_code::done : exit_code_of(done.error().code);
    if (!done) complain(done.error().text);
    if (o.json) return deliver(ledger_json(o.command, done, s->settings.ledger.path, code), code);
    if (!done || o.quiet) return code;
    return deliver(accepts ? accepted_text(*done) : std::string(trusted_text), code);
}

exit_code jobs_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const auto jobs = read_jobs(s->settings);
    if (!jobs) return end(o, p, &s->settings, jobs.error());
    if (!o.json) return deliver(jobs_table(*jobs), exit_code::done);
    std::vector<job::report> reports;
    for (const auto& job : *jobs) {
        reports.push_back(report_of(p, *s, job.record));
    }
    return deliver(report::reports_json(reports, s->settings.ledger.path, exit_code::done), exit_code::done);
}

exit_code status_command(const options& o, const program& p) {
    const auto s = begin(o, p);
    if (!s) return end(o, p, nullptr, s.error());
    const auto status = read_status(o, s->settings, p.clock.now());
    if (!status) return end(o, p, &s->settings, status.error());
    const auto report = report_of(p, *s, status->job.record);
    const auto code = exit_code_of(report);
    if (o.json) return deliver(report::report_json(report, s->settings.ledger.path, code), code);
    return deliver(status_text(*status, p.clock.now()), code);
}

}  // namespace taskbarge::cli
