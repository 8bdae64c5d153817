#include "service/notify/courier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "taskbarge/core/printable.hpp"

namespace taskbarge::service::notify {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds given_up_after = std::chrono::hours(24);
constexpr milliseconds longest_delay = std::chrono::hours(1);
constexpr std::size_t most_of_an_id = 400;  // room for a file name, of 255 bytes at most, and what is put to it
constexpr std::size_t most_of_a_body = 1U << 20U;

bool is_usable_id(const std::string& id) {
    return !id.empty() && id.size() <= most_of_an_id &&
           std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

milliseconds within(milliseconds d, milliseconds most) {
    return std::clamp(d, milliseconds(0), most);
}

}  // namespace

milliseconds retry_delay(std::uint32_t failures) {
    constexpr milliseconds first = std::chrono::seconds(5);
    milliseconds delay = first;
    for (std::uint32_t n = 1; n < failures && delay < longest_delay; ++n)
        delay *= 2;
    return std::min(delay, longest_delay);
}

core::result<std::unique_ptr<courier>> courier::make(notifier::options o) {
    auto box = outbox::open(o.folder);
    if (!box) return box.error();
    std::unique_ptr<courier> made(new courier(std::move(o), std::move(*box)));
    auto found = made->box_.load([&](const std::string& file, const std::string& why) {
        made->say({"given_up", file, why});
    });
    if (!found) return found.error();
    for (letter& l : *found)
        made->take_up(std::move(l));
    return made;
}

void courier::take_up(letter l) {
    const auto wall = options_.clock->now();
    const steady now = options_.clock->steady_now();
    // The wall clock may have jumped since the file was written: no wait is longer than it can have been meant.
    entry e;
    e.deadline = now + within(l.told_at + given_up_after - wall, given_up_after);
    e.due = std::min(now + within(l.due_at - wall, longest_delay), e.deadline);
    e.number = told_++;
    e.what = std::move(l);
    entries_.emplace(e.what.id, std::move(e));
}

core::result<void> courier::tell(const std::string& id, std::string_view event, const std::string& body) {
    const bool is_ping = notification::parse_ping(event).has_value();
    const auto& s = options_.settings;
    if (is_ping ? s.ping_url.empty() : !notification::is_wanted(s, event)) return {};
    if (!is_usable_id(id) || body.size() > most_of_a_body)
        return core::failure{core::errc::internal,
                             fmt::format("no notification can have the id \"{}\", or so long a body",
                                         core::printable(id, most_of_an_id))};
    std::optional<remark> dropped;
    {
        const std::lock_guard lock(mutex_);
        if (entries_.contains(id)) return {};
        if (is_ping) drop_waiting_pings();
        const auto now = options_.clock->now();
        letter l{id, std::string(event), body, now, 0, now};
        if (auto ok = box_.save(l); !ok) {
            without(id);  // renamed but perhaps not synced: not told means not told
            return ok.error();
        }
        take_up(std::move(l));
        if (entries_.size() > options_.most_waiting) dropped = give_up_oldest();
    }
    if (dropped) say(*dropped);
    return {};
}

// A monitor told of an earlier run after a later one would take the later one for running, or failed.
void courier::drop_waiting_pings() {
    for (auto it = entries_.begin(); it != entries_.end();) {
        const auto next = std::next(it);
        if (!it->second.under_way && notification::parse_ping(it->second.what.event))
            (void)without(std::string(it->first));
        it = next;
    }
}

std::size_t courier::waiting() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

courier::entries::iterator courier::next() {
    return std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return std::tie(a.second.due, a.second.number) < std::tie(b.second.due, b.second.number);
    });
}

std::optional<milliseconds> courier::work() {
    posting out;
    {
        const std::lock_guard lock(mutex_);
        const auto it = next();
        if (it == entries_.end()) return std::nullopt;
        entry& e = it->second;
        const auto left = std::chrono::ceil<milliseconds>(e.due - options_.clock->steady_now());
        if (left.count() > 0) return left;
        e.under_way = true;
        out = notification::address(options_.settings, options_.key, e.what.id, e.what.event, e.what.body,
                                    options_.clock->now());
    }
    const delivery d = options_.post(out);
    std::optional<remark> became;
    {
        const std::lock_guard lock(mutex_);
        became = settle(entries_.at(out.id), d);
    }
    say(*became);
    return milliseconds(0);
}

courier::remark courier::settle(entry& e, const delivery& d) {
    const std::string id = e.what.id;
    if (d.delivered) {
        const std::string trouble = without(id);
        return {"delivered", id, d.what + trouble};
    }
    ++e.what.failures;
    e.under_way = false;
    const steady now = options_.clock->steady_now();
    const bool too_old = now >= e.deadline;
    if (!d.worth_repeating || too_old) {
        const std::string why =
            d.worth_repeating
                ? fmt::format("not delivered within {} h: {}",
                              std::chrono::duration_cast<std::chrono::hours>(given_up_after).count(), d.what)
                : fmt::format("refused: {}", d.what);
        return {"given_up", id, why + without(id)};
    }
    const milliseconds delay =
        std::min<milliseconds>(retry_delay(e.what.failures), std::chrono::ceil<milliseconds>(e.deadline - now));
    e.due = now + delay;
    e.what.due_at = options_.clock->now() + delay;
    const auto saved = box_.save(e.what);
    return {"retried", id,
            fmt::format("{}; next try in {} s (failures: {}){}", d.what,
                        std::chrono::ceil<std::chrono::seconds>(delay).count(), e.what.failures,
                        saved ? "" : "; " + saved.error().text)};
}

std::optional<courier::remark> courier::give_up_oldest() {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it)
        if (!it->second.under_way && (oldest == entries_.end() || it->second.number < oldest->second.number))
            oldest = it;
    if (oldest == entries_.end()) return std::nullopt;
    const std::string id = oldest->first;
    const std::string trouble = without(id);
    return remark{"given_up", id, fmt::format("more than {} notifications wait{}", options_.most_waiting, trouble)};
}

// Forgets it, here and on the disk; says if the disk would not.
std::string courier::without(const std::string& id) {
    entries_.erase(id);
    const auto removed = box_.remove(id);
    return removed ? "" : "; " + removed.error().text;
}

}  // namespace taskbarge::service::notify
