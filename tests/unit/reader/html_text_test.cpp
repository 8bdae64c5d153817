#include "reader/html_text.hpp"

#include <gtest/gtest.h>

namespace taskbarge::reader {
namespace {

TEST(HtmlText, BlocksAndBreaksAreLines) {
    EXPECT_EQ(text_of_html("<p>one</p><p>two</p>"), "one\ntwo");
    EXPECT_EQ(text_of_html("one<br>two<br/>three"), "one\ntwo\nthree");
    EXPECT_EQ(text_of_html("<div><div>a</div>b</div>"), "a\nb");
    EXPECT_EQ(text_of_html("<h1>Head</h1>text"), "Head\ntext");
}

TEST(HtmlText, ListsHaveDashes) {
    EXPECT_EQ(text_of_html("<p>Bring:</p>\n<ul>\n<li>the offer</li><li><p>a <b>pen</b></p></li>\n</ul>end"),
              "Bring:\n- the offer\n- a pen\nend");
}

TEST(HtmlText, BlanksAreAsBrowsersShowThem) {
    EXPECT_EQ(text_of_html("  a \n\t b&nbsp;c  "), "a b c");
    EXPECT_EQ(text_of_html("<b>bold</b>ly <i> put </i>."), "boldly put .");
}

TEST(HtmlText, EntitiesAndOtherScriptsAreKept) {
    EXPECT_EQ(text_of_html("M&uuml;ller &amp; S\xC3\xB8n &lt;3 &#x1F600;"),
              "M\xC3\xBCller & S\xC3\xB8n <3 \xF0\x9F\x98\x80");
}

TEST(HtmlText, LinksKeepTheirAddress) {
    EXPECT_EQ(text_of_html("see <a href=\"https://example.com/x\">the page</a>, please"),
              "see the page (https://example.com/x), please");
    EXPECT_EQ(text_of_html("<a href=\"https://example.com\">https://example.com</a>"), "https://example.com");
    EXPECT_EQ(text_of_html("<a href=\"mailto:ann@example.com\">ann@example.com</a>"), "ann@example.com");
}

TEST(HtmlText, WhatNobodySeesIsLeftOut) {
    EXPECT_EQ(text_of_html("<style>p{}</style><script>alert(1)</script><p>text</p><!-- no -->"), "text");
}

TEST(HtmlText, WhatIsNoGoodHtmlIsReadAllTheSame) {
    EXPECT_EQ(text_of_html("a < b & c > d"), "a < b & c > d");
    EXPECT_EQ(text_of_html("<p>open <b>and <i>open"), "open and open");
    EXPECT_EQ(text_of_html("</p></p>x"), "x");
    EXPECT_EQ(text_of_html("<"), "<");
    EXPECT_EQ(text_of_html("&"), "&");
    EXPECT_EQ(text_of_html("<p></p>"), "");
    EXPECT_EQ(text_of_html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"), "a b\nc");
    EXPECT_EQ(text_of_html("<template><p>kept</p></template>"), "kept");
}

TEST(HtmlText, WhatIsNoTagOfHtmlStays) {
    EXPECT_EQ(text_of_html("Dana <dana@acme.com> asked if x <y and then stop"),
              "Dana <dana@acme.com> asked if x <y and then stop");
    EXPECT_EQ(text_of_html("see <https://x.example/a> ok"), "see <https://x.example/a> ok");
    EXPECT_FALSE(holds_html("Dana <dana@acme.com> x <y a<b"));
    EXPECT_TRUE(holds_html("a<br>b"));
    EXPECT_TRUE(holds_html("x <p class=\"a>b\">y"));
}

// Each of these cost the parser minutes or gigabytes.
TEST(HtmlText, HostileHtmlCostsLittle) {
    std::string formatting = "<p>", attributes = "<p", divs;
    for (int i = 0; i < 2400; ++i)
        formatting += "<b a=" + std::to_string(i) + ">";
    for (int i = 0; i < 2400; ++i)
        formatting += "<p>x";
    for (int i = 0; i < 150'000; ++i)
        attributes += " a" + std::to_string(i) + "=1";
    for (int i = 0; i < 4999; ++i)
        divs += "<div>";
    EXPECT_EQ(text_of_html(formatting).size(), 2400u * 2 - 1);
    EXPECT_EQ(text_of_html(attributes + ">x"), "x");
    EXPECT_EQ(text_of_html(divs + "x"), "x");
    std::string open_tags, comments;
    for (int i = 0; i < 200'000; ++i) {
        open_tags += "<p a='";
        comments += "<!--";
    }
    EXPECT_EQ(text_of_html(comments), comments);
    EXPECT_FALSE(text_of_html(open_tags).empty());
}

TEST(HtmlText, DepthDoesNotMatter) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "<div>";
    EXPECT_EQ(text_of_html(deep + "x"), deep + "x") << "left as it is";
    EXPECT_EQ(text_of_html(deep.substr(0, 4'000 * 5) + "x"), "x");
}

}  // namespace
}  // namespace taskbarge::reader
