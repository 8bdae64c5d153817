#include "reader/json_document.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <new>

namespace taskbarge::reader {
namespace {

std::string code_of(std::string_view line) {
    json_document document;
    const simdjson::padded_string padded(line);
    file_report list;
    list.name = "list.jsonl";
    const auto wrong = document.parse(std::string_view(padded.data(), padded.size()), list);
    return wrong ? wrong->code : "good";
}

TEST(JsonDocument, ObjectsAreGood) {
    EXPECT_EQ(code_of("{}"), "good");
    EXPECT_EQ(code_of(R"( {"a":[1,{"b":null}]} )"), "good");
    EXPECT_EQ(code_of(R"({"a":"\ud83d\ude00"})"), "good");
}

TEST(JsonDocument, WhatIsNoObjectIsNamed) {
    EXPECT_EQ(code_of("[1]"), "not_an_object");
    EXPECT_EQ(code_of("\"text\""), "not_an_object");
    EXPECT_EQ(code_of("null"), "not_an_object");
    EXPECT_EQ(code_of("12"), "not_an_object");
}

TEST(JsonDocument, BrokenJsonIsAFault) {
    for (const char* line : {"{", "{\"a\":1,}", "{\"a\":1}{\"b\":2}", "{'a':1}", "{\"a\":01}", "{\"a\":\"\\ud800\"}",
                             "{\"a\":\"\\udc00\"}", "{\"a\":\"x\ty\"}", "nothing", "{\"a\":1e999}", "{\"a\":tru}"})
        EXPECT_EQ(code_of(line), "invalid_json") << line;
}

TEST(JsonDocument, DeepNestingIsAFaultNotACrash) {
    EXPECT_EQ(code_of("{\"a\":" + std::string(100'000, '[')), "invalid_json");
}

TEST(JsonDocument, NulAndForeignBytesHaveTheirOwnCodes) {
    using namespace std::string_view_literals;
    EXPECT_EQ(code_of("{\"a\":1}\0"sv), "nul_byte");
    EXPECT_EQ(code_of("{\"a\":\"x\0y\"}"sv), "nul_byte");
    EXPECT_EQ(code_of("{\"a\":\"M\xFCller\"}"), "invalid_utf8");
}

TEST(JsonDocument, IntegersPast64BitsAreStillJson) {
    EXPECT_EQ(code_of(R"({"a":123456789012345678901234567890,"b":[-99999999999999999999],"c":"12345678901234567890"})"),
              "good");
    EXPECT_EQ(code_of(R"({"a":0123456789012345678901234567890})"), "invalid_json");
    EXPECT_EQ(code_of(R"({"a":12345678901234567890123x})"), "invalid_json");
}

// A row that is rejected is left out for ever; where memory is short it must be read again.
TEST(JsonDocument, ALineForWhichThereIsNoMemoryIsNoBadLine) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer ends the program where memory is short";
#endif
    constexpr int ended_by_bad_alloc = 7;
    const auto read_in_little_memory = [] {
        std::string line = R"({"a":")" + std::string(8U << 20U, 'x') + R"("})";
        line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
        json_document document;
        const rlimit none{1, 1};
        ::setrlimit(RLIMIT_AS, &none);
        try {
            (void)document.parse(line, file_report{});
        } catch (const std::bad_alloc&) {
            ::_exit(ended_by_bad_alloc);
        }
        ::_exit(0);
    };
    EXPECT_EXIT(read_in_little_memory(), ::testing::ExitedWithCode(ended_by_bad_alloc), "");
}

TEST(JsonDocument, ArrayTextIsFoundByItsKey) {
    EXPECT_EQ(array_text(R"({"contact_ids":["a"],"b":1})", 0), R"(["a"])");
    EXPECT_EQ(array_text(R"({"x":{"y":[1,2]},"s":"],[\"","ids" : [ "a", ["b"] ] ,"z":[3]})", 2), R"([ "a", ["b"] ])");
}

}  // namespace
}  // namespace taskbarge::reader
