// Reading single values: what a source holds, and the forms that settings are written in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "taskbarge/core/settings.hpp"

namespace taskbarge::core::detail {

// Where a value comes from, as far as reading it depends on that.
struct value_origin {
    bool typed = false;  // from a settings file: numbers, texts and lists are told apart. Else all is text
    std::string folder;  // of the settings file, for relative paths; empty: the working directory
    std::string home;    // for "~/"; empty: not known
};

// A value as it stands in its source. std::monostate: of a kind that no setting has, such as a date.
using raw_data = std::variant<std::monostate, std::string, std::int64_t, double, bool, std::vector<std::string>,
                              std::map<std::string, std::string>>;
struct raw_value {
    raw_data data;
    const value_origin* origin = nullptr;
};

// Each reads one form; nothing when the value does not have it.
std::optional<std::string> read_text(const raw_value& v);
std::optional<std::vector<std::string>> read_list(const raw_value& v);
std::optional<std::map<std::string, std::string>> read_table(const raw_value& v);
bool is_false(const raw_value& v);
std::optional<std::uint64_t> read_count(const raw_value& v);
std::optional<std::chrono::milliseconds> read_duration(const raw_value& v);
std::optional<std::uint64_t> read_size(const raw_value& v);    // "64MiB", "10MB"; a plain number is bytes
std::optional<double> read_percentage(const raw_value& v);     // "20%", 0 to 100
std::optional<share_or_count> read_share(const raw_value& v);  // "5%" or a count

// The words of an API base URL, or the rule that it breaks.
struct checked_url {
    std::string url;   // scheme and host in lower case, no trailing slash
    std::string rule;  // not empty: broken
};
checked_url check_base_url(std::string_view text);

// "~/x" with the home folder, and a relative path with the folder of its settings file. Nothing when the home folder is
// needed and not known.
std::optional<std::string> resolve_path(const std::string& path, const value_origin& origin);

}  // namespace taskbarge::core::detail
