// A file of all tasks created, so that they survive the death of the sandbox.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

// Lines are in the kernel's hands when write() returns: they outlive a killed process, not a power cut.
class journal {
 public:
    journal() = default;  // keeps nothing
    journal(journal&& o) noexcept;
    journal& operator=(journal&& o) noexcept;
    ~journal();
    // Appends to `path`. Fails with errc::io.
    static core::result<journal> open(const std::string& path);

    bool active() const { return fd_ >= 0; }
    // Throws std::system_error when the file takes no more: a sandbox that forgets would prove nothing.
    void write(std::string_view lines);

 private:
    int fd_ = -1;
};

struct journal_entry {
    std::string_view id, contact_id;
    core::task_view details;
    core::instant created_at;
};
// Reads a journal from its beginning; a file that does not exist is empty, and a last line that was cut off is left
// out. Fails with errc::io, naming the line, when one is no journal line or `take` refuses it.
core::result<void> read_journal(const std::string& path, const std::function<bool(const journal_entry&)>& take);

}  // namespace taskbarge::sandbox
