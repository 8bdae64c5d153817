#include "ledger/earlier_contacts.hpp"

#include <gtest/gtest.h>

#include <string>

#include "contract/ledger_fixture.hpp"

namespace taskbarge::ledger {
namespace {

TEST(EarlierContacts, FindsTheFirstRowOfTheOldestJob) {
    earlier_contacts contacts;
    EXPECT_TRUE(contacts.empty());
    contacts.add(contact_id(1), {3, 20});
    contacts.add(contact_id(1), {3, 10});
    contacts.add(contact_id(1), {5, 1});
    contacts.add("odd", {3, 9});
    contacts.add("odd", {3, 8});
    contacts.seal();
    EXPECT_EQ(contacts.find(contact_id(1)), (earlier_row{3, 10}));
    EXPECT_EQ(contacts.find("odd"), (earlier_row{3, 8}));
    EXPECT_EQ(contacts.find(contact_id(2)), std::nullopt);
    EXPECT_EQ(contacts.find("even"), std::nullopt);
}

TEST(EarlierContacts, OtherSpellingsAreOtherContacts) {
    earlier_contacts contacts;
    contacts.add("66302798d03b9601c7934ebf", {1, 1});
    contacts.seal();
    EXPECT_EQ(contacts.find("66302798D03B9601C7934EBF"), std::nullopt);
    EXPECT_EQ(contacts.find("66302798d03b9601c7934eb"), std::nullopt);
    EXPECT_TRUE(contacts.find("66302798d03b9601c7934ebf"));
}

}  // namespace
}  // namespace taskbarge::ledger
