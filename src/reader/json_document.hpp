// One JSON document a line, checked as a whole.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "reader/fields.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

class json_document {
 public:
    // Parses an object. `line` has at least simdjson::SIMDJSON_PADDING readable bytes behind it. `file` is named where
    // a command to convert it helps.
    std::optional<fault> parse(std::string_view line, const file_report& file);

    // Of the last good parse(); its texts hold until the next.
    const simdjson::dom::object& object() const { return object_; }

 private:
    simdjson::dom::parser parser_;
    simdjson::dom::object object_;
};

// "a number", "an array", ...
std::string_view kind_of(const simdjson::dom::element& value);

// The bytes of the array that is the value of the object's key number `key` (from 0), brackets included. `line` is
// valid JSON, the value an array.
std::string_view array_text(std::string_view line, std::size_t key);

}  // namespace taskbarge::reader
