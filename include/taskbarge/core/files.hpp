// Descriptors that have an owner, writing as callers mean it, and files that are whole or not there. A failure is an
// errno, so that each caller tells it in its own words and with its own remedy.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace taskbarge::core {

// A file descriptor that is closed at the end. It takes what open() and its kind give: without one it is false, and
// errno is still the reason. Any thread may own it, one at a time.
class owned_fd {
 public:
    explicit owned_fd(int fd = -1) : fd_(fd) {}
    owned_fd(owned_fd&& o) noexcept : fd_(o.release()) {}
    // Closes what it had now, not when `o` goes.
    owned_fd& operator=(owned_fd&& o) noexcept;
    ~owned_fd();
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }
    // The caller closes it.
    int release() { return std::exchange(fd_, -1); }

 private:
    int fd_;
};

// Writes all of it, however much the system takes at a time. 0, or errno of the write that failed.
int write_all(int fd, std::string_view bytes);

// What was written outlasts a power cut. 0 or errno; 0 as well on a file system that cannot do it.
int sync_file(int fd);
// The same of the names in a folder: what was made in it, renamed or removed.
int sync_folder(const std::string& path);

// A file that appears under its name whole and durably, or not at all: it is written beside its place, for its owner
// alone (mode 0600 whatever the umask), and moved there by place(). Without that nothing is left of it but by a kill.
// One thread at a time.
class whole_file {
 public:
    // `temporary` is the name until then, in the folder of `path`. Where it ends in "XXXXXX", letters that no other
    // file has take their place, and any number of writers may be at it. Else there is one at a time, and what a killed
    // one left is overwritten.
    whole_file(std::string path, std::string temporary);
    whole_file(whole_file&& o) noexcept;
    whole_file& operator=(whole_file&&) = delete;
    ~whole_file();

    // To be written to. -1: it could not be made, and error() says why.
    int fd() const { return fd_.get(); }
    // errno of what failed first; 0: nothing has.
    int error() const { return error_; }
    // Syncs it, moves it to its place, over what is there, and syncs the folder; once. 0 or errno: then it stands there
    // or not, and is whole if it does.
    int place();

 private:
    std::string path_;
    std::string temporary_;  // empty: it is not there, or not any more
    owned_fd fd_;
    int error_ = 0;
};

}  // namespace taskbarge::core
