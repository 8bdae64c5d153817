// Where a command's data goes: standard output or a file that appears only when it is whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::cli {

// A buffered writer over one file descriptor. A reader that went away (EPIPE) is no failure: wanted() turns false and
// what is written goes nowhere. Not thread-safe.
class output_file {
 public:
    // "" or "-": standard output. A regular or new file is written beside its place, mode 0600, and renamed by
    // finish(), which brings it to the disk; without finish() nothing is left of it. A device or pipe is written
    // directly. Fails with errc::io.
    static core::result<output_file> open(const std::string& path);

    // Room to append to; call flush_if_full() now and then.
    std::string& buffer() { return buffer_; }
    void flush_if_full() {
        if (buffer_.size() >= full_at) flush();
    }
    void write(std::string_view text) {
        buffer_ += text;
        flush_if_full();
    }
    // False once nobody reads any more or a write failed: the caller may stop.
    bool wanted() const { return !broken_; }
    // Writes what is left and puts the file in its place. Fails with errc::io: no room, or another write error.
    core::result<void> finish();

 private:
    static constexpr std::size_t full_at = 1u << 20;
    // `file`: a regular one; else `device`, and without that standard output.
    output_file(std::string path, std::optional<core::whole_file> file, core::owned_fd device);
    void flush();

    std::string path_;  // for messages
    std::optional<core::whole_file> file_;
    core::owned_fd device_;
    int fd_;  // what is written to: theirs, or standard output
    std::string buffer_;
    bool broken_ = false;
    int error_ = 0;             // errno of the first failed write other than EPIPE
    std::size_t unsynced_ = 0;  // bytes written since the disk was last told to begin
};

// Writes a text to standard output at once.
core::result<void> print(std::string_view text);

// Whether standard output can be written to; not when the program was begun without one.
bool is_stdout_open();

}  // namespace taskbarge::cli
