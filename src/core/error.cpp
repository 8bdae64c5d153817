#include "taskbarge/core/error.hpp"

#include <array>

namespace taskbarge::core {
namespace {

struct kind {
    std::string_view word;
    remedy mended_by;
    reach concerns;
};

// In the order of the enumerators.
constexpr std::array<kind, 18> kinds{{
    {"usage", remedy::change, reach::job},
    {"settings", remedy::change, reach::all_until_changed},
    {"input", remedy::change, reach::job},
    {"too_many_rejects", remedy::change, reach::job},
    {"ledger", remedy::surroundings, reach::all_for_now},
    {"ledger_full", remedy::time, reach::all_for_now},
    {"job_held", remedy::time, reach::job},
    {"no_such_job", remedy::change, reach::job},
    {"no_key", remedy::surroundings, reach::all_until_changed},
    {"unauthorized", remedy::surroundings, reach::all_until_changed},
    {"forbidden", remedy::surroundings, reach::all_until_changed},
    {"all_refused", remedy::change, reach::job},
    {"unreachable", remedy::time, reach::all_for_now},
    {"interrupted", remedy::time, reach::process},
    {"waiting", remedy::time, reach::job},
    {"paused", remedy::command, reach::job},
    {"io", remedy::surroundings, reach::job},
    {"internal", remedy::change, reach::process},
}};

const kind& kind_of(errc v) {
    return kinds.at(static_cast<std::size_t>(v));
}

}  // namespace

std::string_view to_string(errc v) {
    return kind_of(v).word;
}

std::optional<errc> parse_errc(std::string_view text) {
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (kinds[i].word == text) return static_cast<errc>(i);
    return std::nullopt;
}

remedy remedy_of(errc v) {
    return kind_of(v).mended_by;
}

reach reach_of(errc v) {
    return kind_of(v).concerns;
}

bool needs_a_person(errc v) {
    return remedy_of(v) == remedy::surroundings || remedy_of(v) == remedy::change;
}

bool may_pass(errc v) {
    return remedy_of(v) == remedy::time || remedy_of(v) == remedy::surroundings;
}

}  // namespace taskbarge::core
