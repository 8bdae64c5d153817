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
