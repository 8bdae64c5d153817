#include "taskbarge/grouper/grouper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace taskbarge::grouper {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps all that it is given, and fails when told to.
class recording_sink final : public chunk_sink {
 public:
    core::result<void> on_group(core::group_number number, const core::task_view& details) override {
        EXPECT_EQ(number, groups.size() + 1);
        groups.emplace_back(details);
        return answer();
    }
    core::result<void> on_chunk(core::planned_chunk&& chunk) override {
        EXPECT_LE(chunk.group, groups.size()) << "a group comes before its chunks";
        chunks.push_back(std::move(chunk));
        return answer();
    }
    core::result<void> on_duplicate(const core::duplicate_row& row) override {
        duplicates.push_back(row);
        return answer();
    }

    // Chunks by (group, part): the order in which they come may depend on the memory.
    std::map<std::pair<core::group_number, std::uint32_t>, core::planned_chunk> by_place() const {
        std::map<std::pair<core::group_number, std::uint32_t>, core::planned_chunk> out;
        for (const auto& chunk : chunks) {
            EXPECT_TRUE(out.emplace(std::pair(chunk.group, chunk.part), chunk).second) << "a chunk came twice";
        }
        return out;
    }

    std::vector<core::task_details> groups;
    std::vector<core::planned_chunk> chunks;
    std::vector<core::duplicate_row> duplicates;
    std::optional<core::failure> trouble;

 private:
    core::result<void> answer() { return trouble ? core::result<void>(*trouble) : core::result<void>(); }
};

struct input_row {
    std::size_t details;
    std::string contact;
    std::uint64_t line;
};

class input {
 public:
    explicit input(std::size_t detail_count) {
        for (std::size_t i = 0; i < detail_count; ++i) {
            core::task_details d;
            d.user_id = "66302798d03b9601c7934ebf";
            d.due_at = core::instant(std::chrono::hours(i));
            d.note = "note " + std::to_string(i % 7);
            details_.push_back(d);
        }
    }
    void add(std::size_t details, const std::string& contact) {
        rows_.push_back({details, contact, (rows_.size() + 1) * 3});
    }
    const std::vector<input_row>& rows() const { return rows_; }
    const core::task_details& details(std::size_t i) const { return details_[i]; }

    core::result<void> feed(grouper& to, std::size_t at_once = 1) const {
        std::vector<core::row> rows;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            rows.push_back({i + 1, {2, rows_[i].line}, rows_[i].contact, details_[rows_[i].details].view()});
            if (rows.size() < at_once && i + 1 < rows_.size()) continue;
            if (auto r = to.add(rows); !r) return r;
            rows.clear();
        }
        return to.finish();
    }

 private:
    std::vector<core::task_details> details_;
    std::vector<input_row> rows_;
};

std::string hex_id(std::uint64_t number) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out(24, '0');
    for (std::size_t i = out.size(); number > 0; number /= 16)
        out[--i] = digits[number % 16];
    return out;
}

input random_input(std::uint64_t seed, std::size_t details, std::size_t rows, std::uint64_t contacts) {
    std::mt19937_64 random(seed);
    input out(details);
    for (std::size_t i = 0; i < rows; ++i) {
        // Squaring makes some groups large and many small.
        const auto share = std::uniform_real_distribution<>(0, 1)(random);
        const auto which = static_cast<std::size_t>(share * share * static_cast<double>(details));
        const auto contact = random() % contacts;
        out.add(which, contact % 10 == 0 ? "c" + std::to_string(contact) : hex_id(contact));
    }
    return out;
}

grouper_stats run(const input& from, recording_sink& sink, std::uint32_t chunk_size, std::uint64_t memory) {
    grouper g({chunk_size, memory, ""}, sink);
    const auto done = from.feed(g);
    EXPECT_TRUE(done) << (done ? "" : done.error().text);
    return g.stats();
}

// The same by the simplest means.
void expect_like_model(const input& from, const recording_sink& sink, const grouper_stats& stats,
                       std::uint32_t chunk_size) {
    std::map<std::size_t, core::group_number> numbers;
    std::vector<std::vector<core::row_number>> members;
    std::map<std::pair<std::size_t, std::string>, core::row_number> first;
    std::vector<std::pair<core::row_number, core::row_number>> duplicates;
    for (std::size_t i = 0; i < from.rows().size(); ++i) {
        const auto& row = from.rows()[i];
        const auto [number, fresh] =
            numbers.try_emplace(row.details, static_cast<core::group_number>(numbers.size() + 1));
        if (fresh) {
            members.emplace_back();
            ASSERT_EQ(sink.groups.at(number->second - 1), from.details(row.details));
        }
        const auto [seen, is_new] = first.try_emplace({row.details, row.contact}, i + 1);
        if (is_new)
            members[number->second - 1].push_back(i + 1);
        else
            duplicates.emplace_back(i + 1, seen->second);
    }
    ASSERT_EQ(sink.groups.size(), members.size());
    ASSERT_EQ(sink.duplicates.size(), duplicates.size());
    for (std::size_t i = 0; i < duplicates.size(); ++i) {
        const auto& found = sink.duplicates[i];
        ASSERT_EQ(std::pair(found.number, found.of_row), duplicates[i]);
        ASSERT_EQ(found.contact_id, from.rows()[found.number - 1].contact);
        ASSERT_EQ(found.at, (core::source_position{2, found.number * 3}));
    }
    const auto chunks = sink.by_place();
    std::size_t expected_chunks = 0;
    for (std::size_t g = 0; g < members.size(); ++g) {
        for (std::size_t begin = 0; begin < members[g].size(); begin += chunk_size) {
            const auto end = std::min(members[g].size(), begin + chunk_size);
            const auto place =
                std::pair(static_cast<core::group_number>(g + 1), static_cast<std::uint32_t>(begin / chunk_size));
            ASSERT_TRUE(chunks.contains(place));
            const auto& contacts = chunks.at(place).contacts;
            const std::vector<core::row_number> rows(members[g].begin() + static_cast<std::ptrdiff_t>(begin),
                                                     members[g].begin() + static_cast<std::ptrdiff_t>(end));
            ASSERT_EQ(contacts.rows, rows);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                ASSERT_EQ(contacts.contact_ids[i], from.rows()[rows[i] - 1].contact);
                ASSERT_EQ(contacts.lines[i], rows[i] * 3);
            }
            ++expected_chunks;
        }
    }
    EXPECT_EQ(chunks.size(), expected_chunks);
    EXPECT_EQ(stats.chunks, expected_chunks);
    EXPECT_EQ(stats.groups, members.size());
    EXPECT_EQ(stats.duplicates, duplicates.size());
    EXPECT_EQ(stats.rows + stats.duplicates, from.rows().size());
}

TEST(Grouper, FullChunksComeAtOnceAndTailsAtTheEnd) {
    recording_sink sink;
    grouper g({2, 1 << 20, ""}, sink);
    input rows(2);
    for (int i = 0; i < 3; ++i)
        rows.add(0, hex_id(static_cast<std::uint64_t>(i)));
    rows.add(1, hex_id(0));
    const auto& all = rows.rows();
    for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_TRUE(g.add({i + 1, {0, i + 1}, all[i].contact, rows.details(all[i].details).view()}));
        EXPECT_EQ(sink.chunks.size(), i >= 1 ? 1u : 0u);
    }
    ASSERT_TRUE(g.finish());
    ASSERT_EQ(sink.chunks.size(), 3u);
    EXPECT_THAT(sink.chunks[0].contacts.rows, ElementsAre(1, 2));
    EXPECT_THAT(sink.chunks[1].contacts.rows, ElementsAre(3));
    EXPECT_EQ(sink.chunks[1].part, 1u);
    EXPECT_THAT(sink.chunks[2].contacts.rows, ElementsAre(4));
    EXPECT_EQ(sink.chunks[2].group, 2u);
}

TEST(Grouper, NothingInNothingOut) {
    recording_sink sink;
    EXPECT_EQ(run(input(1), sink, 10, 1 << 20).chunks, 0u);
    EXPECT_THAT(sink.groups, IsEmpty());
}

TEST(Grouper, SameContactInAnotherGroupIsNoDuplicate) {
    input rows(2);
    rows.add(0, hex_id(1));
    rows.add(1, hex_id(1));
    rows.add(0, hex_id(1));
    recording_sink sink;
    run(rows, sink, 10, 1 << 20);
    ASSERT_EQ(sink.duplicates.size(), 1u);
    EXPECT_EQ(sink.duplicates[0].number, 3u);
    EXPECT_EQ(sink.duplicates[0].of_row, 1u);
    EXPECT_EQ(sink.duplicates[0].of_job, 0);
}

TEST(Grouper, DuplicatesAreFoundAcrossChunksThatAreGoneAlready) {
    input rows(1);
    for (std::uint64_t i = 0; i < 10; ++i)
        rows.add(0, hex_id(i));
    rows.add(0, hex_id(0));
    recording_sink sink;
    run(rows, sink, 2, 1 << 20);
    ASSERT_EQ(sink.duplicates.size(), 1u);
    EXPECT_EQ(sink.duplicates[0].of_row, 1u);
}

TEST(Grouper, NumberOfChunksIsTheSumOfTheGroupsRoundedUp) {
    for (const std::uint32_t chunk_size : {1u, 3u, 100u}) {
        input rows(3);
        for (std::uint64_t i = 0; i < 300; ++i)
            rows.add(i % 100 == 0 ? 1 : i % 2 == 0 ? 0 : 2, hex_id(i));
        recording_sink sink;
        const auto stats = run(rows, sink, chunk_size, 1 << 20);
        const auto up = [&](std::uint64_t n) { return (n + chunk_size - 1) / chunk_size; };
        EXPECT_EQ(stats.chunks, up(147) + up(3) + up(150));
    }
}

TEST(Grouper, AgreesWithTheModelWithAndWithoutSpilling) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const auto rows = random_input(seed, 4000, 30000, 9000);
        for (const std::uint64_t memory : {std::uint64_t{1}, std::uint64_t{600'000}, std::uint64_t{64} << 20}) {
            recording_sink sink;
            const auto stats = run(rows, sink, 9, memory);
            expect_like_model(rows, sink, stats, 9);
            EXPECT_EQ(stats.spilled_rows > 0, memory < 1'000'000) << memory;
        }
    }
}

// Rows may be added one by one or many at once, in spans of any length.
TEST(Grouper, AgreesWithTheModelHoweverManyRowsComeAtOnce) {
    const auto rows = random_input(4, 5000, 30000, 3000);
    for (const std::size_t at_once : {2u, 31u, 32u, 33u, 64u, 65u, 1000u, 40000u}) {
        recording_sink sink;
        grouper g({9, 600'000, ""}, sink);
        g.expect(30000);
        ASSERT_TRUE(rows.feed(g, at_once));
        expect_like_model(rows, sink, g.stats(), 9);
    }
}

TEST(Grouper, ChunksAreTheSameWhateverTheMemory) {
    const auto rows = random_input(7, 5000, 50000, 1000000);
    recording_sink small, large;
    run(rows, small, 50, 1);
    run(rows, large, 50, 64 << 20);
    const auto a = small.by_place(), b = large.by_place();
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [place, chunk] : a) {
        ASSERT_EQ(chunk.contacts.rows, b.at(place).contacts.rows);
        ASSERT_EQ(chunk.contacts.contact_ids, b.at(place).contacts.contact_ids);
    }
}

TEST(Grouper, SameInputGivesTheSameChunksInTheSameOrder) {
    const auto rows = random_input(11, 3000, 40000, 1000000);
    recording_sink first, second;
    run(rows, first, 20, 400'000);
    run(rows, second, 20, 400'000);
    ASSERT_EQ(first.chunks.size(), second.chunks.size());
    for (std::size_t i = 0; i < first.chunks.size(); ++i) {
        ASSERT_EQ(first.chunks[i].contacts.rows, second.chunks[i].contacts.rows);
    }
}

TEST(Grouper, FailureOfTheSinkStopsIt) {
    input rows(1);
    rows.add(0, hex_id(1));
    recording_sink sink;
    sink.trouble = core::failure{core::errc::ledger_full, "no room"};
    grouper g({10, 1 << 20, ""}, sink);
    const auto done = rows.feed(g);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, core::errc::ledger_full);
}

TEST(Grouper, SpillFolderThatCannotBeUsedIsNamed) {
    const auto rows = random_input(5, 20000, 60000, 1000000);
    recording_sink sink;
    grouper g({100, 1, "/nonexistent"}, sink);
    const auto done = rows.feed(g);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, core::errc::io);
}

TEST(Grouper, TheLastRowsThatItCanCountAndLinesPastThatAreKept) {
    input rows(1);
    recording_sink sink;
    for (const std::uint64_t memory : {std::uint64_t{1}, std::uint64_t{1} << 20}) {
        grouper g({10, memory, ""}, sink);
        constexpr auto last = (std::uint64_t{1} << 32) - 1;
        ASSERT_TRUE(g.add({last - 1, {0, last * 5}, "x", rows.details(0).view()}));
        ASSERT_TRUE(g.add({last, {0, last * 6}, "y", rows.details(0).view()}));
        ASSERT_TRUE(g.finish());
        ASSERT_EQ(sink.chunks.size(), 1u);
        EXPECT_THAT(sink.chunks[0].contacts.rows, ElementsAre(last - 1, last));
        EXPECT_THAT(sink.chunks[0].contacts.lines, ElementsAre(last * 5, last * 6));
        EXPECT_THAT(sink.chunks[0].contacts.contact_ids, ElementsAre("x", "y"));
        sink = {};
    }
}

TEST(Grouper, MoreRecordsThanItCanCountAreRefused) {
    input rows(1);
    recording_sink sink;
    grouper g({10, 1 << 20, ""}, sink);
    const auto done = g.add({std::uint64_t{1} << 32, {0, 1}, "x", rows.details(0).view()});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, core::errc::input);
}

TEST(Grouper, RowsOfDifferentGroupsAreDuplicatesWhereTheFieldsThatCountAreEqual) {
    input rows(2);  // they differ in their due dates and notes
    rows.add(0, hex_id(1));
    rows.add(1, hex_id(1));
    rows.add(1, hex_id(2));
    grouper_options options;
    options.same_by = core::task_fields::none().with(core::task_field::type);
    recording_sink sink;
    grouper by_type(options, sink);
    ASSERT_TRUE(rows.feed(by_type));
    ASSERT_EQ(sink.duplicates.size(), 1u);
    EXPECT_EQ(sink.duplicates[0].number, 2u);
    EXPECT_EQ(sink.duplicates[0].of_row, 1u);
    EXPECT_EQ(sink.duplicates[0].group, 2u);
    EXPECT_EQ(by_type.stats().rows, 2u);
}

}  // namespace
}  // namespace taskbarge::grouper
