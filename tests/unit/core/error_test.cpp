#include "taskbarge/core/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace taskbarge::core {
namespace {

struct failure_kind {
    errc code;
    remedy mended_by;
    reach concerns;
};

// No default: a new kind does not compile until it is here, and whoever adds it decides.
failure_kind expected_of(errc v) {
    switch (v) {
        case errc::usage:
        case errc::input:
        case errc::too_many_rejects:
        case errc::no_such_job:
        case errc::all_refused:
            return {v, remedy::change, reach::job};
        case errc::settings:
            return {v, remedy::change, reach::all_until_changed};
        case errc::ledger:
            return {v, remedy::surroundings, reach::all_for_now};
        case errc::ledger_full:
        case errc::unreachable:
            return {v, remedy::time, reach::all_for_now};
        case errc::job_held:
        case errc::waiting:
            return {v, remedy::time, reach::job};
        case errc::no_key:
        case errc::unauthorized:
        case errc::forbidden:
            return {v, remedy::surroundings, reach::all_until_changed};
        case errc::interrupted:
            return {v, remedy::time, reach::process};
        case errc::paused:
            return {v, remedy::command, reach::job};
        case errc::io:
            return {v, remedy::surroundings, reach::job};
        case errc::internal:
            return {v, remedy::change, reach::process};
    }
    return {v, remedy::change, reach::process};
}

std::vector<errc> all_kinds() {
    std::vector<errc> out;
    for (auto v = 0; v <= static_cast<int>(errc::internal); ++v)
        out.push_back(static_cast<errc>(v));
    return out;
}

TEST(Error, EachKindHasARemedyAndAReach) {
    for (const auto v : all_kinds()) {
        EXPECT_EQ(remedy_of(v), expected_of(v).mended_by) << to_string(v);
        EXPECT_EQ(reach_of(v), expected_of(v).concerns) << to_string(v);
    }
}

TEST(Error, WordsGoBothWays) {
    for (const auto v : all_kinds())
        EXPECT_EQ(parse_errc(to_string(v)), v) << to_string(v);
    EXPECT_EQ(parse_errc("no_such_word"), std::nullopt);
}

TEST(Error, KindsThatAPersonMustSeeToDoNotGoOnByThemselves) {
    EXPECT_TRUE(needs_a_person(errc::unauthorized));
    EXPECT_TRUE(needs_a_person(errc::input));
    EXPECT_FALSE(needs_a_person(errc::ledger_full));
    EXPECT_FALSE(needs_a_person(errc::paused));
}

TEST(Error, InputsAreReadLaterWhereTheInputIsNotAtFault) {
    EXPECT_TRUE(may_pass(errc::unauthorized));
    EXPECT_TRUE(may_pass(errc::io));
    EXPECT_TRUE(may_pass(errc::waiting));
    EXPECT_FALSE(may_pass(errc::input));
    EXPECT_FALSE(may_pass(errc::internal));
}

}  // namespace
}  // namespace taskbarge::core
