// Where rejected records go, to be mended and imported again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output_file.hpp"
#include "taskbarge/report/rejects_writer.hpp"

namespace taskbarge::cli {

enum class no_rejects : std::uint8_t { empty_file, no_file };

// Standard output ("" or "-"), or a file for each sheet that occurs: "fix.csv", "fix-2.csv". Files are there, whole,
// after finish(), else nothing is left of them.
class reject_files {
 public:
    explicit reject_files(std::string path) : path_(std::move(path)) {}

    // Fails with errc::usage where a second sheet would go to standard output.
    core::result<void> check(const ledger::file_note& file);
    core::result<void> record(const core::rejected_row& row, const ledger::file_note& file);
    // False once nobody reads standard output any more.
    bool wanted() const { return wanted_; }
    // Puts the files in their places. Names those that are not the one asked for, or are not named as they should be.
    core::result<void> finish(no_rejects when_none);
    // "fix.csv and fix-2.csv".
    std::string names() const;
    bool to_standard_output() const { return path_.empty() || path_ == "-"; }

 private:
    struct sheet {
        std::string path;
        ledger::file_note file;  // the first of those that belong to it
        output_file out;
        report::rejects_writer writer{};
    };
    core::result<sheet*> sheet_of(const ledger::file_note& file);
    core::result<void> begin(const ledger::file_note& file);

    std::string path_;
    std::vector<sheet> sheets_;               // in the order of their first record
    std::optional<ledger::file_note> first_;  // on standard output
    bool wanted_ = true;
};

}  // namespace taskbarge::cli
