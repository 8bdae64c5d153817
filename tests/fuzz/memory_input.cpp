#include "fuzz/memory_input.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace taskbarge::fuzz {

memory_input::memory_input(const std::uint8_t* data, std::size_t size)
    : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size)) std::abort();
}

memory_input::~memory_input() {
    ::close(descriptor_);
}

std::string memory_input::path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
}

}  // namespace taskbarge::fuzz
