#include "taskbarge/report/rejects_writer.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <new>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::report {

using core::append_json_string;
using core::json_object;
using core::printable;

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Whether the header's cell is what the reader takes for the column of an earlier error.
bool names_error(std::string_view cell) {
    std::string plain;
    for (const char c : cell)
        if (!is_blank(c) && c != '-' && c != '_' && c != '"') plain += core::lower(c);
    return plain == "error";
}

// Blanks, perhaps in quotes.
bool is_empty(std::string_view cell) {
    return std::all_of(cell.begin(), cell.end(), [](char c) { return is_blank(c) || c == '"'; });
}

// Without the empty cells at the end past the first `kept`.
void drop_empty_cells(std::vector<std::string_view>& cells, std::size_t kept) {
    while (cells.size() > kept && is_empty(cells.back()))
        cells.pop_back();
}

// Whether the text is one cell as append_error_cell() writes it.
bool is_error_cell(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    const auto code_end = std::find_if(text.begin(), text.end(),
                                       [](char c) { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_'; });
    if (code_end == text.begin() || code_end == text.end() || *code_end != ':') return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '"') continue;
        if (++at == text.size() || text[at] != '"') return false;
    }
    return true;
}

// The record without the error that an earlier rejects file put at its end, however broken the rest of it is.
std::string_view without_error_cell(std::string_view record, char delimiter) {
    for (std::size_t at = record.rfind(delimiter); at != std::string_view::npos; at = record.rfind(delimiter, at - 1)) {
        if (is_error_cell(record.substr(at + 1))) return record.substr(0, at);
        if (at == 0) break;
    }
    return record;
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
    const auto error = parser.parse(raw.data(), raw.size()).get(object);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    return error == simdjson::SUCCESS;
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

bool is_jsonl(const ledger::file_note& file) {
    return file.format.rfind("jsonl", 0) == 0;
}

}  // namespace

bool same_sheet(const ledger::file_note& one, const ledger::file_note& other) {
    return is_jsonl(one) == is_jsonl(other) && (is_jsonl(one) || one.header == other.header);
}

std::string_view rejects_extension(const ledger::file_note& file) {
    return is_jsonl(file) ? ".jsonl" : ".csv";
}

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
        // A quote that is written twice within a quoted cell flips twice; in other cells quotes come in pairs, too.
        if (record[at] == '"') quoted = !quoted;
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

rejects_writer::rejects_writer(std::vector<ledger::file_note> files) : files_(std::move(files)) {
    for (const auto& file : files_) {
        const auto like = std::find_if(files_.begin(), files_.end(),
                                       [&](const ledger::file_note& other) { return same_sheet(other, file); });
        const auto place = static_cast<std::size_t>(like - files_.begin());
        sheet_of_file_.push_back(place < sheet_of_file_.size() ? sheet_of_file_[place] : sheets_++);
    }
}

std::size_t rejects_writer::sheet_of(const core::rejected_row& row) const {
    return row.at.file < sheet_of_file_.size() ? sheet_of_file_[row.at.file] : 0;
}

std::string_view rejects_writer::extension(std::size_t sheet) const {
    const auto file = std::find(sheet_of_file_.begin(), sheet_of_file_.end(), sheet);
    if (file == sheet_of_file_.end()) return ".csv";
    return rejects_extension(files_[static_cast<std::size_t>(file - sheet_of_file_.begin())]);
}

const ledger::file_note& rejects_writer::file_of(const core::rejected_row& row) const {
    static const ledger::file_note unknown;
    return row.at.file < files_.size() ? files_[row.at.file] : unknown;
}

void rejects_writer::record(std::string& out, const core::rejected_row& row) {
    record(out, row, file_of(row));
}

void rejects_writer::record(std::string& out, const core::rejected_row& row, const ledger::file_note& file) {
    if (is_jsonl(file)) {
        out += json_with_error(row.raw, error_text(row));
        out += '\n';
    } else {
        csv_record(out, row, file);
    }
}

void rejects_writer::csv_record(std::string& out, const core::rejected_row& row, const ledger::file_note& file) {
    const char delimiter = delimiter_of(file.header);
    auto header = csv_cells(file.header, delimiter);
    drop_empty_cells(header, 1);
    const auto columns = header.size();
    const auto error_column =
        static_cast<std::size_t>(std::find_if(header.begin(), header.end(), names_error) - header.begin());
    if (!file.header.empty() && last_header_ != file.header) {
        last_header_ = file.header;
        append_cells(out, header, error_column, delimiter);
        out += "error\n";
    }
    auto cells = csv_cells(row.raw, delimiter);
    drop_empty_cells(cells, columns);
    if (cells.size() == columns) {
        append_cells(out, cells, error_column, delimiter);
    } else {
        // With the wrong number of cells it stays as it is, but for an error that is surely ours.
        out += error_column + 1 == columns ? without_error_cell(row.raw, delimiter) : std::string_view(row.raw);
        out += delimiter;
    }
    append_error_cell(out, error_text(row));
    out += '\n';
}

}  // namespace taskbarge::report
