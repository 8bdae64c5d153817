// The command line as far as no Apollo is needed: help, usage, settings, keys, input files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "cli/program.hpp"

namespace {

using taskbarge::test::outcome;
using taskbarge::test::program;
using testing::HasSubstr;

constexpr const char* good_input =
    "contact_id,user_id,type,priority,status,due_at\n"
    "66302798d03b9601c7934e01,66302798d03b9601c7934ebf,call,high,scheduled,2036-12-01T10:00:00Z\n";

void expect_one_line(const std::string& text) {
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

// The value of a key of the one JSON object on standard output, as JSON.
std::string json_value(const outcome& o, const char* key) {
    simdjson::dom::parser parser;
    simdjson::dom::element value;
    if (parser.parse(o.out)[key].get(value) != simdjson::SUCCESS)
        return "(no " + std::string(key) + " in: " + o.out + ")";
    return simdjson::minify(value);
}

TEST(CommandLine, HelpAndVersionGoToStandardOutput) {
    program p;
    for (const char* command : {"import", "plan", "jobs", "status", "results", "resume", "retry", "verify", "cancel",
                                "doctor", "ledger", "sandbox"}) {
        const auto o = p.run({command, "--help"});
        EXPECT_EQ(o.code, 0) << command;
        EXPECT_THAT(o.out, HasSubstr("Example")) << command;
        EXPECT_EQ(o.err, "") << command;
    }
    EXPECT_EQ(p.run({"--help"}).code, 0);
    EXPECT_THAT(p.run({"--version"}).out, testing::StartsWith("taskbarge "));
}

TEST(CommandLine, MistakesGiveSixtyFourAndOneLine) {
    program p;
    for (const auto& arguments :
         {std::vector<std::string>{"import"}, {"import", "--nonsense", "x"}, {"results", "one"}, {"nonsense"}}) {
        const auto o = p.run(arguments);
        EXPECT_EQ(o.code, 64);
        EXPECT_EQ(o.out, "");
        expect_one_line(o.err);
    }
}

TEST(CommandLine, WhoNamesNoCommandIsShownThem) {
    program p;
    const auto o = p.run({});
    EXPECT_EQ(o.code, 64);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, HasSubstr("\n  import    Read files"));
    EXPECT_EQ(p.run({"help"}).out, p.run({"--help"}).out);
    EXPECT_EQ(p.run({"help", "import"}).out, p.run({"import", "--help"}).out);
    EXPECT_EQ(p.run({"version"}).out, p.run({"--version"}).out);
}

TEST(CommandLine, AMisspeltNameIsToldTheNearest) {
    program p;
    EXPECT_EQ(p.run({"imprt", "a.csv"}).err,
              "taskbarge: there is no command \"imprt\"; the nearest is import; see taskbarge --help\n");
    EXPECT_EQ(p.run({"import", "--dryrun", "a.csv"}).err,
              "taskbarge import: there is no option --dryrun; the nearest is --dry-run; see taskbarge import --help\n");
    EXPECT_EQ(p.run({"status", "abc"}).err,
              "taskbarge status: \"abc\" is no job number: a whole number from 1; see taskbarge status --help\n");
}

TEST(CommandLine, ALedgerThatIsNotThereCanBeNeitherCheckedNorAcceptedNorTrusted) {
    program p;
    for (const char* action : {"check", "accept", "trust"}) {
        const auto o = p.run({"ledger", action, "--ledger", p.path("none.db")});
        EXPECT_EQ(o.code, 78) << action;
        EXPECT_THAT(o.out + o.err, HasSubstr("there is no ledger")) << action;
        EXPECT_FALSE(std::filesystem::exists(p.path("none.db"))) << action;
        EXPECT_FALSE(std::filesystem::exists(p.path("none.db.lock"))) << action;
    }
}

TEST(CommandLine, WhatTheSandboxPrintsCanBeSourced) {
    program p, sandbox;
    const auto child = sandbox.start({"sandbox", "--env", "--listen", "127.0.0.1:0", "--state", sandbox.path("state")});
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (sandbox.read("stdout").find("\n\n") == std::string::npos && std::chrono::steady_clock::now() < end)
        ::poll(nullptr, 0, 5);
    const auto lines = sandbox.read("stdout");
    std::istringstream in(lines);
    const std::string exported = "export ";
    for (std::string line; std::getline(in, line) && !line.empty();) {
        ASSERT_THAT(line, testing::StartsWith(exported));
        const auto equals = line.find('=');
        p.environment[line.substr(exported.size(), equals - exported.size())] = line.substr(equals + 1);
    }
    EXPECT_EQ(p.environment.count("TASKBARGE_APOLLO_CA_FILE"), 1u) << lines;
    EXPECT_THAT(p.run({"doctor"}).out, testing::EndsWith("An import would work.\n"));
    ::kill(child, SIGTERM);
    EXPECT_EQ(sandbox.finish(child).code, 0);
}

TEST(CommandLine, AnUnknownSettingGivesSeventyEightAndTheNearestName) {
    program p;
    const auto config = p.file("c.toml", "[import]\nchunk_sise = 10\n");
    const auto o = p.run({"import", "--config", config, p.file("a.csv", good_input)});
    EXPECT_EQ(o.code, 78);
    EXPECT_THAT(o.err, HasSubstr(config + ":2:1: unknown setting import.chunk_sise; the nearest is import.chunk_size"));
    expect_one_line(o.err);
}

TEST(CommandLine, TheSettingsFileOfTheWorkingDirectoryIsFound) {
    program p;
    p.file("taskbarge.toml", "[import]\nchunk_size = 0\n");
    const auto o = p.run({"jobs"});
    EXPECT_EQ(o.code, 78);
    EXPECT_THAT(o.err, HasSubstr("taskbarge.toml:2:1: import.chunk_size must be"));
}

TEST(CommandLine, AMissingKeyGivesSeventySeven) {
    program p;
    const auto o = p.run({"import", p.file("a.csv", good_input)});
    EXPECT_EQ(o.code, 77);
    EXPECT_THAT(o.err, HasSubstr("APOLLO_API_KEY"));
    EXPECT_THAT(o.err, HasSubstr("apollo.api_key_file"));
    expect_one_line(o.err);
}

TEST(CommandLine, AKeyFileThatOthersCanReadIsAWarning) {
    program p;
    const auto key = p.file("key", "s3cret\n");
    ::chmod(key.c_str(), 0644);
    const auto o = p.run({"plan", "--set", "apollo.api_key_file=" + key, "--base-url", "http://127.0.0.1:1/api/v1",
                          p.file("a.csv", good_input)});
    EXPECT_THAT(o.err, HasSubstr("chmod 600"));
    EXPECT_THAT(o.err + o.out, testing::Not(HasSubstr("s3cret")));
}

TEST(CommandLine, AMissingFileGivesSixtyFive) {
    program p;
    p.environment["APOLLO_API_KEY"] = "k";
    for (const char* command : {"import", "plan"}) {
        const auto o = p.run({command, "missing.csv"});
        EXPECT_EQ(o.code, 65);
        EXPECT_EQ(o.out, "");
        EXPECT_THAT(o.err, HasSubstr("missing.csv"));
    }
}

TEST(CommandLine, PlanNeedsNoKey) {
    program p;
    auto o = p.run({"plan", p.file("a.csv", good_input)});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_THAT(o.out, HasSubstr("rows 1 = created 0 + duplicate 0 + rejected 0 + failed 0 + unknown 0 + pending 1"));
    o = p.run({"import", "--dry-run", "--json", "-"}, good_input);
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(json_value(o, "state"), "\"planned\"");
    EXPECT_EQ(json_value(o, "minimum_requests"), "1");
    o = p.run({"plan", "--json", p.file("b.csv", std::string(good_input) + "x,y,z,a,b,c\n")});
    EXPECT_EQ(o.code, 2);
    EXPECT_EQ(json_value(o, "rejected"), "1");
}

TEST(CommandLine, JsonIsThereAtEveryExitButSixtyFour) {
    program p;
    auto o = p.run({"import", "--json", "--set", "no.such=1", "a.csv"});
    EXPECT_EQ(o.code, 78);
    EXPECT_EQ(json_value(o, "state"), "\"failed\"");
    EXPECT_EQ(json_value(o, "job"), "null");
    EXPECT_EQ(json_value(o, "exit_code"), "78");
    o = p.run({"import", "--json", "a.csv"});
    EXPECT_EQ(o.code, 77);
    EXPECT_EQ(json_value(o, "rows"), "0");
    EXPECT_THAT(json_value(o, "ledger"), HasSubstr("ledger.db"));
    p.environment["APOLLO_API_KEY"] = "k";
    o = p.run({"import", "--json", "missing.csv"});
    EXPECT_EQ(o.code, 65);
    EXPECT_EQ(json_value(o, "pending"), "0");
    o = p.run({"resume", "--json"});
    EXPECT_EQ(o.code, 0);
    EXPECT_EQ(json_value(o, "jobs"), "[]");
    EXPECT_EQ(p.run({"import", "--json"}).out, "");
}

TEST(CommandLine, ALedgerThatIsNotThereHasNoJobsAndIsNotMade) {
    program p;
    const auto ledger = p.path("l.db");
    auto o = p.run({"jobs", "--ledger", ledger});
    EXPECT_EQ(o.code, 0);
    EXPECT_EQ(o.out, "There are no jobs yet.\n");
    for (const char* command : {"status", "results"}) {
        o = p.run({command, "1", "--ledger", ledger});
        EXPECT_EQ(o.code, 64);
        EXPECT_THAT(o.err, HasSubstr("does not exist"));
    }
    EXPECT_FALSE(std::filesystem::exists(ledger));
}

TEST(CommandLine, ALedgerThatIsNoneGivesSeventyEight) {
    program p;
    const auto o = p.run({"jobs", "--json", "--ledger", p.file("l.db", "this is not a ledger, but long enough")});
    EXPECT_EQ(o.code, 78);
    EXPECT_EQ(json_value(o, "state"), "\"failed\"");
}

TEST(CommandLine, AnUnknownVariableIsAWarning) {
    program p;
    p.environment["TASKBARGE_SEND_MAXWAIT"] = "5s";
    const auto o = p.run({"jobs"});
    EXPECT_EQ(o.code, 0);
    EXPECT_THAT(o.err, HasSubstr("TASKBARGE_SEND_MAX_WAIT"));
    expect_one_line(o.err);
}

}  // namespace
