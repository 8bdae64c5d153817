// The sample files through reader and grouper, against what sample_data/generate.py's own model says they yield.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge {
namespace {

const std::string folder = std::string(TASKBARGE_SOURCE_DIR) + "/sample_data/";

struct yield {
    std::uint64_t rows = 0, created = 0, duplicate = 0, groups = 0, minimum_requests = 0;
    std::map<std::string, std::uint64_t> rejected_by_code;
    friend bool operator==(const yield&, const yield&) = default;
    friend std::ostream& operator<<(std::ostream& out, const yield& y) {
        out << "rows " << y.rows << ", created " << y.created << ", duplicate " << y.duplicate << ", groups "
            << y.groups << ", minimum_requests " << y.minimum_requests << ", rejected";
        for (const auto& [code, count] : y.rejected_by_code)
            out << ' ' << code << ' ' << count;
        return out;
    }
};

std::map<std::string, yield> expected_yields() {
    std::ifstream in(folder + "expected.json");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    simdjson::dom::parser parser;
    const simdjson::dom::object document = parser.parse(text);
    std::map<std::string, yield> all;
    for (const auto& [name, value] : document) {
        const auto number = [&value = value](const char* key) { return std::uint64_t(value[key]); };
        auto& y = all[std::string(name)];
        y = {number("rows"), number("created"), number("duplicate"), number("groups"), number("minimum_requests"), {}};
        for (const auto& [code, count] : value["rejected_by_code"].get_object())
            y.rejected_by_code[std::string(code)] = std::uint64_t(count);
    }
    return all;
}

// Counts what the grouper gives out.
class counting_sink : public grouper::chunk_sink {
 public:
    explicit counting_sink(yield& y) : yield_(y) {}
    core::result<void> on_group(core::group_number, const core::task_view&) override {
        ++yield_.groups;
        return {};
    }
    core::result<void> on_chunk(core::planned_chunk&& chunk) override {
        ++yield_.minimum_requests;
        yield_.created += chunk.contacts.size();
        return {};
    }
    core::result<void> on_duplicate(const core::duplicate_row&) override {
        ++yield_.duplicate;
        return {};
    }

 private:
    yield& yield_;
};

yield yield_of(const std::string& name) {
    yield y;
    counting_sink sink(y);
    grouper::grouper groups({}, sink);
    auto source = reader::row_source::open({folder + name}, {}).value();
    reader::row_batch batch;
    while (source.next(batch).value()) {
        y.rows += batch.rows.size() + batch.rejects.size();
        for (const auto& reject : batch.rejects)
            ++y.rejected_by_code[reject.code];
        for (const auto& row : batch.rows)
            groups.add(row).value();
    }
    groups.finish().value();
    return y;
}

TEST(SampleData, ReaderAndGrouperYieldWhatTheModelSays) {
    const auto expected = expected_yields();
    EXPECT_GT(expected.size(), 30u);
    for (const auto& [name, y] : expected)
        EXPECT_EQ(yield_of(name), y) << name;
}

TEST(SampleData, CsvAndJsonLinesGiveTheSameCounts) {
    auto csv = yield_of("contacts.csv"), jsonl = yield_of("contacts.jsonl");
    // how a record is broken differs between the formats; how many are does not
    csv.rejected_by_code.clear();
    jsonl.rejected_by_code.clear();
    EXPECT_EQ(csv, jsonl);
}

}  // namespace
}  // namespace taskbarge
