// What stays of a pruned job for de-duplication: who has which task, without its texts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/earlier_contacts.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::ledger {

// SHA-256 of all task details, of which the hash that is stored is a part.
using details_digest = core::sha256_digest;
details_digest digest_of(const core::task_view& details);

// Writes the keys of all groups of a job, whose chunks must still be there: the contacts that have its task, or may
// have it, some 16 bytes each.
class key_keeper {
 public:
    key_keeper(sqlite::database& db, core::job_id job) : db_(db), job_(job) {}
    // Some more groups, in the caller's transaction; false: all are done.
    core::result<bool> step();

 private:
    // Contacts of one entry: ids of 24 hex digits packed with their rows, the others as they are.
    struct entry {
        std::string packed;
        core::id_list contacts;
        std::vector<std::int64_t> rows;
        std::size_t count = 0;
    };
    core::result<void> keep_group(core::group_number number, const core::task_view& details);
    core::result<void> write(const core::task_view& details, const entry& keys);

    sqlite::database& db_;
    core::job_id job_;
    core::group_number last_ = 0;
    std::size_t in_this_step_ = 0;
};

// Adds the contacts of one entry of kept_keys, if it was kept for details that are equal in these fields. The text of a
// note is gone: of notes, equal SHA-256 digests are taken for equal texts.
core::result<void> load_kept(sqlite::database& db, std::int64_t id, core::job_id job, const core::task_view& details,
                             core::task_fields fields, earlier_contacts& to);

}  // namespace taskbarge::ledger
