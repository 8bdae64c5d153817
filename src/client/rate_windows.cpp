#include "taskbarge/client/rate_windows.hpp"

#include <algorithm>
#include <cmath>

namespace taskbarge::client {

using core::instant;
using core::rate_book;
using core::rate_window;
using core::window_kind;
using std::chrono::milliseconds;

namespace {

// How long a request may be under way before it is taken for dead: well past send.request_timeout's default.
constexpr milliseconds longest_flight = std::chrono::minutes(3);
// retry-after and HTTP dates are whole seconds: the end that they name lies somewhere in the second that follows.
constexpr milliseconds header_grain = std::chrono::seconds(1);
// While others spend the same budget at most this part of what is left may be under way at once, and one request in
// the last part of a window: then at most one is refused unless others take a fifth of the window in one round trip.
constexpr std::uint64_t careful_part = 8;
constexpr std::uint64_t last_part = 4;
// How many days others are remembered.
constexpr int days_of_caution = 2;
// A window whose end is unknown is tried when this part of what it may still last has passed.
constexpr int try_part = 10;

// Ours is cut off to milliseconds, and the two clocks drift apart: by far less than a thousandth, and by less than five
// seconds a day. What is more would make nightly runs begin later and later.
milliseconds margin(milliseconds length) {
    return std::clamp<milliseconds>(length / 1000, milliseconds(2), std::chrono::seconds(5));
}

// A step of the clock that is put up with; a larger one makes stored times worthless.
milliseconds step(milliseconds length) {
    return std::chrono::seconds(2) + length / 20;
}

std::size_t index(window_kind kind) {
    return static_cast<std::size_t>(kind);
}

milliseconds length_of(const core::limit_settings& limits, window_kind kind) {
    return std::max(limits.lengths[index(kind)], milliseconds(1));
}

// The longest that a 429 may shut a window: its length, but a day may be meant even if lengths are cut down for tests.
milliseconds longest_shut(const core::limit_settings& limits, window_kind kind) {
    const auto length = length_of(limits, kind);
    return kind == window_kind::day ? std::max<milliseconds>(length, std::chrono::hours(24)) : length;
}

std::uint64_t under_way(const rate_book& book) {
    return book.in_flight + book.in_flight_before;
}

// What the server has counted for certain, or will have when our requests have arrived.
std::uint64_t certain(const rate_window& w) {
    return std::max(w.used, w.heard);
}

// What the server may have counted when all that is under way has arrived. Of our requests, those counted after the
// one that showed `heard` are still under way: had one been answered, `heard` would be its count.
std::uint64_t possible(const rate_window& w, std::uint64_t flights) {
    return std::max(w.used, w.heard + flights);
}

void raise(std::optional<instant>& bound, instant to) {
    bound = bound ? std::max(*bound, to) : to;
}

// ---------------------------------------------------------------------------------------------- time passing

void forget_count(rate_window& w) {
    w.used = w.heard = w.early = 0;
    w.heard_at.reset();
    w.opened_at.reset();
    w.ends_at.reset();
    w.end_known = w.shut = false;
}

// No window is known to be open, but `count` requests of ours may have opened one by now.
void perhaps_open(rate_window& w, std::uint64_t count, milliseconds length, instant now) {
    forget_count(w);
    if (count == 0) return;
    // If one of them did, then by now: a length from now is the latest end, and as ours it counts as known.
    w.used = w.heard = count;
    w.ends_at = now + length + margin(length);
    w.end_known = true;
}

void close(rate_window& w, milliseconds length, instant now) {
    // Its earliest end: the next window opens after it.
    if (w.not_before && w.opened_at && w.ends_at) *w.not_before += length;
    perhaps_open(w, w.early, length, now);
}

bool from_another_time(const rate_window& w, const core::limit_settings& limits, window_kind kind, instant now) {
    const auto length = length_of(limits, kind);
    const auto later = [&](const std::optional<instant>& t, milliseconds by) {
        return t && *t > now + by + step(length);
    };
    // Only a clock that was set back leaves times ahead of it. One that was set forward looks like time that passed:
    // windows are taken to end early, and a 429 puts that right.
    const milliseconds none{0};
    return later(w.opened_at, none) || later(w.heard_at, none) ||
           later(w.not_before, w.shut ? longest_shut(limits, kind) : none) ||
           later(w.ends_at, w.shut ? longest_shut(limits, kind) : length);
}

void tidy_window(rate_book& book, const core::limit_settings& limits, window_kind kind, instant now) {
    auto& w = book[kind];
    if (from_another_time(w, limits, kind, now)) {
        forget_count(w);
        w.not_before.reset();
        book.others_seen_at = now;  // what was used is not known any more: the first request goes alone
        return;
    }
    const auto length = length_of(limits, kind);
    if (w.ends_at) {
        if (now >= *w.ends_at) close(w, length, now);
    } else if (!w.opened_at) {
        // Counts without a window: of lost requests, which may have opened one as late as now.
        perhaps_open(w, certain(w), length, now);
    } else if (now >= *w.opened_at + length) {
        // No answer came, so its end is not known. What is under way is counted in any window until it is answered;
        // what was lost may have opened a window as late as now.
        const auto lost = w.used - std::min(w.used, under_way(book));
        perhaps_open(w, std::max(lost, w.heard), length, now);
    }
}

// The places of a killed process are never given back. In two generations each is remembered for longest_flight at
// least, and forgotten soon after twice that.
void age_flights(rate_book& book, instant now) {
    if (!book.flight_mark || *book.flight_mark > now + step(longest_flight)) {
        book.flight_mark = now;
    } else if (const auto age = now - *book.flight_mark; age >= longest_flight) {
        book.in_flight_before = age < 2 * longest_flight ? book.in_flight : 0;
        book.in_flight = 0;
        book.flight_mark = now;
    }
}

// One request is under way no longer.
void land(rate_book& book, instant taken_at) {
    const bool before = book.flight_mark && taken_at < *book.flight_mark;
    auto& flights = before ? book.in_flight_before : book.in_flight;
    if (flights > 0) --flights;
}

// ---------------------------------------------------------------------------------------------- may one go?

struct ruling {
    bool free = true;
    instant until{};
    bool end_known = true;
    bool after_answer = false;
};

class window_judge {
 public:
    window_judge(const rate_book& book, const core::limit_settings& limits, window_kind kind, instant now)
        : book_(book),
          w_(book[kind]),
          length_(length_of(limits, kind)),
          usable_(usable_limit(book, limits, kind)),
          caution_(days_of_caution * length_of(limits, window_kind::day)),
          now_(now) {}

    // In the order of certainty: what the server said, what it has counted, what it may count yet.
    ruling decide() const {
        if (w_.shut && w_.ends_at) return wait(*w_.ends_at, w_.end_known);
        // Nothing is known at all: one goes alone, as a burst could pass a limit that its answer would have told.
        const bool untaught = !w_.limit && !w_.unlimited && !w_.heard_at;
        if (untaught && flights() > 0) return wait_for_answer();
        if (!usable_) return {};
        // Where it is certain only time helps; where it is possible the answers under way may show that there is room.
        if (certain(w_) >= *usable_) return exhausted();
        if (possible(w_, flights()) >= *usable_) return wait_for_answer();
        if (cautious() && flights() >= careful_share()) return wait_for_answer();
        return {};
    }

 private:
    std::uint64_t flights() const { return under_way(book_); }
    bool cautious() const { return book_.others_seen_at && now_ < *book_.others_seen_at + caution_; }
    std::uint64_t careful_share() const {
        if (!w_.ends_at) return 1;  // nothing heard since it opened: the first answer shows what others have left
        const auto left = *usable_ - certain(w_);
        return left <= *usable_ / last_part ? 1 : std::max<std::uint64_t>(1, left / careful_part);
    }

    ruling exhausted() const {
        // No answer of this window yet: the next one tells its end better than our own opening does.
        if (!w_.ends_at) return flights() > 0 ? wait_for_answer() : wait(w_.opened_at.value_or(now_) + length_, false);
        // A try is for the server to refuse. Where our own cap or reserve is all that is used up it would be let pass,
        // and break the cap: that waits for the latest end.
        const bool by_the_server = w_.limit && certain(w_) >= *w_.limit;
        if (w_.end_known || !by_the_server) return wait(*w_.ends_at, w_.end_known);
        if (flights() > 0) return wait_for_answer();
        // Others opened it: it ends somewhere between these. Each try moves the earliest up (enter()), so the tries lie
        // closer towards the latest end, and there are few.
        const auto earliest = std::min(w_.not_before.value_or(now_ - length_) + length_, *w_.ends_at);
        const auto try_at = earliest + (*w_.ends_at - earliest) / try_part;
        return now_ < try_at ? wait(try_at, false) : ruling{};
    }

    static ruling wait(instant until, bool end_known) { return {false, until, end_known, false}; }
    ruling wait_for_answer() const {
        const auto look = std::clamp(length_ / 60, milliseconds(20), milliseconds(500));
        return {false, now_ + look, false, true};
    }

    const rate_book& book_;
    const rate_window& w_;
    milliseconds length_;
    std::optional<std::uint64_t> usable_;
    milliseconds caution_;
    instant now_;
};

// A place in a window that counts as used up is a try whether it has ended: the next try is not before a tenth of the
// rest has passed.
void enter(rate_window& w, milliseconds length, std::uint64_t flights, instant now) {
    if (!w.opened_at) {
        w.opened_at = now;
        w.ends_at.reset();
        w.end_known = flights == 0 && certain(w) == 0;  // else another request of ours may have opened it before
    }
    if (w.ends_at && !w.end_known && w.limit && certain(w) >= *w.limit) raise(w.not_before, now - length);
    ++w.used;
}

// ---------------------------------------------------------------------------------------------- what answers teach

enum class source { own_answer, refusal, asked_apart };

// Hears one answer's count of one window.
class listener {
 public:
    // `flights`: what was under way when the answer came, its own request included.
    listener(rate_book& book, const core::limit_settings& limits, window_kind kind, std::uint64_t flights, source from,
             instant asked_at, instant now)
        : book_(book),
          w_(book[kind]),
          length_(length_of(limits, kind)),
          flights_(flights),
          from_(from),
          asked_at_(asked_at),
          now_(now) {}

    void hear(const rate_headers::window& header) {
        learn_limit(header);
        const auto usage = usage_in(header);
        const bool open = w_.opened_at.has_value();
        // By when the request left, not by when its answer came: answers overtake each other.
        if (open && asked_at_ >= *w_.opened_at) {
            hear_current(usage);
        } else if (!open && from_ == source::asked_apart) {
            hear_unexpected(usage);
        } else if (usage) {
            hear_from_before(*usage);
        }
    }

 private:
    void learn_limit(const rate_headers::window& header) {
        if (!header.present) return;
        if (header.unlimited) {
            w_.unlimited = true;
            w_.limit.reset();
        } else if (header.limit || (header.used && header.left)) {
            w_.unlimited = false;
            w_.limit = header.limit ? *header.limit : *header.used + *header.left;
        }
    }

    // The larger of the two tales, should the usage leave out the request itself; what was answered was counted.
    std::optional<std::uint64_t> usage_in(const rate_headers::window& header) const {
        if (!header.present || header.unlimited) return std::nullopt;
        auto usage = header.used;
        if (header.left && header.limit && *header.left <= *header.limit) {
            usage = std::max(usage.value_or(0), *header.limit - *header.left);
        }
        if (usage && from_ == source::own_answer) usage = std::max<std::uint64_t>(*usage, 1);
        return usage;
    }

    // The request left while the window was open, or the one after it if that one is open by now.
    void hear_current(std::optional<std::uint64_t> usage) {
        if (!usage) {
            if (from_ == source::own_answer) hear_no_count();
        } else if (*usage == 0) {
            // Counted nowhere, so nothing is open unless something under way opens it.
            if (under_way(book_) == 0) forget_count(w_);
        } else if (fell(*usage)) {
            reopen(*usage);
        } else {
            count(*usage);
        }
    }

    void hear_no_count() {
        if (!w_.heard_at) w_.heard_at = now_;  // the window has answered: it is not untaught any more
        if (w_.ends_at) return;
        // We opened it, so not before our own first request; in any case it was open when this one left.
        if (w_.end_known) raise(w_.not_before, *w_.opened_at);
        raise(w_.not_before, asked_at_ - length_);
        open_until(true);
    }

    // We knew of no open window; there may be one all the same.
    void hear_unexpected(std::optional<std::uint64_t> usage) {
        if (!usage) return;
        if (*usage == 0) {
            if (under_way(book_) == 0) forget_count(w_);
            raise(w_.not_before, asked_at_);
            return;
        }
        w_.opened_at = asked_at_;  // at the latest
        w_.ends_at.reset();
        count(*usage);
    }

    // The request left before the window opened, and may have been counted in this one or in the one before it. A count
    // that this window cannot have reached yet is the old one's.
    void hear_from_before(std::uint64_t usage) {
        if (usage > possible(w_, flights_)) return;
        if (!w_.opened_at) return perhaps_open(w_, std::max(usage, certain(w_)), length_, now_);
        note_early(usage);
        w_.heard = std::max(w_.heard, usage);
        w_.used = std::max(w_.used, usage);
    }

    // A lower count than one that came before this request was sent means that the window ended in between. Answers
    // that overtook each other show lower counts too, hence the second condition; the third holds against counters that
    // are not exact.
    bool fell(std::uint64_t usage) const {
        return w_.ends_at && usage < w_.heard && w_.heard_at && asked_at_ >= *w_.heard_at &&
               (!w_.not_before || now_ >= *w_.not_before + length_);
    }

    void reopen(std::uint64_t usage) {
        const auto early = w_.early;
        // Ours in it are those that were under way when the old one was last heard of, and those sent since.
        const bool ours = usage <= early + 2 * flights_;
        // It opened between the last answer of the old one and now. open_until() needs the first of these bounds, so
        // it is put back behind forget_count().
        const auto last_of_old = *w_.heard_at;
        forget_count(w_);
        w_.not_before = last_of_old;
        w_.opened_at = now_;
        open_until(ours);
        w_.used = w_.heard = std::max(usage, early);
        w_.heard_at = now_;
    }

    // Around the end of a window a low count may be that of a request that opened the next one. The next one is then
    // begun with it.
    void note_early(std::uint64_t usage) {
        const bool may_have_ended = w_.ends_at && w_.not_before && now_ >= *w_.not_before + length_;
        if (may_have_ended && usage <= w_.early + flights_) w_.early = std::max(w_.early, usage);
    }

    void count(std::uint64_t usage) {
        // More than all of ours could make: somebody else sends, too. Asked before the count is taken in.
        const bool ours = usage <= possible(w_, flights_);
        note_early(usage);
        raise(w_.not_before, asked_at_ - length_);  // it was open then
        if (!w_.ends_at) {
            if (ours && w_.end_known) raise(w_.not_before, *w_.opened_at);
            open_until(ours);
        } else if (!ours) {
            book_.others_seen_at = now_;
        }
        // The time goes with the highest count alone: fell() compares later, lower ones with it.
        if (!w_.heard_at || usage > w_.heard) {
            w_.heard = std::max(w_.heard, usage);
            w_.heard_at = now_;
        }
        w_.used = std::max(w_.used, usage);
        // With nothing else under way the highest count is the truth: refused requests were not counted, say. One less
        // is let pass: it may be a count that leaves out the request itself.
        const bool settled = usage == w_.heard && under_way(book_) == 0 && from_ != source::refusal;
        if (settled && w_.used > usage + 1) w_.used = usage;
    }

    // The window was opened before this answer, by us or by others, so it ends a length from now at the latest.
    void open_until(bool ours) {
        w_.ends_at = now_ + length_ + margin(length_);
        // Between its earliest and its latest end; a twentieth of a length is not worth a try.
        const auto unsure = *w_.ends_at - (*w_.not_before + length_);
        w_.end_known = ours || unsure <= length_ / 20;
        if (!ours) book_.others_seen_at = now_;
    }

    rate_book& book_;
    rate_window& w_;
    milliseconds length_;
    std::uint64_t flights_;
    source from_;
    instant asked_at_;
    instant now_;
};

void hear_all(rate_book& book, const core::limit_settings& limits, const rate_headers& rates, std::uint64_t flights,
              source from, instant asked_at, instant now) {
    for (const auto kind : core::all_window_kinds) {
        listener(book, limits, kind, flights, from, asked_at, now).hear(rates.windows[index(kind)]);
    }
}

// ---------------------------------------------------------------------------------------------- refusals

double fullness(const rate_window& w) {
    if (!w.limit) return 0;
    if (certain(w) >= *w.limit) return 1;
    return static_cast<double>(certain(w)) / static_cast<double>(*w.limit);
}

// How long to wait after a 429 that says nothing: from a sixtieth of a minute, doubled with every further one in a row,
// to an hour.
milliseconds riddle_wait(const core::limit_settings& limits, std::uint64_t refusals) {
    const auto least = std::max(length_of(limits, window_kind::minute) / 60, milliseconds(20));
    return std::min<milliseconds>(least * (1LL << std::min<std::uint64_t>(refusals, 20)),
                                  length_of(limits, window_kind::hour));
}

// The window that a 429 is about: the one it names unless it cannot last that long, else the longest full one, else the
// fullest.
window_kind shut_window(const rate_book& book, const core::limit_settings& limits, std::string_view message,
                        milliseconds retry_after) {
    const auto long_enough = [&](window_kind kind) { return retry_after <= length_of(limits, kind) + header_grain; };
    if (const auto named = window_named_in(message); named && long_enough(*named)) return *named;
    std::optional<window_kind> best;
    for (const auto kind : core::all_window_kinds) {
        if (!long_enough(kind)) continue;
        const bool fuller = !best || fullness(book[kind]) > fullness(book[*best]) || fullness(book[kind]) == 1;
        if (fuller) best = kind;
    }
    return best.value_or(window_kind::day);
}

// The same for a 429 without a usable retry-after, where only a window known to be full is worth a long wait.
window_kind riddle_window(const rate_book& book, const core::limit_settings& limits, std::string_view message,
                          milliseconds wait) {
    if (const auto named = window_named_in(message)) return *named;
    const auto kind = shut_window(book, limits, {}, milliseconds(0));
    if (fullness(book[kind]) == 1) return kind;
    return wait <= length_of(limits, window_kind::minute) ? window_kind::minute : window_kind::hour;
}

// The server names the end: somewhere in the second after retry_after, where our own knowledge may be finer.
void shut_for(rate_window& w, milliseconds length, milliseconds retry_after, instant now) {
    const auto earliest = now + retry_after;
    const auto own = w.ends_at && (w.end_known || w.shut) ? *w.ends_at : earliest + header_grain;
    w.ends_at = std::clamp(own, earliest, earliest + header_grain);
    w.not_before = earliest - length;
    w.end_known = true;
}

// No end named. A window that is full ends when we thought it would.
void shut_for_a_while(rate_window& w, milliseconds length, milliseconds wait, instant now) {
    if (w.ends_at && fullness(w) == 1) return;
    w.ends_at = now + std::min(wait, length);
    w.not_before.reset();
    w.end_known = false;
}

}  // namespace

std::optional<std::uint64_t> usable_limit(const rate_book& book, const core::limit_settings& limits, window_kind kind) {
    const auto& w = book[kind];
    const auto cap = limits.caps[index(kind)];
    if (w.unlimited || !w.limit) return cap;
    auto usable = *w.limit;
    if (limits.reserve_percent > 0) {
        const auto share = std::floor(static_cast<double>(usable) * (100.0 - limits.reserve_percent) / 100.0 + 1e-9);
        usable = std::min(usable, static_cast<std::uint64_t>(std::max(1.0, share)));
    }
    return cap ? std::min(*cap, usable) : usable;
}

void tidy(rate_book& book, const core::limit_settings& limits, instant now) {
    if (book.others_seen_at && *book.others_seen_at > now + step(length_of(limits, window_kind::day)))
        book.others_seen_at = now;
    age_flights(book, now);
    for (const auto kind : core::all_window_kinds)
        tidy_window(book, limits, kind, now);
}

window_decision take_place(rate_book& book, const core::limit_settings& limits, instant now) {
    tidy(book, limits, now);
    window_decision out{true, now, window_kind::minute, true, false};
    for (const auto kind : core::all_window_kinds) {
        const auto one = window_judge(book, limits, kind, now).decide();
        if (one.free || (!out.granted && one.until <= out.wait_until)) continue;
        out = {false, one.until, kind, one.end_known, one.after_answer};
    }
    if (!out.granted) return out;
    for (const auto kind : core::all_window_kinds)
        enter(book[kind], length_of(limits, kind), under_way(book), now);
    ++book.in_flight;
    return out;
}

void give_back(rate_book& book, instant taken_at) {
    land(book, taken_at);
    for (auto& w : book.windows) {
        // A place of a window that has ended is in no count any more.
        if (!w.opened_at || taken_at < *w.opened_at || w.used == 0) continue;
        --w.used;
        // Nothing else is known of it: the window was open only by this place.
        if (w.used == 0 && w.heard == 0 && !w.ends_at) w.opened_at.reset();
    }
}

void observe(rate_book& book, const core::limit_settings& limits, const rate_headers& rates, instant taken_at,
             instant now) {
    tidy(book, limits, now);
    // Before it lands: the count that is heard includes this request.
    const auto flights = under_way(book);
    land(book, taken_at);
    hear_all(book, limits, rates, flights, source::own_answer, taken_at, now);
    // An answer without counts need not be Apollo's (a proxy's page): it ends no row of refusals.
    const auto counted = [](const rate_headers::window& w) { return w.present; };
    if (std::any_of(rates.windows.begin(), rates.windows.end(), counted)) book.refusals = 0;
}

void observe_lost(rate_book& book, instant taken_at) {
    land(book, taken_at);
    for (auto& w : book.windows) {
        if (w.opened_at && taken_at >= *w.opened_at) continue;  // its place is in `used`
        // It left before the window opened, and may have been counted in it all the same. Where none is open it may
        // have opened one: tidy() sees to that.
        ++w.used;
        ++w.heard;
    }
}

void observe_throttled(rate_book& book, const core::limit_settings& limits, const rate_headers& rates,
                       std::string_view message, std::optional<milliseconds> retry_after, instant taken_at,
                       instant now) {
    tidy(book, limits, now);
    const auto flights = under_way(book);
    land(book, taken_at);
    hear_all(book, limits, rates, flights, source::refusal, taken_at, now);
    book.others_seen_at = now;  // alone this cannot happen

    // Which window is meant is judged by the counts that this answer has just brought.
    const bool usable = retry_after && *retry_after > milliseconds(0);
    const auto wait = usable ? *retry_after : riddle_wait(limits, book.refusals);
    const auto kind = usable ? shut_window(book, limits, message, wait) : riddle_window(book, limits, message, wait);
    auto& w = book[kind];
    const bool news = !w.shut;
    if (usable) {
        shut_for(w, length_of(limits, kind), std::min(wait, longest_shut(limits, kind)), now);
    } else if (news && (!w.opened_at || taken_at >= *w.opened_at)) {
        shut_for_a_while(w, length_of(limits, kind), wait, now);
    } else {
        return;  // known already, or about a window that has ended
    }
    w.shut = true;
    if (!w.opened_at) w.opened_at = taken_at;
    if (news) ++book.refusals;
}

void observe_usage(rate_book& book, const core::limit_settings& limits, const rate_headers& rates, instant asked_at,
                   instant now) {
    tidy(book, limits, now);
    hear_all(book, limits, rates, under_way(book), source::asked_apart, asked_at, now);
}

namespace {

// Sends as if requests took no time, window after window.
class forecaster {
 public:
    forecaster(const rate_book& book, const core::limit_settings& limits, instant now)
        : book_(book), limits_(limits), now_(now) {
        tidy(book_, limits_, now_);
        out_.end = now_;
        start_ = now_;
    }

    forecast run(std::uint64_t requests) {
        // Each round sends something or waits for a window: enough for two million requests at Apollo's lowest limits.
        constexpr int most_rounds = 100'000;
        std::uint64_t left = requests;
        for (int round = 0; left > 0 && round < most_rounds; ++round) {
            if (const auto room = room_now(); room > 0) {
                const auto batch = std::min(room, left);
                send(batch);
                left -= batch;
            } else {
                wait_for_room();
            }
        }
        if (left > 0) stretch(requests, left);
        return out_;
    }

 private:
    std::optional<std::uint64_t> bound(window_kind kind) const {
        const auto usable = usable_limit(book_, limits_, kind);
        return usable ? std::optional(std::max<std::uint64_t>(1, *usable)) : std::nullopt;
    }

    std::uint64_t room_in(window_kind kind) const {
        const auto& w = book_[kind];
        if (w.shut) return 0;
        const auto most = bound(kind);
        if (!most) return UINT64_MAX;
        return *most > certain(w) ? *most - certain(w) : 0;
    }

    std::uint64_t room_now() const {
        return std::min({room_in(window_kind::minute), room_in(window_kind::hour), room_in(window_kind::day)});
    }

    void send(std::uint64_t batch) {
        for (const auto kind : core::all_window_kinds) {
            auto& w = book_[kind];
            if (!w.opened_at) w.opened_at = now_;
            if (!w.ends_at) w.ends_at = now_ + length_of(limits_, kind);
            if (bound(kind) && !entered_[index(kind)]) ++out_.windows[index(kind)];
            entered_[index(kind)] = true;
            w.used += batch;
        }
        out_.end = now_;
    }

    void wait_for_room() {
        auto until = now_;
        for (const auto kind : core::all_window_kinds) {
            if (room_in(kind) > 0) continue;
            const auto& w = book_[kind];
            until = std::max(until, w.ends_at.value_or(now_ + length_of(limits_, kind)));
            if (!out_.binding || kind > *out_.binding) out_.binding = kind;
        }
        now_ = until;
        for (const auto kind : core::all_window_kinds) {
            auto& w = book_[kind];
            const bool over = w.ends_at ? *w.ends_at <= now_ : room_in(kind) == 0;
            if (!over) continue;
            forget_count(w);
            entered_[index(kind)] = false;
        }
    }

    // Past all patience: as it went so far, so it goes on.
    void stretch(std::uint64_t requests, std::uint64_t left) {
        const auto done = static_cast<double>(requests - left);
        const auto took = static_cast<double>((now_ - start_).count());
        const auto rest = done > 0 ? took / done * static_cast<double>(left) : took;
        out_.end = now_ + milliseconds(static_cast<std::int64_t>(std::min(rest, 1e15)));
    }

    rate_book book_;
    const core::limit_settings& limits_;
    instant now_;
    instant start_;
    std::array<bool, 3> entered_{};
    forecast out_;
};

}  // namespace

forecast forecast_end(rate_book book, const core::limit_settings& limits, std::uint64_t requests, instant now) {
    return forecaster(book, limits, now).run(requests);
}

}  // namespace taskbarge::client
