#include "job/sending/refusal_watch.hpp"

#include <gtest/gtest.h>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job {
namespace {

ledger::chunk_record chunk_in_group(core::group_number group, std::size_t contacts, std::size_t first = 1) {
    ledger::chunk_record chunk;
    chunk.group = group;
    for (std::size_t i = 0; i < contacts; ++i) {
        chunk.contacts.rows.push_back(first + i);
        chunk.contacts.contact_ids.push_back(contact_id(first + i));
    }
    return chunk;
}

TEST(RefusalWatch, WordsAreComparedWithoutWhatDiffersEachTime) {
    EXPECT_EQ(bare_words("contact 66e8a1b2c3d4e5f6a7000001 is gone (request 17)"),
              bare_words("contact 66e8a1b2c3d4e5f6a7abc002 is gone (request 9)"));
    EXPECT_EQ(bare_words("\"Ann\" is blocked"), bare_words("\"Bob B.\" is blocked"));
    EXPECT_NE(bare_words("user is blocked"), bare_words("contact is blocked"));
    EXPECT_EQ(bare_words("an open \""), "an open #");
}

TEST(RefusalWatch, ManyGroupsAndSomeSingleContactsAmongThemAreEnough) {
    refusal_watch watch(4, false);
    for (core::group_number group = 1; group <= 4; ++group)
        watch.refused(chunk_in_group(group, 10, group * 100), "suspended, case 1");
    EXPECT_FALSE(watch.all_alike()) << "it may be the size";
    for (core::group_number group = 1; group <= 3; ++group) {
        EXPECT_FALSE(watch.all_alike());
        watch.refused(chunk_in_group(group, 1, group * 100), "suspended, case 2");
    }
    EXPECT_TRUE(watch.all_alike());
    EXPECT_EQ(watch.words(), "suspended, case 1");
    EXPECT_EQ(watch.alone(), 3U);
}

TEST(RefusalWatch, ManySingleContactsOfSeveralGroupsAreEnough) {
    refusal_watch watch(4, false);
    for (std::size_t i = 1; i <= 9; ++i)
        watch.refused(chunk_in_group(1, 1, i), "no");
    EXPECT_FALSE(watch.all_alike()) << "it may be this group's details";
    watch.refused(chunk_in_group(2, 10, 100), "no");
    EXPECT_TRUE(watch.all_alike());
}

TEST(RefusalWatch, OtherWordsEndItForGood) {
    refusal_watch watch(2, false);
    watch.refused(chunk_in_group(1, 1), "contact not found");
    watch.refused(chunk_in_group(2, 1, 2), "type is wrong");
    for (std::size_t i = 3; i < 9; ++i)
        watch.refused(chunk_in_group(static_cast<core::group_number>(i), 1, i), "contact not found");
    EXPECT_FALSE(watch.all_alike());
}

TEST(RefusalWatch, NothingIsCountedOnceSomethingWasCreatedOrByWish) {
    refusal_watch watch(2, true), never(0, false), later(2, false);
    later.end();
    for (std::size_t i = 1; i < 9; ++i)
        for (auto* one : {&watch, &never, &later})
            one->refused(chunk_in_group(static_cast<core::group_number>(i), 1, i), "no");
    EXPECT_FALSE(watch.all_alike() || never.all_alike() || later.all_alike());
}

}  // namespace
}  // namespace taskbarge::job
