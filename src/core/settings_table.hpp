// The one table of settings. The settings file, the environment, --set and the documentation follow from it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings_values.hpp"

namespace taskbarge::core::detail {

struct access {
    // Reads the value into the settings. Returns the rule that it breaks; nothing when all is well.
    std::function<std::optional<std::string>(settings&, const raw_value&)> set;
    // The value as a settings file would have it; empty: not set. What may hold a secret is cut short.
    std::function<std::string(const settings&)> show;
};

struct setting {
    std::string section;
    std::string key;
    std::string form;      // how its value is written, for people
    std::string fallback;  // the default as --set would take it
    std::string help;
    access value;

    std::string name() const { return section + "." + key; }
    std::string variable() const;  // TASKBARGE_SECTION_KEY
};

const std::vector<setting>& settings_table();

// By section.key; null when there is none.
const setting* find_setting(std::string_view name);
// By environment variable; null when there is none.
const setting* find_setting_of_variable(std::string_view variable);
// The known name that an unknown one most likely means: section.key, or with `section` alone its name.
std::string nearest_setting(std::string_view unknown_name);
std::string nearest_section(std::string_view unknown_section);
std::string nearest_variable(std::string_view unknown_variable);
bool is_section(std::string_view name);

}  // namespace taskbarge::core::detail
