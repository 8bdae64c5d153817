#include "job/sending/run_health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "job/online/route_windows.hpp"

namespace taskbarge::job {

using core::errc;
using core::failure;
using namespace std::chrono_literals;

namespace {

// Names that do not resolve and certificates that do not fit seldom mend themselves: few tries, then the user is told.
constexpr std::uint32_t tries_when_hopeless = 3;
constexpr auto patience_when_hopeless = 2s;
constexpr auto patience_when_unreached = 10s;
// A probe under way has no end that is known: its answer wakes the run, and this is only the bound.
constexpr auto probe_bound = 200ms;

// Whether a page that stands before Apollo will still be there when it is asked again: a block, or a form to log in.
bool stays(int status) {
    constexpr int bad_request = 400, too_large = 413, unprocessable = 422;
    return status != bad_request && status != too_large && status != unprocessable;
}

// A server that takes longer than this for an answer has enough to do.
constexpr auto quick_answer = 2s;
// What a window must have left for more requests at once to be of use: more than any minute of Apollo's plans holds,
// which a few connections fill.
constexpr std::uint64_t plenty = 300;

send_width::pace pace_of(const client::exchange& x, const core::rate_book& windows) {
    const bool free = std::ranges::all_of(windows.windows, [](const core::rate_window& w) {
        return w.unlimited || (w.limit && !w.shut && *w.limit >= w.used + plenty);
    });
    return free && x.took <= quick_answer ? send_width::pace::quick : send_width::pace::usual;
}

}  // namespace

failure key_refused() {
    return {errc::unauthorized,
            "Apollo refused the API key (401): check APOLLO_API_KEY or the file named by apollo.api_key_file"};
}

run_health::run_health(const core::settings& settings, bool created_before, std::uint64_t seed)
    : settings_(settings),
      random_(seed),
      width_(settings.send.connections),
      refusals_(settings.send.refused_alike, created_before) {}

std::optional<failure> run_health::note_answer(consequence what, const client::exchange& x,
                                               const core::rate_book& windows, const moment& now) {
    if (what == consequence::no_route) return std::nullopt;  // why_to_end() ends the run
    if (what == consequence::trouble || what == consequence::gateway) {
        breaker_.failed(now.steady, random_);
        width_.failed();
        trouble_begins(trouble_of(x), now.steady);
        if (client::respondent_of(x) == client::respondent::gateway) {
            auto why = client::not_apollo(x, to_string(route::bulk_create));
            last_trouble_.text = why.text;
            ++unreached_in_a_row_;
            if (stays(x.status) && !anything_created_) return why;
        } else if (x.reach == client::reach::not_sent) {
            ++unreached_in_a_row_;
        } else {
            any_answer_ = true;
        }
        return std::nullopt;
    }
    any_answer_ = true;
    unreached_in_a_row_ = 0;
    if (what == consequence::throttled) {
        told_wait_ = client::parse_retry_after(x.retry_after, now.wall);
        breaker_.abandoned();
        return std::nullopt;
    }
    trouble_since_.reset();
    breaker_.succeeded();
    width_.succeeded(pace_of(x, windows));
    if (what == consequence::progress) {
        anything_created_ = true;
        refusals_.end();
    }
    return std::nullopt;
}

std::optional<failure> run_health::why_to_end(const verdict& v) const {
    if (v.what == consequence::key_wrong) return key_refused();
    if (v.what == consequence::no_right)
        return failure{
            errc::forbidden,
            fmt::format("the API key may not use tasks/bulk_create (403): {}; a master key may", v.report.message)};
    if (v.what == consequence::no_route) return failure{errc::settings, v.report.message};
    if (!refusals_.all_alike()) return std::nullopt;
    return failure{errc::all_refused,
                   fmt::format("Apollo refused all that this job began with in the same words, {} contacts alone among "
                               "it, and has created nothing: {}; the other rows stay pending. Mend the cause and go on "
                               "with the job (retry also sends what was refused), or cancel it; send.refused_alike = 0 "
                               "sends the rest all the same",
                               refusals_.alone(), refusals_.words())};
}

void run_health::note_unreached(const client::exchange& x, const moment& now) {
    ++unreached_in_a_row_;
    trouble_begins(trouble_of(x), now.steady);
}

std::optional<failure> run_health::note_search(const reading_end& end, const moment& now) {
    search_opens_.reset();
    if (end.wait_until) search_opens_ = now.to_steady(*end.wait_until);
    std::optional<failure> over;
    // Nothing of Apollo's is there, unless creating has worked: then it is this route alone.
    if (end.trouble && end.trouble->code == errc::settings && !anything_created_) over = end.trouble;
    if (end.failed) over = end.failed->code == errc::unauthorized ? key_refused() : *end.failed;
    if (!end.trouble) {
        search_failures_ = 0;
        if (!end.ended) any_answer_ = true;
        return over;
    }
    ++search_failures_;
    if (end.trouble->code == errc::unreachable) ++unreached_in_a_row_;
    trouble_begins({0, end.trouble->text, false}, now.steady);
    // At least half of the ceiling: a search costs the whole list, not one request.
    search_opens_ = now.steady + backoff_ceiling(terms(), search_failures_) / 2 +
                    backoff_delay(terms(), search_failures_, random_) / 2;
    return over;
}

void run_health::trouble_begins(trouble what, steady_time now) {
    last_trouble_ = std::move(what);
    if (!trouble_since_) trouble_since_ = now;
}

std::optional<steady_time> run_health::sending_opens(steady_time now) const {
    if (breaker_.current(now) == circuit_breaker::state::closed) return std::nullopt;
    return breaker_.wait_until().value_or(now + probe_bound);
}

core::instant run_health::next_try(core::instant now) {
    return now + backoff_delay(terms(), breaker_.failures_in_a_row() + 1, random_);
}

void run_health::weigh_gateway(verdict& v) const {
    const bool others_get_through = anything_created_ && !trouble_since_;
    if (others_get_through) ++v.update.attempts;
    if (others_get_through && v.update.attempts >= settings_.send.max_attempts) {
        v.update.state = core::chunk_state::refused;
        v.update.code = "attempts_used_up";
        v.update.message = fmt::format("not created in {} attempts while other requests succeeded; the last error: {}",
                                       v.update.attempts, v.report.message);
        v.update.settled_at = v.report.finished_at;
        return;
    }
    v.update.not_before = v.report.finished_at + backoff_ceiling(terms(), breaker_.failures_in_a_row() + 1);
}

bool run_health::outage_over_limit(steady_time now) const {
    if (!trouble_since_) return false;
    const auto lasted = now - *trouble_since_;
    if (lasted > settings_.send.max_wait) return true;
    if (any_answer_) return false;
    return last_trouble_.hopeless
               ? unreached_in_a_row_ >= tries_when_hopeless && lasted >= patience_when_hopeless
               : unreached_in_a_row_ >= settings_.send.max_attempts && lasted >= patience_when_unreached;
}

std::optional<failure> run_health::outage(steady_time now) const {
    if (!any_answer_ && unreached_in_a_row_ > 0)
        return failure{errc::unreachable,
                       fmt::format("no answer from Apollo at {}: {}", settings_.apollo.base_url, last_trouble_.text)};
    if (outage_over_limit(now))
        return failure{errc::waiting, fmt::format("Apollo has not answered usefully for {}; the rest stays pending{}",
                                                  core::format_duration(settings_.send.max_wait), last_words())};
    return std::nullopt;
}

std::string run_health::last_words() const {
    if (!last_trouble_.text.empty()) return "; the last: " + last_trouble_.text;
    return last_trouble_.status != 0 ? fmt::format("; the last answer: status {}", last_trouble_.status)
                                     : std::string();
}

}  // namespace taskbarge::job
