// Jobs that were finished again after their inputs were put away: the results in done/ are written anew.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/inbox/item_store.hpp"
#include "service/work/result_files.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

class renewal {
 public:
    using time = std::chrono::steady_clock::time_point;
    renewal(inbox::item_store& store, const result_files& files) : store_(store), files_(files) {}

    // What the ledger knows of finished jobs that were gone on with. True: there is something to do. Any thread.
    bool note(const std::vector<ledger::reopened_job>& reopened);
    // From when there is something to do; nothing: there is not. Any thread.
    std::optional<time> due() const;

    struct outcome {
        std::vector<std::pair<std::string, core::job_id>> renewed;  // items
        std::optional<core::failure> why;                           // not all were, and it is due again later
    };
    // Does what there is to do, with the ledger or why it cannot be had. One thread.
    outcome work(const core::result<ledger::ledger*>& book, time now);

 private:
    core::result<void> write_all(ledger::ledger& book, const std::set<core::job_id>& jobs, outcome& out);
    core::result<bool> write_item(ledger::ledger& book, const std::string& id, core::job_id& job);

    inbox::item_store& store_;
    const result_files& files_;
    mutable std::mutex mutex_;                       // for what follows
    std::map<core::job_id, core::instant> renewed_;  // the ends that the results in done/ tell
    std::set<core::job_id> old_;
    time not_before_{};
    std::uint32_t failures_ = 0;
};

}  // namespace taskbarge::service
