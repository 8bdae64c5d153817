// item.json: what was asked for with an input, and what it is known by, as text.
#pragma once

#include <string>

#include "service/inbox/item.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

inline constexpr std::size_t ticket_length = 32;  // hex digits

struct stored_note {
    item_note note;
    std::string dropped_as{};  // the name in the inbox, byte for byte; empty: it did not come from there
    std::string ticket{};      // see item; ticket_length hex digits
    friend bool operator==(const stored_note&, const stored_note&) = default;
};

std::string note_text(const stored_note& stored);
// errc::input, saying what is wrong with it.
core::result<stored_note> parse_note(const std::string& text);

}  // namespace taskbarge::service::inbox
