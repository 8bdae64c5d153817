#include "service/work/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "service/telemetry/event_json.hpp"

namespace taskbarge::service {

using core::errc;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::pair<std::string_view, job_command>, 6> command_words{
    {{"pause", job_command::pause},
     {"resume", job_command::resume},
     {"retry", job_command::retry},
     {"retry-unknown", job_command::retry_unknown},
     {"verify", job_command::verify},
     {"cancel", job_command::cancel}}};

// After an outage, or when the ledger's disk is full: 30 s, doubling to 15 minutes.
std::chrono::milliseconds pause_after(std::uint32_t failures) {
    constexpr auto first = 30s;
    constexpr auto most = std::chrono::milliseconds(15min);
    return std::min(most, std::chrono::milliseconds(first * (1LL << std::min(failures, 10U))));
}

// What every job would run into as well.
bool concerns_all(errc code) {
    switch (code) {
        case errc::unreachable:
        case errc::ledger:
        case errc::ledger_full:
            return true;
        default:
            return false;
    }
}

bool blocks_all(errc code) {
    return code == errc::unauthorized || code == errc::forbidden || code == errc::no_key || code == errc::settings;
}

}  // namespace

std::optional<job_command> parse_job_command(std::string_view word) {
    for (const auto& [name, command] : command_words)
        if (name == word) return command;
    return std::nullopt;
}

std::string_view to_string(job_command c) {
    return command_words.at(static_cast<std::size_t>(c)).first;
}

void run_memory::ended(core::job_id job, const std::optional<core::failure>& why, bool resumes_by_itself, time now) {
    if (!why || why->code == errc::interrupted || why->code == errc::paused || resumes_by_itself) {
        jobs_.erase(job);
        if (!why) all_ = {};
        return;
    }
    if (blocks_all(why->code)) {
        blocked_ = why;
    } else if (concerns_all(why->code)) {
        all_.until = now + pause_after(all_.failures++);
    } else if (why->code == errc::waiting || why->code == errc::job_held) {
        auto& w = jobs_[job];
        w.until = now + pause_after(w.failures++);
    } else {
        need_a_person_.insert(job);
    }
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
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) {
            stopping_ = true;
            for (auto& [job, control] : active_)
                control->request();
        }
    }
    changed_.notify_all();
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
    }
    wake();
}

void scheduler::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& [job, control] : active_)
            control->request();
    }
    changed_.notify_all();
}

std::optional<core::failure> scheduler::blocked() const {
    const std::lock_guard lock(mutex_);
    return memory_.blocked();
}

void scheduler::loop() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            awake_ = false;
        }
        std::optional<run_memory::time> until;
        if (const auto job = choose(until)) {
            run(*job);
            continue;
        }
        const auto poll = parts_.clock.steady_now() + parts_.configuration.get()->settings.serve.poll;
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until ? std::min(*until, poll) : poll, [this] { return stopping_ || awake_; });
    }
}

// The oldest job that may go now; else the time from which one may.
std::optional<core::job_id> scheduler::choose(std::optional<run_memory::time>& until) {
    const auto configuration = parts_.configuration.get();
    if (!book_) {
        auto opened = ledger::open_ledger(configuration->settings.ledger.path);
        if (!opened) {
            if (!std::exchange(ledger_trouble_, true))
                parts_.runs.lines().error("ledger_trouble", {}, opened.error().text);
            return std::nullopt;
        }
        book_ = std::move(*opened);
    }
    const auto jobs = book_->unfinished_jobs();
    if (!jobs) {
        if (!std::exchange(ledger_trouble_, true)) parts_.runs.lines().error("ledger_trouble", {}, jobs.error().text);
        book_.reset();
        return std::nullopt;
    }
    ledger_trouble_ = false;
    const auto wall = parts_.clock.now();
    const auto now = parts_.clock.steady_now();
    const std::lock_guard lock(mutex_);
    until = memory_.next(now);
    for (const auto& job : *jobs) {
        if (job.held || job.stop_code == core::to_string(errc::paused) || reserved_.contains(job.id)) continue;
        if (!memory_.may_go(job.id, now)) continue;
        if (job.identity.base_url != configuration->settings.apollo.base_url ||
            job.identity.team != configuration->settings.apollo.team)
            continue;
        if (job.resume_at && *job.resume_at > wall) {
            const auto then = now + (*job.resume_at - wall);
            if (!until || then < *until) until = then;
            continue;
        }
        return job.id;
    }
    return std::nullopt;
}

// Runs `work` with an observer and a stop of its own, which stop() and commands can ask.
job::report scheduler::with_run(core::job_id job, const std::function<job::report(const job::environment&)>& work) {
    const auto configuration = parts_.configuration.get();
    auto control = std::make_shared<job::stop_control>();
    std::uint64_t seed = 0;
    {
        const std::lock_guard lock(mutex_);
        seed = parts_.seed + ++runs_made_;
        active_[job] = control;
        if (stopping_) control->request();
    }
    job::report report;
    {
        board::run watch(parts_.runs, job);
        const job::environment env{configuration->settings, configuration->key, parts_.clock, *control, watch, seed};
        report = work(env);
        watch.ended(report);
    }
    {
        const std::lock_guard lock(mutex_);
        active_.erase(job);
    }
    changed_.notify_all();
    return report;
}

void scheduler::run(core::job_id job) {
    parts_.runs.lines().info("job_started", {{"job", job}});
    parts_.runs.tell("job", job, job_event_json(job, "running", {}));
    const auto report = with_run(job, [job](const job::environment& env) { return job::resume_job(env, job); });
    {
        const std::lock_guard lock(mutex_);
        memory_.ended(job, report.why, report.resume_at.has_value(), parts_.clock.steady_now());
    }
    after(job, report);
}

// Tells what became of a run.
void scheduler::after(core::job_id job, const job::report& r) {
    auto& log = parts_.runs.lines();
    parts_.runs.counts().run_ended(r.state, r.elapsed);
    parts_.runs.tell("job", job, job_event_json(job, r.state, r.why ? r.why->text : ""));
    if (!r.why) {
        log.info("job_completed", {{"job", job},
                                   {"rows", r.rows.rows},
                                   {"created", r.rows.created},
                                   {"duplicate", r.rows.duplicate},
                                   {"rejected", r.rows.rejected},
                                   {"failed", r.rows.failed},
                                   {"unknown", r.rows.unknown},
                                   {"requests", r.requests.requests}});
        if (!r.already_finished) parts_.notify("completed", r);
        parts_.finished(job);
        return;
    }
    if (r.why->code == errc::interrupted || r.why->code == errc::job_held || r.why->code == errc::paused) {
        log.info("job_stopped", {{"job", job}, {"reason", core::to_string(r.why->code)}}, r.why->text);
        return;
    }
    const bool failed = r.state == "failed";
    log.write(failed ? log_level::error : log_level::warning, failed ? "job_failed" : "job_parked",
              {{"job", job},
               {"reason", core::to_string(r.why->code)},
               {"pending", r.rows.pending},
               {"resume_at", r.resume_at ? core::to_rfc3339_seconds(*r.resume_at) : std::string("-")}},
              r.why->text);
    parts_.notify(failed ? "failed" : "parked", r);
}

void scheduler::interrupt_run_of(core::job_id job) {
    std::unique_lock lock(mutex_);
    const auto found = active_.find(job);
    if (found == active_.end()) return;
    const auto control = found->second;
    if (control->level() == job::stop_level::none) control->request();
    changed_.wait(lock, [&] {
        const auto now = active_.find(job);
        return now == active_.end() || now->second != control;
    });
}

job::report scheduler::command(core::job_id job, job_command what) {
    {
        const std::lock_guard lock(mutex_);
        reserved_.insert(job);
    }
    if (what == job_command::pause || what == job_command::cancel) interrupt_run_of(job);
    auto report = with_run(job, [&](const job::environment& env) {
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
        const auto now = parts_.clock.steady_now();
        if (what == job_command::resume) memory_.ended(job, std::nullopt, false, now);
        if (what != job_command::resume && what != job_command::pause)
            memory_.ended(job, report.why, report.resume_at.has_value(), now);
    }
    parts_.runs.lines().info("job_command", {{"job", job}, {"command", to_string(what)}, {"state", report.state}},
                             report.why ? report.why->text : "");
    parts_.runs.tell("job", job, job_event_json(job, report.state, report.why ? report.why->text : ""));
    if (!report.why && report.state == "completed") parts_.finished(job);
    wake();
    return report;
}

}  // namespace taskbarge::service
