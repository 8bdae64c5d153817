// From a record's texts to a checked row.
#pragma once

#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "reader/due_dates.hpp"
#include "reader/fields.hpp"
#include "reader/html_text.hpp"
#include "reader/owner_rules.hpp"
#include "reader/text.hpp"
#include "reader/word_rules.hpp"
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

    // A note's cell without its HTML, where the settings say that it is some.
    std::string_view note_text(std::string_view cell, text_arena& arena) const {
        return notes_ == core::note_form::html && may_be_html(cell) ? arena.keep(text_of_html(cell)) : cell;
    }
    std::optional<fault> contact_id(std::string_view text, text_arena& arena, std::string_view& out) const;
    std::optional<fault> details(const field_texts& texts, text_arena& arena, core::task_view& out);
    // Of a record that details() found wrong: all of its unknown words, not only the first.
    void count_unknown_words(const field_texts& texts, const fault& wrong);

    // Why the owners could not be found; everything read since then is void.
    const std::optional<core::failure>& owners_failure() const { return owners_.failure(); }
    const unknown_words& unknown() const { return unknown_; }
    bool used_relative_dates() const { return dates_.used_relative(); }

 private:
    row_checks(const source_options& options, due_dates dates);
    std::vector<core::setting_fault> faults_of_defaults(due_dates* scratch) const;
    std::optional<fault> id(std::string_view text, field f, text_arena& arena, std::string_view& out) const;
    std::optional<fault> user(const field_texts& texts, text_arena& arena, std::string_view& out);
    std::optional<fault> owner(std::string_view owner, field f, text_arena& arena, std::string_view& out);
    template <class Enum>
    std::optional<fault> word(const word_rules<Enum>& rules, std::string_view text, std::string_view otherwise, field f,
                              std::optional<Enum> fallback, Enum& out);
    std::optional<fault> note(std::string_view text, text_arena& arena, std::string_view& out) const;

    core::default_settings defaults_;
    due_dates dates_;
    std::uint64_t note_limit_;
    std::string id_pattern_;
    std::optional<std::regex> id_regex_;  // not for the usual pattern
    core::note_form notes_;
    word_rules<core::task_type> types_;
    word_rules<core::task_priority> priorities_;
    word_rules<core::task_status> statuses_;
    owner_rules owners_;
    unknown_words unknown_;
};

}  // namespace taskbarge::reader
