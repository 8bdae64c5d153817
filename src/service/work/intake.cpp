#include "service/work/intake.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <set>
#include <utility>

#include "service/inbox/files.hpp"
#include "service/telemetry/event_json.hpp"
#include "taskbarge/core/files.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/shortage.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/retry_policy.hpp"
#include "taskbarge/job/settings_check.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/rejects_writer.hpp"
#include "taskbarge/report/report_json.hpp"
#include "taskbarge/report/results_writer.hpp"

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

// Collects texts and writes them to a descriptor in large pieces.
class fd_text {
 public:
    explicit fd_text(int fd) : fd_(fd) {}
    std::string& buffer() { return buffer_; }
    void flush_if_full() {
        if (buffer_.size() >= 1u << 18) flush();
    }
    bool good() const { return error_ == 0; }
    result<void> finish() {
        flush();
        if (error_ == 0) return {};
        return core::failure{error_ == ENOSPC || error_ == EDQUOT ? errc::ledger_full : errc::io,
                             std::strerror(error_)};
    }

 private:
    void flush() {
        if (error_ == 0) error_ = core::write_all(fd_, buffer_);
        buffer_.clear();
    }

    int fd_;
    int error_ = 0;
    std::string buffer_;
};

result<void> write_text(int fd, std::string_view text) {
    fd_text out(fd);
    out.buffer() = text;
    return out.finish();
}

// Rejects keep the form of their input.
std::string rejects_name(const std::string& format) {
    return format.starts_with("jsonl") ? "rejects.jsonl" : "rejects.csv";
}

// What `status --json` says, and which end of the job it tells of.
std::string summary_of(const job::report& r, const std::string& ledger_path, core::instant finished_at) {
    std::string out;
    core::json_object o(out);
    report::add_report(o, r, ledger_path, report::exit_code_of(r));
    o.text("finished_at", core::to_rfc3339(finished_at));
    o.close();
    return out + "\n";
}

// The end of the job that the results in the item's folder are of; nothing: it cannot be known.
std::optional<core::instant> told_end(const inbox::item& item) {
    constexpr std::size_t longest_summary = 1024UL * 1024;
    const auto text = inbox::read_small(item.folder + "/summary.json", longest_summary);
    simdjson::dom::parser parser;
    std::string_view end;
    if (!text || parser.parse(*text)["finished_at"].get(end) != simdjson::SUCCESS) return std::nullopt;
    return core::parse_rfc3339(end);
}

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
    if (item.note.again) o.occasion = item.ticket.empty() ? item.id : item.ticket;
    o.origin = item.ticket;
    return o;
}

}  // namespace

std::chrono::milliseconds reading_pause(std::uint32_t& failures, std::optional<core::instant> not_before,
                                        core::instant now) {
    if (!not_before) return job::backoff_ceiling(pauses, ++failures);
    return std::clamp<std::chrono::milliseconds>(*not_before - now, shortest_wait, job::longest_park);
}

intake::intake(parts p) : parts_(std::move(p)) {}

intake::~intake() {
    close();
}

void intake::close() {
    stop();
    if (reading_.joinable()) reading_.join();
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
    reading_ = std::thread([this] { read_loop(); });
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

bool intake::full() const {
    const std::lock_guard lock(mutex_);
    return held_ >= parts_.most_items;
}

bool intake::has_room() const {
    const std::lock_guard lock(mutex_);
    return !stopping_ && held_ < parts_.most_items && queue_.size() < most_unread;
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
    parts_.runs.tell("import", 0, import_event_json(item.id, "queued", item.job, {}));
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back({std::move(held), {}, 0, false, {}, {}, {}});
    }
    changed_.notify_all();
    return true;
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
        look_for_old_results(**book);
    }
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

void intake::look_for_old_results(ledger::ledger& book) {
    const auto reopened = book.reopened_jobs();
    if (!reopened) return;
    {
        const std::lock_guard lock(mutex_);
        // What was pruned since is not listed any more.
        std::erase_if(renewed_, [&](const auto& one) {
            return std::none_of(reopened->begin(), reopened->end(),
                                [&](const auto& job) { return job.id == one.first; });
        });
        for (const auto& job : *reopened) {
            const auto known = renewed_.find(job.id);
            if (known == renewed_.end() || known->second != job.finished_at) to_renew_.insert(job.id);
        }
        if (to_renew_.empty()) return;
    }
    changed_.notify_all();
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

void intake::read_loop() {
    while (true) {
        std::optional<entry> next;
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            const auto now = parts_.clock.steady_now();
            const auto due =
                std::find_if(queue_.begin(), queue_.end(), [&](const entry& e) { return e.not_before <= now; });
            if (due == queue_.end()) {
                auto until = now + 1h;
                for (const auto& e : queue_)
                    until = std::min(until, e.not_before);
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
        std::set<core::job_id> old;
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            const auto now = parts_.clock.steady_now();
            if (!finished_.empty()) {
                finished = finished_.front();
                finished_.pop_front();
            } else if (!to_renew_.empty() && renew_not_before_ <= now) {
                old = std::exchange(to_renew_, {});
            } else {
                changed_.wait_until(lock, to_renew_.empty() ? now + 1h : renew_not_before_);
                continue;
            }
        }
        if (finished)
            put_away_job(*finished);
        else
            renew(old);
    }
}

// An item that has its job already was read before the service was stopped.
void intake::take_in(entry e) {
    const auto& item = e.held.item();
    // What was asked for with the input cannot be known: a guess could import more than was wanted.
    if (!item.trouble.empty())
        return give_up(std::move(e), {errc::input, item.trouble}, parts_.configuration.get()->settings);
    if (!item.job) return plan(std::move(e));
    const auto job = job_of(*item.job);
    if (!job && job.error().code != errc::no_such_job) return later(std::move(e), job.error());
    if (job && is_noted(item, *job)) {
        const auto state = state_at(item.input());
        // A planned input is not needed any more: somebody may have removed it.
        bool as_read = !state || e.read == state;
        if (!as_read) {
            const auto input = digest_of_input(item);
            if (!input && input.error().code == errc::interrupted) return later(std::move(e), input.error());
            as_read = !input || input->sha256 == job->identity.input_sha256;
            if (input && as_read) e.read = state;
        }
        // One that went on to be written keeps its job, if that is its own for certain: it is told at the job's end.
        if (as_read || item.job_made) {
            const bool left = e.failures == 0 && job->state == core::job_state::completed;
            if (left && as_read) parts_.found_finished(job->id);
            return accept(std::move(e), *job);
        }
    }
    const auto why = fmt::format(
        "the ledger {} job {}, which this input had; was the ledger replaced? Drop the file "
        "again to import it anew",
        job ? "has another input's" : "knows no", *item.job);
    give_up(std::move(e), {errc::input, why}, parts_.configuration.get()->settings);
}

// A ledger that was replaced may have another job of that number. Notes of earlier versions do not tell.
bool intake::is_noted(const inbox::item& item, const ledger::job_record& job) {
    return !item.job_made || *item.job_made == job.created_at;
}

// The job that was planned for the item, whatever lies in its place by now: that is told at the job's end.
result<std::optional<ledger::job_record>> intake::planned_before(const inbox::item& item) {
    if (item.ticket.empty()) return std::optional<ledger::job_record>();
    auto book = reading_book_.at(parts_.configuration.get()->settings.ledger.path);
    if (!book) return book.error();
    return (*book)->job_of_origin(item.ticket);
}

result<ledger::job_record> intake::job_of(core::job_id job) {
    auto book = reading_book_.at(parts_.configuration.get()->settings.ledger.path);
    if (!book) return book.error();
    return (*book)->job(job);
}

job::environment intake::environment_of(const configuration& c, const core::settings& s, job::observer& watch,
                                        ledger::ledger* book) {
    return {s, c.key, parts_.clock, stop_, watch, 0, book, false};
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
    // What an earlier try has left, where a failed one is read again.
    for (const char* old : {"error.txt", "summary.json", "rejects.csv", "rejects.jsonl"})
        ::unlink((e.held.item().folder + "/" + old).c_str());
    job::report r;
    auto book = reading_book_.at(settings->ledger.path);
    if (!book) return later(std::move(e), book.error());
    try {
        board::run watch(parts_.runs, 0);
        const auto env = environment_of(*configuration, *settings, watch, *book);
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
    write_why(e.held, why, settings, format);
    const auto item = e.held.item();
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

void intake::write_why(const inbox::held_item& held, const core::failure& why, const core::settings& settings,
                       const std::string& format) {
    auto& store = parts_.store;
    const auto tell_trouble = [&](const result<void>& written) {
        if (!written)
            parts_.runs.lines().warn("import_note_not_written", {{"import", held.item().id}}, written.error().text);
    };
    tell_trouble(store.add_file(held, "error.txt", [&](int fd) { return write_text(fd, why.text + "\n"); }));
    job::report r;
    r.state = job::report_state::failed;
    r.why = why;
    const auto code = report::exit_code_of(why.code);
    if (why.code == errc::too_many_rejects) {
        const auto configuration = parts_.configuration.get();
        silence unwatched;
        const auto env = environment_of(*configuration, settings, unwatched, nullptr);
        tell_trouble(store.add_file(held, rejects_name(format), [&](int fd) -> result<void> {
            fd_text out(fd);
            report::rejects_writer writer;
            const auto plan =
                job::plan_files(env, options_of(held.item()),
                                [&](const core::rejected_row& row, const ledger::file_note& file) -> result<void> {
                                    writer.record(out.buffer(), row, file);
                                    out.flush_if_full();
                                    return out.good() ? result<void>() : out.finish();
                                });
            r.rows = plan.base.rows;
            if (plan.base.why && plan.base.why->code != errc::too_many_rejects) return *plan.base.why;
            return out.finish();
        }));
    }
    tell_trouble(store.add_file(held, "summary.json", [&](int fd) {
        return write_text(fd, report::report_json(r, settings.ledger.path, code));
    }));
}

// The states of the rows, and those that were rejected as they were.
result<void> intake::write_rows(const inbox::held_item& held, ledger::ledger& book, const ledger::job_record& job,
                                bool any_rejects) {
    auto written = parts_.store.add_file(held, "results.csv", [&](int fd) -> result<void> {
        fd_text out(fd);
        report::results_writer writer(report::results_format::csv, job.files, job.id);
        writer.header(out.buffer());
        auto read = book.each_result(job.id, [&](const ledger::row_result& row) {
            writer.line(out.buffer(), row);
            out.flush_if_full();
            return out.good() && stop_.level() == job::stop_level::none;
        });
        if (!read) return read.error();
        if (stop_.level() != job::stop_level::none) return core::failure{errc::interrupted, "stopped"};
        return out.finish();
    });
    if (!written || !any_rejects) return written;
    const auto name = rejects_name(job.file_notes.empty() ? "" : job.file_notes.front().format);
    return parts_.store.add_file(held, name, [&](int fd) -> result<void> {
        fd_text out(fd);
        report::rejects_writer writer(job.file_notes);
        auto read = book.each_reject(job.id, [&](const core::rejected_row& row) {
            writer.record(out.buffer(), row);
            out.flush_if_full();
            return out.good();
        });
        if (!read) return read.error();
        return out.finish();
    });
}

// With `failed` the input is not done all the same, and its summary says so.
result<void> intake::write_results(ledger::ledger& book, const inbox::held_item& held,
                                   const ledger::job_identity& identity, core::job_id job,
                                   const std::optional<core::failure>& failed) {
    const auto configuration = parts_.configuration.get();
    silence unwatched;
    const auto env = environment_of(*configuration, configuration->settings, unwatched, &book);
    auto record = book.job(job);
    if (!record) return record.error();
    const core::failure reopened{errc::waiting, fmt::format("job {} is not finished any more", job)};
    if (record->identity != identity) return core::failure{errc::waiting, "the ledger was replaced"};
    if (record->state != core::job_state::completed) return reopened;
    auto r = job::report_job(env, job);
    if (r.why) return *r.why;
    // Of a pruned job the sums are left.
    if (!record->pruned_at)
        if (auto written = write_rows(held, book, *record, r.rows.rejected > 0); !written) return written;
    // A retry meanwhile makes what was written a mixture.
    const auto after = book.job(job);
    if (!after) return after.error();
    if (after->finished_at != record->finished_at || after->state != record->state) return reopened;
    if (failed) {
        r.state = job::report_state::failed;
        r.why = failed;
    }
    return parts_.store.add_file(held, "summary.json", [&](int fd) {
        return write_text(fd, summary_of(r, configuration->settings.ledger.path, *record->finished_at));
    });
}

// A job that was finished again after its inputs were put away has other results than those that lie beside them.
void intake::renew(const std::set<core::job_id>& jobs) {
    const auto work = [&]() -> result<void> {
        const auto book = finished_book_.at(parts_.configuration.get()->settings.ledger.path);
        if (!book) return book.error();
        std::map<core::job_id, core::instant> ends;
        for (const auto id : jobs) {
            const auto job = (*book)->job(id);
            if (!job) return job.error();
            if (job->finished_at) ends[id] = *job->finished_at;
        }
        const auto ids = parts_.store.done_with(jobs);
        if (!ids) return ids.error();
        result<void> all;
        for (const auto& id : *ids)
            if (auto done = renew_item(**book, id); !done) all = done;  // the others go on
        if (!all) return all;
        const std::lock_guard lock(mutex_);
        for (const auto& [job, end] : ends)
            renewed_[job] = end;
        return {};
    };
    const auto done = work();
    if (!done && done.error().code != errc::interrupted && done.error().code != errc::job_held)
        parts_.runs.lines().warn("results_not_renewed", {}, done.error().text);
    const std::lock_guard lock(mutex_);
    if (done) {
        renew_failures_ = 0;
        return;
    }
    // Which jobs they are is found out anew.
    renew_not_before_ = parts_.clock.steady_now() + job::backoff_ceiling(pauses, ++renew_failures_);
}

result<void> intake::renew_item(ledger::ledger& book, const std::string& id) {
    auto held = parts_.store.hold(id);
    if (!held) return held.error();
    if (!*held) {
        const auto there = parts_.store.find(id);
        if (!there) return there.error();
        if (!*there) return {};  // somebody tidied up
        return core::failure{errc::job_held, fmt::format("another process works on {}", id)};
    }
    if ((*held)->item().place != item_place::done || !(*held)->item().job) return {};
    const auto& item = (*held)->item();
    const auto job = book.job(*item.job);
    if (!job) return job.error();
    if (job->held) return core::failure{errc::job_held, fmt::format("job {} is being worked on", job->id)};
    if (job->state != core::job_state::completed || job->pruned_at || told_end(item) == job->finished_at) return {};
    const auto its_own = is_job_of(book, item, *job);
    if (!its_own) return its_own.error();
    if (!*its_own) return {};
    if (auto written = write_results(book, **held, job->identity, job->id, std::nullopt); !written) return written;
    parts_.runs.lines().info("import_renewed", {{"import", id}, {"job", job->id}});
    parts_.runs.tell("import", job->id, import_event_json(id, "done", job->id, {}));
    return {};
}

// Hashing a large input takes a while, and a stop does not wait for it.
result<reader::input_digest> intake::digest_of_input(const inbox::item& item) const {
    return reader::digest_of({item.input()}, [this] { return stop_.level() == job::stop_level::none; });
}

// The ledger may have been replaced, and have another input's job of that number.
result<bool> intake::is_job_of(ledger::ledger& book, const inbox::item& item, const ledger::job_record& job) const {
    if (item.job_made) return is_noted(item, job);
    const auto its_own = book.job_of_origin(item.ticket);
    if (!its_own) return its_own.error();
    if (*its_own) return (*its_own)->id == job.id;
    const auto input = digest_of_input(item);
    if (!input && input.error().code == errc::interrupted) return input.error();
    return input && input->sha256 == job.identity.input_sha256;
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
    auto done = write_results(**book, e.held, waiting.identity, job, changed);
    if (done && changed)
        done = parts_.store.add_file(e.held, "error.txt", [&](int fd) { return write_text(fd, changed->text + "\n"); });
    // What an earlier end has left, where a failed one is tried again.
    if (done && !changed) ::unlink((e.held.item().folder + "/error.txt").c_str());
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
