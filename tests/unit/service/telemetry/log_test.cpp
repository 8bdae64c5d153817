#include "service/telemetry/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <simdjson.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

namespace taskbarge::service {
namespace {

using core::log_form;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

// What `f` writes to standard error, line by line.
template <class F>
std::vector<std::string> lines_of(F f) {
    std::FILE* const file = std::tmpfile();
    if (file == nullptr) throw std::runtime_error("no temporary file");
    std::fflush(stderr);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(::fileno(file), STDERR_FILENO);
    f();
    std::fflush(stderr);
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    std::string text;
    std::rewind(file);
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
        text += static_cast<char>(c);
    std::fclose(file);
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string text_in(const simdjson::dom::object& object, std::string_view key) {
    return std::string(std::string_view(object[key]));
}

std::size_t members_of(const std::string& line) {
    simdjson::dom::parser parser;
    return simdjson::dom::object(parser.parse(line)).size();
}

constexpr const char* time_pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";

TEST(Log, PlainLineIsReadByPeople) {
    const auto lines = lines_of([] {
        log l({});
        l.info("job_completed", {{"job", std::uint64_t{12}}, {"file", "a b.csv"}, {"place", "done"}, {"empty", ""}},
               "all 100 rows created");
        l.warn("retry", {{"delta", std::int64_t{-3}}});
    });
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_THAT(lines[0], MatchesRegex(std::string(time_pattern) +
                                       " info  job_completed job=12 file=\"a b.csv\" place=done empty=\"\" "
                                       "\"all 100 rows created\""));
    EXPECT_THAT(lines[1], MatchesRegex(std::string(time_pattern) + " warning retry delta=-3"));
}

TEST(Log, JsonLineIsOneObject) {
    const auto lines = lines_of([] {
        log l({log_form::json, log_level::info});
        l.error("job_failed", {{"job", std::uint64_t{12}}, {"file", "a \"b\".csv"}}, "why");
        l.info("bare", {});
    });
    ASSERT_THAT(lines, SizeIs(2));
    simdjson::dom::parser parser;
    const simdjson::dom::object object = parser.parse(lines[0]);
    EXPECT_THAT(text_in(object, "time"), MatchesRegex(time_pattern));
    EXPECT_EQ(text_in(object, "level"), "error");
    EXPECT_EQ(text_in(object, "event"), "job_failed");
    EXPECT_EQ(std::int64_t(object["job"]), 12);
    EXPECT_EQ(text_in(object, "file"), "a \"b\".csv");
    EXPECT_EQ(text_in(object, "message"), "why");
    EXPECT_EQ(members_of(lines[1]), 3u);
}

TEST(Log, NothingFromOutsideBreaksALineOrForgesAField) {
    std::string hostile = "x\n2026-01-01T00:00:00.000Z error forged\r\x1b[2J\x7F job=13 \"end\\";
    hostile += '\0';
    hostile += "\xFF\xC2\x85";
    for (const auto form : {log_form::plain, log_form::json}) {
        const auto lines = lines_of([&] {
            log l({form, log_level::info});
            l.info("e", {{"file", hostile}}, hostile);
        });
        ASSERT_THAT(lines, SizeIs(1));
        for (const char c : lines[0])
            EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << lines[0];
        EXPECT_THAT(lines[0], Not(HasSubstr("\xC2\x85")));
        EXPECT_THAT(lines[0], Not(HasSubstr("\xFF")));
        if (form == log_form::json) {
            EXPECT_EQ(members_of(lines[0]), 5u);
        } else {
            EXPECT_THAT(lines[0], HasSubstr(" file=\"x 2026-01-01T00:00:00.000Z error forged"));
            EXPECT_THAT(lines[0], HasSubstr(" job=13 \\\"end\\\\"));
        }
    }
}

TEST(Log, AValueLikeAFieldIsQuoted) {
    const auto lines = lines_of([] { log({}).info("e", {{"file", "a=b"}, {"other", "c"}}); });
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_THAT(lines[0], HasSubstr(" e file=\"a=b\" other=c"));
}

TEST(Log, AnEndlessValueIsCut) {
    const auto lines = lines_of([] { log({}).info("e", {{"file", std::string(100'000, 'x')}}); });
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_LT(lines[0].size(), 5000U);
}

TEST(Log, LinesOfLessWeightAreNotWritten) {
    const auto lines = lines_of([] {
        log l({log_form::plain, log_level::warning});
        l.write(log_level::debug, "no", {});
        l.info("no", {});
        l.warn("one", {});
        l.error("two", {});
        l.configure({log_form::json, log_level::debug});
        l.write(log_level::debug, "three", {});
    });
    ASSERT_THAT(lines, SizeIs(3));
    EXPECT_THAT(lines[0], HasSubstr("warning one"));
    EXPECT_THAT(lines[1], HasSubstr("error two"));
    EXPECT_THAT(lines[2], HasSubstr("\"level\":\"debug\",\"event\":\"three\"}"));
}

TEST(Log, LinesOfManyThreadsStayWholeWhileTheFormChanges) {
    constexpr int threads = 4, each = 250;
    const auto lines = lines_of([] {
        log l({log_form::json, log_level::info});
        std::atomic<int> running{threads};
        std::vector<std::thread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back([&, t] {
                for (int i = 0; i < each; ++i)
                    l.info("e", {{"id", "t" + std::to_string(t) + "i" + std::to_string(i)}}, std::string(200, 'm'));
                --running;
            });
        for (bool json = false; running > 0; json = !json)
            l.configure({json ? log_form::json : log_form::plain, log_level::info});
        for (auto& t : all)
            t.join();
    });
    EXPECT_THAT(lines, SizeIs(threads * each));
    std::set<std::string> ids;
    const std::string message(200, 'm');
    for (const auto& line : lines) {
        if (line.front() == '{') {
            simdjson::dom::parser parser;
            const simdjson::dom::object object = parser.parse(line);
            ids.insert(text_in(object, "id"));
            EXPECT_EQ(text_in(object, "message"), message);
        } else {
            ASSERT_THAT(line, MatchesRegex(std::string(time_pattern) + " info  e id=[ti0-9]+ \"m{200}\""));
            ids.insert(line.substr(line.find("id=") + 3, line.rfind(" \"") - line.find("id=") - 3));
        }
    }
    EXPECT_THAT(ids, SizeIs(threads * each)) << "every line once";
}

}  // namespace
}  // namespace taskbarge::service
