// Files and folders as the inbox needs them: private whatever the umask, written whole, synced, failures told.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::service::inbox {

// errc::ledger_full where there is no room on the disk, else errc::io; the text names what, path and reason.
core::failure file_failure(std::string_view what, const std::string& path, int error);

// The same, but errc::input where it lies at this one file, and not at us (as with too many open files).
core::failure open_failure(std::string_view what, const std::string& path, int error);

// The file system has no locks: errc::io, by errno, with the remedy.
core::failure locks_refused(const std::string& path);

// What stands there, without following a link; nothing where there is nothing or it cannot be looked at.
std::optional<struct stat> look_at(const std::string& path);
bool is_regular(const std::string& path);
bool is_folder(const std::string& path);
bool exists(const std::string& path);

// Mode 0700, made durable by whoever syncs the folder above; one that is there already stays as it is.
core::result<void> make_folder(const std::string& path);
// A file of ours, new or emptied, mode 0600, opened for writing.
core::result<core::owned_fd> create_file(const std::string& path);
core::result<void> write_all(int fd, std::string_view bytes, const std::string& path);
core::result<void> sync_file(int fd, const std::string& path);
core::result<void> sync_folder(const std::string& path);
// <folder>/<name> whole or not at all, durably, through a hidden file beside it: one writer at a time.
core::result<void> write_whole(const std::string& folder, const std::string& name,
                               const std::function<core::result<void>(int fd)>& write);
// Whether a process has the file open for writing. unknown: it is another user's, or its file system does not tell.
enum class writers : std::uint8_t { none, some, unknown };
writers writers_of(int fd);  // opened for reading only
writers writers_of(const std::string& path);
// At most `most` bytes. errc::input: this file is not there, longer, or not ours to read; errc::io: we cannot read now.
core::result<std::string> read_small(const std::string& path, std::size_t most);
// All of `from` to the end of `to`; by the kernel alone where it can.
core::result<void> copy_all(int from, int to, const std::string& from_path, const std::string& to_path);

// The names in a folder, in no order, without "." and "..".
core::result<std::vector<std::string>> names_in(const std::string& folder);
// Removes a folder of files, the file `last` after all others.
core::result<void> remove_folder(const std::string& path, const std::string& last);

}  // namespace taskbarge::service::inbox
