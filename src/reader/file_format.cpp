#include "reader/file_format.hpp"

#include <fmt/format.h>

#include <optional>

#include "reader/byte_source.hpp"
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

core::failure no_lines(const std::string& path, std::string_view what) {
    return {core::errc::input,
            fmt::format("{}: is {}, not one JSON object a line; convert it with: jq -c '.[]' {} > {}",
                        display_name(path), what, shell_quoted(path), shell_quoted(path + "l"))};
}

core::failure spreadsheet(const std::string& path) {
    return {core::errc::input,
            fmt::format("{}: is a spreadsheet or archive, not text; save it as CSV (UTF-8)", display_name(path))};
}

}  // namespace

core::result<file_format> format_of(const std::string& path, std::string_view head, const std::string& setting) {
    if (!setting.empty() && setting != "csv" && setting != "jsonl")
        return core::failure{core::errc::settings,
                             fmt::format("import.format: {} is none; it is \"csv\" or \"jsonl\"", shown(setting))};
    if (head.starts_with("PK\x03\x04") || head.starts_with("\xD0\xCF\x11\xE0")) return spreadsheet(path);
    if (const auto known = by_name(extension_of(path))) return *known;
    const auto first = head.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && head[first] == '{') return file_format::jsonl;
    if (first != std::string_view::npos && head[first] == '[' && setting.empty()) return no_lines(path, "a JSON array");
    return setting == "jsonl" ? file_format::jsonl : file_format::csv;
}

}  // namespace taskbarge::reader
