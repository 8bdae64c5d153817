// Rejected rows by the real program: written with their error, mended, imported again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <regex>
#include <sstream>

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
    outcome run(std::vector<std::string> arguments, const std::string& input = "") const {
        arguments.insert(arguments.end(), {"--set", owner});
        return against_sandbox::run(std::move(arguments), input);
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

TEST_F(Mending, RejectsAreNotWrittenOverTheirOwnFile) {
    const auto file = p.file("rejects.csv", "contact_id\n" + id(1) + "\nbad\n");
    const auto before = p.read("rejects.csv");
    const auto o = run({"plan", file, "--rejects", "-o", file});
    EXPECT_EQ(o.code, 64);
    EXPECT_THAT(o.err, HasSubstr("is the input itself; write the rejects to another file"));
    EXPECT_EQ(p.read("rejects.csv"), before);
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

// ------------------------------------------------------------------------------------------- above the limit

std::string rows(int good, int bad, int first = 1) {
    std::string text;
    for (int i = 0; i < good; ++i)
        text += id(first + i) + ",x\n";
    for (int i = 0; i < bad; ++i)
        text += "bad,x\n";
    return text;
}

class ManyRejects : public Mending {
 protected:
    // 30 of 40 rows are rejected.
    std::string bad_file(const std::string& name = "a.csv") const {
        return p.file(name, "contact_id,note\n" + rows(10, 30));
    }
    bool exists(const std::string& name) const { return std::filesystem::exists(p.path(name)); }
    // Unfinished ones have a longer name.
    std::size_t files_named(const std::string& beginning) const {
        const auto folder = std::filesystem::path(p.path("x")).parent_path();
        return static_cast<std::size_t>(
            std::count_if(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator(),
                          [&](const auto& entry) { return entry.path().filename().string().starts_with(beginning); }));
    }
};

TEST_F(ManyRejects, ARefusedImportNamesTheCommandThatWritesThem) {
    const auto refused = run({"import", bad_file()});
    EXPECT_EQ(refused.code, 65);
    std::smatch found;
    const std::regex hint(
        "to get the rejected rows: taskbarge (plan .*); to send the others all the same: --accept-rejects");
    ASSERT_TRUE(std::regex_search(refused.err, found, hint)) << refused.err;
    std::istringstream line(found[1]);
    const std::vector<std::string> command{std::istream_iterator<std::string>(line), {}};
    EXPECT_THAT(command, testing::IsSupersetOf(std::vector<std::string>{p.path("a.csv"), "--rejects", "rejects.csv",
                                                                        p.path("l.db"), owner}));
    const auto plan = p.run(command);
    EXPECT_EQ(plan.code, 65) << plan.err;
    EXPECT_THAT(plan.err, HasSubstr("wrote rejects.csv: 30 rejected rows"));
    EXPECT_THAT(plan.err, testing::Not(HasSubstr("--accept-rejects"))) << "they were written";
    auto fix = p.read("rejects.csv");
    EXPECT_THAT(fix, testing::StartsWith("contact_id,note,error\nbad,x,\"invalid_contact_id: "));
    EXPECT_EQ(std::count(fix.begin(), fix.end(), '\n'), 31);
    // The loop goes on from there, whatever the share that is left.
    replace(fix, "\nbad,", "\n" + id(100) + ",");
    import("rejects.csv", fix, 1, 29);
    // The quiet form, as cron's mail has it, names it as well.
    EXPECT_THAT(run({"import", "-q", p.path("a.csv")}).err,
                HasSubstr("\n  taskbarge plan " + p.path("a.csv") + " --rejects"));
}

TEST_F(ManyRejects, TheHintHasWhatTheImportWasGiven) {
    const auto text = p.file(
        "it's.txt", "{\"contact_id\":\"bad\"}\n" + [] {
            std::string more;
            for (int i = 0; i < 25; ++i)
                more += "{\"contact_id\":\"bad\"}\n";
            return more;
        }());
    const auto refused = run({"import", "--first", "25", "--format", "jsonl", text});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, HasSubstr("it'\\''s.txt' --first 25 --format jsonl --rejects -o rejects.jsonl --ledger "));
}

TEST_F(ManyRejects, CanBeAcceptedForOnce) {
    const auto accepted = run({"import", "--json", "--accept-rejects", bad_file()});
    EXPECT_EQ(accepted.code, 2) << accepted.err;
    EXPECT_EQ(number(accepted, "created"), 10u);
    EXPECT_EQ(number(accepted, "rejected"), 30u);
    EXPECT_EQ(run({"plan", "--accept-rejects", p.path("a.csv")}).code, 2);
    // The same input is the same job, with and without.
    const auto again = run({"import", "--json", p.path("a.csv")});
    EXPECT_EQ(again.code, 2) << again.err;
    EXPECT_EQ(number(again, "job"), number(accepted, "job"));
    EXPECT_EQ(server_->stats().tasks, 10u);
}

TEST_F(ManyRejects, APlanWritesThemAsTheJobDoes) {
    const std::vector<std::string> files{bad_file("a.csv"), p.file("b.csv", "note,contact_id\nx,worse\n"),
                                         p.file("c.csv", "contact_id,note\nworst,\"a\nb\"\n"),
                                         p.file("d.jsonl", "{\"contact_id\":\"bad\"}\n[1]\n")};
    const auto with = [&](std::vector<std::string> words) {
        words.insert(words.begin() + 1, files.begin(), files.end());
        return run(words);
    };
    const auto plan = with({"plan", "--rejects", "-o", p.path("fix.csv")});
    EXPECT_EQ(plan.code, 65);
    EXPECT_THAT(plan.err, HasSubstr(fmt::format("wrote {}, {} and {}: 34 rejected rows", p.path("fix.csv"),
                                                p.path("fix-2.csv"), p.path("fix-3.jsonl"))));
    EXPECT_THAT(plan.out, HasSubstr("Nothing was sent."));
    EXPECT_EQ(server_->stats().routes["bulk_create"].requests(), 0u);
    const auto imported = with({"import", "--json", "--accept-rejects"});
    ASSERT_EQ(imported.code, 2) << imported.err;
    ASSERT_EQ(run({"results", "1", "--rejects", "-o", p.path("job.csv")}).code, 0);
    for (const std::string number : {".csv", "-2.csv", "-3.jsonl"})
        EXPECT_EQ(p.read("fix" + number), p.read("job" + number));
}

TEST_F(ManyRejects, APlanWritesThemToStandardOutputAlone) {
    const auto o = run({"plan", "--rejects", "-"}, "contact_id,note\n" + rows(3, 1));
    EXPECT_EQ(o.code, 2) << o.err;
    EXPECT_THAT(o.out, testing::MatchesRegex("contact_id,note,error\nbad,x,\"invalid_contact_id: [^\n]*\"\n"));
    EXPECT_EQ(run({"plan", "--rejects", "--json", bad_file()}).code, 64);
    EXPECT_EQ(run({"plan", "--rejects", bad_file(), bad_file("b.csv")}).code, 64);
    EXPECT_EQ(run({"plan", "-o", p.path("fix.csv"), bad_file()}).code, 64);
    const auto json = run({"plan", "--rejects", "--json", "-o", p.path("fix.csv"), bad_file()});
    EXPECT_EQ(number(json, "rejected"), 30u);
    EXPECT_TRUE(exists("fix.csv"));
}

TEST_F(ManyRejects, APlanWithoutRejectsWritesNoFile) {
    const auto o =
        run({"plan", "--rejects", "-o", p.path("fix.csv"), p.file("a.csv", "contact_id,note\n" + rows(3, 0))});
    EXPECT_EQ(o.code, 0) << o.err;
    EXPECT_THAT(o.err, HasSubstr("no row would be rejected; " + p.path("fix.csv") + " was not written"));
    EXPECT_FALSE(exists("fix.csv"));
}

TEST_F(ManyRejects, APlanThatIsCutShortLeavesNoFile) {
    const auto a = bad_file();
    const auto b = p.file("b.csv", "name\nKim\n");
    p.file("fix.csv", "of before");
    EXPECT_EQ(run({"plan", "--rejects", "-o", p.path("fix.csv"), a, b}).code, 65);
    EXPECT_EQ(p.read("fix.csv"), "of before");
    EXPECT_EQ(files_named("fix"), 1u);
    EXPECT_EQ(run({"plan", "--rejects", "-o", p.path("no/fix.csv"), a}).code, 75);
}

// The limit is for files of which too much is unlike what it is taken for; here that is known.
TEST_F(ManyRejects, MendedFilesGoInHoweverManyRowsAreStillWrong) {
    const auto with_errors = [](std::string text) {
        const std::string error = ",invalid_contact_id: old";
        for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + error.size() + 1))
            text.insert(at, error);
        return text;
    };
    import("a.csv", "contact_id,note,error\n" + with_errors(rows(1, 30)), 1, 30);
    std::string lines = "{\"contact_id\":\"" + id(50) + "\",\"error\":\"invalid_contact_id: old\"}\n";
    for (int i = 0; i < 30; ++i)
        lines += "{\"contact_id\":\"bad\",\"error\":\"invalid_contact_id: old\"}\n";
    import("b.jsonl", lines, 1, 30);
    // Beside others they do not count, and the others do.
    EXPECT_EQ(run({"import", p.path("a.csv"), bad_file("c.csv")}).code, 65);
    EXPECT_EQ(run({"import", p.file("d.csv", "contact_id,note,ERROR\n" + with_errors(rows(1, 30, 60)))}).code, 65);
    EXPECT_EQ(server_->stats().tasks, 2u);
}

// docs/preparing-a-file.md, "Mending rejected rows", to its end.
class SampleData : public Mending {
 protected:
    outcome run(std::vector<std::string> arguments) const {
        for (const auto& word : {std::string("--base-url"), server_->where().base_url, std::string("--ca-file"),
                                 server_->where().ca_file, std::string("--ledger"), p.path("l.db")})
            arguments.push_back(word);
        return p.run(arguments);
    }
    std::string next_rejects(const outcome& imported, const std::string& name) const {
        EXPECT_EQ(run({"results", std::to_string(number(imported, "job")), "--rejects", "-o", p.path(name)}).code, 0);
        return p.read(name);
    }
};

TEST_F(SampleData, IsMendedInTwoRounds) {
    const auto first = run({"import", "--json", std::string(TASKBARGE_SOURCE_DIR) + "/sample_data/contacts.csv"});
    EXPECT_EQ(first.code, 2) << first.err;
    EXPECT_EQ(number(first, "rejected"), 42u);
    auto fix = next_rejects(first, "fix.csv");
    int mended = 0;
    const auto mend = [&](const std::string& what, const std::function<std::string()>& by) {
        for (auto at = fix.find(what); at != std::string::npos; at = fix.find(what, at + 1)) {
            fix.replace(at, what.size(), by());
            ++mended;
        }
    };
    const auto always = [](std::string text) { return [text = std::move(text)] { return text; }; };
    int fresh = 0;
    mend("\n0035g00000LbQXuAAN,", [&] { return "\n" + id(++fresh) + ","; });
    mend(",meeting,", always(",call,"));
    mend(",urgent,", always(",high,"));
    mend(",open,", always(",scheduled,"));
    mend(",2027-02-30T09:00:00Z,", always(",2027-02-28T09:00:00Z,"));
    mend(",2027-02-15T09:00:00,", always(",2027-02-15T09:00:00Z,"));
    ASSERT_EQ(mended, 18);
    const auto second = run({"import", "--json", p.file("fix.csv", fix)});
    EXPECT_EQ(second.code, 2) << second.err;
    EXPECT_EQ(number(second, "rejected"), 24u);
    EXPECT_EQ(number(second, "created") + number(second, "duplicate"), 18u);
    const auto rest = next_rejects(second, "fix-2.csv");
    const auto header = rest.substr(0, rest.find('\n'));
    EXPECT_EQ(header, "contact_id,user_id,type,priority,status,due_at,note,company,full_name,error");
    std::string all_good = header + "\n";
    for (int i = 0; i < 24; ++i)
        all_good += id(500 + i) + ",66302798d03b9601c7934ebf,call,high,scheduled,2027-03-01T09:00:00Z,,,,was wrong\n";
    const auto third = run({"import", "--json", p.file("fix-2.csv", all_good)});
    EXPECT_EQ(third.code, 0) << third.err;
    EXPECT_EQ(number(third, "created"), 24u);
    EXPECT_EQ(server_->stats().tasks_twice, 0u);
}

}  // namespace
