// Which column or key of a file holds which field.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reader/fields.hpp"
#include "reader/note_template.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

// How sure it is that a name means a field; the lowest wins.
enum class name_match : std::uint8_t {
    settings,  // [columns] says so
    name,      // our name of the field, or one that says "Apollo"; whatever its case, spaces, dashes and underscores
    alias      // a name that exports of CRMs use for it
};
std::string_view to_string(name_match m);

struct matched_field {
    field at = field::contact_id;
    name_match how = name_match::name;
};

// The rules of [columns] and [defaults] for matching names. What is set always goes before a guess, in either form of
// the owner. Outlives nothing: holds copies.
class name_rules {
 public:
    // Fails with errc::settings when [columns] names a field that there is not, or a note that makes no sense.
    static core::result<name_rules> make(const source_options& options);

    // The field that a column or key of this name may hold.
    std::optional<matched_field> match(std::string_view name) const;
    // Why a column that seems to hold a field is not taken for it; empty: it does not seem to.
    std::string why_not(std::string_view name) const;
    bool ignores(std::string_view name) const;
    // Whether a field's column may be found by its name: what the settings place elsewhere is not looked for.
    bool is_open(field f) const;
    // The name that [columns] gives for a field; empty: none.
    std::string configured(field f) const { return configured_[f].value_or(""); }
    bool has_default(field f) const { return has_default_[f]; }
    const note_template& note() const { return note_; }
    bool is_part_of_note(std::string_view name) const;
    // The column of a mended rejects file that says why a row was rejected.
    static bool is_error_column(std::string_view name);

 private:
    bool has_default_in_either_form(field f) const;

    per_field<std::optional<std::string>> configured_;  // an empty name: no column
    per_field<bool> has_default_;
    std::vector<std::string> ignored_;  // normalised
    note_template note_;
};

// Lower case without spaces, dashes, underscores, dots and colons, and without the "__c" of Salesforce's own fields.
std::string normalised(std::string_view name);

// A text as it stands, or a column by its index.
struct note_part {
    std::string text;
    std::optional<std::size_t> column;
};

// Where each field stands in a file with a header.
struct header_map {
    per_field<std::optional<std::size_t>> column;  // index; nothing: not in the file
    per_field<name_match> how;
    std::vector<note_part> note;             // of a note made of several columns
    std::vector<std::string> unused;         // columns that nothing uses
    std::vector<passed_column> passed_over;  // columns that seem to hold a field, and why they are not taken for it
};

enum class needed_fields { all, none };

// Fails with errc::input, naming the columns at fault: fields that have neither column nor default (where all are
// needed; something must name the contact), a configured column that is not there, two columns for one field. Only
// where a contact is named otherwise, two columns for one key do no harm: neither is used.
core::result<header_map> map_header(std::span<const std::string> names, const name_rules& rules,
                                    const std::string& file, needed_fields needed = needed_fields::all);

// For the report: a field that has no column but a default.
mapped_column from_default(field f);

}  // namespace taskbarge::reader
