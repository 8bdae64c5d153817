// Judging doubtful rows by what a look-up has seen: plain functions, no I/O.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "job/chunk_flow.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// Why a look-up could not decide: the code of rows that stay unknown.
enum class doubt_reason : std::uint8_t {
    none,
    not_visible,     // the due date's span is not wholly within what the search shows
    list_changing,   // the list changed while it was read
    not_sorted,      // the list is not sorted by due date as documented
    index_unproven,  // no task that is known to be created showed up
    forbidden,       // the key may not search
    mismatch,        // a task of the contact differs in a field, or does not say when it was created
    search_failing   // no usable answer from the search
};
std::string held_code(doubt_reason why);     // "held_not_visible", ...
std::string held_message(doubt_reason why);  // one line with the remedy

// A doubtful chunk on its way to a decision.
struct doubt {
    ledger::chunk_record chunk;
    core::instant not_created_before{};  // by Apollo's clock: tasks older than this are not from the attempt
    std::chrono::steady_clock::time_point quiet_since{};  // the attempt's end, or when a scan found more than the last
    std::chrono::steady_clock::time_point next_scan{};
    std::optional<std::vector<row_finding>> last;  // findings of the scan before
    doubt_reason why = doubt_reason::none;
    std::uint32_t scans = 0;
    std::uint32_t fruitless_scans = 0;  // those in a row that could prove nothing
};

// What one scan of a due date's span has shown.
struct span_view {
    doubt_reason problem = doubt_reason::none;        // a reason why absence from `tasks` proves nothing
    std::vector<client::seen_task> tasks;             // of the contacts in doubt, due at that instant
    boost::unordered_flat_set<std::string> recorded;  // ids among them that the ledger knows already
};

// Findings of one chunk, parallel to its rows. `others` are all chunks in doubt of that due date, this one included: a
// task that is exactly what another of them asked for says nothing against this one.
std::vector<row_finding> judge(const doubt& d, const span_view& view, const std::vector<const doubt*>& others);

// The state of knowledge after one more scan at `now`.
enum class settlement : std::uint8_t {
    settled,    // `findings` is final as far as it is not undecidable
    scan_again  // not yet: at d.next_scan
};
struct settled_doubt {
    settlement what = settlement::scan_again;
    std::vector<row_finding> findings;
};
// `last_chance`: nothing else is left to do, so what cannot be decided now is final after the second scan.
settled_doubt weigh(doubt& d, std::vector<row_finding> findings, doubt_reason problem,
                    std::chrono::steady_clock::time_point now, std::chrono::milliseconds settle_time, bool last_chance);

}  // namespace taskbarge::job
