// The fields of a task as a file may give them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/contact_key.hpp"

namespace taskbarge::reader {

enum class field : std::uint8_t {
    contact_id,
    // What else names the contact, in the order of core::key_kind.
    salesforce_id,
    hubspot_id,
    email,
    linkedin_url,
    user_id,
    owner_email,  // instead of user_id
    type,
    priority,
    status,
    due_at,
    note
};
inline constexpr std::size_t field_count = 12;

template <class T>
class per_field {
 public:
    T& operator[](field f) { return values_[static_cast<std::size_t>(f)]; }
    const T& operator[](field f) const { return values_[static_cast<std::size_t>(f)]; }

 private:
    std::array<T, field_count> values_{};
};

inline constexpr std::array<field, field_count> all_fields{
    field::contact_id,  field::salesforce_id, field::hubspot_id, field::email,  field::linkedin_url, field::user_id,
    field::owner_email, field::type,          field::priority,   field::status, field::due_at,       field::note};

constexpr std::string_view to_string(field f) {
    constexpr std::array<std::string_view, field_count> names{"contact_id",   "salesforce_id", "hubspot_id",  "email",
                                                              "linkedin_url", "user_id",       "owner_email", "type",
                                                              "priority",     "status",        "due_at",      "note"};
    return names[static_cast<std::size_t>(f)];
}

constexpr field field_of(core::key_kind kind) {
    return static_cast<field>(static_cast<std::size_t>(field::salesforce_id) + static_cast<std::size_t>(kind));
}
constexpr bool is_key(field f) {
    return f >= field_of(core::all_key_kinds.front()) && f <= field_of(core::all_key_kinds.back());
}
constexpr bool names_contact(field f) {
    return f == field::contact_id || is_key(f);
}

// A record's texts before they are checked; empty where the file says nothing.
using field_texts = per_field<std::string_view>;

// Why a record cannot be used.
struct fault {
    std::string code;         // listed in docs/codes.md
    std::string message;      // one line
    std::optional<field> at;  // the field at fault; nothing when the whole record is
};

}  // namespace taskbarge::reader
