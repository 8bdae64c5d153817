// SHA-256 of an input.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "taskbarge/core/sha256.hpp"

namespace taskbarge::reader {

// Of an input that is worked on meanwhile: large pieces are hashed beside the caller, in their order. Used by one
// thread.
class input_digest_builder {
 public:
    input_digest_builder() = default;
    ~input_digest_builder();
    input_digest_builder(const input_digest_builder&) = delete;
    input_digest_builder& operator=(const input_digest_builder&) = delete;

    // Done when it returns.
    void add(const char* data, std::size_t size);
    // May return before it is done. `keep` holds the bytes, which nobody may change any more.
    void add_beside(const char* data, std::size_t size, std::shared_ptr<const char[]> keep);
    // Returns when nothing is being hashed.
    void settle();
    // Of all bytes added so far, lower-case hex.
    std::string hex();

 private:
    struct piece {
        const char* data;
        std::size_t size;
        std::shared_ptr<const char[]> keep;
    };
    // Where fewer cores than threads are free, the hashing lags behind for a time slice: some blocks of a MiB.
    static constexpr std::size_t most_waiting = 8;
    void work();

    core::sha256 digest_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<piece> waiting_;  // the worker is at the first
    bool stop_ = false;
    std::thread worker_;  // begun with the first large piece
};

}  // namespace taskbarge::reader
