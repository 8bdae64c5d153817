#include "service/api/answers.hpp"
#include "service/api/routes.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::service {

using http::request;
using http::response;

std::string why_not_ready(const shared_parts& p) {
    if (const auto blocked = p.scheduler.blocked()) return blocked->text;
    const auto book = ledger::open_ledger(p.configuration.get()->settings.ledger.path);
    if (!book) return book.error().text;
    if (p.intake.full()) return "too many inputs are waiting";
    return {};
}

awaitable<void> health_routes::health(request& x, const path_values&) {
    response a = json_answer("{\"status\":\"alive\"}\n");
    co_await x.reply(std::move(a));
}

awaitable<void> health_routes::readiness(request& x, const path_values&) {
    auto look = [this] { return why_not_ready(parts_); };
    const auto why = co_await parts_.readers.run(look);
    std::string body;
    core::json_object o(body);
    o.truth("ready", why.empty());
    o.text_or_null("reason", why);
    o.close();
    response a = json_answer(body + '\n', why.empty() ? 200 : 503);
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
