#include "reader/row_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "taskbarge/core/object_id.hpp"

namespace taskbarge::reader {
namespace {

// The regular expression library recurses for each character.
constexpr std::size_t longest_id = 512;

// core::canonical_id() of an object id with capitals.
std::string_view in_lower_case(std::string_view text, text_arena& arena) {
    char* const out = arena.take(text.size());
    std::transform(text.begin(), text.end(), out,
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
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

fault missing(field f) {
    return {"missing_value",
            fmt::format("{} is empty and there is no defaults.{}",
                        f == field::user_id ? "the owner (user_id or owner_email)" : to_string(f), to_string(f)),
            f};
}

template <class Enum>
std::vector<std::string> every_word(Enum last) {
    std::vector<std::string> words;
    for (int i = 0; i <= static_cast<int>(last); ++i)
        words.emplace_back(to_string(static_cast<Enum>(i)));
    return words;
}

template <class Enum>
fault wrong_word(std::string_view text, field f, Enum last) {
    return {fmt::format("invalid_{}", to_string(f)),
            fmt::format("{} is no {}; write {}", shown(text), to_string(f), listed(every_word(last), " or ")), f};
}

template <class Enum>
inline std::optional<fault> read_word(std::optional<Enum> parsed, std::string_view text, field f, Enum last,
                                      Enum& out) {
    if (!parsed) return wrong_word(text, f, last);
    out = *parsed;
    return std::nullopt;
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
      owners_lookup_(options.owners) {}

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
    const auto check_word = [&](std::string_view value, field f, auto parse, auto last) {
        check(value, f, [&](std::string_view v) -> std::optional<fault> {
            if (parse(v)) return std::nullopt;
            auto wrong = wrong_word(v, f, last);
            wrong.message += fmt::format("; the nearest is {}", nearest(v, every_word(last)));
            return wrong;
        });
    };
    check(defaults_.user_id, field::user_id,
          [&](std::string_view v) { return id(v, field::user_id, arena, ignored.user_id); });
    // Whose address it is only Apollo knows.
    check(defaults_.owner_email, field::owner_email, [](std::string_view v) -> std::optional<fault> {
        if (v.find('@') != std::string_view::npos) return std::nullopt;
        return fault{"unknown_owner", fmt::format("{} is no e-mail address", shown(v)), field::owner_email};
    });
    check_word(defaults_.type, field::type, core::parse_task_type, core::task_type::action_item);
    check_word(defaults_.priority, field::priority, core::parse_task_priority, core::task_priority::low);
    check_word(defaults_.status, field::status, core::parse_task_status, core::task_status::skipped);
    if (dates)
        check(defaults_.due_at, field::due_at, [&](std::string_view v) { return dates->read(v, ignored.due_at); });
    check(defaults_.note, field::note, [&](std::string_view v) { return note(v, arena, ignored.note); });
    return faults;
}

void row_checks::look_up_owners() {
    if (!owners_lookup_) return;
    const auto found = std::exchange(owners_lookup_, nullptr)();
    if (!found) {
        owners_failure_ = found.error();
        return;
    }
    for (const auto& [email, user_id] : *found) {
        owners_[lower(email)] = core::canonical_id(user_id);
        owner_addresses_.push_back(lower(email));
    }
}

std::optional<fault> row_checks::id(std::string_view text, field f, text_arena& arena, std::string_view& out) const {
    const core::id_spelling spelling = core::spelling_of(text);
    const bool good = !id_regex_                  ? spelling != core::id_spelling::other
                      : text.size() <= longest_id ? std::regex_match(text.begin(), text.end(), *id_regex_)
                                                  : false;
    if (!good)
        return fault{fmt::format("invalid_{}", to_string(f)),
                     id_regex_ ? fmt::format("{} does not match import.id_pattern {}", shown(text), id_pattern_)
                               : fmt::format("{} is no Apollo id; an id is 24 hexadecimal digits", shown(text)),
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
    if (const auto given = quickly_trimmed(texts[field::user_id]); !given.empty())
        return id(given, field::user_id, arena, out);
    if (const auto email = quickly_trimmed(texts[field::owner_email]); !email.empty()) return owner(email, arena, out);
    if (!defaults_.user_id.empty()) return id(arena.keep(defaults_.user_id), field::user_id, arena, out);
    if (!defaults_.owner_email.empty()) return owner(defaults_.owner_email, arena, out);
    return missing(field::user_id);
}

std::optional<fault> row_checks::owner(std::string_view email, text_arena& arena, std::string_view& out) {
    look_up_owners();
    const std::string address = lower(email);
    if (const auto known = owners_.find(address); known != owners_.end()) {
        out = arena.keep(known->second);
        return std::nullopt;
    }
    auto found = nearest_owner_.find(address);
    if (found == nearest_owner_.end()) {
        constexpr std::size_t enough = 1024;
        if (nearest_owner_.size() >= enough) nearest_owner_.clear();
        found = nearest_owner_.emplace(address, nearest(address, owner_addresses_)).first;
    }
    return fault{"unknown_owner",
                 found->second.empty()
                     ? fmt::format("no Apollo user has the address {}", shown(email))
                     : fmt::format("no Apollo user has the address {}; the nearest is {}", shown(email), found->second),
                 field::owner_email};
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

std::optional<fault> row_checks::details(const field_texts& texts, text_arena& arena, core::task_view& out) {
    if (auto f = user(texts, arena, out.user_id)) return f;

    const auto type = or_default(texts[field::type], defaults_.type);
    if (type.empty()) return missing(field::type);
    if (auto f = read_word(core::parse_task_type(type), type, field::type, core::task_type::action_item, out.type))
        return f;

    const auto priority = or_default(texts[field::priority], defaults_.priority);
    out.priority = core::task_priority::medium;
    if (!priority.empty()) {
        const auto parsed = core::parse_task_priority(priority);
        if (auto f = read_word(parsed, priority, field::priority, core::task_priority::low, out.priority)) return f;
    }

    const auto status = or_default(texts[field::status], defaults_.status);
    if (status.empty()) return missing(field::status);
    const auto parsed = core::parse_task_status(status);
    if (auto f = read_word(parsed, status, field::status, core::task_status::skipped, out.status)) return f;

    const auto due_at = or_default(texts[field::due_at], defaults_.due_at);
    if (due_at.empty()) return missing(field::due_at);
    if (auto f = dates_.read(due_at, out.due_at)) return f;
    return note(texts[field::note], arena, out.note);
}

}  // namespace taskbarge::reader
