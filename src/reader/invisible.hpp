// Characters that do not show, blanks of every kind, and letters that only look like ours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace taskbarge::reader {

// A character of UTF-8 text. size 0: there is none, or no valid one.
struct character {
    char32_t code = 0;
    std::size_t size = 0;
};
character first_character(std::string_view text);
character last_character(std::string_view text);

// Space, tab, and Unicode's, no-break ones too.
bool is_any_blank(char32_t c);
// Zero-width spaces and joiners, byte order marks, soft hyphens, marks of direction, variation selectors: what Unicode
// calls default ignorable.
bool is_invisible(char32_t c);

// Nothing but blanks, invisible characters and line ends.
bool shows_nothing(std::string_view text);
// Without invisible characters, each other blank as a space, none at the ends: a name as people read it.
std::string plain_name(std::string_view text);
// What does not show, and letters of another alphabet within a word of ours, as <U+200B>.
std::string made_visible(std::string_view text);

}  // namespace taskbarge::reader
