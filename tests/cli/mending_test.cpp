// Rejected rows by the real program: written with their error, mended, imported again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "cli/against_sandbox.hpp"

namespace {

using taskbarge::test::against_sandbox;
using taskbarge::test::outcome;
using testing::HasSubstr;

std::string id(int n) {
    return fmt::format("{:024x}", n);
}

// Codes stay; what the messages name may change, such as the number of columns.
std::string without_messages(const std::string& text) {
    return std::regex_replace(text, std::regex("([a-z0-9_]+): [^\n]*"), "$1");
}

class Mending : public against_sandbox {
 protected:
    outcome run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--set", owner});
        return against_sandbox::run(std::move(arguments));
    }
    // Imports a file with that content; `rejected` rows of it are rejected, `created` are created.
    std::uint64_t import(const std::string& name, const std::string& text, std::uint64_t created,
                         std::uint64_t rejected, const std::vector<std::string>& options = {}) const {
        std::vector<std::string> arguments{"import", "--json", p.file(name, text)};
        arguments.insert(arguments.end(), options.begin(), options.end());
        const auto o = run(arguments);
        EXPECT_EQ(o.code, rejected == 0 ? 0 : 2) << name << ": " << o.err;
        EXPECT_EQ(number(o, "created"), created) << name;
        EXPECT_EQ(number(o, "rejected"), rejected) << name;
        return number(o, "job");
    }
    // The file that `results JOB --rejects -o` writes.
    std::string rejects(std::uint64_t job, const std::string& name) const {
        const auto o = run({"results", std::to_string(job), "--rejects", "-o", p.path(name)});
        EXPECT_EQ(o.code, 0) << o.err;
        return p.read(name);
    }
};

void replace(std::string& text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what << " in " << text;
    text.replace(at, what.size(), by);
}

TEST_F(Mending, OnlyTheMendedRowsAreCreatedAndTheErrorIsReplaced) {
    const auto first = import("a.csv",
                              "contact_id,priority,note\n" + id(1) + ",high,x\nbad,high,\"a, b\"\n" + id(3) +
                                  ",urgent,x\n" + id(4) + ",low\n",
                              1, 3);
    auto fix = rejects(first, "fix.csv");
    EXPECT_THAT(fix, testing::StartsWith("contact_id,priority,note,error\nbad,high,\"a, b\",\"invalid_contact_id: "));
    replace(fix, "\nbad,", "\n" + id(2) + ",");
    replace(fix, ",urgent,", ",medium,");
    const auto second = import("fix.csv", fix, 2, 1);
    auto rest = rejects(second, "rest.csv");
    EXPECT_EQ(rest,
              "contact_id,priority,note,error\n" + id(4) +
                  ",low,\"too_few_columns: the record has 3 columns, the header 4; add the missing delimiters\"\n");
    replace(rest, ",low,", ",low,,");
    import("rest.csv", rest, 1, 0);
    EXPECT_EQ(server_->stats().tasks, 4u);
    EXPECT_EQ(server_->stats().tasks_twice, 0u);
}

// Whatever a file is like: its rejects are read as the same rejects again until somebody mends them.
TEST_F(Mending, UnmendedRowsAreRejectedForTheSameReasonAgain) {
    struct bad_file {
        std::string name, text;
        std::vector<std::string> options = {};
    };
    const std::string good = id(7);
    const bad_file files[] = {
        {"delimiters-at-the-end.csv", "contact_id,note,\nbad,x,\n" + good + ",x,y,z\nworse,x\nworst\n"},
        {"unnamed-columns.csv", "contact_id,note,,,\nbad,x,,,\n,,,,\n"},
        {"delimiters-in-rows.csv", "contact_id,note\nbad,x,\nworse,x\n"},
        {"semicolons.csv", "contact_id;\"a, b, c, d\";note\nbad;1,5;\"x; y\"\n"},
        {"separator-named.csv", "sep=;\r\ncontact_id;note\r\nbad;a,b\r\n"},
        {"delimiter-set.csv", "contact_id;a,b,c,d;note\nbad;1;x,y\n", {"--set", "import.delimiter=;"}},
        {"tabs.tsv", "contact_id\tnote\nbad\ta,b\n"},
        {"pipes.psv", "contact_id|note\nbad|\"a\nb\"\n"},
        {"lone-cr.csv", "contact_id,note\rbad,x\rworse,\"a\rb\"\r"},
        {"mark.csv", "\xEF\xBB\xBF\"contact_id\",\"note\"\r\n\"bad\",\"x\"\r\n"},
        {"quotes.csv",
         "contact_id,note\n" + good + ",5\" x\n" + good + ",\"say \"hi\"\"\nbad,said \"a, b\" twice\nbad, \"x, y\" \n"},
        {"never-closed.csv", "contact_id,note\n" + good + ",\"open\nbad,x\nworse,y\n"},
        {"error-column.csv", "Error,contact_id,note\nold,bad,x\n"},
        {"error-column-last.csv",
         "contact_id,note,error\nbad,x,\"invalid_contact_id: old\"\nbad,\"too_few_columns: old, \"\"x\"\"\"\n"},
        {"encodings.csv", "contact_id,note\n" + good + ",M\xFCller\nbad,M\xC3\xBCller\n"},
        {"lines.jsonl", "{\"contact_id\":\"bad\"}\n{\"contact_ids\":[\"bad\",\"worse\"],\"error\":1}\n[1]\n{\n{}\n"},
    };
    for (const auto& file : files) {
        const auto first = run([&] {
            std::vector<std::string> arguments{"import", "--json", p.file(file.name, file.text)};
            arguments.insert(arguments.end(), file.options.begin(), file.options.end());
            return arguments;
        }());
        ASSERT_EQ(first.code, 2) << file.name << ": " << first.err;
        EXPECT_EQ(number(first, "created"), 0u) << file.name;
        const std::string again = "again-" + file.name;
        const auto text = rejects(number(first, "job"), again);
        const auto second = run({"import", "--json", p.path(again)});
        ASSERT_EQ(second.code, 2) << file.name << ": " << second.err << "\n" << text;
        EXPECT_EQ(number(second, "rejected"), number(first, "rejected")) << file.name << ":\n" << text;
        const auto twice = rejects(number(second, "job"), "twice-" + file.name);
        if (file.name == "lines.jsonl") continue;  // what is no object becomes one
        EXPECT_EQ(without_messages(twice), without_messages(text)) << file.name;
    }
    EXPECT_EQ(server_->stats().tasks, 0u);
}

TEST_F(Mending, FilesWithOtherColumnsGetAFileEach) {
    const auto o =
        run({"import", "--json", p.file("a.csv", "contact_id,note\nbad,x\n"),
             p.file("b.csv", "note,contact_id\n" + id(1) + ",worse\n"), p.file("c.csv", "contact_id,note\nworst,x\n"),
             p.file("d.jsonl", "{\"contact_id\":\"bad\"}\n")});
    ASSERT_EQ(o.code, 2) << o.err;
    const auto refused = run({"results", "1", "--rejects"});
    EXPECT_EQ(refused.code, 64);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("-o FILE"));
    const auto written = run({"results", "1", "--rejects", "-o", p.path("fix.csv")});
    EXPECT_EQ(written.code, 0);
    for (const char* name : {"fix.csv", "fix-2.csv", "fix-3.jsonl"})
        EXPECT_THAT(written.err, HasSubstr("wrote " + p.path(name)));
    EXPECT_THAT(p.read("fix.csv"), testing::MatchesRegex("contact_id,note,error\nbad,[^\n]*\nworst,[^\n]*\n"));
    EXPECT_THAT(p.read("fix-2.csv"), testing::MatchesRegex("note,contact_id,error\n[^\n]*\n"));
    EXPECT_THAT(p.read("fix-3.jsonl"), testing::StartsWith("{\"contact_id\":\"bad\",\"error\":"));
}

TEST_F(Mending, JsonLinesUnderTheNameOfATableAreSaidToBeSo) {
    const auto job = import("a.jsonl", "{\"contact_id\":\"bad\"}\n", 0, 1);
    const auto o = run({"results", std::to_string(job), "--rejects", "-o", p.path("fix.csv")});
    EXPECT_THAT(o.err, HasSubstr(".jsonl"));
    const auto again = run({"import", p.path("fix.csv")});
    EXPECT_EQ(again.code, 65);
    EXPECT_THAT(again.err, HasSubstr(".jsonl"));
}

TEST_F(Mending, NoRejectsMakeAnEmptyFile) {
    EXPECT_EQ(rejects(import("a.csv", "contact_id\n" + id(1) + "\n", 1, 0), "fix.csv"), "");
}

}  // namespace
