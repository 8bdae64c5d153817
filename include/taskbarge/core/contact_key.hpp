// What people name a contact by where they do not have Apollo's id, and the form in which two such names are compared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"

namespace taskbarge::core {

// In the order in which they are believed where a row has several.
enum class key_kind : std::uint8_t { salesforce_id, hubspot_id, email, linkedin_url };
inline constexpr std::size_t key_kind_count = 4;
inline constexpr std::array<key_kind, key_kind_count> all_key_kinds{key_kind::salesforce_id, key_kind::hubspot_id,
                                                                    key_kind::email, key_kind::linkedin_url};
std::string_view to_string(key_kind kind);  // as the fields and settings are named: "email"
std::optional<key_kind> key_kind_named(std::string_view name);

// The form in which two keys are compared: equal texts, one key. Nothing is folded that may tell two contacts apart:
// dots and plus-tags of addresses stay. A failure is errc::input with one line: what is wrong and what would be right.
//
// email: without surrounding blanks, in Unicode NFC, all of it in lower case, the domain in its ASCII form (IDNA 2008).
// salesforce_id: the first 15 characters, whose case counts; of 18 the last three must fit them. Only ids of contacts
// (003) and leads (00Q) are keys of Apollo's contacts.
// hubspot_id: digits without leading zeros.
// linkedin_url: "in/" and the profile's name in lower case, from any form of the profile's address.
result<std::string> comparable_key(key_kind kind, std::string_view text);

}  // namespace taskbarge::core
