#include "job/sending/ready_queue.hpp"

#include <algorithm>
#include <utility>

namespace taskbarge::job {

using core::chunk_state;
using ledger::chunk_record;

namespace {

// Searches that wait in memory for clean chunks to be sent; more of them wait in the ledger.
constexpr std::size_t most_searches_waiting = 256;

bool is_search(const chunk_record& chunk) {
    return chunk.code == isolating;
}

// What the user allows; nothing: as much as the windows leave over.
std::optional<std::uint64_t> search_budget(const std::optional<core::share_or_count>& setting,
                                           std::uint64_t minimum_requests) {
    return setting ? std::optional(allowance(*setting, minimum_requests)) : std::nullopt;
}

}  // namespace

ready_queue::ready_queue(const core::settings& settings, std::uint64_t minimum_requests)
    : settings_(settings),
      isolation_(search_budget(settings.send.isolation_budget, minimum_requests)),
      budget_(allowance(settings.send.retry_budget, minimum_requests)) {}

void ready_queue::recall(const earlier_refusals& known, core::instant now) {
    isolation_.recall(known.learnt);
    isolation_.recall_limit(known.limit, now);
    day_.recall(known.day, known.today);
}

// ------------------------------------------------------------------------------------------------------ reading ahead

bool ready_queue::wants_loading() const {
    return !all_loaded_ && !loading_ && clean() < page_size / 2;
}

bool ready_queue::wants_page() const {
    return !all_loaded_ && clean() < page_size;
}

void ready_queue::take_page(std::vector<chunk_record> page, const moment& now) {
    all_loaded_ = page.size() < page_size;
    for (auto& chunk : page) {
        last_loaded_ = chunk.id;
        if (children_.contains(chunk.id)) continue;
        if (is_search(chunk) && !isolation_.is_awaited(chunk) && searches_full()) {
            left_in_ledger_ = true;
            continue;
        }
        if (chunk.parent != 0) children_.insert(chunk.id);
        take_in(std::move(chunk), now);
    }
}

void ready_queue::read_again_if_left() {
    if (!left_in_ledger_ || !all_loaded_ || loading_ || !ready_.empty()) return;
    left_in_ledger_ = all_loaded_ = false;
    last_loaded_ = 0;
    children_.clear();
}

bool ready_queue::only_searches(steady_time now) const {
    return std::none_of(ready_.begin(), ready_.end(),
                        [&](const ready_chunk& r) { return r.not_before <= now && may_go(r) && !is_search(r.chunk); });
}

std::size_t ready_queue::clean() const {
    return static_cast<std::size_t>(
        std::count_if(ready_.begin(), ready_.end(), [](const ready_chunk& r) { return !is_search(r.chunk); }));
}

bool ready_queue::searches_full() const {
    return ready_.size() - clean() >= most_searches_waiting;
}

// A part of a search waits for its rest to be known, and the rest for the part's outcome.
void ready_queue::take_in(chunk_record chunk, const moment& now) {
    auto next = isolation_.take_in(std::move(chunk));
    if (!next) return;
    const auto not_before = next->not_before ? now.to_steady(*next->not_before) : steady_time{};
    insert(std::move(*next), not_before);
}

// What came of a split goes on at once, however much of the job is still to be read. Reading comes to it as well. Clean
// parts take the place of their chunk: what they show is known before the next one is cut.
std::vector<chunk_record> ready_queue::take_children(std::vector<chunk_record> children) {
    std::vector<chunk_record> doubtful;
    std::ptrdiff_t first = 0;
    for (auto& child : children) {
        if (!children_.insert(child.id).second) continue;
        if (child.state == chunk_state::planned) {
            auto next = isolation_.take_in(std::move(child));
            if (next && !is_search(*next))
                ready_.insert(ready_.begin() + first++, {std::move(*next), steady_time{}});
            else if (next)
                insert(std::move(*next), steady_time{});
        } else if (child.state == chunk_state::doubtful) {
            doubtful.push_back(std::move(child));
        }
    }
    return doubtful;
}

void ready_queue::insert(chunk_record chunk, steady_time not_before) {
    const auto behind = std::upper_bound(ready_.begin(), ready_.end(), not_before,
                                         [](steady_time t, const ready_chunk& r) { return t < r.not_before; });
    ready_.insert(behind, {std::move(chunk), not_before});
}

// ------------------------------------------------------------------------------------------------------ what goes next

bool ready_queue::may_go(const ready_chunk& r) const {
    return r.chunk.attempts == 0 || budget_.left() > 0;
}

// When it may leave as far as its own past decides, and the day's share for searches.
steady_time ready_queue::ready_at(const ready_chunk& r, std::optional<steady_time> search_opens) const {
    return is_search(r.chunk) && search_opens ? std::max(r.not_before, *search_opens) : r.not_before;
}

// When searches may go on that have had their share of the day. Nothing: now, or the user has set a budget.
std::optional<steady_time> ready_queue::searches_open(const core::rate_window& day, const moment& now) const {
    if (settings_.send.isolation_budget) return std::nullopt;
    const auto length = settings_.limits.lengths[static_cast<std::size_t>(core::window_kind::day)];
    const auto opens = day_.search_opens(day, length, now.wall);
    return opens ? std::optional(now.to_steady(*opens)) : std::nullopt;
}

// Clean chunks go first, unless they are likely to be refused like those before. Of searches for what was refused the
// latest is brought to its end before another goes on: what it finds out spares the others requests.
std::deque<ready_queue::ready_chunk>::iterator ready_queue::next_ready(steady_time now,
                                                                       std::optional<steady_time> search_opens) {
    auto latest = ready_.end(), doomed = ready_.end();
    for (auto at = ready_.begin(); at != ready_.end(); ++at) {
        if (ready_at(*at, search_opens) > now || !may_go(*at)) continue;
        if (is_search(at->chunk))
            latest = at;
        else if (!isolation_.better_later(at->chunk))
            return at;
        else if (doomed == ready_.end())
            doomed = at;
    }
    return latest != ready_.end() ? latest : doomed;
}

std::optional<ready_queue::next_step> ready_queue::take_next(const moment& now, const core::rate_window& day,
                                                             bool may_send) {
    const auto next = next_ready(now.steady, searches_open(day, now));
    if (next == ready_.end()) return std::nullopt;
    auto change = isolation_.before_send(next->chunk, now.wall);
    if (!change && !may_send) return std::nullopt;
    next_step step{std::move(*next), std::move(change)};
    ready_.erase(next);
    if (step.instead) return step;
    if (step.ready.chunk.attempts > 0) budget_.spend();
    isolation_.sending(step.ready.chunk);
    return step;
}

void ready_queue::not_sent(ready_chunk ready) {
    if (ready.chunk.attempts > 0) budget_.refund();
    isolation_.not_sent(ready.chunk);
    const auto first = std::find_if(ready_.begin(), ready_.end(),
                                    [&](const ready_chunk& r) { return r.not_before >= ready.not_before; });
    ready_.insert(first, std::move(ready));
}

ledger::chunk_update ready_queue::after_refusal(const chunk_record& chunk, const verdict& refused,
                                                bool perhaps_too_many, bool proven, core::instant now) {
    return isolation_.after_refusal(chunk, refused, perhaps_too_many, proven, now);
}

// ----------------------------------------------------------------------------------------------------------- outcomes

std::vector<chunk_record> ready_queue::take_outcome(chunk_record chunk, const verdict& v, bool written,
                                                    std::vector<chunk_record> children, const core::rate_window& day,
                                                    const moment& now) {
    day_.move_to(day);
    if (written)
        day_.count(is_search(chunk));
    else
        isolation_.not_sent(chunk);
    if (auto rest = isolation_.outcome(chunk, v, now.wall)) insert(std::move(*rest), steady_time{});
    auto doubtful = take_children(std::move(children));
    if (v.what == consequence::trouble && v.update.state == chunk_state::planned && chunk.attempts > 0)
        budget_.refund();
    chunk.attempts = v.update.attempts;
    chunk.code = v.update.code;
    chunk.message = v.update.message;
    chunk.state = v.update.state;
    chunk.mark = v.update.mark.value_or(chunk.mark);
    if (v.update.state == chunk_state::planned && v.what == consequence::refusal && searches_full())
        left_in_ledger_ = true;
    else if (v.update.state == chunk_state::planned)
        insert(std::move(chunk), v.update.not_before ? now.to_steady(*v.update.not_before) : steady_time{});
    else if (v.update.state == chunk_state::doubtful)
        doubtful.push_back(std::move(chunk));
    return doubtful;
}

std::vector<chunk_record> ready_queue::take_changed(const chunk_record& chunk, std::vector<chunk_record> children) {
    if (auto rest = isolation_.release_rest(chunk)) insert(std::move(*rest), steady_time{});
    return take_children(std::move(children));
}

std::vector<chunk_record> ready_queue::take_settled(chunk_record chunk, const ledger::chunk_update& update,
                                                    std::vector<chunk_record> children) {
    auto doubtful = take_children(std::move(children));
    if (update.state != chunk_state::planned) return doubtful;
    if (chunk.id > last_loaded_ && !children_.contains(chunk.id)) {
        all_loaded_ = false;  // reading ahead comes to it by itself
        return doubtful;
    }
    chunk.state = update.state;
    chunk.code = update.code;
    chunk.possible_duplicate = update.possible_duplicate;
    insert(std::move(chunk), steady_time{});
    return doubtful;
}

std::optional<std::optional<ledger::contact_limit>> ready_queue::take_limit_change() {
    if (!isolation_.take_limit_change()) return std::nullopt;
    return isolation_.limit();
}

// ------------------------------------------------------------------------------------------------------------ deciding

void ready_queue::describe(run_view& v, const core::rate_window& day, const moment& now) const {
    v.ready = 0;
    v.ready_at = steady_time::max();
    const auto search_opens = searches_open(day, now);
    bool all_doomed = true;
    for (const auto& r : ready_) {
        if (!may_go(r)) continue;
        ++v.ready;
        const auto at = ready_at(r, search_opens);
        if (at < v.ready_at) v.ready_waits = at > r.not_before ? waits_for::search_share : waits_for::backoff;
        v.ready_at = std::min(v.ready_at, at);
        all_doomed = all_doomed && (at > now.steady || isolation_.better_later(r.chunk));
    }
    v.last_ready = all_loaded_ && !left_in_ledger_ && !loading_ && ready_.size() == 1;
    v.better_alone = all_doomed;
    if (v.ready == 0 && !ready_.empty()) {
        v.ready = ready_.size();
        v.resend_budget_spent = true;
    }
}

bool ready_queue::nothing_to_send() const {
    return all_loaded_ &&
           std::none_of(ready_.begin(), ready_.end(), [this](const ready_chunk& r) { return may_go(r); });
}

}  // namespace taskbarge::job
