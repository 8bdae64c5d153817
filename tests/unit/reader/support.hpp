// Helpers of the reader's tests: files that vanish, sample records, and a whole input read to its end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader::testing {

// A folder of its own that is removed with everything in it.
class temporary_folder {
 public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    std::string path(std::string_view name) const;
    // Writes a file and says where it is.
    std::string write(std::string_view name, std::string_view bytes) const;

 private:
    std::string path_;
};

// A file in memory; path() can be opened as long as it lives.
class memory_file {
 public:
    explicit memory_file(std::string_view bytes);
    ~memory_file();
    memory_file(const memory_file&) = delete;
    memory_file& operator=(const memory_file&) = delete;
    std::string path() const;

 private:
    int descriptor_;
};

std::string gzipped(std::string_view bytes);
std::string zstandard(std::string_view bytes);

struct owned_row {
    core::row_number number = 0;
    core::source_position at;
    std::string contact_id;
    core::task_details details;
    std::string keys = {};            // "email=a@example.com (Email)", by kind, with a blank between; empty: none
    std::string contact_column = {};  // where keys are given, as in row_keys
    std::string raw = {};
    friend bool operator==(const owned_row&, const owned_row&) = default;
};

// Everything that reading an input gave.
struct reading_outcome {
    std::vector<owned_row> rows;
    std::vector<core::rejected_row> rejects;
    std::vector<file_report> files;
    std::string digest;
    bool relative_dates = false;
    std::uint64_t bytes = 0;
    std::optional<core::failure> failure;

    // One word a record in order: "row", or the code of a reject with "@column" where there is one. Of a failure
    // "failure".
    std::string summary() const;
    const core::rejected_row& reject(std::size_t i) const { return rejects.at(i); }
};

// Reads to the end. Checks on the way that numbers ascend within a batch and that each occurs exactly once overall.
reading_outcome read_all(const std::vector<std::string>& paths, const source_options& options = {});
// The same for one file with this name and content.
reading_outcome read_text(std::string_view name, std::string_view bytes, const source_options& options = {});

// 24 hex digits that differ for each n.
std::string contact(unsigned n);
inline constexpr std::string_view owner_id = "66302798d03b9601c7934ebf";
inline constexpr std::string_view header = "contact_id,user_id,type,priority,status,due_at,note\n";
// A good record under `header`, without its line end.
std::string record(unsigned n, std::string_view note = "hello");
// The same record as one line of JSON.
std::string json_record(unsigned n, std::string_view escaped_note = "hello");

}  // namespace taskbarge::reader::testing
