// The text of HTML, as the rich-text notes of CRMs are exported.
#pragma once

#include <string>
#include <string_view>

namespace taskbarge::reader {

// Whether there is anything that HTML would read differently.
inline bool may_be_html(std::string_view text) {
    return text.find_first_of("<&") != std::string_view::npos;
}
// Whether there is a tag of HTML in it.
bool holds_html(std::string_view text);

// Blocks and <br> begin lines, entries of lists begin with "- ", a link is followed by its address in parentheses where
// it differs from its text. What is no tag of HTML, such as <ann@example.com>, stays; what has thousands of tags stays
// as it is. `html` is UTF-8.
std::string text_of_html(std::string_view html);

}  // namespace taskbarge::reader
