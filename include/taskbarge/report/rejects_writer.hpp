// `results --rejects`: rejected records as they stood in the input, plus why, to be mended and imported again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/row.hpp"
#include "taskbarge/ledger/job_book.hpp"

namespace taskbarge::report {

// CSV: the header with an `error` column at its end, then records with theirs. JSONL: the object with an "error" member
// at its end; what is no object becomes {"error": ..., "raw": ...}. An `error` that a record has already is replaced.
//
// Records of files with other columns, or of another format, belong on another sheet: under one header their cells
// would be taken for something else. Whoever writes a file that is to be imported again uses one writer a sheet; within
// one writer the header comes again where the sheet changes.
class rejects_writer {
 public:
    // Without files each record comes with what is known of its own.
    explicit rejects_writer(std::vector<ledger::file_note> files = {});

    std::size_t sheets() const { return sheets_; }
    // Below sheets().
    std::size_t sheet_of(const core::rejected_row& row) const;
    // What the name of the sheet's file must end with to be imported again: ".csv" or ".jsonl".
    std::string_view extension(std::size_t sheet) const;

    void record(std::string& out, const core::rejected_row& row);
    void record(std::string& out, const core::rejected_row& row, const ledger::file_note& file);

 private:
    const ledger::file_note& file_of(const core::rejected_row& row) const;
    void csv_record(std::string& out, const core::rejected_row& row, const ledger::file_note& file);

    std::vector<ledger::file_note> files_;
    std::vector<std::size_t> sheet_of_file_;
    std::size_t sheets_ = 0;
    std::optional<std::string> last_header_;
};

// Whether records of the two files belong on one sheet.
bool same_sheet(const ledger::file_note& one, const ledger::file_note& other);
// What the name of a file for such records must end with to be imported again: ".csv" or ".jsonl".
std::string_view rejects_extension(const ledger::file_note& file);

// "CODE: message", one line.
std::string error_text(const core::rejected_row& row);

// The JSON object `raw` with its "error" member set; raw wrapped when it is no JSON object.
std::string json_with_error(std::string_view raw, std::string_view error);

// The character between the cells of a header: a comma unless a semicolon, tab or bar occurs more often outside quotes.
char delimiter_of(std::string_view header);

// Where the cells of a CSV record lie, quotes included. Quoted cells may hold delimiters and line breaks.
std::vector<std::string_view> csv_cells(std::string_view record, char delimiter);

}  // namespace taskbarge::report
