// Tasks that the ledger knows: what a look-up compares Apollo's list with, and what earlier jobs have made already.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

struct known_task {
    std::string task_id, contact_id;
    core::task_details details;
};

// A task that the ledger has for a row.
struct recorded_task {
    std::string task_id;
    core::task_details details;          // those of its row
    event_number since = 0;              // the intent that made it, or the first that may have: it did not exist before
    std::optional<instant> answered_at;  // when an answer named it; nothing: a look-up found it
};

class contact_lookup {
 public:
    virtual ~contact_lookup() = default;
    virtual bool contains(std::string_view contact) const = 0;
};

// A group of a job, with the contacts that have its task, or may have or get it.
struct similar_group {
    job_id job = 0;
    instant due_at{};
    std::shared_ptr<const contact_lookup> contacts;
};

// Reads only. A base URL and a team name whose tasks are meant: another team's are never seen.
class task_book : public virtual transactions {
 public:
    // Those of the task ids that the ledger has recorded for any row. Costs next to nothing for ids that are newer than
    // all that it knows: every answer is asked about.
    virtual result<std::vector<recorded_task>> recorded_tasks(const std::string& base_url, const std::string& team,
                                                              const std::vector<std::string>& task_ids) = 0;
    // The oldest task with that status whose `since` is greater than `after`: if it shows in Apollo's list, the list
    // has come as far as that event.
    virtual result<std::optional<known_task>> control_after(const std::string& base_url, const std::string& team,
                                                            core::task_status status, event_number after) = 0;
    // A task that is known to be created: the newest one with that status; where tasks of the due date exist, one of
    // them.
    virtual result<std::optional<known_task>> sample_created(const std::string& base_url, const std::string& team,
                                                             core::task_status status,
                                                             std::optional<instant> due_at) = 0;
    // The newest job but `own` with groups that are equal to these details in the fields, whatever their due dates, as
    // far as its rows are there. For a hint: only the last jobs, and those without thousands of groups, are looked at,
    // only so many contacts are loaded, and damaged groups are passed over.
    virtual result<std::optional<similar_group>> newest_like(const std::string& base_url, const std::string& team,
                                                             const core::task_view& details, core::task_fields fields,
                                                             job_id own) = 0;
};

}  // namespace taskbarge::ledger
