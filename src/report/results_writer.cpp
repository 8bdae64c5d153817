#include "taskbarge/report/results_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "taskbarge/core/json_text.hpp"

namespace taskbarge::report {

using core::json_object;

namespace {

void append_number(std::string& out, std::uint64_t n) {
    const fmt::format_int digits(n);
    out.append(digits.data(), digits.size());
}

void append_duplicate_of(std::string& out, const ledger::row_result& row, core::job_id job) {
    if (!row.duplicate_of) return;
    const auto of_job = row.duplicate_of->first != 0 ? row.duplicate_of->first : job;
    append_number(out, static_cast<std::uint64_t>(of_job));
    out += ':';
    append_number(out, row.duplicate_of->second);
}

// Characters of a set, by value: every cell is looked through, and a table is quicker than a search per character.
constexpr std::array<bool, 256> table_of(std::string_view characters) {
    std::array<bool, 256> out{};
    for (const char c : characters)
        out[static_cast<unsigned char>(c)] = true;
    return out;
}

bool needs_quotes(std::string_view text) {
    static constexpr auto special = table_of(",\"\r\n");
    return std::any_of(text.begin(), text.end(), [](char c) { return special[static_cast<unsigned char>(c)]; });
}

bool looks_like_formula(std::string_view text) {
    static constexpr auto starts = table_of("=+-@\t\r");
    return !text.empty() && starts[static_cast<unsigned char>(text.front())] && text != "-";
}

}  // namespace

void append_csv_cell(std::string& out, std::string_view text) {
    if (!needs_quotes(text)) {
        out += text;
        return;
    }
    out += '"';
    for (auto quote = text.find('"'); quote != std::string_view::npos; quote = text.find('"')) {
        out += text.substr(0, quote + 1);
        out += '"';
        text.remove_prefix(quote + 1);
    }
    out += text;
    out += '"';
}

void append_csv_text(std::string& out, std::string_view text) {
    if (!looks_like_formula(text)) return append_csv_cell(out, text);
    append_csv_cell(out, "'" + std::string(text));
}

results_writer::results_writer(results_format format, std::vector<std::string> files, core::job_id job)
    : format_(format), files_(std::move(files)), job_(job) {}

void results_writer::header(std::string& out) const {
    if (format_ != results_format::csv) return;
    out +=
        "row,file,line,contact_id,state,task_id,code,column,message,attempts,request_id,possible_duplicate,"
        "duplicate_of,finished_at,contact_key\n";
}

void results_writer::line(std::string& out, const ledger::row_result& row) {
    if (format_ == results_format::csv) {
        csv_line(out, row);
    } else {
        json_line(out, row);
    }
}

void results_writer::csv_line(std::string& out, const ledger::row_result& row) {
    append_number(out, row.row);
    out += ',';
    append_csv_text(out, file_of(row));
    out += ',';
    append_number(out, row.line);
    out += ',';
    append_csv_text(out, row.contact_id);
    out += ',';
    out += core::to_string(row.state);
    out += ',';
    append_csv_cell(out, row.task_id);
    out += ',';
    append_csv_cell(out, row.code);
    out += ',';
    append_csv_text(out, row.column);
    out += ',';
    append_csv_text(out, row.message);
    out += ',';
    append_number(out, row.attempts);
    out += ',';
    append_csv_text(out, row.request_id);
    out += row.possible_duplicate ? ",true," : ",false,";
    append_duplicate_of(out, row, job_);
    out += ',';
    if (row.finished_at) out += time_text(*row.finished_at);
    out += ',';
    append_csv_text(out, row.contact_key);
    out += '\n';
}

void add_result(core::json_object& o, const ledger::row_result& row, std::string_view file) {
    o.number("row", row.row);
    o.text_or_null("file", file);
    o.number("line", row.line);
    o.text_or_null("contact_id", row.contact_id);
    o.text("state", core::to_string(row.state));
    o.text_or_null("task_id", row.task_id);
    o.text_or_null("code", row.code);
    o.text_or_null("column", row.column);
    o.text_or_null("message", row.message);
    o.number("attempts", row.attempts);
    o.text_or_null("request_id", row.request_id);
    o.truth("possible_duplicate", row.possible_duplicate);
}

void results_writer::json_line(std::string& out, const ledger::row_result& row) {
    json_object o(out);
    add_result(o, row, file_of(row));
    std::string duplicate_of;
    append_duplicate_of(duplicate_of, row, job_);
    o.text_or_null("duplicate_of", duplicate_of);
    o.text_or_null("finished_at", row.finished_at ? std::string_view(time_text(*row.finished_at)) : "");
    o.text_or_null("contact_key", row.contact_key);
    o.close();
    out += '\n';
}

const std::string& results_writer::file_of(const ledger::row_result& row) const {
    static const std::string none;
    return row.file < files_.size() ? files_[row.file] : none;
}

const std::string& results_writer::time_text(core::instant t) {
    if (last_time_ != t) {
        last_time_ = t;
        last_time_text_ = core::to_rfc3339(t);
    }
    return last_time_text_;
}

}  // namespace taskbarge::report
