#include "job/look_up/evidence.hpp"

#include <algorithm>

#include "taskbarge/job/retry_policy.hpp"

namespace taskbarge::job {

using client::seen_task;
using namespace std::chrono_literals;

namespace {

// Between two scans that disagree; between scans that prove nothing it doubles up to the longest, since each costs
// some of the search's windows.
constexpr backoff_terms scan_pauses{5s, 5min};
// A list that changes under every scan is given up after so many, when nothing else is left to do.
constexpr std::uint32_t most_scans = 6;
// Apollo's clock is known to the second, and a task's creation may be stamped a little before the request came in.
constexpr auto created_slack = 10min;

bool same_but_for_note(const seen_task& t, const core::task_details& d) {
    return t.user_id == d.user_id && t.type == core::to_string(d.type) && t.priority == core::to_string(d.priority) &&
           t.status == core::to_string(d.status) && t.due_at == d.due_at;
}

bool asked_for_by(const seen_task& t, const doubt& d) {
    return same_details(t, d.chunk.details) &&
           std::find(d.chunk.contacts.contact_ids.begin(), d.chunk.contacts.contact_ids.end(), t.contact_id) !=
               d.chunk.contacts.contact_ids.end();
}

// Before this the attempt cannot have made a task, whichever of the clocks is right.
core::instant earliest_stamp(const doubt& d, const span_view& view) {
    auto earliest = std::min(d.not_created_before, d.started_at);
    if (earliest == core::instant::min()) return earliest;  // no request is known: any time fits
    // Only stamps that may be behind our clock matter: one that is ahead makes no task look too old.
    if (view.stamps_ahead) earliest = std::min(earliest, d.started_at + *view.stamps_ahead);
    return earliest - created_slack;
}

bool asked_for_by_another(const seen_task& t, const doubt& d, const std::vector<const doubt*>& others) {
    return std::any_of(others.begin(), others.end(),
                       [&](const doubt* o) { return o->chunk.id != d.chunk.id && asked_for_by(t, *o); });
}

bool agree(const std::vector<row_finding>& a, const std::vector<row_finding>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.what == y.what && x.task_id == y.task_id; });
}

std::size_t count(const std::vector<row_finding>& all, finding what) {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& f) { return f.what == what; }));
}

// Adds what one task that no row claims says about one row. The earliest exact match is adopted: of two, either serves.
void consider(const seen_task& task, const doubt& d, core::instant earliest, const std::vector<const doubt*>& others,
              row_finding& row, std::optional<core::instant>& adopted_created_at) {
    // A task without a stamp is never adopted: it may be an old one.
    const bool since = task.created_at && *task.created_at >= earliest;
    if (same_details(task, d.chunk.details) && since) {
        if (row.what == finding::present && adopted_created_at <= task.created_at) return;
        row = {finding::present, task.id};
        adopted_created_at = task.created_at;
        return;
    }
    // It may be ours all the same. That the stamp of what was asked for does not fit may be a clock's fault, and a note
    // Apollo may have tidied: no clock may turn that into absence. What differs more is ours only if it is as young.
    const bool perhaps = same_but_for_note(task, d.chunk.details) || since || !task.created_at;
    if (perhaps && row.what != finding::present && !asked_for_by_another(task, d, others))
        row.what = finding::undecidable;
}

}  // namespace

bool same_details(const seen_task& task, const core::task_details& details) {
    return same_but_for_note(task, details) && task.note == details.note;
}

std::string held_code(doubt_reason why) {
    switch (why) {
        case doubt_reason::not_visible:
            return "held_not_visible";
        case doubt_reason::list_changing:
            return "held_list_changing";
        case doubt_reason::not_sorted:
            return "held_not_sorted";
        case doubt_reason::index_unproven:
            return "held_index_unproven";
        case doubt_reason::forbidden:
            return "held_search_forbidden";
        case doubt_reason::search_failing:
            return "held_search_failing";
        case doubt_reason::mismatch:
        case doubt_reason::none:
            break;
    }
    return "held_mismatch";
}

std::string held_message(doubt_reason why) {
    switch (why) {
        case doubt_reason::not_visible:
            return "may have been created: Apollo's search does not show all of the team's tasks, so the look-up "
                   "cannot "
                   "tell";
        case doubt_reason::list_changing:
            return "may have been created: the task list changed during every look-up; `verify` tries again";
        case doubt_reason::not_sorted:
            return "may have been created: Apollo's search did not sort by due date, so the look-up cannot tell";
        case doubt_reason::index_unproven:
            return "may have been created: no task showed up in the look-up that was made after this request, so the "
                   "search may be late; `verify` decides once later tasks were created";
        case doubt_reason::forbidden:
            return "may have been created: the key may not use tasks/search; give it that right and `verify`";
        case doubt_reason::search_failing:
            return "may have been created: the search gave no usable answer; `verify` tries again";
        case doubt_reason::mismatch:
        case doubt_reason::none:
            break;
    }
    return "may have been created: a task of this contact with that due date differs in another field or seems too "
           "old; look at it in Apollo";
}

doubt_reason problem_of(const doubt& d, const span_view& view) {
    if (view.problem != doubt_reason::none) return view.problem;
    // A task that was made after this request's outcome shows, so what the request made would show, too.
    return view.proven_to[d.chunk.details.status] > d.ended ? doubt_reason::none : doubt_reason::index_unproven;
}

std::vector<row_finding> judge(const doubt& d, const span_view& view, const std::vector<const doubt*>& others) {
    boost::unordered_flat_map<std::string_view, std::uint32_t> index;
    for (std::uint32_t i = 0; i < d.chunk.contacts.size(); ++i)
        index.emplace(d.chunk.contacts.contact_ids[i], i);
    // Presence is proven by the task itself, absence only by a view that shows everything.
    const auto unseen = problem_of(d, view) == doubt_reason::none ? finding::absent : finding::undecidable;
    const auto earliest = earliest_stamp(d, view);
    std::vector<row_finding> findings(d.chunk.contacts.size(), row_finding{unseen, {}});
    std::vector<std::optional<core::instant>> adopted(findings.size());
    for (const auto& task : view.tasks) {
        const auto at = index.find(task.contact_id);
        // A task that the ledger has for a row is that row's, and says nothing about this one.
        if (at == index.end() || view.recorded.contains(task.id)) continue;
        auto& row = findings[at->second];
        if (view.disputed.contains(task.id)) {
            // Another row has it by a mistake, and so cannot be asked whose it is.
            if (same_details(task, d.chunk.details) && row.what != finding::present) row.what = finding::undecidable;
            continue;
        }
        consider(task, d, earliest, others, row, adopted[at->second]);
    }
    return findings;
}

settled_doubt weigh(doubt& d, std::vector<row_finding> findings, doubt_reason problem,
                    std::chrono::steady_clock::time_point now, std::chrono::milliseconds settle_time,
                    bool last_chance) {
    // The order counts: what is asked of the scan before must be asked before `last` and `agreed_since` are renewed.
    ++d.scans;
    d.last_scan = now;
    d.fruitless_scans = problem == doubt_reason::none ? 0 : d.fruitless_scans + 1;
    const bool all_present = count(findings, finding::present) == findings.size();
    const bool undecided = count(findings, finding::undecidable) > 0;
    const bool found_more = d.last && count(findings, finding::present) > count(*d.last, finding::present);
    const bool same = d.last && agree(findings, *d.last);
    d.why = problem != doubt_reason::none ? problem : undecided ? doubt_reason::mismatch : doubt_reason::none;
    if (found_more) d.quiet_since = now;  // the index is still taking in what the request made
    const bool agreed = same && problem == doubt_reason::none && d.agreed_since;
    // A scan that could prove nothing breaks the row: between the others something may have come and gone unseen.
    if (problem != doubt_reason::none)
        d.agreed_since.reset();
    else if (!agreed)
        d.agreed_since = now;
    d.last = findings;
    // Nothing is absent, so there is nothing that a later scan could take back.
    if (all_present) return {settlement::settled, std::move(findings)};
    // However late the index is: what was made before the younger task that the first of these scans has shown, or up
    // to a settle time after it, shows in the last.
    if (agreed && now >= *d.agreed_since + settle_time) return {settlement::settled, std::move(findings)};
    const bool quiet = now >= d.quiet_since + settle_time;
    // Ends in doubt, never in a request: with a problem judge() calls nothing absent.
    if (problem != doubt_reason::none && last_chance && quiet && (same || d.scans >= most_scans))
        return {settlement::settled, std::move(findings)};
    if (last_chance && quiet && !agreed && d.scans >= 2 * most_scans) {
        // What is there today and gone tomorrow proves nothing.
        d.why = doubt_reason::list_changing;
        for (auto& f : findings)
            if (f.what == finding::absent) f.what = finding::undecidable;
        return {settlement::settled, std::move(findings)};
    }
    if (d.agreed_since)
        d.next_scan = *d.agreed_since + settle_time;
    else
        d.next_scan = quiet ? now + backoff_ceiling(scan_pauses, last_chance ? 0 : d.fruitless_scans)
                            : d.quiet_since + settle_time;
    return {settlement::scan_again, std::move(findings)};
}

void hasten(doubt& d, std::chrono::milliseconds settle_time) {
    if (d.scans == 0 || d.agreed_since) return;
    d.next_scan = std::min(d.next_scan, std::max(d.last_scan + scan_pauses.base, d.quiet_since + settle_time));
}

}  // namespace taskbarge::job
