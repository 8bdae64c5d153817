#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "service/api/answers.hpp"
#include "service/api/job_json.hpp"
#include "service/api/routes.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;
using http::problem;
using http::request;
using http::response;

namespace {

constexpr std::size_t most_runs_asked_for = 4;

// The jobs that a listing is asked for by one word; nothing for a word that is none.
std::optional<ledger::job_page> page_of(std::string_view word) {
    using core::job_state;
    ledger::job_page page;
    page.states = {job_state::parked, job_state::failed};
    if (word == "unfinished") return page;
    if (word.empty()) {
        page.states.push_back(job_state::completed);
        return page;
    }
    const bool running = word == "running";
    if (running || word != "completed") page.held = running;
    if (running) return page;
    const auto state = core::parse_job_state(word);
    if (!state || *state == job_state::planning) return std::nullopt;
    page.states = {*state};
    return page;
}

}  // namespace

result<std::string> job_routes::job_json(core::job_id id) const {
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return book.error();
    const auto job = (*book)->job(id);
    if (!job) return job.error();
    const auto reasons = (*book)->reasons(id, report::most_reasons);
    if (!reasons) return reasons.error();
    std::string out;
    core::json_object o(out);
    add_job(o, parts_.scheduler.report_of(id), *job, s.ledger.path, parts_.board.run_of(id));
    o.raw("reasons", report::reasons_json(*reasons));
    o.raw("windows", windows_json(known_windows(task_windows, **book, s, parts_.clock.now()), s.limits));
    o.raw("imports", core::json_list(parts_.intake.imports_of(id), core::append_json_string));
    o.close();
    return out + '\n';
}

result<std::string> job_routes::jobs_json(const ledger::job_page& page) const {
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return book.error();
    // One more tells whether there is another page.
    auto with_next = page;
    ++with_next.most;
    auto jobs = (*book)->newest_jobs(with_next);
    if (!jobs) return jobs.error();
    const bool more = jobs->size() > page.most;
    if (more) jobs->pop_back();
    job::stop_control nobody;
    silence unwatched;
    const job::environment env{s, configuration->key, parts_.clock, nobody, unwatched, 0};
    std::string out;
    core::json_object o(out);
    o.raw("jobs", core::json_list(*jobs, [&](std::string& list, const ledger::job_record& job) {
              core::json_object one(list);
              add_job(one, job::report_listed(env, **book, job), job, s.ledger.path, parts_.board.run_of(job.id));
              one.close();
          }));
    o.job_or_null("next_before", more ? std::optional(jobs->back().id) : std::nullopt);
    o.close();
    return out + '\n';
}

awaitable<void> job_routes::list(request& x, const path_values&) {
    auto page = page_of(x.head().parameter("state").value_or(""));
    const auto most = limit_of(x.head());
    const auto before = parse_number<core::job_id>(x.head().parameter("before").value_or("0"));
    response a;
    if (!page) {
        a = bad_parameter("state", "must be running, parked, failed, completed or unfinished");
    } else if (!most) {
        a = bad_parameter("limit", most.error().text);
    } else if (!before || *before < 0) {
        a = bad_parameter("before", "must be a job's number");
    } else {
        page->before = *before;
        page->most = *most;
        auto read = [&] { return jobs_json(*page); };
        auto list = co_await parts_.readers.run(read);
        a = list ? json_answer(std::move(*list)) : problem_of(list.error());
    }
    co_await x.reply(std::move(a));
}

awaitable<void> job_routes::show(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    response a;
    if (!id) {
        a = no_such_job(v.at(0));
    } else {
        auto read = [&] { return job_json(*id); };
        auto found = co_await parts_.readers.run(read);
        a = found ? json_answer(std::move(*found)) : problem_of(found.error());
    }
    co_await x.reply(std::move(a));
}

awaitable<void> job_routes::command(request& x, const path_values& v, job_command what) {
    const auto id = parse_job(v.at(0));
    response a;
    if (!id) {
        a = no_such_job(v.at(0));
    } else {
        // Runs take as long as Apollo's windows let them, and must not stand in the way of a pause.
        const bool is_run =
            what == job_command::retry || what == job_command::retry_unknown || what == job_command::verify;
        if (is_run && runs_asked_for_ >= most_runs_asked_for) {
            a = in_a_minute(problem(503, "not-now", "This cannot be done now",
                                    "Too many runs that were asked for are under way; try again when one has ended."));
            co_await x.reply(std::move(a));
            co_return;
        }
        auto act = [&]() -> result<std::string> {
            const auto r = parts_.scheduler.command(*id, what);
            const bool refused = r.why && (r.why->code == errc::no_such_job || r.why->code == errc::job_held ||
                                           r.why->code == errc::usage || r.why->code == errc::ledger ||
                                           r.why->code == errc::ledger_full || r.why->code == errc::internal);
            if (refused) return *r.why;
            return job_json(*id);
        };
        if (is_run) ++runs_asked_for_;
        auto& where = is_run ? runs_ : commands_;
        auto done = co_await where.run(act);
        if (is_run) --runs_asked_for_;
        a = done ? json_answer(std::move(*done)) : problem_of(done.error());
    }
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
