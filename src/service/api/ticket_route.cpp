#include <simdjson.h>

#include <string>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"

namespace taskbarge::service {

using http::request;
using http::response;

// Whoever may ask for the path itself may have a ticket for it.
awaitable<void> ticket_route::issue(request& x, const path_values&) {
    constexpr std::size_t most_body = 4096;
    auto body = co_await x.read_all(most_body);
    response a;
    if (!body) {
        a = x.body_problem();
        co_await x.reply(std::move(a));
        co_return;
    }
    simdjson::dom::parser parser;
    simdjson::dom::element asked;
    std::string_view path;
    const bool readable =
        parser.parse(*body).get(asked) == simdjson::SUCCESS && asked["path"].get(path) == simdjson::SUCCESS;
    if (!readable || !path.starts_with("/v1/")) {
        a = problem_of({core::errc::usage,
                        "the body must be a JSON object with the path of a GET, as in {\"path\": \"/v1/events\"}"});
        co_await x.reply(std::move(a));
        co_return;
    }
    const auto issued = parts_.tickets.issue(std::string(path));
    std::string out;
    core::json_object o(out);
    o.text("ticket", issued.ticket);
    o.text("path", path);
    o.time_or_null("expires_at", issued.expires_at);
    o.close();
    a = json_answer(out + '\n', 201);
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
