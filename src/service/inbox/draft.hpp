// An item before it is one: a folder under .incoming with its note, locked from its first moment on. One rename makes
// it an item, so that whatever stands in processing has a whole note and is either held or left by a dead process.
#pragma once

#include <optional>
#include <string>

#include "service/inbox/item.hpp"
#include "service/inbox/note_file.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::service::inbox {

// The lock of an item is flock on its note: on the file and not on the folder, for NFS locks no folders. It dies with
// the process. Nothing: another process holds it, or the folder is not there (any more). errc::input: this one's note
// is not ours to open.
core::result<std::optional<core::owned_fd>> lock_note(const std::string& folder);

class draft {
 public:
    // Gives the item its ticket. errc::ledger_full, errc::io.
    static core::result<draft> make(const std::string& root, stored_note stored);
    draft(draft&&) noexcept;
    draft& operator=(draft&&) = delete;
    ~draft();  // removes the folder, unless it was published

    const std::string& folder() const { return folder_; }
    // Syncs the folder and moves it to <root>/processing/<id>; gives the id. Once.
    core::result<std::string> publish();
    core::owned_fd release_lock() { return std::move(lock_); }

 private:
    draft(std::string root, std::string folder, core::owned_fd lock, core::instant taken_at, std::string name);
    std::string root_, folder_;
    core::owned_fd lock_;
    core::instant taken_at_;
    std::string name_;
};

// The item that publish() has made, held by the draft's lock.
core::result<held_item> published_item(const std::string& root, const std::string& id, core::owned_fd lock);

// Moves an item's folder out of processing and removes it. A kill in between leaves it to sweep().
core::result<void> discard(const std::string& root, const std::string& folder);

// Removes what dead processes left in .incoming.
core::result<void> sweep(const std::string& root);

}  // namespace taskbarge::service::inbox
