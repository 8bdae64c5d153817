// From files to rows: the one door of the reader.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "taskbarge/core/contact_key.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/row.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::reader {

// What a row names its contact by beside or instead of Apollo's id. Views as those of the row.
struct row_keys {
    struct key {
        std::string_view text;    // core::comparable_key(); empty: the row has none of this kind
        std::string_view column;  // that it stands in
    };
    std::array<key, core::key_kind_count> by_kind;  // by core::key_kind
    std::string_view contact_column;                // that holds Apollo's id; empty: none does
    std::string_view raw;                           // the record's original bytes, as in a reject
    bool any() const {
        return std::any_of(by_kind.begin(), by_kind.end(), [](const key& k) { return !k.text.empty(); });
    }
};

// A batch of records in input order. The rows' views point into the batch and hold until it is cleared, refilled or
// destroyed. Rows and rejects each ascend by number; between them every number of the batch occurs exactly once.
class row_batch {
 public:
    row_batch();
    ~row_batch();
    row_batch(row_batch&&) noexcept;
    row_batch& operator=(row_batch&&) noexcept;

    // A row without a contact id has at least one key.
    std::vector<core::row> rows;
    std::vector<core::rejected_row> rejects;
    // Parallel to `rows`, or empty: where no row has a key and source_options::keep_records is not set. Without that,
    // those of a row that names no key are all empty.
    std::vector<row_keys> keys;

    void clear();

    struct storage;  // the reader's: the bytes that the views point into
    storage& bytes() { return *storage_; }

 private:
    std::unique_ptr<storage> storage_;
};

// How one field of ours was found in a file.
struct mapped_column {
    std::string field;   // contact_id, user_id, ...
    std::string column;  // the header or key in the file; empty: not in the file
    std::string source;  // "settings", "name", "alias", "default"
};

// A column that seems to hold a field but is not taken for it.
struct passed_column {
    std::string column;
    std::string why;  // "holds Salesforce's ids in its exports; ..."
};

// Records of one kind, and where the first of them is.
struct record_tally {
    std::uint64_t records = 0;
    std::uint64_t first_line = 0;
    void add(std::uint64_t line) {
        if (records++ == 0) first_line = line;
    }
};

struct file_report {
    std::string name;
    std::string format;  // "csv", "jsonl"; with "+gzip" or "+zstd" appended
    char delimiter = ',';
    std::vector<mapped_column> columns;
    std::vector<std::string> unused;  // columns of the file that nothing uses
    std::vector<passed_column> passed_over;
    core::row_number first_row = 1;  // the ordinal of the file's first record
    std::string header;              // CSV: the header record; names in quotes where else the delimiter were not plain
    bool empty = false;              // one of several files, without any text: passed over
    record_tally empty_rows;         // without any content, as spreadsheets leave below a table: skipped
    record_tally repeated_headers;   // the header once more, as where files were joined: skipped
    record_tally unusable_keys;      // rows with a key that is none, whose contact is named otherwise
    record_tally overdue;            // scheduled rows that are due more than a day ago
    core::instant oldest_due{};      // of those
    bool mended = false;             // holds the errors of an earlier import: rejects that somebody has mended
};

// A user of the Apollo team.
struct team_user {
    std::string id, email, name;
};
// Asked at most once, by the thread that reads, when the first owner by address or name is met; may block. A failure is
// a failure of next(). Empty: no user is known.
using owner_directory = std::function<core::result<std::vector<team_user>>()>;

// A word of the file that nobody knows.
struct unknown_word {
    std::string field;  // type, priority, status, owner
    std::string word;
    std::uint64_t rows = 0;
};

// What is worth telling of a file that was read, a line each: "40 rows without any content were skipped, the first on
// line 1204".
std::vector<std::string> remarks_on(const file_report& file);

struct source_options {
    core::column_settings columns;
    core::value_settings values;
    core::default_settings defaults;
    core::date_settings dates;
    core::import_settings import;
    core::instant now{};             // for relative dates: the day they count from
    std::uint64_t first_rows = 0;    // stop after so many records; 0: all
    std::vector<std::string> names;  // what the files are called in reports and messages; empty: as they are opened
    owner_directory owners;
    // For whom the file itself is the matter, not its tasks: is shown each record as it stands, good or bad, by the
    // names of its columns or keys. No field need be there then.
    std::function<void(std::span<const std::string> names, std::span<const std::string_view> values)> look;
    bool keep_records = false;          // every batch has the keys of its rows, also where they name none
    std::size_t block_size = 1u << 20;  // bytes a read
    std::size_t batch_rows = 4096;      // records a batch
};

// Reads files ("-" is standard input) one after the other as a stream. Memory does not grow with the input.
// Not thread-safe; may be used from any one thread.
class row_source {
 public:
    // Checks that each file can be opened and opens the first; reads its header. Fails with errc::input, naming the
    // file and the remedy; with errc::settings when a setting that only the reader understands is wrong (a default that
    // would not pass as a cell, dates.timezone, import.id_pattern, import.delimiter).
    static core::result<row_source> open(const std::vector<std::string>& paths, source_options options);

    row_source(row_source&&) noexcept;
    row_source& operator=(row_source&&) noexcept;
    ~row_source();

    // Refills `batch`. False at the end of the last file, with the batch empty. A failure (errc::input) is about the
    // input as a whole: a later file without a contact column, a truncated gzip, a read error.
    core::result<bool> next(row_batch& batch);

    // What was found in each file opened so far.
    const std::vector<file_report>& files() const;
    // Bytes read so far, as they stand in the files (compressed ones count as stored).
    std::uint64_t bytes_read() const;
    // Sum of the files' sizes where that is known (regular files only), else 0.
    std::uint64_t bytes_total() const;
    // The words of type, priority, status and owner that nobody knows, in the records read so far, by field and the
    // commonest first. Of very many some are left out.
    std::vector<unknown_word> unknown_words() const;
    // True once a relative date such as "+3d" was resolved: the job is the same only on the same base day.
    bool used_relative_dates() const;
    // SHA-256 over the input's bytes as stored, all files in order, lower-case hex. Complete only after next() said
    // false; with first_rows set it covers all bytes all the same (the rest is read through).
    std::string digest() const;

 private:
    struct impl;
    explicit row_source(std::unique_ptr<impl> p);
    std::unique_ptr<impl> impl_;
};

// What only the reader sees in settings, whatever the files: zones, formats and patterns that there are not, defaults
// that would not pass as a cell. open() fails with the first. Where there is none, no file fails for its settings
// alone.
std::vector<core::setting_fault> faults_of_settings(const core::settings& settings, core::instant now);

// SHA-256 and size of the input's bytes as row_source would report them, without reading rows. Not for "-".
struct input_digest {
    std::string sha256;
    std::uint64_t bytes = 0;
};
// `go_on` is asked now and then, as a large file takes a while; false: errc::interrupted.
core::result<input_digest> digest_of(const std::vector<std::string>& paths, const std::function<bool()>& go_on);
// The day, "2026-11-23", from which relative dates count at that instant under those settings (in their time zone).
std::string day_of(const core::date_settings& dates, core::instant now);
// The sum of the files' sizes; fails with errc::input for what cannot be opened. Nothing (0) for standard input.
core::result<std::uint64_t> size_of(const std::vector<std::string>& paths);

}  // namespace taskbarge::reader
