#include "reader/jsonl_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "reader/byte_scan.hpp"
#include "reader/encoding.hpp"
#include "reader/invisible.hpp"
#include "reader/json_document.hpp"
#include "reader/json_frame.hpp"
#include "reader/json_keys.hpp"
#include "reader/json_layout.hpp"
#include "reader/json_shape.hpp"
#include "reader/plain_cell.hpp"

namespace taskbarge::reader {
namespace {

static_assert(scan_padding >= simdjson::SIMDJSON_PADDING);

using simdjson::dom::element;

struct found_value {
    element value;
    name_match how = name_match::alias;
    std::string_view key;
    std::size_t place = 0;  // which key of the object it is, from 0
};

// The values of one object that matter, before their types are looked at.
struct json_values {
    per_field<std::optional<found_value>> fields;
    std::optional<element> contact_ids;
    std::string_view contact_ids_key;
    std::size_t contact_ids_place = 0;
    per_field<std::string_view> doubled;  // of a key that is there twice: its other name

    // Only what says that there is something: this is done for each record.
    void clear() {
        for (const field f : all_fields)
            fields[f].reset();
        contact_ids.reset();
        doubled = {};
    }
};

// One line as framed, in the window's block.
struct json_line {
    std::string_view text;
    const char* next = nullptr;
    bool escapes = false;
    bool plain = false;
};

// A line with a contact_ids array whose records are being given out, perhaps over several batches.
struct expansion {
    std::vector<element> ids;
    std::size_t given = 0;
    json_line line;
    std::string_view array;  // the ids' text within the line
};

fault duplicate_key(std::string_view first, std::string_view second) {
    if (first == second) return {"duplicate_key", fmt::format("the key {} is there twice; keep one", shown(first)), {}};
    return {"duplicate_key",
            fmt::format("the keys {} and {} mean the same; keep one, or name the right one under [columns]",
                        shown(first), shown(second)),
            {}};
}

class jsonl_records final : public record_reader {
 public:
    jsonl_records(byte_window window, const file_context& context)
        : record_reader(std::move(window), context), keys_(context.rules, context.report) {}

 private:
    core::result<void> step(record_sink& sink) override {
        if (expansion_) {
            expand(sink);
            return {};
        }
        const json_frame frame = framer_.frame(window_.begin(), window_.end(), rest());
        if (!frame.end) {
            if (!too_long_already()) return window_.extend();
            return reject_long_line({window_.begin(), window_.size()}, sink);
        }
        const json_line line{text_up_to(frame.end), frame.next, frame.escapes, is_plain(frame)};
        if (too_long(line.text.size()) && !trimmed(line.text).empty()) return reject_long_line(line.text, sink);
        known_shape_ = line.plain && !needs_parsing() ? shapes_.read(line.text, framer_, known_texts_) : nullptr;
        if (known_shape_)
            take_known(known_texts_, line, sink);
        else
            take_line(line, sink);
        if (refused_) return *refused_;
        return {};
    }

    // Whether more of a record is wanted than the fields' texts.
    bool needs_parsing() const { return context_.options.look || !context_.rules.note().empty(); }

    core::result<void> reject_long_line(std::string_view text, record_sink& sink) {
        if (refuse_wrapper(text, sink)) return *refused_;
        reject_line(sink, too_long_fault());
        return {};
    }

    // A first object that holds the records instead of being one: nothing of the file is used.
    bool refuse_wrapper(std::string_view text, const record_sink& sink) {
        if (sink.next_number() != context_.report.first_row) return false;
        const auto held = held_records(text, context_.rules, context_.report);
        if (held && held->name_contacts)
            refused_ = core::failure{core::errc::input, fmt::format("{}: {}", context_.report.name, held->message)};
        return refused_.has_value();
    }

    std::string hint_of_held_records(std::string_view line) const {
        const auto held = held_records(line, context_.rules, context_.report);
        return held ? "; the line " + held->message : std::string();
    }

    bool is_plain(const json_frame& frame) const {
        return frame.plain && (!frame.non_ascii || simdjson::validate_utf8(text_up_to(frame.end)));
    }

    void take_known(field_texts& texts, const json_line& line, record_sink& sink) {
        if (line.escapes)
            for (const field f : all_fields)
                if (texts[f].find('\\') != std::string_view::npos) texts[f] = unescaped(texts[f], sink.texts());
        texts[field::note] = context_.checks.note_text(texts[field::note], sink.texts());
        std::string_view contact_id;
        core::task_view details;
        auto wrong = check(texts, sink, contact_id, details);
        if (!wrong) wrong = overdue_fault(details);
        if (wrong) return reject(line, std::move(*wrong), sink, texts[field::contact_id]);
        give(sink, contact_id, details, line.text);
        move_on(line.next, 1);
    }

    void take_line(const json_line& line, record_sink& sink) {
        if (trimmed(line.text).empty()) return move_on(line.next, 1);
        if (auto wrong = document_.parse(line.text, context_.report)) return reject(line, std::move(*wrong), sink);
        json_values& values = values_;
        values.clear();
        if (auto wrong = collect(values)) return reject(line, std::move(*wrong), sink);
        if (context_.options.look) look();
        field_texts texts;
        details_fault_ = texts_of(values, line, texts);
        if (!details_fault_) details_fault_ = make_note(line, texts, sink.texts());
        if (values.contact_ids) return begin_expansion(values, texts, line, sink);
        if (line.plain && !needs_parsing() && shapes_.worth_learning()) learn(values, line);
        take_single(texts, line, sink);
    }

    void learn(const json_values& values, const json_line& line) {
        per_field<std::optional<std::size_t>> places;
        for (const field f : all_fields)
            if (values.fields[f]) places[f] = values.fields[f]->place;
        if (auto shape = json_shape::of(line.text, framer_, document_.object(), places))
            shapes_.learn(std::move(*shape));
    }

    void take_single(field_texts& texts, const json_line& line, record_sink& sink) {
        std::string_view contact_id;
        core::task_view details;
        if (!details_fault_) details_fault_ = check(texts, sink, contact_id, details, odd_key_);
        if (!details_fault_) details_fault_ = overdue_fault(details);
        if (details_fault_) return reject(line, std::move(*details_fault_), sink, texts[field::contact_id]);
        // The parser's texts are gone with the next line.
        text_arena& kept = sink.texts();
        details.user_id = kept.keep(details.user_id);
        details.note = kept.keep(details.note);
        give(sink, kept.keep(contact_id), details, line.text);
        move_on(line.next, 1);
    }

    // Sorts the object's values by field.
    std::optional<fault> collect(json_values& values) {
        names_.clear();
        ++record_;
        std::size_t place = 0;
        for (const auto [name, value] : document_.object()) {
            json_key& key = keys_.find(name, place);
            if (!key.remembered)
                names_.push_back(name);
            else if (std::exchange(key.last_record, record_) == record_)
                return duplicate_key(name, name);
            if (!value.is_null()) {
                if (key.match) {
                    if (auto wrong = put(values, *key.match, name, value, place)) return wrong;
                } else if (key.is_contact_ids) {
                    if (values.contact_ids) return duplicate_key(values.contact_ids_key, name);
                    values.contact_ids = value;
                    values.contact_ids_key = name;
                    values.contact_ids_place = place;
                } else if (name == "error" && !context_.report.mended) {
                    std::string_view text;
                    context_.report.mended = !value.get(text) && says_why_rejected(text);
                }
            }
            ++place;
        }
        return repeated_name();
    }

    static std::optional<fault> put(json_values& values, const matched_field& match, std::string_view name,
                                    const element& value, std::size_t place) {
        auto& slot = values.fields[match.at];
        if (slot && slot->how == match.how && is_key(match.at)) {
            values.doubled[match.at] = name;
            return std::nullopt;
        }
        if (slot && slot->how == match.how) return duplicate_key(slot->key, name);
        if (slot && slot->how < match.how) return std::nullopt;
        // In place: a whole one built and copied would wait for its parts.
        if (!slot) slot.emplace();
        values.doubled[match.at] = {};
        slot->value = value;
        slot->how = match.how;
        slot->key = name;
        slot->place = place;
        return std::nullopt;
    }

    // Among the keys that are not remembered.
    std::optional<fault> repeated_name() {
        if (names_.empty()) return std::nullopt;
        std::sort(names_.begin(), names_.end());
        const auto twice = std::adjacent_find(names_.begin(), names_.end());
        if (twice == names_.end()) return std::nullopt;
        return duplicate_key(*twice, *twice);
    }

    // The first value that is no string is the fault; the texts found are filled in all the same.
    std::optional<fault> texts_of(const json_values& values, const json_line& line, field_texts& texts) {
        std::optional<fault> wrong;
        odd_key_.reset();
        for (const field f : all_fields) {
            keys_of_record_[f] = values.fields[f] ? values.fields[f]->key : std::string_view();
            if (!values.fields[f]) continue;
            auto bad = is_key(f) && !values.doubled[f].empty()
                           ? duplicate_key(values.fields[f]->key, values.doubled[f])
                           : text_of(values.fields[f]->value, f, values.fields[f]->key, line, texts[f]);
            auto& at = is_key(f) ? odd_key_ : wrong;
            if (bad && !at) at = std::move(bad);
            if (at && is_key(f)) at->at = f;
        }
        return wrong;
    }

    std::optional<fault> text_of(const element& value, field f, std::string_view key, const json_line& line,
                                 std::string_view& out) {
        if (value.get(out)) {
            const bool id = f == field::contact_id || f == field::user_id || f == field::salesforce_id;
            if (f == field::due_at && whole_number(value, number_)) {
                out = number_;
                return std::nullopt;
            }
            if (f == field::hubspot_id && value.is_number()) {
                if (!whole_number(value, hubspot_number_)) hubspot_number_ = simdjson::minify(value);
                out = hubspot_number_;
                return std::nullopt;
            }
            if (const auto part = mongo_part(value); !part.empty())
                return fault{"wrong_type",
                             fmt::format("the value of {} is an object of MongoDB's ({}), not a text; {}", shown(key),
                                         part, without_mongo_objects()),
                             f};
            return fault{"wrong_type",
                         fmt::format("the value of {} is {}; write a string in double quotes{}", shown(key),
                                     kind_of(value), id && value.is_number() ? ", numbers lose digits" : ""),
                         f};
        }
        // A NUL byte in the line was a fault; only an escape can stand for one.
        if (!line.escapes || out.find('\0') == std::string_view::npos) return std::nullopt;
        return fault{"nul_byte", fmt::format("the value of {} holds a NUL character; remove it", shown(key)), f};
    }

    std::optional<fault> make_note(const json_line& line, field_texts& texts, text_arena& arena) {
        const auto& parts = context_.rules.note().parts();
        if (parts.empty()) {
            texts[field::note] = context_.checks.note_text(texts[field::note], arena);
            return std::nullopt;
        }
        note_.begin();
        for (const note_template::part& part : parts) {
            if (!part.is_column) {
                note_.add_text(part.text);
                continue;
            }
            std::string_view text;
            if (auto wrong = text_of_key(part.text, line, text)) return wrong;
            note_.add_value(context_.checks.note_text(note_part_of(text), arena));
        }
        texts[field::note] = note_.kept_in(arena);
        return std::nullopt;
    }

    // A key that is not there has no text.
    std::optional<fault> text_of_key(const std::string& wanted, const json_line& line, std::string_view& out) {
        std::optional<element> found;
        std::string_view found_as;
        for (const auto [name, value] : document_.object()) {
            if (name != wanted && (found || normalised(name) != normalised(wanted))) continue;
            found = value;
            found_as = name;
            if (name == wanted) break;
        }
        if (!found || found->is_null()) return std::nullopt;
        return text_of(*found, field::note, found_as, line, out);
    }

    // Values that are no strings are shown as they are written.
    void look() {
        std::vector<std::string> names, written;
        for (const auto [name, value] : document_.object()) {
            std::string_view text;
            names.emplace_back(name);
            written.push_back(value.is_null()                        ? std::string()
                              : value.get(text) == simdjson::SUCCESS ? std::string(text)
                                                                     : simdjson::minify(value));
        }
        const std::vector<std::string_view> values(written.begin(), written.end());
        context_.options.look(names, values);
    }

    // A time since 1970, as a whole number. Programs that count with fractions write 1802685600000.0.
    static bool whole_number(const element& value, std::string& out) {
        constexpr double exact_up_to = 9007199254740992.0;  // 2^53
        std::uint64_t number = 0;
        double fractional = 0;
        if (!value.get(number)) {
            out = fmt::format("{}", number);
            return true;
        }
        if (!value.is_double() || value.get(fractional) || !(fractional >= 0 && fractional < exact_up_to) ||
            std::trunc(fractional) != fractional)
            return false;
        out = fmt::format("{:.0f}", fractional);
        return true;
    }

    // The one key of MongoDB's way to write an id or a date in JSON; empty: it is none.
    static std::string_view mongo_part(const element& value) {
        simdjson::dom::object object;
        if (value.get(object) || object.size() != 1) return {};
        const std::string_view key = (*object.begin()).key;
        return key.starts_with('$') ? key : std::string_view();
    }

    std::string without_mongo_objects() const {
        return conversion(
            "jq -c 'walk(if type == \"object\" then .[\"$oid\"] // .[\"$date\"] // .[\"$numberLong\"] // . else . "
            "end)'",
            context_.report, ".jsonl");
    }

    void begin_expansion(const json_values& values, const field_texts& texts, const json_line& line,
                         record_sink& sink) {
        const auto refuse = [&](std::string code, std::string message) {
            sink.reject(here(), {std::move(code), std::move(message), field::contact_id},
                        std::string(values.contact_ids_key), "", line.text);
            move_on(line.next, 1);
        };
        simdjson::dom::array ids;
        if (values.contact_ids->get(ids))
            return refuse("wrong_type", fmt::format("the value of {} is {}; write an array of strings",
                                                    shown(values.contact_ids_key), kind_of(*values.contact_ids)));
        if (values.fields[field::contact_id])
            return refuse("duplicate_key", "there is both contact_id and contact_ids; keep one");
        if (ids.begin() == ids.end())
            return refuse("empty_contact_ids", "contact_ids is an empty array; fill it or remove the line");
        expansion_.emplace();
        expansion_->ids.assign(ids.begin(), ids.end());
        expansion_->line = line;
        expansion_->array = array_text(line.text, values.contact_ids_place);
        contact_ids_key_ = values.contact_ids_key;
        expanded_texts_ = texts;
        make_plain(expanded_texts_);
        expanded_note_ = expanded_texts_[field::note];  // may stand in the batch, which will be another one
        expanded_texts_[field::note] = expanded_note_;
        expand(sink);
    }

    // Gives out as many of the line's records as the batch takes. The details are checked anew for each batch, since
    // their texts must be kept by it.
    void expand(record_sink& sink) {
        core::task_view details;
        std::optional<fault> wrong = details_fault_;
        if (!wrong) {
            wrong = context_.checks.details(expanded_texts_, sink.texts(), details);
            if (wrong) context_.checks.count_unknown_words(expanded_texts_, *wrong);
        }
        details.user_id = sink.texts().keep(details.user_id);
        details.note = sink.texts().keep(details.note);
        while (!sink.full() && expansion_->given < expansion_->ids.size())
            expand_one(expansion_->ids[expansion_->given++], details, wrong, sink);
        if (expansion_->given < expansion_->ids.size()) return;
        const char* const next = expansion_->line.next;
        expansion_.reset();
        move_on(next, 1);
    }

    void expand_one(const element& value, const core::task_view& details, const std::optional<fault>& details_wrong,
                    record_sink& sink) {
        std::string_view text, contact_id;
        std::optional<fault> wrong = text_of(value, field::contact_id, contact_ids_key_, expansion_->line, text);
        if (!wrong) wrong = context_.checks.contact_id(plain_cell(text), sink.texts(), contact_id);
        if (!wrong) wrong = details_wrong;
        if (!wrong) wrong = overdue_fault(details);
        if (!wrong) return give_one(sink, sink.texts().keep(contact_id), details, value);
        std::string column = wrong->at == field::contact_id ? std::string(contact_ids_key_) : column_name(*wrong);
        sink.reject(here(), std::move(*wrong), std::move(column), trimmed(text), alone(value));
    }

    // Such a line takes no other keys: they name one contact.
    void give_one(record_sink& sink, std::string_view contact_id, const core::task_view& details,
                  const element& value) {
        if (!context_.options.keep_records) return sink.add(here(), contact_id, details, window_.current());
        row_keys keys;
        keys.contact_column = sink.name(contact_ids_key_);
        keys.raw = sink.texts().keep(alone(value));
        sink.add(here(), contact_id, details, window_.current(), &keys);
    }

    // The line as it would be for this contact only, so that mending it does not bring back its neighbours.
    std::string alone(const element& value) const {
        const std::string_view line = expansion_->line.text, array = expansion_->array;
        const auto before = static_cast<std::size_t>(array.data() - line.data());
        std::string out(line.substr(0, before));
        out.append("[").append(simdjson::minify(value)).append("]");
        return out.append(line.substr(before + array.size()));
    }

    void reject(const json_line& line, fault why, record_sink& sink, std::string_view contact_id = {}) {
        if (why.at == field::contact_id && contact_id.empty()) {
            if (holds_no_content(line)) return pass_empty(line.next, 1);
            if (refuse_wrapper(line.text, sink)) return;
            why.message += hint_of_held_records(line.text);
        }
        std::string column = column_name(why);
        sink.reject(here(), std::move(why), std::move(column), trimmed(contact_id), line.text);
        move_on(line.next, 1);
    }

    // An object without a value: none but null and texts of nothing.
    bool holds_no_content(const json_line& line) {
        if (known_shape_ && document_.parse(line.text, context_.report)) return false;
        for (const auto [key, value] : document_.object()) {
            std::string_view text;
            if (!value.is_null() && (value.get(text) || !holds_nothing(text))) return false;
        }
        return true;
    }

    // The key at fault as the record has it; where it has none, as it should be.
    std::string column_name(const fault& why) const {
        if (!why.at) return {};
        field f = *why.at;
        if (f == field::user_id && key_of(f).empty() && !key_of(field::owner_email).empty()) f = field::owner_email;
        if (!key_of(f).empty()) return plain_name(key_of(f));
        const std::string configured = context_.rules.configured(f);
        return configured.empty() ? std::string(to_string(f)) : configured;
    }

    std::string_view column_of(field f) const override { return key_of(f); }
    std::string without_contact() const override {
        return "nothing names the contact: none of contact_id, email, salesforce_id, hubspot_id and linkedin_url is "
               "filled";
    }

    std::string_view key_of(field f) const { return known_shape_ ? known_shape_->key_of(f) : keys_of_record_[f]; }

    json_framer framer_;
    json_document document_;
    json_shapes shapes_;
    const json_shape* known_shape_ = nullptr;  // of the record, when it was not parsed
    json_values values_;                       // of the record, when it was parsed
    field_texts known_texts_;                  // of the record, when it was not
    json_keys keys_;
    std::uint64_t record_ = 0;
    std::vector<std::string_view> names_;  // keys of the record that keys_ does not remember
    per_field<std::string_view> keys_of_record_;
    std::string number_;  // of the record: a due date that is written as a number
    std::string hubspot_number_;
    std::optional<fault> odd_key_;  // why a key of the record is none before its text is looked at
    std::optional<fault> details_fault_;
    std::optional<core::failure> refused_;
    std::optional<expansion> expansion_;
    field_texts expanded_texts_;
    std::string expanded_note_;
    joined_note note_;
    std::string_view contact_ids_key_;
};

}  // namespace

std::unique_ptr<record_reader> open_jsonl(byte_window window, const file_context& context) {
    return std::make_unique<jsonl_records>(std::move(window), context);
}

}  // namespace taskbarge::reader
