// Writing to a file descriptor as callers mean it.
#pragma once

#include <string_view>

namespace taskbarge::core {

// Writes all of it, however much the system takes at a time. 0, or errno of the write that failed.
int write_all(int fd, std::string_view bytes);

}  // namespace taskbarge::core
