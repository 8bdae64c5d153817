#include "job/import_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::chunk_state;
using core::errc;
using core::failure;
using core::result;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

// Chunks read ahead from the ledger: a few for each connection.
constexpr std::size_t read_ahead = 64;
// Searches that wait in memory for clean chunks to be sent; more of them wait in the ledger.
constexpr std::size_t most_searches_waiting = 256;
// How often the live line is fed.
constexpr auto publish_interval = 200ms;
// Names that do not resolve and certificates that do not fit seldom mend themselves: few tries, then the user is told.
constexpr std::uint32_t tries_when_hopeless = 3;

constexpr std::chrono::seconds patience_when_hopeless{2}, patience_when_unreached{10};

failure key_refused() {
    return {errc::unauthorized,
            "Apollo refused the API key (401): check APOLLO_API_KEY or the file named by apollo.api_key_file"};
}

core::row_state row_state_of(chunk_state s) {
    switch (s) {
        case chunk_state::planned:
        case chunk_state::sending:
            return core::row_state::pending;
        case chunk_state::created:
            return core::row_state::created;
        case chunk_state::refused:
            return core::row_state::failed;
        case chunk_state::doubtful:
        case chunk_state::split:
            break;
    }
    return core::row_state::unknown;
}

// What the user allows; nothing: as much as the windows leave over.
std::optional<std::uint64_t> search_budget(const std::optional<core::share_or_count>& setting,
                                           std::uint64_t minimum_requests) {
    return setting ? std::optional(allowance(*setting, minimum_requests)) : std::nullopt;
}

// Records what becomes of a chunk. Gives the children that come of it.
result<std::vector<ledger::chunk_record>> change_chunk(ledger::ledger& l, const ledger::chunk_update& update) {
    auto ids = l.update_chunk(update);
    if (!ids) return ids.error();
    std::vector<ledger::chunk_record> children;
    for (const auto id : *ids) {
        auto child = l.chunk(id);
        if (!child) return child.error();
        children.push_back(std::move(*child));
    }
    return children;
}

std::uint64_t& tally(core::row_counts& c, core::row_state s) {
    switch (s) {
        case core::row_state::created:
            return c.created;
        case core::row_state::duplicate:
            return c.duplicate;
        case core::row_state::rejected:
            return c.rejected;
        case core::row_state::failed:
            return c.failed;
        case core::row_state::unknown:
            return c.unknown;
        case core::row_state::pending:
            break;
    }
    return c.pending;
}

}  // namespace

import_run::import_run(session& s, const ledger::job_record& job, const ledger::job_totals& totals, run_purpose purpose)
    : session_(s),
      env_(s.env()),
      job_(job),
      purpose_(purpose),
      sends_(s.executor()),
      bell_(s.bell()),
      random_(s.env().seed),
      width_(s.env().settings.send.connections),
      budget_(allowance(s.env().settings.send.retry_budget, job.minimum_requests)),
      isolation_(search_budget(s.env().settings.send.isolation_budget, job.minimum_requests)),
      refusals_(s.env().settings.send.refused_alike, totals.rows.created > 0) {
    progress_.job = job.id;
    progress_.rows = totals.rows;
    progress_.requests = totals.requests;
}

// ---------------------------------------------------------------------------------------------------------- start

asio::awaitable<run_end> import_run::run() {
    progress_.phase = phase::connecting;
    env_.watch.on_progress(progress_);  // the first answer may be long in coming
    if (auto r = co_await recover(); !r) break_off(r.error());
    auto before = co_await session_.writer().ask<ledger::event_number>([](ledger::ledger& l) { return l.events(); });
    if (before)
        events_before_ = *before;
    else
        break_off(before.error());
    if (!broken_)
        if (auto r = co_await load_doubts(); !r) break_off(r.error());
    if (sends() && !broken_)
        if (auto r = co_await recall_refusals(); !r) break_off(r.error());
    if (!broken_) co_await learn_limits();
    next_move move;
    while (true) {
        if (!broken_) co_await take_in_doubts();
        if (sends() && !broken_) co_await keep_ready();
        if (only_doubts_left())
            for (auto& d : doubts_)
                hasten(d, env_.settings.send.settle_time);
        // One of them threw, for want of memory say, and counts as in flight for ever: wait() throws it on.
        if (sends_.stopping()) break;
        move = decide(view());
        publish(move);
        if (move.what == next_move::kind::send) {
            send_next();
        } else if (move.what == next_move::kind::look_up) {
            co_await loading_ended();
            co_await look_up_pass();
        } else if (move.what == next_move::kind::wait) {
            const auto now = env_.clock.steady_now();
            auto until = std::min(move.until, now + 1s);
            if (const auto grace = grace_ends(now)) {
                until = std::min(until, *grace);
                if (now >= *grace) env_.stop.request();  // as if asked a second time
            }
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

// What a killed process left in flight may have been created.
asio::awaitable<result<void>> import_run::recover() {
    bool any = false;
    auto left = [this, &any](ledger::ledger& l) -> result<void> {
        while (true) {
            auto sending = l.chunks(job_.id, chunk_state::sending, 0, read_ahead);
            if (!sending) return sending.error();
            if (sending->empty()) return {};
            any = true;
            for (const auto& chunk : *sending) {
                auto attempts = l.attempts_of_chunk(chunk.id);
                if (!attempts) return attempts.error();
                for (const auto& a : *attempts) {
                    if (a.report.what != ledger::attempt_result::open) continue;
                    ledger::attempt_report report;
                    report.attempt = a.id;
                    report.what = ledger::attempt_result::doubtful;
                    report.finished_at = env_.clock.now();
                    report.code = "interrupted";
                    report.message = "the process ended while the request was under way";
                    report.evidence = request_evidence(chunk);
                    if (auto r = l.record_report(report, true); !r) return r.error();
                    auto lost = session_.windows(route::bulk_create).change(l, [&](core::rate_book& book) {
                        client::observe_lost(book, a.started_at);
                    });
                    if (!lost) return lost.error();
                }
                ledger::chunk_update update;
                update.chunk = chunk.id;
                update.state = chunk_state::doubtful;
                update.code = "interrupted";
                update.message = "the process ended while the request was under way";
                update.attempts = chunk.attempts + 1;
                update.possible_duplicate = chunk.possible_duplicate;
                if (auto r = l.update_chunk(update); !r) return r.error();
            }
        }
    };
    auto done = co_await session_.writer().write(left);
    if (!done) co_return done.error();
    if (!any) co_return result<void>();
    auto totals =
        co_await session_.writer().ask<ledger::job_totals>([this](ledger::ledger& l) { return l.totals(job_.id); });
    if (!totals) co_return totals.error();
    progress_.rows = totals->rows;
    progress_.requests = totals->requests;
    co_return result<void>();
}

asio::awaitable<result<void>> import_run::load_doubts() {
    while (true) {
        auto more = co_await session_.writer().ask<std::vector<ledger::chunk_record>>(
            [this](ledger::ledger& l) { return l.chunks(job_.id, chunk_state::doubtful, last_doubt_, read_ahead); });
        if (!more) co_return more.error();
        if (more->empty()) co_return result<void>();
        for (auto& chunk : *more) {
            last_doubt_ = chunk.id;
            if (is_held(chunk) && !looks_at_held()) continue;
            if (auto r = co_await add_doubt(std::move(chunk)); !r) co_return r.error();
        }
    }
}

// What an earlier run of this job was taught by refusals is not asked again.
asio::awaitable<result<void>> import_run::recall_refusals() {
    struct recalled {
        ledger::learnt_refusals learnt;
        std::optional<ledger::contact_limit> limit;
        core::rate_book book;
        ledger::requests_made today;
    };
    auto known = co_await session_.writer().ask<recalled>([this](ledger::ledger& l) -> result<recalled> {
        auto learnt = l.learnt(job_.id);
        if (!learnt) return learnt.error();
        auto limit = l.load_contact_limit(job_.identity.base_url, job_.identity.team);
        if (!limit) return limit.error();
        auto book = session_.windows(route::bulk_create).load(l);
        if (!book) return book.error();
        recalled out{std::move(*learnt), *limit, *book, {}};
        const auto day_began = (*book)[core::window_kind::day].opened_at;
        if (!day_began) return out;
        auto today = l.requests_since(job_.id, *day_began);
        if (!today) return today.error();
        out.today = *today;
        return out;
    });
    if (!known) co_return known.error();
    isolation_.recall(known->learnt);
    isolation_.recall_limit(known->limit, env_.clock.now());
    day_.recall(known->book[core::window_kind::day], known->today);
    co_return result<void>();
}

// Windows of which nothing is known are asked for, so that the first request need not find out alone.
asio::awaitable<void> import_run::learn_limits() {
    if (!sends() || progress_.rows.pending == 0) co_return;
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
    if (*learnt && (*learnt)->reach == client::reach::not_sent) note_unreached(**learnt);
    if (*learnt && (*learnt)->status == 401 && client::respondent_of(**learnt) == client::respondent::apollo)
        break_off(key_refused());
    compare_usage(*before);
}

// The requests of the day by the ledger's count; nothing where it knows of other events, and so is no new one.
asio::awaitable<result<std::optional<std::uint64_t>>> import_run::own_usage() {
    using count_of_day = std::optional<std::uint64_t>;
    co_return co_await session_.writer().ask<count_of_day>([this](ledger::ledger& l) -> result<count_of_day> {
        auto events = l.events();
        if (!events) return events.error();
        if (*events > 0) return count_of_day();
        auto book = session_.windows(route::bulk_create).load(l);
        if (!book) return book.error();
        return count_of_day((*book)[core::window_kind::day].used);
    });
}

// Apollo's own count is a witness that no copy of a ledger can replace. Others of the team may use the route as well,
// so it cannot decide anything.
void import_run::compare_usage(std::optional<std::uint64_t> own) {
    const auto counted = session_.windows(route::bulk_create).seen()[core::window_kind::day].used;
    if (!own || counted <= *own) return;
    env_.watch.on_notice(
        fmt::format("Apollo has counted {} requests on tasks/bulk_create in its day, and the ledger {} is new: if they "
                    "were taskbarge's, stop and find the ledger that they were sent with, or their contacts get second "
                    "tasks",
                    counted - *own, env_.settings.ledger.path));
}

// Chunks are read from the ledger while others are sent; waited for only when no clean one could be sent meanwhile.
// What is read may belong to the latest search, which goes before other searches.
asio::awaitable<void> import_run::keep_ready() {
    if (left_in_ledger_ && all_loaded_ && !loading_ && ready_.empty() && in_flight_ == 0) {
        // Nothing of the job is in memory but doubts: what was left is read from the beginning.
        left_in_ledger_ = all_loaded_ = false;
        last_loaded_ = 0;
        children_.clear();
    }
    if (!all_loaded_ && !loading_ && !sends_.stopping() && clean_ready() < read_ahead / 2) {
        loading_ = true;
        sends_.spawn(load_more());
    }
    const auto sendable = [this, now = env_.clock.steady_now()](const ready_chunk& r) {
        return r.not_before <= now && may_send(r) && r.chunk.code != isolating;
    };
    if (std::none_of(ready_.begin(), ready_.end(), sendable)) co_await loading_ended();
}

asio::awaitable<void> import_run::load_more() {
    while (!all_loaded_ && !broken_ && clean_ready() < read_ahead) {
        auto more = co_await session_.writer().ask<std::vector<ledger::chunk_record>>(
            [this](ledger::ledger& l) { return l.chunks(job_.id, chunk_state::planned, last_loaded_, read_ahead); });
        if (!more) {
            break_off(more.error());
            break;
        }
        all_loaded_ = more->size() < read_ahead;
        for (auto& chunk : *more) {
            last_loaded_ = chunk.id;
            if (children_.contains(chunk.id)) continue;
            if (chunk.code == isolating && !isolation_.is_awaited(chunk) && searches_full()) {
                left_in_ledger_ = true;
                continue;
            }
            if (chunk.parent != 0) children_.insert(chunk.id);
            take_in(std::move(chunk));
        }
    }
    loading_ = false;
    bell_.ring();
}

std::size_t import_run::clean_ready() const {
    const auto clean = [](const ready_chunk& r) { return r.chunk.code != isolating; };
    return static_cast<std::size_t>(std::count_if(ready_.begin(), ready_.end(), clean));
}

bool import_run::searches_full() const {
    return ready_.size() - clean_ready() >= most_searches_waiting;
}

// A part of a search waits for its rest to be known, and the rest for the part's outcome.
void import_run::take_in(ledger::chunk_record chunk) {
    auto next = isolation_.take_in(std::move(chunk));
    if (!next) return;
    const auto not_before = next->not_before ? steady(*next->not_before) : steady_time{};
    make_ready(std::move(*next), not_before);
}

// What came of a split goes on at once, however much of the job is still to be read. Reading comes to it as well. Clean
// parts take the place of their chunk: what they show is known before the next one is cut.
void import_run::take_children(std::vector<ledger::chunk_record> children) {
    std::ptrdiff_t first = 0;
    for (auto& child : children) {
        if (!children_.insert(child.id).second) continue;
        if (child.state == chunk_state::planned) {
            auto next = isolation_.take_in(std::move(child));
            if (next && next->code != isolating)
                ready_.insert(ready_.begin() + first++, {std::move(*next), steady_time{}});
            else if (next)
                make_ready(std::move(*next), steady_time{});
        } else if (child.state == chunk_state::doubtful && (!is_held(child) || looks_at_held())) {
            newly_doubtful_.push_back(std::move(child));
        }
    }
}

// What is read was planned when the reading began. Whoever plans chunks anew waits for its end first, else they could
// be passed over.
asio::awaitable<void> import_run::loading_ended() {
    while (loading_ && !sends_.stopping())
        co_await bell_.sleep_until(env_.clock.steady_now() + 1s);
}

// In order of time, and of arrival where that is the same.
void import_run::make_ready(ledger::chunk_record chunk, steady_time not_before) {
    const auto behind = std::upper_bound(ready_.begin(), ready_.end(), not_before,
                                         [](steady_time t, const ready_chunk& r) { return t < r.not_before; });
    ready_.insert(behind, {std::move(chunk), not_before});
}

// ------------------------------------------------------------------------------------------------------ one request

// One transaction: a place in every window, and the intent. Nothing where there is no place.
asio::awaitable<result<std::optional<core::attempt_id>>> import_run::take_place(const ledger::chunk_record& chunk,
                                                                                placed& place) {
    auto& gate = session_.windows(route::bulk_create);
    const auto server_now = place.server_time = session_.server_time();
    auto intent = co_await session_.writer().ask<std::optional<core::attempt_id>>(
        [&](ledger::ledger& l) -> result<std::optional<core::attempt_id>> {
            auto taken = gate.take(l);
            if (!taken) return taken.error();
            taken->server_time = server_now;
            place = *taken;
            if (!place.decision.granted) return std::optional<core::attempt_id>();
            core::fault_point("before_intent");
            auto attempt = l.record_intent({chunk.id, place.taken_at, server_now});
            if (!attempt) return attempt.error();
            return std::optional<core::attempt_id>(*attempt);
        });
    if (intent) gate.set_seen(place.book);
    co_return intent;
}

asio::awaitable<void> import_run::send_one(ready_chunk next) {
    const auto body = client::bulk_create_body(next.chunk.details.view(), next.chunk.contacts.contact_ids);
    placed place;
    auto attempt = co_await take_place(next.chunk, place);
    if (!attempt) {
        break_off(attempt.error());
    } else if (!*attempt) {
        if (next.chunk.attempts > 0) budget_.refund();
        isolation_.not_sent(next.chunk);
        breaker_.abandoned();
        const auto first = std::find_if(ready_.begin(), ready_.end(),
                                        [&](const ready_chunk& r) { return r.not_before >= next.not_before; });
        ready_.insert(first, std::move(next));
    } else {
        core::fault_point("intent_recorded");
        const auto details = next.chunk.details.view();
        auto made = co_await session_.create(body, details);
        core::fault_point("answer_read");
        co_await settle(std::move(next.chunk), **attempt, place, std::move(made));
    }
    left_place();
}

asio::awaitable<void> import_run::settle(ledger::chunk_record chunk, core::attempt_id attempt, const placed& place,
                                         client::creation made) {
    const auto now = env_.clock.now();
    auto& x = made.http;
    if (x.reach != client::reach::not_sent) env_.watch.on_answer(x.status, x.took);
    session_.note_server_clock(x.server_date);
    session_.note_server_clock(made.answer.created_at);
    // Of Apollo's clocks the least is kept: tasks may be stamped by another than that of the answer.
    if (x.server_date && place.server_time) x.server_date = std::min(*x.server_date, *place.server_time);
    const auto judged_as = [&](const client::create_answer& answer) {
        auto v = after_exchange(chunk, x, answer, now);
        v.report.attempt = attempt;
        return v;
    };
    auto v = judged_as(made.answer);
    if (x.reach == client::reach::not_sent)
        v.update.not_before = now + backoff_delay({env_.settings.send.backoff_base, env_.settings.send.backoff_cap},
                                                  breaker_.failures_in_a_row() + 1, random_);
    if (v.may_isolate) {
        refusals_.refused(chunk, v.report.message);
        const bool too_many = made.answer.verdict != client::create_verdict::refused;
        auto doubted = co_await isolate(chunk, v, x, too_many);
        if (!doubted) {
            break_off(doubted.error());  // as below
            co_return;
        }
        if (*doubted) v = judged_as(not_ours(made.answer, std::move(**doubted)));
    } else if (v.what == consequence::gateway) {
        weigh_gateway(v);
    }
    auto& gate = session_.windows(route::bulk_create);
    const bool written = x.reach != client::reach::not_sent;
    // Once all is well the connection is free: the next chunk's intent joins the commit of this one's outcome. Any
    // other answer is weighed first, and so is one that a search for what was refused waits for.
    const bool frees_place = v.what == consequence::progress && chunk.code != isolating;
    if (frees_place) {
        ++settling_;
        bell_.ring();
    }
    auto kept = co_await session_.writer().ask<recorded_outcome>([&](ledger::ledger& l) -> result<recorded_outcome> {
        core::fault_point("before_outcome");
        recorded_outcome out;
        auto doubted = why_not_ours(l, x, v.update.created);
        if (!doubted) return doubted.error();
        if (*doubted) out.doubted = judged_as(not_ours(made.answer, **doubted));
        const verdict& outcome = out.doubted ? *out.doubted : v;
        if (auto r = l.record_report(outcome.report, written); !r) return r.error();
        auto children = change_chunk(l, outcome.update);
        if (!children) return children.error();
        out.children = std::move(*children);
        auto book = gate.learn(l, x, place.taken_at);
        if (!book) return book.error();
        out.book = *book;
        return out;
    });
    core::fault_point("outcome_recorded");
    if (frees_place) --settling_;
    if (!kept) {
        break_off(kept.error());  // the chunk stays in sending: the next run looks it up
        co_return;
    }
    if (kept->doubted) {
        v = std::move(*kept->doubted);
        session_.forget_connections();
    }
    gate.set_seen(kept->book);
    day_.move_to(kept->book[core::window_kind::day]);
    if (written) {
        day_.count(chunk.code == isolating);
        ++requests_;
        ++progress_.requests.requests;
        if (chunk.attempts > 0 || v.what == consequence::throttled) ++progress_.requests.retries;
        if (v.what == consequence::throttled) ++progress_.requests.rate_limited;
    }
    count(chunk_state::planned, chunk.contacts.size(), v.update);
    note_health(v.what, x);
    if (!written) isolation_.not_sent(chunk);
    if (auto rest = isolation_.outcome(chunk, v, now)) make_ready(std::move(*rest), steady_time{});
    take_children(std::move(kept->children));
    follow_up(std::move(chunk), v);
    co_await keep_limit();
}

// For later jobs of the team.
asio::awaitable<void> import_run::keep_limit() {
    if (!isolation_.take_limit_change()) co_return;
    const auto limit = isolation_.limit();
    auto kept = co_await session_.writer().write([this, &limit](ledger::ledger& l) {
        return l.save_contact_limit(job_.identity.base_url, job_.identity.team, limit);
    });
    if (!kept) break_off(kept.error());
}

// Something before Apollo kept the request from it. While others get through it is about this request, which may be
// tried so often; else it is an outage, and costs no row its place.
void import_run::weigh_gateway(verdict& v) const {
    const auto& send = env_.settings.send;
    const bool others_get_through = anything_created_ && !trouble_since_;
    if (others_get_through) ++v.update.attempts;
    if (others_get_through && v.update.attempts >= send.max_attempts) {
        v.update.state = chunk_state::refused;
        v.update.code = "attempts_used_up";
        v.update.message = fmt::format("not created in {} attempts while other requests succeeded; the last error: {}",
                                       v.update.attempts, v.report.message);
        v.update.settled_at = v.report.finished_at;
        return;
    }
    v.update.not_before =
        v.report.finished_at + backoff_ceiling({send.backoff_base, send.backoff_cap}, breaker_.failures_in_a_row() + 1);
}

// Why an answer belongs to another request; nothing: it does not, as far as can be seen. What comes later on the same
// connection is another's as well: each request there may be answered with what was meant for the one before. The
// outcomes of one connection come to the ledger's thread in their order, so none is believed by mistake.
result<std::optional<std::string>> import_run::why_not_ours(ledger::ledger& l, const client::exchange& x,
                                                            const core::indexed_ids& tasks) {
    using reason = std::optional<std::string>;
    if (x.reach == client::reach::not_sent) return reason();
    if (x.connection != 0 && distrusted_.contains(x.connection))
        return reason("an earlier answer on the same connection belonged to another request");
    auto claimed = claimed_before(l, tasks);
    if (!claimed) return claimed.error();
    if (!*claimed) return reason();
    distrusted_.insert(x.connection);
    return reason(fmt::format("the answer names task {}, which is another row's", **claimed));
}

// Replaces the refusal of a whole chunk by a search for what was refused. Gives why it is no answer to this request, if
// it is none.
asio::awaitable<result<std::optional<std::string>>> import_run::isolate(const ledger::chunk_record& chunk, verdict& v,
                                                                        const client::exchange& x, bool too_many) {
    struct group_state {
        bool proven = false;
        std::optional<std::string> doubted;
    };
    auto known = co_await session_.writer().ask<group_state>([&](ledger::ledger& l) -> result<group_state> {
        auto doubted = why_not_ours(l, x, {});
        if (!doubted) return doubted.error();
        auto proven = l.group_has_created(job_.id, chunk.group);
        if (!proven) return proven.error();
        return group_state{*proven, std::move(*doubted)};
    });
    if (!known) co_return known.error();
    if (!known->doubted) v.update = isolation_.after_refusal(chunk, v, too_many, known->proven, env_.clock.now());
    co_return std::move(known->doubted);
}

// A chunk that is split or refused by what was learnt, without a request.
asio::awaitable<void> import_run::change_unsent(ledger::chunk_record chunk, ledger::chunk_update update) {
    auto kept = co_await session_.writer().ask<std::vector<ledger::chunk_record>>(
        [&](ledger::ledger& l) { return change_chunk(l, update); });
    if (kept) {
        count(chunk_state::planned, chunk.contacts.size(), update);
        if (auto rest = isolation_.release_rest(chunk)) make_ready(std::move(*rest), steady_time{});
        take_children(std::move(*kept));
    } else {
        break_off(kept.error());
    }
    left_place();
}

// Where the chunk goes next within this run.
void import_run::follow_up(ledger::chunk_record chunk, const verdict& v) {
    for (const auto& line : v.notices)
        env_.watch.on_notice(line);
    if (v.what == consequence::trouble && v.update.state == chunk_state::planned && chunk.attempts > 0)
        budget_.refund();
    chunk.attempts = v.update.attempts;
    chunk.code = v.update.code;
    chunk.message = v.update.message;
    chunk.state = v.update.state;
    chunk.mark = v.update.mark.value_or(chunk.mark);
    if (v.update.state == chunk_state::planned && v.what == consequence::refusal && searches_full()) {
        left_in_ledger_ = true;
    } else if (v.update.state == chunk_state::planned) {
        const auto not_before = v.update.not_before ? steady(*v.update.not_before) : steady_time{};
        make_ready(std::move(chunk), not_before);
    } else if (v.update.state == chunk_state::doubtful) {
        newly_doubtful_.push_back(std::move(chunk));
    }
    if (v.what == consequence::key_wrong) break_off(key_refused());
    if (v.what == consequence::no_right)
        break_off({errc::forbidden, fmt::format("the API key may not use tasks/bulk_create (403): {}; a master key may",
                                                v.report.message)});
    if (v.what == consequence::no_route) break_off({errc::settings, v.report.message});
    if (refusals_.all_alike())
        break_off({errc::all_refused,
                   fmt::format("Apollo refused all that this job began with in the same words, {} contacts alone among "
                               "it, and has created nothing: {}; the other rows stay pending. Mend the cause and go on "
                               "with the job (retry also sends what was refused), or cancel it; send.refused_alike = 0 "
                               "sends the rest all the same",
                               refusals_.alone(), refusals_.words())});
}

void import_run::note_health(consequence what, const client::exchange& x) {
    const auto from = what == consequence::progress ? client::respondent::apollo : client::respondent_of(x);
    if (what == consequence::no_route) return;  // the run ends
    if (what == consequence::trouble || what == consequence::gateway) {
        breaker_.failed(env_.clock.steady_now(), random_);
        width_.failed();
        if (!trouble_since_) trouble_since_ = env_.clock.steady_now();
        last_trouble_ = x;
        last_trouble_.body.clear();
        if (from == client::respondent::gateway) {
            // A block, or a page to log in, will not go away for being asked again.
            constexpr int not_so = 400, too_large = 413, unprocessable = 422;
            const bool for_good = x.status != not_so && x.status != too_large && x.status != unprocessable;
            auto why = client::not_apollo(x, to_string(route::bulk_create));
            last_trouble_.error_text = why.text;
            ++unreached_in_a_row_;
            if (for_good && !anything_created_) break_off(std::move(why));
        } else if (x.reach == client::reach::not_sent) {
            note_unreached(x);
        } else {
            any_answer_ = true;
        }
        return;
    }
    any_answer_ = true;
    unreached_in_a_row_ = 0;
    if (what == consequence::throttled) {
        told_wait_ = client::parse_retry_after(x.retry_after, env_.clock.now());
        breaker_.abandoned();
        return;
    }
    trouble_since_.reset();
    breaker_.succeeded();
    width_.succeeded();
    if (what != consequence::progress) return;
    anything_created_ = true;
    refusals_.end();
}

void import_run::note_unreached(const client::exchange& x) {
    ++unreached_in_a_row_;
    if (!trouble_since_) trouble_since_ = env_.clock.steady_now();
    last_trouble_ = x;
}

// ------------------------------------------------------------------------------------------------------------- doubt

asio::awaitable<void> import_run::take_in_doubts() {
    while (!newly_doubtful_.empty() && !broken_) {
        auto chunk = std::move(newly_doubtful_.back());
        newly_doubtful_.pop_back();
        if (auto r = co_await add_doubt(std::move(chunk)); !r) break_off(r.error());
    }
}

namespace {

// Takes in the attempts of a chunk and of those that it was split from: its tasks may stem from any of them.
result<void> take_in_attempts(ledger::ledger& l, doubt& d, ledger::event_number start) {
    core::chunk_id id = d.chunk.id, parent = d.chunk.parent;
    d.begun = d.ended = 0;
    d.started_at = d.not_created_before = core::instant::max();
    while (true) {
        auto attempts = l.attempts_of_chunk(id);
        if (!attempts) return attempts.error();
        for (const auto& a : *attempts) {
            d.begun = d.begun == 0 ? a.begun : std::min(d.begun, a.begun);
            d.ended = std::max(d.ended, a.ended);
            d.started_at = std::min(d.started_at, a.started_at);
            d.not_created_before = std::min(d.not_created_before, a.report.server_date.value_or(a.started_at));
        }
        if (parent == 0 || parent >= id) break;  // parents are older: a bound whatever the ledger says
        id = parent;
        auto up = l.chunk(id);
        if (!up) return up.error();
        parent = up->parent;
    }
    // A chunk of an accepted ledger was sent by requests that this ledger does not know, if at all.
    const bool unknown_requests = d.begun == 0 || d.chunk.code == ledger::ledger_accepted;
    if (unknown_requests) {
        d.begun = 0;
        d.ended = start;
        d.started_at = d.not_created_before = core::instant::min();
    }
    return {};
}

}  // namespace

asio::awaitable<result<void>> import_run::add_doubt(ledger::chunk_record chunk) {
    const auto same = [&](const doubt& d) { return d.chunk.id == chunk.id; };
    if (std::any_of(doubts_.begin(), doubts_.end(), same)) co_return result<void>();
    doubt d;
    d.chunk = std::move(chunk);
    d.quiet_since = d.next_scan = env_.clock.steady_now();
    auto read = co_await session_.writer().ask<doubt>([&](ledger::ledger& l) -> result<doubt> {
        auto known = d;
        if (auto r = take_in_attempts(l, known, events_before_); !r) return r.error();
        return known;
    });
    if (!read) co_return read.error();
    doubts_.push_back(std::move(*read));
    co_return result<void>();
}

settlement_rules import_run::rules() const {
    settlement_rules r;
    if (purpose_ == run_purpose::cancel) r.absent = settlement_rules::absent_rows::mark_cancelled;
    if (purpose_ == run_purpose::verify && job_.state == core::job_state::completed)
        r.absent = settlement_rules::absent_rows::mark_not_created;
    if (sends() && env_.settings.send.when_unverifiable == core::unverifiable_policy::resend)
        r.undecidable = settlement_rules::undecidable_rows::resend;
    r.max_attempts = env_.settings.send.max_attempts;
    r.others_succeed = anything_created_;
    return r;
}

asio::awaitable<void> import_run::look_up_pass() {
    const auto now = env_.clock.steady_now();
    // Those that are due, and their neighbours of the same due date: their span is read anyway.
    std::vector<doubt> due;
    for (const auto& d : doubts_) {
        const auto same_date = [&](const doubt& other) {
            return other.next_scan <= now && other.chunk.details.due_at == d.chunk.details.due_at;
        };
        if (std::any_of(doubts_.begin(), doubts_.end(), same_date)) due.push_back(d);
    }
    // What earlier answers left on a connection must not be read as this list.
    session_.forget_connections();
    look_up reader(session_);
    const auto pass = co_await reader.scan(due);
    note_pass(pass.end);
    for (const auto& seen : due) {
        const auto view = pass.spans.find(seen.chunk.details.due_at);
        if (view == pass.spans.end() || broken_) continue;
        auto at =
            std::find_if(doubts_.begin(), doubts_.end(), [&](const doubt& d) { return d.chunk.id == seen.chunk.id; });
        if (co_await weigh_doubt(*at, view->second)) doubts_.erase(at);
    }
}

asio::awaitable<bool> import_run::weigh_doubt(doubt& d, const span_view& view) {
    std::vector<const doubt*> neighbours;
    for (const auto& other : doubts_)
        if (other.chunk.details.due_at == d.chunk.details.due_at) neighbours.push_back(&other);
    const bool nothing_else = only_doubts_left();
    const auto pioneer = nothing_else ? next_pioneer() : std::nullopt;
    const bool last_chance = (nothing_else && !pioneer) || !sends();
    const auto ended = d.ended;
    if (pioneer == d.chunk.id) d.ended = 0;
    const auto findings = judge(d, view, neighbours);
    const auto problem = problem_of(d, view);
    d.ended = ended;
    const auto weighed =
        weigh(d, findings, problem, env_.clock.steady_now(), env_.settings.send.settle_time, last_chance);
    if (weighed.what == settlement::scan_again) co_return false;
    if (pioneer == d.chunk.id) pioneer_sent_ = true;
    co_return co_await settle_doubt(d, weighed.findings);
}

// What the retry budget keeps back is not sent in this run: nothing that it could show is worth waiting for.
bool import_run::only_doubts_left() const {
    const auto sendable = [this](const ready_chunk& r) { return may_send(r); };
    return std::none_of(ready_.begin(), ready_.end(), sendable) && all_loaded_ && in_flight_ == 0;
}

// Of a ledger that was accepted all that is left is in doubt, so nothing could ever be created that shows how far the
// search has come. One chunk goes ahead when any task that is known shows and its own do not; what it creates is the
// control of the others.
std::optional<core::chunk_id> import_run::next_pioneer() const {
    if (!sends() || pioneer_sent_) return std::nullopt;
    for (const auto& d : doubts_)
        if (d.begun == 0) return d.chunk.id;
    return std::nullopt;
}

// False: not settled after all.
asio::awaitable<bool> import_run::settle_doubt(doubt& d, const std::vector<row_finding>& findings) {
    auto update = after_look_up(d.chunk, findings, held_code(d.why), held_message(d.why), rules(), env_.clock.now());
    update.found_since = std::max<ledger::event_number>(d.begun, 1);
    core::fault_point("before_settlement");
    using children = std::optional<std::vector<ledger::chunk_record>>;
    auto kept = co_await session_.writer().ask<children>([&](ledger::ledger& l) -> result<children> {
        // Another process may have adopted one of them since the scan.
        auto claimed = claimed_before(l, update.created);
        if (!claimed) return claimed.error();
        if (*claimed) return children();
        auto made = change_chunk(l, update);
        if (!made) return made.error();
        return children(std::move(*made));
    });
    core::fault_point("after_settlement");
    if (!kept) {
        break_off(kept.error());
        co_return false;
    }
    if (!*kept) {
        d.last.reset();
        d.quiet_since = d.next_scan = env_.clock.steady_now();
        co_return false;
    }
    count(chunk_state::doubtful, d.chunk.contacts.size(), update);
    take_children(std::move(**kept));
    if (update.state == chunk_state::planned && d.chunk.id > last_loaded_ && !children_.contains(d.chunk.id)) {
        all_loaded_ = false;  // reading ahead comes to it by itself
    } else if (update.state == chunk_state::planned) {
        auto again = d.chunk;
        again.state = update.state;
        again.code = update.code;
        again.possible_duplicate = update.possible_duplicate;
        make_ready(std::move(again), steady_time{});
    }
    if (update.state == chunk_state::created || !update.created.empty()) anything_created_ = true;
    co_return true;
}

// One of the tasks that the ledger has for another row already; nothing: they are all new.
result<std::optional<std::string>> import_run::claimed_before(ledger::ledger& l, const core::indexed_ids& tasks) const {
    using claimed = std::optional<std::string>;
    if (tasks.empty()) return claimed();
    std::vector<std::string> ids;
    ids.reserve(tasks.size());
    for (const auto [index, task] : tasks)
        ids.emplace_back(task);
    auto known = l.recorded_tasks(job_.identity.base_url, job_.identity.team, ids);
    if (!known) return known.error();
    return known->empty() ? claimed() : claimed(known->front().task_id);
}

// What kept a pass from reading all it wanted: the rest waits.
void import_run::note_pass(const reading_end& end) {
    search_opens_.reset();
    if (end.failed) break_off(end.failed->code == errc::unauthorized ? key_refused() : *end.failed);
    // Nothing of Apollo's is there, unless creating has worked: then it is this route alone.
    if (end.trouble && end.trouble->code == errc::settings && !anything_created_) break_off(*end.trouble);
    if (end.wait_until) search_opens_ = steady(*end.wait_until);
    if (!end.trouble) {
        search_failures_ = 0;
        if (!end.ended) any_answer_ = true;
        return;
    }
    ++search_failures_;
    last_trouble_ = {};
    last_trouble_.error_text = end.trouble->text;
    if (end.trouble->code == errc::unreachable) ++unreached_in_a_row_;
    if (!trouble_since_) trouble_since_ = env_.clock.steady_now();
    const auto& send = env_.settings.send;
    search_opens_ = env_.clock.steady_now() +
                    backoff_ceiling({send.backoff_base, send.backoff_cap}, search_failures_) / 2 +
                    backoff_delay({send.backoff_base, send.backoff_cap}, search_failures_, random_) / 2;
}

// ---------------------------------------------------------------------------------------------------------- deciding

bool import_run::may_send(const ready_chunk& r) const {
    return r.chunk.attempts == 0 || budget_.left() > 0;
}

// When it may leave as far as its own past decides, and the day's share for searches.
steady_time import_run::ready_at(const ready_chunk& r, std::optional<steady_time> search_opens) const {
    return r.chunk.code == isolating && search_opens ? std::max(r.not_before, *search_opens) : r.not_before;
}

// Clean chunks go first, unless they are likely to be refused like those before. Of searches for what was refused the
// latest is brought to its end before another goes on: what it finds out spares the others requests.
std::deque<import_run::ready_chunk>::iterator import_run::next_ready(steady_time now) {
    const auto search_opens = searches_open();
    auto latest = ready_.end(), doomed = ready_.end();
    for (auto at = ready_.begin(); at != ready_.end(); ++at) {
        if (ready_at(*at, search_opens) > now || !may_send(*at)) continue;
        if (at->chunk.code == isolating)
            latest = at;
        else if (!isolation_.better_later(at->chunk))
            return at;
        else if (doomed == ready_.end())
            doomed = at;
    }
    return latest != ready_.end() ? latest : doomed;
}

// When searches may go on that have had their share of the day. Nothing: now, or the user has set a budget himself.
std::optional<steady_time> import_run::searches_open() const {
    if (env_.settings.send.isolation_budget) return std::nullopt;
    const auto opens = day_.search_opens(session_.windows(route::bulk_create).seen()[core::window_kind::day],
                                         env_.settings.limits.lengths[static_cast<std::size_t>(core::window_kind::day)],
                                         env_.clock.now());
    return opens ? std::optional(steady(*opens)) : std::nullopt;
}

void import_run::took_place() {
    ++in_flight_;
    expect_commits();
}

void import_run::left_place() {
    --in_flight_;
    expect_commits();
    bell_.ring();
}

// Each connection that is at work brings an outcome, and the next chunk's intent with it.
void import_run::expect_commits() {
    session_.writer().expect_together(2 * std::size_t{in_flight_ - settling_});
}

void import_run::send_next() {
    const auto now = env_.clock.steady_now();
    const auto next = next_ready(now);
    if (next == ready_.end()) return;
    auto change = isolation_.before_send(next->chunk, env_.clock.now());
    if (!change && !breaker_.allow(now)) return;
    auto chosen = std::move(*next);
    ready_.erase(next);
    took_place();
    if (change) {
        sends_.spawn(change_unsent(std::move(chosen.chunk), std::move(*change)));
        return;
    }
    if (chosen.chunk.attempts > 0) budget_.spend();
    isolation_.sending(chosen.chunk);
    sends_.spawn(send_one(std::move(chosen)));
}

run_view import_run::view() const {
    run_view v;
    v.now = env_.clock.steady_now();
    v.stop_asked = env_.stop.level() != stop_level::none;
    v.broken = broken_.has_value();
    v.in_flight = in_flight_;
    v.settling = settling_;
    // Until something was created the way to Apollo is not known to be good: one request at a time finds that out.
    v.room = anything_created_ ? width_.width() : 1;
    v.ready_at = steady_time::max();
    const auto search_opens = searches_open();
    bool all_doomed = true;
    for (const auto& r : ready_) {
        if (!may_send(r)) continue;
        ++v.ready;
        const auto at = ready_at(r, search_opens);
        if (at < v.ready_at) v.ready_waits = at > r.not_before ? waits_for::search_share : waits_for::backoff;
        v.ready_at = std::min(v.ready_at, at);
        all_doomed = all_doomed && (at > v.now || isolation_.better_later(r.chunk));
    }
    v.last_ready = all_loaded_ && !left_in_ledger_ && !loading_ && ready_.size() == 1;
    v.better_alone = all_doomed;
    if (v.ready == 0 && !ready_.empty()) {
        v.ready = ready_.size();
        v.resend_budget_spent = true;
    }
    const auto place = session_.windows(route::bulk_create).peek();
    if (!place.granted) {
        v.window_opens = steady(place.wait_until);
        v.window_after_answer = place.after_answer;
    }
    if (breaker_.current(v.now) != circuit_breaker::state::closed)
        v.breaker_opens = breaker_.wait_until().value_or(v.now + publish_interval);
    v.doubts = doubts_.size();
    v.scan_due = steady_time::max();
    for (const auto& d : doubts_)
        v.scan_due = std::min(v.scan_due, d.next_scan);
    v.look_up_opens = search_opens_;
    v.settle_time = env_.settings.send.settle_time;
    v.max_wait = env_.settings.send.max_wait;
    v.outage_over_limit = outage_over_limit();
    return v;
}

// An outage parks the job when it lasts longer than any wait may, and soon when Apollo was never reached at all: then
// it is more likely the settings than the weather.
bool import_run::outage_over_limit() const {
    if (!trouble_since_) return false;
    const auto lasted = env_.clock.steady_now() - *trouble_since_;
    if (lasted > env_.settings.send.max_wait) return true;
    if (any_answer_) return false;
    const bool hopeless = last_trouble_.tls_or_name_problem;
    return hopeless ? unreached_in_a_row_ >= tries_when_hopeless && lasted >= patience_when_hopeless
                    : unreached_in_a_row_ >= env_.settings.send.max_attempts && lasted >= patience_when_unreached;
}

run_end import_run::end_of(const next_move& move) const {
    if (broken_) return {broken_, std::nullopt};
    if (env_.stop.level() != stop_level::none)
        return {failure{errc::interrupted, std::string("stopped on request")}, {}};
    if (move.what == next_move::kind::finish) return {};
    if (!any_answer_ && unreached_in_a_row_ > 0)
        return {failure{errc::unreachable, fmt::format("no answer from Apollo at {}: {}", env_.settings.apollo.base_url,
                                                       last_trouble_.error_text)},
                {}};
    if (outage_over_limit())
        return {failure{errc::waiting, fmt::format("Apollo has not answered usefully for {}; the rest stays pending{}",
                                                   core::format_duration(env_.settings.send.max_wait), last_words())},
                {}};
    if (move.why == waits_for::health)
        return {failure{errc::waiting,
                        fmt::format("the retries of this run are used up ({}, send.retry_budget); run again later",
                                    budget_.spent())},
                {}};
    const auto until = wall(move.until);
    return {failure{errc::waiting,
                    fmt::format("waiting for {} until {}, longer than send.max_wait = {}{}", describe_wait(move.why),
                                core::to_rfc3339_seconds(until), core::format_duration(env_.settings.send.max_wait),
                                move.why == waits_for::window ? told_by_server() : std::string())},
            until};
}

// What the latest trouble was.
std::string import_run::last_words() const {
    const auto& x = last_trouble_;
    if (!x.error_text.empty()) return "; the last: " + x.error_text;
    return x.status != 0 ? fmt::format("; the last answer: status {}", x.status) : std::string();
}

std::string import_run::describe_wait(waits_for why) const {
    switch (why) {
        case waits_for::window: {
            const auto kind = session_.windows(route::bulk_create).peek().binding;
            return fmt::format("the {} window of tasks/bulk_create", core::to_string(kind));
        }
        case waits_for::search_window:
            return "tasks/search, to look rows in doubt up";
        case waits_for::settling:
            return "rows in doubt to settle";
        case waits_for::backoff:
            return "the next try";
        case waits_for::search_share:
            return "the next day's share of requests for finding what Apollo refuses";
        case waits_for::health:
            return "Apollo to recover";
        case waits_for::answers:
            return "answers";
        case waits_for::nothing:
            break;
    }
    return {};
}

// What the server said that has a window shut: a wrong number of its would else look like a long wait of ours.
std::string import_run::told_by_server() const {
    const auto& windows = session_.windows(route::bulk_create);
    for (const auto kind : core::all_window_kinds) {
        const auto& w = windows.seen()[kind];
        if (!w.unlimited && w.limit == std::uint64_t{0})
            return fmt::format("; odd: Apollo says that the limit of a {} is 0", core::to_string(kind));
    }
    if (!windows.seen()[windows.peek().binding].shut || !told_wait_) return {};
    const auto told = std::chrono::floor<std::chrono::seconds>(*told_wait_).count();
    const auto longest = std::ranges::max(env_.settings.limits.lengths);
    return fmt::format("; Apollo's 429 asks to wait {} s{}", told,
                       *told_wait_ > longest ? ", which is odd: no window lasts that long" : "");
}

void import_run::publish(const next_move& move) {
    const auto now = env_.clock.steady_now();
    if (now - last_published_ < publish_interval) return;
    last_published_ = now;
    auto p = progress_;
    p.in_flight = in_flight_;
    const bool waits = move.what == next_move::kind::wait && move.why != waits_for::answers;
    if (env_.stop.level() != stop_level::none)
        p.phase = phase::stopping;
    else if (move.what == next_move::kind::look_up)
        p.phase = phase::looking_up;
    else if (waits && in_flight_ == 0)
        p.phase = phase::waiting;
    else
        p.phase = phase::sending;
    if (waits) {
        p.waiting_for = describe_wait(move.why);
        p.waiting_until = wall(move.until);
    }
    if (p.phase == phase::stopping) {
        const auto grace = grace_ends(now);
        p.waiting_until = grace ? std::optional(wall(*grace)) : std::nullopt;
    }
    const auto sendable = p.rows.created + p.rows.pending + p.rows.unknown + p.rows.failed;
    if (p.rows.pending > 0 && sendable > 0) {
        const auto left = (p.rows.pending * job_.minimum_requests + sendable - 1) / sendable;
        p.expected_end = client::forecast_end(session_.windows(route::bulk_create).seen(), env_.settings.limits, left,
                                              env_.clock.now())
                             .end;
    }
    env_.watch.on_progress(p);
}

void import_run::count(chunk_state before, std::size_t rows, const ledger::chunk_update& update) {
    auto& c = progress_.rows;
    tally(c, row_state_of(before)) -= rows;
    c.created += update.created.size();
    if (update.state != chunk_state::split) {
        tally(c, row_state_of(update.state)) += rows - update.created.size();
        return;
    }
    for (const auto& child : update.children)
        tally(c, row_state_of(child.state)) += child.indexes.size();
}

void import_run::break_off(failure why) {
    if (!broken_) broken_ = std::move(why);
    bell_.ring();
}

core::instant import_run::wall(steady_time t) const {
    return env_.clock.now() + std::chrono::ceil<milliseconds>(t - env_.clock.steady_now());
}

steady_time import_run::steady(core::instant t) const {
    return env_.clock.steady_now() + (t - env_.clock.now());
}

}  // namespace taskbarge::job
