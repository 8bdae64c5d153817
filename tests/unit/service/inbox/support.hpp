// Helpers of the inbox's tests: a folder that vanishes, and children that die where they are told to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace taskbarge::service::inbox::testing {

// Of items to be adopted, for tests that have few.
inline constexpr std::size_t any_number = SIZE_MAX;

// A folder of its own that is removed with everything in it. Its inbox is not made yet.
class temporary_root {
 public:
    // In memory, where the system has a place for that: what makes thousands of files need not wait for a disk.
    enum class place { disk, memory };
    explicit temporary_root(place where = place::disk);
    ~temporary_root();
    temporary_root(const temporary_root&) = delete;
    temporary_root& operator=(const temporary_root&) = delete;

    std::string path(std::string_view inside = {}) const;
    std::string inbox(std::string_view inside = {}) const;
    void place_inbox(std::string_view inside) { inbox_ = path(inside); }
    std::string write(std::string_view inside, std::string_view bytes) const;  // below path()
    std::string drop(std::string_view name, std::string_view bytes) const;     // below inbox()

 private:
    std::string path_, inbox_;
};

std::string content(const std::string& path);             // "(none)": not there
std::vector<std::string> names(const std::string& path);  // sorted; none: not there

// Runs it in a forked process and gives the exit code, or minus the signal.
int in_child(const std::function<int()>& work);

// Mounts a file system of 256 KiB there, seen by this process alone, for as long as the work lasts. Only in a child.
// Gives no_mounts where the system does not allow it.
inline constexpr int no_mounts = 77;
int on_small_disk(const std::string& path, const std::function<int()>& work);

// Runs it in the midst of the work, at the next core::fault_point() of that name in this process: what somebody else
// does there and then.
void at_point(std::string name, std::function<void()> work);

// The N-th core::fault_point() from now on, counted from 0, kills this process.
void die_at_point(int n);

}  // namespace taskbarge::service::inbox::testing
