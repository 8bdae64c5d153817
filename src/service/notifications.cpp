#include "service/notifications.hpp"

#include <fmt/format.h>

#include <utility>

#include "taskbarge/notification/notification.hpp"
#include "taskbarge/report/brief.hpp"

namespace taskbarge::service {

using core::result;

result<void> notifications::open(const std::string& root) {
    const std::lock_guard lock(mutex_);
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    notifier_.reset();  // two must not work on one outbox
    if (s.notify.url.empty() && s.notify.ping_url.empty()) return {};
    notify::notifier::options o;
    o.settings = s.notify;
    o.key = configuration->notify_secret;
    o.folder = root + "/.outbox";
    o.post = notification::make_poster(s.notify);
    o.clock = &parts_.clock;
    o.note = [this](std::string_view outcome, const std::string& id, const std::string& text) {
        parts_.counts.notification(outcome);
        parts_.lines.write(outcome == "given_up" ? log_level::error : log_level::info, "notification",
                           {{"id", id}, {"outcome", outcome}}, text);
    };
    auto made = notify::notifier::start(std::move(o));
    if (!made) return made.error();
    notifier_ = std::move(*made);
    return {};
}

void notifications::close() {
    const std::lock_guard lock(mutex_);
    notifier_.reset();
}

void notifications::job_ended(std::string_view event, const job::report& r) {
    const auto now = parts_.clock.now();
    tell(event, notification::id_of(r, event, now), r, "", now);
}

void notifications::import_failed(const inbox::item& item, const core::failure& why) {
    job::report r;
    r.state = job::report_state::failed;
    r.why = why;
    tell("failed", "import-" + item.id, r, item.id, parts_.clock.now());
}

std::size_t notifications::waiting() {
    const std::lock_guard lock(mutex_);
    return notifier_ ? notifier_->waiting() : 0;
}

void notifications::job_begun(core::job_id job) {
    const auto now = parts_.clock.now();
    hand_over(fmt::format("ping-{}-start-{}", job, core::to_rfc3339(now)),
              notification::to_string(notification::ping::start), fmt::format("job {} is begun\n", job));
}

void notifications::tell(std::string_view event, const std::string& id, const job::report& r, const std::string& import,
                         core::instant now) {
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings;
    const auto stale = report::stale_for(r, s.notify.stale_after, now);
    const auto text = report::brief_text(r, stale, "");
    if (const auto ping = notification::ping_of(r, stale.has_value()))
        hand_over("ping-" + id, notification::to_string(*ping), text);
    if (notification::is_wanted(s.notify, event))
        hand_over(id, event, notification::body_of(s.notify, {event, id, r, text, s.ledger.path, import, now}));
}

void notifications::hand_over(const std::string& id, std::string_view event, const std::string& body) {
    const std::lock_guard lock(mutex_);
    if (!notifier_) return;
    if (auto told = notifier_->tell(id, event, body); !told)
        parts_.lines.error("notification_not_kept", {{"id", id}}, told.error().text);
}

}  // namespace taskbarge::service
