// The grammar of faults: [ROUTE/]KIND[:WORD]...[=VALUE][@PLACES|%PERCENT]
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "sandbox/faults.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

namespace {

enum class value_kind { none, retry, status_text, count, number, time, time_offset, bytes, ids, two_ids };

enum word : unsigned {
    moments = 1,       // before, after, later
    stages = 2,        // accept, handshake, request, mid_answer
    half_moments = 4,  // before, after
    windows = 8,       // minute, hour, day
    naming = 16,       // named, unnamed
    refusals = 32,     // 413, 422
    echoing = 64,      // echo
    clocks = 128       // date, tasks
};

struct kind_rule {
    std::string_view name;
    fault_kind kind;
    unsigned words;
    value_kind value;
    std::int64_t default_number;  // where `value` is a count; -1: a value must be given
    fault_moment moment;
    bool lasting;  // holds always: takes no places
};

using enum fault_moment;
constexpr kind_rule rules[] = {
    {"429", fault_kind::throttle, moments | windows | echoing, value_kind::retry, 1, before, false},
    {"stall", fault_kind::stall, moments, value_kind::none, 0, before, false},
    {"reset", fault_kind::reset, moments | stages, value_kind::none, 0, before, false},
    {"close", fault_kind::close, moments | stages, value_kind::none, 0, before, false},
    {"cut", fault_kind::cut, 0, value_kind::none, 0, after, false},
    {"length", fault_kind::length, 0, value_kind::number, -1, after, false},
    {"html", fault_kind::html, moments, value_kind::none, 0, before, false},
    {"success_false", fault_kind::success_false, moments, value_kind::none, 0, before, false},
    {"missing", fault_kind::missing, moments, value_kind::count, 1, after, false},
    {"repeated", fault_kind::repeated, 0, value_kind::count, 1, after, false},
    {"foreign", fault_kind::foreign, 0, value_kind::count, 1, after, false},
    {"anonymous", fault_kind::anonymous, 0, value_kind::count, 1, after, false},
    {"oversized", fault_kind::oversized, 0, value_kind::bytes, -1, after, false},
    {"dribble", fault_kind::dribble, 0, value_kind::time, -1, after, false},
    {"delay", fault_kind::delay, half_moments, value_kind::time, -1, after, false},
    {"garbage", fault_kind::garbage, moments, value_kind::none, 0, before, false},
    {"copy", fault_kind::copy, 0, value_kind::time, -1, after, false},
    {"previous", fault_kind::previous, moments, value_kind::none, 0, after, false},
    {"same_id", fault_kind::same_id, 0, value_kind::none, 0, after, false},
    {"hides", fault_kind::hides, 0, value_kind::count, 1, after, false},
    {"longer", fault_kind::longer, 0, value_kind::count, 1, after, false},
    {"short", fault_kind::hides, 0, value_kind::count, 1, after, false},
    {"again", fault_kind::again, 0, value_kind::count, 1, after, false},
    {"partial", fault_kind::partial, 0, value_kind::count, 10000, after, false},
    {"deaf", fault_kind::deaf, 0, value_kind::none, 0, after, false},
    {"texts", fault_kind::texts, 0, value_kind::none, 0, after, false},
    {"other", fault_kind::other, 0, value_kind::none, 0, after, false},
    {"lag", fault_kind::lag, 0, value_kind::time, -1, after, false},
    {"visible", fault_kind::visible, 0, value_kind::count, -1, after, true},
    {"bad_contact", fault_kind::bad_contact, naming, value_kind::ids, 0, after, false},
    {"bad_user", fault_kind::bad_user, 0, value_kind::ids, -1, after, true},
    {"cap", fault_kind::cap, refusals, value_kind::count, -1, after, true},
    {"close_after", fault_kind::close_after, 0, value_kind::count, -1, after, true},
    {"skew", fault_kind::skew, clocks, value_kind::time_offset, -1, after, true},
    {"no_date", fault_kind::no_date, 0, value_kind::none, 0, after, false},
    {"spend", fault_kind::spend, 0, value_kind::count, -1, after, false},
    {"gone", fault_kind::gone, 0, value_kind::count, 1, after, false},
    {"arrive", fault_kind::arrive, 0, value_kind::count, 1, after, false},
    {"touch", fault_kind::touch, 0, value_kind::count, 1, after, false},
    {"merge", fault_kind::merge, 0, value_kind::two_ids, -1, after, false},
};
constexpr kind_rule status_rule{"", fault_kind::status, moments | echoing, value_kind::none, 0, before, false};

std::string known_kinds() {
    std::string names = "a status from 400 to 599";
    for (const kind_rule& rule : rules)
        names.append(", ").append(rule.name);
    return names;
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
    Number n{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, n);
    if (text.empty() || error != std::errc{} || rest != end) return std::nullopt;
    return n;
}

std::optional<std::int64_t> read_bytes(std::string_view text) {
    constexpr std::pair<std::string_view, int> units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    for (const auto& [unit, shift] : units) {
        if (!text.ends_with(unit)) continue;
        const auto n = read_number<std::int64_t>(text.substr(0, text.size() - unit.size()));
        if (!n || *n < 0 || *n >= std::int64_t{1} << 20) return std::nullopt;
        return *n << shift;
    }
    return read_number<std::int64_t>(text);
}

// Cuts `text` at the first of `marks`; the part behind it, without the mark, or nothing when there is none.
std::optional<std::string_view> cut_at(std::string_view& text, std::string_view marks) {
    const auto at = text.find_first_of(marks);
    if (at == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(at + 1);
    text = text.substr(0, at);
    return rest;
}

std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    for (auto rest = std::optional(text); rest;) {
        std::string_view part = *rest;
        rest = cut_at(part, std::string_view(&mark, 1));
        parts.push_back(part);
    }
    return parts;
}

// One fault text on its way to a fault; every step says why it failed, or nothing.
class fault_reader {
 public:
    explicit fault_reader(std::string_view text) { fault_.spelled = text; }

    core::result<fault> read() {
        std::string_view text = fault_.spelled;
        const auto where = text.find_first_of("@%");
        const std::string_view places = where == std::string_view::npos ? "" : text.substr(where);
        text = text.substr(0, where);
        const auto value = cut_at(text, "=");
        std::string why = read_route(text);
        if (why.empty()) why = read_kind_and_words(text);
        if (why.empty()) why = read_value(value);
        if (why.empty()) why = read_places(places);
        if (why.empty()) why = check_whole();
        if (why.empty()) return std::move(fault_);
        return core::failure{core::errc::usage, fmt::format("fault \"{}\": {}", fault_.spelled, why)};
    }

 private:
    std::string read_route(std::string_view& text) {
        std::string_view name = text;
        const auto rest = cut_at(name, "/");
        if (!rest) return {};
        for (const route r : all_routes) {
            if (to_string(r) == name) {
                fault_.route = r;
                text = *rest;
                return {};
            }
        }
        return fmt::format("unknown route \"{}\"; there are {}", name, route_names());
    }

    std::string read_kind_and_words(std::string_view text) {
        const auto parts = split(text, ':');
        const auto known = std::ranges::find(rules, parts.front(), &kind_rule::name);
        if (known != std::end(rules)) {
            rule_ = *known;
        } else if (const auto status = read_number<int>(parts.front()); status && *status >= 400 && *status <= 599) {
            fault_.status = *status;
        } else {
            return fmt::format("unknown kind \"{}\"; there are {}", parts.front(), known_kinds());
        }
        fault_.kind = rule_.kind;
        fault_.moment = rule_.moment;
        fault_.number = rule_.default_number;
        fault_.status = rule_.kind == fault_kind::cap ? 422 : fault_.status;
        bool later = false;
        for (const std::string_view part : std::span(parts).subspan(1)) {
            if (const auto time = core::parse_duration(part); later && time) {
                fault_.later = *time;
                later = false;
            } else if (!read_word(part)) {
                return fmt::format("\"{}\" does not go with \"{}\"; {}", part, parts.front(), words_text());
            } else {
                later = part == "later";
            }
        }
        return {};
    }

    bool allows(unsigned words) const { return (rule_.words & words) != 0; }

    bool read_word(std::string_view text) {
        if (allows(moments | half_moments) && text == "before") return set(fault_.moment, fault_moment::before);
        if (allows(moments | half_moments) && text == "after") return set(fault_.moment, fault_moment::after);
        if (allows(moments) && text == "later") return set(fault_.moment, fault_moment::later);
        if (allows(stages)) {
            if (text == "accept") return set(fault_.stage, fault_stage::accept);
            if (text == "handshake") return set(fault_.stage, fault_stage::handshake);
            if (text == "request") return set(fault_.stage, fault_stage::request);
            if (text == "mid_answer") {
                fault_.moment = fault_moment::after;
                return set(fault_.stage, fault_stage::mid_answer);
            }
        }
        if (allows(windows)) {
            for (const auto kind : core::all_window_kinds) {
                if (text == core::to_string(kind)) return set(fault_.window, kind);
            }
        }
        if (allows(naming) && text == "named") return set(fault_.named, true);
        if (allows(naming) && text == "unnamed") return set(fault_.named, false);
        if (allows(refusals) && text == "413") return set(fault_.status, 413);
        if (allows(refusals) && text == "422") return set(fault_.status, 422);
        if (allows(echoing) && text == "echo") return set(fault_.echoes, true);
        if (allows(clocks) && text == "date") return set(fault_.clock, server_clock::date);
        if (allows(clocks) && text == "tasks") return set(fault_.clock, server_clock::tasks);
        return false;
    }

    template <class T>
    static bool set(T& to, T value) {
        to = value;
        return true;
    }

    std::string words_text() const {
        std::string text;
        if (allows(moments)) text += " before, after, later (later:5s);";
        if (allows(half_moments)) text += " before, after;";
        if (allows(stages)) text += " accept, handshake, request, mid_answer;";
        if (allows(windows)) text += " minute, hour, day;";
        if (allows(naming)) text += " named, unnamed;";
        if (allows(refusals)) text += " 413, 422;";
        if (allows(echoing)) text += " echo;";
        if (allows(clocks)) text += " date, tasks;";
        if (text.empty()) return "it takes no words";
        text.pop_back();
        return "it takes" + text;
    }

    std::string read_value(const std::optional<std::string_view>& value) {
        if (!value) {
            if (rule_.default_number >= 0) return {};
            return fmt::format("a value is missing; write {}={}", rule_.name, value_example());
        }
        if (rule_.value == value_kind::none) return "it takes no value";
        if (!take_value(*value))
            return fmt::format("\"{}\" is no value for it; write for example {}", *value, value_example());
        return {};
    }

    std::string_view value_example() const {
        switch (rule_.value) {
            case value_kind::retry:
                return "5, 0, date, date+5 or missing";
            case value_kind::count:
                return "3";
            case value_kind::number:
                return "+100 or -100";
            case value_kind::time:
                return "30s";
            case value_kind::time_offset:
                return "+5m or -5m";
            case value_kind::bytes:
                return "64MiB";
            case value_kind::ids:
                return "66e34b81740c50074e3d1bd4";
            case value_kind::two_ids:
                return "66e34b81740c50074e3d1bd4:66e34b81740c50074e3d1bd5";
            default:
                return "";
        }
    }

    bool take_value(std::string_view text) {
        switch (rule_.value) {
            case value_kind::retry:
                return take_retry(text);
            case value_kind::count:
                return take(read_number<std::int64_t>(text), fault_.number) && fault_.number >= 0;
            case value_kind::number:
                if (text.starts_with('+')) text.remove_prefix(1);
                return take(read_number<std::int64_t>(text), fault_.number) && fault_.number != 0;
            case value_kind::bytes:
                return take(read_bytes(text), fault_.number) && fault_.number >= 0;
            case value_kind::time:
                return take(core::parse_duration(text), fault_.time);
            case value_kind::time_offset: {
                const bool back = text.starts_with('-');
                if (back || text.starts_with('+')) text.remove_prefix(1);
                if (!take(core::parse_duration(text), fault_.time)) return false;
                if (back) fault_.time = -fault_.time;
                return true;
            }
            case value_kind::two_ids: {
                const auto into = cut_at(text, ":");
                if (!into || text.empty() || into->empty()) return false;
                fault_.ids = {core::canonical_id(text), core::canonical_id(*into)};
                return true;
            }
            case value_kind::ids:
                for (const auto id : split(text, ',')) {
                    if (id.empty()) return false;
                    fault_.ids.push_back(core::canonical_id(id));
                }
                return true;
            default:
                return false;
        }
    }

    bool take_retry(std::string_view text) {
        if (text == "missing") return set(fault_.retry, retry_form::missing);
        if (text.starts_with("date")) {
            fault_.retry = retry_form::http_date;
            text.remove_prefix(4);
            if (text.empty()) return set(fault_.number, std::int64_t{2});
            if (!text.starts_with('+')) return false;
            text.remove_prefix(1);
        }
        return take(read_number<std::int64_t>(text), fault_.number) && fault_.number >= 0;
    }

    template <class T>
    static bool take(const std::optional<T>& read, T& to) {
        if (read) to = *read;
        return read.has_value();
    }

    std::string read_places(std::string_view text) {
        if (text.empty()) return {};
        if (rule_.lasting) return "it holds always: leave out the places";
        const bool chance = text.front() == '%';
        text.remove_prefix(1);
        if (chance) {
            const auto percent = read_number<double>(text);
            if (!percent || !(*percent >= 0 && *percent <= 100)) return "after % a number from 0 to 100 is expected";
            fault_.places.percent = *percent;
            return {};
        }
        for (std::string_view part : split(text, ',')) {
            if (!take_range(part)) return "after @ places are expected, such as @3 or @3,5-7 or @10-";
        }
        return {};
    }

    bool take_range(std::string_view text) {
        const auto end = cut_at(text, "-");
        const auto first = read_number<std::uint64_t>(text);
        if (!first || *first == 0) return false;
        std::uint64_t last = *first;
        if (end && end->empty()) {
            last = UINT64_MAX;
        } else if (end && !take(read_number<std::uint64_t>(*end), last)) {
            return false;
        }
        fault_.places.ranges.emplace_back(*first, last);
        return *first <= last;
    }

    std::string check_whole() const {
        if (fault_.kind == fault_kind::bad_contact) {
            if (!fault_.places.ranges.empty())
                return "it strikes contacts, not requests: write bad_contact=ID or bad_contact%2";
            if (fault_.ids.empty() == !fault_.places.percent) return "write either bad_contact=ID,ID or bad_contact%2";
        }
        if (fault_.kind == fault_kind::close_after && fault_.number == 0)
            return "a connection serves at least one request";
        if (const auto only = only_route(); only && fault_.route != *only)
            return fmt::format("it strikes {0} only: write {0}/{1}", to_string(*only), rule_.name);
        if (fault_.kind == fault_kind::lag && fault_.route != route::bulk_create &&
            fault_.route != route::contacts_create)
            return "what is created shows late: write lag or contacts_create/lag";
        return {};
    }

    // The route whose answers alone can be wrong in this way.
    std::optional<route> only_route() const {
        if (rule_.name == "hides" || rule_.name == "longer") return route::search;
        switch (fault_.kind) {
            case fault_kind::hides:
            case fault_kind::again:
            case fault_kind::partial:
            case fault_kind::deaf:
            case fault_kind::texts:
                return route::contacts_search;
            case fault_kind::other:
                return route::contact;
            default:
                return std::nullopt;
        }
    }

    fault fault_;
    kind_rule rule_ = status_rule;
};

}  // namespace

core::result<fault> parse_fault(std::string_view text) {
    return fault_reader(text).read();
}

}  // namespace taskbarge::sandbox
