// JSON that is not one object a line: arrays, objects that hold the records, objects over lines or one behind the
// other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reader/field_map.hpp"

namespace taskbarge::reader {

// What to tell of a file that begins like that, with the command that makes lines of it. Nothing for lines of JSON,
// good or bad, and for what is no JSON. `head` are its first plain bytes, `whole` says that there are no more.
std::optional<std::string> other_json(std::string_view head, bool whole, const name_rules& rules,
                                      const file_report& file);

// Records that a JSON object holds in an array, and what to tell of it.
struct records_held {
    std::string message;
    bool name_contacts = false;  // else they may be anything
};
// Nothing when `line`, which may be cut, names a contact itself or holds no array of objects.
std::optional<records_held> held_records(std::string_view line, const name_rules& rules, const file_report& file);

}  // namespace taskbarge::reader
