// The folders of the service: taking inputs in, keeping what is known of them, and putting them away. Every change is
// one rename or one file written whole, synced, so that a kill at any instant leaves an item where it was or where it
// goes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/inbox/item.hpp"
#include "service/inbox/upload.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

// Any thread, for every call works on the file system alone.
class item_store {
 public:
    // Makes <root>, processing, done, failed and .incoming (mode 0700) where they are missing, and removes what uploads
    // of dead processes left in .incoming. errc::settings, naming folder and remedy, when the root cannot be used: not
    // writable, or parts of it on different file systems (rename must be atomic).
    static core::result<std::unique_ptr<item_store>> open(const std::string& root);
    virtual ~item_store() = default;

    // Takes <root>/<name> with its settings files. Nothing: it is gone, another service took it, or is no regular file
    // (links are not followed). A name that check_name() refuses is made fit for it: what is there must go on. A
    // failure leaves input and settings where they were.
    virtual core::result<std::optional<held_item>> take(const std::string& name, core::instant now) = 0;
    // errc::usage: the note's name is none, see check_name(). Its origin is set here and in take_path().
    virtual core::result<std::unique_ptr<upload>> begin_upload(item_note note) = 0;
    // Copies a file that lies beneath one of the allowed folders, without leaving it by links or "..": else
    // errc::usage. errc::input: not there, no regular file, or changed meanwhile. Without a name in the note the
    // file's own is used.
    virtual core::result<held_item> take_path(const std::string& path, const std::vector<std::string>& allowed,
                                              item_note note) = 0;

    // Items in processing that no other process has, the oldest ones, at most so many, held from now on: those of a
    // dead process, and what this one has claimed, unless `known` knows it by its id. One with `trouble` is given as
    // well, to be put away with it; if it cannot be locked it does not count.
    virtual core::result<std::vector<held_item>> adopt(
        std::size_t most, const std::function<bool(const std::string& id)>& known = {}) = 0;
    // Every item of a place, oldest first, without holding it; at most `most`, the newest.
    virtual core::result<std::vector<item>> list(item_place place, std::size_t most) = 0;
    // How many items a place has, without looking into them.
    virtual core::result<std::uint64_t> count(item_place place) = 0;
    // The ids of the items in done that have one of these jobs.
    virtual core::result<std::vector<std::string>> done_with(const std::set<core::job_id>& jobs) = 0;
    virtual core::result<std::optional<item>> find(const std::string& id) = 0;  // errc::usage: no id
    // The item wherever it is, held from now on (to try a failed one again: put_away() takes it back to processing).
    // Nothing: there is none, or somebody has it.
    virtual core::result<std::optional<held_item>> hold(const std::string& id) = 0;
    // Keeps the item for this process, until it is put away or let go, without the descriptor that holding it takes.
    // It stays held where the file system cannot do that.
    virtual core::result<void> claim(held_item& held) = 0;
    virtual void let_go(const std::string& id) = 0;

    // Writes the job's number, and when the ledger made it, into the item's folder, durably.
    virtual core::result<void> set_job(held_item& held, core::job_id job, core::instant made) = 0;
    // Writes a file into the item's folder through `write`, mode 0600, whole or not at all.
    virtual core::result<void> add_file(const held_item& held, const std::string& name,
                                        const std::function<core::result<void>(int fd)>& write) = 0;
    // Removes the item with all that is in its folder. A kill in between leaves nothing that counts as an item.
    virtual core::result<void> discard(held_item& held) = 0;
    // Moves the folder; the item stays held until it is destroyed. Its id gets another number when there is an item of
    // that id already. Back in processing, one that waited for a person's word does so again.
    virtual core::result<void> put_away(held_item& held, item_place where) = 0;

    virtual const std::string& root() const = 0;
};

}  // namespace taskbarge::service::inbox
