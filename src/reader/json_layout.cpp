#include "reader/json_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reader/encoding.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::string_view json_blanks = " \t\r\n";

std::string_view from_first_of_text(std::string_view text) {
    const auto first = text.find_first_not_of(json_blanks);
    return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The first value of a text, which may end before it does: how it stands there and where it holds records.
class value_walk {
 public:
    enum class fate : std::uint8_t { closed, open, broken };

    value_walk(std::string_view text, const name_rules& rules) : text_(text), rules_(rules) {
        while (fate_ == fate::open && at_ < text_.size())
            step();
    }

    fate how() const { return fate_; }
    std::size_t size() const { return at_; }
    bool over_lines() const { return over_lines_; }
    // By Apollo's id, or by another key where what it holds does not by Apollo's.
    bool names_contact() const { return has_id_ || (has_key_ && !records_have_id_); }
    // "contacts[]", as jq names the first array of objects; empty: none.
    const std::string& records() const { return records_; }
    bool records_name_contact() const { return records_have_id_ || (records_have_key_ && !has_key_); }

 private:
    enum class wanted : std::uint8_t { value, value_or_end, key, key_or_end, colon, comma_or_end };
    struct level {
        bool array = false;
        std::string key = {};
    };
    static constexpr std::size_t deepest = 64;

    void step() {
        const char c = text_[at_];
        if (json_blanks.find(c) != std::string_view::npos) {
            if (c == '\n' || c == '\r') over_lines_ = true;
            ++at_;
            return;
        }
        switch (wanted_) {
            case wanted::value_or_end:
                if (c == ']') return close();
                [[fallthrough]];
            case wanted::value:
                return take_value(c);
            case wanted::key_or_end:
                if (c == '}') return close();
                [[fallthrough]];
            case wanted::key:
                return take_key(c);
            case wanted::colon:
                return c == ':' ? pass(wanted::value) : spoil();
            case wanted::comma_or_end:
                if (c == ',') return pass(levels_.back().array ? wanted::value : wanted::key);
                return c == (levels_.back().array ? ']' : '}') ? close() : spoil();
        }
    }

    void pass(wanted next) {
        ++at_;
        wanted_ = next;
    }
    void spoil() { fate_ = fate::broken; }

    void close() {
        ++at_;
        if (levels_.size() == records_depth_) records_depth_ = 0;
        levels_.pop_back();
        end_value();
    }
    void end_value() {
        wanted_ = wanted::comma_or_end;
        if (levels_.empty()) fate_ = fate::closed;
    }

    void take_value(char c) {
        if (c == '{' || c == '[') {
            if (levels_.size() == deepest) return spoil();
            if (c == '{' && levels_.size() > 1 && levels_.back().array && records_.empty()) {
                records_ = path();
                records_depth_ = levels_.size() + 1;
            }
            levels_.push_back({c == '['});
            return pass(c == '[' ? wanted::value_or_end : wanted::key_or_end);
        }
        if (c == '"') {
            std::string ignored;
            if (take_string(ignored)) end_value();
            return;
        }
        constexpr std::string_view of_atoms = "0123456789+-.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const auto end = std::min(text_.find_first_not_of(of_atoms, at_), text_.size());
        if (end == at_ || levels_.empty()) return spoil();
        at_ = end;
        end_value();
    }

    void take_key(char c) {
        std::string key;
        if (c != '"') return spoil();
        if (!take_string(key)) return;
        wanted_ = wanted::colon;
        const auto match = rules_.match(key);
        const bool id = (match && match->at == field::contact_id) || normalised(key) == "contactids";
        if (id || (match && is_key(match->at))) {
            if (levels_.size() == 1) (id ? has_id_ : has_key_) = true;
            if (levels_.size() == records_depth_) (id ? records_have_id_ : records_have_key_) = true;
        }
        levels_.back().key = std::move(key);
    }

    // Without its quotes; escapes stay as they are. False when it has no end.
    bool take_string(std::string& out) {
        for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
            if (text_[i] == '\n' || text_[i] == '\r') break;
            if (text_[i] == '\\') {
                ++i;
            } else if (text_[i] == '"') {
                out.assign(text_.substr(at_ + 1, i - at_ - 1));
                at_ = i + 1;
                return true;
            }
        }
        const bool cut = text_.find_first_of("\r\n", at_) == std::string_view::npos;
        at_ = text_.size();
        fate_ = cut ? fate::open : fate::broken;
        return false;
    }

    std::string path() const {
        std::string out;
        for (const level& l : levels_) {
            const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
            if (!l.array && !l.key.empty() && std::all_of(l.key.begin(), l.key.end(), plain))
                out += "." + l.key;
            else
                out += (out.empty() ? "." : "") + (l.array ? std::string("[]") : "[\"" + l.key + "\"]");
        }
        return out;
    }

    std::string_view text_;
    const name_rules& rules_;
    std::size_t at_ = 0;
    fate fate_ = fate::open;
    wanted wanted_ = wanted::value;
    std::vector<level> levels_;
    bool over_lines_ = false;
    bool has_id_ = false, has_key_ = false;  // at the top, and in the records that it holds
    bool records_have_id_ = false, records_have_key_ = false;
    std::string records_;
    std::size_t records_depth_ = 0;
};

bool is_named_json(const file_report& file) {
    const std::string name = lower_case(file.name);
    return name.ends_with(".json") || name.ends_with(".json.gz") || name.ends_with(".json.zst");
}

std::string lines_by(const std::string& path, const file_report& file) {
    return conversion(fmt::format("jq -c {}", path == "." ? path : shell_quoted(path)), file,
                      is_named_json(file) ? "l" : ".jsonl");
}

std::string holds_records(const std::string& path, const file_report& file) {
    return fmt::format("is one JSON object that holds the records in {}, not one JSON object a line; {}",
                       path.substr(0, path.rfind("[]")), lines_by(path, file));
}

// Of objects with commas between them, an array without its brackets.
std::string with_brackets(const file_report& file) {
    return conversion("sed '1s/^/[/; $s/,*[[:space:]]*$/]/'", file, ".jsonl", "jq -c '.[]'");
}

std::optional<std::string> other_object(std::string_view text, bool whole, const name_rules& rules,
                                        const file_report& file) {
    const value_walk first(text, rules);
    using fate = value_walk::fate;
    if (first.how() == fate::broken || (first.how() == fate::open && (whole || !first.over_lines())))
        return std::nullopt;
    const bool holds = !first.names_contact() && !first.records().empty();
    if (first.over_lines())
        return holds ? holds_records(first.records(), file)
                     : "has JSON objects that stand over lines, not one a line; " + lines_by(".", file);
    const std::string_view behind = text.substr(first.size());
    if (holds && (first.records_name_contact() || (whole && from_first_of_text(behind).empty())))
        return holds_records(first.records(), file);
    const auto next = behind.find_first_not_of(" \t");
    if (next == std::string_view::npos) return std::nullopt;
    if (behind[next] == '{') return "has JSON objects one behind the other, not one a line; " + lines_by(".", file);
    if (behind[next] == ',' && from_first_of_text(behind.substr(next + 1)).starts_with('{'))
        return "has commas between its JSON objects, not one object a line; " + with_brackets(file);
    return std::nullopt;
}

}  // namespace

std::optional<std::string> other_json(std::string_view head, bool whole, const name_rules& rules,
                                      const file_report& file) {
    const std::string_view text = from_first_of_text(head);
    if (text.starts_with('\x1E'))
        return "has a control character (RS) before each JSON object; " +
               conversion("sed 's/^\\x1e//'", file, ".jsonl");
    if (text.starts_with('{')) return other_object(text, whole, rules, file);
    if (!text.starts_with('[')) return std::nullopt;
    const std::string_view within = from_first_of_text(text.substr(1));
    const bool empty = whole && within.starts_with(']') && from_first_of_text(within.substr(1)).empty();
    if (!within.starts_with('{') && !empty && !is_named_json(file)) return std::nullopt;
    return "is a JSON array, not one JSON object a line; " + lines_by(".[]", file);
}

std::optional<records_held> held_records(std::string_view line, const name_rules& rules, const file_report& file) {
    const std::string_view text = from_first_of_text(line);
    // Most lines hold none: looking closely at each would take long.
    if (!text.starts_with('{') || text.find('[') == std::string_view::npos) return std::nullopt;
    const value_walk object(text, rules);
    if (object.names_contact() || object.records().empty()) return std::nullopt;
    return records_held{holds_records(object.records(), file), object.records_name_contact()};
}

}  // namespace taskbarge::reader
