#include "reader/csv_records.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "reader/csv_frame.hpp"
#include "reader/csv_header.hpp"
#include "reader/encoding.hpp"
#include "reader/invisible.hpp"
#include "reader/plain_cell.hpp"
#include "taskbarge/reader/survey.hpp"

namespace taskbarge::reader {
namespace {

// Whether the last column is the one that the writer of rejects adds. Only its very name: exports of failed loads have
// an ERROR, too.
bool brings_errors(const csv_header& header) {
    if (header.names.empty() || header.names.back() != "error") return false;
    return std::none_of(all_fields.begin(), all_fields.end(),
                        [&](field f) { return header.map.column[f] == header.names.size() - 1; });
}

class csv_records final : public record_reader {
 public:
    csv_records(byte_window window, const file_context& context, csv_header header)
        : record_reader(std::move(window), context),
          framer_(header.delimiter, std::max(header.columns, header.names.size() + 1)),
          header_(std::move(header)) {
        move_on(window_.begin(), header_.lines);
        for (const field f : all_fields)
            if (header_.map.column[f]) used_.push_back({f, *header_.map.column[f]});
        // In a file of mended rejects the error stands behind what a short row has: it must not become a note.
        rejects_file_ = std::any_of(header_.names.begin(), header_.names.end(), name_rules::is_error_column);
        may_bring_errors_ = brings_errors(header_);
    }

 private:
    struct used_column {
        field at;
        std::size_t index;
    };

    core::result<void> step(record_sink& sink) override {
        const csv_frame frame = framer_.frame(window_.begin(), window_.end(), rest());
        switch (frame.kind) {
            case frame_kind::unfinished:
                if (!too_long_already()) return window_.extend();
                reject_line(sink, too_long_fault());
                break;
            case frame_kind::faulty:
                reject_line(sink, stray_quote(frame.problem));
                break;
            case frame_kind::simple:
                take_simple(frame, sink);
                break;
            case frame_kind::quoted:
                take_quoted(frame, sink);
                break;
        }
        if (refused_) return *refused_;
        return {};
    }

    void take_simple(const csv_frame& frame, record_sink& sink) {
        const std::string_view raw = text_up_to(frame.end);
        if (framer_.cell_count() == 1 && trimmed(raw).empty()) return move_on(frame.next, 1);  // a blank line
        if (too_long(raw.size())) return reject_line(sink, too_long_fault());
        if (frame.has_nul) return reject(frame, 1, nul_byte(), sink);
        if (frame.non_ascii && !simdjson::validate_utf8(raw.data(), raw.size()))
            return reject(frame, 1, not_utf8(raw), sink);
        if (right_count(framer_.cells(), framer_.cell_count())) return take_cells(frame, 1, framer_.cells(), sink);
        // The framer keeps no more cells than a good record has. What is made of them may be a row.
        split_record(copy_of(raw, sink.texts()), header_.delimiter, cells_);
        take_odd_count(frame, sink);
    }

    // A record over several lines that makes no sense is taken for a stray quote that swallowed the next lines: only
    // the first is rejected.
    void take_quoted(const csv_frame& frame, record_sink& sink) {
        const std::string_view raw = text_up_to(frame.end);
        if (too_long(raw.size())) return reject_line(sink, too_long_fault());
        const std::uint64_t breaks = count_line_ends(raw.data(), raw.data() + raw.size());
        if (std::memchr(raw.data(), '\0', raw.size())) return reject(frame, breaks + 1, nul_byte(), sink);
        if (!simdjson::validate_utf8(raw.data(), raw.size())) return reject(frame, breaks + 1, not_utf8(raw), sink);
        if (!split_record(copy_of(raw, sink.texts()), header_.delimiter, cells_))
            return reject_line(sink, stray_quote("a quote is not closed"));
        if (right_count(cells_, cells_.size())) return take_cells(frame, breaks + 1, cells_, sink);
        if (holds_no_content(cells_)) return pass_empty(frame.next, breaks + 1);
        if (breaks == 0) return take_odd_count(frame, sink);
        reject_line(sink,
                    stray_quote(fmt::format("a quote joins {} lines to a record of {} columns where the header has {}",
                                            breaks + 1, cells_.size(), header_.names.size())));
    }

    // To be split in place; the batch keeps it.
    static char* copy_of(std::string_view raw, text_arena& arena) {
        char* const copy = arena.take(raw.size() + 1);
        std::memcpy(copy, raw.data(), raw.size());
        copy[raw.size()] = '\0';
        return copy;
    }

    // A record on one line, cells_, that has too few or too many cells.
    void take_odd_count(const csv_frame& frame, record_sink& sink) {
        if (holds_no_content(cells_)) return pass_empty(frame.next, 1);
        const bool short_row = cells_.size() < header_.names.size();
        if (header_in(cells_, header_, context_.rules) != header_again::none) return refuse(text_up_to(frame.end));
        if (short_row && context_.options.import.short_rows && !rejects_file_) {
            cells_.resize(header_.names.size());
            return take_cells(frame, 1, cells_, sink);
        }
        fault why = wrong_count(cells_.size());
        if (text_up_to(frame.end).find(utf8_bom) != std::string_view::npos)
            why.message += "; the byte order mark in it says that two files were joined here without a line break";
        reject(frame, 1, std::move(why), sink);
    }

    // What stands behind another header means something else: nothing of the file is used.
    void refuse(std::string_view other) {
        refused_ = core::failure{
            core::errc::input,
            fmt::format("{}:{}: here is another header, {}, where the file began with {}: two files were joined; give "
                        "each as a file of its own",
                        context_.report.name, here().line, shown(other), shown(header_.text))};
    }

    static bool holds_no_content(std::span<const std::string_view> cells) {
        return std::all_of(cells.begin(), cells.end(), holds_nothing);
    }

    // Unnamed cells may follow as far as the header has them, one always (a delimiter at the line's end).
    bool right_count(std::span<const std::string_view> cells, std::size_t count) const {
        const std::size_t named = header_.names.size();
        if (count == named) return true;
        if (count < named || count > cells.size() || count > std::max(header_.columns, named + 1)) return false;
        return std::all_of(cells.begin() + static_cast<std::ptrdiff_t>(named), cells.end(),
                           [](std::string_view cell) { return trimmed(cell).empty(); });
    }

    void take_cells(const csv_frame& frame, std::uint64_t lines, std::span<const std::string_view> cells,
                    record_sink& sink) {
        if (context_.options.look) context_.options.look(header_.names, cells);
        if (may_bring_errors_ && !context_.report.mended)
            context_.report.mended = says_why_rejected(cells[header_.names.size() - 1]);
        for (const used_column& c : used_)
            texts_[c.at] = cells[c.index];
        make_note(cells, sink.texts());
        std::string_view contact_id;
        core::task_view details;
        std::optional<fault> wrong = check(texts_, sink, contact_id, details);
        if (wrong || holds_own_name(texts_[field::contact_id])) {
            if (holds_no_content(cells)) return pass_empty(frame.next, lines);
            switch (header_in(cells, header_, context_.rules)) {
                case header_again::same:
                    context_.report.repeated_headers.add(here().line);
                    return move_on(frame.next, lines);
                case header_again::other:
                    return refuse(text_up_to(frame.end));
                case header_again::none:
                    break;
            }
        }
        if (!wrong) wrong = overdue_fault(details);
        if (wrong && lines > 1 && holds_line_break(wrong->at))
            return reject_line(
                sink, stray_quote(fmt::format("a quote joins lines to one cell of {}", column_name(*wrong->at))));
        if (wrong) return reject(frame, lines, std::move(*wrong), sink, texts_[field::contact_id]);
        give(sink, contact_id, details, text_up_to(frame.end));
        move_on(frame.next, lines);
    }

    void make_note(std::span<const std::string_view> cells, text_arena& arena) {
        if (header_.map.note.empty()) {
            texts_[field::note] = context_.checks.note_text(texts_[field::note], arena);
            return;
        }
        note_.begin();
        for (const note_part& part : header_.map.note) {
            if (part.column)
                note_.add_value(context_.checks.note_text(note_part_of(cells[*part.column]), arena));
            else
                note_.add_text(part.text);
        }
        texts_[field::note] = note_.kept_in(arena);
    }

    // Where import.id_pattern allows it, the contact column's own name passes for an id.
    bool holds_own_name(std::string_view text) const {
        const auto& column = header_.map.column[field::contact_id];
        return column && text == header_.names[*column];
    }

    // Only notes have several lines.
    bool holds_line_break(std::optional<field> at) const {
        return at && *at != field::note && texts_[*at].find_first_of("\r\n") != std::string_view::npos;
    }

    void reject(const csv_frame& frame, std::uint64_t lines, fault why, record_sink& sink,
                std::string_view contact_id = {}) {
        std::string column = why.at ? column_name(*why.at) : std::string();
        sink.reject(here(), std::move(why), std::move(column), trimmed(contact_id), text_up_to(frame.end));
        move_on(frame.next, lines);
    }

    std::string_view column_of(field f) const override {
        return header_.map.column[f] ? std::string_view(header_.names[*header_.map.column[f]]) : std::string_view();
    }

    // The column at fault; where the field has none, the one that would do as well.
    std::string column_name(field f) const {
        const auto has_column = [&](field other) { return header_.map.column[other].has_value(); };
        if (f == field::user_id && !has_column(f) && has_column(field::owner_email)) f = field::owner_email;
        if (f == field::contact_id) f = leading_column(header_.map).value_or(f);
        return std::string(has_column(f) ? column_of(f) : to_string(f));
    }

    std::string without_contact() const override {
        std::vector<std::string> empty;
        for (const field f : all_fields)
            if (names_contact(f) && header_.map.column[f]) empty.push_back(shown(column_of(f)));
        if (empty.size() > 1)
            return fmt::format("nothing names the contact: {} are empty; fill one of them", listed(empty));
        const bool by_id = empty.empty() || header_.map.column[field::contact_id];
        return fmt::format("{} is empty; there is no default for it", by_id ? "contact_id" : empty.front());
    }

    fault wrong_count(std::size_t count) const {
        const std::size_t named = header_.names.size();
        return {count < named ? "too_few_columns" : "too_many_columns",
                fmt::format("the record has {} columns, the header {}{}", count, named,
                            count >= named  ? "; put cells that hold the delimiter in double quotes"
                            : rejects_file_ ? "; add the missing delimiters"
                                            : "; add the missing delimiters, or set import.short_rows = true where "
                                              "cells are left out at the ends of rows"),
                {}};
    }
    static fault stray_quote(std::string_view problem) {
        return {"stray_quote",
                fmt::format("{}; put the whole cell in double quotes and write each quote in it twice", problem),
                {}};
    }
    static fault nul_byte() { return {"nul_byte", "the record holds a NUL byte; remove it", {}}; }
    fault not_utf8(std::string_view raw) const { return {"invalid_utf8", not_utf8_message(raw, context_.report), {}}; }

    csv_framer framer_;
    csv_header header_;
    std::vector<used_column> used_;
    bool rejects_file_ = false;      // it has a column for the errors
    bool may_bring_errors_ = false;  // the one that the writer of rejects adds
    std::vector<std::string_view> cells_;
    std::optional<core::failure> refused_;
    field_texts texts_;  // fields without a column stay empty
    joined_note note_;
};

std::vector<mapped_column> mapped_fields(const std::vector<std::string>& names, const header_map& map,
                                         const name_rules& rules) {
    std::vector<mapped_column> out;
    for (const field f : all_fields) {
        if (map.column[f])
            out.push_back({std::string(to_string(f)), names[*map.column[f]], std::string(to_string(map.how[f]))});
        else if (f == field::note && !map.note.empty())
            out.push_back(
                {std::string(to_string(f)), rules.note().text(), std::string(to_string(name_match::settings))});
        else if (rules.has_default(f))
            out.push_back(from_default(f));
    }
    return out;
}

void fill_report(const csv_header& header, const file_context& context) {
    file_report& report = context.report;
    report.delimiter = header.delimiter;
    report.unused = header.map.unused;
    report.passed_over = header.map.passed_over;
    report.header = header.text;
    report.columns = mapped_fields(header.names, header.map, context.rules);
}

}  // namespace

core::result<header_columns> columns_of_header(const std::string& header, const source_options& options) {
    const auto rules = name_rules::make(options);
    if (!rules) return rules.error();
    header_columns out;
    for (const char delimiter : delimiters) {
        std::string text = header;
        std::vector<std::string_view> cells;
        if (!split_record(text.data(), delimiter, cells) || cells.size() <= out.names.size()) continue;
        out.names.clear();
        for (const auto cell : cells)
            out.names.push_back(plain_name(plain_cell(cell)));
    }
    while (!out.names.empty() && out.names.back().empty())
        out.names.pop_back();
    const auto map = map_header(out.names, *rules, "the header", needed_fields::none);
    if (!map) return map.error();
    out.fields = mapped_fields(out.names, *map, *rules);
    return out;
}

core::result<std::unique_ptr<record_reader>> open_csv(byte_window window, const file_context& context) {
    auto header = read_csv_header(window, context);
    if (!header) return header.error();
    fill_report(*header, context);
    return std::unique_ptr<record_reader>(
        std::make_unique<csv_records>(std::move(window), context, std::move(*header)));
}

}  // namespace taskbarge::reader
