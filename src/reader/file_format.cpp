#include "reader/file_format.hpp"

#include <fmt/format.h>

#include <optional>

#include "reader/encoding.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// The last extension, without those of compression.
std::string extension_of(const std::string& path) {
    std::string name = lower(path.substr(path.find_last_of('/') + 1));
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

core::failure json_array(const file_report& file) {
    const bool named_json = extension_of(file.name) == "json";
    return {core::errc::input, fmt::format("{}: is a JSON array, not one JSON object a line; {}", file.name,
                                           conversion("jq -c '.[]'", file, named_json ? "l" : ".jsonl"))};
}

core::failure spreadsheet(const std::string& name) {
    return {core::errc::input, fmt::format("{}: is a spreadsheet or archive, not text; save it as CSV (UTF-8)", name)};
}

core::failure misnamed_lines(const std::string& name) {
    return {core::errc::input,
            fmt::format("{}: begins like JSON lines, but its name says that it is a table; give it a name that ends in "
                        ".jsonl",
                        name)};
}

}  // namespace

core::result<file_format> format_of(const file_report& file, std::string_view head, const std::string& setting) {
    if (!setting.empty() && setting != "csv" && setting != "jsonl")
        return core::failure{core::errc::settings,
                             fmt::format("import.format: {} is none; it is \"csv\" or \"jsonl\"", shown(setting))};
    if (head.starts_with("PK\x03\x04") || head.starts_with("\xD0\xCF\x11\xE0")) return spreadsheet(file.name);
    const auto first = head.find_first_not_of(" \t\r\n");
    const std::string_view text = first == std::string_view::npos ? std::string_view() : head.substr(first);
    if (const auto known = by_name(extension_of(file.name))) {
        // No header begins like this.
        if (*known == file_format::csv && text.starts_with("{\"")) return misnamed_lines(file.name);
        return *known;
    }
    if (text.starts_with('{')) return file_format::jsonl;
    if (text.starts_with('[') && setting.empty()) return json_array(file);
    return setting == "jsonl" ? file_format::jsonl : file_format::csv;
}

}  // namespace taskbarge::reader
