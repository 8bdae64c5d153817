// The fields of a task as a file may give them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskbarge::reader {

enum class field : std::uint8_t {
    contact_id,
    user_id,
    owner_email,  // instead of user_id
    type,
    priority,
    status,
    due_at,
    note
};
inline constexpr std::size_t field_count = 8;

template <class T>
class per_field {
 public:
    T& operator[](field f) { return values_[static_cast<std::size_t>(f)]; }
    const T& operator[](field f) const { return values_[static_cast<std::size_t>(f)]; }

 private:
    std::array<T, field_count> values_{};
};

inline constexpr std::array<field, field_count> all_fields{field::contact_id, field::user_id,  field::owner_email,
                                                           field::type,       field::priority, field::status,
                                                           field::due_at,     field::note};

constexpr std::string_view to_string(field f) {
    constexpr std::array<std::string_view, field_count> names{"contact_id", "user_id", "owner_email", "type",
                                                              "priority",   "status",  "due_at",      "note"};
    return names[static_cast<std::size_t>(f)];
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
