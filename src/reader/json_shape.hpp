// Lines of JSON that say other things in the same words. What stands between the strings and numbers of a line
// (brackets and keys) mostly stands between those of the next line, byte for byte. Where it does, and the strings hold
// neither control characters nor odd escapes, the next line is as good JSON as the first was: it need not be parsed.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reader/fields.hpp"
#include "reader/json_frame.hpp"

namespace taskbarge::reader {

class json_shape {
 public:
    // Of a plain line that was parsed to `object`. `places` says which key of it holds a field, from 0. Nothing when
    // the object is nested or a field's value is no string; HubSpot's ids may be whole numbers.
    static std::optional<json_shape> of(std::string_view line, const json_framer& quotes,
                                        const simdjson::dom::object& object,
                                        const per_field<std::optional<std::size_t>>& places);

    // Whether a plain line is the same apart from what its strings and numbers say. Then `texts` gets the fields' texts
    // as they are written, with their escapes, and empty ones; else it is left in any state.
    bool read(std::string_view line, const json_framer& quotes, field_texts& texts) const;
    // The key that holds a field; empty: none.
    const std::string& key_of(field f) const { return keys_[f]; }

 private:
    enum class value_kind : std::uint8_t { string, number };
    // What stands before a value, the opening quote of a string included, and the value's field.
    struct piece {
        std::size_t size = 0;
        value_kind before = value_kind::string;
        std::optional<field> at;
    };
    void add(std::string_view text, value_kind before, std::optional<field> at) {
        between_.append(text);
        pieces_.push_back({text.size(), before, at});
    }
    std::string between_;  // the pieces, then what stands behind the last value
    std::vector<piece> pieces_;
    std::vector<field> absent_;
    per_field<std::string> keys_;
};

// The shapes that a file's lines had lately.
class json_shapes {
 public:
    // Called for each plain line. Null when it has none of them, or when looking seldom helped of late; `texts` as in
    // json_shape::read.
    const json_shape* read(std::string_view line, const json_framer& quotes, field_texts& texts);
    // Whether a line for which read() gave null is worth learning. Where each line is a new shape, few are.
    bool worth_learning();
    void learn(json_shape shape);

 private:
    static constexpr std::size_t most_known = 8;
    static constexpr int price = 16, most_credit = 8 * price;
    // After so many lines in vain only every so many-th is looked at.
    static constexpr unsigned patience = 64, seldom = 32;
    bool looked_in_vain() const { return vain_ > patience && vain_ % seldom != 0; }
    std::vector<json_shape> known_;
    std::size_t last_ = 0;      // the one that was met last
    std::size_t next_ = 0;      // the one to be forgotten next
    int credit_ = most_credit;  // a line earns one, learning costs `price`
    unsigned vain_ = 0;         // lines since one was known
};

}  // namespace taskbarge::reader
