#include "service/work/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "service/telemetry/event_json.hpp"
#include "taskbarge/core/shortage.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::service {

using core::errc;
using namespace std::chrono_literals;

namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 6> command_words{"pause",         "resume", "retry",
                                                        "retry-unknown", "verify", "cancel"};

// After an outage, or when the ledger's disk is full.
constexpr job::backoff_terms pauses{30s, 15min};

// What every job would run into as well.
bool concerns_all(errc code) {
    return core::reach_of(code) == core::reach::all_for_now;
}

bool asks_apollo(job_command what) {
    return what != job_command::pause && what != job_command::resume;
}

}  // namespace

std::string_view to_string(job_command c) {
    return command_words.at(static_cast<std::size_t>(c));
}

void run_memory::ended(core::job_id job, const std::optional<core::failure>& why, bool resumes_by_itself, time now) {
    const bool settled = !why || why->code == errc::interrupted || why->code == errc::paused || resumes_by_itself;
    if (settled || why->code == errc::no_such_job) {
        // Nothing is kept of a job that is not there: another one may get its number.
        jobs_.erase(job);
        need_a_person_.erase(job);
        if (!why) all_ = {};
        return;
    }
    if (core::reach_of(why->code) == core::reach::all_until_changed) {
        blocked_ = why;
    } else if (concerns_all(why->code)) {
        all_.until = now + job::backoff_ceiling(pauses, ++all_.failures);
    } else if (why->code == errc::waiting || why->code == errc::job_held) {
        auto& w = jobs_[job];
        w.until = now + job::backoff_ceiling(pauses, ++w.failures);
    } else {
        need_a_person_.insert(job);
    }
}

void run_memory::released(core::job_id job) {
    jobs_.erase(job);
    need_a_person_.erase(job);
    blocked_.reset();
    all_ = {};
}

void run_memory::forget_refusals() {
    need_a_person_.clear();
    blocked_.reset();
    jobs_.clear();
    all_ = {};
}

bool run_memory::may_go(core::job_id job, time now) const {
    if (blocked_ || now < all_.until || need_a_person_.contains(job)) return false;
    const auto found = jobs_.find(job);
    return found == jobs_.end() || now >= found->second.until;
}

std::optional<run_memory::time> run_memory::next(time now) const {
    if (blocked_) return std::nullopt;
    if (now < all_.until) return all_.until;
    std::optional<time> earliest;
    for (const auto& [job, w] : jobs_)
        if (now < w.until && (!earliest || w.until < *earliest)) earliest = w.until;
    return earliest;
}

scheduler::scheduler(parts p) : parts_(std::move(p)) {}

scheduler::~scheduler() {
    close();
}

void scheduler::close() {
    bool asked = false;
    {
        const std::lock_guard lock(mutex_);
        asked = stopping_;
    }
    if (!asked) stop();
    if (thread_.joinable()) thread_.join();
}

void scheduler::start() {
    thread_ = std::thread([this] { loop(); });
}

void scheduler::wake() {
    {
        const std::lock_guard lock(mutex_);
        awake_ = true;
    }
    changed_.notify_all();
}

void scheduler::reloaded() {
    {
        const std::lock_guard lock(mutex_);
        memory_.forget_refusals();
        list_is_old_ = true;
    }
    wake();
}

void scheduler::stop() {
    {
        const std::lock_guard lock(mutex_);
        const bool forces = std::exchange(stopping_, true);
        for (const auto& one : active_)
            if (forces || !one->control.process_ends()) one->control.request();
    }
    changed_.notify_all();
}

std::optional<core::failure> scheduler::blocked() const {
    const std::lock_guard lock(mutex_);
    return memory_.blocked();
}

job::report scheduler::report_of(core::job_id job) const {
    const auto configuration = parts_.configuration.get();
    job::stop_control nobody;
    silence unwatched;
    return job::report_job({configuration->settings, configuration->key, parts_.clock, nobody, unwatched, 0}, job);
}

void scheduler::loop() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            awake_ = false;
        }
        std::optional<run_memory::time> until;
        if (const auto chosen = choose(until)) {
            run(*chosen);
            continue;
        }
        const auto poll = parts_.clock.steady_now() + parts_.configuration.get()->settings.serve.poll;
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until ? std::min(*until, poll) : poll, [this] { return stopping_ || awake_; });
    }
}

// Told once, until it is over.
void scheduler::tell_ledger_trouble(const core::failure& why) {
    if (!std::exchange(ledger_trouble_, true)) parts_.runs.lines().error("ledger_trouble", {}, why.text);
}

ledger::ledger* scheduler::open_book(const std::string& path) {
    const auto book = book_.at(path);
    if (book_.was_replaced()) {
        parts_.runs.lines().error("ledger_replaced", {}, fmt::format("{} is another file than before", path));
        const std::lock_guard lock(mutex_);
        memory_.forget_refusals();
        list_is_old_ = true;
    }
    if (book) return *book;
    tell_ledger_trouble(book.error());
    return nullptr;
}

bool scheduler::list_jobs(ledger::ledger& book) {
    {
        const std::lock_guard lock(mutex_);
        list_is_old_ = false;
    }
    list_.clear();
    next_in_list_ = 0;
    auto jobs = book.unfinished_jobs();
    if (!jobs) {
        tell_ledger_trouble(jobs.error());
        book_.let_go();
        return false;
    }
    list_ = std::move(*jobs);
    listed_at_ = parts_.clock.steady_now();
    ledger_trouble_ = false;
    return true;
}

// The oldest job that may go now, begun; else the time from which one may. A job that may go again after a wait, or by
// what another process did, is met when the list is read again: after `serve.poll` at the latest.
std::optional<scheduler::choice> scheduler::choose(std::optional<run_memory::time>& until) {
    const auto configuration = parts_.configuration.get();
    auto* book = open_book(configuration->settings.ledger.path);
    if (book == nullptr) return std::nullopt;
    bool is_old = false;
    {
        const std::lock_guard lock(mutex_);
        is_old = list_is_old_;
    }
    if (!is_old && parts_.clock.steady_now() - listed_at_ < configuration->settings.serve.poll) {
        if (auto found = choose_from_list(*book, configuration, until)) return found;
    }
    until.reset();
    if (!list_jobs(*book)) return std::nullopt;
    return choose_from_list(*book, configuration, until);
}

std::optional<scheduler::choice> scheduler::choose_from_list(ledger::ledger& book, const configuration_ptr& c,
                                                             std::optional<run_memory::time>& until) {
    const auto wall = parts_.clock.now();
    const auto now = parts_.clock.steady_now();
    const std::lock_guard lock(mutex_);
    until = memory_.next(now);
    while (next_in_list_ < list_.size()) {
        const auto& job = list_[next_in_list_++];
        if (job.held || job.paused || reserved_.contains(job.id)) continue;
        if (!memory_.may_go(job.id, now)) continue;
        if (job.base_url != c->settings.apollo.base_url || job.team != c->settings.apollo.team) continue;
        if (job.resume_at && *job.resume_at > wall && *job.resume_at - wall <= job::longest_park) {
            const auto then = now + (*job.resume_at - wall);
            if (!until || then < *until) until = then;
            continue;
        }
        // Since it was listed it may have come to its end, or be worked on by another process.
        const auto fresh = book.job(job.id);
        if (!fresh || fresh->held || fresh->paused() || fresh->state == core::job_state::completed) continue;
        // With the lock that we looked under: a pause that comes now finds the run, and waits for it.
        return choice{begin(job.id), c};
    }
    return std::nullopt;
}

scheduler::active_ptr scheduler::begin(core::job_id job) {
    auto one = std::make_shared<active>();
    one->job = job;
    active_.push_back(one);
    if (stopping_) one->control.request();
    return one;
}

// Runs `work` with an observer and a stop of its own, which stop() and commands can ask. A bug ends this one run.
job::report scheduler::with_run(const active_ptr& one, const configuration& c, ledger::ledger* book,
                                const std::function<job::report(const job::environment&)>& work) {
    std::uint64_t seed = 0;
    {
        const std::lock_guard lock(mutex_);
        seed = parts_.seed + ++runs_made_;
    }
    job::report report;
    try {
        board::run watch(parts_.runs, one->job);
        const job::environment env{c.settings, c.key, parts_.clock, one->control, watch, seed, book, false, false};
        report = work(env);
        watch.ended(report);
    } catch (const std::exception& e) {
        report = {};
        report.job = one->job;
        report.state = job::report_state::failed;
        report.why = core::failure_of(e);
    }
    {
        const std::lock_guard lock(mutex_);
        active_.remove(one);
    }
    changed_.notify_all();
    return report;
}

void scheduler::run(const choice& chosen) {
    const auto job = chosen.run->job;
    parts_.runs.lines().info("job_started", {{"job", job}});
    parts_.runs.tell("job", job, job_event_json(job, "running", {}));
    if (parts_.begun) parts_.begun(job);
    const auto book = book_.at(chosen.configuration->settings.ledger.path);
    const auto report =
        with_run(chosen.run, *chosen.configuration, book ? *book : nullptr,
                 [job](const job::environment& env) { return job::resume_job(env, job, job::paused_job::leave); });
    // A transaction that was left open must not take in what comes next.
    const auto may_be_open = [](errc code) {
        return code == errc::internal || code == errc::waiting || concerns_all(code);
    };
    if (report.why && may_be_open(report.why->code)) book_.let_go();
    {
        const std::lock_guard lock(mutex_);
        memory_.ended(job, report.why, report.resume_at.has_value(), parts_.clock.steady_now());
    }
    after(job, report);
}

// Tells what became of a run.
void scheduler::after(core::job_id job, const job::report& r) {
    auto& log = parts_.runs.lines();
    parts_.runs.counts().run_ended(to_string(r.state), r.elapsed);
    parts_.runs.tell("job", job, job_event_json(job, to_string(r.state), r.why ? r.why->text : ""));
    if (!r.why) {
        const bool exceptions = r.rows.rejected + r.rows.failed + r.rows.unknown != 0;
        log.write(exceptions ? log_level::warning : log_level::info, "job_completed",
                  {{"job", job},
                   {"rows", r.rows.rows},
                   {"created", r.rows.created},
                   {"duplicate", r.rows.duplicate},
                   {"rejected", r.rows.rejected},
                   {"failed", r.rows.failed},
                   {"unknown", r.rows.unknown},
                   {"requests", r.requests.requests}},
                  exceptions ? fmt::format("with exceptions; taskbarge results {} --only failed,unknown,rejected", job)
                             : std::string());
        if (!r.already_finished) parts_.notify("completed", r);
        parts_.finished(job);
        return;
    }
    if (r.why->code == errc::interrupted || r.why->code == errc::job_held || r.why->code == errc::paused) {
        log.info("job_stopped", {{"job", job}, {"reason", core::to_string(r.why->code)}}, r.why->text);
        return;
    }
    const bool failed = r.state == job::report_state::failed;
    log.write(failed ? log_level::error : log_level::warning, failed ? "job_failed" : "job_parked",
              {{"job", job},
               {"reason", core::to_string(r.why->code)},
               {"pending", r.rows.pending},
               {"resume_at", r.resume_at ? core::to_rfc3339_seconds(*r.resume_at) : std::string("-")}},
              r.why->text);
    parts_.notify(failed ? "failed" : "parked", r);
}

void scheduler::interrupt_runs_of(core::job_id job) {
    std::unique_lock lock(mutex_);
    std::vector<active_ptr> those;
    for (const auto& one : active_)
        if (one->job == job) those.push_back(one);
    for (const auto& one : those)
        one->control.request(job::stop_haste::process_goes_on);
    changed_.wait(lock, [&] {
        return std::none_of(those.begin(), those.end(), [&](const auto& one) {
            return std::find(active_.begin(), active_.end(), one) != active_.end();
        });
    });
}

// Why the command cannot be given to the job at all. A job goes to the Apollo and the team that it was planned for.
std::optional<core::failure> scheduler::refusal_of(core::job_id job, job_command what, const configuration& c) const {
    auto book = ledger::open_ledger(c.settings.ledger.path);
    if (!book) return book.error();
    const auto known = (*book)->job(job);
    if (!known) return known.error();
    const auto& identity = known->identity;
    const auto& apollo = c.settings.apollo;
    if (!asks_apollo(what) || (identity.base_url == apollo.base_url && identity.team == apollo.team))
        return std::nullopt;
    return core::failure{errc::usage, fmt::format("job {} is of team {} at {}, and the service works for team {} at {}",
                                                  job, identity.team, identity.base_url, apollo.team, apollo.base_url)};
}

job::report scheduler::command(core::job_id job, job_command what) {
    const auto configuration = parts_.configuration.get();
    if (auto refused = refusal_of(job, what, *configuration)) {
        job::report report;
        report.state = job::report_state::failed;
        report.why = std::move(refused);
        return report;
    }
    {
        const std::lock_guard lock(mutex_);
        reserved_.insert(job);
    }
    if (what == job_command::pause || what == job_command::cancel) interrupt_runs_of(job);
    active_ptr own;
    {
        const std::lock_guard lock(mutex_);
        own = begin(job);
    }
    auto report = with_run(own, *configuration, nullptr, [&](const job::environment& env) {
        switch (what) {
            case job_command::pause:
                return job::pause_job(env, job);
            case job_command::resume:
                return job::release_job(env, job);
            case job_command::retry:
                return job::retry_job(env, job, job::unknown_rows::keep);
            case job_command::retry_unknown:
                return job::retry_job(env, job, job::unknown_rows::resend);
            case job_command::verify:
                return job::verify_job(env, job);
            case job_command::cancel:
                break;
        }
        return job::cancel_job(env, job);
    });
    {
        const std::lock_guard lock(mutex_);
        reserved_.erase(reserved_.find(job));
        list_is_old_ = true;
        const auto now = parts_.clock.steady_now();
        if (what == job_command::resume && !report.why) memory_.released(job);
        if (asks_apollo(what)) memory_.ended(job, report.why, report.resume_at.has_value(), now);
    }
    parts_.runs.lines().info("job_command",
                             {{"job", job}, {"command", to_string(what)}, {"state", to_string(report.state)}},
                             report.why ? report.why->text : "");
    parts_.runs.tell("job", job, job_event_json(job, to_string(report.state), report.why ? report.why->text : ""));
    if (!report.why && report.state == job::report_state::completed) parts_.finished(job);
    wake();
    return report;
}

}  // namespace taskbarge::service
