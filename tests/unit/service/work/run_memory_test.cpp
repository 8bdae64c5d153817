#include <gtest/gtest.h>

#include "service/work/scheduler.hpp"

namespace taskbarge::service {
namespace {

using core::errc;
using core::failure;
using namespace std::chrono_literals;

const run_memory::time noon{1000h};
constexpr core::job_id job = 7, other = 8;

struct table_line {
    const char* name;
    std::optional<errc> why;
    bool resumes_by_itself;
    bool may_go;        // at once
    bool other_may_go;  // at once
    bool after_a_while;
};

class RunMemory : public ::testing::TestWithParam<table_line> {};

TEST_P(RunMemory, DecidesWhatMayGoAfterARun) {
    const auto& line = GetParam();
    run_memory memory;
    std::optional<failure> why;
    if (line.why) why = failure{*line.why, "why"};
    memory.ended(job, why, line.resumes_by_itself, noon);
    EXPECT_EQ(memory.may_go(job, noon), line.may_go);
    EXPECT_EQ(memory.may_go(other, noon), line.other_may_go);
    EXPECT_EQ(memory.may_go(job, noon + 16min), line.after_a_while);
    // Whoever waits for a time is told it, or nobody would wake for it.
    const bool waits_for_a_time = !line.may_go && line.after_a_while;
    EXPECT_EQ(memory.next(noon).has_value(), waits_for_a_time);
    // A person who says that it may go on is believed, whatever there was.
    memory.released(job);
    EXPECT_TRUE(memory.may_go(job, noon));
}

INSTANTIATE_TEST_SUITE_P(Ends, RunMemory,
                         ::testing::Values(table_line{"Completed", std::nullopt, false, true, true, true},
                                           table_line{"Parked", errc::waiting, true, true, true, true},
                                           table_line{"Stopped", errc::interrupted, false, true, true, true},
                                           table_line{"Paused", errc::paused, false, true, true, true},
                                           table_line{"RowsLeft", errc::waiting, false, false, true, true},
                                           table_line{"Held", errc::job_held, false, false, true, true},
                                           table_line{"NoAnswer", errc::unreachable, false, false, false, true},
                                           table_line{"LedgerBroken", errc::ledger, false, false, false, true},
                                           table_line{"DiskFull", errc::ledger_full, false, false, false, true},
                                           table_line{"WrongKey", errc::unauthorized, false, false, false, false},
                                           table_line{"NoRight", errc::forbidden, false, false, false, false},
                                           table_line{"NoKey", errc::no_key, false, false, false, false},
                                           table_line{"WrongSettings", errc::settings, false, false, false, false},
                                           table_line{"Bug", errc::internal, false, false, true, false},
                                           table_line{"Files", errc::io, false, false, true, false},
                                           table_line{"NotThere", errc::no_such_job, false, true, true, true}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(RunMemory, WaitsLongerAfterEachOutageAndForgetsThemAfterASuccess) {
    run_memory memory;
    const failure out{errc::unreachable, "out"};
    memory.ended(job, out, false, noon);
    EXPECT_EQ(*memory.next(noon), noon + 30s);
    memory.ended(job, out, false, noon);
    EXPECT_EQ(*memory.next(noon), noon + 60s);
    for (int i = 0; i < 40; ++i)
        memory.ended(job, out, false, noon);
    EXPECT_EQ(*memory.next(noon), noon + 15min);
    memory.ended(job, std::nullopt, false, noon);
    EXPECT_TRUE(memory.may_go(other, noon));
    memory.ended(job, out, false, noon);
    EXPECT_EQ(*memory.next(noon), noon + 30s);
}

TEST(RunMemory, ForgetsAllRefusalsWhenTheSettingsAreNew) {
    run_memory memory;
    memory.ended(job, failure{errc::internal, "bug"}, false, noon);
    memory.ended(other, failure{errc::unauthorized, "401"}, false, noon);
    ASSERT_TRUE(memory.blocked());
    memory.forget_refusals();
    EXPECT_FALSE(memory.blocked());
    EXPECT_TRUE(memory.may_go(job, noon));
    EXPECT_TRUE(memory.may_go(other, noon));
}

}  // namespace
}  // namespace taskbarge::service
