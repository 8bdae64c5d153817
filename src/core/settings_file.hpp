// The syntax of settings: TOML files, and the text of --set and environment variables. Nothing here knows a setting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings_values.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::core::detail {

// One entry of a settings file and where it stands.
struct file_entry {
    std::string name;               // section.key, or what stands alone at the top
    bool is_empty_section = false;  // a section without any key: `name` is the section's
    raw_data data;
    std::uint32_t line = 0, column = 0;
};

// All entries in the order of their names. Fails with errc::settings, naming file, line and column.
result<std::vector<file_entry>> read_settings_file(const std::string& path);

// A value given as text. A list (["a", "b"]), a table ({a = "b"}) and a text in double quotes are read as in a file;
// all else is the text itself.
raw_data read_value_text(const std::string& text);

}  // namespace taskbarge::core::detail
