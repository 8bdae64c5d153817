#include "cli/options.hpp"

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
    testing::Values(words{}, words{"improt", "a.csv"}, words{"import"}, words{"plan"},
                    words{"import", "--nonsense", "a.csv"}, words{"import", "a.csv", "--first", "0"},
                    words{"import", "a.csv", "--first", "x"}, words{"import", "a.csv", "--format", "xlsx"},
                    words{"import", "a.csv", "--max-wait", "5"}, words{"import", "a.csv", "--set", "nonsense"},
                    words{"import", "a.csv", "--set", "nonsense=1"}, words{"import", "a.csv", "--set"}, words{"status"},
                    words{"status", "x"}, words{"status", "0"}, words{"status", "-1"}, words{"status", "1", "2"},
                    words{"results"}, words{"results", "1", "--only", "lost"}, words{"results", "1", "--format", "x"},
                    words{"resume", "1", "--resend-unknown"}, words{"jobs", "1"}, words{"sandbox", "--limits", "1,2"},
                    words{"sandbox", "--latency", "5"}, words{"prune"}, words{"prune", "--older-than", "90"},
                    words{"prune", "--older-than", "23h"}, words{"--json"}));

TEST(Options, TellThatAStateIsUnknown) {
    EXPECT_THAT(ended({"results", "1", "--only", "lost"}).err, HasSubstr("duplicate"));
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

TEST(Help, LinesFitATerminal) {
    for (const auto& name : cli::command_names()) {
        std::istringstream lines(ended({name, "--help"}).out);
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(line.size(), 120u) << line;
    }
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
    EXPECT_THAT(help.out, HasSubstr("Stop imports and the service first"));
    EXPECT_THAT(ended({"ledger", "--help"}).out, HasSubstr("taskbarge ledger trust"));
    EXPECT_EQ(ended({"ledger"}).code, 64);
    const auto wrong = ended({"ledger", "accept", "--nonsense"});
    EXPECT_EQ(wrong.code, 64);
    EXPECT_THAT(wrong.err, testing::StartsWith("taskbarge ledger accept: "));
}

}  // namespace
