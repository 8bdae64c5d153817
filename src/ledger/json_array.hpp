// JSON arrays of texts and of numbers, as columns hold them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/id_list.hpp"

namespace taskbarge::ledger {

// ["a","b"] and [1,2]. Texts are UTF-8; quotes, backslashes and control characters are escaped.
std::string to_json(const core::id_list& texts);
std::string to_json(const std::vector<std::int64_t>& numbers);

// Reads, from front to back, what to_json wrote. The text must outlive the cursor. A text that to_json did not write
// ends early rather than reading beyond its end.
class array_cursor {
 public:
    array_cursor() = default;
    explicit array_cursor(std::string_view json) : rest_(json.empty() ? json : json.substr(1)) {}

    // False at the end of the array; `out` is then left as it was.
    bool next(std::int64_t& out);
    // The view points into the array's text or, where that holds an escape, into the cursor; valid until the next call.
    bool next(std::string_view& out);

 private:
    bool next_escaped(std::string_view& out);
    void skip_comma() {
        if (!rest_.empty() && rest_.front() == ',') rest_.remove_prefix(1);
    }
    std::string_view rest_;
    std::string unescaped_;
};

core::id_list texts_of(std::string_view json);
std::vector<std::int64_t> numbers_of(std::string_view json);

}  // namespace taskbarge::ledger
