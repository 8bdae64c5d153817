// Which column or key of a file holds which field.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reader/fields.hpp"
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

// The rules of [columns] and [defaults] for matching names. Outlives nothing: holds copies.
class name_rules {
 public:
    // Fails with errc::settings when [columns] names a field that there is not.
    static core::result<name_rules> make(const source_options& options);

    // The field that a column or key of this name may hold.
    std::optional<matched_field> match(std::string_view name) const;
    // The name that [columns] gives for a field; empty: none.
    const std::string& configured(field f) const { return configured_[f]; }
    bool has_default(field f) const { return has_default_[f]; }
    // The column of a mended rejects file that says why a row was rejected.
    static bool is_error_column(std::string_view name);

 private:
    per_field<std::string> configured_;
    per_field<bool> has_default_;
};

// Lower case without spaces, dashes and underscores.
std::string normalised(std::string_view name);

// Where each field stands in a file with a header.
struct header_map {
    per_field<std::optional<std::size_t>> column;  // index; nothing: not in the file
    per_field<name_match> how;
    std::vector<std::string> unused;  // columns that nothing uses
};

// Fails with errc::input, naming the columns at fault: no contact column, a field that has neither column nor default,
// a configured column that is not there, two columns for one field.
core::result<header_map> map_header(std::span<const std::string> names, const name_rules& rules,
                                    const std::string& file);

// For the report: a field that has no column but a default.
mapped_column from_default(field f);

}  // namespace taskbarge::reader
