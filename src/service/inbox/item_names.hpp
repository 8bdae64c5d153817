// What things are called: inputs, the files beside them, and items.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::service::inbox {

inline constexpr const char* note_file = "item.json";
inline constexpr const char* own_settings_file = "settings.toml";
inline constexpr const char* folder_settings_file = "folder-settings.toml";
inline constexpr const char* job_file = "job";
inline constexpr const char* plan_file = "plan.json";
inline constexpr const char* started_file = "started";
// What the settings of the whole inbox are called there.
inline constexpr const char* inbox_settings_file = "taskbarge.toml";

// One segment of a path that may stand in an item's folder or in the inbox, whatever else it is.
bool is_segment(std::string_view name);

// A name that an upload may have: one segment, 1 to 200 bytes of UTF-8, no control characters, no leading dot, none of
// our own file names. Else errc::usage.
core::result<void> check_name(std::string_view name);

// The name that passes check_name() and is as like a dropped file's as can be: a file that is there cannot be refused.
std::string fit_name(std::string_view dropped);

// An item's id in parts. As text it has letters, digits, '.', '-' and '_' only, so that it needs no escape in a path
// or a URL; other characters of the name become '_'.
struct item_id {
    std::string stem;
    core::instant time{};  // whole seconds
    std::uint64_t number = 1;
    std::string text() const;
};
item_id make_id(std::string_view name, core::instant time);
std::optional<item_id> parse_id(std::string_view text);
// By time, then as they came.
bool is_older(const item_id& a, const item_id& b);

}  // namespace taskbarge::service::inbox
