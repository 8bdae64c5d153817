// Which files of the watched folder are complete. Plain state: what was seen, and the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct stat;

namespace taskbarge::service::inbox {

// What tells that a file is as it was. The time of change goes on also where a writer sets the time of modification
// back, and where the file gets another name; it cannot be set.
struct file_state {
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    std::uint64_t links = 1;
    friend bool operator==(const file_state&, const file_state&) = default;
};
file_state state_of(const struct stat& found);

// Names that are never inputs: hidden ones, *.toml (settings), and what copying programs use while they write (*.part,
// *.tmp, *.filepart, *.partial, *.swp, *~, *.crdownload; in capitals too).
bool is_input_name(const std::string& name);

class arrivals {
 public:
    using time = std::chrono::steady_clock::time_point;
    explicit arrivals(std::chrono::milliseconds settle) : settle_(settle) {}

    // One look at the whole folder. Files that are gone are forgotten.
    void seen(const std::map<std::string, file_state>& files, time now);
    // Renamed into place: complete at the next look, unless it changes.
    void moved_in(const std::string& name);
    // Was offered: not ready again before `settle` (at least a quarter of a second) has passed, unless it changes.
    void put_off(const std::string& name, time now);
    // Complete: moved in, or unchanged for `settle`. One with several names (hard links) is given the time to lose the
    // others, as it does where a program makes its file appear that way. Oldest first (by modification, then name).
    std::vector<std::string> ready(time now) const;
    // When the next one may become ready; time::max(): nothing is waiting.
    time next(time now) const;

 private:
    struct entry {
        file_state state;
        bool looked_at = false;  // false: moved in, and its state is not known yet
        bool moved = false;
        time unchanged_since = time::min();
        time not_before = time::min();
    };
    time ready_at(const entry& file) const;

    std::chrono::milliseconds settle_;
    std::map<std::string, entry> files_;
};

}  // namespace taskbarge::service::inbox
