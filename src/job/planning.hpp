// From files to a committed job: everything is read, grouped and in the ledger before the first request.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "job/contact_resolver.hpp"
#include "job/row_sink.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

using reader::owner_directory;

// What a pass over the input has found, whether or not it was kept.
struct input_summary {
    core::row_number rows = 0;  // records, rejects included
    std::uint64_t rejected = 0;
    std::vector<reject_line> rejects;  // by code, commonest first
    std::vector<reader::unknown_word> unknown_words;
    std::vector<reader::file_report> files;
    std::string sha256;
    std::uint64_t bytes = 0;
    std::string relative_day;                       // empty: no relative dates
    std::vector<std::uint64_t> rejected_by_file{};  // up to the last file that has some
    contact_tally contacts{};
    std::optional<core::instant> resume_at{};  // of an input that waits for Apollo: not before
};

// Reads the input from end to end on a thread of its own and hands everything to `sink` on this one, with the contacts
// that `contacts` finds. Stops with errc::interrupted when asked, and with errc::waiting at a row whose contact is not
// known where that is to stop it. Progress goes to the observer at most five times a second.
core::result<input_summary> read_input(const environment& env, const import_options& options, owner_directory owners,
                                       contact_resolver& contacts, row_sink& sink,
                                       const std::function<void(progress&)>& describe);

// The reader's options for this run's settings.
reader::source_options source_options_of(const environment& env, const import_options& options, owner_directory owners);

// The base day of relative dates under these settings, "2026-11-23".
std::string relative_day(const core::settings& s, core::instant now);

// The identity that an input would have under these settings.
ledger::job_identity identity_of(const core::settings& s, const import_options& options, const input_summary& input);

// errc::too_many_rejects when import.max_rejects is passed: one line with the commonest reason. Files of mended rejects
// do not count.
core::result<void> check_rejects(const core::share_or_count& most, const input_summary& input);

// A job that this process holds.
struct held_job {
    ledger::job_record record;
    std::unique_ptr<ledger::job_lock> lock;
    bool found = false;  // made by an earlier run, not planned now
};

// Whether a job that was found must be held. A new one is, in any case.
enum class found_job { held, as_it_is };

// Finds the job that this input made before, or plans a new one. `input` is filled where the input was read.
core::result<held_job> find_or_plan(const environment& env, ledger::ledger& book, const import_options& options,
                                    found_job found, owner_directory owners, input_summary& input);

}  // namespace taskbarge::job
