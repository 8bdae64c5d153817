#include "service/work/contact_refresher.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "taskbarge/core/shortage.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::service {

using core::errc;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr job::backoff_terms refresh_pauses{1min, 1h};
// A longer wait is left to the thread's clock: it goes on with the settings that are in force then.
constexpr milliseconds refresh_patience = 5s;

}  // namespace

std::optional<due_refresh> due_refresh_of(const job::contacts_status& known, const core::contact_settings& settings,
                                          core::instant now) {
    if (settings.refresh <= 0ms) return std::nullopt;
    const auto& index = known.index;
    // What was cut short is gone on with.
    if (known.pages_left) return due_refresh{now, known.reads_all};
    if (!index.read_at || !index.as_of) return due_refresh{now, true};
    const bool old = now - *index.read_at > settings.reread_after;
    // A list with a hole would have it again: it is not read as often as what changes.
    if (!index.complete())
        return due_refresh{std::min(*index.read_at, now) + std::max(settings.refresh, settings.reread_after), true};
    return due_refresh{std::min(*index.as_of, now) + settings.refresh, old};
}

contact_refresher::~contact_refresher() {
    close();
}

void contact_refresher::start() {
    thread_ = std::thread([this] { loop(); });
}

void contact_refresher::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(stopping_, true)) return;
    }
    stop_.request();
    changed_.notify_all();
}

void contact_refresher::close() {
    stop();
    if (thread_.joinable()) thread_.join();
}

bool contact_refresher::ask(bool all) {
    {
        const std::lock_guard lock(mutex_);
        if (running_ || wanted_) return false;
        wanted_ = task{all, true};
        not_before_ = {};
        called_ = true;
    }
    changed_.notify_all();
    return true;
}

void contact_refresher::reloaded() {
    {
        const std::lock_guard lock(mutex_);
        // One that was not asked for is due by the settings, which may be others.
        if (!running_ && wanted_ && !wanted_->asked_for) wanted_.reset();
        not_before_ = {};
        failures_ = 0;
        told_failure_.reset();
        called_ = true;
    }
    changed_.notify_all();
}

contact_refresher::state contact_refresher::now() const {
    const std::lock_guard lock(mutex_);
    state s;
    s.what = running_ ? state::kind::running : wanted_ ? state::kind::waiting : state::kind::idle;
    s.all = wanted_ && wanted_->all;
    s.ended_at = ended_at_;
    s.error = error_;
    if (running_) return s;
    const auto wall = parts_.clock.now();
    const auto wait = std::chrono::ceil<milliseconds>(not_before_ - parts_.clock.steady_now());
    if (wanted_)
        s.next_at = wall + std::max(wait, 0ms);
    else if (due_at_)
        s.next_at = std::max(*due_at_, wall + wait);
    return s;
}

core::result<job::contacts_status> contact_refresher::known(ledger::ledger& book) const {
    const auto c = parts_.configuration.get();
    job::stop_control nobody;
    silence unwatched;
    return job::status_of_contacts({c->settings, c->key, parts_.clock, nobody, unwatched, 0, &book, false, false});
}

void contact_refresher::loop() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            called_ = false;  // before the look: what comes after it calls again
        }
        const auto idle = work();
        const auto until = parts_.clock.steady_now() + std::min<milliseconds>(idle.value_or(1h), 1h);
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until, [this] { return stopping_ || called_; });
    }
}

std::optional<milliseconds> contact_refresher::work() {
    const auto c = parts_.configuration.get();
    std::optional<milliseconds> idle;
    const auto what = choose(*c, idle);
    if (!what) return idle;
    ended(*c, *what, run(*c, *what));
    return 0ms;  // when the next is due is looked at anew
}

// What is to be done now; else for how long nothing is.
std::optional<contact_refresher::task> contact_refresher::choose(const configuration& c,
                                                                 std::optional<milliseconds>& idle) {
    const auto wait_now = [this] { return std::chrono::ceil<milliseconds>(not_before_ - parts_.clock.steady_now()); };
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return std::nullopt;
        const auto wait = wait_now();
        if (wanted_) {
            idle = std::max(wait, 0ms);
            running_ = wait <= 0ms;
            return running_ ? wanted_ : std::nullopt;
        }
        if (c.settings.contacts.refresh <= 0ms) {
            due_at_.reset();
            return std::nullopt;
        }
    }
    auto book = book_.at(c.settings.ledger.path);
    const auto now_known = book ? known(**book) : core::result<job::contacts_status>(book.error());
    if (!now_known) {
        book_.let_go();
        failed(now_known.error(), 0ms);
    }
    const std::lock_guard lock(mutex_);
    if (!now_known) {
        idle = wait_now();
        return std::nullopt;
    }
    const auto wall = parts_.clock.now();
    const auto due = due_refresh_of(*now_known, c.settings.contacts, wall);
    due_at_ = due->at;
    idle = std::max({wait_now(), due->at - wall, 0ms});
    if (stopping_ || wanted_ || *idle > 0ms) return std::nullopt;
    wanted_ = task{due->all, false};
    running_ = true;
    return wanted_;
}

job::contacts_report contact_refresher::run(const configuration& c, const task& what) {
    job::contacts_report r;
    auto settings = c.settings;
    settings.send.max_wait = std::min<milliseconds>(settings.send.max_wait, refresh_patience);
    // One refresh, however many windows it takes.
    settings.contacts.budget -=
        static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.contacts.budget, what.requests));
    try {
        auto book = book_.at(settings.ledger.path);
        if (!book) {
            r.why = book.error();
            return r;
        }
        silence unwatched;
        r = parts_.refresh({settings, c.key, parts_.clock, stop_, unwatched, 0, *book, false, false}, what.all);
    } catch (const std::exception& bug) {
        // It must not end the service.
        r.why = core::failure_of(bug);
    }
    // A transaction that was left open must not take in what comes next.
    if (r.why && r.why->code != errc::waiting) book_.let_go();
    return r;
}

void contact_refresher::ended(const configuration& c, task what, const job::contacts_report& r) {
    what.requests += r.requests;
    if (!r.why) {
        {
            const std::lock_guard lock(mutex_);
            running_ = false;
            wanted_.reset();
            not_before_ = {};
            failures_ = 0;
            error_.clear();
            told_failure_.reset();
            ended_at_ = parts_.clock.now();
        }
        parts_.runs.counts().contacts_refreshed("completed");
        return tell_refreshed(what, r);
    }
    if (r.why->code == errc::interrupted) {
        const std::lock_guard lock(mutex_);
        running_ = false;
        wanted_ = what;
        return;
    }
    if (r.why->code == errc::waiting && r.resume_at) {
        const auto wait = std::clamp<milliseconds>(*r.resume_at - parts_.clock.now(), 100ms, job::longest_park);
        const bool tell = !std::exchange(what.told_wait, true);
        {
            const std::lock_guard lock(mutex_);
            running_ = false;
            wanted_ = what;
            not_before_ = parts_.clock.steady_now() + wait;
        }
        parts_.runs.counts().contacts_refreshed("waited");
        if (tell)
            parts_.runs.lines().info("contacts_refresh_waits", {{"until", core::to_rfc3339_seconds(*r.resume_at)}},
                                     r.why->text);
        return;
    }
    // What a person must mend, such as the budget, is not asked for again and again.
    failed(*r.why, r.why->code == errc::input ? c.settings.contacts.refresh : 0ms);
}

void contact_refresher::failed(const core::failure& why, milliseconds at_least) {
    bool tell = false;
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
        wanted_.reset();
        not_before_ = parts_.clock.steady_now() + std::max(at_least, job::backoff_ceiling(refresh_pauses, ++failures_));
        error_ = why.text;
        ended_at_ = parts_.clock.now();
        tell = std::exchange(told_failure_, why.code) != why.code;
    }
    parts_.runs.counts().contacts_refreshed("failed");
    if (tell) parts_.runs.lines().warn("contacts_not_refreshed", {{"reason", core::to_string(why.code)}}, why.text);
}

void contact_refresher::tell_refreshed(const task& what, const job::contacts_report& r) {
    const auto& gap = r.status.index.gap;
    parts_.runs.lines().info("contacts_refreshed", {{"known", r.status.contacts},
                                                    {"complete", r.status.index.complete() ? "true" : "false"},
                                                    {"requests", what.requests}});
    bool tell = false;
    {
        const std::lock_guard lock(mutex_);
        tell = std::exchange(told_gap_, gap) != gap && !gap.empty();
    }
    if (tell) parts_.runs.lines().warn("contacts_incomplete", {}, gap);
}

}  // namespace taskbarge::service
