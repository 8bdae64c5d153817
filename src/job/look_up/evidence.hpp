// Judging doubtful rows by what a look-up has seen: plain functions, no I/O.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/send_book.hpp"

namespace taskbarge::job {

// Why a look-up could not decide: the code of rows that stay unknown.
enum class doubt_reason : std::uint8_t {
    none,
    not_visible,     // the due date's span is not wholly within what the search shows
    list_changing,   // the list changed while it was read
    not_sorted,      // the list is not sorted by due date as documented
    index_unproven,  // no task showed up that is known to be created after the request in doubt
    forbidden,       // the key may not search
    mismatch,        // a task of the contact differs in a field, or does not say when it was created
    search_failing   // no usable answer from the search
};
std::string held_code(doubt_reason why);     // "held_not_visible", ...
std::string held_message(doubt_reason why);  // one line with the remedy

// What a look-up has shown of one row of a doubtful chunk.
enum class finding : std::uint8_t { present, absent, undecidable };
struct row_finding {
    finding what = finding::undecidable;
    std::string task_id;  // present
};

// A doubtful chunk on its way to a decision.
struct doubt {
    ledger::chunk_record chunk;
    // By the ledger's count of events: the first intent of the chunk, or of one that it was split from, and the last
    // outcome. Both 0 for a chunk of which the ledger knows no request, but that may have been sent all the same.
    ledger::event_number begun = 0, ended = 0;
    core::instant started_at = core::instant::min();          // the first intent by our clock
    core::instant not_created_before = core::instant::min();  // the earliest that any clock known then allows
    std::chrono::steady_clock::time_point quiet_since{};  // the attempt's end, or when a scan found more than the last
    std::chrono::steady_clock::time_point next_scan{}, last_scan{};
    std::optional<std::vector<row_finding>> last;  // findings of the scan before
    // Since when all scans agree and could prove absence. Nothing: the last one could not.
    std::optional<std::chrono::steady_clock::time_point> agreed_since;
    doubt_reason why = doubt_reason::none;
    std::uint32_t scans = 0;
    std::uint32_t fruitless_scans = 0;  // those in a row that could prove nothing
};

// What ended a reading of Apollo's list early. Everything but `none` says nothing about any task.
struct reading_end {
    bool ended = false;
    std::optional<core::instant> wait_until;  // the search's windows
    std::optional<core::failure> trouble;     // no usable answer; errc::settings: nothing of Apollo's is there
    bool forbidden = false;                   // 403
    std::optional<core::failure> failed;      // 401, or the ledger
};

// By task status: whether one status is listed says nothing about another.
template <class T>
class by_status {
 public:
    T& operator[](core::task_status s) { return values_.at(static_cast<std::size_t>(s)); }
    const T& operator[](core::task_status s) const { return values_.at(static_cast<std::size_t>(s)); }

 private:
    std::array<T, static_cast<std::size_t>(core::task_status::skipped) + 1> values_{};
};

// What one scan of a due date's span has shown.
struct span_view {
    doubt_reason problem = doubt_reason::none;        // a reason why absence from `tasks` proves nothing
    std::vector<client::seen_task> tasks;             // of the contacts in doubt, due at that instant
    boost::unordered_flat_set<std::string> recorded;  // ids among them that the ledger has for rows that asked for them
    // Ids among them that the ledger has for rows that asked for something else: answers were mixed up.
    boost::unordered_flat_set<std::string> disputed;
    // How far the index is shown to have come: the youngest task that the ledger knows and the scan shows.
    by_status<ledger::event_number> proven_to;
    // The least that Apollo's stamps were seen to be ahead of our clock, by tasks whose answers came when our clock is
    // known. Nothing: no such task was seen.
    std::optional<std::chrono::milliseconds> stamps_ahead;
};

// Whether the task has exactly these details.
bool same_details(const client::seen_task& task, const core::task_details& details);

// Why absence from the view proves nothing about this doubt; none: it does prove it.
doubt_reason problem_of(const doubt& d, const span_view& view);

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
// `problem` is problem_of() the doubt. `last_chance`: nothing else is left to do, so what cannot be decided now is
// final after the second scan.
settled_doubt weigh(doubt& d, std::vector<row_finding> findings, doubt_reason problem,
                    std::chrono::steady_clock::time_point now, std::chrono::milliseconds settle_time, bool last_chance);

// When nothing else is left to do, the long pauses between scans that proved nothing are not kept.
void hasten(doubt& d, std::chrono::milliseconds settle_time);

}  // namespace taskbarge::job
