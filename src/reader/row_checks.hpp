// From a record's texts to a checked row.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "reader/due_dates.hpp"
#include "reader/fields.hpp"
#include "reader/text.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

// Applies defaults and checks each field. Texts that had to be rewritten, and defaults, are put into the arena given;
// the others stay where they are.
class row_checks {
 public:
    // Fails with errc::settings when a default or import.id_pattern is itself not right.
    static core::result<row_checks> make(const source_options& options);
    // All of what make() fails with the first of.
    static std::vector<core::setting_fault> faults_of(const source_options& options);

    std::optional<fault> contact_id(std::string_view text, text_arena& arena, std::string_view& out) const;
    std::optional<fault> details(const field_texts& texts, text_arena& arena, core::task_view& out);

    // Why the owners could not be found; everything read since then is void.
    const std::optional<core::failure>& owners_failure() const { return owners_failure_; }
    bool used_relative_dates() const { return dates_.used_relative(); }

 private:
    row_checks(const source_options& options, due_dates dates);
    std::vector<core::setting_fault> faults_of_defaults(due_dates* scratch) const;
    std::optional<fault> id(std::string_view text, field f, text_arena& arena, std::string_view& out) const;
    std::optional<fault> user(const field_texts& texts, text_arena& arena, std::string_view& out);
    std::optional<fault> owner(std::string_view email, text_arena& arena, std::string_view& out);
    void look_up_owners();
    std::optional<fault> note(std::string_view text, text_arena& arena, std::string_view& out) const;

    core::default_settings defaults_;
    due_dates dates_;
    std::uint64_t note_limit_;
    std::string id_pattern_;
    std::optional<std::regex> id_regex_;                                               // not for the usual pattern
    std::function<core::result<std::map<std::string, std::string>>()> owners_lookup_;  // empty once called
    std::optional<core::failure> owners_failure_;
    std::map<std::string, std::string, std::less<>> owners_;
    std::vector<std::string> owner_addresses_;
    // Unknown owners repeat, and finding the nearest of many costs time.
    std::map<std::string, std::string, std::less<>> nearest_owner_;
};

}  // namespace taskbarge::reader
