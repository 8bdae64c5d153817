// Damaged input of every kind: no crash, no hang, every record accounted for. What read_all() checks on the way (each
// number once) is half of these tests.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "support/case_names.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;

source_options options(std::string_view format) {
    source_options o;
    o.import.format = format;
    o.import.record_limit = 600;
    o.block_size = 256;
    o.batch_rows = 3;
    o.defaults.due_at = "2025-02-15T10:00:00Z";
    return o;
}

std::string csv_sample() {
    return "\xEF\xBB\xBF" + std::string(header) + record(1) + "\r\n" + record(2, "\"a \"\"b\"\"\r\nc, d\"") + "\n\n" +
           record(3, "M\xC3\xBCller") + "\r" + record(4, "5\" x 6\"") + "\n" + record(5, "\"last\"");
}

std::string json_sample() {
    return json_record(1) + "\n" + json_record(2, "\\ud83d\\ude00 \\\"x\\\"\\n") + "\r\n\n" + R"({"contact_ids":[")" +
           contact(3) + R"(",")" + contact(4) + R"("],"user_id":")" + std::string(owner_id) +
           R"(","type":"call","status":"scheduled","priority":null,"x":{"y":[1,2.5,true]}})" + "\n" + json_record(5);
}

std::string name_of(std::string_view bytes, std::string_view format) {
    return std::string(format) + " of " + std::to_string(bytes.size()) + " bytes";
}

// Whatever the sizes of blocks and batches, the records are the same.
void expect_the_same_again(const std::string& bytes, std::string_view format, const reading_outcome& out) {
    const memory_file file(bytes);
    source_options whole = options(format);
    whole.block_size = 1 << 20;
    whole.batch_rows = 4096;
    const auto again = read_all({file.path()}, whole);
    ASSERT_FALSE(again.failure) << name_of(bytes, format) << ": " << again.failure->text;
    EXPECT_EQ(again.summary(), out.summary()) << name_of(bytes, format);
    EXPECT_EQ(again.digest, out.digest);
}

enum class read { once, twice };
void expect_accounted(const std::string& bytes, std::string_view format, read times) {
    const memory_file file(bytes);
    const auto out = read_all({file.path()}, options(format));
    if (out.failure) {
        EXPECT_EQ(out.failure->code, core::errc::input) << name_of(bytes, format);
        return;
    }
    EXPECT_EQ(out.bytes, bytes.size()) << name_of(bytes, format);
    const bool compressed = !out.files.empty() && out.files[0].format.find('+') != std::string::npos;
    if (compressed) return;
    std::size_t line_ends = 1;
    for (const char c : bytes)
        line_ends += c == '\n' || c == '\r';
    std::map<core::row_number, std::uint64_t> lines;
    for (const core::rejected_row& r : out.rejects)
        lines[r.number] = r.at.line;
    for (const owned_row& r : out.rows)
        lines[r.number] = r.at.line;
    std::uint64_t last = 1;
    for (const auto& [number, line] : lines) {
        EXPECT_GE(line, last) << name_of(bytes, format) << ", record " << number;
        EXPECT_LE(line, line_ends) << name_of(bytes, format) << ", record " << number;
        last = line;
    }
    if (times == read::twice) expect_the_same_again(bytes, format, out);
}

// One to four random changes: a byte flipped, replaced, taken out, put in or a stretch doubled.
std::string mutated(std::string text, std::mt19937& random) {
    constexpr std::string_view telling = "\",\n\r\\{}[]:;|\t \0\xFF\xC3";
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) {
        const std::size_t at = below(text.size());
        const char c = below(2) == 0 ? telling[below(telling.size())] : static_cast<char>(below(256));
        switch (below(5)) {
            case 0:
                text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
                break;
            case 1:
                text[at] = c;
                break;
            case 2:
                text.erase(at, 1 + below(3));
                break;
            case 3:
                text.insert(at, 1, c);
                break;
            default:
                text.insert(below(text.size()), text.substr(at, below(40)));
                break;
        }
        if (text.empty()) text = "x";
    }
    return text;
}

struct form {
    std::string_view name;
    std::string_view format;
    std::string bytes;
};

std::vector<form> forms() {
    std::string tabs = csv_sample();
    for (char& c : tabs)
        if (c == ',') c = '\t';
    return {{"csv", "csv", csv_sample()},
            {"tsv", "csv", tabs},
            {"jsonl", "jsonl", json_sample()},
            {"csv, gzip", "csv", gzipped(csv_sample())},
            {"csv, zstd", "csv", zstandard(csv_sample())},
            {"jsonl, gzip", "jsonl", gzipped(json_sample())},
            {"jsonl, zstd", "jsonl", zstandard(json_sample())}};
}

TEST(Robustness, SamplesAreGood) {
    for (const form& f : forms()) {
        const memory_file file(f.bytes);
        EXPECT_EQ(read_all({file.path()}, options(f.format)).summary(), "row row row row row") << f.name;
    }
}

TEST(Robustness, EveryTruncationIsAccountedFor) {
    for (const form& f : forms())
        for (std::size_t n = 0; n < f.bytes.size(); ++n)
            expect_accounted(f.bytes.substr(0, n), f.format, read::twice);
}

TEST(Robustness, TruncatedCompressedFileIsAFailureNotAShortFile) {
    for (const form& f : forms()) {
        if (f.name.find(',') == std::string_view::npos) continue;
        for (std::size_t n = 4; n < f.bytes.size(); ++n) {
            const memory_file file(f.bytes.substr(0, n));
            EXPECT_TRUE(read_all({file.path()}, options(f.format)).failure) << f.name << " of " << n << " bytes";
        }
    }
}

class Mutations : public ::testing::TestWithParam<form> {};

// Under the address sanitizer each costs twenty times as much, and the fuzz targets try many more there.
#ifdef __SANITIZE_ADDRESS__
constexpr int mutations = 1'000;
#else
constexpr int mutations = 10'000;
#endif

TEST_P(Mutations, ThousandsAreAccountedFor) {
    const form& f = GetParam();
    std::mt19937 random(20250215);
    for (int i = 0; i < mutations; ++i)
        expect_accounted(mutated(f.bytes, random), f.format, i % 10 == 0 ? read::twice : read::once);
}

INSTANTIATE_TEST_SUITE_P(EachForm, Mutations, ::testing::ValuesIn(forms()),
                         [](const auto& one) { return taskbarge::test::case_name(one.param.name); });

}  // namespace
}  // namespace taskbarge::reader
