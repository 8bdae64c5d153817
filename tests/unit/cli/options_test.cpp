#include "cli/options.hpp"
#include "support/case_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace {

namespace cli = taskbarge::cli;
namespace core = taskbarge::core;
using namespace std::chrono_literals;
using cli::command;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using words = std::vector<std::string>;

cli::options parsed(const words& arguments) {
    auto result = cli::parse_options(arguments);
    const auto* end = std::get_if<cli::early_end>(&result);
    EXPECT_EQ(end, nullptr) << (end ? end->err + end->out : "");
    return end ? cli::options{} : std::get<cli::options>(result);
}

cli::early_end ended(const words& arguments) {
    auto result = cli::parse_options(arguments);
    const auto* end = std::get_if<cli::early_end>(&result);
    EXPECT_NE(end, nullptr);
    return end ? *end : cli::early_end{};
}

TEST(Options, ImportTakesFilesAndSettings) {
    const auto o = parsed({"import",
                           "--config",
                           "c.toml",
                           "--ledger",
                           "l.db",
                           "--base-url",
                           "https://h",
                           "--ca-file",
                           "ca.pem",
                           "--format",
                           "csv",
                           "--set",
                           "send.max_attempts=3",
                           "--set",
                           "apollo.team=x=y",
                           "--max-wait",
                           "5m",
                           "--json",
                           "--quiet",
                           "--again",
                           "--first",
                           "10",
                           "a.csv",
                           "-"});
    EXPECT_EQ(o.command, command::import);
    EXPECT_EQ(o.config, "c.toml");
    EXPECT_THAT(o.named,
                testing::UnorderedElementsAre(Pair("ledger.path", "l.db"), Pair("apollo.base_url", "https://h"),
                                              Pair("apollo.ca_file", "ca.pem"), Pair("import.format", "csv"),
                                              Pair("send.max_wait", "5m")));
    EXPECT_THAT(o.sets, ElementsAre("send.max_attempts=3", "apollo.team=x=y"));
    EXPECT_THAT(o.files, ElementsAre("a.csv", "-"));
    EXPECT_TRUE(o.json && o.quiet && o.again);
    EXPECT_EQ(o.first_rows, 10u);
}

TEST(Options, MayStandAfterTheFilesAndWithAnEqualsSign) {
    const auto o = parsed({"import", "a.csv", "--set=a.b=c", "b.csv", "--json"});
    EXPECT_THAT(o.files, ElementsAre("a.csv", "b.csv"));
    EXPECT_THAT(o.sets, ElementsAre("a.b=c"));
}

TEST(Options, ASettingOptionTakesNoFileForItsValue) {
    const auto o = parsed({"import", "--set", "a.b=c", "a.csv"});
    EXPECT_THAT(o.files, ElementsAre("a.csv"));
    EXPECT_THAT(parsed({"plan", "--", "-odd.csv"}).files, ElementsAre("-odd.csv"));
}

TEST(Options, DryRunIsPlan) {
    EXPECT_EQ(parsed({"import", "--dry-run", "a.csv"}).command, command::plan);
    EXPECT_EQ(parsed({"plan", "a.csv"}).command, command::plan);
}

TEST(Options, JobCommandsTakeAJob) {
    for (const auto& [word, c] : {std::pair("status", command::status), std::pair("results", command::results),
                                  std::pair("resume", command::resume), std::pair("retry", command::retry),
                                  std::pair("verify", command::verify), std::pair("cancel", command::cancel)}) {
        const auto o = parsed({word, "7"});
        EXPECT_EQ(o.command, c);
        EXPECT_EQ(o.job, 7);
    }
    EXPECT_EQ(parsed({"resume"}).job, std::nullopt);
    EXPECT_EQ(parsed({"jobs", "--json"}).command, command::jobs);
    EXPECT_TRUE(parsed({"retry", "7", "--resend-unknown"}).resend_unknown);
    EXPECT_TRUE(parsed({"status", "7", "--attempts"}).attempts);
}

TEST(Options, ResultsHaveTheirOwnFormat) {
    const auto o = parsed({"results", "7", "--format", "jsonl", "--only", "failed,unknown", "-o", "out.jsonl"});
    EXPECT_EQ(o.results.format, taskbarge::report::results_format::jsonl);
    EXPECT_THAT(o.results.only, ElementsAre(core::row_state::failed, core::row_state::unknown));
    EXPECT_EQ(o.results.output, "out.jsonl");
    EXPECT_TRUE(o.named.empty());
    EXPECT_EQ(parsed({"results", "7"}).results.format, taskbarge::report::results_format::csv);
    EXPECT_TRUE(parsed({"results", "7", "--rejects"}).results.rejects);
}

TEST(Options, JobsAreChosenByState) {
    EXPECT_THAT(parsed({"jobs", "--state", "parked,failed"}).states,
                ElementsAre(cli::job_word::parked, cli::job_word::failed));
    EXPECT_TRUE(parsed({"jobs"}).states.empty());
    EXPECT_TRUE(parsed({"status", "7", "--watch"}).watch);
    EXPECT_THAT(ended({"jobs", "--state", "waiting"}).err, HasSubstr("\"waiting\" is no state of a job; there are"));
}

TEST(Options, SandboxHasAnOptionForEverything) {
    const auto s = parsed({"sandbox", "--listen", "127.0.0.1:8443", "--limits", "5,10,20", "--window-lengths",
                           "2s,10s,1m", "--latency", "10ms", "--bad-contact", "a", "--bad-contact", "b", "--fault",
                           "500@2", "--no-tls", "--seed", "9", "--quiet"})
                       .sandbox;
    EXPECT_EQ(s.listen, "127.0.0.1:8443");
    EXPECT_THAT(s.limits, ElementsAre(5u, 10u, 20u));
    EXPECT_THAT(s.lengths, ElementsAre(2s, 10s, 60s));
    EXPECT_EQ(s.latency, 10ms);
    EXPECT_THAT(s.bad_contacts, ElementsAre("a", "b"));
    EXPECT_THAT(s.faults, ElementsAre("500@2"));
    EXPECT_FALSE(s.tls);
    EXPECT_TRUE(s.gzip);
    EXPECT_EQ(s.seed, 9u);
    EXPECT_TRUE(s.quiet);
    EXPECT_TRUE(parsed({"sandbox"}).sandbox.tls);
}

class UsageError : public testing::TestWithParam<words> {};

TEST_P(UsageError, GivesSixtyFourAndOneLine) {
    const auto end = ended(GetParam());
    EXPECT_EQ(end.code, 64);
    EXPECT_EQ(end.out, "");
    EXPECT_THAT(end.err, testing::StartsWith("taskbarge"));
    EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
    EXPECT_THAT(end.err, HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UsageError,
    testing::Values(words{"improt", "a.csv"}, words{"import"}, words{"plan"}, words{"import", "--nonsense", "a.csv"},
                    words{"import", "a.csv", "--first", "0"}, words{"import", "a.csv", "--first", "x"},
                    words{"import", "a.csv", "--format", "xlsx"}, words{"import", "a.csv", "--max-wait", "5"},
                    words{"import", "a.csv", "--set", "nonsense"}, words{"import", "a.csv", "--set", "nonsense=1"},
                    words{"import", "a.csv", "--set"}, words{"status"}, words{"status", "x"}, words{"status", "0"},
                    words{"status", "-1"}, words{"status", "1", "2"}, words{"results"},
                    words{"results", "1", "--only", "lost"}, words{"results", "1", "--format", "x"},
                    words{"resume", "1", "--resend-unknown"}, words{"jobs", "1"}, words{"sandbox", "--limits", "1,2"},
                    words{"sandbox", "--latency", "5"}, words{"prune"}, words{"prune", "--older-than", "90"},
                    words{"prune", "--older-than", "23h"}, words{"--json"},
                    words{"results", "1", "--rejects", "--only", "failed"},
                    words{"results", "1", "--rejects", "--format", "csv"}, words{"status", "1", "--watch", "--json"},
                    words{"status", "1", "--attempts", "--json"}, words{"jobs", "--state", "lost"}),
    taskbarge::test::by_value());

TEST(Options, TellThatAStateIsUnknown) {
    EXPECT_THAT(ended({"results", "1", "--only", "lost"}).err, HasSubstr("duplicate"));
}

// What was typed, and what is said of it.
class Misspelt : public testing::TestWithParam<std::pair<words, std::string>> {};

TEST_P(Misspelt, IsToldInOurWordsWithTheNearestName) {
    const auto end = ended(GetParam().first);
    EXPECT_EQ(end.code, 64);
    EXPECT_THAT(end.err, HasSubstr(": " + GetParam().second + "; see taskbarge"));
    for (const char* inside :
         {"POSITIVE", "Check ", "FAILED", "convert", "required KEY", "not in range", "UINT", "Subcommand"})
        EXPECT_THAT(end.err, testing::Not(HasSubstr(inside)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Misspelt,
    testing::Values(
        std::pair(words{"imprt", "a.csv"}, "there is no command \"imprt\"; the nearest is import"),
        std::pair(words{"IMPORT", "a.csv"}, "there is no command \"IMPORT\"; the nearest is import"),
        std::pair(words{"imprt", "--help"}, "there is no command \"imprt\"; the nearest is import"),
        std::pair(words{"help", "imprt"}, "there is no command \"imprt\"; the nearest is import"),
        std::pair(words{"ledger", "chek"}, "there is no command \"chek\"; the nearest is check"),
        std::pair(words{"config", "shwo"}, "there is no command \"shwo\"; the nearest is show"),
        std::pair(words{"nonsense"}, "there is no command \"nonsense\""),
        std::pair(words{"import", "--dryrun", "a.csv"}, "there is no option --dryrun; the nearest is --dry-run"),
        std::pair(words{"import", "--dryrun"}, "there is no option --dryrun; the nearest is --dry-run"),
        std::pair(words{"jobs", "--qiet"}, "there is no option --qiet; the nearest is --quiet"),
        std::pair(words{"serve", "--listn=x"}, "there is no option --listn; the nearest is --listen"),
        std::pair(words{"import", "--nonsense", "a.csv"}, "there is no option --nonsense"),
        std::pair(words{"--json"}, "--json must stand behind a command"),
        std::pair(words{"--ledger", "l.db", "jobs"}, "--ledger must stand behind the command: taskbarge jobs --ledger"),
        std::pair(words{"status", "abc"}, "\"abc\" is no job number: a whole number from 1"),
        std::pair(words{"status", "0"}, "\"0\" is no job number: a whole number from 1"),
        std::pair(words{"status", "99999999999999999999"},
                  "\"99999999999999999999\" is no job number: a whole number from 1"),
        std::pair(words{"import", "--first", "x", "a"}, "\"x\" is no number of rows: a whole number from 1"),
        std::pair(words{"import", "--format", "xml", "a"}, "--format: \"xml\" is no format; csv or jsonl"),
        std::pair(words{"results", "1", "--format", "xml"}, "--format: \"xml\" is no format; csv or jsonl"),
        std::pair(words{"import", "--set"}, "--set needs a value"),
        std::pair(words{"import", "--config", "a", "--config", "b", "c"}, "--config is given more than once"),
        std::pair(words{"import", "--json=maybe", "a"}, "--json takes no value"),
        std::pair(words{"sandbox", "--seed", "x"}, "--seed: \"x\" is no number"),
        std::pair(words{"sandbox", "--limits", "1,2,x"}, "--limits: cannot read \"x\""),
        std::pair(words{"jobs", "1", "2"}, "unexpected: 1 2"), std::pair(words{"status"}, "JOB is required")),
    [](const auto& one) { return taskbarge::test::case_name(one.param.first); });

TEST(Options, WithoutACommandListThem) {
    const auto end = ended({});
    EXPECT_EQ(end.code, 64);
    EXPECT_EQ(end.out, "");
    for (const auto& name : cli::command_names())
        EXPECT_THAT(end.err, HasSubstr("\n  " + name + "  "));
    EXPECT_THAT(end.err, HasSubstr("Send a job's failed rows again"));
    const auto group = ended({"ledger"});
    EXPECT_EQ(group.code, 64);
    EXPECT_THAT(group.err, HasSubstr("\n  accept    Go on with a ledger that is older"));
}

TEST(Help, IsACommandToo) {
    EXPECT_EQ(ended({"help"}).out, ended({"--help"}).out);
    EXPECT_EQ(ended({"help", "import"}).out, ended({"import", "--help"}).out);
    EXPECT_EQ(ended({"help", "ledger", "check"}).out, ended({"ledger", "check", "--help"}).out);
    EXPECT_EQ(ended({"version"}).out, ended({"--version"}).out);
    EXPECT_EQ(ended({"version"}).code, 0);
}

TEST(Help, OfEveryCommandTeaches) {
    const auto names = cli::command_names();
    EXPECT_THAT(names, testing::IsSupersetOf({"import", "plan", "jobs", "status", "results", "resume", "retry",
                                              "verify", "cancel", "prune", "doctor", "sandbox"}));
    for (const auto& name : names) {
        const auto end = ended({name, "--help"});
        EXPECT_EQ(end.code, 0);
        EXPECT_EQ(end.err, "");
        EXPECT_THAT(end.out, HasSubstr("taskbarge " + name)) << name;
        EXPECT_THAT(end.out, HasSubstr("Example")) << name;
    }
}

TEST(Help, OfTheProgramListsCommandsExitCodesAndWhereSettingsComeFrom) {
    const auto end = ended({"--help"});
    EXPECT_EQ(end.code, 0);
    for (const auto& name : cli::command_names())
        EXPECT_THAT(end.out, HasSubstr(name));
    for (const char* code : {"64", "65", "69", "70", "75", "77", "78"})
        EXPECT_THAT(end.out, HasSubstr(code));
    EXPECT_THAT(end.out, HasSubstr("APOLLO_API_KEY"));
    EXPECT_THAT(end.out, HasSubstr("TASKBARGE_SECTION_KEY"));
}

std::vector<words> every_help() {
    std::vector<words> all{{"--help"}};
    for (const auto& name : cli::command_names())
        all.push_back({name, "--help"});
    for (const char* name : {"check", "accept", "trust"})
        all.push_back({"ledger", name, "--help"});
    for (const char* name : {"check", "show"})
        all.push_back({"config", name, "--help"});
    return all;
}

TEST(Help, LinesFitATerminal) {
    for (const auto& command : every_help()) {
        std::istringstream lines(ended(command).out);
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(line.size(), 80u) << line;
    }
}

TEST(Help, ShowsNothingOfTheLibrarysInsides) {
    for (const auto& command : every_help())
        for (const char* inside :
             {"REQUIRED", "POSITIVE", "UINT", "{", "Positionals", "SUBCOMMAND", "4611686018427387904"})
            EXPECT_THAT(ended(command).out, testing::Not(HasSubstr(inside))) << command.front();
    const auto page = ended({"import", "--help"}).out;
    EXPECT_THAT(page, HasSubstr("\nUsage: taskbarge import [OPTIONS] FILE...\n"));
    EXPECT_THAT(page, HasSubstr("\n  --first N                 Only the first N rows"));
    EXPECT_THAT(page, HasSubstr("\n  -q, --quiet               No progress"));
    EXPECT_THAT(page, HasSubstr("\n  --format csv|jsonl        csv or"));
    EXPECT_THAT(ended({"prune", "--help"}).out, HasSubstr("at\n                            least 1d\n"));
}

TEST(Version, IsOneLine) {
    const auto end = ended({"--version"});
    EXPECT_EQ(end.code, 0);
    EXPECT_THAT(end.out, testing::MatchesRegex("taskbarge [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Options, LedgerHasCommandsOfItsOwn) {
    EXPECT_EQ(parsed({"ledger", "check", "--json"}).command, command::ledger_check);
    const auto o = parsed({"ledger", "accept", "--ledger", "l.db", "-q"});
    EXPECT_EQ(o.command, command::ledger_accept);
    EXPECT_TRUE(o.quiet);
    EXPECT_THAT(o.named, ElementsAre(Pair("ledger.path", "l.db")));
    EXPECT_EQ(parsed({"ledger", "trust"}).command, command::ledger_trust);
    const auto help = ended({"ledger", "accept", "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr("taskbarge ledger accept"));
    EXPECT_THAT(help.out, HasSubstr("Stop imports and"));
    EXPECT_THAT(ended({"ledger", "--help"}).out, HasSubstr("taskbarge ledger trust"));
    EXPECT_EQ(ended({"ledger"}).code, 64);
    const auto wrong = ended({"ledger", "accept", "--nonsense"});
    EXPECT_EQ(wrong.code, 64);
    EXPECT_THAT(wrong.err, testing::StartsWith("taskbarge ledger accept: "));
}

}  // namespace
