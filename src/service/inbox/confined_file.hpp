// Opening a file that somebody names by its path, within folders that were allowed.
#pragma once

#include <string>
#include <vector>

#include "service/inbox/files.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::service::inbox {

// A regular file beneath one of the folders, opened for reading; the kernel sees to it that neither ".." nor a link on
// the way leads elsewhere, also while somebody changes the folders. errc::usage: outside, through a link, or the kernel
// cannot promise it. errc::input: not there, not readable, no regular file. errc::settings: an allowed folder is not
// there.
core::result<core::owned_fd> open_confined(const std::string& path, const std::vector<std::string>& allowed);

}  // namespace taskbarge::service::inbox
