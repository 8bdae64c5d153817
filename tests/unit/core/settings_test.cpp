#include "taskbarge/core/settings.hpp"
#include "support/case_names.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace core = taskbarge::core;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A folder of its own, gone at the end.
class Settings : public testing::Test {
 protected:
    Settings() {
        std::string pattern = (fs::temp_directory_path() / "taskbarge-settings-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        sources_.environment["HOME"] = "/home/ann";
    }
    ~Settings() override { fs::remove_all(folder_); }

    // Makes `text` the settings file.
    void file(const std::string& text) {
        const auto path = folder_ / "taskbarge.toml";
        std::ofstream(path) << text;
        sources_.file = path.string();
    }

    core::settings load() {
        auto loaded = core::load_settings(sources_);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().text);
        return loaded ? loaded->value : core::settings{};
    }

    std::string error() {
        const auto loaded = core::load_settings(sources_);
        EXPECT_FALSE(loaded);
        if (loaded) return "";
        EXPECT_EQ(loaded.error().code, core::errc::settings);
        EXPECT_EQ(loaded.error().text.find('\n'), std::string::npos) << loaded.error().text;
        return loaded.error().text;
    }

    fs::path folder_;
    core::settings_sources sources_;
};

TEST_F(Settings, WithoutSourcesEveryDefaultHolds) {
    auto expected = core::settings{};
    expected.ledger.path = "/home/ann/.local/state/taskbarge/ledger.db";
    file("");
    EXPECT_EQ(load(), expected);
}

TEST_F(Settings, TheDefaultsOfTheTableAreTheDefaultsOfTheStructs) {
    for (const auto& s : core::list_settings()) {
        if (!s.fallback.empty()) sources_.sets.push_back(s.name + "=" + s.fallback);
    }
    file("");
    auto expected = core::settings{};
    expected.ledger.path = "/home/ann/.local/state/taskbarge/ledger.db";
    EXPECT_EQ(load(), expected);
}

TEST_F(Settings, AFileMaySetEverything) {
    file(R"(
[apollo]
base_url = "https://localhost:8443/api/v1/"
team = "sales"
api_key_file = "/etc/taskbarge/api-key"
ca_file = "/etc/ca.pem"
[columns]
contact_id = "Apollo Contact Id"
note = "Remarks"
priority = false
[values]
type = { "Demo" = "call" }
[values.owner]
"Dana" = "dana@example.com"
"*" = ""
[defaults]
user_id = "66302798d03b9601c7934ebf"
owner_email = "ann@example.com"
type = "call"
priority = "high"
status = "scheduled"
due_at = "+3d"
note = "hello"
[dates]
timezone = "America/New_York"
time = "09:00"
formats = ["%m/%d/%Y %H:%M", "%b %d, %Y"]
[import]
chunk_size = 50
dedupe = "file"
dedupe_by = ["contact_id", "type"]
max_rejects = 200
id_pattern = "[0-9]+"
memory = "128MiB"
record_limit = "2MB"
note_limit = 4000
format = "csv"
delimiter = ";"
ignore_columns = ["Owner", "x"]
notes = "html"
[send]
connections = 4
connect_timeout = "5s"
request_timeout = "30s"
max_attempts = 3
max_wait = "2h"
settle_time = "0s"
backoff_base = "10ms"
backoff_cap = "1s"
grace_time = "5s"
when_unverifiable = "resend"
isolation_budget = "20%"
retry_budget = "75"
refused_alike = 25
answer_limit = "1GiB"
proxy = "http://proxy.example:3128"
[limits]
reserve = "12.5%"
minute = 100
hour = 300
day = 1000
window_lengths = ["2s", "5s", "1m"]
[ledger]
path = "/var/lib/taskbarge/ledger.db"
[serve]
listen = "[::1]:80"
inbox = "/srv/in"
)");
    core::settings s;
    s.apollo = {"https://localhost:8443/api/v1", "sales", "/etc/taskbarge/api-key", "/etc/ca.pem"};
    s.columns = {{"contact_id", "Apollo Contact Id"}, {"note", "Remarks"}, {"priority", ""}};
    s.values.type = {{"Demo", "call"}};
    s.values.owner = {{"Dana", "dana@example.com"}, {"*", ""}};
    s.defaults = {"66302798d03b9601c7934ebf", "ann@example.com", "call", "high", "scheduled", "+3d", "hello"};
    s.dates = {"America/New_York", "09:00", {"%m/%d/%Y %H:%M", "%b %d, %Y"}};
    s.import = {50,
                core::dedupe_scope::file,
                core::task_fields::none().with(core::task_field::type),
                {0, 200},
                "[0-9]+",
                128ull << 20,
                2'000'000,
                4000,
                "csv",
                ";",
                {"Owner", "x"},
                core::note_form::html};
    s.send = {4,
              5s,
              30s,
              3,
              2h,
              0s,
              10ms,
              1s,
              5s,
              core::unverifiable_policy::resend,
              core::share_or_count{20.0, std::nullopt},
              {0, 75},
              25,
              1ull << 30,
              "http://proxy.example:3128",
              "send.proxy"};
    s.limits = {12.5, {100, 300, 1000}, {2s, 5s, 60s}};
    s.ledger = {"/var/lib/taskbarge/ledger.db"};
    s.serve.listen = "[::1]:80";
    s.serve.inbox = "/srv/in";
    EXPECT_EQ(load(), s);
}

TEST_F(Settings, TheWordsOfSeveralSourcesAddUp) {
    file("[values.type]\n\"Demo\" = \"call\"\n\"Lunch\" = \"call\"\n");
    sources_.environment["TASKBARGE_VALUES_TYPE"] = "{\"Lunch\" = \"action_item\"}";
    sources_.sets = {"values.type.To do=action_item", "values.priority={\"Urgent\" = \"high\"}",
                     "values.type.v1.0=call"};
    EXPECT_EQ(load().values.type,
              (core::word_map{{"Demo", "call"}, {"Lunch", "action_item"}, {"To do", "action_item"}, {"v1.0", "call"}}));
    EXPECT_EQ(load().values.priority, (core::word_map{{"Urgent", "high"}}));
    sources_.sets = {"values.type.DEMO=action_item"};
    EXPECT_EQ(load().values.type, (core::word_map{{"DEMO", "action_item"}, {"Lunch", "action_item"}}))
        << "one word, however it is written";
    sources_.sets = {"values.type={\"Golf\" = \"call\", \"golf\" = \"action_item\"}"};
    EXPECT_THAT(core::load_settings(sources_).error().text, HasSubstr("says two things of \"Golf\" and \"golf\""));
    sources_.sets = {"values.typ.Demo=call"};
    EXPECT_FALSE(core::load_settings(sources_));
    sources_.sets = {"values.type=call"};
    EXPECT_THAT(core::load_settings(sources_).error().text, HasSubstr("must be a table of texts, such as {\"Demo\""));
}

TEST_F(Settings, AColumnCanBeSaidToBeNone) {
    file("[columns]\nuser_id = false\nnote = \"\"\n");
    sources_.sets = {"columns.type=", "columns.status=false"};
    EXPECT_EQ(load().columns, (core::column_settings{{"note", ""}, {"status", ""}, {"type", ""}, {"user_id", ""}}));
    file("[columns]\nuser_id = true\n");
    EXPECT_FALSE(core::load_settings(sources_));
}

TEST_F(Settings, NamedOptionsWinOverSetsOverEnvironmentOverFileOverDefault) {
    file("[apollo]\nteam = \"file\"\n");
    EXPECT_EQ(load().apollo.team, "file");
    sources_.environment["TASKBARGE_APOLLO_TEAM"] = "environment";
    EXPECT_EQ(load().apollo.team, "environment");
    sources_.sets = {"apollo.team=first", "apollo.team=last"};
    EXPECT_EQ(load().apollo.team, "last");
    sources_.named = {{"apollo.team", "named"}};
    EXPECT_EQ(load().apollo.team, "named");
}

TEST_F(Settings, EverySettingCanComeFromTheEnvironment) {
    file("");
    sources_.environment["TASKBARGE_SEND_MAX_WAIT"] = "3s";
    sources_.environment["TASKBARGE_COLUMNS_CONTACT_ID"] = "Contact";
    sources_.environment["TASKBARGE_IMPORT_CHUNK_SIZE"] = "7";
    sources_.environment["TASKBARGE_LIMITS_WINDOW_LENGTHS"] = R"(["1s", "2s", "3s"])";
    sources_.environment["TASKBARGE_DATES_FORMATS"] = "%b %d, %Y";
    const auto s = load();
    EXPECT_EQ(s.send.max_wait, 3s);
    EXPECT_EQ(s.columns.at("contact_id"), "Contact");
    EXPECT_EQ(s.import.chunk_size, 7u);
    EXPECT_EQ(s.limits.lengths[2], 3s);
    EXPECT_EQ(s.dates.formats, std::vector<std::string>{"%b %d, %Y"});
}

TEST_F(Settings, AnEmptyEnvironmentVariableIsNoSetting) {
    file("[import]\nchunk_size = 7\n");
    sources_.environment["TASKBARGE_IMPORT_CHUNK_SIZE"] = "";
    EXPECT_EQ(load().import.chunk_size, 7u);
}

TEST_F(Settings, AnUnknownVariableIsAWarningThatNamesTheNearest) {
    file("");
    sources_.environment["TASKBARGE_SEND_MAXWAIT"] = "3s";
    sources_.environment["PATH"] = "/bin";
    const auto loaded = core::load_settings(sources_);
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->warnings.size(), 1u);
    EXPECT_THAT(loaded->warnings[0], HasSubstr("TASKBARGE_SEND_MAXWAIT"));
    EXPECT_THAT(loaded->warnings[0], HasSubstr("TASKBARGE_SEND_MAX_WAIT"));
}

TEST_F(Settings, AnUnknownKeyInAFileIsAnErrorWithItsPlaceAndTheNearestName) {
    file("[apollo]\nteam = \"x\"\n[import]\n  chunk_sise = 100\n");
    EXPECT_THAT(error(), HasSubstr(*sources_.file + ":4:3: "));
    EXPECT_THAT(error(), HasSubstr("import.chunk_sise"));
    EXPECT_THAT(error(), HasSubstr("nearest is import.chunk_size"));
}

TEST_F(Settings, AKeyUnderTheWrongSectionIsFound) {
    file("[import]\nmax_wait = \"5m\"\n");
    EXPECT_THAT(error(), HasSubstr("nearest is send.max_wait"));
    file("chunk_size = 5\n");
    EXPECT_THAT(error(), HasSubstr("nearest is import.chunk_size"));
}

TEST_F(Settings, AnUnknownSectionIsAnErrorEvenWhenEmpty) {
    file("[imports]\n");
    EXPECT_THAT(error(), HasSubstr("nearest is [import]"));
    file("[imports]\nchunk_size = 5\n");
    EXPECT_THAT(error(), HasSubstr("nearest is import.chunk_size"));
    file("[columns]\n");
    load();
}

TEST_F(Settings, AnUnknownColumnFieldIsAnError) {
    file("[columns]\ncontact = \"Id\"\n");
    EXPECT_THAT(error(), HasSubstr("nearest is columns.contact_id"));
}

TEST_F(Settings, AnUnknownKeyInSetIsAnErrorWithoutItsValue) {
    file("");
    sources_.sets = {"apollo.api_key=hunter2"};
    EXPECT_THAT(error(), HasSubstr("--set apollo.api_key"));
    EXPECT_THAT(error(), HasSubstr("apollo.api_key_file"));
    EXPECT_THAT(error(), testing::Not(HasSubstr("hunter2")));
    sources_.sets = {"hunter2"};
    EXPECT_THAT(error(), testing::Not(HasSubstr("hunter2")));
}

TEST_F(Settings, ASyntaxErrorNamesFileLineAndColumn) {
    file("[apollo]\nteam = \n");
    EXPECT_THAT(error(), HasSubstr(*sources_.file + ":2:"));
}

TEST_F(Settings, AMissingSettingsFileIsAnError) {
    sources_.file = (folder_ / "missing.toml").string();
    EXPECT_THAT(error(), HasSubstr("missing.toml"));
    sources_.file = folder_.string();
    EXPECT_THAT(error(), HasSubstr("folder"));
}

TEST_F(Settings, RelativePathsInAFileAreRelativeToTheFile) {
    file("[apollo]\napi_key_file = \"key\"\nca_file = \"../ca.pem\"\n[ledger]\npath = \"state/l.db\"\n");
    auto s = load();
    EXPECT_EQ(s.apollo.api_key_file, (folder_ / "key").string());
    EXPECT_EQ(s.apollo.ca_file, (folder_.parent_path() / "ca.pem").string());
    EXPECT_EQ(s.ledger.path, (folder_ / "state/l.db").string());
    sources_.named = {{"ledger.path", "here.db"}};
    EXPECT_EQ(load().ledger.path, "here.db");
}

TEST_F(Settings, ATildeIsTheHomeFolder) {
    file("[ledger]\npath = \"~/l.db\"\n");
    EXPECT_EQ(load().ledger.path, "/home/ann/l.db");
    sources_.environment.erase("HOME");
    EXPECT_THAT(error(), HasSubstr("HOME"));
}

TEST_F(Settings, TheLedgerIsUnderTheStateFolder) {
    file("");
    sources_.environment["XDG_STATE_HOME"] = "/state";
    EXPECT_EQ(load().ledger.path, "/state/taskbarge/ledger.db");
    sources_.environment["XDG_STATE_HOME"] = "relative";
    EXPECT_EQ(load().ledger.path, "/home/ann/.local/state/taskbarge/ledger.db");
    sources_.environment.erase("HOME");
    EXPECT_THAT(error(), HasSubstr("ledger.path"));
    sources_.sets = {"ledger.path=:memory:"};
    EXPECT_EQ(load().ledger.path, ":memory:");
}

TEST_F(Settings, AValueInQuotesIsReadAsInAFile) {
    file("");
    sources_.sets = {R"(apollo.team="sales")", R"(import.id_pattern=[0-9]+)"};
    EXPECT_EQ(load().apollo.team, "sales");
    EXPECT_EQ(load().import.id_pattern, "[0-9]+");
}

TEST_F(Settings, WindowLengthsMayBeJoinedByCommas) {
    file("");
    sources_.sets = {"limits.window_lengths=1s,2s,3s"};
    EXPECT_EQ(load().limits.lengths[0], 1s);
}

TEST_F(Settings, ATabMayBeSpelt) {
    file("");
    sources_.sets = {"import.short_rows=true", "import.skip_lines=3", "import.oldest_due=30d"};
    EXPECT_TRUE(load().import.short_rows);
    EXPECT_EQ(load().import.skip_lines, 3u);
    EXPECT_EQ(load().import.oldest_due, std::chrono::hours(24 * 30));
    sources_.sets = {"import.delimiter=tab"};
    EXPECT_EQ(load().import.delimiter, "\t");
}

struct wrong_value {
    const char* name;
    const char* line;
    const char* rule;
};

class WrongValue : public Settings, public testing::WithParamInterface<wrong_value> {};

TEST_P(WrongValue, IsAnErrorThatNamesTheKeyAndTheRule) {
    const std::string line = GetParam().line;
    const auto dot = line.find('.');
    file(fmt::format("[{}]\n{}\n", line.substr(0, dot), line.substr(dot + 1)));
    EXPECT_THAT(error(), HasSubstr(line.substr(0, line.find(' '))));
    EXPECT_THAT(error(), HasSubstr(GetParam().rule));
    EXPECT_THAT(error(), HasSubstr(":2:1: "));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, WrongValue,
    testing::Values(wrong_value{"NumberForText", "apollo.team = 5", "name"},
                    wrong_value{"EmptyTeam", "apollo.team = \"\"", "name"},
                    wrong_value{"TextForNumber", "import.chunk_size = \"100\"", "without quotes"},
                    wrong_value{"Fraction", "import.chunk_size = 1.5", "whole number"},
                    wrong_value{"Zero", "import.chunk_size = 0", "from 1"},
                    wrong_value{"Negative", "send.connections = -1", "from 1"},
                    wrong_value{"TooMany", "send.connections = 100000", "to 256"},
                    wrong_value{"Truth", "send.max_attempts = true", "whole number"},
                    wrong_value{"DurationWithoutUnit", "send.max_wait = \"5\"", "unit"},
                    wrong_value{"NumberForDuration", "send.max_wait = 5", "unit"},
                    wrong_value{"UnknownUnit", "send.max_wait = \"5 weeks\"", "unit"},
                    wrong_value{"NegativeDuration", "send.max_wait = \"-5s\"", "unit"},
                    wrong_value{"EndlessDuration", "send.max_wait = \"99999999999999999d\"", "unit"},
                    wrong_value{"NoTimeout", "send.request_timeout = \"0s\"", "at least"},
                    wrong_value{"SizeWithUnknownUnit", "import.memory = \"64 MB\"", "64MiB"},
                    wrong_value{"SizeTooSmall", "import.memory = \"1KiB\"", "1MiB"},
                    wrong_value{"SizeTooLarge", "import.memory = \"99999999999999GiB\"", "64MiB"},
                    wrong_value{"PercentOverHundred", "import.max_rejects = \"101%\"", "percentage"},
                    wrong_value{"PercentWithoutNumber", "import.max_rejects = \"%\"", "percentage"},
                    wrong_value{"ReserveWithoutPercent", "limits.reserve = 20", "percentage"},
                    wrong_value{"ReserveOfAll", "limits.reserve = \"100%\"", "percentage"},
                    wrong_value{"UnknownField", "import.dedupe_by = [\"owner\"]", "\"owner\" is none"},
                    wrong_value{"UnknownWord", "import.dedupe = \"none\"", "\"file\", \"ledger\""},
                    wrong_value{"UnknownPolicy", "send.when_unverifiable = \"drop\"", "\"hold\", \"resend\""},
                    wrong_value{"UnknownFormat", "import.format = \"xlsx\"", "jsonl"},
                    wrong_value{"FlagAsText", "import.short_rows = \"true\"", "true or false"},
                    wrong_value{"ManyLinesToSkip", "import.skip_lines = 100000", "from 0 to 1000"},
                    wrong_value{"LongDelimiter", "import.delimiter = \"ab\"", "one character"},
                    wrong_value{"QuoteAsDelimiter", "import.delimiter = '\"'", "one character"},
                    wrong_value{"BadPattern", "import.id_pattern = \"[0-9\"", "regular expression"},
                    wrong_value{"BadTime", "dates.time = \"9am\"", "09:00"},
                    wrong_value{"BadFormats", "dates.formats = [\"tomorrow\"]", "formats"},
                    wrong_value{"MixedList", "dates.formats = [\"%Y\", 5]", "formats"},
                    wrong_value{"ColumnOfAnotherKind", "columns.note = true", "column"},
                    wrong_value{"TableForText", "apollo.team = {a = 1}", "name"},
                    wrong_value{"NoCap", "limits.day = 0", "at least 1"},
                    wrong_value{"TwoWindows", "limits.window_lengths = [\"1s\", \"2s\"]", "three"},
                    wrong_value{"FallingWindows", "limits.window_lengths = [\"1h\", \"1m\", \"1d\"]", "rising"},
                    wrong_value{"BadListen", "serve.listen = \"8642\"", "address:port"},
                    wrong_value{"BadProxy", "send.proxy = \"socks5://x\"", "HTTP proxy"},
                    wrong_value{"FtpUrl", "apollo.base_url = \"ftp://x\"", "https"}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(Settings, ABackoffMustFitUnderItsCap) {
    file("");
    sources_.sets = {"send.backoff_base=2m"};
    EXPECT_THAT(error(), HasSubstr("send.backoff_cap"));
}

TEST_F(Settings, AWebhookMayHaveAQueryAndIsNotRepeatedWhenWrong) {
    file("");
    for (const char* url : {"https://h/a/?token=t0ken&b=c", "https://h?token=t0ken", "http://127.0.0.1:9/?x", ""}) {
        sources_.named = {{"notify.url", url}};
        EXPECT_EQ(load().notify.url, url);
    }
    for (const char* url : {"http://h/?t0ken", "https://u:t0ken@h/", "https://h/?t0ken#f", "https://h/?t0 ken", "t0ken",
                            "https://?t0ken", "https://h:0/?t0ken"}) {
        sources_.named = {{"notify.url", url}};
        EXPECT_THAT(error(), HasSubstr("notify.url")) << url;
        EXPECT_THAT(error(), Not(HasSubstr("t0"))) << url;
    }
}

struct url_case {
    const char* text;
    const char* becomes;  // null: refused
};

class BaseUrl : public Settings, public testing::WithParamInterface<url_case> {};

TEST_P(BaseUrl, IsCheckedAndBroughtToOneSpelling) {
    file("");
    sources_.named = {{"apollo.base_url", GetParam().text}};
    if (GetParam().becomes) {
        EXPECT_EQ(load().apollo.base_url, GetParam().becomes);
    } else {
        EXPECT_THAT(error(), HasSubstr("apollo.base_url"));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BaseUrl,
    testing::Values(url_case{"https://api.apollo.io/api/v1", "https://api.apollo.io/api/v1"},
                    url_case{"HTTPS://API.Apollo.io/api/V1//", "https://api.apollo.io/api/V1"},
                    url_case{"https://h", "https://h"}, url_case{"https://h:8443/", "https://h:8443"},
                    url_case{"http://127.0.0.1:9/x", "http://127.0.0.1:9/x"},
                    url_case{"http://localhost:9/x", "http://localhost:9/x"},
                    url_case{"http://[::1]:9/x", "http://[::1]:9/x"}, url_case{"http://api.apollo.io/api/v1", nullptr},
                    url_case{"http://127.0.0.1.evil.com/", nullptr}, url_case{"http://localhost.evil.com/", nullptr},
                    url_case{"https://user:pass@h/", nullptr}, url_case{"https://h/?a=b", nullptr},
                    url_case{"https://h/#f", nullptr}, url_case{"https://h:0/", nullptr},
                    url_case{"https://h:99999/", nullptr}, url_case{"https:///path", nullptr},
                    url_case{"https://h/a b", nullptr}, url_case{"api.apollo.io", nullptr}, url_case{"", nullptr}),
    [](const auto& one) { return taskbarge::test::case_name(one.param.text); });

TEST(IdentityText, FollowsOnlyWhatMakesTheJob) {
    core::settings a;
    core::settings b;
    b.send.max_attempts = 1;
    b.import.dedupe = core::dedupe_scope::file;
    b.ledger.path = "/elsewhere";
    EXPECT_EQ(core::identity_text(a), core::identity_text(b));
    b.import.chunk_size = 99;
    EXPECT_NE(core::identity_text(a), core::identity_text(b));
    for (auto change :
         {+[](core::import_settings& s) { s.skip_lines = 1; }, +[](core::import_settings& s) { s.short_rows = true; },
          +[](core::import_settings& s) { s.oldest_due = 24h; }}) {
        core::settings other;
        change(other.import);
        EXPECT_NE(core::identity_text(a), core::identity_text(other));
    }
}

TEST(IdentityText, TellsTextsApartThatWouldReadAlike) {
    core::settings a;
    core::settings b;
    a.defaults.note = "x\"\ndefaults.type = \"call";
    b.defaults.note = "x";
    b.defaults.type = "call";
    EXPECT_NE(core::identity_text(a), core::identity_text(b));
    core::settings c;
    core::settings d;
    c.defaults.note = "\n";
    d.defaults.note = "\\n";
    EXPECT_NE(core::identity_text(c), core::identity_text(d));
}

TEST(IdentityText, KnowsColumnsDefaultsAndDates) {
    core::settings s;
    s.columns["contact_id"] = "Id";
    s.columns["user_id"] = "";
    s.values.type = {{"Demo", "call"}, {"*", ""}};
    s.import.ignore_columns = {"x"};
    s.import.notes = core::note_form::html;
    s.defaults.due_at = "+3d";
    s.dates.timezone = "Europe/Berlin";
    s.dates.formats = {"%d.%m.%Y"};
    EXPECT_EQ(core::identity_text(s),
              "columns.contact_id = \"Id\"\ncolumns.user_id = \"\"\nvalues.type.\"*\" = \"\"\nvalues.type.\"demo\" = "
              "\"call\"\ndefaults.due_at = \"+3d\"\ndates.timezone = \"Europe/Berlin\"\n"
              "dates.formats = \"%d.%m.%Y\"\nimport.ignore_columns = \"x\"\nimport.notes = \"html\"\nimport.chunk_size "
              "= 100\n");
}

TEST(Durations, AreReadWithTheirUnit) {
    EXPECT_EQ(core::parse_duration("250ms"), 250ms);
    EXPECT_EQ(core::parse_duration("90s"), 90s);
    EXPECT_EQ(core::parse_duration("65m"), 65min);
    EXPECT_EQ(core::parse_duration("2h"), 2h);
    EXPECT_EQ(core::parse_duration("90d"), 90 * 24h);
    for (const char* bad : {"", "5", "s", "5 s", "1.5s", "-1s", "+1s", "5S", "5sec", "1h30m", "99999999999999999999s"})
        EXPECT_EQ(core::parse_duration(bad), std::nullopt) << bad;
}

TEST(Durations, AreWrittenInTheLargestUnitThatFits) {
    EXPECT_EQ(core::format_duration(0ms), "0s");
    EXPECT_EQ(core::format_duration(1500ms), "1500ms");
    EXPECT_EQ(core::format_duration(90s), "90s");
    EXPECT_EQ(core::format_duration(3900s), "65m");
    EXPECT_EQ(core::format_duration(48h), "2d");
}

std::string text_of(const std::string& path) {
    std::ifstream in(std::string(TASKBARGE_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(in) << path;
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

TEST(Documentation, NamesEverySetting) {
    const auto page = text_of("docs/settings.md");
    for (const auto& s : core::list_settings()) {
        EXPECT_THAT(page, HasSubstr("`" + s.name + "`"));
        if (!s.fallback.empty()) {
            EXPECT_THAT(page, HasSubstr("`" + s.fallback + "`")) << s.name;
        }
    }
}

class InputSettings : public ::testing::Test {
 protected:
    ~InputSettings() override {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    core::result<core::loaded_settings> with(const std::string& text) {
        std::ofstream(path_) << text;
        return core::with_input_settings(base_, path_.string());
    }
    core::settings base_;
    fs::path path_ = fs::temp_directory_path() / fmt::format("taskbarge-input-{}.toml", getpid());
};

TEST_F(InputSettings, MaySayHowAnInputIsRead) {
    base_.defaults.note = "of the service";
    const auto s = with(
        "[columns]\ncontact_id = \"Id\"\n[defaults]\ntype = \"call\"\n[dates]\ntime = \"09:00\"\n"
        "[import]\nchunk_size = 7\n[defaults.x]\n");
    ASSERT_FALSE(s) << "an unknown table is an error";
    const auto good = with("[columns]\ncontact_id = \"Id\"\n[defaults]\ntype = \"call\"\n[import]\nchunk_size = 7\n");
    ASSERT_TRUE(good) << good.error().text;
    EXPECT_EQ(good->value.columns.at("contact_id"), "Id");
    EXPECT_EQ(good->value.defaults.type, "call");
    EXPECT_EQ(good->value.defaults.note, "of the service");
    EXPECT_EQ(good->value.import.chunk_size, 7u);
}

TEST_F(InputSettings, MayNotSayWhereTheKeyGoes) {
    for (const char* text : {"[apollo]\nbase_url = \"https://evil.example\"\n", "[ledger]\npath = \"/tmp/x\"\n",
                             "[send]\nproxy = \"http://evil.example\"\n", "[notify]\nurl = \"https://evil.example\"\n",
                             "[serve]\ninbox = \"/tmp\"\n", "[limits]\nreserve = \"0%\"\n", "[log]\n"}) {
        const auto s = with(text);
        ASSERT_FALSE(s) << text;
        EXPECT_EQ(s.error().code, core::errc::settings);
        EXPECT_THAT(s.error().text, ::testing::HasSubstr("belongs into the settings of the service"));
    }
}

TEST_F(InputSettings, AreCheckedLikeOthers) {
    const auto s = with("[import]\nchunk_sise = 7\n");
    ASSERT_FALSE(s);
    EXPECT_THAT(s.error().text, ::testing::HasSubstr("chunk_size"));
}

TEST(Documentation, TheExampleFileHoldsEverySetting) {
    const auto example = text_of("config/taskbarge.example.toml");
    for (const auto& s : core::list_settings()) {
        const auto key = s.name.substr(s.name.find('.') + 1);
        EXPECT_TRUE(example.find("\n" + key + " = ") != std::string::npos ||
                    example.find("\n# " + key + " = ") != std::string::npos)
            << s.name;
    }
}

TEST(Documentation, TheExampleFilesLoad) {
    for (const char* name : {"taskbarge.example.toml", "minimal.toml"}) {
        core::settings_sources sources;
        sources.environment["HOME"] = "/home/ann";
        sources.file = std::string(TASKBARGE_SOURCE_DIR) + "/config/" + name;
        const auto loaded = core::load_settings(sources);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().text);
    }
}

TEST(Documentation, TheExampleFileLoadsWithEveryCommentTakenAway) {
    std::istringstream lines(text_of("config/taskbarge.example.toml"));
    std::string bare;
    for (std::string line; std::getline(lines, line);) {
        const bool setting = line.rfind("# ", 0) == 0 && line.find(" = ") != std::string::npos;
        bare += (setting ? line.substr(2) : line) + "\n";
    }
    const auto path = fs::temp_directory_path() / fmt::format("taskbarge-example-{}.toml", getpid());
    std::ofstream(path) << bare;
    core::settings_sources sources;
    sources.environment["HOME"] = "/home/ann";
    sources.file = path.string();
    const auto loaded = core::load_settings(sources);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().text);
    fs::remove(path);
}

}  // namespace
