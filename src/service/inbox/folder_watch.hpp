// The watched folder on its own thread: inotify tells when to look, and a look every `poll` where it does not (network
// file systems, too many watches).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::service::inbox {

struct watch_options {
    std::string folder;
    std::chrono::milliseconds settle{5'000};  // unchanged for so long: complete
    std::chrono::milliseconds poll{10'000};
    bool use_inotify = true;  // false: as where there is none
    // Asked before each offer; false: nothing is offered for a moment. Nothing: there always is.
    std::function<bool()> has_room{};
};

class folder_watch {
 public:
    // `ready` is called on the watch's thread with each complete file's name; it gives false when the file could not be
    // taken now (it is offered again later). `trouble` tells why the folder cannot be read, once until it can be again.
    static core::result<std::unique_ptr<folder_watch>> start(watch_options options,
                                                             std::function<bool(const std::string& name)> ready,
                                                             std::function<void(const std::string& why)> trouble);
    virtual ~folder_watch() = default;  // stops, and joins its thread
    virtual bool by_inotify() const = 0;
};

}  // namespace taskbarge::service::inbox
