#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"
#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/text.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/survey.hpp"
#include "taskbarge/report/report_json.hpp"
#include "taskbarge/report/results_writer.hpp"

namespace taskbarge::service {

using core::key_kind;
using core::result;
using http::request;
using http::response;

namespace {

constexpr std::size_t longest_query = 500;
constexpr std::size_t most_points = 1000;
// A search over all jobs reads the contacts of each: some tens of millions of rows in that time.
constexpr auto longest_search = std::chrono::seconds(5);

// What somebody typed who looks for a contact or a task.
struct typed_name {
    std::optional<key_kind> kind;  // of a key
    bool is_id = false;            // of a contact or a task
    std::string text;              // canonical
};

bool all_of(std::string_view text, bool (*fits)(char)) {
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

std::optional<key_kind> kind_of(std::string_view text) {
    const auto letter_or_digit = [](char c) {
        return core::is_digit(c) || (core::lower(c) >= 'a' && core::lower(c) <= 'z');
    };
    if (text.find('@') != std::string_view::npos) return key_kind::email;
    if (core::lower_case(text).find("linkedin.com/") != std::string::npos || text.starts_with("in/"))
        return key_kind::linkedin_url;
    if (all_of(text, core::is_digit)) return key_kind::hubspot_id;
    if ((text.size() == 15 || text.size() == 18) && all_of(text, letter_or_digit)) return key_kind::salesforce_id;
    return std::nullopt;
}

typed_name name_of(std::string_view text) {
    text = core::trimmed(text);
    if (core::spelling_of(text) != core::id_spelling::other) return {{}, true, core::canonical_id(text)};
    // As rows show it: "email:ada@example.com".
    std::optional<key_kind> kind;
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        kind = core::key_kind_named(text.substr(0, colon));
        if (kind) text.remove_prefix(colon + 1);
    }
    if (!kind) kind = kind_of(text);
    if (kind) {
        auto key = core::comparable_key(*kind, text);
        if (key) return {kind, false, std::move(*key)};
    }
    return {{}, false, std::string(text)};
}

result<ledger::contact_names> contact_names_of(const typed_name& name, ledger::ledger& book, const core::settings& s) {
    ledger::contact_names out;
    if (!name.kind) {
        out.ids = {name.text};
        return out;
    }
    out.key = fmt::format("{}:{}", core::to_string(*name.kind), name.text);
    // A HubSpot id is a plain number, of which any record may hold one.
    if (*name.kind != key_kind::hubspot_id) out.text = core::lower_case(name.text);
    const auto contacts = book.contacts().find({s.apollo.base_url, s.apollo.team}, *name.kind, name.text);
    if (!contacts) return contacts.error();
    for (const auto& one : *contacts)
        out.ids.push_back(one.id);
    return out;
}

std::string texts_of(const std::vector<std::string>& texts) {
    return core::json_list(texts, core::append_json_string);
}

void add_row(core::json_object& o, const ledger::row_result& row, const std::vector<std::string>& files) {
    report::add_result(o, row, row.file < files.size() ? files[row.file] : std::string_view());
    o.text_or_null("contact_key", row.contact_key);
    if (row.duplicate_of)
        o.raw("duplicate_of",
              fmt::format("{{\"job\":{},\"row\":{}}}", row.duplicate_of->first, row.duplicate_of->second));
    else
        o.null("duplicate_of");
    o.time_or_null("finished_at", row.finished_at);
}

void number_or_null(core::json_object& o, std::string_view key, std::optional<std::uint64_t> value) {
    if (value)
        o.number(key, *value);
    else
        o.null(key);
}

std::string_view word_of(ledger::attempt_result what) {
    using ledger::attempt_result;
    switch (what) {
        case attempt_result::open:
            return "open";
        case attempt_result::succeeded:
            return "succeeded";
        case attempt_result::refused:
            return "refused";
        case attempt_result::throttled:
            return "throttled";
        case attempt_result::not_sent:
            return "not_sent";
        case attempt_result::doubtful:
            break;
    }
    return "doubtful";
}

// One setting of an identity: `name = "value"`, or a value without quotes.
using named_value = std::pair<std::string, std::string>;
std::vector<named_value> settings_of(std::string_view identity) {
    std::vector<named_value> out;
    while (!identity.empty()) {
        const auto end = std::min(identity.find('\n'), identity.size());
        std::string_view line = identity.substr(0, end);
        identity.remove_prefix(std::min(end + 1, identity.size()));
        // A word may hold an equals sign, between quotes.
        bool quoted = false;
        std::size_t at = 0;
        for (; at < line.size() && (quoted || line[at] != '='); ++at) {
            if (quoted && line[at] == '\\')
                ++at;
            else if (line[at] == '"')
                quoted = !quoted;
        }
        if (at >= line.size()) continue;
        auto name = line.substr(0, at), value = line.substr(at + 1);
        if (name.ends_with(' ')) name.remove_suffix(1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        std::string plain;
        const bool in_quotes = value.size() > 1 && value.front() == '"' && value.back() == '"';
        if (in_quotes) value = value.substr(1, value.size() - 2);
        for (std::size_t i = 0; i < value.size(); ++i) {
            const bool escaped = in_quotes && value[i] == '\\' && i + 1 < value.size();
            if (escaped) ++i;
            plain += escaped && value[i] == 'n' ? '\n' : value[i];
        }
        out.emplace_back(name, std::move(plain));
    }
    return out;
}

// As far as they say which column holds what.
reader::source_options options_of(const std::vector<named_value>& settings) {
    reader::source_options out;
    for (const auto& [name, value] : settings) {
        auto& d = out.defaults;
        if (name.starts_with("columns.")) out.columns[name.substr(8)] = value;
        if (name == "defaults.user_id") d.user_id = value;
        if (name == "defaults.owner_email") d.owner_email = value;
        if (name == "defaults.type") d.type = value;
        if (name == "defaults.priority") d.priority = value;
        if (name == "defaults.status") d.status = value;
        if (name == "defaults.due_at") d.due_at = value;
        if (name == "defaults.note") d.note = value;
        if (name == "import.ignore_columns") out.import.ignore_columns.push_back(value);
    }
    return out;
}

std::string file_json(const std::string& name, const ledger::file_note& note, const reader::source_options& options) {
    // Of JSON no names are kept: each record has its own.
    auto read = note.header.empty() ? result<reader::header_columns>(reader::header_columns())
                                    : reader::columns_of_header(note.header, options);
    const auto columns = read ? std::move(*read) : reader::header_columns();
    std::string out;
    core::json_object o(out);
    o.text("name", name);
    o.text("format", note.format);
    o.number("first_row", note.first_row);
    o.raw("columns", texts_of(columns.names));
    o.raw("fields", report::fields_json(columns.fields));
    o.close();
    return out;
}

response bad_job(std::string_view text) {
    return bad_parameter("job", fmt::format("must be a job's number, not {}", text));
}

}  // namespace

// Runs `read` with the ledger, where it may block, and answers with what it gives.
awaitable<void> row_routes::answer(request& x,
                                   std::function<result<std::string>(ledger::ledger&, const core::settings&)> read) {
    auto look = [&]() -> result<std::string> {
        const auto configuration = parts_.configuration.get();
        auto book = ledger::open_ledger(configuration->settings.ledger.path);
        if (!book) return book.error();
        return read(**book, configuration->settings);
    };
    auto found = co_await parts_.readers.run(look);
    response a = found ? json_answer(std::move(*found) + '\n') : problem_of(found.error());
    co_await x.reply(std::move(a));
}

awaitable<void> row_routes::list(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    const auto limit = limit_of(x.head());
    const auto after = parse_number<std::uint32_t>(x.head().parameter("after").value_or("0"));
    const auto states = parse_row_states(x.head().parameter("state").value_or(""));
    const auto contact = x.head().parameter("contact");
    std::optional<response> bad;
    if (!id) bad = no_such_job(v.at(0));
    if (!limit) bad = bad_parameter("limit", limit.error().text);
    if (!after) bad = bad_parameter("after", "must be a row's number");
    if (!states) bad = bad_parameter("state", row_states_rule);
    if (contact && (contact->empty() || contact->size() > longest_query))
        bad =
            bad_parameter("contact", fmt::format("must be a contact's id or key, of at most {} bytes", longest_query));
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    auto read = [&](ledger::ledger& book, const core::settings& s) -> result<std::string> {
        ledger::row_query query;
        query.after = *after;
        query.most = *limit + 1;  // one more tells whether there is another page
        query.states = *states;
        query.code = x.head().parameter("code").value_or("");
        if (contact) {
            auto names = contact_names_of(name_of(*contact), book, s);
            if (!names) return names.error();
            query.contact = std::move(*names);
        }
        const auto job = book.job(*id);
        if (!job) return job.error();
        auto rows = book.rows(*id, query);
        if (!rows) return rows.error();
        const bool more = rows->size() > *limit;
        if (more) rows->pop_back();
        std::string out;
        core::json_object o(out);
        o.raw("rows", core::json_list(*rows, [&](std::string& list, const ledger::row_result& row) {
                  core::json_object one(list);
                  add_row(one, row, job->files);
                  one.close();
              }));
        number_or_null(o, "next_after", more ? std::optional(rows->back().row) : std::nullopt);
        o.close();
        return out;
    };
    co_await answer(x, read);
}

awaitable<void> row_routes::find(request& x, const path_values&) {
    const auto text = x.head().parameter("q").value_or("");
    const auto limit = limit_of(x.head());
    const auto name = name_of(text);
    std::optional<response> bad;
    if (name.text.empty() || text.size() > longest_query)
        bad = bad_parameter("q", fmt::format("must be a contact's id, an e-mail or another key, or a task's id, of at "
                                             "most {} bytes",
                                             longest_query));
    if (!limit) bad = bad_parameter("limit", limit.error().text);
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    auto read = [&](ledger::ledger& book, const core::settings& s) -> result<std::string> {
        const auto end = parts_.clock.steady_now() + longest_search;
        auto names = contact_names_of(name, book, s);
        if (!names) return names.error();
        std::string_view kind = name.kind ? core::to_string(*name.kind) : name.is_id ? "contact_id" : "unknown";
        result<ledger::found_rows> found = ledger::found_rows();
        if (name.is_id) found = book.rows_with_task(name.text);
        if (!found) return found.error();
        if (!found->rows.empty()) {
            kind = "task_id";
            names->ids = {found->rows.front().row.contact_id};
        } else {
            found = book.find_rows(*names, *limit, [&] { return parts_.clock.steady_now() < end; });
            if (!found) return found.error();
            if (kind == "unknown") names->ids.clear();
        }
        std::map<core::job_id, std::vector<std::string>> files;
        for (const auto& one : found->rows) {
            if (files.contains(one.job)) continue;
            auto job = book.job(one.job);
            if (!job) return job.error();
            files[one.job] = std::move(job->files);
        }
        std::string out;
        core::json_object o(out);
        o.text("query", text);
        o.text("kind", kind);
        o.raw("contacts", texts_of(names->ids));
        o.raw("rows", core::json_list(found->rows, [&](std::string& list, const ledger::found_rows::one& row) {
                  core::json_object one(list);
                  one.number("job", static_cast<std::uint64_t>(row.job));
                  add_row(one, row.row, files[row.job]);
                  one.close();
              }));
        o.truth("more", found->more);
        o.close();
        return out;
    };
    co_await answer(x, read);
}

awaitable<void> row_routes::attempts(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    const auto limit = limit_of(x.head());
    const auto before = parse_number<core::attempt_id>(x.head().parameter("before").value_or("0"));
    std::optional<response> bad;
    if (!id) bad = no_such_job(v.at(0));
    if (!limit) bad = bad_parameter("limit", limit.error().text);
    if (!before || *before < 0) bad = bad_parameter("before", "must be an attempt's number");
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    auto read = [&](ledger::ledger& book, const core::settings&) -> result<std::string> {
        if (const auto job = book.job(*id); !job) return job.error();
        auto all = book.attempts(*id, *limit + 1, *before);
        if (!all) return all.error();
        std::reverse(all->begin(), all->end());
        const bool more = all->size() > *limit;
        if (more) all->pop_back();
        std::string out;
        core::json_object o(out);
        o.raw("attempts", core::json_list(*all, [](std::string& list, const ledger::attempt_record& a) {
                  const bool open = a.report.what == ledger::attempt_result::open;
                  core::json_object one(list);
                  one.number("attempt", static_cast<std::uint64_t>(a.id));
                  one.number("chunk", static_cast<std::uint64_t>(a.chunk));
                  one.number("rows", a.rows);
                  one.time_or_null("started_at", a.started_at);
                  one.time_or_null("finished_at", open ? std::nullopt : std::optional(a.report.finished_at));
                  one.text("result", word_of(a.report.what));
                  one.number("status", static_cast<std::uint64_t>(a.report.status));
                  one.text_or_null("request_id", a.report.request_id);
                  one.text_or_null("code", a.report.code);
                  one.text_or_null("message", a.report.message);
                  one.close();
              }));
        number_or_null(o, "next_before",
                       more ? std::optional(static_cast<std::uint64_t>(all->back().id)) : std::nullopt);
        o.close();
        return out;
    };
    co_await answer(x, read);
}

awaitable<void> row_routes::history(request& x, const path_values&) {
    const auto time_of = [&](const char* name, core::instant otherwise) {
        const auto text = x.head().parameter(name);
        return text ? core::parse_rfc3339(*text) : std::optional(otherwise);
    };
    const auto to = time_of("to", parts_.clock.now());
    const auto from = time_of("from", to.value_or(core::instant{}) - std::chrono::hours(24));
    const auto step = parse_number<std::uint32_t>(x.head().parameter("step").value_or("600"));
    const auto job_text = x.head().parameter("job");
    const auto job = job_text ? parse_job(*job_text) : std::nullopt;
    std::optional<response> bad;
    if (!to) bad = bad_parameter("to", "must be a time such as 2026-11-25T20:04:06Z");
    if (!from) bad = bad_parameter("from", "must be a time such as 2026-11-25T20:04:06Z");
    if (!step || *step == 0) bad = bad_parameter("step", "must be a number of seconds from 1 on");
    if (job_text && !job) bad = bad_job(*job_text);
    if (!bad && *from >= *to) bad = bad_parameter("from", "must be before `to`");
    if (!bad && *to - *from > most_points * std::chrono::seconds(*step))
        bad = bad_parameter("step",
                            fmt::format("must be longer: from `from` to `to` there are at most {} steps", most_points));
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    auto read = [&](ledger::ledger& book, const core::settings&) -> result<std::string> {
        if (job)
            if (const auto there = book.job(*job); !there) return there.error();
        const auto points = book.history({*from, *to, std::chrono::seconds(*step), job});
        if (!points) return points.error();
        std::string out;
        core::json_object o(out);
        o.time_or_null("from", *from);
        o.time_or_null("to", *to);
        o.number("step", *step);
        o.raw("points", core::json_list(*points, [](std::string& list, const ledger::history_point& p) {
                  core::json_object one(list);
                  one.time_or_null("at", p.at);
                  one.number("requests", p.requests);
                  one.number("created", p.created);
                  one.number("rate_limited", p.rate_limited);
                  one.number("failed", p.failed);
                  one.close();
              }));
        o.close();
        return out;
    };
    co_await answer(x, read);
}

awaitable<void> row_routes::input(request& x, const path_values& v) {
    const auto id = parse_job(v.at(0));
    if (!id) {
        auto none = no_such_job(v.at(0));
        co_await x.reply(std::move(none));
        co_return;
    }
    auto read = [&](ledger::ledger& book, const core::settings&) -> result<std::string> {
        const auto job = book.job(*id);
        if (!job) return job.error();
        const auto settings = settings_of(job->identity.settings_text);
        const auto options = options_of(settings);
        std::string files = "[";
        for (std::size_t i = 0; i < job->files.size(); ++i) {
            if (i > 0) files += ',';
            files += file_json(job->files[i], i < job->file_notes.size() ? job->file_notes[i] : ledger::file_note(),
                               options);
        }
        std::string out;
        core::json_object o(out);
        o.raw("files", files + ']');
        o.text("sha256", job->identity.input_sha256);
        o.number("bytes", job->identity.input_bytes);
        o.text_or_null("relative_day", job->identity.relative_day);
        o.raw("settings", core::json_list(settings, [](std::string& list, const named_value& one) {
                  core::json_object each(list);
                  each.text("name", one.first);
                  each.text("value", one.second);
                  each.close();
              }));
        o.close();
        return out;
    };
    co_await answer(x, read);
}

}  // namespace taskbarge::service
