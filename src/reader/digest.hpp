// SHA-256 of an input.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

#include "taskbarge/core/sha256.hpp"

namespace taskbarge::reader {

// Of an input that is worked on meanwhile: large pieces are hashed beside the caller, one at a time. Used by one
// thread.
class input_digest_builder {
 public:
    input_digest_builder() = default;
    ~input_digest_builder();
    input_digest_builder(const input_digest_builder&) = delete;
    input_digest_builder& operator=(const input_digest_builder&) = delete;

    // Done when it returns.
    void add(const char* data, std::size_t size);
    // The bytes must stay as they are until the next call of any member.
    void add_beside(const char* data, std::size_t size);
    // Returns when nothing is being hashed.
    void settle();
    // Of all bytes added so far, lower-case hex.
    std::string hex();

 private:
    void work();

    core::sha256 digest_;
    std::mutex mutex_;
    std::condition_variable changed_;
    const char* data_ = nullptr;  // what the worker is at, or null
    std::size_t size_ = 0;
    bool stop_ = false;
    std::thread worker_;  // begun with the first large piece
};

}  // namespace taskbarge::reader
