#include "reader/json_document.hpp"

#include <fmt/format.h>

#include <new>

#include "reader/encoding.hpp"
#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// Calls `visit(position)` for each character outside strings until it says false.
template <class Visit>
void outside_strings(std::string_view json, Visit visit) {
    bool within = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (within) {
            if (json[i] == '\\')
                ++i;
            else if (json[i] == '"')
                within = false;
            continue;
        }
        if (json[i] == '"') within = true;
        if (!visit(i)) return;
    }
}

// Integers past 64 bits are valid JSON, but more than the parser's numbers hold; with an exponent they are doubles. No
// field of ours takes a number, so what they are does not matter.
std::string with_long_integers_as_doubles(std::string_view json) {
    constexpr std::size_t safe_digits = 18;
    std::string out;
    std::size_t copied = 0, digits = 0;
    bool plain = true;  // no fraction or exponent so far
    const auto end_number = [&](std::size_t at) {
        if (digits > safe_digits && plain) {
            out.append(json.substr(copied, at - copied)).append("e0");
            copied = at;
        }
        digits = 0;
        plain = true;
    };
    outside_strings(json, [&](std::size_t i) {
        const char c = json[i];
        if (is_digit(c))
            ++digits;
        else if (digits > 0 && (c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'))
            plain = false;
        else
            end_number(i);
        return true;
    });
    return out.append(json.substr(copied));
}

// Numbers and words that Python and JavaScript write and JSON does not have; empty: none of them is there.
std::string_view foreign_value(std::string_view json) {
    std::string_view found;
    outside_strings(json, [&](std::size_t i) {
        for (const std::string_view word : {"NaN", "Infinity", "nan", "None", "True", "False", "undefined"})
            if (json.substr(i).starts_with(word)) found = word;
        return found.empty();
    });
    return found;
}

std::string remedy_of(std::string_view foreign, const file_report& file) {
    if (foreign == "NaN" || foreign == "Infinity")
        return "write null in its place: " +
               conversion("sed -E 's/: *(NaN|-?Infinity) *([,}])/: null\\2/g'", file, ".jsonl");
    return "write null, true and false, and text in double quotes (Python: json.dumps)";
}

fault json_fault(simdjson::error_code error, std::string_view line, const file_report& file) {
    if (line.find('\0') != std::string_view::npos) return {"nul_byte", "the line holds a NUL byte; remove it", {}};
    if (error == simdjson::UTF8_ERROR) return {"invalid_utf8", not_utf8_message(line, file), {}};
    if (const auto foreign = foreign_value(line); !foreign.empty())
        return {"invalid_json", fmt::format("{} is no value of JSON; {}", foreign, remedy_of(foreign, file)), {}};
    // What is printed over lines begins with its bracket alone.
    std::string remedy = "write one whole object on each line";
    if (trimmed(line) == "{")
        remedy = fmt::format("its objects stand over lines: {}", conversion("jq -c .", file, ".jsonl"));
    else if (trimmed(line) == "[")
        remedy = fmt::format("the file is one array: {}", conversion("jq -c '.[]'", file, ".jsonl"));
    return {
        "invalid_json", fmt::format("the line is no JSON object ({}); {}", simdjson::error_message(error), remedy), {}};
}

}  // namespace

std::optional<fault> json_document::parse(std::string_view line, const file_report& file) {
    simdjson::dom::element root;
    auto error = parser_.parse(line.data(), line.size(), false).get(root);
    if (error == simdjson::NUMBER_ERROR) error = parser_.parse(with_long_integers_as_doubles(line)).get(root);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();  // nothing is wrong with the line
    // Bytes behind a NUL may be taken for padding.
    if (error || line.find('\0') != std::string_view::npos) return json_fault(error, line, file);
    if (root.get(object_))
        return fault{
            "not_an_object",
            root.is_array()
                ? fmt::format("the line is an array, not a JSON object; {}", conversion("jq -c '.[]'", file, ".jsonl"))
                : fmt::format("the line is {}, not a JSON object; write one object on each line", kind_of(root)),
            {}};
    return std::nullopt;
}

std::string_view kind_of(const simdjson::dom::element& value) {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::ARRAY:
            return "an array";
        case element_type::OBJECT:
            return "an object";
        case element_type::BOOL:
            return "true or false";
        case element_type::STRING:
            return "a string";
        case element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

std::string_view array_text(std::string_view line, std::size_t key) {
    std::size_t depth = 0, keys_passed = 0, begin = 0, end = line.size();
    outside_strings(line, [&](std::size_t i) {
        const char c = line[i];
        if (c == '{' || c == '[') {
            if (depth == 1 && keys_passed == key) begin = i;
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
            if (depth == 1 && keys_passed == key) {
                end = i + 1;
                return false;
            }
        } else if (c == ',' && depth == 1) {
            ++keys_passed;
        }
        return true;
    });
    return line.substr(begin, end - begin);
}

}  // namespace taskbarge::reader
