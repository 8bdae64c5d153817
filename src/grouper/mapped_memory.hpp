// Memory straight from the system.
#pragma once

#include <cstddef>

namespace taskbarge::grouper {

// Zeroed memory of its own: given back it goes to the system and cannot fragment the heap. It is taken as a whole at
// once, which costs less than page by page. Throws std::bad_alloc.
//
// Huge pages were tried: where many places are fetched together they bring nothing, and clearing them was dearer in
// virtual machines.
class mapped_memory {
 public:
    mapped_memory() = default;
    explicit mapped_memory(std::size_t bytes);
    ~mapped_memory();
    mapped_memory(mapped_memory&& other) noexcept;
    mapped_memory& operator=(mapped_memory&& other) noexcept;

    void* data() const { return begin_; }
    std::size_t size() const { return size_; }

 private:
    void* begin_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace taskbarge::grouper
