#include "taskbarge/core/write_all.hpp"

#include <unistd.h>

#include <cerrno>

namespace taskbarge::core {

int write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written > 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (written == 0)
            return EIO;  // takes nothing and says nothing: asking again would be for ever
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

}  // namespace taskbarge::core
