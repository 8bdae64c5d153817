#include <optional>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::service {

using core::result;
using http::problem;
using http::request;
using http::response;

namespace {

std::string_view refresh_word(contact_refresher::state::kind what) {
    using kind = contact_refresher::state::kind;
    return what == kind::running ? "running" : what == kind::waiting ? "waiting" : "idle";
}

std::string refresh_json(const contact_refresher::state& s) {
    std::string out;
    core::json_object o(out);
    o.text("state", refresh_word(s.what));
    o.truth("all", s.all);
    o.time_or_null("ended_at", s.ended_at);
    o.text_or_null("error", s.error);
    o.time_or_null("next_at", s.next_at);
    o.close();
    return out;
}

}  // namespace

result<std::string> contact_routes::contacts_json() const {
    const auto configuration = parts_.configuration.get();
    auto book = ledger::open_ledger(configuration->settings.ledger.path);
    if (!book) return book.error();
    const auto known = parts_.contacts.known(**book);
    if (!known) return known.error();
    std::string out;
    core::json_object o(out);
    o.raw("contacts", report::contacts_json(*known));
    o.raw("refresh", refresh_json(parts_.contacts.now()));
    o.raw("windows", windows_json(known_windows(contact_windows, **book, configuration->settings, parts_.clock.now()),
                                  configuration->settings.limits));
    o.close();
    return out + '\n';
}

awaitable<void> contact_routes::show(request& x, const path_values&) {
    auto read = [this] { return contacts_json(); };
    auto found = co_await parts_.readers.run(read);
    response a = found ? json_answer(std::move(*found)) : problem_of(found.error());
    co_await x.reply(std::move(a));
}

awaitable<void> contact_routes::refresh(request& x, const path_values&) {
    const auto all = parse_truth(x.head().parameter("all"));
    response a;
    if (!all) {
        a = bad_parameter("all", "must be true or false");
    } else if (!parts_.contacts.ask(*all)) {
        a = problem(409, "refresh-under-way", "Contacts are being refreshed",
                    "GET /v1/contacts says whether it runs, or until when it waits for a rate window.");
    } else {
        auto read = [this] { return contacts_json(); };
        auto found = co_await parts_.readers.run(read);
        a = found ? json_answer(std::move(*found), 202) : problem_of(found.error());
    }
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
