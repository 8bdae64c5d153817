// A note made of several columns: "{Task Title}: {Notes}".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reader/text.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::reader {

class note_template {
 public:
    struct part {
        std::string text;  // as it stands, or the name of a column
        bool is_column = false;
    };

    // Whether columns.note is one, and not a column's name.
    static bool is_one(std::string_view setting) { return setting.find('{') != std::string_view::npos; }
    // Fails with errc::settings: a brace that is never closed, no name in braces. "{{" stands for a brace.
    static core::result<note_template> make(const std::string& setting);

    bool empty() const { return parts_.empty(); }
    const std::vector<part>& parts() const { return parts_; }
    const std::string& text() const { return text_; }

 private:
    std::string text_;
    std::vector<part> parts_;
};

// A note of several columns while it is put together. Reused: its text keeps its memory.
class joined_note {
 public:
    void begin() {
        text_.clear();
        any_ = false;
    }
    void add_text(std::string_view between) { text_ += between; }
    void add_value(std::string_view of_column) {
        any_ = any_ || !of_column.empty();
        text_ += of_column;
    }
    // Where no column has anything there is no note, whatever stands between them.
    std::string_view kept_in(text_arena& arena) const { return any_ ? arena.keep(trimmed(text_)) : std::string_view(); }

 private:
    std::string text_;
    bool any_ = false;
};

}  // namespace taskbarge::reader
