// What `plan` finds out: what an import of the same input would do. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/rate_window.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/job/report.hpp"

namespace taskbarge::job {

struct group_line {
    core::task_details details;
    std::uint64_t rows = 0;
    std::uint64_t requests = 0;
};
struct reject_line {
    std::string code;
    std::uint64_t rows = 0;
    core::rejected_row example;
};
struct sample_line {
    core::row_number number = 0;
    std::string contact_id;
    core::task_details details;
};
struct plan_report {
    report base;  // state "planned"
    std::vector<group_line> largest_groups;
    std::vector<reject_line> rejects;  // commonest first
    std::vector<reader::unknown_word> unknown_words;
    std::vector<sample_line> first_rows;
    // How many groups have so many rows.
    struct group_size {
        std::uint64_t from = 0, to = 0;
        std::uint64_t groups = 0, rows = 0, requests = 0;
    };
    std::vector<group_size> group_sizes;  // smallest first
    // A field whose values keep rows from sharing requests, and what that costs. With very many groups reckoned from
    // the first of them.
    struct splitter {
        std::string field;
        std::uint64_t distinct = 0;
        std::uint64_t requests_without = 0;         // minimum if the field were the same everywhere
        std::uint64_t rows_differing = 0;           // from the commonest value among rows that else are the same
        std::optional<core::instant> expected_end;  // with requests_without, under the windows as known
    };
    // Contacts for whom an earlier job has, or is to make, a task that differs in its due date alone.
    struct repeat {
        core::job_id job = 0;
        std::uint64_t contacts = 0, of = 0;  // of so many that were looked at, the first ones
        core::instant due_at{};              // there
    };
    std::optional<repeat> repeats;
    // What finding the contacts would take of which nothing is known here.
    struct finding {
        std::string how;             // one line
        std::uint64_t requests = 0;  // at least
        std::optional<core::instant> expected_end;
    };
    std::optional<finding> contacts_to_find;
    std::vector<splitter> splitters;  // most expensive first
    // Were 1 % of the contacts refused: so many more requests would find them, and all would end then.
    std::uint64_t search_requests = 0;
    std::optional<core::instant> expected_end_with_search;
    std::optional<core::rate_book> book;  // limits as known
    std::optional<core::instant> expected_end;
};

// "467 of 500 contacts have such a task from job 5 already, due 2026-11-30; ..."
std::string text_of(const plan_report::repeat& r);

}  // namespace taskbarge::job
