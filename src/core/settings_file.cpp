#include "core/settings_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "taskbarge/core/shortage.hpp"

namespace taskbarge::core::detail {

namespace {

result<std::string> read_whole(const std::string& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return failure{errc::settings, fmt::format("settings file {}: is a folder", path)};
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.is_open() || in.bad()) {
        if (auto why = shortage_of("settings file " + path, errno)) return *why;
        const char* why = errno != 0 ? std::strerror(errno) : "cannot be read";
        return failure{errc::settings, fmt::format("settings file {}: {}", path, why)};
    }
    return bytes;
}

raw_data list_of_texts(const toml::array& array) {
    std::vector<std::string> list;
    for (const auto& element : array) {
        const auto text = element.value_exact<std::string>();
        if (!text) return {};
        list.push_back(*text);
    }
    return list;
}

raw_data table_of_texts(const toml::table& table) {
    std::map<std::string, std::string> texts;
    for (const auto& [key, node] : table) {
        const auto text = node.value_exact<std::string>();
        if (!text) return {};
        texts.emplace(key.str(), *text);
    }
    return texts;
}

raw_data data_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto number = node.value_exact<std::int64_t>()) return *number;
    if (const auto number = node.value_exact<double>()) return *number;
    if (const auto truth = node.value_exact<bool>()) return *truth;
    if (const auto* array = node.as_array()) return list_of_texts(*array);
    if (const auto* table = node.as_table()) return table_of_texts(*table);
    return {};
}

file_entry entry_of(std::string name, const toml::source_region& at, raw_data data) {
    file_entry entry;
    entry.name = std::move(name);
    entry.data = std::move(data);
    entry.line = at.begin.line;
    entry.column = at.begin.column;
    return entry;
}

void add_section(std::vector<file_entry>& entries, const toml::key& name, const toml::table& section) {
    if (section.empty()) {
        entries.push_back(entry_of(std::string(name.str()), name.source(), {}));
        entries.back().is_empty_section = true;
    }
    for (const auto& [key, node] : section) {
        entries.push_back(entry_of(fmt::format("{}.{}", name.str(), key.str()), key.source(), data_of(node)));
    }
}

}  // namespace

result<std::vector<file_entry>> read_settings_file(const std::string& path) {
    const auto bytes = read_whole(path);
    if (!bytes) return bytes.error();
    std::vector<file_entry> entries;
    try {
        const toml::table root = toml::parse(*bytes, path);
        for (const auto& [name, node] : root) {
            if (const auto* section = node.as_table()) {
                add_section(entries, name, *section);
            } else {
                entries.push_back(entry_of(std::string(name.str()), name.source(), data_of(node)));
            }
        }
    } catch (const toml::parse_error& e) {
        const auto& at = e.source().begin;
        return failure{errc::settings, fmt::format("{}:{}:{}: {}", path, at.line, at.column, e.description())};
    }
    return entries;
}

raw_data read_value_text(const std::string& text) {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    const bool list = text.size() >= 2 && text.front() == '[' && text.back() == ']';
    const bool table = text.size() >= 2 && text.front() == '{' && text.back() == '}';
    if (!quoted && !list && !table) return text;
    try {
        const toml::table parsed = toml::parse("value = " + text);
        auto data = data_of(*parsed.get("value"));
        if (!std::holds_alternative<std::monostate>(data)) return data;
    } catch (const toml::parse_error&) {
        // Not TOML after all: a regular expression such as [0-9]+ begins like a list, a note {Title} like a table.
    }
    return text;
}

}  // namespace taskbarge::core::detail
