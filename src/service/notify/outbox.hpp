// The folder of what is still to be told: one file a notification, written whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::service::notify {

struct letter {
    std::string id, event, body;
    core::instant told_at{};
    std::uint32_t failures = 0;  // tries that failed
    core::instant due_at{};      // when the next try is due
};

// Used by one thread at a time.
class outbox {
 public:
    // Makes the folder, or takes the one that is there; in either case nobody else may look into it. errc::settings if
    // it cannot be used.
    static core::result<outbox> open(const std::string& folder);

    // What was there, in the order of telling. A file that is none of ours, or damaged, is set aside under another name
    // and told to `set_aside`.
    core::result<std::vector<letter>> load(
        const std::function<void(const std::string& file, const std::string& why)>& set_aside) const;

    // After it the letter is on the disk, whole, in place of an earlier one with its id.
    core::result<void> save(const letter& l) const;
    core::result<void> remove(const std::string& id) const;

 private:
    explicit outbox(std::string folder) : folder_(std::move(folder)) {}
    std::string path_of(const std::string& id) const;
    void remove_leftovers() const;
    core::result<void> write_whole(const std::string& path, std::string_view text) const;

    std::string folder_;
};

}  // namespace taskbarge::service::notify
