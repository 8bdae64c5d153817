// The lines of `results`. docs/commands.md describes the columns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/ledger/report_book.hpp"

namespace taskbarge::report {

enum class results_format { csv, jsonl };

// Formats rows one after the other into a text that the caller owns and empties.
class results_writer {
 public:
    results_writer(results_format format, std::vector<std::string> files, core::job_id job);

    // CSV: the line of column names. JSONL: nothing.
    void header(std::string& out) const;
    void line(std::string& out, const ledger::row_result& row);

 private:
    void csv_line(std::string& out, const ledger::row_result& row);
    void json_line(std::string& out, const ledger::row_result& row);
    const std::string& file_of(const ledger::row_result& row) const;
    const std::string& time_text(core::instant t);

    results_format format_;
    std::vector<std::string> files_;
    core::job_id job_;
    std::optional<core::instant> last_time_;  // rows of one chunk share their time: formatted once
    std::string last_time_text_;
};

// The keys of a row's result that look the same wherever it is told.
void add_result(core::json_object& o, const ledger::row_result& row, std::string_view file);

// Appends a CSV cell, quoted where RFC 4180 asks for it.
void append_csv_cell(std::string& out, std::string_view text);

// The same for a text that came from outside: one that a spreadsheet would take for a formula (it begins with = + - @,
// a tab or a carriage return) gets an apostrophe in front. A lone "-" is none.
void append_csv_text(std::string& out, std::string_view text);

}  // namespace taskbarge::report
