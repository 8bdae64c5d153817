// Taking dropped files: whose turn it is, what is moved in which order, and what is given back when it does not go
// well.
#pragma once

#include <optional>
#include <string>

#include "service/inbox/item.hpp"
#include "service/inbox/note_file.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::service::inbox {

// One taker of dropped files at a time, over all processes on a root. It names the item that it moves files to, so that
// when it dies the next one can give back what it had moved.
class take_turn {
 public:
    static core::result<take_turn> wait(const std::string& root);
    core::result<void> moves_to(const std::string& id);  // before the first file is moved
    // The item that a dead taker was moving files to, if any.
    const std::string& left_by_the_dead() const { return left_; }
    core::result<void> forget_the_dead();
    ~take_turn();
    take_turn(take_turn&&) noexcept = default;
    take_turn& operator=(take_turn&&) = delete;

 private:
    take_turn(std::string path, core::owned_fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_;
    core::owned_fd fd_;
    std::string left_;
};

// The turn, when nothing of a dead taker's is left half moved.
core::result<take_turn> wait_for_turn(const std::string& root);

// As item_store::take().
core::result<std::optional<held_item>> take_dropped(const std::string& root, const std::string& name,
                                                    core::instant now);

// Gives back what a taker had moved into the item's folder before it had the input, and removes the folder. The turn
// must be held, or another taker may look for the settings just then.
core::result<void> undo_take(const std::string& root, const std::string& folder, const stored_note& stored);

}  // namespace taskbarge::service::inbox
