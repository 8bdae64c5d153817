#include "job/sending/chunk_records.hpp"

#include <fmt/format.h>

#include <utility>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

using core::chunk_state;
using core::result;
using ledger::chunk_record;

namespace {

constexpr std::size_t chunks_at_once = 64;
constexpr std::string_view interrupted_code = "interrupted";
constexpr std::string_view interrupted_message = "the process ended while the request was under way";

}  // namespace

result<std::vector<chunk_record>> change_chunk(ledger::ledger& l, const ledger::chunk_update& update) {
    auto ids = l.update_chunk(update);
    if (!ids) return ids.error();
    std::vector<chunk_record> children;
    for (const auto id : *ids) {
        auto child = l.chunk(id);
        if (!child) return child.error();
        children.push_back(std::move(*child));
    }
    return children;
}

result<chunk_records::intent> chunk_records::take_place(ledger::ledger& l, core::chunk_id chunk,
                                                        std::optional<core::instant> server_time) {
    auto place = windows_.take(l);
    if (!place) return place.error();
    place->server_time = server_time;
    intent out{*place, std::nullopt};
    if (!place->decision.granted) return out;
    core::fault_point("before_intent");
    auto attempt = l.record_intent({chunk, place->taken_at, server_time});
    if (!attempt) return attempt.error();
    out.attempt = *attempt;
    return out;
}

result<chunk_records::refusal_context> chunk_records::look_at_refusal(ledger::ledger& l, const chunk_record& chunk,
                                                                      const client::exchange& x) {
    auto doubted = why_not_ours(l, x, {});
    if (!doubted) return doubted.error();
    auto proven = l.group_has_created(job_.id, chunk.group);
    if (!proven) return proven.error();
    return refusal_context{std::move(*doubted), *proven};
}

result<recorded_outcome> chunk_records::record(ledger::ledger& l, const chunk_record& chunk, const verdict& v,
                                               const client::creation& made, core::instant taken_at) {
    core::fault_point("before_outcome");
    recorded_outcome out;
    auto doubted = why_not_ours(l, made.http, v.update.created);
    if (!doubted) return doubted.error();
    if (*doubted) out.doubted = not_ours(chunk, v, made, std::move(**doubted));
    const verdict& outcome = out.doubted ? *out.doubted : v;
    const bool written = made.http.reach != client::reach::not_sent;
    if (auto r = l.record_report(outcome.report, written); !r) return r.error();
    auto children = change_chunk(l, outcome.update);
    if (!children) return children.error();
    out.children = std::move(*children);
    auto book = windows_.learn(l, made.http, taken_at);
    if (!book) return book.error();
    out.book = *book;
    return out;
}

result<std::optional<std::vector<chunk_record>>> chunk_records::settle(ledger::ledger& l,
                                                                       const ledger::chunk_update& update) {
    using children = std::optional<std::vector<chunk_record>>;
    // Another process may have adopted one of them since the scan.
    auto claimed = claimed_before(l, update.created);
    if (!claimed) return claimed.error();
    if (*claimed) return children();
    auto made = change_chunk(l, update);
    if (!made) return made.error();
    return children(std::move(*made));
}

// What comes later on the same connection is another's as well: each request there may be answered with what was meant
// for the one before. The outcomes of one connection come here in their order, so none is believed by mistake.
result<doubted_answer> chunk_records::why_not_ours(ledger::ledger& l, const client::exchange& x,
                                                   const core::indexed_ids& tasks) {
    if (x.reach == client::reach::not_sent) return doubted_answer();
    if (x.connection != 0 && distrusted_.contains(x.connection))
        return doubted_answer("an earlier answer on the same connection belonged to another request");
    auto claimed = claimed_before(l, tasks);
    if (!claimed) return claimed.error();
    if (!*claimed) return doubted_answer();
    distrusted_.insert(x.connection);
    return doubted_answer(fmt::format("the answer names task {}, which is another row's", **claimed));
}

// One of the tasks that the ledger has for another row already. Nothing: they are all new.
result<std::optional<std::string>> chunk_records::claimed_before(ledger::ledger& l,
                                                                 const core::indexed_ids& tasks) const {
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

result<bool> chunk_records::recover(ledger::ledger& l, core::instant now) {
    bool any = false;
    while (true) {
        auto sending = l.chunks(job_.id, chunk_state::sending, 0, chunks_at_once);
        if (!sending) return sending.error();
        if (sending->empty()) return any;
        any = true;
        for (const auto& chunk : *sending) {
            if (auto r = give_up_attempts(l, chunk, now); !r) return r.error();
            ledger::chunk_update update;
            update.chunk = chunk.id;
            update.state = chunk_state::doubtful;
            update.code = interrupted_code;
            update.message = interrupted_message;
            update.attempts = chunk.attempts + 1;
            update.possible_duplicate = chunk.possible_duplicate;
            if (auto r = l.update_chunk(update); !r) return r.error();
        }
    }
}

// Their places in the windows count, and will not be answered.
result<void> chunk_records::give_up_attempts(ledger::ledger& l, const chunk_record& chunk, core::instant now) {
    auto attempts = l.attempts_of_chunk(chunk.id);
    if (!attempts) return attempts.error();
    for (const auto& a : *attempts) {
        if (a.report.what != ledger::attempt_result::open) continue;
        ledger::attempt_report report;
        report.attempt = a.id;
        report.what = ledger::attempt_result::doubtful;
        report.finished_at = now;
        report.code = interrupted_code;
        report.message = interrupted_message;
        report.evidence = request_evidence(chunk);
        if (auto r = l.record_report(report, true); !r) return r.error();
        auto lost = windows_.change(l, [&](core::rate_book& book) { client::observe_lost(book, a.started_at); });
        if (!lost) return lost.error();
    }
    return {};
}

result<earlier_refusals> chunk_records::earlier(ledger::ledger& l) const {
    auto learnt = l.learnt(job_.id);
    if (!learnt) return learnt.error();
    auto limit = l.load_contact_limit(job_.identity.base_url, job_.identity.team);
    if (!limit) return limit.error();
    auto book = windows_.load(l);
    if (!book) return book.error();
    earlier_refusals out{std::move(*learnt), *limit, (*book)[core::window_kind::day], {}};
    if (!out.day.opened_at) return out;
    auto today = l.requests_since(job_.id, *out.day.opened_at);
    if (!today) return today.error();
    out.today = *today;
    return out;
}

}  // namespace taskbarge::job
