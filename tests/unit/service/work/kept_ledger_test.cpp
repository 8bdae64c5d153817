#include "service/work/kept_ledger.hpp"

#include <gtest/gtest.h>

#include "unit/service/work/workplace.hpp"

namespace taskbarge::service {
namespace {

using KeptLedger = Workplace;

TEST_F(KeptLedger, IsOpenedOnce) {
    kept_ledger kept;
    const auto first = kept.at(ledger_path());
    ASSERT_TRUE(first);
    EXPECT_EQ(kept.at(ledger_path()).value(), *first);
    EXPECT_FALSE(kept.was_replaced());
}

TEST_F(KeptLedger, FindsTheLedgerThatWasPutInTheOldOnesPlace) {
    kept_ledger kept;
    ASSERT_TRUE(kept.at(ledger_path()));
    plan();
    ASSERT_EQ(kept.at(ledger_path()).value()->jobs()->size(), 1u);
    delete_ledger();
    EXPECT_EQ(kept.at(ledger_path()).value()->jobs()->size(), 0u);
    EXPECT_TRUE(kept.was_replaced());
    EXPECT_TRUE(kept.at(ledger_path()));
    EXPECT_FALSE(kept.was_replaced());
}

TEST_F(KeptLedger, OneThatCannotBeOpenedIsTriedAgain) {
    kept_ledger kept;
    std::filesystem::create_directory(ledger_path());
    EXPECT_FALSE(kept.at(ledger_path()));
    std::filesystem::remove(ledger_path());
    EXPECT_TRUE(kept.at(ledger_path()));
}

}  // namespace
}  // namespace taskbarge::service
