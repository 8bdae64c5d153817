// One input on its way through the service: its folder, and what is known of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "taskbarge/core/files.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/state.hpp"

namespace taskbarge::service::inbox {

// What was asked for with the input. Written before the input counts as taken, and never changed.
struct item_note {
    std::string name;              // "contacts.csv": without folders, as it is called in results
    std::string origin;            // "inbox" | "upload" | "path"
    core::instant taken_at{};      // relative dates count from this day, whenever the input is read
    std::uint64_t first_rows = 0;  // 0: all
    bool again = false;
    bool held = false;  // it is planned, and nothing is sent until a person says so: see item::started
    friend bool operator==(const item_note&, const item_note&) = default;
};

enum class item_place : std::uint8_t { processing, done, failed };

// An item is a folder: <root>/processing/<id>/ holds the input under its own name, item.json (the note), settings.toml
// and folder-settings.toml where there were any, and, once planned, `job` with the job's number and when it was made.
// One that is held has plan.json, and `started` when it is held no longer.
// When all is settled the whole folder moves to <root>/done/<id>/ or <root>/failed/<id>/ with results.csv, rejects.csv
// (if there are rejects), summary.json, or error.txt beside the input. `id` is the input's name, the time in UTC and a
// number that tells apart: "contacts.csv.20261125T190102Z.1". Of the name it has letters, digits, '.', '-' and '_',
// with '_' for each other character, so that it needs no escape in a path or a URL.
struct item {
    std::string id;
    item_note note;
    // Random, and written with the note: tells this input from every other one for ever, as an id cannot, which is free
    // again when a person has tidied up, and changes its number on the way. Empty where there is trouble with the note.
    std::string ticket{};
    item_place place = item_place::processing;
    std::optional<core::job_id> job;
    // When the ledger made that job: tells it from another ledger's of that number.
    core::instant job_made{};
    std::string folder;  // absolute
    std::string input() const { return folder + "/" + note.name; }
    std::vector<std::string> settings_files;  // the folder's, then the input's own: later ones win
    bool started = false;                     // of one that was held: a person has said that it may go
    bool waits_for_a_person() const { return note.held && !started && !job; }
    std::string trouble;  // why it cannot be worked on (its note is unreadable); empty: it can
};

// An item that this process works on. Its note is locked (flock) for as long as this lives, so that two services on
// one root do not both work on it; the lock dies with the process. Movable; one thread at a time.
class held_item {
 public:
    held_item() = default;
    held_item(inbox::item item, core::owned_fd lock) : item_(std::move(item)), lock_(std::move(lock)) {}
    const inbox::item& item() const { return item_; }
    inbox::item& item() { return item_; }
    bool is_locked() const { return bool(lock_); }  // false: claimed, or its note cannot be locked, by nobody
    void unlock() { lock_ = core::owned_fd(); }

 private:
    inbox::item item_;
    core::owned_fd lock_;
};

}  // namespace taskbarge::service::inbox
