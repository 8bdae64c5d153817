// What an item's folder says of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "service/inbox/item.hpp"
#include "service/inbox/item_names.hpp"
#include "service/inbox/note_file.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

// In all of these: errc::input, where it lies at the item; errc::io, where it cannot be read now.

core::result<stored_note> read_note(const std::string& folder);

// As the file "job" has it: the number, and when the ledger made it.
struct noted_job {
    core::job_id id = 0;
    core::instant made{};
};
core::result<std::optional<noted_job>> read_job(const std::string& folder);  // nothing: there is none yet
std::string job_text(const noted_job& job);

// The settings files that are there: later ones win.
std::vector<std::string> settings_in(const std::string& folder);

struct stored_item {
    inbox::item item;
    std::string dropped_as;  // see stored_note
};
// All that is known of the item. A note or a job that makes no sense is no failure: it is told in the item.
core::result<stored_item> read_item(const std::string& root, item_place place, const item_id& id);

// The first line of error.txt; empty: there is none.
std::string why_failed(const item& item);

// The items of a place, oldest first.
core::result<std::vector<item_id>> ids_in(const std::string& place);

// Only what the service itself puts there before there is an input.
bool holds_nothing_else(const std::string& folder);

}  // namespace taskbarge::service::inbox
