#include "job/sending/doubt_book.hpp"

#include <algorithm>
#include <utility>

namespace taskbarge::job {

using core::result;

void doubt_book::add(std::vector<ledger::chunk_record> chunks) {
    for (auto& chunk : chunks)
        if (!is_held(chunk) || looks_at_held(purpose_)) new_ones_.push_back(std::move(chunk));
}

std::optional<ledger::chunk_record> doubt_book::take_new() {
    while (!new_ones_.empty()) {
        auto chunk = std::move(new_ones_.front());
        new_ones_.pop_front();
        if (find(chunk.id) == doubts_.end()) return chunk;
    }
    return std::nullopt;
}

void doubt_book::begin(doubt d, steady_time now) {
    d.quiet_since = d.next_scan = now;
    doubts_.push_back(std::move(d));
}

std::vector<doubt>::iterator doubt_book::find(core::chunk_id chunk) {
    return std::find_if(doubts_.begin(), doubts_.end(), [&](const doubt& d) { return d.chunk.id == chunk; });
}

std::vector<doubt> doubt_book::due(steady_time now) const {
    std::vector<doubt> out;
    for (const auto& d : doubts_) {
        const auto due_with_it = [&](const doubt& other) {
            return other.next_scan <= now && other.chunk.details.due_at == d.chunk.details.due_at;
        };
        if (std::any_of(doubts_.begin(), doubts_.end(), due_with_it)) out.push_back(d);
    }
    return out;
}

void doubt_book::hasten_all() {
    for (auto& d : doubts_)
        hasten(d, settings_.send.settle_time);
}

// Of a ledger that was accepted all that is left is in doubt, so nothing could ever be created that shows how far the
// search has come. One chunk goes ahead when any task that is known shows and its own do not; what it creates is the
// control of the others.
std::optional<core::chunk_id> doubt_book::next_pioneer() const {
    if (!sends(purpose_) || pioneer_sent_) return std::nullopt;
    for (const auto& d : doubts_)
        if (d.begun == 0) return d.chunk.id;
    return std::nullopt;
}

settlement_rules doubt_book::rules(bool others_succeed) const {
    settlement_rules r;
    if (purpose_ == run_purpose::cancel) r.absent = settlement_rules::absent_rows::mark_cancelled;
    if (purpose_ == run_purpose::verify && finished_) r.absent = settlement_rules::absent_rows::mark_not_created;
    if (sends(purpose_) && settings_.send.when_unverifiable == core::unverifiable_policy::resend)
        r.undecidable = settlement_rules::undecidable_rows::resend;
    r.max_attempts = settings_.send.max_attempts;
    r.others_succeed = others_succeed;
    return r;
}

std::optional<doubt_book::settlement> doubt_book::weigh(core::chunk_id chunk, const span_view& view, bool only_doubts,
                                                        bool others_succeed, const moment& now) {
    auto& d = *find(chunk);
    std::vector<const doubt*> neighbours;
    for (const auto& other : doubts_)
        if (other.chunk.details.due_at == d.chunk.details.due_at) neighbours.push_back(&other);
    const auto pioneer = only_doubts ? next_pioneer() : std::nullopt;
    const bool last_chance = (only_doubts && !pioneer) || !sends(purpose_);
    // The pioneer is judged as one whose request ended before all that is known: any control will do.
    const auto ended = d.ended;
    if (pioneer == chunk) d.ended = 0;
    auto findings = judge(d, view, neighbours);
    const auto problem = problem_of(d, view);
    d.ended = ended;
    const auto weighed =
        job::weigh(d, std::move(findings), problem, now.steady, settings_.send.settle_time, last_chance);
    if (weighed.what == job::settlement::scan_again) return std::nullopt;
    if (pioneer == chunk) pioneer_sent_ = true;
    auto update = after_look_up(d.chunk, weighed.findings, held_code(d.why), held_message(d.why), rules(others_succeed),
                                now.wall);
    update.found_since = std::max<ledger::event_number>(d.begun, 1);
    return settlement{d.chunk, std::move(update)};
}

void doubt_book::settled(core::chunk_id chunk) {
    doubts_.erase(find(chunk));
}

void doubt_book::claimed_by_others(core::chunk_id chunk, steady_time now) {
    auto& d = *find(chunk);
    d.last.reset();
    d.quiet_since = d.next_scan = now;
}

void doubt_book::describe(run_view& v) const {
    v.doubts = doubts_.size();
    v.scan_due = steady_time::max();
    for (const auto& d : doubts_)
        v.scan_due = std::min(v.scan_due, d.next_scan);
}

result<doubt> doubt_of(ledger::ledger& l, const ledger::chunk_record& chunk, ledger::event_number start) {
    doubt d;
    d.chunk = chunk;
    d.started_at = d.not_created_before = core::instant::max();
    core::chunk_id id = chunk.id, parent = chunk.parent;
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
    if (d.begun == 0 || chunk.code == ledger::ledger_accepted) {
        d.begun = 0;
        d.ended = start;
        d.started_at = d.not_created_before = core::instant::min();
    }
    return d;
}

}  // namespace taskbarge::job
