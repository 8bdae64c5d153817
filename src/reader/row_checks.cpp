#include "reader/row_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "reader/field_map.hpp"
#include "reader/plain_cell.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::reader {
namespace {

// The regular expression library recurses for each character.
constexpr std::size_t longest_id = 512;

// core::canonical_id() of an object id with capitals.
std::string_view in_lower_case(std::string_view text, text_arena& arena) {
    char* const out = arena.take(text.size());
    std::transform(text.begin(), text.end(), out, core::lower);
    return {out, text.size()};
}

// CRLF and lone CR become LF.
std::string_view with_plain_line_breaks(std::string_view text, text_arena& arena) {
    if (text.empty() || !std::memchr(text.data(), '\r', text.size())) return text;
    char* const out = arena.take(text.size());
    char* end = out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool cr = text[i] == '\r';
        if (cr && i + 1 < text.size() && text[i + 1] == '\n') continue;
        *end++ = cr ? '\n' : text[i];
    }
    return {out, static_cast<std::size_t>(end - out)};
}

// What people put there most often, for the message.
std::string_view whose_id(std::string_view text) {
    const auto all = [&](auto&& is) { return std::all_of(text.begin(), text.end(), is); };
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if ((text.size() == 15 || text.size() == 18) && text.starts_with("00") &&
        all([&](char c) { return is_digit(c) || letter(c); }))
        return " but Salesforce's";
    if (!text.empty() && text.size() < 16 && all(is_digit)) return " but perhaps HubSpot's";
    return "";
}

fault missing(field f) {
    return {"missing_value",
            fmt::format("{} is empty and there is no defaults.{}",
                        f == field::user_id ? "the owner (user_id or owner_email)" : to_string(f), to_string(f)),
            f};
}

template <class Enum>
fault wrong_word(std::string_view text, field f) {
    return {fmt::format("invalid_{}", to_string(f)),
            fmt::format("{} is no {}; write {}, or say what it means under [values.{}]", shown(text), to_string(f),
                        listed(word_rules<Enum>::own_words(), " or "), to_string(f)),
            f};
}

// The usual cell has no blanks at its ends.
inline std::string_view quickly_trimmed(std::string_view text) {
    if (text.empty()) return text;
    const auto ordinary = [](char c) { return c > ' ' && c < '\x7F'; };
    return ordinary(text.front()) && ordinary(text.back()) ? text : trimmed(text);
}

std::string_view or_default(std::string_view text, std::string_view otherwise) {
    const std::string_view t = quickly_trimmed(text);
    return t.empty() ? otherwise : t;
}

}  // namespace

row_checks::row_checks(const source_options& options, due_dates dates)
    : defaults_(options.defaults),
      dates_(std::move(dates)),
      note_limit_(options.import.note_limit),
      id_pattern_(options.import.id_pattern),
      notes_(options.import.notes),
      types_(field::type, options.values.type),
      priorities_(field::priority, options.values.priority),
      statuses_(field::status, options.values.status),
      owners_(options.values.owner, options.owners) {}

core::result<row_checks> row_checks::make(const source_options& options) {
    if (auto faults = faults_of(options); !faults.empty())
        return core::failure{core::errc::settings, std::move(faults.front().text)};
    auto dates = due_dates::make(options.dates, options.now);
    if (!dates) return dates.error();
    row_checks checks(options, std::move(*dates));
    if (checks.id_pattern_ != core::import_settings{}.id_pattern)
        checks.id_regex_.emplace(checks.id_pattern_, std::regex::ECMAScript | std::regex::optimize);
    return checks;
}

std::vector<core::setting_fault> row_checks::faults_of(const source_options& options) {
    std::vector<core::setting_fault> faults;
    const auto& [timezone, time, formats] = options.dates;
    const auto check = [&](const char* name, const core::date_settings& part) {
        if (auto made = due_dates::make(part, options.now); !made) faults.push_back({name, made.error().text});
    };
    check("dates.timezone", {timezone, "", {}});
    check("dates.time", {"", time, {}});
    for (const auto& format : formats)
        check("dates.formats", {"", "", {format}});
    // Looking at a default is not using it: used_relative_dates() must not see it.
    auto scratch = due_dates::make(faults.empty() ? options.dates : core::date_settings{}, options.now);
    row_checks checks(options, std::move(*scratch));
    try {
        if (checks.id_pattern_ != core::import_settings{}.id_pattern)
            checks.id_regex_.emplace(checks.id_pattern_, std::regex::ECMAScript);
    } catch (const std::regex_error& e) {
        faults.push_back({"import.id_pattern", fmt::format("import.id_pattern: {} is no regular expression: {}",
                                                           shown(checks.id_pattern_), e.what())});
        return faults;
    }
    const auto check_words = [&](const char* name, const auto& rules, const core::word_map& values) {
        for (const auto& [word, meaning] : values)
            if (auto wrong = rules.fault_of(word, meaning)) faults.push_back({name, std::move(*wrong)});
    };
    check_words("values.type", checks.types_, options.values.type);
    check_words("values.priority", checks.priorities_, options.values.priority);
    check_words("values.status", checks.statuses_, options.values.status);
    for (const auto& [name, words] : {std::pair("values.type", &options.values.type),
                                      {"values.priority", &options.values.priority},
                                      {"values.status", &options.values.status},
                                      {"values.owner", &options.values.owner}})
        for (const auto& [word, meaning] : *words)
            if (!trimmed(word).empty() && holds_nothing(word))
                faults.push_back(
                    {name, fmt::format("{}: {} stands for an empty cell; what such cells mean is said under "
                                       "[defaults]",
                                       name, shown(word))});
    // Who an owner is only Apollo knows; a mark that somebody is to be named is nobody.
    for (const auto& [word, meaning] : options.values.owner)
        if (meaning == "CHOOSE" || meaning == "?")
            faults.push_back({"values.owner", fmt::format("values.owner: whom {} means is still to be chosen: a user's "
                                                          "address, id or full name, or \"\" for what [defaults] says",
                                                          shown(word))});
    if (auto rules = name_rules::make(options); !rules && rules.error().code == core::errc::settings)
        faults.push_back({"columns.note", rules.error().text});
    auto of_defaults = checks.faults_of_defaults(faults.empty() ? &checks.dates_ : nullptr);
    faults.insert(faults.end(), of_defaults.begin(), of_defaults.end());
    return faults;
}

// `dates` is null where the settings of dates are themselves not right.
std::vector<core::setting_fault> row_checks::faults_of_defaults(due_dates* dates) const {
    std::vector<core::setting_fault> faults;
    text_arena arena;
    core::task_view ignored;
    const auto check = [&](std::string_view value, field f, auto&& read) {
        if (value.empty()) return;
        if (const std::optional<fault> wrong = read(value)) {
            const auto name = fmt::format("defaults.{}", to_string(f));
            faults.push_back({name, fmt::format("{}: {}", name, wrong->message)});
        }
    };
    const auto check_word = [&](std::string_view value, field f, const auto& rules, auto& out) {
        check(value, f, [&](std::string_view v) -> std::optional<fault> {
            if (rules.read(v, out) != word_meaning::unknown) return std::nullopt;
            const auto& own = rules.own_words();
            return fault{"",
                         fmt::format("{} is no {}; write {}; the nearest is {}", shown(v), to_string(f),
                                     listed(own, " or "), nearest(v, own)),
                         f};
        });
    };
    check(defaults_.user_id, field::user_id,
          [&](std::string_view v) { return id(v, field::user_id, arena, ignored.user_id); });
    // Whose address it is only Apollo knows.
    check(defaults_.owner_email, field::owner_email, [](std::string_view v) -> std::optional<fault> {
        if (v.find('@') != std::string_view::npos) return std::nullopt;
        return fault{"unknown_owner", fmt::format("{} is no e-mail address", shown(v)), field::owner_email};
    });
    check_word(defaults_.type, field::type, types_, ignored.type);
    check_word(defaults_.priority, field::priority, priorities_, ignored.priority);
    check_word(defaults_.status, field::status, statuses_, ignored.status);
    if (dates)
        check(defaults_.due_at, field::due_at, [&](std::string_view v) { return dates->read(v, ignored.due_at); });
    check(defaults_.note, field::note, [&](std::string_view v) { return note(v, arena, ignored.note); });
    return faults;
}

std::optional<fault> row_checks::id(std::string_view text, field f, text_arena& arena, std::string_view& out) const {
    const core::id_spelling spelling = core::spelling_of(text);
    const bool good = !id_regex_                  ? spelling != core::id_spelling::other
                      : text.size() <= longest_id ? std::regex_match(text.begin(), text.end(), *id_regex_)
                                                  : false;
    if (!good)
        return fault{fmt::format("invalid_{}", to_string(f)),
                     id_regex_ ? fmt::format("{} does not match import.id_pattern {}", shown(text), id_pattern_)
                               : fmt::format("{} is no Apollo id{}; an id is 24 hexadecimal digits", shown(text),
                                             whose_id(text)),
                     f};
    out = spelling == core::id_spelling::with_capitals ? in_lower_case(text, arena) : text;
    return std::nullopt;
}

std::optional<fault> row_checks::contact_id(std::string_view text, text_arena& arena, std::string_view& out) const {
    text = quickly_trimmed(text);
    if (text.empty())
        return fault{"missing_value", "contact_id is empty; there is no default for it", field::contact_id};
    return id(text, field::contact_id, arena, out);
}

std::optional<fault> row_checks::user(const field_texts& texts, text_arena& arena, std::string_view& out) {
    for (const field f : {field::user_id, field::owner_email}) {
        const auto given = quickly_trimmed(texts[f]);
        if (given.empty()) continue;
        if (const auto meant = owners_.meaning_of(given)) {
            if (!meant->empty()) return owner(arena.keep(*meant), f, arena, out);
            continue;
        }
        auto wrong = f == field::user_id ? id(given, f, arena, out) : owner(given, f, arena, out);
        const auto others = wrong ? owners_.meaning_of_others() : std::nullopt;
        if (!others) return wrong;
        if (!others->empty()) return owner(arena.keep(*others), f, arena, out);
    }
    if (!defaults_.user_id.empty()) return id(arena.keep(defaults_.user_id), field::user_id, arena, out);
    if (!defaults_.owner_email.empty()) return owner(defaults_.owner_email, field::owner_email, arena, out);
    if (const auto others = owners_.meaning_of_others(); others && !others->empty())
        return owner(arena.keep(*others), field::user_id, arena, out);
    return missing(field::user_id);
}

// `f` is the field that the text comes from. Outside the column of ids an id is good as well.
std::optional<fault> row_checks::owner(std::string_view text, field f, text_arena& arena, std::string_view& out) {
    if (core::spelling_of(text) != core::id_spelling::other) return id(text, field::user_id, arena, out);
    std::string_view known;
    auto why = owners_.find(text, known);
    if (!why) {
        out = arena.keep(known);
        return std::nullopt;
    }
    // A pattern of one's own may fit addresses and names as well.
    const bool may_be_id = text.find_first_of("@ ") == std::string_view::npos;
    if (id_regex_ && may_be_id && !id(text, field::user_id, arena, out)) return std::nullopt;
    return fault{"unknown_owner", std::move(*why), f};
}

std::optional<fault> row_checks::note(std::string_view text, text_arena& arena, std::string_view& out) const {
    if (quickly_trimmed(text).empty()) text = arena.keep(defaults_.note);
    out = with_plain_line_breaks(text, arena);
    if (note_limit_ == 0 || out.size() <= note_limit_) return std::nullopt;
    const std::size_t characters = count_characters(out);
    if (characters <= note_limit_) return std::nullopt;
    return fault{"note_too_long",
                 fmt::format("the note has {} characters, import.note_limit allows {}; shorten it or raise the limit",
                             characters, note_limit_),
                 field::note};
}

// An empty cell is what the defaults say, and so is a word that [values] calls none. With neither, "*" may say it.
template <class Enum>
inline std::optional<fault> row_checks::word(const word_rules<Enum>& rules, std::string_view text,
                                             std::string_view otherwise, field f, std::optional<Enum> fallback,
                                             Enum& out) {
    text = quickly_trimmed(text);
    if (!text.empty()) {
        const auto meaning = rules.read(text, out);
        if (meaning == word_meaning::known) return std::nullopt;
        if (meaning == word_meaning::unknown) return wrong_word<Enum>(text, f);
    }
    if (rules.read(otherwise, out) == word_meaning::known) return std::nullopt;
    if (!fallback) return missing(f);
    out = *fallback;
    return std::nullopt;
}

void row_checks::count_unknown_words(const field_texts& texts, const fault& wrong) {
    if (wrong.code == "unknown_owner") {
        const field at = quickly_trimmed(texts[field::user_id]).empty() ? field::owner_email : field::user_id;
        unknown_.add(field::owner_email, quickly_trimmed(texts[at]));
    }
    const auto look = [&](const auto& rules, field f, auto ignored) {
        const auto text = quickly_trimmed(texts[f]);
        if (!text.empty() && rules.read(text, ignored) == word_meaning::unknown) unknown_.add(f, text);
    };
    look(types_, field::type, core::task_type{});
    look(priorities_, field::priority, core::task_priority{});
    look(statuses_, field::status, core::task_status{});
}

std::optional<fault> row_checks::details(const field_texts& texts, text_arena& arena, core::task_view& out) {
    if (auto f = user(texts, arena, out.user_id)) return f;

    auto wrong = word<core::task_type>(types_, texts[field::type], defaults_.type, field::type, {}, out.type);
    if (!wrong)
        wrong = word<core::task_priority>(priorities_, texts[field::priority], defaults_.priority, field::priority,
                                          core::task_priority::medium, out.priority);
    if (!wrong)
        wrong =
            word<core::task_status>(statuses_, texts[field::status], defaults_.status, field::status, {}, out.status);
    if (wrong) return wrong;

    const auto due_at = or_default(texts[field::due_at], defaults_.due_at);
    if (due_at.empty()) return missing(field::due_at);
    if (auto f = dates_.read(due_at, out.due_at)) return f;
    return note(texts[field::note], arena, out.note);
}

}  // namespace taskbarge::reader
