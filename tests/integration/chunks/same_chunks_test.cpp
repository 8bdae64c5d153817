// From files to chunks: reader and grouper together.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "taskbarge/grouper/grouper.hpp"
#include "unit/reader/same_rows.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge {
namespace {

using namespace reader::testing;

// All that a request is made of, and which rows it stands for; lines differ between the forms of a file.
struct chunk {
    core::task_details details;
    core::id_list contact_ids;
    std::vector<core::row_number> rows;
    friend bool operator==(const chunk&, const chunk&) = default;
};

class chunk_list final : public grouper::chunk_sink {
 public:
    core::result<void> on_group(core::group_number number, const core::task_view& details) override {
        groups_.emplace(number, core::task_details(details));
        return {};
    }
    core::result<void> on_chunk(core::planned_chunk&& c) override {
        chunks[{c.group, c.part}] = {
            groups_.at(c.group), std::move(c.contacts.contact_ids), {c.contacts.rows.begin(), c.contacts.rows.end()}};
        return {};
    }
    core::result<void> on_duplicate(const core::duplicate_row& row) override {
        duplicates.emplace_back(row.number, row.of_row);
        return {};
    }

    std::map<std::tuple<core::group_number, std::uint32_t>, chunk> chunks;
    std::vector<std::pair<core::row_number, core::row_number>> duplicates;

 private:
    std::map<core::group_number, core::task_details> groups_;
};

chunk_list chunks_of(const written_form& form) {
    chunk_list out;
    const temporary_folder folder;
    auto source = reader::row_source::open({folder.write(form.name, form.bytes)}, {});
    EXPECT_TRUE(source) << form.name << ": " << source.error().text;
    if (!source) return out;
    grouper::grouper grouper({20, 64 << 20, {}}, out);
    reader::row_batch batch;
    for (auto more = source->next(batch); more && *more; more = source->next(batch))
        for (const core::row& row : batch.rows)
            EXPECT_TRUE(grouper.add(row));
    EXPECT_TRUE(grouper.finish());
    return out;
}

TEST(SameChunks, EveryFormOfTheSameRowsGivesThem) {
    auto rows = samples(2000);
    const auto duplicates = samples(100);
    rows.insert(rows.end(), duplicates.begin(), duplicates.end());
    const auto forms = every_form_of(rows);
    const auto expected = chunks_of(forms.front());
    ASSERT_GT(expected.chunks.size(), 50u);
    ASSERT_GT(expected.duplicates.size(), 90u);
    for (const auto& form : forms) {
        const auto found = chunks_of(form);
        EXPECT_EQ(found.chunks, expected.chunks) << form.name;
        EXPECT_EQ(found.duplicates, expected.duplicates) << form.name;
    }
}

}  // namespace
}  // namespace taskbarge
