#include "reader/csv_header.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "reader/csv_frame.hpp"
#include "reader/encoding.hpp"
#include "reader/invisible.hpp"
#include "reader/plain_cell.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

core::failure unusable(const file_context& context, std::string_view what) {
    return {core::errc::input, fmt::format("{}: {}", context.report.name, what)};
}

core::result<std::string> candidates_from(const core::import_settings& settings) {
    const std::string& set = settings.delimiter;
    if (set.empty()) return std::string(delimiters);
    if (set == "tab" || set == "\\t") return std::string("\t");
    if (set.size() == 1 && delimiters.find(set.front()) != std::string_view::npos) return set;
    return core::failure{
        core::errc::settings,
        fmt::format("import.delimiter: {} is none that a file may have; it is \",\", \"tab\", \";\" or \"|\"",
                    shown(set))};
}

// One way to read the header.
struct reading {
    char delimiter = ',';
    std::vector<std::string> names;  // none: the quotes are not in order
    std::string_view problem;        // then what is wrong
    std::size_t known = 0;           // names that mean a field
    std::size_t size = 0;            // bytes of the header, without its line end
    std::size_t next = 0;            // where the first record begins, from the window's begin
};

// The header so that its delimiter can be told from it alone: names are put in quotes where another delimiter or a
// quote stands in it.
std::string telling_text(std::string_view raw, char delimiter) {
    const auto misleading = [delimiter](char c) {
        return c == '"' || (c != delimiter && delimiters.find(c) != std::string_view::npos);
    };
    std::string text(raw);
    if (std::none_of(raw.begin(), raw.end(), misleading)) return text;
    std::vector<std::string_view> names;
    if (!split_record(text.data(), delimiter, names)) return std::string(raw);
    std::string out;
    for (const std::string_view name : names) {
        out += out.empty() ? "\"" : std::string{delimiter, '"'};
        for (const char c : name)
            out += c == '"' ? "\"\"" : std::string(1, c);
        out += '"';
    }
    return out;
}

class header_reader {
 public:
    header_reader(byte_window& window, const file_context& context) : window_(window), context_(context) {}

    core::result<csv_header> run() {
        auto candidates = candidates_from(context_.options.import);
        if (!candidates) return candidates.error();
        if (auto skipped = skip_lines(*candidates); !skipped) return skipped.error();
        if (auto skipped = skip_blank_lines(); !skipped) return skipped.error();
        if (auto hint = take_separator_line(*candidates); !hint) return hint.error();
        candidates_ = *candidates;
        auto best = best_reading(candidates_);
        if (!best) return with_line_of_header(best.error());
        const std::string_view raw{window_.begin(), best->size};
        if (!simdjson::validate_utf8(raw.data(), raw.size()))
            return unusable(context_, fmt::format("the header is {}", not_utf8_message(raw, context_.report)));
        if (raw.find('\0') != std::string_view::npos)
            return unusable(context_, "the header holds a NUL byte: this is no text file");
        return finish(std::move(*best));
    }

 private:
    // Moves over the lines that import.skip_lines says. A file of mended rejects has none above its header; and a
    // header is not skipped in silence.
    core::result<void> skip_lines(const std::string& candidates) {
        const auto wanted = context_.options.import.skip_lines;
        for (std::uint32_t i = 0; i < wanted; ++i) {
            if (auto passed = window_.pass_marks(); !passed) return passed.error();
            auto line = next_line();
            if (!line) return line.error();
            if (window_.size() == 0)
                return unusable(context_,
                                fmt::format("there is nothing behind the {} lines of import.skip_lines", wanted));
            const auto look =
                look_at({window_.begin(), static_cast<std::size_t>(line->end - window_.begin())}, candidates);
            if (i == 0 && look.is_header && look.has_error_column) return {};
            if (look.is_header)
                return unusable(context_, fmt::format("line {} looks like the header, and import.skip_lines = {} skips "
                                                      "it; set it to {}",
                                                      i + 1, wanted, i));
            use_up_to(line->next);
        }
        return {};
    }

    struct line_look {
        bool is_header = false;
        bool has_error_column = false;
    };
    // A line alone: names of ours make it a header, among them one for the contact.
    line_look look_at(std::string_view line, const std::string& candidates) const {
        line_look out;
        for (const char delimiter : candidates) {
            std::string text(line);
            std::vector<std::string_view> cells;
            if (text.find('\0') != std::string::npos || !split_record(text.data(), delimiter, cells)) continue;
            std::size_t known = 0;
            bool contact = false, surely = false, error = false;
            for (const std::string_view cell : cells) {
                const std::string name = plain_name(plain_cell(cell));
                error = error || name_rules::is_error_column(name);
                const auto match = name.empty() ? std::nullopt : context_.rules.match(name);
                if (!match) continue;
                ++known;
                if (!names_contact(match->at)) continue;
                contact = true;
                // A title above the table may be a word such as "Email", alone.
                surely =
                    surely || (match->how != name_match::alias && (match->at == field::contact_id || cells.size() > 1));
            }
            if (!contact || (known < 2 && !surely)) continue;
            out.is_header = true;
            out.has_error_column = out.has_error_column || error;
        }
        return out;
    }

    // The number of the line below that looks like the header; 0: none.
    std::uint64_t line_of_header_below() {
        constexpr std::uint64_t looked_at = 20;
        std::size_t at = 0;
        for (std::uint64_t n = 0; n <= looked_at; ++n) {
            line_end e;
            for (;;) {
                const auto rest = window_.at_end() ? input_rest::complete : input_rest::more_may_come;
                e = find_line_end(window_.begin() + at, window_.end(), rest);
                if (e) break;
                if (window_.size() - at > context_.options.import.record_limit || !window_.extend()) return 0;
            }
            if (at == window_.size()) return 0;
            const std::string_view text{window_.begin() + at, static_cast<std::size_t>(e.end - window_.begin()) - at};
            if (n > 0 && look_at(text, candidates_).is_header) return lines_ + n + 1;
            at = static_cast<std::size_t>(e.next - window_.begin());
        }
        return 0;
    }

    core::failure with_line_of_header(core::failure why) {
        if (const auto line = line_of_header_below(); line != 0)
            why.text += fmt::format("; line {} looks like the header: set import.skip_lines = {}", line, line - 1);
        return why;
    }

    // Moves over empty lines and those of blanks only.
    core::result<void> skip_blank_lines() {
        for (;;) {
            if (auto passed = window_.pass_marks(); !passed) return passed.error();
            auto line = next_line();
            if (!line) return line.error();
            if (window_.size() == 0) return unusable(context_, "is empty; a CSV file begins with a header row");
            const std::string_view text{window_.begin(), static_cast<std::size_t>(line->end - window_.begin())};
            if (!trimmed(text).empty()) return {};
            use_up_to(line->next);
        }
    }

    // Spreadsheet programs put "sep=;" before the header to say what the delimiter is.
    core::result<void> take_separator_line(std::string& candidates) {
        auto line = next_line();
        if (!line) return line.error();
        std::string_view text{window_.begin(), static_cast<std::size_t>(line->end - window_.begin())};
        if (text.size() > 1 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
        if (text.size() != 5 || lower_case(text.substr(0, 4)) != "sep=") return {};
        if (candidates.find(text[4]) != std::string::npos) candidates = text.substr(4);
        use_up_to(line->next);
        return skip_blank_lines();
    }

    // The whole line at the window's begin.
    core::result<line_end> next_line() {
        for (;;) {
            const auto rest = window_.at_end() ? input_rest::complete : input_rest::more_may_come;
            if (const line_end e = find_line_end(window_.begin(), window_.end(), rest)) return e;
            if (too_long())
                return unusable(context_, fmt::format("the first line is longer than import.record_limit ({} bytes)",
                                                      context_.options.import.record_limit));
            if (auto read = window_.extend(); !read) return read.error();
        }
    }

    bool too_long() const { return window_.size() > context_.options.import.record_limit; }

    // The delimiter that makes most sense of the names; of equals the one that gives most columns.
    core::result<reading> best_reading(const std::string& candidates) {
        std::optional<reading> best;
        std::string_view problem;
        for (const char delimiter : candidates) {
            auto r = read_with(delimiter);
            if (!r) return r.error();
            if (r->names.empty()) {
                problem = r->problem;
                continue;
            }
            const auto rank = [](const reading& x) { return std::pair(x.known, x.names.size()); };
            if (!best || rank(*r) > rank(*best)) best = std::move(*r);
        }
        if (!best) return unusable(context_, fmt::format("the header cannot be read: {}", problem));
        return std::move(*best);
    }

    core::result<reading> read_with(char delimiter) {
        reading r;
        r.delimiter = delimiter;
        r.problem = "a quote in it is never closed";
        auto frame = frame_with(delimiter);
        if (!frame) return frame.error();
        if (frame->kind == frame_kind::faulty) r.problem = frame->problem;
        if (frame->kind == frame_kind::faulty || frame->kind == frame_kind::unfinished) return r;
        r.size = static_cast<std::size_t>(frame->end - window_.begin());
        r.next = static_cast<std::size_t>(frame->next - window_.begin());
        std::string text(window_.begin(), r.size);
        std::vector<std::string_view> cells;
        if (!split_record(text.data(), delimiter, cells)) return r;
        for (const std::string_view cell : cells) {
            r.names.push_back(plain_name(plain_cell(cell)));
            if (!cell.empty() && context_.rules.match(r.names.back())) ++r.known;
        }
        return r;
    }

    // Unfinished only when it is too long.
    core::result<csv_frame> frame_with(char delimiter) {
        csv_framer framer(delimiter, 0);
        for (;;) {
            const auto rest = window_.at_end() ? input_rest::complete : input_rest::more_may_come;
            const csv_frame frame = framer.frame(window_.begin(), window_.end(), rest);
            if (frame.kind != frame_kind::unfinished || too_long()) return frame;
            if (auto read = window_.extend(); !read) return read.error();
        }
    }

    core::result<csv_header> finish(reading&& best) {
        csv_header header;
        header.delimiter = best.delimiter;
        header.columns = best.names.size();
        header.names = std::move(best.names);
        while (!header.names.empty() && header.names.back().empty())
            header.names.pop_back();
        auto map = map_header(header.names, context_.rules, context_.report.name,
                              context_.options.look ? needed_fields::none : needed_fields::all);
        if (!map) {
            const auto is_contact = [&](const std::string& name) {
                const auto match = context_.rules.match(name);
                return match && names_contact(match->at);
            };
            const bool is_header = std::any_of(header.names.begin(), header.names.end(), is_contact);
            return is_header ? map.error() : with_line_of_header(map.error());
        }
        header.map = std::move(*map);
        header.text = telling_text({window_.begin(), best.size}, header.delimiter);
        use_up_to(window_.begin() + best.next);
        header.lines = lines_;
        return header;
    }

    void use_up_to(const char* next) {
        lines_ += count_line_ends(window_.begin(), next);
        window_.use_up_to(next);
    }

    byte_window& window_;
    const file_context& context_;
    std::string candidates_;
    std::uint64_t lines_ = 0;
};

// Most bad rows have an id or nothing where a header has a name: looking closely at each would take long.
bool may_be_name(std::string_view cell, const csv_header& header) {
    const std::string_view text = trimmed(cell);
    return !text.empty() && (std::none_of(text.begin(), text.end(), is_digit) ||
                             std::find(header.names.begin(), header.names.end(), text) != header.names.end());
}

// A cell as a header would have it.
struct named_cell {
    std::string name;
    std::optional<field> means;
    bool known = false;  // it means a field, or the header has that name
};

}  // namespace

std::optional<field> leading_column(const header_map& map) {
    for (const field f : all_fields)
        if (names_contact(f) && map.column[f]) return f;
    return std::nullopt;
}

header_again header_in(std::span<const std::string_view> cells, const csv_header& header, const name_rules& rules) {
    const auto leading = leading_column(header.map);
    if (!leading) return header_again::none;  // only where no field need be there
    const std::size_t contact = *header.map.column[*leading];
    if (contact >= cells.size() || !may_be_name(cells[contact], header)) return header_again::none;
    const auto look_at = [&](std::string_view cell) {
        named_cell out{normalised(plain_cell(cell)), std::nullopt, false};
        const auto match = out.name.empty() ? std::nullopt : rules.match(out.name);
        if (match) out.means = match->at;
        out.known = match || std::any_of(header.names.begin(), header.names.end(),
                                         [&](const std::string& known) { return normalised(known) == out.name; });
        return out;
    };
    // No header has anything but a name there.
    if (!look_at(cells[contact]).known) return header_again::none;
    bool all_own = true, all_known = true, own_contact = false, any_contact = false;
    for (const std::string_view cell : cells) {
        const auto means = look_at(cell).means;
        any_contact = any_contact || (means && names_contact(*means));
    }
    for (const field f : all_fields) {
        const auto& column = header.map.column[f];
        if (!column) continue;
        const named_cell there = *column < cells.size() ? look_at(cells[*column]) : named_cell{};
        const bool own = there.means == f || there.name == normalised(header.names[*column]);
        all_own = all_own && own;
        all_known = all_known && (there.known || *column >= cells.size());
        own_contact = own_contact || (own && f == *leading);
    }
    // Also a cell of which the header before makes nothing may mean a field now.
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto now = look_at(cells[i]);
        const auto before = i < header.names.size() ? look_at(header.names[i]) : named_cell{};
        const bool in_note = std::any_of(header.map.note.begin(), header.map.note.end(),
                                         [&](const note_part& part) { return part.column == i; });
        all_own = all_own && (now.name == before.name || (now.means == before.means && !in_note));
    }
    if (all_own) return header_again::same;
    return own_contact || (any_contact && all_known) ? header_again::other : header_again::none;
}

core::result<csv_header> read_csv_header(byte_window& window, const file_context& context) {
    return header_reader(window, context).run();
}

}  // namespace taskbarge::reader
