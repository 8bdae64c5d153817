// Characters as HTTP has them.
#pragma once

#include "taskbarge/core/text.hpp"

namespace taskbarge::service::http {

using core::equal_ignoring_case;
using core::is_digit;

// C0 without HT, and DEL.
inline bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
}

}  // namespace taskbarge::service::http
