#include "job/sending/import_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "job/look_up/look_up.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::chunk_state;
using core::errc;
using core::failure;
using core::result;
using ledger::chunk_record;
using namespace std::chrono_literals;

namespace {

// The longest sleep between two looks at what there is to do, whatever rings.
constexpr auto longest_sleep = 1s;
// Doubts that are read from the ledger at once.
constexpr std::size_t doubts_at_once = 64;

}  // namespace

import_run::import_run(session& s, const ledger::job_record& job, const ledger::job_totals& totals, run_purpose purpose)
    : session_(s),
      env_(s.env()),
      job_(job),
      purpose_(purpose),
      windows_(s.windows(route::bulk_create)),
      sends_(s.executor()),
      bell_(s.bell()),
      ready_(env_.settings, job.minimum_requests),
      doubts_(env_.settings, purpose, job.state == core::job_state::completed),
      health_(env_.settings, totals.rows.created > 0, env_.seed),
      progress_(env_, job_, windows_, totals),
      records_(job_, windows_) {}

asio::awaitable<run_end> import_run::run() {
    co_await begin();
    next_move move;
    while (true) {
        co_await begin_doubts();
        if (sends(purpose_) && !broken_) co_await keep_ready();
        if (only_doubts_left()) doubts_.hasten_all();
        // One of them threw, for want of memory say, and counts as in flight for ever: wait() throws it on.
        if (sends_.stopping()) break;
        move = decide(view());
        const auto grace = grace_ends(env_.clock.steady_now());
        progress_.show(move, in_flight_, grace ? std::optional(now().to_wall(*grace)) : std::nullopt, now());
        if (move.what == next_move::kind::send) {
            send_next();
        } else if (move.what == next_move::kind::look_up) {
            co_await loading_ended();
            co_await look_up_pass();
        } else if (move.what == next_move::kind::wait) {
            const auto at = env_.clock.steady_now();
            auto until = std::min(move.until, at + longest_sleep);
            if (grace) until = std::min(until, *grace);
            if (grace && at >= *grace) env_.stop.request();  // as if asked a second time
            if (env_.stop.level() == stop_level::forced) break;
            co_await bell_.sleep_until(until);
        } else {
            break;
        }
    }
    if (env_.stop.level() != stop_level::forced) co_await sends_.wait();
    co_return end_of(move);
}

// Requests in flight are waited for no longer after a stop was asked for.
std::optional<steady_time> import_run::grace_ends(steady_time now) {
    if (!env_.stop.process_ends()) return std::nullopt;
    if (!stop_seen_) stop_seen_ = now;
    return *stop_seen_ + env_.settings.send.grace_time;
}

// ---------------------------------------------------------------------------------------------------------- start

asio::awaitable<void> import_run::begin() {
    progress_.show_connecting();  // the first answer may be long in coming
    co_await recover();
    if (!broken_) co_await load_doubts();
    if (sends(purpose_) && !broken_) {
        auto known =
            co_await session_.writer().ask<earlier_refusals>([this](ledger::ledger& l) { return records_.earlier(l); });
        if (known)
            ready_.recall(*known, env_.clock.now());
        else
            break_off(known.error());
    }
    if (sends(purpose_) && !broken_ && progress_.rows().pending > 0) co_await learn_limits();
}

asio::awaitable<void> import_run::recover() {
    struct state_found {
        std::optional<ledger::job_totals> totals;  // where something was left in flight
        ledger::event_number events = 0;
    };
    auto found = co_await session_.writer().ask<state_found>([this](ledger::ledger& l) -> result<state_found> {
        state_found out;
        auto any = records_.recover(l, env_.clock.now());
        if (!any) return any.error();
        auto totals = *any ? l.totals(job_.id) : result<ledger::job_totals>(ledger::job_totals());
        if (!totals) return totals.error();
        if (*any) out.totals = *totals;
        auto events = l.events();
        if (!events) return events.error();
        out.events = *events;
        return out;
    });
    if (!found) {
        break_off(found.error());
        co_return;
    }
    if (found->totals) progress_.reset(*found->totals);
    doubts_.begin_at(found->events);
}

asio::awaitable<void> import_run::load_doubts() {
    core::chunk_id last = 0;
    while (!broken_) {
        auto more = co_await session_.writer().ask<std::vector<chunk_record>>(
            [this, last](ledger::ledger& l) { return l.chunks(job_.id, chunk_state::doubtful, last, doubts_at_once); });
        if (!more) break_off(more.error());
        if (!more || more->empty()) co_return;
        last = more->back().id;
        doubts_.add(std::move(*more));
        co_await begin_doubts();
    }
}

// Windows of which nothing is known are asked for, so that the first request need not find out alone.
asio::awaitable<void> import_run::learn_limits() {
    auto before = co_await own_usage();
    if (!before) {
        break_off(before.error());
        co_return;
    }
    auto learnt = co_await session_.learn_limits();
    if (!learnt) {
        break_off(learnt.error());
        co_return;
    }
    const auto& x = *learnt;
    if (x && x->reach == client::reach::not_sent) health_.note_unreached(*x, now());
    if (x && x->status == 401 && client::respondent_of(*x) == client::respondent::apollo) break_off(key_refused());
    compare_usage(*before);
}

// The requests of the day by the ledger's count. Nothing where it knows of other events, and so is no new one.
asio::awaitable<result<std::optional<std::uint64_t>>> import_run::own_usage() {
    using count_of_day = std::optional<std::uint64_t>;
    co_return co_await session_.writer().ask<count_of_day>([this](ledger::ledger& l) -> result<count_of_day> {
        auto events = l.events();
        if (!events) return events.error();
        if (*events > 0) return count_of_day();
        auto book = windows_.load(l);
        if (!book) return book.error();
        return count_of_day((*book)[core::window_kind::day].used);
    });
}

// Apollo's own count is a witness that no copy of a ledger can replace. Others of the team may use the route as well,
// so it cannot decide anything.
void import_run::compare_usage(std::optional<std::uint64_t> own) {
    const auto counted = day().used;
    if (!own || counted <= *own) return;
    env_.watch.on_notice(
        fmt::format("Apollo has counted {} requests on tasks/bulk_create in its day, and the ledger {} is new: if they "
                    "were taskbarge's, stop and find the ledger that they were sent with, or their contacts get second "
                    "tasks",
                    counted - *own, env_.settings.ledger.path));
}

// -------------------------------------------------------------------------------------------------- reading ahead

// Chunks are read from the ledger while others are sent; waited for only when no clean one could be sent meanwhile.
// What is read may belong to the latest search, which goes before other searches.
asio::awaitable<void> import_run::keep_ready() {
    if (in_flight_ == 0) ready_.read_again_if_left();
    if (ready_.wants_loading() && !sends_.stopping()) {
        ready_.begin_loading();
        sends_.spawn(load_more());
    }
    if (ready_.only_searches(env_.clock.steady_now())) co_await loading_ended();
}

asio::awaitable<void> import_run::load_more() {
    while (ready_.wants_page() && !broken_) {
        auto more = co_await session_.writer().ask<std::vector<chunk_record>>([this](ledger::ledger& l) {
            return l.chunks(job_.id, chunk_state::planned, ready_.last_loaded(), ready_queue::page_size);
        });
        if (!more) {
            break_off(more.error());
            break;
        }
        ready_.take_page(std::move(*more), now());
    }
    ready_.end_loading();
    bell_.ring();
}

// What is read was planned when the reading began. Whoever plans chunks again waits for its end first, else they could
// be passed over.
asio::awaitable<void> import_run::loading_ended() {
    while (ready_.loading() && !sends_.stopping())
        co_await bell_.sleep_until(env_.clock.steady_now() + longest_sleep);
}

// ---------------------------------------------------------------------------------------------------- one request

void import_run::took_place() {
    ++in_flight_;
    expect_commits();
}

void import_run::left_place() {
    --in_flight_;
    expect_commits();
    bell_.ring();
}

// Each connection that is at work brings an outcome, and the next chunk's intent with it. With more than the usual
// width a commit waits for half of that: the other half is on the wire meanwhile.
void import_run::expect_commits() {
    const std::uint32_t at_work = in_flight_ - settling_;
    session_.writer().expect_together(std::max(2 * std::min(at_work, send_width::usual), at_work));
}

void import_run::send_next() {
    const auto at = now();
    auto next = ready_.take_next(at, day(), health_.may_send(at.steady));
    if (!next) return;
    took_place();
    if (next->instead) {
        sends_.spawn(change_unsent(std::move(next->ready.chunk), std::move(*next->instead)));
        return;
    }
    health_.begin_request(at.steady);
    sends_.spawn(send_one(std::move(next->ready)));
}

asio::awaitable<void> import_run::send_one(ready_queue::ready_chunk next) {
    const auto& chunk = next.chunk;
    const auto body = client::bulk_create_body(chunk.details.view(), chunk.contacts.contact_ids);
    auto intent = co_await session_.writer().ask<chunk_records::intent>(
        [this, id = chunk.id, server_time = session_.server_time()](ledger::ledger& l) {
            return records_.take_place(l, id, server_time);
        });
    if (intent) windows_.set_seen(intent->place.book);
    if (!intent) {
        break_off(intent.error());
    } else if (!intent->attempt) {
        health_.request_given_up();
        ready_.not_sent(std::move(next));
    } else {
        core::fault_point("intent_recorded");
        const auto details = chunk.details.view();
        auto made = co_await session_.create(body, details);
        core::fault_point("answer_read");
        co_await settle(std::move(next.chunk), *intent->attempt, intent->place, std::move(made));
    }
    left_place();
}

// From an answer to the ledger, and from there to whoever it matters to.
asio::awaitable<void> import_run::settle(chunk_record chunk, core::attempt_id attempt, const placed& place,
                                         client::creation made) {
    const auto answered_at = env_.clock.now();
    auto& x = made.http;
    const bool written = x.reach != client::reach::not_sent;
    if (written) env_.watch.on_answer(x.status, x.took);
    session_.note_server_clock(x.server_date);
    session_.note_server_clock(made.answer.created_at);
    // Of Apollo's clocks the least is kept: tasks may be stamped by another than that of the answer.
    if (x.server_date && place.server_time) x.server_date = std::min(*x.server_date, *place.server_time);
    auto judged = co_await judge_answer(chunk, attempt, made, answered_at);
    if (!judged) {
        break_off(judged.error());  // as below
        co_return;
    }
    // Once all is well the connection is free: the next chunk's intent joins the commit of this one's outcome. Any
    // other answer is weighed first, and so is one that a search for what was refused waits for.
    const bool frees_place = judged->what == consequence::progress && chunk.code != isolating;
    if (frees_place) {
        ++settling_;
        bell_.ring();
    }
    auto kept = co_await session_.writer().ask<recorded_outcome>([&, taken_at = place.taken_at](ledger::ledger& l) {
        return records_.record(l, chunk, *judged, made, taken_at);
    });
    core::fault_point("outcome_recorded");
    if (frees_place) --settling_;
    if (!kept) {
        break_off(kept.error());  // the chunk stays in sending: the next run looks it up
        co_return;
    }
    if (kept->doubted) session_.forget_connections();
    const verdict v = kept->doubted ? std::move(*kept->doubted) : std::move(*judged);
    windows_.set_seen(kept->book);
    progress_.count(chunk_state::planned, chunk.contacts.size(), v.update);
    if (written) progress_.count_request(chunk, v.what);
    for (const auto& line : v.notices)
        env_.watch.on_notice(line);
    break_off(health_.note_answer(v.what, x, windows_.seen(), now()));
    doubts_.add(ready_.take_outcome(std::move(chunk), v, written, std::move(kept->children), day(), now()));
    break_off(health_.why_to_end(v));
    co_await keep_limit();
}

// What the answer means for its chunk and the run. A refusal of several contacts becomes a search for what was refused,
// unless it is another request's answer.
asio::awaitable<result<verdict>> import_run::judge_answer(const chunk_record& chunk, core::attempt_id attempt,
                                                          const client::creation& made, core::instant now) {
    auto v = after_exchange(chunk, made.http, made.answer, now);
    v.report.attempt = attempt;
    if (made.http.reach == client::reach::not_sent) v.update.not_before = health_.next_try(now);
    if (v.what == consequence::gateway) health_.weigh_gateway(v);
    if (!v.may_isolate) co_return v;
    health_.note_refusal(chunk, v.report.message);
    auto known = co_await session_.writer().ask<chunk_records::refusal_context>(
        [&](ledger::ledger& l) { return records_.look_at_refusal(l, chunk, made.http); });
    if (!known) co_return known.error();
    if (known->doubted) co_return not_ours(chunk, v, made, std::move(*known->doubted));
    const bool too_many = made.answer.verdict != client::create_verdict::refused;
    v.update = ready_.after_refusal(chunk, v, too_many, known->proven, env_.clock.now());
    co_return v;
}

// A chunk that is split or refused by what was learnt, without a request.
asio::awaitable<void> import_run::change_unsent(chunk_record chunk, ledger::chunk_update update) {
    auto kept = co_await session_.writer().ask<std::vector<chunk_record>>(
        [&](ledger::ledger& l) { return change_chunk(l, update); });
    if (kept) {
        progress_.count(chunk_state::planned, chunk.contacts.size(), update);
        doubts_.add(ready_.take_changed(chunk, std::move(*kept)));
    } else {
        break_off(kept.error());
    }
    left_place();
}

// For later jobs of the team.
asio::awaitable<void> import_run::keep_limit() {
    const auto limit = ready_.take_limit_change();
    if (!limit) co_return;
    auto kept = co_await session_.writer().write([this, &limit](ledger::ledger& l) {
        return l.save_contact_limit(job_.identity.base_url, job_.identity.team, *limit);
    });
    if (!kept) break_off(kept.error());
}

// ------------------------------------------------------------------------------------------------------------- doubt

asio::awaitable<void> import_run::begin_doubts() {
    while (!broken_) {
        const auto chunk = doubts_.take_new();
        if (!chunk) co_return;
        const auto since = env_.clock.steady_now();
        auto read = co_await session_.writer().ask<doubt>(
            [&](ledger::ledger& l) { return doubt_of(l, *chunk, doubts_.start()); });
        if (read)
            doubts_.begin(std::move(*read), since);
        else
            break_off(read.error());
    }
}

asio::awaitable<void> import_run::look_up_pass() {
    const auto due = doubts_.due(env_.clock.steady_now());
    // What earlier answers left on a connection must not be read as this list.
    session_.forget_connections();
    look_up reader(session_);
    const auto pass = co_await reader.scan(due);
    break_off(health_.note_search(pass.end, now()));
    for (const auto& seen : due) {
        const auto view = pass.spans.find(seen.chunk.details.due_at);
        if (view == pass.spans.end() || broken_) continue;
        auto decided =
            doubts_.weigh(seen.chunk.id, view->second, only_doubts_left(), health_.anything_created(), now());
        if (decided) co_await settle_doubt(std::move(*decided));
    }
}

asio::awaitable<void> import_run::settle_doubt(doubt_book::settlement decided) {
    const auto& chunk = decided.chunk;
    const auto& update = decided.update;
    core::fault_point("before_settlement");
    auto kept = co_await session_.writer().ask<std::optional<std::vector<chunk_record>>>(
        [&](ledger::ledger& l) { return records_.settle(l, update); });
    core::fault_point("after_settlement");
    if (!kept) {
        break_off(kept.error());
        co_return;
    }
    if (!*kept) {
        doubts_.claimed_by_others(chunk.id, env_.clock.steady_now());
        co_return;
    }
    doubts_.settled(chunk.id);
    progress_.count(chunk_state::doubtful, chunk.contacts.size(), update);
    if (update.state == chunk_state::created || !update.created.empty()) health_.note_created();
    doubts_.add(ready_.take_settled(chunk, update, std::move(**kept)));
}

// ---------------------------------------------------------------------------------------------------------- deciding

run_view import_run::view() const {
    const auto at = now();
    run_view v;
    v.now = at.steady;
    v.stop_asked = env_.stop.level() != stop_level::none;
    v.broken = broken_.has_value();
    v.in_flight = in_flight_;
    v.settling = settling_;
    v.room = health_.room();
    ready_.describe(v, day(), at);
    const auto place = windows_.peek();
    if (!place.granted) {
        v.window_opens = at.to_steady(place.wait_until);
        v.window_after_answer = place.after_answer;
    }
    v.breaker_opens = health_.sending_opens(at.steady);
    doubts_.describe(v);
    v.look_up_opens = health_.look_up_opens();
    v.settle_time = env_.settings.send.settle_time;
    v.max_wait = env_.settings.send.max_wait;
    v.outage_over_limit = health_.outage_over_limit(at.steady);
    return v;
}

run_end import_run::end_of(const next_move& move) const {
    if (broken_) return {broken_, std::nullopt};
    if (env_.stop.level() != stop_level::none)
        return {failure{errc::interrupted, std::string("stopped on request")}, {}};
    if (move.what == next_move::kind::finish) return {};
    if (auto why = health_.outage(env_.clock.steady_now())) return {std::move(why), {}};
    if (move.why == waits_for::health)
        return {failure{errc::waiting,
                        fmt::format("the retries of this run are used up ({}, send.retry_budget); run again later",
                                    ready_.retries())},
                {}};
    return {progress_.parked(move, health_.told_wait(), now()), now().to_wall(move.until)};
}

void import_run::break_off(const std::optional<failure>& why) {
    if (!why) return;
    if (!broken_) broken_ = why;
    bell_.ring();
}

}  // namespace taskbarge::job
