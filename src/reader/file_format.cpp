#include "reader/file_format.hpp"

#include <fmt/format.h>

#include <optional>

#include "reader/json_layout.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// The last extension, without those of compression.
std::string extension_of(const std::string& path) {
    std::string name = lower_case(path.substr(path.find_last_of('/') + 1));
    for (const std::string_view compressed : {".gz", ".gzip", ".zst", ".zstd"})
        if (name.ends_with(compressed)) {
            name.resize(name.size() - compressed.size());
            break;
        }
    const auto dot = name.find_last_of('.');
    return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

std::optional<file_format> by_name(const std::string& extension) {
    if (extension == "csv" || extension == "tsv" || extension == "tab" || extension == "psv") return file_format::csv;
    if (extension == "jsonl" || extension == "ndjson") return file_format::jsonl;
    return std::nullopt;
}

core::failure misnamed_lines(const std::string& name) {
    return {core::errc::input,
            fmt::format("{}: begins like JSON lines, but its name says that it is a table; give it a name that ends in "
                        ".jsonl",
                        name)};
}

}  // namespace

core::result<file_format> format_of(const file_report& file, std::string_view head, bool whole, const name_rules& rules,
                                    const std::string& setting) {
    if (!setting.empty() && setting != "csv" && setting != "jsonl")
        return core::failure{core::errc::settings,
                             fmt::format("import.format: {} is none; it is \"csv\" or \"jsonl\"", shown(setting))};
    if (const auto other = other_json(head, whole, rules, file))
        return core::failure{core::errc::input, fmt::format("{}: {}", file.name, *other)};
    const auto first = head.find_first_not_of(" \t\r\n");
    const std::string_view text = first == std::string_view::npos ? std::string_view() : head.substr(first);
    if (const auto known = by_name(extension_of(file.name))) {
        // No header begins like this.
        if (*known == file_format::csv && text.starts_with("{\"")) return misnamed_lines(file.name);
        return *known;
    }
    if (text.starts_with('{')) return file_format::jsonl;
    return setting == "jsonl" ? file_format::jsonl : file_format::csv;
}

}  // namespace taskbarge::reader
