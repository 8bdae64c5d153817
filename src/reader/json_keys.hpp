// The keys of JSON records, and which of our fields they hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reader/field_map.hpp"

namespace taskbarge::reader {

// What a key means. Keys are told apart once; records repeat them, mostly in the same order.
struct json_key {
    std::string name;
    std::optional<matched_field> match;
    bool is_contact_ids = false;    // the API's own array of contacts
    bool remembered = false;        // else too many keys are known already
    std::uint64_t last_record = 0;  // the caller's: in which record it was seen last
};

class json_keys {
 public:
    json_keys(const name_rules& rules, file_report& report);

    // `place` is the key's ordinal in its object: where the same key stood in the record before is looked at first.
    // Holds until the next look-up.
    json_key& find(std::string_view name, std::size_t place);

 private:
    json_key understand(std::string_view name) const;
    void report(const json_key& key);

    const name_rules& rules_;
    file_report& report_;
    std::vector<json_key> known_;
    json_key passing_;  // for input with more different keys than are worth knowing
};

}  // namespace taskbarge::reader
