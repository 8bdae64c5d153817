#include "reader/plain_cell.hpp"

#include <algorithm>
#include <utility>

#include "reader/invisible.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// As MySQL and PostgreSQL export it, and what the tools around databases show.
constexpr std::string_view words_for_none[] = {"\\N", "NULL", "null", "Null", "(null)", "[NULL]", "<null>"};

bool is_word_for_none(std::string_view cell) {
    return std::find(std::begin(words_for_none), std::end(words_for_none), cell) != std::end(words_for_none);
}

}  // namespace

bool holds_nothing(std::string_view cell) {
    return shows_nothing(cell) || is_word_for_none(trimmed(cell));
}

std::string_view plain_cell(std::string_view cell) {
    std::string_view value = trimmed(cell);
    if (value.size() >= 3 && value.starts_with("=\"") && value.ends_with('"')) {
        value = trimmed(value.substr(2, value.size() - 3));
    } else if (value.starts_with('\'')) {
        value.remove_prefix(1);
        if (value.ends_with('\'')) value.remove_suffix(1);
        value = trimmed(value);
    }
    if (is_word_for_none(value)) return {};
    return value.size() == trimmed(cell).size() ? cell : value;
}

std::string_view note_part_of(std::string_view cell) {
    const auto value = trimmed(cell);
    return value == "\\N" ? std::string_view() : value;
}

bool make_plain(field_texts& texts) {
    bool changed = false;
    for (const field f : all_fields) {
        const std::string_view plain = f != field::note    ? plain_cell(texts[f])
                                       : texts[f] == "\\N" ? std::string_view()
                                                           : texts[f];
        if (std::exchange(texts[f], plain).size() != plain.size()) changed = true;
    }
    return changed;
}

}  // namespace taskbarge::reader
