#include "grouper/mapped_memory.hpp"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace taskbarge::grouper {

mapped_memory::mapped_memory(std::size_t bytes)
    : begin_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)),
      size_(bytes) {
    if (begin_ == MAP_FAILED) throw std::bad_alloc();
}

mapped_memory::~mapped_memory() {
    if (begin_) ::munmap(begin_, size_);
}

mapped_memory::mapped_memory(mapped_memory&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}

mapped_memory& mapped_memory::operator=(mapped_memory&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
    return *this;
}

}  // namespace taskbarge::grouper
