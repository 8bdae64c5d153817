#include "service/work/renewal.hpp"

#include <gmock/gmock.h>

#include "unit/service/work/workplace.hpp"

namespace taskbarge::service {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

// What is due when; what is written is tested through the intake.
class RenewalList : public Workplace {
 protected:
    RenewalList() : store_(inbox::item_store::open(path("inbox")).value()) {}

    static std::vector<ledger::reopened_job> finished_again(core::job_id job, int minute) {
        return {{job, core::instant(std::chrono::minutes(minute))}};
    }

    renewal::time now_{1h};
    job::stop_control stop_;

 private:
    std::unique_ptr<inbox::item_store> store_;
    result_files files_{result_files::parts{configuration, core::system_clock(), *store_, stop_}};

 protected:
    renewal renewal_{*store_, files_};
};

TEST_F(RenewalList, AJobIsDueUntilItsEndWasLookedAtAndAgainAtAnotherEnd) {
    const auto job = plan();
    const auto book_of = book();
    EXPECT_FALSE(renewal_.note({}));
    EXPECT_EQ(renewal_.due(), std::nullopt);
    for (const int minute : {1, 2}) {
        const core::instant end(std::chrono::minutes{minute});
        book_of->set_job_state(job, core::job_state::completed, std::nullopt, "", "", end).value();
        EXPECT_TRUE(renewal_.note(finished_again(job, minute)));
        EXPECT_TRUE(renewal_.due());
        const auto did = renewal_.work(book_of.get(), now_);
        EXPECT_FALSE(did.why);
        EXPECT_THAT(did.renewed, IsEmpty()) << "no item in done/ has it";
        EXPECT_EQ(renewal_.due(), std::nullopt);
        EXPECT_FALSE(renewal_.note(finished_again(job, minute))) << "of that end everything is told";
    }
}

TEST_F(RenewalList, AFailureIsTriedAgainLaterEachTimeAndAsksWhichJobsTheyAre) {
    auto pause = 0s;
    for (int turn = 0; turn < 3; ++turn) {
        ASSERT_TRUE(renewal_.note(finished_again(1, 1)));
        const auto did = renewal_.work(core::failure{core::errc::ledger, "not there"}, now_);
        ASSERT_TRUE(did.why);
        EXPECT_EQ(did.why->text, "not there");
        EXPECT_EQ(renewal_.due(), std::nullopt) << "until they are noted again";
        ASSERT_TRUE(renewal_.note(finished_again(1, 1)));
        EXPECT_GT(*renewal_.due(), now_ + pause);
        pause = std::chrono::floor<std::chrono::seconds>(*renewal_.due() - now_);
    }
}

}  // namespace
}  // namespace taskbarge::service
