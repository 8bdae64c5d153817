// Some rows of a job, from anywhere in it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/chunk_columns.hpp"
#include "ledger/open_duplicates.hpp"
#include "ledger/sqlite.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/state.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::ledger {

// Reads the rows that a query asks for. Of each chunk that may have some the table of chunks tells what the first of
// them can be (row_span), and chunks are looked into in the order of that, until no other can have one that comes
// before the last of the page. So the cost is that of the chunks around the page, and of a walk along the narrow table;
// of a contact's rows that of a look at all contacts' ids. Lives within one transaction.
class row_page {
 public:
    // What is read of which job. `of_sending`: what rows in flight are.
    struct place {
        sqlite::database& db;
        job_id job = 0;
        core::row_state of_sending = core::row_state::unknown;
        held_job_test held;
    };
    // `go_on` is asked now and then; false: what was found until then is all. All must outlive the page.
    row_page(const place& from, const row_query& query, const std::function<bool()>& go_on);

    core::result<std::vector<row_result>> read();
    // Whether it was cut short by `go_on`.
    bool cut() const { return cut_; }

 private:
    // Which of a chunk's rows fit.
    enum class part : std::uint8_t { none, created, open, all };
    struct candidate {
        core::row_number next;  // no row of it that fits comes before this one
        chunk_id chunk;
        part fits;
    };
    using found_row = std::pair<core::row_number, chunk_id>;

    bool wants(core::row_state state) const { return states_[static_cast<std::size_t>(state)]; }
    bool is_whole() const;
    part part_of(const sqlite::statement& chunk) const;
    bool has_contact(std::string_view stored_ids, bool is_blob) const;
    bool is_named(core::row_number row, std::string_view contact) const;

    core::result<void> load_keys();
    core::result<std::vector<candidate>> candidates();
    core::result<std::vector<found_row>> first_rows(std::vector<candidate> all);
    core::result<void> add_chunk_rows(std::vector<row_result>& to);
    core::result<void> add_duplicates(std::vector<row_result>& to);
    core::result<void> add_rejects(std::vector<row_result>& to);
    core::result<void> explain_open(std::vector<row_result>& duplicates);
    core::result<void> add_keys(std::vector<row_result>& to);
    core::result<void> check_whole(const std::vector<row_result>& rows);

    const place& from_;
    const row_query& query_;
    const std::function<bool()>& go_on_;
    std::array<bool, 6> states_{};
    std::vector<core::packed_id> packed_;       // the contact's ids, as chunks hold most
    std::vector<core::row_number> keyed_rows_;  // whose contact was named by the key
    std::string ids_ = "[]", rows_ = "[]";      // the contact's ids, and those rows, for SQL
    bool cut_ = false;
};

}  // namespace taskbarge::ledger
