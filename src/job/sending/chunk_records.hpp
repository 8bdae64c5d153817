// What a run writes into the ledger about a chunk and its requests, each call within one transaction. These run on the
// ledger's thread, in the order in which answers came.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "job/online/route_windows.hpp"
#include "job/sending/chunk_flow.hpp"
#include "job/sending/isolation.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::job {

// Why an answer belongs to another request. Nothing: it does not, as far as can be seen.
using doubted_answer = std::optional<std::string>;

// What recording an outcome has shown.
struct recorded_outcome {
    std::optional<verdict> doubted;  // what the answer means after all, where it turned out to be another request's
    core::rate_book book;            // of the route, after it
    std::vector<ledger::chunk_record> children;
};

class chunk_records {
 public:
    // `windows` are those of bulk_create; both live as long as this.
    chunk_records(const ledger::job_record& job, const route_windows& windows) : job_(job), windows_(windows) {}

    // A place in every window, and the intent, together. No attempt where there is no place. `server_time`: the least
    // that Apollo's clocks may say now.
    struct intent {
        placed place;
        std::optional<core::attempt_id> attempt;
    };
    core::result<intent> take_place(ledger::ledger& l, core::chunk_id chunk, std::optional<core::instant> server_time);

    // A refusal: whether it is an answer to this request, and whether something was created with the chunk's details.
    struct refusal_context {
        doubted_answer doubted;
        bool proven = false;
    };
    core::result<refusal_context> look_at_refusal(ledger::ledger& l, const ledger::chunk_record& chunk,
                                                  const client::exchange& x);

    // The attempt's report, what becomes of the chunk, and what the answer says of the windows.
    core::result<recorded_outcome> record(ledger::ledger& l, const ledger::chunk_record& chunk, const verdict& v,
                                          const client::creation& made, core::instant taken_at);

    // What a look-up has settled. Nothing, and nothing recorded: one of the tasks is another row's by now.
    core::result<std::optional<std::vector<ledger::chunk_record>>> settle(ledger::ledger& l,
                                                                          const ledger::chunk_update& update);

    // What killed processes left in flight may have been created: it is in doubt from now on. Whether there was any.
    core::result<bool> recover(ledger::ledger& l, core::instant now);

    core::result<earlier_refusals> earlier(ledger::ledger& l) const;

 private:
    core::result<doubted_answer> why_not_ours(ledger::ledger& l, const client::exchange& x,
                                              const core::indexed_ids& tasks);
    core::result<std::optional<std::string>> claimed_before(ledger::ledger& l, const core::indexed_ids& tasks) const;
    core::result<void> give_up_attempts(ledger::ledger& l, const ledger::chunk_record& chunk, core::instant now);

    const ledger::job_record& job_;
    const route_windows& windows_;
    std::unordered_set<std::uint64_t> distrusted_;  // connections
};

// Records what becomes of a chunk. Gives the children that come of it.
core::result<std::vector<ledger::chunk_record>> change_chunk(ledger::ledger& l, const ledger::chunk_update& update);

}  // namespace taskbarge::job
