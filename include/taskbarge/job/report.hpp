// How a run ended, as a value. Plain data; owned by the caller, may be read from any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/job/report_state.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

// What became of rows that name their contact by something else than Apollo's id, and of ids that were checked.
struct contact_tally {
    std::uint64_t found = 0;
    std::array<std::uint64_t, core::key_kind_count> found_by{};  // by core::key_kind
    std::uint64_t none = 0, ambiguous = 0, disagree = 0;         // rejected
    std::uint64_t unknown = 0;                                   // Apollo has to be asked
    std::uint64_t not_created = 0;                               // Apollo has none and would not create it: rejected
    std::uint64_t to_create = 0;                                 // Apollo has none: it is to be created
    std::uint64_t all() const { return found + none + ambiguous + disagree + unknown + not_created + to_create; }
};
// "4850 rows found (4800 by email, 50 by salesforce_id), 100 not in Apollo, 50 ambiguous"
std::string text_of(const contact_tally& t);

// How a run ended. With `why` set the run stopped before its end and the exit code follows from why->code; without it
// the job is finished and the code follows from the counts.
struct report {
    std::optional<core::job_id> job;    // nothing: no job was made
    std::optional<report_state> state;  // nothing: it ended before there was any, and the exit code tells
    core::row_counts rows;
    core::request_counts requests;
    std::uint64_t requests_this_run = 0;
    std::chrono::milliseconds elapsed{0};
    std::optional<core::instant> resume_at;
    std::optional<core::instant> created_at, finished_at;  // the job's, as far as the ledger could tell
    std::vector<core::job_id> unfinished_jobs;             // others, of this ledger
    std::optional<core::failure> why;
    bool already_finished = false;           // reported again, nothing done
    std::optional<core::instant> pruned_at;  // its rows are gone, its sums are left
    // What was found in the input, where it was read; else name, format and header as the ledger has them.
    std::vector<reader::file_report> files;
    contact_tally contacts{};  // where the input was read
    // Why rows were not created, commonest first, where that was asked for.
    std::vector<ledger::reason_count> reasons{};
};

// "contacts.csv:18, column Due": where a rejected record stands.
std::string place_of(const core::rejected_row& row, const std::vector<reader::file_report>& files);

}  // namespace taskbarge::job
