#include "service/work/intake.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "service/inbox/files.hpp"
#include "service/inbox/item_files.hpp"
#include "service/inbox/item_names.hpp"
#include "service/telemetry/event_json.hpp"
#include "service/work/preview.hpp"
#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/shortage.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/job/settings_check.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;
using inbox::item_place;
using namespace std::chrono_literals;

namespace {

constexpr job::backoff_terms pauses{2s, 5min};
// Before a file that is still being written is looked at again, however short serve.settle is.
constexpr auto shortest_wait = 50ms;

// Dropped files that are taken and not read yet. Reading goes on while more are taken, and what is not taken yet needs
// no descriptor and no folder.
constexpr std::size_t most_unread = 64;
// Names of files that cannot be taken; more are told twice.
constexpr std::size_t most_told = 10'000;
constexpr std::size_t most_settings = 64UL * 1024;

// Nothing: it is not there.
std::optional<inbox::file_state> state_at(const std::string& path) {
    const auto found = inbox::look_at(path);
    if (!found) return std::nullopt;
    return inbox::state_of(*found);
}

job::import_options options_of(const inbox::item& item) {
    job::import_options o;
    o.files = {item.input()};
    o.names = {item.note.name};
    o.first_rows = item.note.first_rows;
    o.as_of = item.note.taken_at;
    // A new job although one of the same input is finished, but the same one again after a restart.
    if (item.note.again) o.occasion = item.ticket;
    o.origin = item.ticket;
    return o;
}

}  // namespace

std::chrono::milliseconds reading_pause(std::uint32_t& failures, std::optional<core::instant> not_before,
                                        core::instant now) {
    if (!not_before) return job::backoff_ceiling(pauses, ++failures);
    return std::clamp<std::chrono::milliseconds>(*not_before - now, shortest_wait, job::longest_park);
}

intake::intake(parts p)
    : parts_(std::move(p)),
      files_({parts_.configuration, parts_.clock, parts_.store, stop_}),
      renewal_(parts_.store, files_) {}

intake::~intake() {
    close();
}

void intake::close() {
    stop();
    if (reading_.joinable()) reading_.join();
    if (previewing_.joinable()) previewing_.join();
    if (putting_away_.joinable()) putting_away_.join();
}

result<void> intake::start() {
    // What is too much for now is adopted by look(), when there is room.
    auto left = parts_.store.adopt(parts_.most_items);
    if (!left) return left.error();
    for (auto& held : *left) {
        parts_.runs.lines().info("import_adopted", {{"import", held.item().id}});
        if (!submit(std::move(held))) break;
    }
    reading_ = std::thread([this] { read_loop(false); });
    previewing_ = std::thread([this] { read_loop(true); });
    putting_away_ = std::thread([this] { put_away_loop(); });
    return {};
}

void intake::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(stopping_, true)) return;
    }
    stop_.request();
    changed_.notify_all();
}

// For what no thread can miss that looks with the mutex before it waits.
void intake::wake() {
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
}

bool intake::full() const {
    const std::lock_guard lock(mutex_);
    return held_ >= parts_.most_items;
}

bool intake::has_room() const {
    const std::lock_guard lock(mutex_);
    const auto unread = std::ranges::count_if(queue_, [](const entry& e) { return !e.waits_for_a_person(); });
    return !stopping_ && held_ < parts_.most_items && static_cast<std::size_t>(unread) < most_unread;
}

bool intake::offer(const std::string& name) {
    if (!has_room()) return false;
    auto taken = parts_.store.take(name, parts_.clock.now());
    if (!taken) {
        // It is offered again and again: a reason is told once.
        if (untaken_.size() >= most_told) untaken_.clear();
        auto& told = untaken_[name];
        if (std::exchange(told, taken.error().text) != taken.error().text)
            parts_.runs.lines().warn("import_not_taken", {{"file", core::printable(name)}}, taken.error().text);
        return false;
    }
    untaken_.erase(name);
    if (*taken) submit(std::move(**taken));
    return true;
}

bool intake::submit(inbox::held_item held) {
    const auto& item = held.item();
    {
        const std::lock_guard lock(mutex_);
        if (held_ >= parts_.most_items || stopping_) return false;
        // One whose note cannot be locked is found again and again.
        if (states_.contains(item.id)) return true;
        ++held_;
        states_[item.id] = {"queued", ""};
    }
    // Told before anybody works on it, and not under the lock: whoever reads the log may be slow.
    if (!item.job) {
        parts_.runs.counts().item_taken(item.note.origin);
        parts_.runs.lines().info("import_taken", {{"import", item.id}, {"origin", item.note.origin}});
    }
    queue({std::move(held), {}, 0, false, {}, {}, {}, {}});
    return true;
}

void intake::queue(entry e) {
    const auto& item = e.held.item();
    parts_.runs.tell("import", 0, import_event_json(item.id, "queued", item.job, {}));
    {
        const std::lock_guard lock(mutex_);
        states_[item.id] = {"queued", ""};
        queue_.push_back(std::move(e));
    }
    changed_.notify_all();
}

std::optional<intake::entry> intake::take_planned(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = planned_.find(id);
    if (found == planned_.end() || stopping_) return std::nullopt;
    auto e = std::move(found->second);
    planned_.erase(found);
    return e;
}

// Also one that is to be planned, unless that is under way.
std::optional<intake::entry> intake::take_held(const std::string& id) {
    if (auto e = take_planned(id)) return e;
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(queue_, [&](const entry& e) { return e.held.item().id == id && e.waits_for_a_person(); });
    if (found == queue_.end() || stopping_) return std::nullopt;
    auto e = std::move(*found);
    queue_.erase(found);
    return e;
}

void intake::reloaded() {
    for (const auto& [id, folder] : planned_folders())
        if (auto e = take_planned(id)) queue(std::move(*e));
}

std::vector<std::pair<std::string, std::string>> intake::planned_folders() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [id, e] : planned_)
        out.emplace_back(id, e.held.item().folder);
    return out;
}

std::size_t intake::planned() const {
    const std::lock_guard lock(mutex_);
    return planned_.size();
}

// Nothing came of what a person wanted: it waits on. False: there is nothing to wait for, for somebody tidied up.
bool intake::keep_planned(entry e) {
    const auto id = e.held.item().id;
    const auto there = parts_.store.find(id);
    if (there && (!*there || (*there)->place != item_place::processing)) {
        drop(id);
        return false;
    }
    if (e.plan.empty()) {
        queue(std::move(e));
        return true;
    }
    const std::lock_guard lock(mutex_);
    planned_.emplace(id, std::move(e));
    return true;
}

void intake::drop(const std::string& id) {
    parts_.store.let_go(id);
    forget(id);
    parts_.runs.lines().info("import_discarded", {{"import", id}});
    parts_.runs.tell("import", 0, import_event_json(id, "discarded", {}, {}));
}

intake::planned_item intake::start(const std::string& id, const std::string& plan) {
    auto e = take_planned(id);
    if (!e) return std::nullopt;
    if (!plan.empty() && plan != e->plan) {
        if (!keep_planned(std::move(*e))) return std::nullopt;
        return core::failure{errc::usage, "the plan is another one by now; look at it again"};
    }
    const auto said = parts_.store.add_file(e->held, inbox::started_file, [](int) { return result<void>(); });
    if (!said) {
        // It may stand there all the same, and a restart would take the word that was refused for given.
        (void)::unlink((e->held.item().folder + "/" + inbox::started_file).c_str());
        if (!keep_planned(std::move(*e))) return std::nullopt;
        return said.error();
    }
    e->held.item().started = true;
    const auto item = e->held.item();
    parts_.runs.lines().info("import_started", {{"import", id}});
    queue(std::move(*e));
    return item;
}

intake::planned_item intake::set_settings(const std::string& id, std::string_view toml) {
    auto e = take_held(id);
    if (!e) return std::nullopt;
    auto& item = e->held.item();
    const auto path = item.folder + "/" + inbox::own_settings_file;
    const auto stands = [&] {
        auto text = inbox::read_small(path, most_settings);
        return text ? std::move(*text) : std::string();
    };
    const auto write = [&](std::string_view text) {
        auto written = parts_.store.add_file(e->held, inbox::own_settings_file,
                                             [&](int fd) { return inbox::write_all(fd, text, path); });
        item.settings_files = inbox::settings_in(item.folder);
        return written;
    };
    const auto before = stands();
    auto done = write(toml);
    if (done) {
        const auto fit =
            job::with_input_settings(parts_.configuration.get()->settings, item.settings_files, parts_.clock.now());
        if (!fit) done = fit.error();
        // What was there is good, or was told as the plan's own fault.
        if (!fit)
            if (auto back = write(before); !back) done = back.error();
    }
    const auto copy = item;
    if (!done && stands() == before) {
        if (!keep_planned(std::move(*e))) return std::nullopt;
        return done.error();
    }
    // Also where they could not be written as they should: a plan is never that of other settings than stand there.
    e->failures = 0;
    e->not_before = {};
    e->plan.clear();
    queue(std::move(*e));
    if (!done) return done.error();
    return copy;
}

intake::planned_item intake::discard(const std::string& id) {
    auto e = take_held(id);
    if (!e) return std::nullopt;
    const auto item = e->held.item();
    if (auto gone = parts_.store.discard(e->held); !gone) {
        if (!keep_planned(std::move(*e))) return std::nullopt;
        return gone.error();
    }
    drop(id);
    return item;
}

void intake::job_finished(core::job_id job) {
    {
        const std::lock_guard lock(mutex_);
        // A job of no input, or finished before its input was noted as accepted: look() finds that one.
        if (!accepted_.contains(job)) return;
        finished_.push_back(job);
    }
    changed_.notify_all();
}

void intake::look() {
    std::vector<core::job_id> jobs;
    std::size_t room = 0;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [job, e] : accepted_)
            if (jobs.empty() || jobs.back() != job) jobs.push_back(job);
        if (!stopping_ && held_ < parts_.most_items) room = parts_.most_items - held_;
    }
    // Where the ledger cannot be read, the scheduler tells.
    if (auto book = ledger::open_ledger(parts_.configuration.get()->settings.ledger.path)) {
        auto unfinished = (*book)->unfinished_jobs();
        if (unfinished) {
            std::set<core::job_id> open;
            for (const auto& u : *unfinished)
                open.insert(u.id);
            for (const auto job : jobs)
                if (!open.contains(job)) job_finished(job);
        }
        if (const auto reopened = (*book)->reopened_jobs(); reopened && renewal_.note(*reopened)) wake();
    }
    for (const auto& [id, folder] : planned_folders())
        if (!inbox::is_folder(folder))
            if (auto e = take_planned(id)) (void)keep_planned(std::move(*e));
    if (room == 0) return;
    const auto known = [this](const std::string& id) {
        const std::lock_guard lock(mutex_);
        return states_.contains(id);
    };
    auto left = parts_.store.adopt(room, known);
    // Told once, until it is over.
    const std::string trouble = left ? std::string() : left.error().text;
    if (!trouble.empty() && trouble != adopt_trouble_) parts_.runs.lines().error("inbox_trouble", {}, trouble);
    adopt_trouble_ = trouble;
    if (!left) return;
    for (auto& held : *left)
        if (!submit(std::move(held))) break;
}

std::pair<std::size_t, std::size_t> intake::sizes() const {
    const std::lock_guard lock(mutex_);
    return {queue_.size(), accepted_.size()};
}

std::optional<std::pair<std::string, std::string>> intake::state_of(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(id);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string> intake::imports_of(core::job_id job) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> ids;
    const auto [from, to] = accepted_.equal_range(job);
    for (auto e = from; e != to; ++e)
        ids.push_back(e->second.held.item().id);
    return ids;
}

void intake::set_state(const std::string& id, std::string state, std::string error) {
    const std::lock_guard lock(mutex_);
    states_[id] = {std::move(state), std::move(error)};
}

// `previews`: what waits for a person, which must not keep the others waiting.
void intake::read_loop(bool previews) {
    while (true) {
        std::optional<entry> next;
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            const auto now = parts_.clock.steady_now();
            const auto due = std::find_if(queue_.begin(), queue_.end(), [&](const entry& e) {
                return e.waits_for_a_person() == previews && e.not_before <= now;
            });
            if (due == queue_.end()) {
                auto until = now + 1h;
                for (const auto& e : queue_)
                    if (e.waits_for_a_person() == previews) until = std::min(until, e.not_before);
                changed_.wait_until(lock, until);
                continue;
            }
            next = std::move(*due);
            queue_.erase(due);
        }
        take_in(std::move(*next));
    }
}

void intake::put_away_loop() {
    while (true) {
        std::optional<core::job_id> finished;
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            const auto now = parts_.clock.steady_now();
            const auto renewal_due = renewal_.due();
            if (!finished_.empty()) {
                finished = finished_.front();
                finished_.pop_front();
            } else if (!renewal_due || *renewal_due > now) {
                changed_.wait_until(lock, renewal_due.value_or(now + 1h));
                continue;
            }
        }
        if (finished)
            put_away_job(*finished);
        else
            renew();
    }
}

void intake::renew() {
    const auto did =
        renewal_.work(finished_book_.at(parts_.configuration.get()->settings.ledger.path), parts_.clock.steady_now());
    for (const auto& [item, job] : did.renewed) {
        parts_.runs.lines().info("import_renewed", {{"import", item}, {"job", job}});
        parts_.runs.tell("import", job, import_event_json(item, "done", job, {}));
    }
    if (did.why && did.why->code != errc::interrupted && did.why->code != errc::job_held)
        parts_.runs.lines().warn("results_not_renewed", {}, did.why->text);
}

// An item that has its job already was read before the service was stopped.
void intake::take_in(entry e) {
    const auto& item = e.held.item();
    // What was asked for with the input cannot be known: a guess could import more than was wanted.
    if (!item.trouble.empty())
        return give_up(std::move(e), {errc::input, item.trouble}, parts_.configuration.get()->settings);
    if (item.waits_for_a_person()) return preview(std::move(e));
    if (!item.job) return plan(std::move(e));
    const auto job = job_of(*item.job);
    if (!job && job.error().code != errc::no_such_job) return later(std::move(e), job.error());
    // A ledger that was replaced may have another job of that number.
    if (job && job->created_at == item.job_made) {
        const auto state = state_at(item.input());
        // A planned input is not needed any more: somebody may have removed it. One that went on to be written keeps
        // its job; that is told at the job's end.
        bool as_read = !state || e.read == state;
        if (!as_read) {
            const auto input = digest_of_input(item);
            if (!input && input.error().code == errc::interrupted) return later(std::move(e), input.error());
            as_read = !input || input->sha256 == job->identity.input_sha256;
            if (input && as_read) e.read = state;
        }
        if (as_read && e.failures == 0 && job->state == core::job_state::completed) parts_.found_finished(job->id);
        return accept(std::move(e), *job);
    }
    const auto why = fmt::format(
        "the ledger {} job {}, which this input had; was the ledger replaced? Drop the file "
        "again to import it anew",
        job ? "has another input's" : "knows no", *item.job);
    give_up(std::move(e), {errc::input, why}, parts_.configuration.get()->settings);
}

// The job that was planned for the item, whatever lies in its place by now: that is told at the job's end.
result<std::optional<ledger::job_record>> intake::planned_before(const inbox::item& item) {
    auto book = reading_book_.at(parts_.configuration.get()->settings.ledger.path);
    if (!book) return book.error();
    return (*book)->job_of_origin(item.ticket);
}

result<ledger::job_record> intake::job_of(core::job_id job) {
    auto book = reading_book_.at(parts_.configuration.get()->settings.ledger.path);
    if (!book) return book.error();
    return (*book)->job(job);
}

void intake::preview(entry e) {
    const auto configuration = parts_.configuration.get();
    const auto item = e.held.item();
    set_state(item.id, "reading", "");
    result<service::preview> made = service::preview();
    auto settings = job::with_input_settings(configuration->settings, item.settings_files, parts_.clock.now());
    if (!settings) {
        made = preview_of(item, settings.error());
    } else {
        auto book = preview_book_.at(settings->ledger.path);
        if (!book) return later(std::move(e), book.error());
        try {
            silence unwatched;
            const job::environment env{*settings, configuration->key, parts_.clock, stop_, unwatched, 0, *book, false};
            made = preview_of(env, item, options_of(item));
        } catch (const std::exception& bug) {
            made = core::failure_of(bug);
        }
    }
    if (!made) {
        const auto why = made.error();
        preview_book_.let_go();
        if (why.code != errc::interrupted && !core::may_pass(why.code))
            return give_up(std::move(e), why, configuration->settings);
        return later(std::move(e), why);
    }
    const auto path = item.folder + "/" + inbox::plan_file;
    const auto kept =
        parts_.store.add_file(e.held, inbox::plan_file, [&](int fd) { return inbox::write_all(fd, made->json, path); });
    if (!kept) return later(std::move(e), kept.error());
    parts_.runs.lines().info("import_planned", {{"import", item.id}});
    e.plan = made->id;
    {
        const std::lock_guard lock(mutex_);
        states_[item.id] = {"planned", ""};
        planned_.emplace(item.id, std::move(e));
    }
    parts_.runs.tell("import", 0, import_event_json(item.id, "planned", {}, {}));
}

void intake::plan(entry e) {
    const auto configuration = parts_.configuration.get();
    const std::string id = e.held.item().id;
    // Planned before, and not noted: its settings, and the input itself, are not needed any more.
    auto planned = planned_before(e.held.item());
    if (!planned) return later(std::move(e), planned.error());
    if (*planned) {
        // Whether it is as it was read is found out at the end.
        if (auto noted = parts_.store.set_job(e.held, (*planned)->id, (*planned)->created_at); !noted)
            return later(std::move(e), noted.error());
        return accept(std::move(e), **planned);
    }
    auto settings = job::with_input_settings(configuration->settings, e.held.item().settings_files, parts_.clock.now());
    if (!settings) return give_up(std::move(e), settings.error(), configuration->settings);
    // What it is before its first byte is read, it must be after the last one, or a part of it is missing in the job.
    const auto input = e.held.item().input();
    const auto state = state_at(input);
    const auto is_written = [&]() -> std::string_view {
        if (e.held.item().note.origin != "inbox") return {};  // a copy of ours
        if (state_at(input) != state) return "it changes";
        return inbox::writers_of(input) == inbox::writers::some ? "it is open for writing" : std::string_view();
    };
    if (e.unsettled && e.unsettled != state) return wait_for_writer(std::move(e), "it changes");
    if (const auto why = is_written(); !why.empty()) return wait_for_writer(std::move(e), why);
    set_state(id, "reading", "");
    result_files::remove_old(e.held.item());
    job::report r;
    auto book = reading_book_.at(settings->ledger.path);
    if (!book) return later(std::move(e), book.error());
    try {
        board::run watch(parts_.runs, 0);
        const job::environment env{*settings, configuration->key, parts_.clock, stop_, watch, 0, *book, false};
        auto options = options_of(e.held.item());
        options.still_whole = [&]() -> result<void> {
            if (is_written().empty()) return {};
            return core::failure{errc::waiting, "the input changed while it was read"};
        };
        r = job::prepare_files(env, options, [&](core::job_id job, core::instant made) {
            return parts_.store.set_job(e.held, job, made);
        });
    } catch (const std::exception& bug) {
        // One input must not end the service, which would read it again at the next start.
        r.why = core::failure_of(bug);
    }
    if (r.why && (r.why->code == errc::internal || r.why->code == errc::waiting || r.why->code == errc::ledger ||
                  r.why->code == errc::ledger_full))
        reading_book_.let_go();
    e.read = state;
    if (!r.why) {
        core::row_counts read;
        read.rows = r.rows.rows;
        read.rejected = r.rows.rejected;
        read.duplicate = r.rows.duplicate;
        if (!r.already_finished) parts_.runs.counts().add_rows(read);
        const auto job = job_of(*r.job);
        if (!job) return later(std::move(e), job.error());
        return accept(std::move(e), *job);
    }
    // What was wrong with it may be that the rest was missing.
    if (const auto why = is_written(); !why.empty() && r.why->code != errc::interrupted)
        return wait_for_writer(std::move(e), why);
    if (core::may_pass(r.why->code)) return later(std::move(e), *r.why, r.resume_at);
    give_up(std::move(e), *r.why, *settings, r.files.empty() ? "" : r.files.front().format);
}

void intake::accept(entry e, const ledger::job_record& job) {
    const std::string id = e.held.item().id;
    const bool finished = job.state == core::job_state::completed;
    parts_.runs.lines().info("import_accepted", {{"import", id}, {"job", job.id}});
    // What cannot be claimed stays held.
    if (auto claimed = parts_.store.claim(e.held); !claimed) return later(std::move(e), claimed.error());
    waiting_item waiting{std::move(e.held), job.identity, e.read};
    waiting.held.item().job = job.id;
    {
        const std::lock_guard lock(mutex_);
        states_[id] = {"accepted", ""};
        accepted_.emplace(job.id, std::move(waiting));
        if (finished) finished_.push_back(job.id);
    }
    changed_.notify_all();
    parts_.runs.tell("import", job.id, import_event_json(id, "accepted", job.id, {}));
    if (!finished) parts_.job_ready();
}

void intake::later(entry e, const core::failure& why, std::optional<core::instant> not_before) {
    const std::string id = e.held.item().id;
    e.not_before = parts_.clock.steady_now() + reading_pause(e.failures, not_before, parts_.clock.now());
    const bool waits_on = std::exchange(e.waits_for_time, not_before.has_value()) && not_before;
    if (why.code != errc::interrupted) {
        if (e.error != why.text && !waits_on) parts_.runs.lines().warn("import_waits", {{"import", id}}, why.text);
        e.error = why.text;
    }
    {
        const std::lock_guard lock(mutex_);
        states_[id] = {"waiting", why.text};
        queue_.push_back(std::move(e));
    }
    changed_.notify_all();
}

// It is read when it stands still, as long as a file in the inbox must.
void intake::wait_for_writer(entry e, std::string_view why) {
    const std::string id = e.held.item().id;
    const auto text = fmt::format(
        "{} is still being written: {}; it is read when it has stood still for serve.settle, and nobody has "
        "it open for writing",
        core::printable(e.held.item().note.name), why);
    if (std::exchange(e.error, text) != text) parts_.runs.lines().warn("import_waits", {{"import", id}}, text);
    e.unsettled = state_at(e.held.item().input());
    e.not_before = parts_.clock.steady_now() + std::max<std::chrono::milliseconds>(
                                                   parts_.configuration.get()->settings.serve.settle, shortest_wait);
    {
        const std::lock_guard lock(mutex_);
        states_[id] = {"waiting", text};
        queue_.push_back(std::move(e));
    }
    changed_.notify_all();
}

// An input of which nothing can be made: it goes to failed/, with the reason.
void intake::give_up(entry e, const core::failure& why, const core::settings& settings, const std::string& format) {
    const auto item = e.held.item();
    for (const auto& trouble : files_.write_why(e.held, why, settings, options_of(item), format))
        parts_.runs.lines().warn("import_note_not_written", {{"import", item.id}}, trouble.text);
    if (auto moved = parts_.store.put_away(e.held, item_place::failed); !moved)
        return later(std::move(e), moved.error());
    forget(item.id);
    tell_failed(item, why);
}

void intake::tell_failed(const inbox::item& item, const core::failure& why) {
    parts_.runs.lines().error("import_failed", {{"import", item.id}, {"reason", core::to_string(why.code)}}, why.text);
    parts_.runs.counts().item_finished("failed");
    parts_.runs.tell("import", item.job.value_or(0), import_event_json(item.id, "failed", item.job, why.text));
    parts_.failed(item, why);
}

void intake::forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    states_.erase(id);
    --held_;
}

// Hashing a large input takes a while, and a stop does not wait for it.
result<reader::input_digest> intake::digest_of_input(const inbox::item& item) const {
    return reader::digest_of({item.input()}, [this] { return stop_.level() == job::stop_level::none; });
}

void intake::put_away_job(core::job_id job) {
    std::vector<waiting_item> those;
    {
        const std::lock_guard lock(mutex_);
        const auto [from, to] = accepted_.equal_range(job);
        for (auto e = from; e != to; ++e)
            those.push_back(std::move(e->second));
        accepted_.erase(from, to);
    }
    for (auto& one : those)
        put_away_item(job, std::move(one));
}

// Why the job was not made of all that the input has; empty: it was. A writer may have gone on after it was read,
// whatever it was asked to do, and its rows must not be lost in silence.
result<std::string> intake::changed_since_read(const waiting_item& waiting, core::job_id job) const {
    const auto& item = waiting.held.item();
    const auto now = state_at(item.input());
    // A planned input is not needed any more: somebody may have removed it. Of a pruned job the hash may be gone.
    if (!now || waiting.identity.input_sha256.empty() || waiting.read == now) return std::string();
    const auto digest = digest_of_input(item);
    if (!digest) return digest.error();
    if (digest->sha256 == waiting.identity.input_sha256) return std::string();
    const bool known_rows = parts_.configuration.get()->settings.import.dedupe == core::dedupe_scope::ledger;
    const auto there_now = digest->bytes == waiting.identity.input_bytes
                               ? std::string("they are others now")
                               : fmt::format("there are {} now", digest->bytes);
    return fmt::format(
        "{} went on to be written after it had been read: job {} was made of {} bytes, and {}. What was sent is in "
        "results.csv. Drop {}",
        core::printable(item.note.name), job, waiting.identity.input_bytes, there_now,
        known_rows ? "the whole file again: its rows that have tasks become duplicates"
                   : "a file with the other rows alone: with import.dedupe as it is, rows that have tasks would get "
                     "second ones");
}

void intake::put_away_item(core::job_id job, waiting_item waiting) {
    const auto item = waiting.held.item();
    if (!waiting.held.is_locked()) {
        auto held = parts_.store.hold(item.id);
        if (!held || !*held) {
            const auto there = parts_.store.find(item.id);
            // Somebody tidied up, or moved it.
            if (there && (!*there || (*there)->place != item_place::processing)) {
                parts_.store.let_go(item.id);
                return forget(item.id);
            }
            // Another process looks at it, or the folder cannot be read now: look() comes back to it.
            const std::lock_guard lock(mutex_);
            accepted_.emplace(job, std::move(waiting));
            return;
        }
        waiting.held = std::move(**held);
        waiting.held.item().job = job;
    }
    const auto why = changed_since_read(waiting, job);
    entry e;
    e.held = std::move(waiting.held);
    e.read = waiting.read;
    if (!why) return later(std::move(e), why.error());
    std::optional<core::failure> changed;
    if (!why->empty()) changed = core::failure{errc::input, *why};
    const auto book = finished_book_.at(parts_.configuration.get()->settings.ledger.path);
    if (!book) return later(std::move(e), book.error());
    auto done = files_.write(**book, e.held, waiting.identity, job, changed);
    if (done) done = parts_.store.put_away(e.held, changed ? item_place::failed : item_place::done);
    if (!done) {
        if (done.error().code == errc::ledger || done.error().code == errc::ledger_full) finished_book_.let_go();
        return later(std::move(e), done.error());
    }
    forget(item.id);
    if (changed) return tell_failed(item, *changed);
    parts_.runs.lines().info("import_done", {{"import", item.id}, {"job", job}});
    parts_.runs.counts().item_finished("done");
    parts_.runs.tell("import", job, import_event_json(item.id, "done", job, {}));
}

}  // namespace taskbarge::service
