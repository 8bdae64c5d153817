// What a file holds: by its name, else by its first bytes, else by the setting.
#pragma once

#include <string>
#include <string_view>

#include "reader/field_map.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::reader {

enum class file_format { csv, jsonl };

// Of the file name and compression must be known. `head` are the first plain bytes without a byte order mark, all of
// them where it is `whole`; `setting` is import.format. Fails with errc::input for what is neither, with the command
// that turns it into one where there is one; errc::settings for an unknown setting.
core::result<file_format> format_of(const file_report& file, std::string_view head, bool whole, const name_rules& rules,
                                    const std::string& setting);

}  // namespace taskbarge::reader
