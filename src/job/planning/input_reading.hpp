// One reading of an import's input, from end to end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "job/contacts/contact_resolver.hpp"
#include "job/planning/import_input.hpp"
#include "job/planning/row_sink.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/job/plan_report.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

// What a pass over the input has found, whether or not it was kept.
struct input_summary {
    core::row_number rows = 0;  // records, rejects included
    std::uint64_t rejected = 0;
    std::vector<reject_line> rejects;  // by code, commonest first
    std::vector<reader::unknown_word> unknown_words;
    std::vector<reader::file_report> files;
    reader::input_digest digest;
    std::string relative_day;                       // empty: no relative dates
    std::vector<std::uint64_t> rejected_by_file{};  // up to the last file that has some
    contact_tally contacts{};
    std::optional<core::instant> resume_at{};  // of an input that waits for Apollo: not before
};

// Reads the input from end to end on a thread of its own and hands everything to `sink` on this one, with the contacts
// that `contacts` finds. Stops with errc::interrupted when asked, and with errc::waiting at a row whose contact is not
// known where that is to stop it. Progress goes to the observer at most five times a second.
core::result<input_summary> read_input(import_input& input, owner_directory owners, contact_resolver& contacts,
                                       row_sink& sink, const std::function<void(progress&)>& describe);

// errc::too_many_rejects when import.max_rejects is passed: one line with the commonest reason. Files of mended rejects
// do not count.
core::result<void> check_rejects(const core::share_or_count& most, const input_summary& input);

}  // namespace taskbarge::job
