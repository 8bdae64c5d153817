// Bytes as a file without a disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace taskbarge::fuzz {

class memory_input {
 public:
    memory_input(const std::uint8_t* data, std::size_t size);
    ~memory_input();
    memory_input(const memory_input&) = delete;
    memory_input& operator=(const memory_input&) = delete;
    // Can be opened as long as this lives.
    std::string path() const;

 private:
    int descriptor_;
};

}  // namespace taskbarge::fuzz
