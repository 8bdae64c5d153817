// Settings as an operator meets them: refused at the start wherever they are used, checked without a network, shown
// with their sources; and secrets that were written down for a shell.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/against_sandbox.hpp"
#include "cli/program.hpp"
#include "support/case_names.hpp"

namespace {

using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using taskbarge::test::program;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct bad_setting {
    std::string file;     // the settings
    std::string place;    // line and column in it
    std::string setting;  // its name
    std::string remedy;   // what the message holds besides
};

const bad_setting settings_that_fail_every_file[] = {
    {"[defaults]\ntype = \"Calls\"\n", "2:1", "defaults.type", "the nearest is call"},
    {"[defaults]\npriority = \"hihg\"\n", "2:1", "defaults.priority", "the nearest is high"},
    {"[defaults]\nstatus = \"schedule\"\n", "2:1", "defaults.status", "the nearest is scheduled"},
    {"[defaults]\nuser_id = \"jane\"\n", "2:1", "defaults.user_id", "24 hexadecimal"},
    {"[defaults]\nowner_email = \"jane\"\n", "2:1", "defaults.owner_email", "no e-mail address"},
    {"[defaults]\ndue_at = \"tomorrow\"\n", "2:1", "defaults.due_at", "no date"},
    {"[defaults]\ndue_at = \"+3d\"\n", "2:1", "defaults.due_at", "dates.timezone"},
    {"[defaults]\nnote = \"too long\"\n[import]\nnote_limit = 3\n", "2:1", "defaults.note", "8 characters"},
    {"[dates]\ntimezone = \"America/New_Yrok\"\n", "2:1", "dates.timezone", "America/New_York"},
    {"[dates]\nformats = [\"%m/%d\"]\n", "2:1", "dates.formats", "%m/%d"},
    {"[import]\ndedupe = \"ledgr\"\n", "2:1", "import.dedupe", "the nearest is \"ledger\""},
    {"[import]\nformat = \"cvs\"\n", "2:1", "import.format", "the nearest is \"csv\""},
    {"[send]\nproxy = \"http://\"\n", "2:1", "send.proxy", "http://"},
    {"[notify]\nping_url = \"https://h/x#y\"\n", "2:1", "notify.ping_url", "https"},
};

class BadSettings : public testing::TestWithParam<bad_setting> {};

TEST_P(BadSettings, AreRefusedByEveryCommandAtItsStartWithTheirSource) {
    program p;
    p.environment["APOLLO_API_KEY"] = "a-key-for-tests";
    const auto settings = p.file("s.toml", GetParam().file);
    const auto input = p.file("a.csv", "contact_id\n66302798d03b9601c7934e01\n");
    for (const std::vector<std::string>& command : {std::vector<std::string>{"config", "check"},
                                                    {"config", "show"},
                                                    {"doctor"},
                                                    {"plan", input},
                                                    {"import", input},
                                                    {"resume"},
                                                    {"resume", "1"},
                                                    {"retry", "1"},
                                                    {"jobs"},
                                                    {"status", "1"},
                                                    {"results", "1"},
                                                    {"serve", "--listen", "127.0.0.1:0", "--inbox", p.path("inbox")}}) {
        auto words = command;
        words.insert(words.end(), {"--config", settings});
        const auto o = p.run(words);
        EXPECT_EQ(o.code, 78) << command.front() << ": " << o.out << o.err;
        EXPECT_THAT(o.err, AllOf(HasSubstr(settings + ":" + GetParam().place + ": " + GetParam().setting),
                                 HasSubstr(GetParam().remedy)))
            << command.front();
        EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    }
}
INSTANTIATE_TEST_SUITE_P(Config, BadSettings, testing::ValuesIn(settings_that_fail_every_file),
                         [](const auto& one) { return taskbarge::test::case_name(one.param.file); });

TEST(Config, CheckNamesEveryProblemAtOnceWithItsSource) {
    program p;
    p.environment["TASKBARGE_DEFAULTS_TYPE"] = "Calls";
    const auto settings =
        p.file("s.toml", "[import]\nchunk_sise = 3\nmemory = \"lots\"\n[dates]\ntimezone = \"Mars\"\n");
    const auto o = p.run({"config", "check", "--config", settings, "--set", "send.connections=0"});
    EXPECT_EQ(o.code, 78);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, AllOf(HasSubstr(settings + ":2:1: unknown setting import.chunk_sise"),
                             HasSubstr(settings + ":3:1: import.memory"), HasSubstr(settings + ":5:1: dates.timezone"),
                             HasSubstr("environment variable TASKBARGE_DEFAULTS_TYPE: defaults.type: \"Calls\""),
                             HasSubstr("--set send.connections: send.connections")));
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 5) << o.err;
    EXPECT_THAT(p.run({"config", "check", "--json", "--config", settings}).out,
                AllOf(HasSubstr("\"exit_code\":78"), HasSubstr("chunk_sise"), HasSubstr("Mars")));
}

TEST(Config, CheckNeedsNeitherKeyNorNetworkNorTheFilesThatAreNamed) {
    program p;
    const auto settings = p.file("s.toml",
                                 "[apollo]\napi_key_file = \"/nowhere/key\"\nca_file = \"/nowhere/ca.pem\"\n"
                                 "[serve]\ntoken_file = \"/nowhere/token\"\n");
    const auto o = p.run({"config", "check", "--config", settings});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_EQ(o.err, "");
    EXPECT_THAT(o.out, HasSubstr(settings));
}

TEST(Config, ShowGivesTheValueInForceAndItsSource) {
    program p;
    p.environment["TASKBARGE_SEND_CONNECTIONS"] = "3";
    p.environment["TASKBARGE_IMPORT_CHUNK_SIZE"] = "7";
    p.environment["APOLLO_API_KEY"] = "a-key-for-tests";
    const auto settings = p.file(
        "s.toml",
        "[send]\nconnections = 5\nproxy = \"http://annabella:hunter2@proxy.example:3128\"\n[import]\nchunk_size = 50\n"
        "[notify]\nurl = \"https://hooks.example.com/services/T0/s3cret\"\n"
        "ping_url = \"https://hc.example/uuid-of-a-check\"\n[columns]\nnote = \"Say \\\"hi\\\"\"\n");
    const auto o = p.run({"config", "show", "--config", settings, "--set", "import.chunk_size=9"});
    ASSERT_EQ(o.code, 0) << o.err;
    const auto line = [&](const std::string& key) {
        const auto at = o.out.find("\n" + key + " = ");
        if (at == std::string::npos) return "(no " + key + ")";
        return o.out.substr(at + 1, o.out.find('\n', at + 1) - at - 1);
    };
    EXPECT_THAT(line("connections"), AllOf(HasSubstr("= 3 "), HasSubstr("# environment variable TASKBARGE_SEND_CON")));
    EXPECT_THAT(line("chunk_size"), AllOf(HasSubstr("= 9 "), HasSubstr("# --set import.chunk_size")));
    EXPECT_THAT(line("note"), AllOf(HasSubstr("= \"Say \\\"hi\\\"\""), HasSubstr("# " + settings + ":10:1")));
    EXPECT_THAT(line("max_wait"), AllOf(HasSubstr("= \"65m\""), HasSubstr("# default")));
    EXPECT_THAT(line("proxy"), HasSubstr("\"http://...@proxy.example:3128\""));
    EXPECT_THAT(line("url"), HasSubstr("\"https://hooks.example.com/...\""));
    EXPECT_THAT(line("ping_url"), HasSubstr("\"https://hc.example/...\""));
    for (const char* secret : {"hunter2", "annabella", "s3cret", "uuid-of", "a-key-for-tests"})
        EXPECT_THAT(o.out + o.err, Not(HasSubstr(secret)));
    const auto json = p.run({"config", "show", "--json", "--config", settings});
    EXPECT_THAT(json.out, HasSubstr(R"({"name":"send.max_wait","value":"\"65m\"","origin":"default"})"));
}

TEST(Config, WhatShowPrintsIsASettingsFileThatMeansTheSame) {
    program p;
    const auto settings = p.file("s.toml",
                                 "[dates]\nformats = [\"%m/%d/%Y\"]\ntimezone = \"UTC\"\n[limits]\nhour = 300\n"
                                 "reserve = \"12.5%\"\n[import]\nmax_rejects = 17\nmemory = 3000000\n"
                                 "[notify]\nevents = []\n");
    const auto without_sources = [](const std::string& text) {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            const auto line = text.substr(at, end - at);
            out += line.substr(0, line.find("  # ")) + "\n";
            at = end + 1;
        }
        return out;
    };
    const auto first = p.run({"config", "show", "--config", settings});
    ASSERT_EQ(first.code, 0) << first.err;
    const auto again = p.run({"config", "show", "--config", p.file("shown.toml", first.out)});
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(without_sources(first.out), without_sources(again.out));
}

// Docker's --env-file passes quotes on, and people copy whole lines into a key file.
TEST(Secrets, WrittenDownForAShellAreSaidToBeSoBeforeApolloIsAsked) {
    program p;
    const auto input = p.file("a.csv", "contact_id\n66302798d03b9601c7934e01\n");
    const auto run = [&] { return p.run({"import", "--base-url", "https://127.0.0.1:1/api/v1", input}); };
    const std::pair<const char*, const char*> written[] = {
        {"\"s3cret-s3cret-s3cret\"", "quotes"},          {"'s3cret-s3cret-s3cret'", "quotes"},
        {"APOLLO_API_KEY=s3cret-s3cret-s3cret", "name"}, {"export APOLLO_API_KEY=s3cret-s3cret", "export"},
        {"API_KEY=\"s3cret-s3cret\"", "name"},           {"Bearer s3cret-s3cret-s3cret", "Bearer"}};
    for (const auto& [text, what] : written) {
        p.environment["APOLLO_API_KEY"] = text;
        auto o = run();
        EXPECT_EQ(o.code, 77) << text;
        EXPECT_THAT(o.err, AllOf(HasSubstr("APOLLO_API_KEY"), HasSubstr(what), Not(HasSubstr("s3cret")))) << text;
        p.environment.erase("APOLLO_API_KEY");
        const auto file = p.file("key", std::string(text) + "\n");
        p.environment["TASKBARGE_APOLLO_API_KEY_FILE"] = file;
        o = run();
        EXPECT_EQ(o.code, 77) << text;
        EXPECT_THAT(o.err, AllOf(HasSubstr(file), HasSubstr(what), Not(HasSubstr("s3cret")))) << text;
    }
    // A key may end with the padding of base64.
    p.environment["APOLLO_API_KEY"] = "c2VjcmV0LXNlY3JldA==";
    EXPECT_EQ(
        p.run({"import", "--base-url", "https://127.0.0.1:1/api/v1", "--set", "send.max_attempts=1", "--max-wait", "0s",
               "--set", "defaults.type=call", "--set", "defaults.status=scheduled", "--set",
               "defaults.due_at=2036-12-01T10:00:00Z", "--set", "defaults.user_id=66302798d03b9601c7934ebf", input})
            .code,
        69);
}

class Doctor : public against_sandbox {};

TEST_F(Doctor, FindsAnOwnerThatNobodyIs) {
    auto o = run({"doctor", "--set", "defaults.owner_email=Dana.Reyes@example.com"});
    EXPECT_EQ(o.code, 0) << o.out << o.err;
    EXPECT_THAT(o.out, HasSubstr("is a user's"));
    o = run({"doctor", "--set", "defaults.owner_email=dana.reyez@example.com"});
    EXPECT_EQ(o.code, 78) << o.out;
    EXPECT_THAT(o.out, AllOf(HasSubstr("defaults.owner_email"), HasSubstr("the nearest is dana.reyes@example.com"),
                             HasSubstr("An import would fail.")));
    EXPECT_EQ(server_->stats().tasks, 0u);
}

TEST_F(Doctor, LooksAtDiskInboxTokenAndWebhookOfAService) {
    auto o = run({"doctor"});
    EXPECT_THAT(o.out, AllOf(HasSubstr("free for the ledger"), Not(HasSubstr("inbox")), Not(HasSubstr("webhook"))));
    const auto inbox = "serve.inbox=" + p.path("inbox");
    o = run({"doctor", "--set", inbox});
    EXPECT_EQ(o.code, 0) << o.out << o.err;
    EXPECT_THAT(o.out, AllOf(HasSubstr("the service makes it"), HasSubstr("The service would work.")));
    p.file("file", "not a folder");
    o = run({"doctor", "--set", "serve.inbox=" + p.path("file")});
    EXPECT_EQ(o.code, 78) << o.out;
    EXPECT_THAT(o.out, AllOf(HasSubstr("An import would work."), HasSubstr("The service would fail.")));
    p.environment["TASKBARGE_TOKEN"] = "short";
    o = run({"doctor", "--set", inbox});
    EXPECT_EQ(o.code, 78) << o.out;
    EXPECT_THAT(o.out, HasSubstr("at least 16 characters"));
    p.environment.erase("TASKBARGE_TOKEN");
    o = run({"doctor", "--set", inbox, "--set", "serve.token_file=" + p.path("nowhere")});
    EXPECT_EQ(o.code, 78) << o.out;
    EXPECT_THAT(o.out, HasSubstr("serve.token_file"));
    o = run({"doctor", "--set", "notify.url=https://127.0.0.1:1/x", "--set", "notify.ca_file=" + p.path("no.pem")});
    EXPECT_EQ(o.code, 78) << o.out;
    EXPECT_THAT(o.out, HasSubstr("notify.ca_file"));
}

}  // namespace
