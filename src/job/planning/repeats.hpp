// Contacts that an earlier job has given the same task already, with another due date: what happens each night to a
// list whose dates are relative. A hint for people, from the first chunks of a job.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/job/plan_report.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

class repeat_finder {
 public:
    // `book`: with the earlier jobs; `own`: the job that is looked at, 0 when it has none yet.
    repeat_finder(ledger::task_book& book, const core::settings& settings, core::job_id own)
        : book_(book), settings_(settings), own_(own) {}

    // Whether more chunks are of use: a hint is not worth reading all of a large job.
    bool wants_more() const { return chunks_ < most_chunks; }
    core::result<void> add(const core::planned_chunk& chunk, const core::task_view& details);
    // The job that has most of the contacts.
    std::optional<plan_report::repeat> found() const;

 private:
    static constexpr std::size_t most_chunks = 500, most_groups = 20;

    ledger::task_book& book_;
    const core::settings& settings_;
    core::job_id own_;
    std::size_t chunks_ = 0;
    std::uint64_t contacts_ = 0;
    // Groups that differ in their due dates alone share what was found.
    using details_but_due =
        std::tuple<std::string, core::task_type, core::task_priority, core::task_status, std::string>;
    std::map<details_but_due, std::optional<ledger::similar_group>> groups_;
    std::map<core::job_id, plan_report::repeat> jobs_;
};

// The same of a job that was planned.
core::result<std::optional<plan_report::repeat>> find_repeats(ledger::ledger& book, const environment& env,
                                                              core::job_id job);

}  // namespace taskbarge::job
