// Lines that are read without being parsed must give what the parser gives. A tab at a line's end changes nothing that
// it says, but sends it to the parser: so each file here is read twice, without and with tabs.
#include "reader/json_shape.hpp"

#include <gtest/gtest.h>

#include <random>

#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;

std::string joined(const std::vector<std::string>& lines, std::string_view line_end) {
    std::string out;
    for (const std::string& line : lines)
        out.append(line).append(line_end);
    return out;
}

void expect_same_as_parsed(const std::vector<std::string>& lines) {
    source_options options;
    options.defaults.user_id = owner_id;
    options.defaults.priority = "low";
    options.names = {"list.jsonl"};
    const auto quick = read_text("list.jsonl", joined(lines, "\n"), options);
    auto parsed = read_text("list.jsonl", joined(lines, "\t\n"), options);
    for (owned_row& row : parsed.rows)
        if (row.raw.ends_with('\t')) row.raw.pop_back();
    ASSERT_FALSE(quick.failure) << quick.failure->text;
    EXPECT_EQ(quick.rows, parsed.rows);
    ASSERT_EQ(quick.summary(), parsed.summary());
    for (std::size_t i = 0; i < quick.rejects.size(); ++i) {
        const core::rejected_row &a = quick.rejects[i], &b = parsed.rejects[i];
        EXPECT_EQ(a.contact_id, b.contact_id) << a.raw;
        EXPECT_EQ(a.column, b.column) << a.raw;
        EXPECT_EQ(a.at, b.at) << a.raw;
        if (a.code != "invalid_json") {
            EXPECT_EQ(a.message, b.message) << a.raw;
        }
    }
    ASSERT_EQ(quick.files.size(), parsed.files.size());
    EXPECT_EQ(quick.files[0].unused, parsed.files[0].unused);
}

// How many of the lines were read by the shapes of those before them.
std::size_t known_among(const std::vector<std::string>& lines,
                        const per_field<std::optional<std::size_t>>& places = {}) {
    json_shapes shapes;
    simdjson::dom::parser parser;
    json_framer framer;
    std::size_t known = 0;
    for (const std::string& text : lines) {
        const simdjson::padded_string padded(text);
        const std::string_view line(padded.data(), padded.size());
        const std::string bytes = text + std::string(scan_padding, '\0');
        const json_frame frame = framer.frame(bytes.data(), bytes.data() + text.size(), input_rest::complete);
        field_texts texts;
        if (frame.plain && shapes.read({bytes.data(), text.size()}, framer, texts)) {
            ++known;
            continue;
        }
        simdjson::dom::object object;
        if (!frame.plain || parser.parse(padded).get(object) || !shapes.worth_learning()) continue;
        if (auto shape = json_shape::of({bytes.data(), text.size()}, framer, object, places))
            shapes.learn(std::move(*shape));
    }
    return known;
}

TEST(JsonShape, LinesOfOneKindAreKnownFromTheSecondOn) {
    std::vector<std::string> lines;
    for (unsigned i = 0; i < 100; ++i)
        lines.push_back(json_record(i, i % 3 ? "hello" : "say \\\"hi\\\"\\n"));
    EXPECT_EQ(known_among(lines), 99u);
    expect_same_as_parsed(lines);
}

TEST(JsonShape, KindsMayAlternate) {
    std::vector<std::string> lines;
    for (unsigned i = 0; i < 100; ++i) {
        lines.push_back(json_record(i));
        lines.push_back(R"({ "contact_id" : ")" + contact(i) + R"(", "type" : null, "x" : [true] })");
        lines.push_back(R"({"contact_id":")" + contact(i) + R"(","due_at":null,"active":true})");
        lines.push_back(R"({"contact_id":null,"note":""})");
    }
    EXPECT_EQ(known_among(lines), 297u) << "all but the nested ones and the first of each other kind";
    expect_same_as_parsed(lines);
}

TEST(JsonShape, NumbersMayDiffer) {
    std::vector<std::string> lines;
    for (const char* number : {"1", "-1", "0", "-0", "12.5", "0.25", "123456789012", "99999.99999"})
        lines.push_back(R"({"contact_id":")" + contact(1) + R"(","score":)" + number + R"(, "n" : )" + number + " }");
    EXPECT_EQ(known_among(lines), lines.size() - 1);
    for (const char* number : {"01", "-", "", "1.", ".5", "+1", "1e5", "1.5E-3", "1e999", "-01", "0x1", "1 2", "--1",
                               "123456789012345678901234567890", "true", "null", "\"a\"", "[1]"})
        lines.push_back(R"({"contact_id":")" + contact(1) + R"(","score":)" + number + R"(, "n" : 1 })");
    EXPECT_EQ(known_among(lines), 7u) << "the others are the parser's";
    expect_same_as_parsed(lines);
}

TEST(JsonShape, IdsOfHubSpotMayBeWholeNumbers) {
    std::vector<std::string> lines;
    for (unsigned i = 0; i < 20; ++i)
        lines.push_back(R"({"hubspot_id":)" + std::to_string(i + 1) + R"(,"email":"a@x.org"})");
    per_field<std::optional<std::size_t>> places;
    places[field::hubspot_id] = 0;
    places[field::email] = 1;
    EXPECT_EQ(known_among(lines, places), 19u);
    for (const char* number : {"1.0", "-5", "0.5", "12345678901234567890"})
        lines.push_back(R"({"hubspot_id":)" + std::string(number) + R"(,"email":"a@x.org"})");
    EXPECT_EQ(known_among(lines, places), 19u) << "the others are the parser's";
    expect_same_as_parsed(lines);
    places[field::email].reset();
    places[field::note] = 0;
    places[field::hubspot_id].reset();
    EXPECT_EQ(known_among(lines, places), 0u) << "no other field may be one";
}

TEST(JsonShape, WhereEachLineIsANewKindFewAreLookedAt) {
    std::vector<std::string> lines;
    for (unsigned i = 0; i < 2000; ++i)
        lines.push_back(R"({"contact_id":")" + contact(i) + R"(","key )" + std::to_string(i) + R"(":"x"})");
    EXPECT_EQ(known_among(lines), 0u);
    json_shapes shapes;
    int learnt = 0;
    json_framer framer;
    for (const std::string& text : lines) {
        const std::string bytes = text + std::string(scan_padding, '\0');
        framer.frame(bytes.data(), bytes.data() + text.size(), input_rest::complete);
        field_texts texts;
        shapes.read({bytes.data(), text.size()}, framer, texts);
        learnt += shapes.worth_learning();
    }
    EXPECT_LT(learnt, 100);
    for (unsigned i = 0; i < 200; ++i)
        lines.push_back(json_record(i));
    EXPECT_GT(known_among(lines), 100u) << "when they become alike, that is seen";
    expect_same_as_parsed(lines);
}

TEST(JsonShape, FaultsAreThoseOfTheParser) {
    const std::string good = json_record(1);
    const std::string id = contact(2);
    expect_same_as_parsed({
        good,
        good.substr(0, good.size() - 1),
        good + "}",
        good + " ",
        good + good,
        "x" + good,
        json_record(2, "M\xFCller"),
        json_record(2, "M\xC3\xBCller"),
        json_record(2, "\\ud800"),
        json_record(2, "\\u0000"),
        json_record(2, "\\q"),
        json_record(2, "\\u00e9\\u20ac"),
        json_record(2, "x\",\"note\":\"y"),
        json_record(2, "x\\"),
        json_record(2, ""),
        R"({"contact_id":")" + id + R"(","a":"1","a":"2"})",
        R"({"contact_id":")" + id + R"(","a":"1","b":"2"})",
        R"({"contact_id":")" + id + R"(","a":"1","a":"2"})",
        R"({"contact_id":")" + id + R"(","note":"1","notes":"2"})",
        R"({"contact_id":")" + id + R"(","notes":"2"})",
        R"({"contact_id":")" + id + R"(","type":5})",
        R"({"contact_id":")" + id + R"(","type":"call"})",
        R"({"contact_id":")" + id + R"(","k\"":"call"})",
        R"({"contact_id":")" + id + R"(","k\"":"ca\\ll"})",
        R"({"contact_ids":[")" + id + R"("],"type":"call"})",
        R"({"contact_ids":")" + id + R"(","type":"call"})",
        R"({"contact_ids":null,"contact_id":")" + id + R"("})",
        R"({"contact_ids":null,"contact_id":"x"})",
        R"({"hubspot_id":12,"email":"a@x.org"})",
        R"({"hubspot_id":13,"email":"b@x.org"})",
        R"({"hubspot_id":13.0,"email":"b@x.org"})",
        R"({"hubspot_id":13.5,"email":"n/a"})",
        R"({"hubspot_id":-13,"email":"n/a"})",
        R"({"hubspot_id":013,"email":"n/a"})",
        R"({"hubspot_id":1e3,"email":"n/a"})",
        R"({"hubspot_id":12345678901234567,"email":"n/a"})",
        R"({"hubspot_id":"14","email":"n/a"})",
        R"({"hubspot_id":null,"email":"n\u002fa"})",
        R"({"hubspot_id":15,"email":"c\u0040x.org"})",
        R"({"hubspot_id":true,"email":"n/a"})",
        R"({"hubspot_id":15,"email":5})",
        R"({"hubspot_id":15,"email":""})",
    });
}

// Whatever becomes of a line, the parser says the same.
TEST(JsonShape, DamagedLinesAreReadAsTheParserReadsThem) {
    std::mt19937 random(7);
    const std::string pieces = "\"\"\"\\\\{}[]:,, nu01e-.\x7F\xC3\xBC\xE2";
    for (int round = 0; round < 40; ++round) {
        std::vector<std::string> lines;
        for (unsigned i = 0; i < 200; ++i) {
            std::string line = json_record(i, i % 4 == 0 ? R"(a \"b\"\n\u00e9)" : "hello");
            if (i % 3 == 0) line.insert(1, R"("hubspot_id":)" + std::to_string(i) + R"(,"email":"a@x.org",)");
            lines.push_back(line);
            for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
                const std::size_t at = random() % line.size();
                const char c = pieces[random() % pieces.size()];
                switch (random() % 3) {
                    case 0:
                        line[at] = c;
                        break;
                    case 1:
                        line.insert(at, 1, c);
                        break;
                    default:
                        line.erase(at, 1 + random() % 3);
                        break;
                }
            }
            lines.push_back(line);
        }
        expect_same_as_parsed(lines);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace taskbarge::reader
