// The ledger as sending uses it: chunks, the intent before each request and the outcome after it.
//
// An intent is committed before the first byte leaves, the report and the change of the chunk in one transaction behind
// the answer (src/ledger/DESIGN.md argues why). So no request leaves that a later run does not know of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/ledger/transactions.hpp"

namespace taskbarge::ledger {

// The code of chunks in doubt that the ledger knows no request of: it may be an older copy of itself, and somebody said
// to go on with it. They have no attempts.
inline constexpr std::string_view ledger_accepted = "ledger_accepted";

// What is known of a chunk's contacts while it is searched for those that Apollo refuses.
struct search_mark {
    std::uint32_t suspects = 0;      // of its first contacts, so many hold at least one that is refused; 0: not known
    std::uint32_t refused_with = 0;  // so many contacts were in the refused request that says so
    friend bool operator==(const search_mark&, const search_mark&) = default;
};

// Everything that a send needs of a chunk.
struct chunk_record {
    chunk_id id = 0;
    chunk_id parent = 0;  // 0: cut by the grouper
    core::group_number group = 0;
    core::chunk_state state = core::chunk_state::planned;
    std::uint32_t attempts = 0;         // requests of this chunk whose answer counted as an attempt (429s do not)
    bool possible_duplicate = false;    // sent again although an earlier request may have worked
    std::optional<instant> not_before;  // backoff survives a restart
    std::string code, message;          // of the last outcome that was not a success
    core::task_details details;
    core::chunk_rows contacts;
    core::id_list task_ids;  // parallel to contacts; "" where none; empty list: none at all
    // What is said of the rest of a search holds only where the part that was cut from it was created.
    search_mark mark;
    chunk_id partner = 0;  // of a part that is tested, the rest, which is the next chunk; of a rest, its part; 0: none
    std::optional<core::chunk_state> partner_state;  // when it was read; planned: the rest still waits for the part
};

// One request that is about to leave.
struct attempt_intent {
    chunk_id chunk = 0;
    instant started_at{};
    std::optional<instant> server_date;  // Apollo's clock then, as far as it is known: an answer may never come
};

enum class attempt_result : std::uint8_t {
    open,       // intent recorded, nothing known: after a kill
    succeeded,  // 200 with tasks
    refused,    // 4xx that says nothing was created
    throttled,  // 429
    not_sent,   // failed before the first byte was written
    doubtful    // may have been applied
};

// What became of an attempt.
struct attempt_report {
    attempt_id attempt = 0;
    attempt_result what = attempt_result::doubtful;
    instant finished_at{};
    std::optional<instant> server_date;  // Date header of the answer; without one the intent's stays
    int status = 0;                      // HTTP; 0: no answer
    std::string request_id;
    std::string code, message;  // stable code and text; empty on success
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::string evidence;  // bounded excerpt of request and answer of failed or doubtful attempts, no key
};

struct attempt_record {
    attempt_id id = 0;
    chunk_id chunk = 0;
    std::uint64_t rows = 0;  // of the chunk
    instant started_at{};
    attempt_report report;
    event_number begun = 0;  // its intent
    event_number ended = 0;  // its outcome; 0: still open
};

// A part of a chunk that is split.
struct child_chunk {
    std::vector<std::uint32_t> indexes;  // into the parent's rows, ascending
    core::chunk_state state = core::chunk_state::planned;
    std::string code, message;
    bool possible_duplicate = false;
    std::uint32_t attempts = 0;
    search_mark mark = {};
};

// What becomes of a chunk after an attempt or a look-up. Rows in `created` get their task id, and keep it for good.
// With state `split` every row without a task id is in exactly one child; a split chunk cannot be updated any more.
// Rows come together again, too: with `joined`, a planned chunk of the same group that has no task, the last child
// takes its rows as well, behind its own, and that chunk is split in the same transaction. Only a rest may be joined
// with what is left of its part: the requests that either was in are then those of the part and of the chunks that it
// was split from.
struct chunk_update {
    chunk_id chunk = 0;
    core::chunk_state state = core::chunk_state::planned;
    core::indexed_ids created;          // row index, task id
    std::vector<child_chunk> children;  // only with state split
    std::string code, message;
    std::uint32_t attempts = 0;  // new value
    bool possible_duplicate = false;
    std::optional<instant> not_before;
    std::optional<instant> settled_at;  // when the rows reached a final state; for `finished_at` in results
    // Of the tasks in `created`. Nothing: an answer named them, that of the chunk's last attempt. Else a look-up found
    // them, and this is the first intent that may have made them.
    std::optional<event_number> found_since;
    std::optional<search_mark> mark;  // nothing: as it is
    chunk_id joined = 0;
    bool pairs = false;  // with state split: the last two children are a part and its rest
};

// What the refusals of a job have taught, for a run that goes on with it.
struct learnt_refusals {
    std::uint64_t requests = 0;  // spent on finding what was refused, since the last retry of failed rows
    std::uint64_t created_rows = 0;
    std::uint32_t most_created = 0;   // the most contacts of a request that was created whole
    std::uint64_t open_sets = 0;      // that hold contacts which are refused
    std::uint64_t open_contacts = 0;  // in them
    struct contact {
        std::string id;
        core::group_number group = 0;
        std::string user_id;  // of the group
        std::string message;  // Apollo's
        bool proven = false;  // something was created with the group's details
    };
    std::vector<contact> refused_alone;  // in the order of their refusals
};

// What a job has asked of Apollo since some time.
struct requests_made {
    std::uint64_t search = 0;  // to find what is refused
    std::uint64_t others = 0;
};

// For whoever holds the lock of the chunks' job: nothing else keeps two senders of one job apart.
class send_book : public virtual transactions {
 public:
    // Chunks in that state with id > after, by id, at most `most`, with their contacts.
    virtual result<std::vector<chunk_record>> chunks(job_id job, core::chunk_state state, chunk_id after,
                                                     std::size_t most) = 0;
    virtual result<chunk_record> chunk(chunk_id id) = 0;

    // The chunk goes to sending, and its attempt is open. Takes the next event number, as record_report() does. Fails
    // with errc::internal unless the chunk is planned. The request may leave once this is committed.
    virtual result<attempt_id> record_intent(const attempt_intent& intent) = 0;
    // The first byte of the attempt was written: it counts as a request. (Recorded together with the report; an attempt
    // still open after a kill counts too.) The chunk stays in sending until update_chunk(), which belongs into the same
    // transaction: each alone would lie.
    virtual result<void> record_report(const attempt_report& report, bool request_written) = 0;
    // Gives the ids of the children, in their order. errc::internal for a change that would lose a row, have one twice,
    // or give one a second task; nothing is changed then.
    virtual result<std::vector<chunk_id>> update_chunk(const chunk_update& update) = 0;

    virtual result<std::vector<attempt_record>> attempts_of_chunk(chunk_id chunk) = 0;
    // How many events were counted so far: the number of the last one.
    virtual result<event_number> events() = 0;

    // --- what the requests of a job have taught
    // Whether any row of that group was ever created in this job: then its details are good.
    virtual result<bool> group_has_created(job_id job, core::group_number group) = 0;
    virtual result<learnt_refusals> learnt(job_id job) = 0;
    virtual result<requests_made> requests_since(job_id job, instant since) = 0;
};

}  // namespace taskbarge::ledger
