#include "cli/teller.hpp"

#include <fmt/format.h>

#include "cli/api_key.hpp"
#include "cli/output_summary.hpp"
#include "taskbarge/report/brief.hpp"

namespace taskbarge::cli {

namespace {

// cron's resume meets a job that waits for its window many times a day: only what moved it, or that it moves no more,
// is worth a message.
bool is_worth_a_message(const options& o, const job::report& r, bool stale) {
    if (r.already_finished) return false;
    return r.state != job::report_state::parked || o.command == command::import || r.requests_this_run != 0 || stale;
}

}  // namespace

void teller::send(std::string_view event, const std::string& id, const std::string& body) const {
    std::vector<std::string> warnings;
    core::secret key;
    if (!notification::parse_ping(event)) {
        auto found = load_notify_secret(settings_, warnings);
        // Unsigned it would not be believed, or should not be.
        if (!found) return complain("warning: not notified: " + found.error().text);
        key = std::move(*found);
    }
    for (const auto& warning : warnings)
        complain("warning: " + warning);
    const auto told = notification::make_poster(settings_.notify)(
        notification::address(settings_.notify, key, id, std::string(event), body, program_.clock.now()));
    if (told.delivered) return;
    const bool is_ping = notification::parse_ping(event).has_value();
    complain(fmt::format("warning: {} was not told: {}", is_ping ? "notify.ping_url" : "notify.url", told.what));
}

void teller::begun() const {
    if (settings_.notify.ping_url.empty()) return;
    const auto now = core::to_rfc3339(program_.clock.now());
    send(notification::to_string(notification::ping::start), "ping-start-" + now, "begun\n");
}

void teller::tell_webhook(const job::report& r, core::instant now) const {
    const auto event = notification::event_of(r);
    const auto stale = report::stale_for(r, settings_.notify.stale_after, now);
    if (!notification::is_wanted(settings_.notify, event) || !is_worth_a_message(options_, r, stale.has_value()))
        return;
    const auto id = notification::id_of(r, event, now);
    const auto text = report::brief_text(r, stale, repeated_options(options_));
    send(event, id, notification::body_of(settings_.notify, {event, id, r, text, settings_.ledger.path, {}, now}));
}

void teller::ended(const std::vector<job::report>& reports) const {
    const auto now = program_.clock.now();
    std::optional<notification::ping> all;
    std::string text;
    bool first = true;
    for (const auto& r : reports) {
        tell_webhook(r, now);
        const auto stale = report::stale_for(r, settings_.notify.stale_after, now);
        const auto one = notification::ping_of(r, stale.has_value());
        text += report::brief_text(r, stale, repeated_options(options_));
        // Success is that of all; one failure is enough.
        if (one == notification::ping::fail || all == notification::ping::fail)
            all = notification::ping::fail;
        else if (first || !one)
            all = one;
        first = false;
    }
    if (!all || settings_.notify.ping_url.empty()) return;
    send(notification::to_string(*all), "ping-end-" + core::to_rfc3339(now), text);
}

}  // namespace taskbarge::cli
