// What a file holds, for whom the settings of its kind are yet to be written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

struct surveyed_column {
    std::string name;
    std::uint64_t filled = 0;         // of the records looked at
    std::uint64_t object_ids = 0;     // 24 hexadecimal digits, as Apollo's ids are
    std::uint64_t addresses = 0;      // something with an @
    std::uint64_t html = 0;           // with a tag
    std::uint64_t distinct = 0;       // different values, as far as they were counted
    std::vector<std::string> values;  // different ones, the first of them
};

struct file_survey {
    file_report report;
    std::uint64_t rows = 0;  // looked at
    std::vector<surveyed_column> columns;

    const surveyed_column* find(const std::string& name) const;
};

// Reads the first `options.first_rows` records. Fails with errc::input where it is no table and no JSON lines at all.
core::result<file_survey> survey_file(const std::string& path, source_options options);

// What these dates need to be read.
struct date_needs {
    bool timezone = false, time = false;
    // Formats of which each fits all dates that are not understood without one. Several: the day and the month may be
    // taken for each other. None although `unread` is set: no usual format fits.
    std::vector<std::string> formats;
    std::string unread;  // a date that is not understood without a format; empty: there is none
};
date_needs needs_of_dates(std::span<const std::string> dates, core::instant now);

// The zone of this machine, an IANA name; empty: not known.
std::string timezone_of_machine();

// What the header of a delimited file means, as file_report::header keeps it, under these columns, defaults and ignored
// columns: what the file was planned with.
struct header_columns {
    std::vector<std::string> names;     // as in the file
    std::vector<mapped_column> fields;  // as in file_report::columns
};
core::result<header_columns> columns_of_header(const std::string& header, const source_options& options);

}  // namespace taskbarge::reader
