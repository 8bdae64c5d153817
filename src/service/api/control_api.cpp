#include "service/api/control_api.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <exception>
#include <fstream>
#include <utility>

#include "service/api/block_pipe.hpp"
#include "service/api/spool.hpp"
#include "service/telemetry/event_json.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/core/printable.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/rejects_writer.hpp"
#include "taskbarge/report/report_json.hpp"
#include "taskbarge/report/results_writer.hpp"

namespace taskbarge::service {

namespace asio = boost::asio;
using core::errc;
using core::result;
using http::answer;
using http::exchange;
using http::problem;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_listed = 1000, usually_listed = 100;
constexpr std::size_t most_streams = 8, most_event_streams = 64;
constexpr std::size_t most_runs_asked_for = 4;
constexpr std::size_t block_size = 1u << 16;
constexpr std::size_t upload_piece = 1u << 20;
constexpr std::size_t most_json = 64 * 1024;
constexpr const char* routes_with_windows[] = {"tasks/bulk_create", "tasks/search"};

answer json_answer(std::string body, int status = 200) {
    answer a;
    a.status = status;
    a.body = std::move(body);
    return a;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
    T n{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

std::optional<core::job_id> parse_job(std::string_view text) {
    const auto id = parse_number<core::job_id>(text);
    return id && *id > 0 ? id : std::nullopt;
}

answer no_such_job(std::string_view text) {
    return problem(404, "unknown-job", "There is no such job",
                   fmt::format("The ledger has no job {}; GET /v1/jobs lists those that there are.", text));
}

answer bad_parameter(std::string_view name, std::string_view rule) {
    return problem(400, "bad-parameter", "A parameter cannot be used", fmt::format("{} {}", name, rule));
}

// A failure as an HTTP problem.
answer problem_of(const core::failure& why) {
    switch (why.code) {
        case errc::no_such_job:
            return problem(404, "unknown-job", "There is no such job", why.text);
        case errc::usage:
        case errc::input:
        case errc::settings:
            return problem(400, "bad-input", "The input cannot be used", why.text);
        case errc::job_held:
            return problem(409, "job-busy", "The job is being worked on", why.text);
        case errc::ledger_full:
            return problem(507, "disk-full", "There is no room", why.text);
        case errc::no_key:
        case errc::unauthorized:
        case errc::forbidden:
            return problem(502, "apollo-refuses", "Apollo refuses the key", why.text);
        case errc::unreachable:
            return problem(502, "apollo-unreachable", "Apollo cannot be reached", why.text);
        case errc::internal:
            return problem(500, "internal", "A bug in taskbarge", why.text);
        default:
            return problem(503, "not-now", "This cannot be done now", why.text);
    }
}

void add_to(core::row_counts& sum, const core::row_counts& more) {
    sum.rows += more.rows;
    sum.created += more.created;
    sum.duplicate += more.duplicate;
    sum.rejected += more.rejected;
    sum.failed += more.failed;
    sum.unknown += more.unknown;
    sum.pending += more.pending;
}

// "limit" of a listing.
result<std::size_t> limit_of(const http::request_head& head) {
    const auto text = head.parameter("limit");
    if (!text) return usually_listed;
    const auto n = parse_number<std::size_t>(*text);
    if (!n || *n == 0 || *n > most_listed)
        return core::failure{errc::usage, fmt::format("must be a number from 1 to {}", most_listed)};
    return *n;
}

std::optional<bool> parse_truth(const std::optional<std::string>& text) {
    if (!text || *text == "false" || *text == "0") return false;
    if (text->empty() || *text == "true" || *text == "1") return true;
    return std::nullopt;
}

// What may be asked for with an input, from the query.
result<inbox::item_note> note_of(const http::request_head& head, core::instant now) {
    inbox::item_note note;
    note.name = head.parameter("name").value_or("");
    if (note.name.empty())
        return core::failure{errc::usage,
                             "name is missing: say how the file is called, as in /v1/imports?name=contacts.csv"};
    if (auto fit = inbox::check_name(note.name); !fit) return fit.error();
    note.origin = "upload";
    note.taken_at = now;
    if (const auto first = head.parameter("first")) {
        const auto n = parse_number<std::uint64_t>(*first);
        if (!n) return core::failure{errc::usage, "first must be a number of rows"};
        note.first_rows = *n;
    }
    const auto again = parse_truth(head.parameter("again"));
    if (!again) return core::failure{errc::usage, "again must be true or false"};
    note.again = *again;
    return note;
}

// {"path": "/srv/crm/contacts.csv", "first": 100, "again": false}
result<std::pair<std::string, inbox::item_note>> read_path_request(const std::string& body, core::instant now) {
    const auto wrong = [](std::string text) { return core::failure{errc::usage, std::move(text)}; };
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(body).get(object) != simdjson::SUCCESS)
        return wrong("the body must be a JSON object with a path, as in {\"path\": \"/srv/crm/contacts.csv\"}");
    std::string path;
    inbox::item_note note;
    note.origin = "path";
    note.taken_at = now;
    for (const auto [key, value] : object) {
        std::string_view text;
        if (key == "path" || key == "name") {
            if (value.get(text) != simdjson::SUCCESS) return wrong(std::string(key) + " must be a text");
            (key == "path" ? path : note.name) = text;
        } else if (key == "first") {
            if (value.get(note.first_rows) != simdjson::SUCCESS) return wrong("first must be a number of rows");
        } else if (key == "again") {
            if (value.get(note.again) != simdjson::SUCCESS) return wrong("again must be true or false");
        } else {
            return wrong(fmt::format("{} is unknown; there are path, name, first and again", core::printable(key, 60)));
        }
    }
    if (path.empty()) return wrong("path is missing, as in {\"path\": \"/srv/crm/contacts.csv\"}");
    if (note.name.empty()) note.name = path.substr(path.rfind('/') + 1);
    if (auto fit = inbox::check_name(note.name); !fit) return fit.error();
    return std::pair(std::move(path), std::move(note));
}

std::string_view place_word(inbox::item_place place) {
    switch (place) {
        case inbox::item_place::processing:
            return "processing";
        case inbox::item_place::done:
            return "done";
        case inbox::item_place::failed:
            break;
    }
    return "failed";
}

// The beginning of a small file of ours.
std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return core::printable(line, 2000);
}

void add_windows(core::json_object& o, ledger::ledger& book, const core::settings& s, core::instant now) {
    std::string list = "[";
    for (const char* route : routes_with_windows) {
        auto known = book.load_book({s.apollo.base_url, s.apollo.team, route});
        if (!known) continue;
        client::tidy(*known, s.limits, now);
        for (const auto kind : core::all_window_kinds) {
            const auto& w = (*known)[kind];
            if (!w.limit) continue;
            if (list.size() > 1) list += ',';
            core::json_object one(list);
            one.text("route", route);
            one.text("window", core::to_string(kind));
            one.number("limit", *w.limit);
            one.number("used", w.used);
            one.number("left", *w.limit > w.used && !w.shut ? *w.limit - w.used : 0);
            time_or_null(one, "ends_at", w.ends_at);
            one.close();
        }
    }
    o.raw("windows", list + ']');
}

void add_reasons(core::json_object& o, const std::vector<ledger::reason_count>& reasons) {
    std::string list = "[";
    for (const auto& r : reasons) {
        if (list.size() > 1) list += ',';
        core::json_object one(list);
        one.text("state", core::to_string(r.state));
        one.text("code", r.code);
        one.number("rows", r.rows);
        one.number("example_row", r.example_row);
        one.text("example_message", r.example_message);
        one.close();
    }
    o.raw("reasons", list + ']');
}

std::string text_list(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const auto& text : texts) {
        if (list.size() > 1) list += ',';
        core::append_json_string(list, text);
    }
    return list + ']';
}

// What a listing and a single job have in common.
void add_job(core::json_object& o, const job::report& r, const ledger::job_record& job,
             const std::string& ledger_path) {
    report::add_report(o, r, ledger_path, report::exit_code_of(r));
    o.raw("files", text_list(job.files));
    time_or_null(o, "created_at", job.created_at);
    time_or_null(o, "finished_at", job.finished_at);
    o.truth("running", job.held && job.state != core::job_state::completed);
    o.truth("paused", job.state != core::job_state::completed && job.stop_code == core::to_string(errc::paused));
    o.text_or_null("stop_code", job.state == core::job_state::completed ? "" : job.stop_code);
}

}  // namespace

control_api::control_api(parts p) : parts_(std::move(p)) {}

http::router control_api::routes() {
    http::router r;
    const auto add = [&](const char* method, const char* pattern,
                         none (control_api::*handle)(exchange&, const values&)) {
        r.add(method, pattern, [this, handle](exchange& x, const values& v) { return (this->*handle)(x, v); });
    };
    add("GET", "/healthz", &control_api::health);
    add("GET", "/readyz", &control_api::readiness);
    add("GET", "/metrics", &control_api::metrics_text);
    add("POST", "/v1/imports", &control_api::submit);
    add("GET", "/v1/imports", &control_api::list_imports);
    add("GET", "/v1/imports/{import}", &control_api::show_import);
    add("POST", "/v1/imports/{import}/retry", &control_api::retry_import);
    add("GET", "/v1/jobs", &control_api::list_jobs);
    add("GET", "/v1/jobs/{job}", &control_api::show_job);
    add("GET", "/v1/jobs/{job}/results", &control_api::results);
    add("GET", "/v1/jobs/{job}/rejects", &control_api::rejects);
    add("GET", "/v1/events", &control_api::event_stream);
    for (const auto what : {job_command::pause, job_command::resume, job_command::retry, job_command::retry_unknown,
                            job_command::verify, job_command::cancel})
        r.add("POST", fmt::format("/v1/jobs/{{job}}/{}", to_string(what)),
              [this, what](exchange& x, const values& v) { return command(x, v, what); });
    return r;
}

// ------------------------------------------------------------------------------------------------------------ health

control_api::none control_api::health(exchange& x, const values&) {
    answer a = json_answer("{\"status\":\"alive\"}\n");
    co_await x.reply(std::move(a));
}

control_api::none control_api::readiness(exchange& x, const values&) {
    auto look = [this]() -> std::string {
        if (const auto blocked = parts_.scheduler.blocked()) return blocked->text;
        const auto book = ledger::open_ledger(parts_.configuration.get()->settings.ledger.path);
        if (!book) return book.error().text;
        if (parts_.intake.full()) return "too many inputs are waiting";
        return {};
    };
    const auto why = co_await readers_.run(look);
    std::string body;
    core::json_object o(body);
    o.truth("ready", why.empty());
    o.text_or_null("reason", why);
    o.close();
    answer a = json_answer(body + '\n', why.empty() ? 200 : 503);
    co_await x.reply(std::move(a));
}

// A finished job's sums are read once.
core::row_counts control_api::sums_of(ledger::ledger& book, const ledger::job_record& job) {
    const std::lock_guard lock(sums_mutex_);
    const auto known = sums_.find(job.id);
    if (known != sums_.end() && job.finished_at && known->second.first == *job.finished_at) return known->second.second;
    const auto totals = book.totals(job.id);
    if (!totals) return {};
    if (job.finished_at) sums_[job.id] = {*job.finished_at, totals->rows};
    return totals->rows;
}

gauges control_api::gather() {
    gauges now;
    now.now = parts_.clock.now();
    const auto [waiting, processing] = parts_.intake.sizes();
    now.items_waiting = waiting;
    now.items_processing = processing;
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return now;
    std::map<std::string, std::uint64_t> jobs{{"completed", 0}, {"parked", 0}, {"failed", 0}, {"paused", 0}};
    std::map<std::string, core::row_counts> rows;
    for (const auto& [state, sums] : jobs)
        rows[state] = {};
    if (const auto all = (*book)->jobs()) {
        for (const auto& job : *all) {
            std::string state(core::to_string(job.state));
            if (job.state != core::job_state::completed && job.stop_code == core::to_string(errc::paused))
                state = "paused";
            ++jobs[state];
            add_to(rows[state], sums_of(**book, job));
        }
    }
    now.jobs_by_state.assign(jobs.begin(), jobs.end());
    now.rows_by_job_state.assign(rows.begin(), rows.end());
    for (const char* route : routes_with_windows) {
        auto known = (*book)->load_book({s.apollo.base_url, s.apollo.team, route});
        if (!known) continue;
        client::tidy(*known, s.limits, now.now);
        now.windows.emplace_back(route, *known);
    }
    return now;
}

control_api::none control_api::metrics_text(exchange& x, const values&) {
    auto look = [this] { return gather(); };
    auto now = co_await readers_.run(look);
    now.connections = parts_.connections();
    now.event_streams = parts_.events.listeners();
    answer a;
    a.content_type = "text/plain; version=0.0.4; charset=utf-8";
    a.body = parts_.board.counts().text(now);
    co_await x.reply(std::move(a));
}

// ----------------------------------------------------------------------------------------------------------- imports

control_api::none control_api::submit(exchange& x, const values&) {
    if (parts_.intake.full()) {
        answer full =
            problem(503, "too-many-inputs", "Too many inputs are waiting", "Submit it again in a few minutes.");
        full.headers.emplace_back("Retry-After", "60");
        co_await x.reply(std::move(full));
        co_return;
    }
    const std::string type(x.head().header("content-type").substr(0, x.head().header("content-type").find(';')));
    if (type == "application/json")
        co_await submit_path(x);
    else
        co_await submit_upload(x);
}

control_api::none control_api::submit_upload(exchange& x) {
    auto note = note_of(x.head(), parts_.clock.now());
    if (!note) {
        answer a = problem_of(note.error());
        co_await x.reply(std::move(a));
        co_return;
    }
    auto begin = [&] { return parts_.store.begin_upload(*note); };
    auto upload = co_await readers_.run(begin);
    std::optional<answer> trouble;
    if (!upload) trouble = problem_of(upload.error());
    std::string piece;
    bool more = true;
    while (more && !trouble) {
        auto some = co_await x.read_some();
        if (!some) {
            trouble = x.body_problem();
            break;
        }
        more = !some->empty();
        piece += *some;
        if (piece.size() < upload_piece && more) continue;
        auto write = [&] { return (*upload)->write(piece); };
        const auto written = co_await readers_.run(write);
        piece.clear();
        if (!written) trouble = problem_of(written.error());
    }
    if (!trouble) {
        auto finish = [&] { return (*upload)->finish(); };
        auto held = co_await readers_.run(finish);
        if (held) {
            co_await accepted(x, std::move(*held));
            co_return;
        }
        trouble = problem_of(held.error());
    }
    co_await x.reply(std::move(*trouble));
}

control_api::none control_api::submit_path(exchange& x) {
    auto body = co_await x.read_all(most_json);
    if (!body) {
        answer a = x.body_problem();
        co_await x.reply(std::move(a));
        co_return;
    }
    auto asked = read_path_request(*body, parts_.clock.now());
    if (!asked) {
        answer a = problem_of(asked.error());
        co_await x.reply(std::move(a));
        co_return;
    }
    const auto configuration = parts_.configuration.get();
    auto take = [&] {
        return parts_.store.take_path(asked->first, configuration->settings.serve.allowed_paths, asked->second);
    };
    auto held = co_await copiers_.run(take);
    if (held) {
        co_await accepted(x, std::move(*held));
        co_return;
    }
    answer a = held.error().code == errc::usage
                   ? problem(403, "path-not-allowed", "The path is not allowed", held.error().text)
                   : problem_of(held.error());
    co_await x.reply(std::move(a));
}

control_api::none control_api::accepted(exchange& x, inbox::held_item held) {
    const auto item = held.item();
    // Where there is no room any more the item is in its folder all the same, and is taken up later.
    (void)parts_.intake.submit(std::move(held));
    answer a = json_answer(import_json(item) + '\n', 202);
    a.headers.emplace_back("Location", "/v1/imports/" + item.id);
    co_await x.reply(std::move(a));
}

std::string control_api::import_json(const inbox::item& item) const {
    std::string state(place_word(item.place)), error;
    if (item.place == inbox::item_place::processing) {
        const auto known = parts_.intake.state_of(item.id);
        state = known ? known->first : item.job ? "accepted" : "queued";
        if (known) error = known->second;
    } else if (item.place == inbox::item_place::failed) {
        error = first_line(item.folder + "/error.txt");
    }
    std::string out;
    core::json_object o(out);
    o.text("import", item.id);
    o.text("name", item.note.name);
    o.text("origin", item.note.origin);
    o.text("state", state);
    job_or_null(o, "job", item.job);
    o.text("taken_at", core::to_rfc3339(item.note.taken_at));
    o.number("first", item.note.first_rows);
    o.truth("again", item.note.again);
    o.text_or_null("error", error);
    o.close();
    return out;
}

result<std::string> control_api::imports_json(inbox::item_place place, std::size_t most) const {
    const auto items = parts_.store.list(place, most);
    if (!items) return items.error();
    std::string list = "{\"imports\":[";
    bool first = true;
    for (auto item = items->rbegin(); item != items->rend(); ++item) {
        if (!std::exchange(first, false)) list += ',';
        list += import_json(*item);
    }
    return list + "]}\n";
}

control_api::none control_api::list_imports(exchange& x, const values&) {
    const auto word = x.head().parameter("place").value_or("processing");
    const auto most = limit_of(x.head());
    std::optional<inbox::item_place> place;
    for (const auto p : {inbox::item_place::processing, inbox::item_place::done, inbox::item_place::failed})
        if (word == place_word(p)) place = p;
    answer a;
    if (!place) {
        a = bad_parameter("place", "must be processing, done or failed");
    } else if (!most) {
        a = bad_parameter("limit", most.error().text);
    } else {
        auto read = [&] { return imports_json(*place, *most); };
        auto list = co_await readers_.run(read);
        a = list ? json_answer(std::move(*list)) : problem_of(list.error());
    }
    co_await x.reply(std::move(a));
}

control_api::none control_api::show_import(exchange& x, const values& v) {
    const std::string id = v.at(0);
    auto read = [&]() -> result<std::optional<std::string>> {
        const auto item = parts_.store.find(id);
        if (!item) return item.error();
        if (!*item) return std::optional<std::string>();
        return std::optional(import_json(**item) + '\n');
    };
    auto found = co_await readers_.run(read);
    answer a = !found ? problem_of(found.error())
               : *found
                   ? json_answer(std::move(**found))
                   : problem(404, "unknown-import", "There is no such import",
                             "GET /v1/imports lists those in processing; ?place=done and ?place=failed the others.");
    co_await x.reply(std::move(a));
}

// A failed import is read again, after what was wrong has been mended (the service's settings, or those in its folder).
control_api::none control_api::retry_import(exchange& x, const values& v) {
    const std::string id = v.at(0);
    std::optional<inbox::held_item> held;
    auto take_back = [&]() -> std::optional<answer> {
        auto found = parts_.store.hold(id);
        if (!found) return problem_of(found.error());
        if (!*found)
            return problem(
                404, "unknown-import", "There is no such import",
                "There is none of that name, or it is being worked on; GET /v1/imports?place=failed lists those "
                "that can be tried again.");
        if ((*found)->item().place != inbox::item_place::failed)
            return problem(409, "import-not-failed", "The import has not failed",
                           "Only an import in failed/ can be read again.");
        if (auto moved = parts_.store.put_away(**found, inbox::item_place::processing); !moved)
            return problem_of(moved.error());
        held = std::move(**found);
        return std::nullopt;
    };
    auto refused = co_await readers_.run(take_back);
    if (refused)
        co_await x.reply(std::move(*refused));
    else
        co_await accepted(x, std::move(*held));
}

// -------------------------------------------------------------------------------------------------------------- jobs

result<std::string> control_api::job_json(core::job_id id) const {
    constexpr std::size_t most_reasons = 10;
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return book.error();
    const auto job = (*book)->job(id);
    if (!job) return job.error();
    const auto reasons = (*book)->reasons(id, most_reasons);
    if (!reasons) return reasons.error();
    std::string out;
    core::json_object o(out);
    add_job(o, parts_.scheduler.report_of(id), *job, s.ledger.path);
    add_reasons(o, *reasons);
    add_windows(o, **book, s, parts_.clock.now());
    o.raw("imports", text_list(parts_.intake.imports_of(id)));
    const auto progress = parts_.board.progress_of(id);
    if (progress)
        o.raw("progress", progress_json(*progress));
    else
        o.null("progress");
    o.close();
    return out + '\n';
}

result<std::string> control_api::jobs_json(const std::string& state, std::size_t most, core::job_id before) const {
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    auto book = ledger::open_ledger(s.ledger.path);
    if (!book) return book.error();
    auto jobs = state == "unfinished" ? (*book)->unfinished_jobs() : (*book)->jobs();
    if (!jobs) return jobs.error();
    job::stop_control nobody;
    silence unwatched;
    const job::environment env{s, configuration->key, parts_.clock, nobody, unwatched, 0};
    std::string list = "{\"jobs\":[";
    std::size_t told = 0;
    std::optional<core::job_id> next;
    for (auto job = jobs->rbegin(); job != jobs->rend(); ++job) {
        if (before != 0 && job->id >= before) continue;
        if (!state.empty() && state != "unfinished" && core::to_string(job->state) != state) continue;
        if (told == most) {
            next = std::next(job.base()) == jobs->end() ? job->id + 1 : std::next(job.base())->id;
            break;
        }
        if (told++ != 0) list += ',';
        core::json_object one(list);
        add_job(one, job::report_listed(env, **book, *job), *job, s.ledger.path);
        one.close();
    }
    list += "],\"next_before\":";
    list += next ? std::to_string(*next) : "null";
    return list + "}\n";
}

control_api::none control_api::list_jobs(exchange& x, const values&) {
    const auto state = x.head().parameter("state").value_or("");
    const auto most = limit_of(x.head());
    const auto before = parse_number<core::job_id>(x.head().parameter("before").value_or("0"));
    answer a;
    if (!state.empty() && state != "unfinished" && (!core::parse_job_state(state) || state == "planning")) {
        a = bad_parameter("state", "must be completed, parked, failed or unfinished");
    } else if (!most) {
        a = bad_parameter("limit", most.error().text);
    } else if (!before || *before < 0) {
        a = bad_parameter("before", "must be a job's number");
    } else {
        auto read = [&] { return jobs_json(state, *most, *before); };
        auto list = co_await readers_.run(read);
        a = list ? json_answer(std::move(*list)) : problem_of(list.error());
    }
    co_await x.reply(std::move(a));
}

control_api::none control_api::show_job(exchange& x, const values& v) {
    const auto id = parse_job(v.at(0));
    answer a;
    if (!id) {
        a = no_such_job(v.at(0));
    } else {
        auto read = [&] { return job_json(*id); };
        auto found = co_await readers_.run(read);
        a = found ? json_answer(std::move(*found)) : problem_of(found.error());
    }
    co_await x.reply(std::move(a));
}

control_api::none control_api::command(exchange& x, const values& v, job_command what) {
    const auto id = parse_job(v.at(0));
    answer a;
    if (!id) {
        a = no_such_job(v.at(0));
    } else {
        // Runs take as long as Apollo's windows let them, and must not stand in the way of a pause.
        const bool is_run =
            what == job_command::retry || what == job_command::retry_unknown || what == job_command::verify;
        if (is_run && runs_asked_for_ >= most_runs_asked_for) {
            a = problem(503, "not-now", "This cannot be done now",
                        "Too many runs that were asked for are under way; try again when one has ended.");
            a.headers.emplace_back("Retry-After", "60");
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

// ----------------------------------------------------------------------------------------------------------- streams

// The ledger is read at its own speed into a file, and given out at the reader's: a reader that takes a day must not
// keep a transaction of the ledger open for a day.
result<void> control_api::give_out(block_pipe& pipe, const producer& produce, const std::string& folder) {
    auto kept = spool::make(folder);
    if (!kept) return kept.error();
    result<void> written;
    auto keep = [&](const std::string& block) {
        written = kept->write(block);
        return written && pipe.wanted();
    };
    auto produced = produce(keep);
    if (!written) return written;
    if (!produced) return produced;
    pipe.push({});  // the answer begins, also when there is nothing to tell
    return kept->read(block_size, [&](std::string block) { return pipe.push(std::move(block)); });
}

control_api::none control_api::stream(exchange& x, std::string content_type, std::string file_name, producer produce) {
    if (streams_ >= most_streams) {
        answer full = problem(503, "too-many-streams", "Too many results are being read", "Try again in a minute.");
        full.headers.emplace_back("Retry-After", "60");
        co_await x.reply(std::move(full));
        co_return;
    }
    ++streams_;
    auto pipe = std::make_shared<block_pipe>(parts_.executor);
    async::task_group group(parts_.executor);
    auto work = [pipe, produce = std::move(produce), folder = parts_.store.root()] {
        try {
            pipe->finish(give_out(*pipe, produce, folder));
        } catch (const std::exception& bug) {
            pipe->finish(core::failure{errc::internal, bug.what()});
        }
    };
    auto child = producers_.run(work);
    group.spawn(std::move(child));
    bool begun = false, wanted = true;
    std::exception_ptr cut;
    try {
        while (wanted) {
            auto block = co_await pipe->pop();
            if (!block) break;
            if (!std::exchange(begun, true)) {
                http::header_list headers{
                    {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file_name)}};
                co_await x.begin(200, content_type, std::move(headers));
            }
            wanted = co_await x.write(*block);
        }
    } catch (...) {
        cut = std::current_exception();
    }
    pipe->close();
    // Cut or not, the producer works with what is here until it has ended.
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await group.wait();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    --streams_;
    if (cut) std::rethrow_exception(cut);
    if (!begun) {
        const auto why = pipe->outcome() ? core::failure{errc::internal, "nothing was read"} : pipe->outcome().error();
        answer a = problem_of(why);
        co_await x.reply(std::move(a));
    } else if (wanted && pipe->outcome()) {
        co_await x.end();
    } else if (!pipe->outcome()) {
        parts_.board.lines().warn("stream_cut", {{"path", x.head().path}}, pipe->outcome().error().text);
    }
}

control_api::none control_api::results(exchange& x, const values& v) {
    const auto id = parse_job(v.at(0));
    const auto format = x.head().parameter("format").value_or("csv");
    std::array<bool, 6> wanted{};
    std::optional<answer> bad;
    if (!id) bad = no_such_job(v.at(0));
    if (format != "csv" && format != "jsonl") bad = bad_parameter("format", "must be csv or jsonl");
    const auto only = x.head().parameter("only").value_or("");
    wanted.fill(only.empty());
    for (std::size_t from = 0; !only.empty() && from <= only.size();) {
        const auto comma = std::min(only.find(',', from), only.size());
        const auto state = core::parse_row_state(only.substr(from, comma - from));
        if (!state)
            bad = bad_parameter("only", "must name states: created, duplicate, rejected, failed, unknown, pending");
        if (state) wanted.at(static_cast<std::size_t>(*state)) = true;
        from = comma + 1;
    }
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    const auto configuration = parts_.configuration.get();
    const auto form = format == "csv" ? report::results_format::csv : report::results_format::jsonl;
    producer produce = [id, form, wanted, path = configuration->settings.ledger.path](
                           const std::function<bool(std::string)>& push) -> result<void> {
        auto book = ledger::open_ledger(path);
        if (!book) return book.error();
        const auto job = (*book)->job(*id);
        if (!job) return job.error();
        report::results_writer writer(form, job->files, *id);
        std::string block;
        writer.header(block);
        bool read_on = true;
        auto read = (*book)->each_result(*id, [&](const ledger::row_result& row) {
            if (wanted[static_cast<std::size_t>(row.state)]) writer.line(block, row);
            if (block.size() >= block_size) read_on = push(std::exchange(block, {}));
            return read_on;
        });
        if (!read) return read.error();
        if (read_on) push(std::move(block));
        return {};
    };
    co_await stream(x, form == report::results_format::csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                    fmt::format("results-{}.{}", *id, format), std::move(produce));
}

// Files with other columns, or of another format, are a sheet each: under one header they could not be imported again.
control_api::none control_api::rejects(exchange& x, const values& v) {
    const auto id = parse_job(v.at(0));
    const auto sheet = parse_number<std::size_t>(x.head().parameter("sheet").value_or("1"));
    const auto configuration = parts_.configuration.get();
    const auto path = configuration->settings.ledger.path;
    std::string extension;
    auto look = [&]() -> std::optional<answer> {
        if (!id) return no_such_job(v.at(0));
        auto book = ledger::open_ledger(path);
        if (!book) return problem_of(book.error());
        const auto job = (*book)->job(*id);
        if (!job) return problem_of(job.error());
        const report::rejects_writer writer(job->file_notes);
        const auto sheets = std::max<std::size_t>(writer.sheets(), 1);
        if (!sheet || *sheet == 0 || *sheet > sheets)
            return bad_parameter("sheet", fmt::format("must be a number from 1 to {}: the input's files have so many "
                                                      "different sets of columns",
                                                      sheets));
        if (writer.sheets() != 0) extension = writer.extension(*sheet - 1);
        return std::nullopt;
    };
    auto refused = co_await readers_.run(look);
    if (refused) {
        co_await x.reply(std::move(*refused));
        co_return;
    }
    producer produce = [id, path, wanted = *sheet - 1](const std::function<bool(std::string)>& push) -> result<void> {
        auto book = ledger::open_ledger(path);
        if (!book) return book.error();
        const auto job = (*book)->job(*id);
        if (!job) return job.error();
        report::rejects_writer writer(job->file_notes);
        std::string block;
        bool read_on = true;
        auto read = (*book)->each_reject(*id, [&](const core::rejected_row& row) {
            if (writer.sheet_of(row) == wanted) writer.record(block, row);
            if (block.size() >= block_size) read_on = push(std::exchange(block, {}));
            return read_on;
        });
        if (!read) return read.error();
        if (read_on) push(std::move(block));
        return {};
    };
    co_await stream(x, "application/octet-stream", fmt::format("rejects-{}{}", *id, extension), std::move(produce));
}

control_api::none control_api::event_stream(exchange& x, const values&) {
    constexpr auto heartbeat = 15s;
    std::optional<core::job_id> only;
    std::optional<answer> bad;
    if (const auto job = x.head().parameter("job")) {
        only = parse_job(*job);
        if (!only) bad = bad_parameter("job", "must be a job's number");
    }
    if (parts_.events.listeners() >= most_event_streams) {
        bad = problem(503, "too-many-streams", "Too many event streams are open", "Close one, or try again later.");
        bad->headers.emplace_back("Retry-After", "60");
    }
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    const auto last = x.head().header("last-event-id");
    event_hub::listener ear(parts_.events, parse_number<std::uint64_t>(last));
    http::header_list headers;
    co_await x.begin(200, "text/event-stream", std::move(headers));
    bool wanted = co_await x.write("retry: 2000\n\n");
    using steady = std::chrono::steady_clock;
    auto beat = steady::now() + heartbeat;
    while (wanted && !x.stopping()) {
        const auto left = std::max(steady::duration::zero(), beat - steady::now());
        const auto next = co_await ear.next(std::chrono::ceil<std::chrono::milliseconds>(left));
        std::string text = ": still here\n\n";
        if (const auto lost = ear.take_lost()) {
            text = fmt::format("event: lost\ndata: {{\"events\":{}}}\n\n", lost);
            wanted = co_await x.write(text);
            text.clear();
        }
        if (next) {
            // Others' events do not tell whether the client is still there.
            const bool others = only && next->job != *only;
            if (others && steady::now() < beat) continue;
            if (!others) text = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", next->id, next->type, next->data);
        }
        if (wanted && !text.empty()) wanted = co_await x.write(text);
        beat = steady::now() + heartbeat;
    }
    co_await x.end();
}

}  // namespace taskbarge::service
