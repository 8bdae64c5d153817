// The contacts for whom other jobs have a task already.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/sqlite.hpp"
#include "taskbarge/core/chunk.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::ledger {

struct earlier_row {
    core::job_id job = 0;
    core::row_number row = 0;
    friend auto operator<=>(const earlier_row&, const earlier_row&) = default;
};

// Calls `visit(contact, row)` for the rows of a group of a job that have a task, or may have or get one.
core::result<void> each_tasked_row(sqlite::database& db, core::job_id job, core::group_number group,
                                   const std::function<void(std::string_view, core::row_number)>& visit);

// The contacts for whom other jobs have one group's task. Loaded job by job, oldest first, then sealed, then asked.
// 24 bytes a contact with an id of 24 hex digits.
class earlier_contacts {
 public:
    // Adds what each_tasked_row() tells.
    core::result<void> load(sqlite::database& db, core::job_id job, core::group_number group);
    void add(std::string_view contact, earlier_row where);
    void add(const core::packed_id& contact, earlier_row where);
    void seal();

    // The first of them; nothing when there is none.
    std::optional<earlier_row> find(std::string_view contact) const;
    std::size_t size() const { return packed_.size() + others_.size(); }
    bool empty() const { return packed_.empty() && others_.empty(); }
    void clear();

 private:
    struct entry {
        core::packed_id id;
        std::uint32_t job_at;  // in jobs_: an entry stays at 24 bytes
        core::row_number row;
    };

    std::vector<entry> packed_;
    std::vector<core::job_id> jobs_;
    std::map<std::string, earlier_row, std::less<>> others_;
};

}  // namespace taskbarge::ledger
