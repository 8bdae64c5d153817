#include "grouper/details_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace taskbarge::grouper {
namespace {

core::task_details sample() {
    core::task_details out;
    out.user_id = "66302798d03b9601c7934ebf";
    out.due_at = core::instant(std::chrono::seconds(1'800'000'000));
    out.note = "call back";
    return out;
}

TEST(DetailsTable, EveryFieldMakesADifference) {
    std::vector<core::task_details> all(8, sample());
    all[1].user_id = "other";
    all[2].type = core::task_type::action_item;
    all[3].priority = core::task_priority::high;
    all[4].status = core::task_status::completed;
    all[5].due_at += std::chrono::milliseconds(1);
    all[6].note = "";
    all[7].user_id += "c";  // the same characters, cut elsewhere
    all[7].note = "all back";
    for (const std::uint64_t memory : {0ull, 1ull << 20}) {
        details_table table(memory, "");
        for (int round = 0; round < 2; ++round) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                const auto found = table.find_or_add(all[i].view());
                ASSERT_TRUE(found);
                EXPECT_EQ(found->group, i + 1);
                EXPECT_EQ(found->is_new, round == 0);
            }
        }
        EXPECT_EQ(table.groups(), all.size());
    }
}

TEST(DetailsTable, DetailsWithTheSameHashAreToldApart) {
    for (const std::uint64_t memory : {0ull, 1ull << 20}) {
        details_table table(memory, "");
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < 100; ++i) {
                auto details = sample();
                details.note += std::to_string(i);
                const auto found = table.find_or_add(details.view(), 0);
                ASSERT_TRUE(found);
                EXPECT_EQ(found->group, static_cast<core::group_number>(i + 1));
                EXPECT_EQ(found->is_new, round == 0);
            }
        }
    }
}

// Texts are hashed and compared some bytes at a time: whichever of them differs, at any length, makes other details.
TEST(DetailsTable, EveryByteOfATextMakesADifference) {
    details_table table(1 << 20, "");
    core::group_number groups = 0;
    for (std::size_t size = 0; size <= 50; ++size) {
        auto details = sample();
        details.user_id.assign(size, 'u');
        details.note.assign(50 - size, 'n');
        const auto unlike = [&](std::string& text) {
            for (char& c : text) {
                const char before = std::exchange(c, 'x');
                EXPECT_TRUE(table.find_or_add(details.view())->is_new);
                c = before;
                ++groups;
            }
        };
        EXPECT_TRUE(table.find_or_add(details.view())->is_new);
        ++groups;
        unlike(details.user_id);
        unlike(details.note);
        EXPECT_FALSE(table.find_or_add(details.view())->is_new);
    }
    EXPECT_EQ(table.groups(), groups);
}

// Past some thousands their memory is fetched ahead, for more of them at once than are looked at together.
TEST(DetailsTable, ManyAreFoundWhetherOrNotTheirMemoryWasFetched) {
    for (const std::uint64_t memory : {100'000ull, 10ull << 20}) {
        details_table table(memory, "");
        std::vector<std::uint64_t> hashes;
        auto details = sample();
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < 5000; ++i) {
                details.note = "note " + std::to_string(i);
                hashes.push_back(details_table::hash_of(details.view()));
                table.fetch(hashes);
                const auto found = table.find_or_add(details.view(), hashes.back());
                if (hashes.size() == 100) hashes.clear();
                ASSERT_TRUE(found);
                EXPECT_EQ(found->group, static_cast<core::group_number>(i + 1));
            }
        }
    }
}

TEST(DetailsTable, EveryFieldIsReadBackFromMemoryAndFromTheFile) {
    std::vector<core::task_details> all(4, sample());
    all[0].type = core::task_type::action_item;
    all[0].priority = core::task_priority::low;
    all[0].status = core::task_status::skipped;
    all[1].due_at = core::instant(std::chrono::milliseconds(-1));
    all[2].user_id = all[2].note = "";
    all[3].note.assign(200'000, 'x');  // past the file's buffer
    for (const std::uint64_t memory : {0ull, 150'000ull, 1ull << 20}) {
        details_table table(memory, "");
        for (const auto& one : all)
            ASSERT_TRUE(table.find_or_add(one.view()));
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto read = table.details(static_cast<core::group_number>(i + 1));
            ASSERT_TRUE(read);
            EXPECT_EQ(*read, all[i]) << memory;
        }
    }
}

// Each with its own beginning, middle and end, so that whole ones and those that lean on others alternate.
TEST(DetailsTable, NotesOfOneTextAreToldApartAndReadBack) {
    const auto nth = [](int i) {
        auto out = sample();
        out.user_id[0] = static_cast<char>('a' + i % 3);
        out.type = i % 5 == 0 ? core::task_type::action_item : core::task_type::call;
        out.note = "Dear " + std::string(static_cast<std::size_t>(i % 4), 'a') + " and all of you, call about " +
                   std::string(static_cast<std::size_t>(i % 7), 'a') + std::string(i % 11 == 0 ? "" : " soon, please");
        out.due_at += std::chrono::seconds(i / (3 * 4 * 5 * 7 * 11));
        return out;
    };
    for (const std::uint64_t memory : {0ull, 70'000ull, 10ull << 20}) {
        details_table table(memory, "");
        std::vector<core::task_details> seen;
        for (int i = 0; i < 5000; ++i) {
            auto details = nth(i);
            const auto found = table.find_or_add(details.view());
            ASSERT_TRUE(found);
            if (found->is_new) seen.push_back(std::move(details));
            ASSERT_EQ(found->is_new, found->group == seen.size());
            ASSERT_EQ(seen.at(found->group - 1), nth(i));
        }
        EXPECT_EQ(table.groups(), seen.size());
        for (std::size_t i = 0; i < seen.size(); ++i)
            ASSERT_EQ(*table.details(static_cast<core::group_number>(i + 1)), seen[i]);
    }
}

TEST(DetailsTable, NotesOfOneTextTakeLittleMemory) {
    details_table table(1 << 20, "");
    auto details = sample();
    for (int i = 0; i < 5000; ++i) {
        details.note = "wave " + std::to_string(i) + std::string(1000, 'x');
        ASSERT_TRUE(table.find_or_add(details.view())->is_new);
    }
    EXPECT_LT(table.memory(), 400'000u);
}

// One that overlaps itself where it begins and ends like the other.
TEST(DetailsTable, NotesThatAreEachOthersBeginningAndEnd) {
    details_table table(1 << 20, "");
    auto details = sample();
    for (int round = 0; round < 2; ++round) {
        for (std::size_t size = 20; size > 0; --size) {
            details.note.assign(size, 'x');
            const auto found = table.find_or_add(details.view());
            EXPECT_EQ(found->group, 21 - size);
            EXPECT_EQ(*table.details(found->group), details);
        }
    }
}

TEST(DetailsTable, LongNotesDoNotStayInMemory) {
    details_table table(1 << 20, "");
    auto details = sample();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 200; ++i) {
            details.note.assign(40000, static_cast<char>('\0' + i));  // nothing in common
            const auto found = table.find_or_add(details.view());
            ASSERT_TRUE(found);
            EXPECT_EQ(found->group, static_cast<core::group_number>(i + 1));
        }
    }
    EXPECT_LT(table.memory(), 2u << 20);
}

TEST(DetailsTable, UnusableSpillFolderIsNamed) {
    details_table table(0, "/nonexistent");
    auto details = sample();
    details.note.assign(100000, 'x');
    const auto found = table.find_or_add(details.view());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, core::errc::io);
    EXPECT_NE(found.error().text.find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace taskbarge::grouper
