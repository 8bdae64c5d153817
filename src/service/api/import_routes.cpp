#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"
#include "service/inbox/files.hpp"
#include "service/inbox/item_files.hpp"
#include "service/inbox/item_names.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service {

using core::errc;
using core::result;
using http::problem;
using http::request;
using http::response;

namespace {

constexpr std::size_t upload_piece = 1u << 20;
constexpr std::size_t most_json = 64UL * 1024;

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
    const auto hold = parse_truth(head.parameter("hold"));
    if (!hold) return core::failure{errc::usage, "hold must be true or false"};
    note.held = *hold;
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
        } else if (key == "hold") {
            if (value.get(note.held) != simdjson::SUCCESS) return wrong("hold must be true or false");
        } else {
            return wrong(
                fmt::format("{} is unknown; there are path, name, first, again and hold", core::printable(key, 60)));
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

}  // namespace

awaitable<void> import_routes::submit(request& x, const path_values&) {
    if (parts_.intake.full()) {
        response full = in_a_minute(
            problem(503, "too-many-inputs", "Too many inputs are waiting", "Submit it again in a few minutes."));
        co_await x.reply(std::move(full));
        co_return;
    }
    // Words of any case, with blanks before the parameters (RFC 9110, 8.3.1).
    auto type = x.head().header("content-type");
    type = type.substr(0, type.find(';'));
    type = type.substr(0, type.find_last_not_of(" \t") + 1);
    if (boost::beast::iequals(type, "application/json"))
        co_await submit_path(x);
    else
        co_await submit_upload(x);
}

awaitable<void> import_routes::submit_upload(request& x) {
    auto note = note_of(x.head(), parts_.clock.now());
    if (!note) {
        response a = problem_of(note.error());
        co_await x.reply(std::move(a));
        co_return;
    }
    // Begun when there is a piece to be written: a client that says too little must cost no folder and no sync.
    auto begin = [&] { return parts_.store.begin_upload(*note); };
    std::unique_ptr<inbox::upload> upload;
    std::optional<response> trouble;
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
        if (!upload) {
            auto begun = co_await parts_.readers.run(begin);
            if (!begun) {
                trouble = problem_of(begun.error());
                break;
            }
            upload = std::move(*begun);
        }
        auto write = [&] { return upload->write(piece); };
        const auto written = co_await parts_.readers.run(write);
        piece.clear();
        if (!written) trouble = problem_of(written.error());
    }
    if (!trouble) {
        auto finish = [&] { return upload->finish(); };
        auto held = co_await parts_.readers.run(finish);
        if (held) {
            co_await accepted(x, std::move(*held));
            co_return;
        }
        trouble = problem_of(held.error());
    }
    co_await x.reply(std::move(*trouble));
}

awaitable<void> import_routes::submit_path(request& x) {
    auto body = co_await x.read_all(most_json);
    if (!body) {
        response a = x.body_problem();
        co_await x.reply(std::move(a));
        co_return;
    }
    auto asked = read_path_request(*body, parts_.clock.now());
    if (!asked) {
        response a = problem_of(asked.error());
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
    response a = held.error().code == errc::usage
                     ? problem(403, "path-not-allowed", "The path is not allowed", held.error().text)
                     : problem_of(held.error());
    co_await x.reply(std::move(a));
}

awaitable<void> import_routes::accepted(request& x, inbox::held_item held) {
    const auto item = held.item();
    // Where there is no room any more the item is in its folder all the same, and is taken up later.
    (void)parts_.intake.submit(std::move(held));
    response a = json_answer(import_json(item) + '\n', 202);
    a.headers.emplace_back("Location", "/v1/imports/" + item.id);
    co_await x.reply(std::move(a));
}

std::string import_routes::import_json(const inbox::item& item) const {
    std::string state(place_word(item.place)), error;
    if (item.place == inbox::item_place::processing) {
        const auto known = parts_.intake.state_of(item.id);
        state = known ? known->first : item.job ? "accepted" : "queued";
        if (known) error = known->second;
    } else if (item.place == inbox::item_place::failed) {
        error = inbox::why_failed(item);
    }
    std::string out;
    core::json_object o(out);
    o.text("import", item.id);
    o.text("name", item.note.name);
    o.text("origin", item.note.origin);
    o.text("state", state);
    o.job_or_null("job", item.job);
    o.text("taken_at", core::to_rfc3339(item.note.taken_at));
    o.number("first", item.note.first_rows);
    o.truth("again", item.note.again);
    o.truth("held", item.waits_for_a_person());
    const auto input = inbox::look_at(item.input());
    if (input && S_ISREG(input->st_mode))
        o.number("bytes", static_cast<std::uint64_t>(input->st_size));
    else
        o.null("bytes");
    o.text_or_null("error", error);
    o.close();
    return out;
}

result<std::string> import_routes::imports_json(inbox::item_place place, std::size_t most) const {
    auto items = parts_.store.list(place, most);
    if (!items) return items.error();
    std::reverse(items->begin(), items->end());
    std::string out;
    core::json_object o(out);
    o.raw("imports",
          core::json_list(*items, [&](std::string& list, const inbox::item& item) { list += import_json(item); }));
    o.close();
    return out + '\n';
}

awaitable<void> import_routes::list(request& x, const path_values&) {
    const auto word = x.head().parameter("place").value_or("processing");
    const auto most = limit_of(x.head());
    std::optional<inbox::item_place> place;
    for (const auto p : {inbox::item_place::processing, inbox::item_place::done, inbox::item_place::failed})
        if (word == place_word(p)) place = p;
    response a;
    if (!place) {
        a = bad_parameter("place", "must be processing, done or failed");
    } else if (!most) {
        a = bad_parameter("limit", most.error().text);
    } else {
        auto read = [&] { return imports_json(*place, *most); };
        auto list = co_await parts_.readers.run(read);
        a = list ? json_answer(std::move(*list)) : problem_of(list.error());
    }
    co_await x.reply(std::move(a));
}

awaitable<void> import_routes::show(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    auto read = [&]() -> result<std::optional<std::string>> {
        const auto item = parts_.store.find(id);
        if (!item) return item.error();
        if (!*item) return std::optional<std::string>();
        return std::optional(import_json(**item) + '\n');
    };
    auto found = co_await parts_.readers.run(read);
    response a = !found ? problem_of(found.error()) : *found ? json_answer(std::move(**found)) : no_such_import();
    co_await x.reply(std::move(a));
}

// A failed import is read again, after what was wrong has been mended (the service's settings, or those in its folder).
awaitable<void> import_routes::retry(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    std::optional<inbox::held_item> held;
    auto take_back = [&]() -> std::optional<response> {
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
    auto refused = co_await parts_.readers.run(take_back);
    if (refused)
        co_await x.reply(std::move(*refused));
    else
        co_await accepted(x, std::move(*held));
}

namespace {

constexpr std::size_t most_plan = 64UL << 20;

response not_planned() {
    return problem(
        409, "not-planned", "The import does not wait for a word",
        "Only an import that was submitted with hold, that is planned and that was not started can be looked "
        "at, changed, started and discarded so; GET /v1/imports/{import} has its state.");
}

}  // namespace

awaitable<void> import_routes::plan(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    auto read = [&]() -> response {
        const auto item = parts_.store.find(id);
        if (!item) return problem_of(item.error());
        if (!*item) return no_such_import();
        const auto state = parts_.intake.state_of(id);
        if (!state || state->first != "planned") return not_planned();
        auto text = inbox::read_small((*item)->folder + "/" + inbox::plan_file, most_plan);
        return text ? json_answer(std::move(*text)) : problem_of(text.error());
    };
    auto a = co_await parts_.readers.run(read);
    co_await x.reply(std::move(a));
}

// The answer to what was done with an import that waits for a person's word.
response import_routes::done_with(const std::string& id, const intake::planned_item& done, int status) const {
    if (done) {
        if (!*done) return problem_of(done->error());
        response a = json_answer(import_json(**done) + '\n', status);
        if (status == 202) a.headers.emplace_back("Location", "/v1/imports/" + id);
        return a;
    }
    const auto item = parts_.store.find(id);
    if (!item) return problem_of(item.error());
    return *item ? not_planned() : no_such_import();
}

awaitable<void> import_routes::start(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    const auto plan = x.head().parameter("plan").value_or("");
    auto act = [&]() -> response {
        const auto done = parts_.intake.start(id, plan);
        if (done && !*done && done->error().code == errc::usage)
            return problem(409, "plan-changed", "The plan is another one by now",
                           "Look at GET /v1/imports/{import}/plan again, and start that one.");
        return done_with(id, done, 202);
    };
    auto a = co_await parts_.readers.run(act);
    co_await x.reply(std::move(a));
}

awaitable<void> import_routes::set_settings(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    auto body = co_await x.read_all(most_json);
    if (!body) {
        response a = x.body_problem();
        co_await x.reply(std::move(a));
        co_return;
    }
    auto act = [&] { return done_with(id, parts_.intake.set_settings(id, *body), 202); };
    auto a = co_await parts_.readers.run(act);
    co_await x.reply(std::move(a));
}

awaitable<void> import_routes::discard(request& x, const path_values& v) {
    const std::string& id = v.at(0);
    auto act = [&] { return done_with(id, parts_.intake.discard(id), 200); };
    auto a = co_await parts_.readers.run(act);
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
