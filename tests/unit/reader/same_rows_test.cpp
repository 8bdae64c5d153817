// The same rows in every form that a file may have.
#include <gtest/gtest.h>

#include "unit/reader/same_rows.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;

// Without the line, which differs between the forms.
std::vector<owned_row> without_lines(std::vector<owned_row> rows) {
    for (owned_row& r : rows)
        r.at.line = 0;
    return rows;
}

TEST(SameRows, EveryFormGivesTheSameRowsAndRejects) {
    const auto forms = every_form_of(samples());
    const auto expected = read_text(forms[0].name, forms[0].bytes);
    ASSERT_GT(expected.rows.size(), 280u);
    ASSERT_GT(expected.rejects.size(), 10u);
    EXPECT_EQ(forms.size(), 21u);
    for (const auto& form : forms) {
        const auto out = read_text(form.name, form.bytes);
        ASSERT_FALSE(out.failure) << form.name << ": " << out.failure->text;
        EXPECT_EQ(without_lines(out.rows), without_lines(expected.rows)) << form.name;
        EXPECT_EQ(out.summary(), expected.summary()) << form.name;
    }
}

TEST(SameRows, LineEndsDoNotMatter) {
    const auto rows = samples();
    const std::string lf = delimited(rows, ',');
    const auto expected = read_text("list.csv", lf);
    for (const std::string end : {"\r\n", "\r"}) {
        std::string text;
        for (const char c : lf)
            text += c == '\n' ? end : std::string(1, c);
        const auto out = read_text("list.csv", text);
        EXPECT_EQ(out.rows, expected.rows);
        text.resize(text.size() - end.size());
        EXPECT_EQ(read_text("list.csv", text).rows, expected.rows) << "also without the last line end";
    }
}

}  // namespace
}  // namespace taskbarge::reader
