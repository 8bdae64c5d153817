#include "taskbarge/report/rejects_writer.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::report {

using core::append_json_string;
using core::json_object;
using core::printable;

namespace {

// The cell's text if it is plain, or within plain quotes; enough to recognise a column name.
std::string_view bare(std::string_view cell) {
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
    return cell;
}

std::optional<std::size_t> error_column(const std::vector<std::string_view>& header) {
    const auto found = std::find_if(header.begin(), header.end(), [](auto cell) { return bare(cell) == "error"; });
    if (found == header.end()) return std::nullopt;
    return static_cast<std::size_t>(found - header.begin());
}

// The cells again, without the one at `left_out`, each followed by the delimiter.
void append_cells(std::string& out, const std::vector<std::string_view>& cells, std::size_t left_out, char delimiter) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i == left_out) continue;
        out += cells[i];
        out += delimiter;
    }
}

// Always in quotes, so that it reads the same under every delimiter. The codes begin with a letter: no formula.
void append_error_cell(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

bool is_json_object(std::string_view raw) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    return parser.parse(raw.data(), raw.size()).get(object) == simdjson::SUCCESS;
}

// The end of the JSON string that begins at `at`.
std::size_t skip_string(std::string_view json, std::size_t at) {
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
    }
    return at + 1;
}

// The members of a valid JSON object as they are spelt: `"key": value`.
std::vector<std::string_view> members_of(std::string_view object) {
    std::vector<std::string_view> members;
    int depth = 0;
    std::size_t from = 0;
    const auto add = [&](std::size_t to) {
        auto member = object.substr(from, to - from);
        const auto first = member.find_first_not_of(" \t\r\n");
        if (first == std::string_view::npos) return;
        members.push_back(member.substr(first, member.find_last_not_of(" \t\r\n") - first + 1));
    };
    for (std::size_t at = 0; at < object.size();) {
        const char c = object[at];
        if (c == '"') {
            at = skip_string(object, at);
            continue;
        }
        if ((c == '}' || c == ']') && --depth == 0) add(at);
        if (c == ',' && depth == 1) add(at);
        if ((c == '{' || c == '[') && ++depth == 1) from = at + 1;
        if (c == ',' && depth == 1) from = at + 1;
        ++at;
    }
    return members;
}

}  // namespace

std::string error_text(const core::rejected_row& row) {
    const auto message = printable(row.message, 2000);
    if (row.column.empty()) return fmt::format("{}: {}", row.code, message);
    return fmt::format("{}: column {}: {}", row.code, printable(row.column, 200), message);
}

std::vector<std::string_view> csv_cells(std::string_view record, char delimiter) {
    std::vector<std::string_view> cells;
    std::size_t from = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < record.size(); ++at) {
        // Only a cell that begins with a quote is a quoted one; a doubled quote inside it flips twice.
        if (record[at] == '"' && record[from] == '"') quoted = !quoted;
        if (record[at] != delimiter || quoted) continue;
        cells.push_back(record.substr(from, at - from));
        from = at + 1;
    }
    cells.push_back(record.substr(from));
    return cells;
}

char delimiter_of(std::string_view header) {
    constexpr std::string_view candidates = ",;\t|";
    std::array<std::size_t, candidates.size()> seen{};
    bool quoted = false;
    for (const char c : header) {
        if (c == '"') quoted = !quoted;
        const auto which = candidates.find(c);
        if (!quoted && which != std::string_view::npos) ++seen[which];
    }
    return candidates[static_cast<std::size_t>(std::max_element(seen.begin(), seen.end()) - seen.begin())];
}

std::string json_with_error(std::string_view raw, std::string_view error) {
    std::string out;
    if (!is_json_object(raw)) {
        json_object o(out);
        o.text("error", error);
        o.text("raw", raw);
        o.close();
        return out;
    }
    out = "{";
    for (const auto member : members_of(raw)) {
        if (member.substr(0, 7) == "\"error\"") continue;
        out += member;
        out += ',';
    }
    out += "\"error\":";
    append_json_string(out, error);
    return out + '}';
}

void rejects_writer::record(std::string& out, const core::rejected_row& row) {
    static const ledger::file_note unknown;
    const auto& file = row.at.file < files_.size() ? files_[row.at.file] : unknown;
    if (file.format.rfind("jsonl", 0) == 0) {
        out += json_with_error(row.raw, error_text(row));
        out += '\n';
    } else {
        csv_record(out, row, file);
    }
}

void rejects_writer::csv_record(std::string& out, const core::rejected_row& row, const ledger::file_note& file) {
    const char delimiter = delimiter_of(file.header);
    const auto header = csv_cells(file.header, delimiter);
    const auto none = header.size();
    const auto left_out = error_column(header).value_or(none);
    if (!file.header.empty() && last_header_ != file.header) {
        last_header_ = file.header;
        append_cells(out, header, left_out, delimiter);
        out += "error\n";
    }
    const auto cells = csv_cells(row.raw, delimiter);
    // A record with the wrong number of cells has no cell that is surely the old error's: it stays whole.
    const bool drop = left_out != none && cells.size() == header.size();
    append_cells(out, cells, drop ? left_out : cells.size(), delimiter);
    append_error_cell(out, error_text(row));
    out += '\n';
}

}  // namespace taskbarge::report
