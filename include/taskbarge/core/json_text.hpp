// JSON, written into one growing text: fast enough for a line a row, simple enough for one object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::core {

// Appends the text as a JSON string. Always valid UTF-8: each byte that is none becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends one object member by member, in the order of the calls; close() ends it.
class json_object {
 public:
    explicit json_object(std::string& out) : out_(out) { out_ += '{'; }
    json_object(const json_object&) = delete;
    json_object& operator=(const json_object&) = delete;

    void text(std::string_view key, std::string_view value);
    void text_or_null(std::string_view key, std::string_view value);  // empty: null
    void number(std::string_view key, std::uint64_t value);
    void job_or_null(std::string_view key, const std::optional<job_id>& value);
    void time_or_null(std::string_view key, const std::optional<instant>& value);  // RFC 3339
    void seconds(std::string_view key, std::int64_t milliseconds);                 // 1500 -> 1.500
    void truth(std::string_view key, bool value);
    void null(std::string_view key);
    void raw(std::string_view key, std::string_view json);  // a value that is JSON already
    void close() { out_ += '}'; }

 private:
    void start(std::string_view key);
    std::string& out_;
    bool first_ = true;
};

// "rows", then the states in the order in which every report has them.
void add_counts(json_object& o, const row_counts& counts);

// An array: `each` appends one item's JSON to the text.
template <class Each, class List>
std::string json_list(const List& list, Each each) {
    std::string out = "[";
    for (const auto& item : list) {
        if (out.size() > 1) out += ',';
        each(out, item);
    }
    return out + ']';
}

}  // namespace taskbarge::core
