// The folders that items lie in: where they are below the inbox, and whether an inbox can be used at all.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "service/inbox/item.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

// In the order in which an item may go through them.
inline constexpr std::array all_places{item_place::processing, item_place::done, item_place::failed};

std::string place_path(const std::string& root, item_place place);
// Where items are made and taken apart.
std::string incoming_path(const std::string& root);

// The root as all others use it: absolute, without a slash at its end. errc::settings: it is none.
core::result<std::string> usual_form(const std::string& root);
// Makes the root and the places (mode 0700) where they are missing. errc::settings, naming folder and remedy: they
// cannot be used.
core::result<void> make_places(const std::string& root);
// Whether make_places() would go well, without making or removing anything that stays. A text for people, or the
// failure.
core::result<std::string> examine_places(const std::string& root);
core::failure unusable(const std::string& root, std::string_view why);

}  // namespace taskbarge::service::inbox
