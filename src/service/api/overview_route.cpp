#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/api/answers.hpp"
#include "service/api/job_json.hpp"
#include "service/api/routes.hpp"
#include "service/inbox/item_files.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

using core::result;
using http::request;
using http::response;

// What a person has to look at, most pressing first.
class attention {
 public:
    void add(const char* kind, const std::string& text, std::optional<core::job_id> job = {},
             const std::string& import = {}) {
        if (list_.size() > 1) list_ += ',';
        core::json_object one(list_);
        one.text("kind", kind);
        one.text("text", text);
        one.job_or_null("job", job);
        one.text_or_null("import", import);
        one.close();
    }
    std::string json() const { return list_ + ']'; }

 private:
    std::string list_ = "[";
};

namespace {

// What is listed of each kind; the counts tell of the others.
constexpr std::size_t most_jobs = 100, most_failed_imports = 20;
// What came of a finished job is news for so long.
constexpr std::chrono::hours worth_a_look(24 * 7);

std::string files_of(const ledger::job_record& job) {
    if (job.files.empty()) return "no file";
    return job.files.size() == 1 ? job.files.front()
                                 : fmt::format("{} and {} more", job.files.front(), job.files.size() - 1);
}

// Most reasons begin with the file already.
std::string named(const std::string& why, const std::string& file) {
    return why.starts_with(file + ":") ? why : file + ": " + why;
}

std::string rows_were(std::uint64_t rows) {
    return rows == 1 ? "one row was" : fmt::format("{} rows were", rows);
}

std::string host_of(const std::string& base_url) {
    const auto url = boost::urls::parse_uri(base_url);
    return url ? std::string(std::string_view(url->encoded_host_and_port())) : base_url;
}

}  // namespace

// One look at the ledger and the inbox: an overview that several answers make up would show things that never were at
// the same time.
result<std::string> overview_route::overview_json(bool may_write) const {
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    const auto now = parts_.clock.now();
    const auto why = why_not_ready(parts_);
    std::string out;
    core::json_object o(out);
    o.text("version", parts_.version);
    o.time_or_null("now", now);
    o.time_or_null("started_at", parts_.started_at);
    o.text("role", may_write ? "write" : "read");
    o.truth("token_needed", !configuration->token.empty());
    o.truth("ready", why.empty());
    o.text_or_null("reason", why);
    std::string apollo;
    core::json_object a(apollo);
    a.text("host", host_of(s.apollo.base_url));
    a.text_or_null("team", s.apollo.team);
    a.close();
    o.raw("apollo", apollo);
    o.text("ledger", s.ledger.path);
    o.text("inbox", parts_.store.root());
    attention urgent;
    if (!why.empty()) urgent.add("not_ready", why);
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return book.error();
    if (auto r = add_jobs(o, **book, *configuration, now, urgent); !r) return r.error();
    auto failed = parts_.store.list(inbox::item_place::failed, most_failed_imports);
    if (!failed) return failed.error();
    for (auto item = failed->rbegin(); item != failed->rend(); ++item)
        urgent.add("import_failed", "Could not be imported: " + named(inbox::why_failed(*item), item->note.name),
                   item->job, item->id);
    o.raw("attention", urgent.json());
    if (auto r = add_imports(o); !r) return r.error();
    o.raw("windows", windows_json(known_windows(all_windows, **book, s, now), s.limits));
    std::string told;
    core::json_object n(told);
    n.number("waiting", parts_.notifications_waiting());
    n.close();
    o.raw("notifications", told);
    o.close();
    return out + '\n';
}

result<void> overview_route::add_jobs(core::json_object& o, ledger::ledger& book, const configuration& c,
                                      core::instant now, attention& urgent) const {
    const auto& s = c.settings;
    auto sums = book.sums_by_state();
    if (!sums) return sums.error();
    std::uint64_t parked = 0, stopped = 0, completed = 0;
    core::row_counts rows;
    for (const auto& one : *sums) {
        (one.state == core::job_state::completed ? completed
         : one.state == core::job_state::failed  ? stopped
                                                 : parked) += one.jobs;
        rows += one.rows;
    }
    // The oldest goes first, and all share the windows of one route.
    auto open = book.unfinished_jobs();
    if (!open) return open.error();
    const auto running = static_cast<std::uint64_t>(
        std::count_if(open->begin(), open->end(), [](const ledger::unfinished_job& job) { return job.held; }));
    std::vector<ledger::job_record> unfinished;
    for (const auto& one : *open) {
        if (unfinished.size() == most_jobs) break;
        auto job = book.job(one.id);
        if (!job) return job.error();
        if (job->state != core::job_state::completed) unfinished.push_back(std::move(*job));
    }
    const auto windows = book.load_book({s.apollo.base_url, s.apollo.team, std::string(task_windows.front())});
    job::stop_control nobody;
    silence unwatched;
    const job::environment env{s, c.key, parts_.clock, nobody, unwatched, 0};
    std::uint64_t before = 0;
    const auto list = core::json_list(unfinished, [&](std::string& json, const ledger::job_record& job) {
        const auto r = job::report_listed(env, book, job);
        std::optional<core::instant> end;
        const bool goes_on = job.state == core::job_state::parked && !job.paused();
        if (goes_on) {
            before += r.requests.minimum_requests - std::min(r.requests.minimum_requests, r.requests.requests);
            if (windows) end = client::forecast_end(*windows, s.limits, before, now).end;
        }
        core::json_object one(json);
        add_job(one, r, job, s.ledger.path, parts_.board.run_of(job.id), end);
        one.close();
        if (job.held) return;
        if (job.state == core::job_state::failed)
            urgent.add("job_failed", fmt::format("{} stopped: {}", files_of(job), job.stop_message), job.id);
        else if (job.paused())
            urgent.add("job_paused", fmt::format("{} is paused until somebody resumes it", files_of(job)), job.id);
    });
    ledger::job_page ended;
    ended.states = {core::job_state::completed};
    ended.most = most_jobs;
    auto finished = book.newest_jobs(ended);
    if (!finished) return finished.error();
    for (const auto& job : *finished) {
        if (job.pruned_at || (job.finished_at && now - *job.finished_at > worth_a_look)) continue;
        const auto r = job::report_listed(env, book, job);
        if (r.rows.unknown > 0)
            urgent.add("rows_unknown",
                       fmt::format("{}: {} sent, and it is not known whether a task came of it", files_of(job),
                                   rows_were(r.rows.unknown)),
                       job.id);
        if (r.rows.failed > 0)
            urgent.add("rows_failed", fmt::format("{}: {} refused", files_of(job), rows_were(r.rows.failed)), job.id);
    }
    std::string counts;
    core::json_object j(counts);
    j.number("running", running);
    j.number("parked", parked - std::min(parked, running));
    j.number("failed", stopped);
    j.number("completed", completed);
    j.close();
    o.raw("jobs", counts);
    std::string all;
    core::json_object total(all);
    core::add_counts(total, rows);
    total.close();
    o.raw("rows", all);
    o.raw("unfinished", list);
    return {};
}

result<void> overview_route::add_imports(core::json_object& o) const {
    const auto [waiting, accepted] = parts_.intake.sizes();
    const auto failed = parts_.store.count(inbox::item_place::failed);
    if (!failed) return failed.error();
    std::string counts;
    core::json_object c(counts);
    c.number("queued", waiting);
    c.number("accepted", accepted);
    c.number("planned", parts_.intake.planned());
    c.number("failed", *failed);
    c.close();
    o.raw("imports", counts);
    return {};
}

// Many pages ask at the same time, and each look costs what the chunks of all open jobs cost: whoever asked before a
// look was begun gets its answer. One thread.
result<std::string> overview_route::look(bool may_write, std::chrono::steady_clock::time_point asked_at) {
    auto& last = looks_[may_write ? 1 : 0];
    if (last.begun_at > asked_at) return last.json;
    const auto begun_at = parts_.clock.steady_now();
    auto json = overview_json(may_write);
    if (json) last = {begun_at, *json};
    return json;
}

awaitable<void> overview_route::show(request& x, const path_values&) {
    const bool may_write = parts_.may_write(x.head());
    const auto asked_at = parts_.clock.steady_now();
    auto read = [&] { return look(may_write, asked_at); };
    auto found = co_await looker_.run(read);
    response a = found ? json_answer(std::move(*found)) : problem_of(found.error());
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
